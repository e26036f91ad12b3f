package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store/storetest"
)

// version is a policy to be set, whose reminders begin after so many days.
func version(source lifecycle.ID, days int) lifecycle.ApprovalPolicyVersion {
	p := lifecycle.DefaultApprovalPolicy()
	p.Reminder.DaysUntilFirst = days
	p.Calendar = &lifecycle.WorkCalendar{Workdays: []string{"MONDAY"}, Holidays: []string{"2027-01-01"}}
	return lifecycle.ApprovalPolicyVersion{ID: lifecycle.NewID(), Source: source, Policy: p, Created: storetest.Now()}
}

func (w *world) set(t *testing.T, v lifecycle.ApprovalPolicyVersion) lifecycle.ApprovalPolicyVersion {
	t.Helper()
	set, err := w.SetApprovalPolicy(t.Context(), v)
	require.NoError(t, err)
	return set
}

func (w *world) inForce(t *testing.T, source lifecycle.ID) lifecycle.ApprovalPolicyVersion {
	t.Helper()
	v, err := w.ApprovalPolicy(t.Context(), source)
	require.NoError(t, err)
	return v
}

func (w *world) policyOf(t *testing.T, q lifecycle.Request) string {
	t.Helper()
	return w.text(t, "SELECT policy_id FROM requests WHERE id = $1", q.ID)
}

func TestASourceHasItsOwnPolicyOrTheOrganisations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	first := w.inForce(t, w.source.ID)
	require.Equal(t, 1, first.Version)
	require.True(t, first.Source.IsZero())
	require.Equal(t, lifecycle.DefaultApprovalPolicy(), first.Policy, "what the migration wrote is what the code says")
	require.Equal(t, first, w.inForce(t, lifecycle.ID{}))

	organisations := w.set(t, version(lifecycle.ID{}, 5))
	require.Equal(t, 2, organisations.Version)
	require.Equal(t, organisations, w.inForce(t, w.source.ID))

	before := w.request(t, "before")
	own := w.set(t, version(w.source.ID, 7))
	require.Equal(t, 1, own.Version)
	require.Equal(t, own, w.inForce(t, w.source.ID))
	require.Equal(t, organisations, w.inForce(t, lifecycle.ID{}))
	after := w.request(t, "after")
	require.Equal(t, organisations.ID.String(), w.policyOf(t, before), "it keeps what it was made under")
	require.Equal(t, own.ID.String(), w.policyOf(t, after))

	require.Equal(t, own, w.set(t, version(w.source.ID, 7)), "what changes nothing is no version")
	next := w.set(t, version(w.source.ID, 8))
	require.Equal(t, 2, next.Version)
	require.Equal(t, own.ID.String(), w.policyOf(t, after))

	require.NoError(t, w.DropApprovalPolicy(t.Context(), w.source.ID))
	require.NoError(t, w.DropApprovalPolicy(t.Context(), w.source.ID))
	require.Equal(t, organisations, w.inForce(t, w.source.ID))
	require.Equal(t, 3, w.set(t, version(w.source.ID, 8)).Version, "numbers are never given twice")

	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	require.Zero(t, w.number(t, "SELECT count(*) FROM approval_policies WHERE source_id IS NOT NULL"))
}

func TestAPolicyOfNoSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	nowhere := lifecycle.NewID()
	_, err := w.ApprovalPolicy(t.Context(), nowhere)
	require.Equal(t, policy.ErrNotFound, err)
	_, err = w.SetApprovalPolicy(t.Context(), version(nowhere, 1))
	require.Equal(t, policy.ErrNotFound, err)
	require.Equal(t, policy.ErrNotFound, w.DropApprovalPolicy(t.Context(), nowhere))
	_, err = w.ApplyApprovalPolicy(t.Context(), nowhere, 10)
	require.Equal(t, policy.ErrNotFound, err)
}

func TestAPolicyNamesOnlyWhoIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	v := version(w.source.ID, 1)
	v.Policy.Escalation.Chain = []lifecycle.ApproverRule{
		{Type: lifecycle.ApproverIdentity, ID: w.outsider.ID}, {Type: lifecycle.ApproverGovernanceGroup, ID: w.outsider.ID},
		{Type: lifecycle.ApproverManagerOf},
	}
	v.Policy.Timeout.Result = lifecycle.TimeoutApproved
	require.NoError(t, w.SetIdentityActive(t.Context(), w.owner.ID, false))
	require.NoError(t, w.SetIdentityActive(t.Context(), w.outsider.ID, false))
	_, err := w.SetApprovalPolicy(t.Context(), v)
	requireKind(t, lifecycle.KindBadRequest, err)
	require.ErrorContains(t, err, "escalationConfig.escalationChain[0].identityId names no active identity: "+w.outsider.ID.String()+"; "+
		"escalationConfig.escalationChain[1].identityId names no workgroup: "+w.outsider.ID.String()+"; "+
		"timeoutConfig.timeoutResult must be EXPIRED: the source has no active owner")
	require.Equal(t, 1, w.inForce(t, w.source.ID).Version)
	require.Zero(t, w.number(t, "SELECT count(*) FROM approval_policies WHERE source_id IS NOT NULL"))

	require.NoError(t, w.SetIdentityActive(t.Context(), w.owner.ID, true))
	v.Policy.Escalation.Chain = []lifecycle.ApproverRule{{Type: lifecycle.ApproverIdentity, ID: w.owner.ID}}
	require.Equal(t, v.Policy, w.set(t, v).Policy)
}

func TestVersionsAreCountedUnderALock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, source := range []lifecycle.ID{w.source.ID, {}} {
		before := 0
		if source.IsZero() {
			before = 1
		}
		var group errgroup.Group
		for i := range 8 {
			group.Go(func() error {
				_, err := w.SetApprovalPolicy(t.Context(), version(source, 10+i))
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.Equal(t, before+8, w.inForce(t, source).Version)
	}
}

// TestAPolicyIsAppliedToWhatWaits: in batches, once, with the workflows to read
// their rows again; what is decided stays.
func TestAPolicyIsAppliedToWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	waiting := []lifecycle.Request{w.request(t, "one"), w.request(t, "two"), w.request(t, "three")}
	w.change(t, "UPDATE requests SET policy_id = NULL, workflow_seen_at = now() + interval '1 hour' WHERE id = $1", waiting[2].ID)
	decided := w.request(t, "decided")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(decided, 0, lifecycle.VerdictApprove)))
	w.change(t, "UPDATE requests SET workflow_seen_at = greatest(modified, workflow_seen_at)")
	other := storetest.Source(t, w.Store, "Elsewhere", w.owner.ID, w.approvers[0].ID)
	elsewhere := w.newRequest("elsewhere")
	elsewhere.Source.ID = other.ID
	_, err := w.AcceptRequest(t.Context(), elsewhere, plenty)
	require.NoError(t, err)

	old, own := w.policyOf(t, decided), w.set(t, version(w.source.ID, 7))
	applied := map[lifecycle.ID]bool{}
	for _, want := range []int{2, 1, 0} {
		requests, err := w.ApplyApprovalPolicy(t.Context(), w.source.ID, 2)
		require.NoError(t, err)
		require.Len(t, requests, want)
		for _, q := range requests {
			require.Equal(t, lifecycle.RequestToCheck{RequestID: q.RequestID, SourceID: w.source.ID, Moved: true}, q)
			applied[q.RequestID] = true
		}
	}
	for _, q := range waiting {
		require.True(t, applied[q.ID])
		require.Equal(t, own.ID.String(), w.policyOf(t, q))
		require.Equal(t, 1, w.number(t, "SELECT count(*) FROM requests WHERE id = $1 AND modified > workflow_seen_at", q.ID), "the sweep finds it")
	}
	require.Len(t, applied, len(waiting))
	require.Equal(t, old, w.policyOf(t, decided))
	require.Equal(t, old, w.policyOf(t, elsewhere))

	require.NoError(t, w.DropApprovalPolicy(t.Context(), w.source.ID))
	requests, err := w.ApplyApprovalPolicy(t.Context(), w.source.ID, 10)
	require.NoError(t, err)
	require.Len(t, requests, 3, "the organisation's again")
	require.Equal(t, old, w.policyOf(t, waiting[0]))
}

// TestAPolicyIsAppliedWhileOthersDecide: nobody waits for another in a circle, and
// what was decided in between keeps its policy.
func TestAPolicyIsAppliedWhileOthersDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	var requests []lifecycle.Request
	for i := range 20 {
		requests = append(requests, w.request(t, "person."+string(rune('a'+i))))
	}
	w.set(t, version(w.source.ID, 7))
	var group errgroup.Group
	group.Go(func() error {
		for {
			if applied, err := w.ApplyApprovalPolicy(t.Context(), w.source.ID, 3); len(applied) == 0 || err != nil {
				return err
			}
		}
	})
	for _, q := range requests[10:] {
		group.Go(func() error {
			_, err := w.Decide(t.Context(), decision(q, 0, lifecycle.VerdictApprove))
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, 10, w.number(t, "SELECT count(*) FROM requests WHERE approval_status = 'APPROVED'"))
	require.Zero(t, w.number(t, `SELECT count(*) FROM requests AS r JOIN approval_policies AS p ON p.id = r.policy_id
		WHERE r.approval_status = 'PENDING' AND p.source_id IS NULL`))
}
