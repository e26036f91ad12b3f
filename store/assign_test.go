package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

func TestWhoMadeARequestDoesNotDecideIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.approvedBy(t, w.pool(t, "Pool", w.owner.ID, w.outsider.ID))
	request := w.request(t, "will")
	require.Empty(t, w.route(t, request.Items[0].ID), "there is another member")
	item, _, err := w.GetApproval(t.Context(), request.Items[0].ID, w.owner.ID)
	require.NoError(t, err)
	require.False(t, item.SelfApproval)

	before := w.last(t)
	bySignal := by(request, 0, w.owner.ID)
	bySignal.Via = lifecycle.ViaSignal
	require.Equal(t, lifecycle.DecisionOwnRequest, w.decide(t, bySignal))
	entries := w.trail(t, before)
	require.Len(t, entries, 1)
	require.Equal(t, []string{"ATTEMPT", "DENIED", w.owner.ID.String()}, []string{entries[0].action, entries[0].outcome, entries[0].identity})
	require.Equal(t, lifecycle.DecisionOwnRequest, w.decide(t, by(request, 0, w.owner.ID)))
	require.Equal(t, lifecycle.StatusPending, w.stored(t, request.ID).Status)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, by(request, 0, w.outsider.ID)))
}

func TestThePolicyMayLetTheRequesterDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.approvedBy(t, identityOf(w.owner))
	w.under(t, selfApproving)
	request := w.request(t, "allowed")
	item, _, err := w.GetApproval(t.Context(), request.Items[0].ID, w.owner.ID)
	require.NoError(t, err)
	require.True(t, item.SelfApproval)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))

	w.under(t, selfApproving)
	old := w.request(t, "from.before")
	w.change(t, "UPDATE requests SET policy_id = NULL WHERE id = $1", old.ID.String())
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(old, 0, lifecycle.VerdictApprove)))
}

// TestAnItemOfTheRequesterGoesElsewhere, to the first who is there.
func TestAnItemOfTheRequesterGoesElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fallback lifecycle.ApproverType
		// named is whom the fallback names: "fallback", who may be gone, or "pool".
		named string
		// manager is whether the requester has one.
		manager, gone bool
		want          string
	}{
		"the fallback approver":          {fallback: lifecycle.ApproverIdentity, named: "fallback", manager: true, want: "fallback"},
		"a fallback that is gone":        {fallback: lifecycle.ApproverIdentity, named: "fallback", manager: true, gone: true, want: "manager"},
		"the manager by the fallback":    {fallback: lifecycle.ApproverManagerOfRequester, manager: true, want: "manager"},
		"the manager of whose it is":     {fallback: lifecycle.ApproverManagerOf, manager: true, want: "manager"},
		"a manager that there is not":    {fallback: lifecycle.ApproverManagerOf, named: "fallback", want: "jane.doe"},
		"the fallback is a group":        {fallback: lifecycle.ApproverGovernanceGroup, named: "pool", manager: true, want: "Fallback"},
		"the owner by the fallback":      {fallback: lifecycle.ApproverSourceOwner, manager: true, want: "jane.doe"},
		"the manager without a fallback": {manager: true, want: "manager"},
		"the owner of the source":        {want: "jane.doe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			asking := storetest.Identity(t, w.Store, "asking")
			fallback, manager := storetest.Identity(t, w.Store, "fallback"), storetest.Identity(t, w.Store, "manager")
			group := w.pool(t, "Fallback", fallback.ID, asking.ID)
			if c.manager {
				w.change(t, "UPDATE identities SET manager_id = $1 WHERE id = $2", manager.ID.String(), asking.ID.String())
			}
			require.NoError(t, w.SetIdentityActive(t.Context(), fallback.ID, !c.gone))
			w.approvedBy(t, identityOf(asking))
			w.under(t, func(p *lifecycle.ApprovalPolicy) {
				if c.fallback != "" {
					p.Fallback = &lifecycle.ApproverRule{Type: c.fallback, ID: map[string]lifecycle.ID{"fallback": fallback.ID, "pool": group.ID}[c.named]}
				}
			})
			request := w.newRequest("will")
			request.Requester = asking.ID
			accepted, err := w.AcceptRequest(t.Context(), request, plenty)
			require.NoError(t, err)
			require.Equal(t, []string{"AUTO_REASSIGNMENT asking -> " + c.want + " by nobody"}, w.route(t, accepted.Items[0].ID))
			require.Equal(t, c.want, w.named(t, accepted.Items[0].Approver.ID), "the answer shows where it went")
			require.Equal(t, lifecycle.StatusPending, accepted.Items[0].Status)
			require.Equal(t, 2, w.told(t, lifecycle.EventReassigned, accepted.Items[0].ID))
		})
	}
}

// TestWhereOnlyTheRequesterIsLeftTheRequestIsCancelled, at once or when it comes to
// them.
func TestWhereOnlyTheRequesterIsLeftTheRequestIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.approvedBy(t, w.pool(t, "Only the owner", w.owner.ID))
	request := w.request(t, "at.once")
	require.Equal(t, lifecycle.StatusCancelled, request.Status)
	require.Equal(t, lifecycle.StatusCancelled, request.Items[0].Status)
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM requests WHERE cancellation_reason = $1", lifecycle.ReasonOnlyRequester))
	w.request(t, "at.once")

	w.approvedBy(t, identityOf(w.outsider), identityOf(w.owner))
	later := w.request(t, "later")
	result, err := w.Decide(t.Context(), decision(later, 0, lifecycle.VerdictApprove))
	require.NoError(t, err)
	require.Equal(t, lifecycle.DecisionStored, result.Outcome)
	require.Equal(t, lifecycle.StatusCancelled, result.Request)
	stored := w.stored(t, later.ID)
	require.Equal(t, lifecycle.StatusApproved, stored.Items[0].Status)
	require.Equal(t, lifecycle.StatusCancelled, stored.Items[1].Status)
	require.Equal(t, 3, w.number(t, "SELECT count(*) FROM requests WHERE cancellation_reason = $1", lifecycle.ReasonOnlyRequester))
	w.requireConsistent(t)
}

// TestTheSamePersonDecidesOnce: further items of theirs are approved with the one
// that they approve, in the middle and at the end.
func TestTheSamePersonDecidesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	one, two := identityOf(w.approvers[0]), identityOf(w.approvers[1])
	for name, c := range map[string]struct {
		order []lifecycle.Reference
		// decides are the positions that are decided by hand.
		decides []int
	}{
		"next to each other":   {[]lifecycle.Reference{one, one, two}, []int{0, 2}},
		"with one between":     {[]lifecycle.Reference{one, two, one}, []int{0, 1}},
		"all the same":         {[]lifecycle.Reference{one, one, one}, []int{0}},
		"a group is not a one": {[]lifecycle.Reference{one, w.pool(t, "Pool", one.ID)}, []int{0, 1}},
	} {
		w.approvedBy(t, c.order...)
		request := w.request(t, "same."+strings.ReplaceAll(name, " ", "."))
		for _, position := range c.decides {
			require.Equal(t, lifecycle.StatusPending, w.stored(t, request.ID).Items[position].Status, name)
			who := request.Items[position].Approver.ID
			if request.Items[position].Approver.Type == lifecycle.ReferenceGovernanceGroup {
				who = one.ID
			}
			require.Equal(t, lifecycle.DecisionStored, w.decide(t, by(request, position, who)), name)
		}
		done := w.stored(t, request.ID)
		require.Equal(t, lifecycle.StatusApproved, done.Status, name)
		for position, item := range done.Items {
			by := c.order[position].ID
			if c.order[position].Type == lifecycle.ReferenceGovernanceGroup {
				by = one.ID
			}
			require.Equal(t, by, item.DecidedBy, name)
		}
		require.Equal(t, len(request.Items)-len(c.decides), w.number(t,
			"SELECT count(*) FROM approval_items WHERE request_id = $1 AND comment = $2", request.ID.String(), lifecycle.RepeatedApprovalComment), name)
	}
	w.requireConsistent(t)
}

// TestARejectedRequestApprovesNothing though its first approver comes again.
func TestARejectedRequestApprovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	one := identityOf(w.approvers[0])
	w.approvedBy(t, one, one)
	request := w.request(t, "will")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictReject)))
	require.Equal(t, lifecycle.StatusCancelled, w.stored(t, request.ID).Items[1].Status)
}

// TestARepeatedApprovalIsInTheTrail under the one who gave it, though another's
// decision brought it about.
func TestARepeatedApprovalIsInTheTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	one, two := identityOf(w.approvers[0]), identityOf(w.approvers[1])
	w.approvedBy(t, one, two, one)
	request := w.request(t, "will")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	before := w.last(t)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 1, lifecycle.VerdictApprove)))
	found := 0
	for _, e := range w.trail(t, before) {
		if e.told() == tell(lifecycle.ActionApprove, lifecycle.ObjectApprovalItem, request.Items[2].ID) {
			found++
			require.Equal(t, map[string]any{
				"decision": lifecycle.DecisionID(request.Items[2].ID, one.ID, lifecycle.VerdictApprove, "").String(), "request": request.ID.String(),
				"decidedBy": one.ID.String(), "repeated": true,
			}, e.facts)
		}
	}
	require.Equal(t, 1, found)
	require.Equal(t, lifecycle.DecisionRepeated, w.decide(t, decision(request, 2, lifecycle.VerdictApprove)))
}

// TestWhereTheOthersLeaveTheItemGoesOn: the requester is the last of the group.
func TestWhereTheOthersLeaveTheItemGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	asking := storetest.Identity(t, w.Store, "asking")
	w.approvedBy(t, w.pool(t, "Pool", asking.ID, w.outsider.ID))
	request := w.newRequest("will")
	request.Requester = asking.ID
	accepted, err := w.AcceptRequest(t.Context(), request, plenty)
	require.NoError(t, err)
	gone := func() bool {
		progress, err := w.LoadRequest(t.Context(), accepted.ID)
		require.NoError(t, err)
		return progress.ApproverGone
	}
	require.False(t, gone())
	require.NoError(t, w.SetIdentityActive(t.Context(), w.outsider.ID, false))
	require.True(t, gone())
	moved, err := w.FallBack(t.Context(), accepted.ID)
	require.NoError(t, err)
	require.True(t, moved)
	require.Equal(t, []string{"AUTO_REASSIGNMENT Pool -> jane.doe by nobody"}, w.route(t, accepted.Items[0].ID))
	require.False(t, gone())

	second := w.newRequest("second")
	second.Requester = asking.ID
	w.approvedBy(t, w.pool(t, "Another", asking.ID, w.owner.ID))
	accepted, err = w.AcceptRequest(t.Context(), second, plenty)
	require.NoError(t, err)
	require.NoError(t, w.SetIdentityActive(t.Context(), w.owner.ID, false))
	moved, err = w.FallBack(t.Context(), accepted.ID)
	require.NoError(t, err)
	require.False(t, moved)
	require.NoError(t, w.CancelRequest(t.Context(), accepted.ID, lifecycle.ReasonApproverGone))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM requests WHERE cancellation_reason = $1", lifecycle.ReasonOnlyRequester))
}
