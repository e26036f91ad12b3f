package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// under gives the requests of the rows a policy with nothing enabled but what
// change enables; the time of those there are begins with the workflow.
func (b *bench) under(change func(p *lifecycle.ApprovalPolicy)) {
	policy := lifecycle.ApprovalPolicy{}
	change(&policy)
	// What is said to come at the same moment does so to the nanosecond.
	b.env.SetStartTime(b.now())
	b.rows.policy, b.rows.now = &policy, b.now
	for _, w := range b.rows.waiting {
		w.PendingSince, w.AssignedSince = b.now(), b.now()
	}
}

// now is the time as the rows keep it.
func (b *bench) now() time.Time { return b.env.Now().Truncate(time.Millisecond) }

func reminding(p *lifecycle.ApprovalPolicy) {
	p.Reminder = lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 48h", Max: 3}
}

func escalating(p *lifecycle.ApprovalPolicy) {
	p.Escalation = lifecycle.EscalationConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 24h", Chain: []lifecycle.ApproverRule{
		{Type: lifecycle.ApproverIdentity, ID: lifecycle.NewID()}, {Type: lifecycle.ApproverIdentity, ID: lifecycle.NewID()},
	}}
}

func timingOut(result lifecycle.TimeoutResult) func(p *lifecycle.ApprovalPolicy) {
	return func(p *lifecycle.ApprovalPolicy) {
		p.Timeout = lifecycle.TimeoutConfig{Enabled: true, Days: 3, Result: result}
	}
}

// decideAs decides the item of a stage as whoever has it now.
func (b *bench) decideAs(name string, stage int, verdict lifecycle.Verdict, by lifecycle.ID) {
	d := b.decision(stage, verdict)
	d.ApproverID = by
	b.update(name, d)
}

func TestEveryStepComesInItsTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(p)
		timingOut(lifecycle.TimeoutExpired)(p)
		p.Escalation.DaysUntilFirst, p.Escalation.Schedule, p.Timeout.Days = 4, "@every 96h", 20
	})
	days := map[string]int{}
	start := b.env.Now()
	b.rows.after = func(step string) {
		require.Equal(t, wire.ActivityFallDue, step)
		for _, told := range b.rows.fallen()[len(days):] {
			days[fmt.Sprint(len(days), " ", told)] = int(b.env.Now().Sub(start) / fullDay)
		}
	}
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, map[string]int{
		"0 reminder": 3, "1 escalation": 4, "2 reminder": 7, "3 escalation": 8, "4 reminder": 11, "5 reminder": 13, "6 reminder": 15, "7 timeout": 20,
	}, days)
	require.Equal(t, lifecycle.StatusCancelled, b.rows.status(b.request.ID))
	require.Equal(t, 8, b.rows.count(wire.ActivityFallDue), "no more often than something falls due")
	require.Equal(t, 1+8, b.rows.count(wire.ActivityLoadRequest), "at the start and with each step")
	require.Equal(t, 5, b.counts.get("due reminder"))
	require.Equal(t, 2, b.counts.get("due escalation"))
	require.Equal(t, 1, b.counts.get("due timeout"))
	require.Equal(t, 1, b.counts.get("ended cancelled"))
	require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 1)
	require.Len(t, b.rows.notices(wire.EventRequestCancelled), 1)
	require.False(t, b.rows.unseen(b.request.ID))
}

func TestATimeoutThatApprovesGoesOnToTheNext(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.under(timingOut(lifecycle.TimeoutApproved))
	b.at(4*fullDay, func() {
		require.Equal(t, lifecycle.StatusPending, b.rows.status(b.request.ID))
		require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 2, "the next one is asked")
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
	require.Equal(t, []string{"timeout", "timeout"}, b.rows.fallen())
	require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
	require.Equal(t, 1, b.counts.get("ended approved"))
}

func TestAnApproverWhoIsGoneFallsBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	heir := lifecycle.NewID()
	b.under(func(p *lifecycle.ApprovalPolicy) {
		p.Fallback = &lifecycle.ApproverRule{Type: lifecycle.ApproverIdentity, ID: heir}
	})
	b.at(1*time.Hour, func() {
		b.rows.deactivate(b.request.Items[0].Approver.ID, true)
		b.env.SignalWorkflow(wire.SignalNudge, nil)
	})
	b.at(2*time.Hour, func() {
		require.False(t, b.rows.unseen(b.request.ID))
		b.decideAs("heir", 0, lifecycle.VerdictApprove, heir)
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
	require.Equal(t, 1, b.counts.get("due fallback"))
	require.Zero(t, b.counts.get("ended cancelled"))
}

// TestADecisionAndATimerAtTheSameMoment has both come together, either first: the
// rows decide, and what was decided does not fall due.
func TestADecisionAndATimerAtTheSameMoment(t *testing.T) {
	t.Parallel()
	policies := map[string]func(*lifecycle.ApprovalPolicy){
		"reminder": reminding, "escalation": escalating,
		"timeout expired": timingOut(lifecycle.TimeoutExpired), "timeout approved": timingOut(lifecycle.TimeoutApproved),
	}
	for name, policy := range policies {
		for _, verdict := range []lifecycle.Verdict{lifecycle.VerdictApprove, lifecycle.VerdictReject} {
			for _, by := range []string{"update", "signal"} {
				for _, approvers := range []int{1, 2} {
					t.Run(fmt.Sprint(name, " ", verdict, " ", by, " of ", approvers), func(t *testing.T) {
						t.Parallel()
						decide := func(b *bench) {
							if by == "update" {
								b.decide("decision", 0, verdict)
								return
							}
							signal := map[lifecycle.Verdict]string{lifecycle.VerdictApprove: wire.SignalApprove, lifecycle.VerdictReject: wire.SignalReject}
							b.env.SignalWorkflow(signal[verdict], b.signalOf(0))
						}
						for order, arrange := range map[string]func(b *bench){
							"the decision first":    func(b *bench) { b.at(3*fullDay-time.Millisecond, func() { decide(b) }) },
							"both as it may happen": func(b *bench) { b.at(3*fullDay, func() { decide(b) }) },
							"the timer first": func(b *bench) {
								b.rows.fault = onceAt(wire.ActivityFallDue, func() { decide(b) })
							},
							"the decision while it falls due": func(b *bench) {
								b.rows.after = onceAfter(wire.ActivityFallDue, func() { decide(b) })
							},
						} {
							b := newBench(t, approvers)
							b.under(policy)
							arrange(b)
							// What is left waits for this.
							b.at(3*fullDay+time.Hour, func() {
								for stage := range approvers {
									for _, holder := range b.rows.holders(b.request.ID) {
										b.decideAs(fmt.Sprint("rest ", stage, holder), stage, lifecycle.VerdictApprove, holder)
									}
								}
							})
							b.run()
							require.NoError(t, b.env.GetWorkflowError(), order)
							b.requireOneEnd(order)
							if order == "the decision first" {
								require.Empty(t, b.rows.fallen(), order)
								want := lifecycle.StatusApproved
								if verdict == lifecycle.VerdictReject {
									want = lifecycle.StatusRejected
								}
								require.Equal(t, want, b.rows.status(b.request.ID), order)
								continue
							}
							require.LessOrEqual(t, len(b.rows.fallen()), 1, order)
							if order == "both as it may happen" {
								continue
							}
							require.Len(t, b.rows.fallen(), 1, order)
							if name == "timeout expired" {
								require.Equal(t, lifecycle.StatusCancelled, b.rows.status(b.request.ID), order)
							}
						}
					})
				}
			}
		}
	}
}

// holders are those who have the items of a request.
func (r *rows) holders(request lifecycle.ID) []lifecycle.ID {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var all []lifecycle.ID
	for _, item := range r.requests[request].Items {
		all = append(all, item.Approver.ID)
	}
	return all
}

// onceAt is a fault that is none, and does something before the first time of a
// step.
func onceAt(step string, do func()) func(string) error {
	done := false
	return func(s string) error {
		if s == step && !done {
			done = true
			do()
		}
		return nil
	}
}

// onceAfter is onceAt after the step.
func onceAfter(step string, do func()) func(string) {
	before := onceAt(step, do)
	return func(s string) { _ = before(s) }
}

// requireOneEnd holds that the request came to one end, of which its requester was
// told once, and that the sweep finds nothing to do.
func (b *bench) requireOneEnd(what string) {
	b.t.Helper()
	require.True(b.t, b.rows.status(b.request.ID).Final(), what)
	require.Equal(b.t, 1, len(b.rows.notices(wire.EventRequestDecided))+len(b.rows.notices(wire.EventRequestCancelled)), what)
	require.Equal(b.t, 1, b.counts.get("ended approved")+b.counts.get("ended rejected")+b.counts.get("ended cancelled"), what)
	require.False(b.t, b.rows.unseen(b.request.ID), what)
}

// TestADaysOutage has a run begin when much has fallen due: it happens once, in its
// order, at once.
func TestADaysOutage(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(p)
		p.Escalation.DaysUntilFirst = 4
	})
	w := b.rows.waiting[b.request.Items[0].ID]
	w.PendingSince, w.AssignedSince = w.PendingSince.Add(-4*fullDay-time.Hour), w.AssignedSince.Add(-4*fullDay-time.Hour)
	b.at(time.Minute, func() {
		require.Equal(t, []string{"reminder", "escalation"}, b.rows.fallen())
		require.Equal(t, 1, b.rows.count(wire.ActivityFallDue))
		b.decideAs("decision", 0, lifecycle.VerdictReject, b.rows.policy.Escalation.Chain[0].ID)
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, wire.OutcomeStored, b.answers["decision"].Outcome)
	b.requireOneEnd("after an outage")
}

// TestAMoveIsSeenOnce: whatever moves the item, the workflow notes that it knows of
// it, once, and tells nobody again.
func TestAMoveIsSeenOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(p)
		p.Escalation.DaysUntilFirst = 10
	})
	var holder lifecycle.ID
	noted := func(want int, why string) {
		t.Helper()
		require.Equal(t, want, b.rows.count(wire.ActivityNotify), why)
		require.False(t, b.rows.unseen(b.request.ID), why)
		require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 1, why)
	}
	b.at(1*fullDay, func() {
		noted(1, "the approver is told")
		holder = b.rows.reassign(b.request.ID)
		require.True(t, b.rows.unseen(b.request.ID))
		b.env.SignalWorkflow(wire.SignalNudge, nil)
	})
	b.at(1*fullDay+time.Hour, func() { noted(2, "a move by somebody") })
	b.at(3*fullDay+time.Hour, func() { require.Empty(t, b.rows.fallen(), "the time of the new one began anew") })
	b.at(4*fullDay+time.Hour, func() {
		require.Equal(t, []string{"reminder"}, b.rows.fallen())
		noted(2, "a reminder is no move")
		b.env.SignalWorkflow(wire.SignalNudge, nil)
	})
	b.at(4*fullDay+2*time.Hour, func() { noted(2, "nor is a nudge") })
	b.at(10*fullDay+time.Hour, func() {
		noted(3, "an escalation")
		b.decideAs("had it", 0, lifecycle.VerdictApprove, holder)
	})
	b.at(10*fullDay+2*time.Hour, func() { b.decideAs("has it", 0, lifecycle.VerdictApprove, b.rows.holders(b.request.ID)[0]) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, wire.OutcomeForbidden, b.answers["had it"].Outcome)
	require.Equal(t, wire.OutcomeStored, b.answers["has it"].Outcome)
	require.Equal(t, 4, b.rows.count(wire.ActivityNotify), "and the requester")
}

// TestAMoveWhileSomebodyIsToldIsNoted has the note of the first version come when
// the rows are of another.
func TestAMoveWhileSomebodyIsToldIsNoted(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(reminding)
	b.rows.fault = onceAt(wire.ActivityNotify, func() { b.rows.reassign(b.request.ID) })
	b.at(time.Hour, func() {
		require.True(t, b.rows.unseen(b.request.ID), "it knows of nothing but the first")
		b.env.SignalWorkflow(wire.SignalNudge, nil)
	})
	b.at(2*time.Hour, func() {
		require.False(t, b.rows.unseen(b.request.ID))
		b.decideAs("decision", 0, lifecycle.VerdictApprove, b.rows.holders(b.request.ID)[0])
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	b.requireOneEnd("")
}

// TestAClockThatIsBehindIsWaitedFor: the rows' clock says that nothing is due yet.
func TestAClockThatIsBehindIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(timingOut(lifecycle.TimeoutExpired))
	const behind = 2500 * time.Millisecond
	due := b.rows.waiting[b.request.Items[0].ID].PendingSince.Add(3 * fullDay)
	b.rows.now = func() time.Time { return b.now().Add(-behind) }
	var at time.Time
	b.rows.after = func(string) { at = b.env.Now() }
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusCancelled, b.rows.status(b.request.ID))
	require.Equal(t, 4, b.rows.count(wire.ActivityFallDue), "once, and then every second")
	require.WithinDuration(t, due.Add(3*time.Second), at, 500*time.Millisecond)
}

func TestAStepThatFallsDueWhileTheDatabaseIsAwayIsNotLost(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		timingOut(lifecycle.TimeoutExpired)(p)
		p.Timeout.Days = 4
	})
	b.rows.fault = awayAt(wire.ActivityFallDue, 1, 2, 3, 4, 5)
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, []string{"reminder", "timeout"}, b.rows.fallen())
	require.Equal(t, 7, b.rows.count(wire.ActivityFallDue))
}

// TestATimerIsSetForWhatIsLeft: a wake-up in between sets it anew, for the time
// that is left, and leaves no other behind.
func TestATimerIsSetForWhatIsLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(timingOut(lifecycle.TimeoutExpired))
	waits, cancelled := b.waits(), 0
	b.env.SetOnTimerCanceledListener(func(string) { cancelled++ })
	b.at(fullDay, func() { b.env.SignalWorkflow(wire.SignalNudge, nil) })
	b.at(2*fullDay, func() { b.env.SignalWorkflow(wire.SignalNudge, nil) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Len(t, *waits, 3)
	for i, wait := range *waits {
		require.InDelta(t, float64(3-i), wait.Hours()/24, 0.001)
	}
	require.Equal(t, 2, cancelled)
}

func TestARequestThatIsDeletedFallsDueNoMore(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(b *bench){
		"and cancelled":      func(b *bench) { b.at(time.Hour, func() { b.rows.remove(b.request.ID); b.env.CancelWorkflow() }) },
		"in the same moment": func(b *bench) { b.at(3*fullDay, func() { b.rows.remove(b.request.ID) }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 1)
			b.under(reminding)
			end(b)
			b.run()
			require.Empty(t, b.rows.fallen())
		})
	}
}

// TestAPolicyThatIsTakenAwayStopsTheClock, and one that is given sets it.
func TestAPolicyThatIsTakenAwayStopsTheClock(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(timingOut(lifecycle.TimeoutExpired))
	policy := b.rows.policy
	set := func(p *lifecycle.ApprovalPolicy) func() {
		return func() {
			b.rows.policy = p
			b.env.SignalWorkflow(wire.SignalNudge, nil)
		}
	}
	b.at(fullDay, set(nil))
	b.at(9*fullDay, func() {
		require.Equal(t, lifecycle.StatusPending, b.rows.status(b.request.ID))
		require.Zero(t, b.rows.count(wire.ActivityFallDue))
		set(policy)()
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusCancelled, b.rows.status(b.request.ID))
}

func TestATimerGoesOnInAnotherRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.under(func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(p)
		p.Escalation.DaysUntilFirst = 4
	})
	start := b.env.Now()
	b.at(3*fullDay+time.Hour, b.nudgeLong)
	b.run()
	in := b.continued()
	require.Equal(t, []string{"reminder"}, b.rows.fallen())
	require.Equal(t, b.request.Items[0].ID, in.Told)
	require.NotEmpty(t, in.ToldVersion)

	next := b.follow()
	next.env.SetStartTime(start.Add(3*fullDay + time.Hour))
	b.rows.now = next.now
	next.at(22*time.Hour, func() { require.Len(t, b.rows.fallen(), 1) })
	next.at(24*time.Hour, func() {
		require.Equal(t, []string{"reminder", "escalation"}, b.rows.fallen())
		next.decideAs("decision", 0, lifecycle.VerdictApprove, b.rows.holders(b.request.ID)[0])
	})
	next.runWith(in)
	require.NoError(t, next.env.GetWorkflowError())
	require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 1)
	require.Equal(t, 3, b.rows.count(wire.ActivityNotify), "the approver, the escalation, the requester")
}

// TestADecisionThatWaitedWithTheTimerGoesFirst has a signal come before the timer
// fires and one task find both, as where no worker was there.
func TestADecisionThatWaitedWithTheTimerGoesFirst(t *testing.T) {
	t.Parallel()
	for _, others := range []int{0, 1, 5} {
		t.Run(fmt.Sprint("behind ", others, " others"), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 1)
			b.under(timingOut(lifecycle.TimeoutExpired))
			b.at(3*fullDay-time.Hour, func() {
				for range others {
					b.env.SignalWorkflowSkippingWorkflowTask(wire.SignalReject, "junk")
				}
				b.env.SignalWorkflowSkippingWorkflowTask(wire.SignalApprove, b.signalOf(0))
			})
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
			require.Empty(t, b.rows.fallen())
			b.requireOneEnd("")
		})
	}
}
