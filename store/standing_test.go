package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store/storetest"
)

// standing is where the request stands, and what is coming.
func (w *world) standing(t *testing.T, q lifecycle.Request) lifecycle.Standing {
	t.Helper()
	s, _, err := w.RequestStanding(t.Context(), q.ID, lifecycle.ID{})
	require.NoError(t, err)
	s, err = w.Foresee(t.Context(), s)
	require.NoError(t, err)
	return s
}

func named(i lifecycle.Identity) lifecycle.NamedReference {
	return lifecycle.NamedReference{Reference: lifecycle.IdentityReference(i.ID), Name: i.Name}
}

func TestWhereARequestStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Deciders", Members: []lifecycle.ID{w.outsider.ID}, Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	v := version(w.source.ID, 2)
	v.Policy.Calendar = nil
	v.Policy.Reminder.Max = 1
	v.Policy.Escalation = lifecycle.EscalationConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 24h", Chain: []lifecycle.ApproverRule{
		{Type: lifecycle.ApproverManagerOf}, {Type: lifecycle.ApproverGovernanceGroup, ID: group.ID},
	}}
	v = w.set(t, v)
	q := w.request(t, "will")
	created := q.Created
	require.Equal(t, lifecycle.Standing{
		RequestID: q.ID, SourceID: w.source.ID, Requester: w.owner.ID, Status: lifecycle.StatusPending, Stages: 2, Stage: 1,
		Item: q.Items[0].ID, Holder: named(w.approvers[0]), Waiting: lifecycle.Waiting{PendingSince: created, AssignedSince: created},
		Policy: &v, Owned: true,
		Coming: []lifecycle.ComingStep{
			{Step: lifecycle.StepReminder, At: created.AddDate(0, 0, 2), To: named(w.approvers[0])},
			// Nobody knows of a manager.
			{Step: lifecycle.StepEscalation, At: created.AddDate(0, 0, 3), To: lifecycle.NamedReference{
				Reference: lifecycle.Reference{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}, Name: "Deciders",
			}},
			{Step: lifecycle.StepReminder, At: created.AddDate(0, 0, 5), To: lifecycle.NamedReference{
				Reference: lifecycle.Reference{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}, Name: "Deciders",
			}},
			{Step: lifecycle.StepTimeout, At: created.AddDate(0, 0, 90), Result: lifecycle.ComingExpired},
		},
	}, w.standing(t, q))
	progress, err := w.LoadRequest(t.Context(), q.ID)
	require.NoError(t, err)
	require.Equal(t, progress.Next.At, w.standing(t, q).Coming[0].At, "what people read is what the workflow waits for")

	// The second stage, whose approver is gone.
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(q, 0, lifecycle.VerdictApprove)))
	require.NoError(t, w.SetIdentityActive(t.Context(), w.approvers[1].ID, false))
	second := w.standing(t, q)
	require.Equal(t, []any{2, q.Items[1].ID, true, named(w.approvers[1])}, []any{second.Stage, second.Item, second.HolderGone, second.Holder})
	require.Equal(t, lifecycle.StepFallback, second.Coming[0].Step)
	require.Equal(t, group.ID, second.Coming[0].To.ID)
	require.NoError(t, w.SetIdentityActive(t.Context(), w.approvers[1].ID, true))

	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(q, 1, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.Standing{
		RequestID: q.ID, SourceID: w.source.ID, Requester: w.owner.ID, Status: lifecycle.StatusApproved, Stages: 2, Policy: &v, Owned: true,
	}, w.standing(t, q), "nothing is coming any more")
	w.requireConsistent(t)

	_, _, err = w.RequestStanding(t.Context(), lifecycle.NewID(), w.owner.ID)
	require.Equal(t, policy.ErrNotFound, err)
}

// TestARequestFromBeforeThereWerePolicies waits, and nothing falls due.
func TestARequestFromBeforeThereWerePolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	q := w.request(t, "will")
	w.change(t, "UPDATE requests SET policy_id = NULL WHERE id = $1", q.ID)
	s := w.standing(t, q)
	require.Nil(t, s.Policy)
	require.Empty(t, s.Coming)
	require.Equal(t, named(w.approvers[0]), s.Holder)
	require.Equal(t, q.Created, s.Waiting.PendingSince)
}

func TestWhoSeesWhereARequestStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Deciders", Members: []lifecycle.ID{w.outsider.ID}, Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	asker := storetest.Identity(t, w.Store, "asker")
	request := w.newRequest("will")
	request.Requester = asker.ID
	q, err := w.AcceptRequest(t.Context(), request, plenty)
	require.NoError(t, err)
	relations := func(viewer lifecycle.ID) policy.Relations {
		t.Helper()
		_, rel, err := w.RequestStanding(t.Context(), q.ID, viewer)
		require.NoError(t, err)
		return rel
	}
	require.Equal(t, policy.Relations{AccountManager: true}, relations(w.owner.ID))
	require.Equal(t, policy.Relations{Requester: true}, relations(asker.ID))
	require.Equal(t, policy.Relations{Approver: true}, relations(w.approvers[0].ID))
	require.Equal(t, policy.Relations{Approver: true}, relations(w.approvers[1].ID), "whose turn is yet to come")
	require.Zero(t, relations(w.outsider.ID))
	require.Zero(t, relations(lifecycle.ID{}))
	w.change(t, "UPDATE approval_items SET approver_id = $1, approver_type = 'GOVERNANCE_GROUP' WHERE id = $2", group.ID, q.Items[0].ID)
	require.Equal(t, policy.Relations{Approver: true}, relations(w.outsider.ID))
	require.Zero(t, relations(w.approvers[0].ID), "who had it")
}

func TestWhatWaitsIsCountedByStage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	stages, err := w.PendingApprovals(t.Context())
	require.NoError(t, err)
	require.Empty(t, stages)
	first, second := w.request(t, "one"), w.request(t, "two")
	w.request(t, "three")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(second, 0, lifecycle.VerdictApprove)))
	stages, err = w.PendingApprovals(t.Context())
	require.NoError(t, err)
	require.Len(t, stages, 2)
	require.Equal(t, lifecycle.WaitingStage{Stage: 1, Items: 2, Oldest: first.Created}, stages[0])
	require.Equal(t, []int{2, 1}, []int{stages[1].Stage, stages[1].Items})
	require.WithinDuration(t, time.Now(), stages[1].Oldest, time.Minute)
}
