package service

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// absences are a store of one identity's, and whom of the workflows is told.
type absences struct {
	Store
	Workflows
	made   []lifecycle.Absence
	ended  []lifecycle.ID
	moves  []lifecycle.Reassignment
	claims []lifecycle.ID
	item   lifecycle.ApprovalItem
	rel    policy.Relations
	woken  []lifecycle.ID
	nudged []lifecycle.ID
	// err is what the store answers, lost what the workflows do.
	err, lost error
}

func (a *absences) CreateAbsence(_ context.Context, absence lifecycle.Absence) error {
	a.made = append(a.made, absence)
	return a.err
}

func (a *absences) ListAbsences(_ context.Context, _ lifecycle.ID, q filter.Query) ([]lifecycle.Absence, int, error) {
	return a.made, q.Limit, a.err
}

func (a *absences) GetAbsence(context.Context, lifecycle.ID, lifecycle.ID) (lifecycle.Absence, error) {
	return lifecycle.Absence{}, a.err
}

func (a *absences) EndAbsence(_ context.Context, _, id lifecycle.ID) error {
	a.ended = append(a.ended, id)
	return a.err
}

func (a *absences) WakeAbsence(_ context.Context, absence lifecycle.ID) error {
	a.woken = append(a.woken, absence)
	return a.lost
}

func (a *absences) GetApproval(context.Context, lifecycle.ID, lifecycle.ID) (lifecycle.ApprovalItem, policy.Relations, error) {
	return a.item, a.rel, nil
}

func (a *absences) ReassignApproval(_ context.Context, move lifecycle.Reassignment) (lifecycle.ID, error) {
	a.moves = append(a.moves, move)
	return a.item.ID, a.err
}

func (a *absences) ClaimApproval(_ context.Context, item, identity lifecycle.ID, _ string) (lifecycle.ID, error) {
	a.claims = append(a.claims, item, identity)
	return a.item.ID, a.err
}

func (a *absences) NudgeRequest(_ context.Context, request, _ lifecycle.ID) error {
	a.nudged = append(a.nudged, request)
	return a.lost
}

func TestAnAbsenceIsStoredAndItsWorkflowTold(t *testing.T) {
	t.Parallel()
	// A workflow that can't be reached is left to the sweep.
	for _, lost := range []error{nil, errors.New("away")} {
		rows := &absences{lost: lost}
		s := newService(rows, rows)
		me := user(lifecycle.NewID())
		deputy := lifecycle.NewID()
		end := s.now().Add(time.Hour).Truncate(time.Second)
		in := lifecycle.AbsenceInput{Deputy: new(deputy.String()), End: new(end.Format(time.RFC3339))}
		made, err := s.CreateAbsence(t.Context(), me, policy.Me, in)
		require.NoError(t, err)
		require.Equal(t, []lifecycle.Absence{made}, rows.made)
		require.Equal(t, lifecycle.Absence{
			ID: made.ID, Identity: me.IdentityID, Deputy: deputy, Start: made.Created, End: end, Creator: me.IdentityID,
			Created: made.Created, Modified: made.Created,
		}, made)
		require.NoError(t, s.DeleteAbsence(t.Context(), me, me.IdentityID.String(), made.ID))
		require.Equal(t, []lifecycle.ID{made.ID}, rows.ended)
		require.Equal(t, []lifecycle.ID{made.ID, made.ID}, rows.woken)
		_, count, err := s.ListAbsences(t.Context(), me, policy.Me, filter.Params{Limit: new(5)})
		require.NoError(t, err)
		require.Equal(t, 5, count)
	}
}

func TestAnAbsenceThatIsRefusedStoresNothing(t *testing.T) {
	t.Parallel()
	rows := &absences{}
	s := newService(rows, rows)
	me, another := user(lifecycle.NewID()), lifecycle.NewID().String()
	for want, call := range map[lifecycle.Kind]func() error{
		lifecycle.KindForbidden: func() error {
			_, err := s.CreateAbsence(t.Context(), me, another, lifecycle.AbsenceInput{})
			return err
		},
		lifecycle.KindRequired: func() error {
			_, err := s.CreateAbsence(t.Context(), me, policy.Me, lifecycle.AbsenceInput{})
			return err
		},
		lifecycle.KindBadRequest: func() error { return s.DeleteAbsence(t.Context(), me, "nonsense", lifecycle.NewID()) },
	} {
		require.Equal(t, want, lifecycle.KindOf(call()))
	}
	require.Equal(t, policy.ErrForbidden, s.DeleteAbsence(t.Context(), me, another, lifecycle.NewID()))
	_, err := s.GetAbsence(t.Context(), me, another, lifecycle.NewID())
	require.Equal(t, policy.ErrForbidden, err)
	_, _, err = s.ListAbsences(t.Context(), me, another, filter.Params{})
	require.Equal(t, policy.ErrForbidden, err)
	require.Empty(t, rows.made)
	require.Empty(t, rows.ended)

	rows.err = policy.ErrNotFound
	admin := user(lifecycle.NewID(), lifecycle.LevelSourceAdmin)
	require.Equal(t, policy.ErrNotFound, s.DeleteAbsence(t.Context(), admin, another, lifecycle.NewID()))
	require.Empty(t, rows.woken)
}

func TestAMoveIsStoredAndItsWorkflowTold(t *testing.T) {
	t.Parallel()
	for _, lost := range []error{nil, errors.New("away")} {
		me := user(lifecycle.NewID())
		rows := &absences{lost: lost, rel: policy.Relations{Approver: true}, item: lifecycle.ApprovalItem{
			ID: lifecycle.NewID(), RequestID: lifecycle.NewID(), Approver: lifecycle.IdentityReference(me.IdentityID), Status: lifecycle.StatusPending,
		}}
		s := newService(rows, rows)
		to := lifecycle.NewID()
		_, err := s.Reassign(t.Context(), me, rows.item.ID, lifecycle.ReassignInput{
			NewOwner: &lifecycle.ReferenceInput{ID: new(to.String())}, Comment: new("why"),
		})
		require.NoError(t, err)
		require.Equal(t, []lifecycle.Reassignment{{
			ItemID: rows.item.ID, From: rows.item.Approver, To: lifecycle.IdentityReference(to), Reassigner: me.IdentityID, Comment: "why",
		}}, rows.moves, "from whom it was with when access was checked")
		_, err = s.Claim(t.Context(), me, rows.item.ID, DecisionInput{})
		require.NoError(t, err)
		require.Equal(t, []lifecycle.ID{rows.item.ID, me.IdentityID}, rows.claims)
		require.Equal(t, []lifecycle.ID{rows.item.RequestID, rows.item.RequestID}, rows.nudged)

		_, err = s.Reassign(t.Context(), me, rows.item.ID, lifecycle.ReassignInput{NewOwner: &lifecycle.ReferenceInput{ID: new(to.String())}})
		require.Equal(t, lifecycle.KindRequired, lifecycle.KindOf(err), "why is required")
		rows.err = lifecycle.NotMovable(lifecycle.StatusApproved)
		_, err = s.Claim(t.Context(), me, rows.item.ID, DecisionInput{Comment: new("mine")})
		require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(err))
		require.Len(t, rows.moves, 1)
		require.Len(t, rows.nudged, 2)
	}
}

func TestWhoMadeARequestIsToldThatTheyCanNotDecideIt(t *testing.T) {
	t.Parallel()
	me := user(lifecycle.NewID())
	item := lifecycle.ApprovalItem{ID: lifecycle.NewID(), Status: lifecycle.StatusPending, Requester: me.IdentityID}
	s := newService(&rows{item: &item, relations: policy.Relations{Approver: true, Requester: true}}, nil)
	_, err := s.Approve(t.Context(), me, item.ID, DecisionInput{})
	require.ErrorIs(t, err, lifecycle.ErrOwnRequest)
	_, err = s.Reject(t.Context(), me, item.ID, DecisionInput{Comment: new("No")})
	require.ErrorIs(t, err, lifecycle.ErrOwnRequest)
}
