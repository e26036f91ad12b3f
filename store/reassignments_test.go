package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store/storetest"
)

// selfApproving lets who made a request decide it.
func selfApproving(p *lifecycle.ApprovalPolicy) { p.SelfApproval = true }

// pool makes a workgroup that decides.
func (w *world) pool(t *testing.T, name string, members ...lifecycle.ID) lifecycle.Reference {
	t.Helper()
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: name, Members: members, Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	return lifecycle.Reference{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}
}

// approvedBy has these decide about the world's source, in this order.
func (w *world) approvedBy(t *testing.T, approvers ...lifecycle.Reference) {
	t.Helper()
	_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error { s.Approvers = approvers; return nil })
	require.NoError(t, err)
}

// route is how an item went, in short.
func (w *world) route(t *testing.T, item lifecycle.ID) (moves []string) {
	t.Helper()
	all, err := w.ListReassignments(t.Context(), item)
	require.NoError(t, err)
	for i, move := range all {
		require.Equal(t, i+1, move.Number)
		moves = append(moves, fmt.Sprintf("%s %s -> %s by %s", move.Type, w.named(t, move.From.ID), w.named(t, move.To.ID), w.named(t, move.Reassigner)))
	}
	return moves
}

// named is the alias of an identity or the name of a group.
func (w *world) named(t *testing.T, id lifecycle.ID) string {
	t.Helper()
	name := "nobody"
	if !id.IsZero() {
		require.NoError(t, w.admin.QueryRowContext(t.Context(), `SELECT alias FROM identities WHERE id = $1
			UNION ALL SELECT name FROM workgroups WHERE id = $1`, id.String()).Scan(&name))
	}
	return name
}

// told is who is told of an event about the item.
func (w *world) told(t *testing.T, event lifecycle.EventType, item lifecycle.ID) int {
	t.Helper()
	return w.number(t, "SELECT count(*) FROM notifications WHERE event = $1 AND item_id = $2", string(event), item.String())
}

func identityOf(i lifecycle.Identity) lifecycle.Reference { return lifecycle.IdentityReference(i.ID) }

func (w *world) reassign(t *testing.T, item lifecycle.ApprovalItem, to lifecycle.Reference) error {
	t.Helper()
	source, err := w.ReassignApproval(t.Context(), lifecycle.Reassignment{
		ItemID: item.ID, From: item.Approver, To: to, Reassigner: w.outsider.ID, Comment: "why",
	})
	if err == nil {
		require.Equal(t, w.source.ID, source)
	}
	return err
}

func TestAnItemIsHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	clerk := storetest.Identity(t, w.Store, "clerk")
	request := w.request(t, "will")
	item := request.Items[0]
	require.NoError(t, w.reassign(t, item, identityOf(clerk)))
	require.Equal(t, []string{"MANUAL_REASSIGNMENT approver.0 -> clerk by outsider"}, w.route(t, item.ID))
	require.Equal(t, 2, w.told(t, lifecycle.EventReassigned, item.ID))
	moved := w.stored(t, request.ID)
	require.Equal(t, identityOf(clerk), moved.Items[0].Approver)
	require.True(t, moved.Modified.After(request.Modified), "the workflow is to see that the rows moved")

	_, rel, err := w.GetApproval(t.Context(), item.ID, clerk.ID)
	require.NoError(t, err)
	require.True(t, rel.Approver && !rel.FormerApprover)
	_, rel, err = w.GetApproval(t.Context(), item.ID, w.approvers[0].ID)
	require.NoError(t, err)
	require.True(t, !rel.Approver && rel.FormerApprover)

	require.Equal(t, lifecycle.DecisionForbidden, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(moved, 0, lifecycle.VerdictApprove)))
	require.NoError(t, w.reassign(t, request.Items[1], identityOf(clerk)))
	w.requireConsistent(t)
}

func TestAnItemThatIsNotReadyIsHandedOnToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "will")
	require.NoError(t, w.reassign(t, request.Items[1], identityOf(w.outsider)))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM approval_items WHERE assigned_since IS NULL AND status = 'NOT_READY'"))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(w.stored(t, request.ID), 1, lifecycle.VerdictApprove)))
}

func TestWhereAnItemCanNotGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	gone := storetest.Identity(t, w.Store, "gone")
	require.NoError(t, w.SetIdentityActive(t.Context(), gone.ID, false))
	empty, onlyGone := w.pool(t, "Empty"), w.pool(t, "Gone", gone.ID)
	onlyRequester := w.pool(t, "Only the requester", w.owner.ID)
	unknown := lifecycle.NewID()
	request := w.request(t, "will")
	item := request.Items[0]
	for name, c := range map[string]struct {
		to   lifecycle.Reference
		kind lifecycle.Kind
		text string
	}{
		"whose it is":                   {item.Approver, lifecycle.KindIllegalUpdate, "newOwner's already"},
		"who made the request":          {identityOf(w.owner), lifecycle.KindIllegalUpdate, "made the request"},
		"somebody inactive":             {identityOf(gone), lifecycle.KindReferenceNotFound, "no active identity: " + gone.ID.String()},
		"nobody":                        {lifecycle.IdentityReference(unknown), lifecycle.KindReferenceNotFound, unknown.String()},
		"no group":                      {lifecycle.Reference{ID: unknown, Type: lifecycle.ReferenceGovernanceGroup}, lifecycle.KindReferenceNotFound, "no workgroup"},
		"an empty group":                {empty, lifecycle.KindIllegalUpdate, "no active member"},
		"a group of those who are gone": {onlyGone, lifecycle.KindIllegalUpdate, "no active member"},
		"a group of the requester":      {onlyRequester, lifecycle.KindIllegalUpdate, "no active member"},
	} {
		err := w.reassign(t, item, c.to)
		requireKind(t, c.kind, err)
		require.Contains(t, err.Error(), c.text, name)
	}
	byRequester := lifecycle.Reassignment{
		ItemID: item.ID, From: item.Approver, To: identityOf(w.outsider), Reassigner: w.owner.ID, Comment: "why",
	}
	_, err := w.ReassignApproval(t.Context(), byRequester)
	require.Equal(t, lifecycle.ErrOwnRequest, err, "who made a request does not choose who decides it")
	require.Empty(t, w.route(t, item.ID))
	_, err = w.ReassignApproval(t.Context(), lifecycle.Reassignment{ItemID: lifecycle.NewID(), To: identityOf(w.outsider)})
	requireKind(t, lifecycle.KindNotFound, err)

	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictReject)))
	err = w.reassign(t, item, identityOf(w.outsider))
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	require.Contains(t, err.Error(), "REJECTED")

	w.under(t, selfApproving)
	own := w.request(t, "own")
	require.NoError(t, w.reassign(t, own.Items[0], onlyRequester))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, by(own, 0, w.owner.ID)))
}

// TestWhoGotAnItemBeforeItsTurnIsToldWhenItComes: that it moved is one thing, that
// it waits for them another.
func TestWhoGotAnItemBeforeItsTurnIsToldWhenItComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "will")
	require.NoError(t, w.reassign(t, request.Items[1], identityOf(w.outsider)))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	needed := func() (bool, lifecycle.ID) {
		progress, err := w.LoadRequest(t.Context(), request.ID)
		require.NoError(t, err)
		saved, recipient, err := w.SaveNotification(t.Context(), "decision_needed", request.ID, request.Items[1].ID, progress.Version)
		require.NoError(t, err)
		return saved, recipient
	}
	saved, recipient := needed()
	require.True(t, saved)
	require.Equal(t, w.outsider.ID, recipient)
	// One that moves while it waits is told of by who moves it.
	handed := request.Items[1]
	handed.Approver = identityOf(w.outsider)
	require.NoError(t, w.reassign(t, handed, identityOf(w.approvers[1])))
	saved, _ = needed()
	require.False(t, saved)
}

// by is an approval by somebody else than whose the item was when it was made.
func by(request lifecycle.Request, position int, who lifecycle.ID) lifecycle.Decision {
	d := decision(request, position, lifecycle.VerdictApprove)
	d.Approver, d.ID = who, lifecycle.DecisionID(d.ItemID, who, d.Verdict, "")
	return d
}

// TestOneMoveWins has many hand the same item on at the same moment, who all saw it
// with the same one.
func TestOneMoveWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	item := w.request(t, "will").Items[0]
	var takers []lifecycle.Identity
	for i := range clients {
		takers = append(takers, storetest.Identity(t, w.Store, fmt.Sprintf("taker.%d", i)))
	}
	var moved, late atomic.Int32
	atOnce(func(client int) {
		_, err := w.ReassignApproval(t.Context(), lifecycle.Reassignment{ItemID: item.ID, From: item.Approver, To: identityOf(takers[client]), Comment: "c"})
		switch {
		case err == nil:
			moved.Add(1)
		case lifecycle.KindOf(err) == lifecycle.KindIllegalUpdate:
			late.Add(1)
		}
	})
	require.EqualValues(t, 1, moved.Load())
	require.EqualValues(t, clients-1, late.Load())
	require.Len(t, w.route(t, item.ID), 1)
}

// TestOneClaimWins: the others are told who was faster.
func TestOneClaimWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var ids []lifecycle.ID
	for i := range clients {
		ids = append(ids, storetest.Identity(t, w.Store, fmt.Sprintf("member.%d", i)).ID)
	}
	pool := w.pool(t, "Pool", ids...)
	w.approvedBy(t, pool)
	request := w.request(t, "will")
	item := request.Items[0]
	_, err := w.ClaimApproval(t.Context(), item.ID, w.outsider.ID, "")
	requireKind(t, lifecycle.KindForbidden, err)

	errs := make([]error, clients)
	atOnce(func(client int) { _, errs[client] = w.ClaimApproval(t.Context(), item.ID, ids[client], "mine") })
	winner := w.stored(t, request.ID).Items[0].Approver
	won := 0
	for client, err := range errs {
		if err == nil {
			won++
			require.Equal(t, winner, lifecycle.IdentityReference(ids[client]))
			continue
		}
		requireKind(t, lifecycle.KindIllegalUpdate, err)
		require.Contains(t, err.Error(), "is with "+w.named(t, winner.ID)+" now")
		_, rel, err := w.GetApproval(t.Context(), item.ID, ids[client])
		require.NoError(t, err)
		require.Equal(t, policy.Relations{FormerApprover: true}, rel, "they had it as members of the group")
	}
	require.Equal(t, 1, won)
	name := w.named(t, winner.ID)
	require.Equal(t, []string{"MANUAL_REASSIGNMENT Pool -> " + name + " by " + name}, w.route(t, item.ID))
	_, err = w.ClaimApproval(t.Context(), item.ID, winner.ID, "")
	require.NoError(t, err, "it is theirs")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, by(request, 0, winner.ID)))
	_, err = w.ClaimApproval(t.Context(), item.ID, winner.ID, "")
	requireKind(t, lifecycle.KindIllegalUpdate, err)
}

func TestWhoMadeTheRequestClaimsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.approvedBy(t, w.pool(t, "Pool", w.owner.ID, w.outsider.ID))
	request := w.request(t, "will")
	_, err := w.ClaimApproval(t.Context(), request.Items[0].ID, w.owner.ID, "")
	require.ErrorIs(t, err, lifecycle.ErrOwnRequest)
	_, err = w.ClaimApproval(t.Context(), request.Items[0].ID, w.outsider.ID, "")
	require.NoError(t, err)
}

// TestADecisionAndAMoveAtOnce: whatever comes first holds, and the other is told.
func TestADecisionAndAMoveAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for round := range 10 {
		request := w.request(t, fmt.Sprintf("will.%d", round))
		item := request.Items[0]
		var moved atomic.Bool
		var outcome atomic.Uint32
		atOnce(func(client int) {
			switch client {
			case 0:
				_, err := w.ReassignApproval(t.Context(), lifecycle.Reassignment{ItemID: item.ID, From: item.Approver, To: identityOf(w.outsider), Comment: "c"})
				moved.Store(err == nil)
			case 1:
				result, err := w.Decide(t.Context(), decision(request, 0, lifecycle.VerdictApprove))
				if err == nil {
					outcome.Store(uint32(result.Outcome))
				}
			}
		})
		want := lifecycle.DecisionStored
		if moved.Load() {
			want = lifecycle.DecisionForbidden
		}
		require.Equal(t, uint32(want), outcome.Load())
	}
	w.requireConsistent(t)
}
