package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// under gives the source a policy with nothing enabled but what change enables.
// What was accepted before keeps its own.
func (w *world) under(t *testing.T, change func(p *lifecycle.ApprovalPolicy)) {
	t.Helper()
	policy := lifecycle.ApprovalPolicy{Escalation: lifecycle.EscalationConfig{Chain: []lifecycle.ApproverRule{}}}
	change(&policy)
	text, err := json.Marshal(policy)
	require.NoError(t, err)
	w.change(t, "UPDATE approval_policies SET current = false WHERE source_id = $1", w.source.ID.String())
	w.change(t, `INSERT INTO approval_policies (id, source_id, version, current, policy, created)
		SELECT $1, $2::uuid, 1 + count(*), true, $3, now() FROM approval_policies WHERE source_id = $2::uuid`,
		lifecycle.NewID().String(), w.source.ID.String(), string(text))
}

func reminding(p *lifecycle.ApprovalPolicy) {
	p.Reminder = lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 48h", Max: 3}
}

func escalating(chain ...lifecycle.ApproverRule) func(p *lifecycle.ApprovalPolicy) {
	return func(p *lifecycle.ApprovalPolicy) {
		p.Escalation = lifecycle.EscalationConfig{Enabled: true, DaysUntilFirst: 4, Schedule: "@every 24h", Chain: chain}
	}
}

func timingOut(result lifecycle.TimeoutResult) func(p *lifecycle.ApprovalPolicy) {
	return func(p *lifecycle.ApprovalPolicy) {
		p.Timeout = lifecycle.TimeoutConfig{Enabled: true, Days: 10, Result: result}
	}
}

func to(identity lifecycle.Identity) lifecycle.ApproverRule {
	return lifecycle.ApproverRule{Type: lifecycle.ApproverIdentity, ID: identity.ID}
}

const fullDay = 24 * time.Hour

// wait has the pending item of the request wait longer by this.
func (w *world) wait(t *testing.T, request lifecycle.Request, by time.Duration) {
	t.Helper()
	w.change(t, `UPDATE approval_items SET pending_since = pending_since - $2::interval, assigned_since = assigned_since - $2::interval
		WHERE request_id = $1 AND status = 'PENDING'`, request.ID.String(), by.String())
}

// fallDue does what is due and returns it in short.
func (w *world) fallDue(t *testing.T, request lifecycle.Request) []string {
	t.Helper()
	done, status, err := w.FallDue(t.Context(), request.ID)
	require.NoError(t, err)
	require.Equal(t, w.stored(t, request.ID).Status, status)
	var told []string
	for _, step := range done {
		told = append(told, fmt.Sprint(step.Step, " ", step.Count))
	}
	again, _, err := w.FallDue(t.Context(), request.ID)
	require.NoError(t, err)
	require.Empty(t, again, "what was done is not done again")
	w.requireConsistent(t)
	return told
}

// next is what happens next to the request, and in how many days.
func (w *world) next(t *testing.T, request lifecycle.Request) string {
	t.Helper()
	progress, err := w.LoadRequest(t.Context(), request.ID)
	require.NoError(t, err)
	if progress.Next.Step == "" {
		return ""
	}
	return fmt.Sprintf("%s %.0f", progress.Next.Step, time.Until(progress.Next.At).Hours()/24)
}

// events are the events about the request that people are told, of one type.
func (w *world) events(t *testing.T, request lifecycle.Request, event lifecycle.EventType) []string {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), `SELECT item_id || ' ' || key || ' ' || recipient_id FROM notifications
		WHERE request_id = $1 AND event = $2 ORDER BY created, key, recipient_id = (SELECT approver_id FROM approval_items WHERE id = item_id)`,
		request.ID.String(), string(event))
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var told []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		told = append(told, text)
	}
	require.NoError(t, rows.Err())
	return told
}

// history is how the first item of the request moved.
func (w *world) history(t *testing.T, request lifecycle.Request) []string {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), `SELECT type || ' ' || from_id || ' ' || to_id FROM approval_reassignments
		WHERE item_id = $1 ORDER BY number`, request.Items[0].ID.String())
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var moves []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		moves = append(moves, text)
	}
	require.NoError(t, rows.Err())
	return moves
}

func TestRemindersFallDueOneByOneOrTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.under(t, reminding)
	request := w.request(t, "will")
	item := request.Items[0].ID.String()
	require.Empty(t, w.fallDue(t, request))
	require.Equal(t, "reminder 3", w.next(t, request))
	before := w.stored(t, request.ID)

	w.wait(t, request, 3*fullDay)
	require.Equal(t, []string{"reminder 1"}, w.fallDue(t, request))
	require.Equal(t, "reminder 2", w.next(t, request))
	require.Equal(t, []string{item + " 0/1 " + w.approvers[0].ID.String()}, w.events(t, request, lifecycle.EventReminder))
	require.Equal(t, before, w.stored(t, request.ID), "a reminder changes nothing that anybody reads")

	w.wait(t, request, 9*fullDay)
	require.Equal(t, []string{"reminder 2"}, w.fallDue(t, request), "two that were missed are one")
	require.Len(t, w.events(t, request, lifecycle.EventReminder), 2)
	require.Empty(t, w.next(t, request), "there are no more than three")
}

func TestWithoutAPolicyNothingFallsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	request := w.request(t, "will")
	require.Equal(t, "reminder 3", w.next(t, request), "the organisation's policy holds")
	w.change(t, "UPDATE requests SET policy_id = NULL")
	w.wait(t, request, 300*fullDay)
	require.Empty(t, w.next(t, request))
	require.Empty(t, w.fallDue(t, request))
	w.change(t, "UPDATE identities SET active = false")
	moved, err := w.FallBack(t.Context(), request.ID)
	require.NoError(t, err)
	require.False(t, moved)
}

func TestShortDaysAreThoseOfTheStore(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 1, store.Config{Day: time.Second})
	w.under(t, func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		timingOut(lifecycle.TimeoutExpired)(p)
	})
	request := w.request(t, "will")
	w.wait(t, request, 4*time.Second)
	require.Equal(t, []string{"reminder 1"}, w.fallDue(t, request))
	w.wait(t, request, 6*time.Second)
	require.Equal(t, []string{"timeout 1"}, w.fallDue(t, request))
}

// TestEachRuleNamesWhomItMeans: or nobody, and the chain goes on.
func TestEachRuleNamesWhomItMeans(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	boss, head := storetest.Identity(t, w.Store, "boss"), storetest.Identity(t, w.Store, "head")
	gone := storetest.Identity(t, w.Store, "gone")
	require.NoError(t, w.SetIdentityActive(t.Context(), gone.ID, false))
	w.change(t, "UPDATE identities SET manager_id = $1 WHERE id = $2", boss.ID.String(), w.approvers[0].ID.String())
	w.change(t, "UPDATE identities SET manager_id = $1 WHERE id = $2", head.ID.String(), w.owner.ID.String())
	w.change(t, "UPDATE identities SET manager_id = $1 WHERE id = $2", gone.ID.String(), w.outsider.ID.String())
	group := func(members ...lifecycle.ID) lifecycle.ID {
		g := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: lifecycle.NewID().String(), Members: members, Created: storetest.Now()}
		require.NoError(t, w.CreateWorkgroup(t.Context(), g))
		return g.ID
	}
	able, unable, selfish := group(gone.ID, head.ID), group(gone.ID), group(w.owner.ID)
	// owner is the requester of all these requests, and owns the source.
	type rule = lifecycle.ApproverRule
	for name, c := range map[string]struct {
		rule rule
		self bool
		// want is nobody's where nobody is meant.
		want lifecycle.ID
	}{
		"an identity":                         {rule: to(w.outsider), want: w.outsider.ID},
		"one who is gone":                     {rule: to(gone)},
		"one who never was":                   {rule: rule{Type: lifecycle.ApproverIdentity, ID: lifecycle.NewID()}},
		"who has it":                          {rule: to(w.approvers[0])},
		"the requester":                       {rule: to(w.owner)},
		"the requester who may":               {rule: to(w.owner), self: true, want: w.owner.ID},
		"a workgroup":                         {rule: rule{Type: lifecycle.ApproverGovernanceGroup, ID: able}, want: able},
		"a workgroup of the gone":             {rule: rule{Type: lifecycle.ApproverGovernanceGroup, ID: unable}},
		"a workgroup of the requester":        {rule: rule{Type: lifecycle.ApproverGovernanceGroup, ID: selfish}},
		"a workgroup of one who may":          {rule: rule{Type: lifecycle.ApproverGovernanceGroup, ID: selfish}, self: true, want: selfish},
		"a workgroup that never was":          {rule: rule{Type: lifecycle.ApproverGovernanceGroup, ID: lifecycle.NewID()}},
		"the manager of who has it":           {rule: rule{Type: lifecycle.ApproverManagerOf}, want: boss.ID},
		"the manager of somebody":             {rule: rule{Type: lifecycle.ApproverManagerOf, ID: w.owner.ID}, want: head.ID},
		"a manager who is gone":               {rule: rule{Type: lifecycle.ApproverManagerOf, ID: w.outsider.ID}},
		"a manager nobody knows":              {rule: rule{Type: lifecycle.ApproverManagerOf, ID: boss.ID}},
		"the manager of the requester":        {rule: rule{Type: lifecycle.ApproverManagerOfRequester}, want: head.ID},
		"the owner, who is the requester":     {rule: rule{Type: lifecycle.ApproverSourceOwner}},
		"the owner, who may":                  {rule: rule{Type: lifecycle.ApproverSourceOwner}, self: true, want: w.owner.ID},
		"a type that nobody knows any longer": {rule: rule{Type: "ROLE_OWNER"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.under(t, func(p *lifecycle.ApprovalPolicy) {
				escalating(c.rule)(p)
				p.SelfApproval = c.self
			})
			request := w.request(t, name)
			w.wait(t, request, 4*fullDay)
			require.Equal(t, []string{"escalation 1"}, w.fallDue(t, request))
			stored := w.stored(t, request.ID)
			if c.want.IsZero() {
				require.Equal(t, w.approvers[0].ID, stored.Items[0].Approver.ID, "it stays where it is")
				require.Empty(t, w.history(t, request))
			} else {
				require.Equal(t, c.want, stored.Items[0].Approver.ID)
				require.Equal(t, []string{"ESCALATION " + w.approvers[0].ID.String() + " " + c.want.String()}, w.history(t, request))
				require.Len(t, w.events(t, request, lifecycle.EventEscalated), 2, "who has it now and who had it")
			}
			require.Empty(t, w.next(t, request), "the chain is gone through once")
		})
	}
	request := w.request(t, "nobody asked")
	w.change(t, "UPDATE requests SET requester_id = NULL, policy_id = $1 WHERE id = $2",
		w.policyWith(t, lifecycle.ApproverRule{Type: lifecycle.ApproverManagerOfRequester}, to(w.owner)), request.ID.String())
	w.wait(t, request, 4*fullDay)
	require.Equal(t, []string{"escalation 1"}, w.fallDue(t, request))
	require.Equal(t, w.owner.ID, w.stored(t, request.ID).Items[0].Approver.ID, "an application has no manager, and is nobody")
}

// policyWith is the id of a new policy with this chain.
func (w *world) policyWith(t *testing.T, chain ...lifecycle.ApproverRule) string {
	t.Helper()
	w.under(t, escalating(chain...))
	var id string
	require.NoError(t, w.admin.QueryRowContext(t.Context(),
		"SELECT id FROM approval_policies WHERE current AND source_id = $1", w.source.ID.String()).Scan(&id))
	return id
}

func TestAnItemGoesAlongTheChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	people := make([]lifecycle.Identity, 4)
	for i := range people {
		people[i] = storetest.Identity(t, w.Store, fmt.Sprint("chain.", i))
	}
	chain := []lifecycle.ApproverRule{to(people[0]), to(people[1]), to(people[2]), to(people[3])}
	for name, c := range map[string]struct {
		gone []int
		// waits are the times that pass, in days, one after another.
		waits []int
		// told is what falls due at each, holder who has the item then, -1 being who
		// had it at first.
		told   []string
		holder []int
		// escalations is what the item has gone at the end.
		escalations int
	}{
		"step by step": {
			waits: []int{4, 1, 1, 1, 1}, told: []string{"escalation 1", "escalation 1", "escalation 1", "escalation 1", ""},
			holder: []int{0, 1, 2, 3, 3}, escalations: 4,
		},
		"two at once are one":       {waits: []int{5, 1}, told: []string{"escalation 2", "escalation 1"}, holder: []int{1, 2}, escalations: 3},
		"all at once are the last":  {waits: []int{90}, told: []string{"escalation 4"}, holder: []int{3}, escalations: 4},
		"over who is gone":          {gone: []int{0}, waits: []int{4, 1}, told: []string{"escalation 1", ""}, holder: []int{1, 1}, escalations: 2},
		"over several":              {gone: []int{0, 1}, waits: []int{4, 2}, told: []string{"escalation 1", ""}, holder: []int{2, 2}, escalations: 3},
		"at last back":              {gone: []int{1, 2, 3}, waits: []int{5}, told: []string{"escalation 2"}, holder: []int{0}, escalations: 2},
		"forward before it is back": {gone: []int{1, 2}, waits: []int{5}, told: []string{"escalation 2"}, holder: []int{3}, escalations: 4},
		"nobody at all, step by step": {
			gone: []int{0, 1, 2, 3}, waits: []int{4, 1}, told: []string{"escalation 1", "escalation 1"}, holder: []int{-1, -1}, escalations: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.under(t, escalating(chain...))
			for _, i := range c.gone {
				require.NoError(t, w.SetIdentityActive(t.Context(), people[i].ID, false))
				defer func() { require.NoError(t, w.SetIdentityActive(t.Context(), people[i].ID, true)) }()
			}
			request := w.request(t, name)
			for i, days := range c.waits {
				w.wait(t, request, time.Duration(days)*fullDay)
				var want []string
				if c.told[i] != "" {
					want = []string{c.told[i]}
				}
				require.Equal(t, want, w.fallDue(t, request), "turn %d", i)
				holder := w.approvers[0].ID
				if c.holder[i] >= 0 {
					holder = people[c.holder[i]].ID
				}
				require.Equal(t, holder, w.stored(t, request.ID).Items[0].Approver.ID, "turn %d", i)
			}
			require.Equal(t, c.escalations, w.number(t, "SELECT escalations FROM approval_items WHERE id = $1", request.Items[0].ID.String()))
		})
	}
}

// TestADaysOutage: what fell due meanwhile happens once, in its order, and the new
// approver's time begins then.
func TestADaysOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.under(t, func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(to(w.outsider))(p)
		timingOut(lifecycle.TimeoutExpired)(p)
	})
	request := w.request(t, "will")
	w.wait(t, request, 2*fullDay)
	require.Empty(t, w.fallDue(t, request))
	w.wait(t, request, 2*fullDay)
	require.Equal(t, []string{"reminder 1", "escalation 1"}, w.fallDue(t, request))
	item, first, second := request.Items[0].ID.String(), w.approvers[0].ID.String(), w.outsider.ID.String()
	require.Equal(t, []string{item + " 0/1 " + first}, w.events(t, request, lifecycle.EventReminder))
	require.Equal(t, []string{item + " 1 " + first, item + " 1 " + second}, w.events(t, request, lifecycle.EventEscalated))
	require.Equal(t, "reminder 3", w.next(t, request))
	require.Equal(t, lifecycle.DecisionForbidden, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)), "it is another's now")

	w.wait(t, request, 3*fullDay)
	require.Equal(t, []string{"reminder 1"}, w.fallDue(t, request))
	require.Equal(t, []string{item + " 0/1 " + first, item + " 1/1 " + second}, w.events(t, request, lifecycle.EventReminder))
	w.wait(t, request, 30*fullDay)
	require.Equal(t, []string{"timeout 1"}, w.fallDue(t, request), "which leaves no use for reminders")
	require.Len(t, w.events(t, request, lifecycle.EventReminder), 2)
}

func TestARequestExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.under(t, timingOut(lifecycle.TimeoutExpired))
	request := w.request(t, "will")
	require.Equal(t, "timeout 10", w.next(t, request))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	w.wait(t, request, 10*fullDay)
	require.Equal(t, []string{"timeout 1"}, w.fallDue(t, request))
	ended := w.stored(t, request.ID)
	require.Equal(t, lifecycle.StatusCancelled, ended.Status)
	require.Equal(t, lifecycle.StatusApproved, ended.Items[0].Status)
	require.Equal(t, lifecycle.StatusCancelled, ended.Items[1].Status)
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM requests WHERE cancellation_reason = 'timed_out'"))
	require.Equal(t, lifecycle.DecisionNotDecidable, w.decide(t, decision(request, 1, lifecycle.VerdictApprove)))
	w.request(t, "will")
}

func TestAnItemIsApprovedByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.under(t, timingOut(lifecycle.TimeoutApproved))
	request := w.request(t, "will")
	w.wait(t, request, 11*fullDay)
	require.Equal(t, []string{"timeout 1"}, w.fallDue(t, request))
	halfway := w.stored(t, request.ID)
	require.Equal(t, lifecycle.StatusPending, halfway.Status)
	require.Equal(t, lifecycle.StatusApproved, halfway.Items[0].Status)
	require.Zero(t, halfway.Items[0].DecidedBy)
	require.Equal(t, lifecycle.TimeoutApprovalComment, halfway.Items[0].Comment)
	require.Equal(t, lifecycle.StatusPending, halfway.Items[1].Status)
	require.Equal(t, lifecycle.DecisionNotDecidable, w.decide(t, decision(request, 0, lifecycle.VerdictReject)))
	require.Equal(t, "timeout 10", w.next(t, request), "the time of the next item begins with it")

	w.wait(t, request, 11*fullDay)
	require.Equal(t, []string{"timeout 1"}, w.fallDue(t, request))
	require.Equal(t, lifecycle.StatusApproved, w.stored(t, request.ID).Status)
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM records WHERE account_name = 'will'"))
	require.Equal(t, 2, w.number(t, "SELECT count(*) FROM approval_items WHERE timed_out AND decided_by IS NULL"))

	unanswered := w.request(t, "walter")
	w.change(t, "UPDATE identities SET active = false WHERE id = $1", w.owner.ID.String())
	w.wait(t, unanswered, 11*fullDay)
	require.Equal(t, []string{"timeout 1"}, w.fallDue(t, unanswered))
	require.Equal(t, lifecycle.StatusCancelled, w.stored(t, unanswered.ID).Status, "nobody answers for it")
}

func TestAnItemThatNobodyIsLeftToDecideFallsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	heir, next := storetest.Identity(t, w.Store, "heir"), storetest.Identity(t, w.Store, "next")
	back := func(request lifecycle.Request) bool {
		t.Helper()
		moved, err := w.FallBack(t.Context(), request.ID)
		require.NoError(t, err)
		w.requireConsistent(t)
		return moved
	}
	active := func(is bool, people ...lifecycle.Identity) {
		t.Helper()
		for _, person := range people {
			require.NoError(t, w.SetIdentityActive(t.Context(), person.ID, is))
		}
	}
	holder := func(request lifecycle.Request) lifecycle.ID { return w.stored(t, request.ID).Items[0].Approver.ID }
	fallback := to(heir)
	w.under(t, func(p *lifecycle.ApprovalPolicy) {
		escalating(to(w.outsider), to(next))(p)
		p.Fallback = &fallback
	})
	request := w.request(t, "will")
	require.False(t, back(request), "somebody can decide")
	active(false, w.approvers...)
	require.True(t, back(request))
	require.Equal(t, heir.ID, holder(request))
	active(false, heir)
	require.True(t, back(request))
	require.Equal(t, w.outsider.ID, holder(request), "then the chain")
	require.Equal(t, "escalation 5", w.next(t, request), "of which that was the first step")
	active(false, w.outsider)
	require.True(t, back(request))
	require.Equal(t, next.ID, holder(request))
	active(false, next)
	require.False(t, back(request), "nobody is left")
	require.NoError(t, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
	require.False(t, back(request))
	require.Equal(t, []string{
		"AUTO_REASSIGNMENT " + w.approvers[0].ID.String() + " " + heir.ID.String(),
		"AUTO_REASSIGNMENT " + heir.ID.String() + " " + w.outsider.ID.String(),
		"AUTO_REASSIGNMENT " + w.outsider.ID.String() + " " + next.ID.String(),
	}, w.history(t, request))

	w.under(t, func(p *lifecycle.ApprovalPolicy) {
		escalating(to(w.owner), to(w.outsider))(p)
		p.Escalation.Enabled = false
	})
	request = w.request(t, "walter")
	active(true, w.outsider)
	require.False(t, back(request), "a chain that is not enabled is none")
	_, err := w.FallBack(t.Context(), lifecycle.NewID())
	requireKind(t, lifecycle.KindNotFound, err)
	_, _, err = w.FallDue(t.Context(), lifecycle.NewID())
	requireKind(t, lifecycle.KindNotFound, err)
}

// TestTheSweepLeavesAloneWhatItsWorkflowKnows: a move is known once the workflow
// has noted it, and by no note from before it.
func TestTheSweepLeavesAloneWhatItsWorkflowKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.under(t, func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(to(w.outsider))(p)
	})
	request := w.request(t, "will")
	item := request.Items[0].ID
	known := func() bool {
		return w.number(t, "SELECT count(*) FROM requests WHERE workflow_seen_at >= modified") == 1
	}
	read := func() lifecycle.Progress {
		t.Helper()
		progress, err := w.LoadRequest(t.Context(), request.ID)
		require.NoError(t, err)
		return progress
	}
	note := func(version time.Time) (told bool) {
		t.Helper()
		saved, _, err := w.SaveNotification(t.Context(), "decision_needed", request.ID, item, version)
		require.NoError(t, err)
		return saved
	}
	first := read().Version
	require.True(t, note(first))
	require.True(t, known())

	w.wait(t, request, 3*fullDay)
	require.Equal(t, []string{"reminder 1"}, w.fallDue(t, request))
	require.True(t, known(), "a reminder is nothing to know")
	require.Equal(t, first, read().Version)

	w.wait(t, request, fullDay)
	require.Equal(t, []string{"escalation 1"}, w.fallDue(t, request))
	require.False(t, known())
	require.False(t, note(first))
	require.NoError(t, w.MarkSeen(t.Context(), request.ID, item, first))
	require.False(t, known(), "what was known before is not enough")
	require.False(t, note(read().Version), "who has it now was told of the escalation")
	require.True(t, known())
	require.Len(t, w.events(t, request, lifecycle.EventDecisionNeeded), 1)
	require.Len(t, w.events(t, request, lifecycle.EventEscalated), 2)
}

// TestWhatFallsDueHappensOnce has many workers at it in the same moment, and a
// decision with them.
func TestWhatFallsDueHappensOnce(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]func(*lifecycle.ApprovalPolicy){
		"reminder": reminding, "expired": timingOut(lifecycle.TimeoutExpired), "approved": timingOut(lifecycle.TimeoutApproved),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			w.under(t, policy)
			alone, together := w.request(t, "alone"), w.request(t, "together")
			w.wait(t, alone, 11*fullDay)
			w.wait(t, together, 11*fullDay)
			results := make(chan int, 2*clients)
			outcomes := make(chan lifecycle.DecisionOutcome, clients)
			atOnce(func(client int) {
				for _, request := range []lifecycle.Request{alone, together} {
					done, _, err := w.FallDue(t.Context(), request.ID)
					if err != nil {
						t.Error(err)
					}
					results <- len(done)
				}
				if client == 0 {
					result, err := w.Decide(t.Context(), decision(together, 0, lifecycle.VerdictReject))
					if err != nil {
						t.Error(err)
					}
					outcomes <- result.Outcome
				}
			})
			close(results)
			total := 0
			for n := range results {
				total += n
			}
			require.Contains(t, []int{1, 2}, total, "once for each, unless the decision came first")
			if name == "reminder" {
				require.Len(t, w.events(t, alone, lifecycle.EventReminder), 1)
			}
			status := w.stored(t, together.ID).Status
			require.Equal(t, <-outcomes == lifecycle.DecisionStored, status == lifecycle.StatusRejected, status)
			w.requireConsistent(t)
		})
	}
}
