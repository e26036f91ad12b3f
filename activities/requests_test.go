package activities

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// progress is a request of two items whose first one waits.
func progress() lifecycle.Progress {
	return lifecycle.Progress{
		SourceID: lifecycle.NewID(), Status: lifecycle.StatusPending, Items: 2, Pending: lifecycle.NewID(),
		PendingSince: time.Date(2026, 5, 4, 5, 2, 1, 7, time.FixedZone("", 2*60*60)),
	}
}

func state(p lifecycle.Progress) wire.RequestState {
	return wire.RequestState{
		Found: true, SourceID: p.SourceID, Status: p.Status, Items: p.Items, Pending: p.Pending,
		Order: p.Order, PendingSince: "2026-05-04T03:02:01Z", ApproverGone: p.ApproverGone,
	}
}

// loads answers p about request.
func (b *bench) loads(request lifecycle.ID, p lifecycle.Progress, err error) {
	b.store.load = func(id lifecycle.ID) (lifecycle.Progress, error) {
		require.Equal(b.t, request, id)
		return p, err
	}
}

func TestTheStateOfARequestIsReadFromItsRows(t *testing.T) {
	t.Parallel()
	request, p := lifecycle.NewID(), progress()
	t.Run("while an item waits", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.loads(request, p, nil)
		got, err := run[wire.RequestState](t.Context(), b, b.LoadRequest, request)
		require.NoError(t, err)
		require.Equal(t, state(p), got)
	})
	t.Run("when none does", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.loads(request, lifecycle.Progress{SourceID: p.SourceID, Status: lifecycle.StatusRejected, Items: 2}, nil)
		got, err := run[wire.RequestState](t.Context(), b, b.LoadRequest, request)
		require.NoError(t, err)
		require.Equal(t, wire.RequestState{Found: true, SourceID: p.SourceID, Status: lifecycle.StatusRejected, Items: 2}, got)
	})
	t.Run("when the row is gone", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.loads(request, lifecycle.Progress{}, errGone)
		got, err := run[wire.RequestState](t.Context(), b, b.LoadRequest, request)
		require.NoError(t, err)
		require.Zero(t, got)
	})
	t.Run("when it can't be", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.loads(request, lifecycle.Progress{}, errAway)
		_, err := run[wire.RequestState](t.Context(), b, b.LoadRequest, request)
		requireFailure(t, err, wire.ActivityLoadRequest, lifecycle.KindUnavailable, request)
	})
}

func decisionVia(via string) wire.Decision {
	return wire.Decision{
		RequestID: lifecycle.NewID(), ItemID: lifecycle.NewID(), ApproverID: lifecycle.NewID(), DecisionID: lifecycle.NewID(),
		Verdict: lifecycle.VerdictApprove, Via: via, Call: lifecycle.NewID(),
	}
}

// decides answers result about d.
func (b *bench) decides(d wire.Decision, result lifecycle.DecisionResult, err error) {
	b.store.decide = func(got lifecycle.Decision) (lifecycle.DecisionResult, error) {
		require.Equal(b.t, lifecycle.Decision{
			ID: d.DecisionID, RequestID: d.RequestID, ItemID: d.ItemID, Approver: d.ApproverID, Verdict: d.Verdict, Via: d.Via,
		}, got)
		return result, err
	}
}

func TestADecisionAnswersItsOutcomeAndTheStateAfterIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored lifecycle.DecisionResult
		err    error
		want   wire.DecisionResult
		// ended is the final status that is counted, if any.
		ended string
		// unread is true where the rows are not read again.
		unread bool
	}{
		"stored": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionStored, Status: lifecycle.StatusApproved, Request: lifecycle.StatusPending, Waited: time.Hour},
			want:   wire.DecisionResult{Outcome: wire.OutcomeStored, ItemStatus: lifecycle.StatusApproved, RequestStatus: lifecycle.StatusPending},
		},
		"stored as the last one": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionStored, Status: lifecycle.StatusApproved, Request: lifecycle.StatusApproved, Waited: time.Hour},
			want:   wire.DecisionResult{Outcome: wire.OutcomeStored, ItemStatus: lifecycle.StatusApproved, RequestStatus: lifecycle.StatusApproved},
			ended:  "approved",
		},
		"repeated after the end": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionRepeated, Status: lifecycle.StatusApproved, Request: lifecycle.StatusApproved},
			want:   wire.DecisionResult{Outcome: wire.OutcomeRepeated, ItemStatus: lifecycle.StatusApproved, RequestStatus: lifecycle.StatusApproved},
		},
		"not decidable": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionNotDecidable, Status: lifecycle.StatusNotReady, Request: lifecycle.StatusPending},
			want:   wire.DecisionResult{Outcome: wire.OutcomeNotDecidable, ItemStatus: lifecycle.StatusNotReady, RequestStatus: lifecycle.StatusPending},
		},
		"forbidden": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionForbidden, Status: lifecycle.StatusPending, Request: lifecycle.StatusPending},
			want:   wire.DecisionResult{Outcome: wire.OutcomeForbidden, ItemStatus: lifecycle.StatusPending, RequestStatus: lifecycle.StatusPending},
			unread: true,
		},
		"own request": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionOwnRequest, Status: lifecycle.StatusPending, Request: lifecycle.StatusPending},
			want:   wire.DecisionResult{Outcome: wire.OutcomeOwnRequest, ItemStatus: lifecycle.StatusPending, RequestStatus: lifecycle.StatusPending},
			unread: true,
		},
		"item gone": {
			stored: lifecycle.DecisionResult{Outcome: lifecycle.DecisionGone},
			want:   wire.DecisionResult{Outcome: wire.OutcomeGone},
		},
		"row gone": {err: errGone, want: wire.DecisionResult{Outcome: wire.OutcomeGone}},
	} {
		for _, via := range []string{wire.ViaAPI, wire.ViaSignal} {
			t.Run(name+" via "+via, func(t *testing.T) {
				t.Parallel()
				b, d, p := newBench(t), decisionVia(via), progress()
				b.decides(d, c.stored, c.err)
				if !c.unread {
					b.loads(d.RequestID, p, nil)
				}
				got, err := run[wire.DecideResult](t.Context(), b, b.Decide, d)
				require.NoError(t, err)
				want := wire.DecideResult{Decision: c.want}
				if !c.unread {
					after := state(p)
					want.State = &after
				}
				require.Equal(t, want, got)

				counted := map[string]int{fmt.Sprintf("decision approve %s %s %s", c.want.Outcome, via, c.stored.Waited): 1}
				if c.ended != "" {
					counted["ended "+c.ended] = 1
				}
				if via == wire.ViaSignal && c.want.Outcome != wire.OutcomeStored {
					counted["refused "+c.want.Outcome] = 1
				}
				require.Equal(t, counted, b.counts.noted)
			})
		}
	}
}

func TestAStoredDecisionIsStoredThoughItsStateCanNotBeRead(t *testing.T) {
	t.Parallel()
	b, d := newBench(t), decisionVia(wire.ViaAPI)
	b.decides(d, lifecycle.DecisionResult{Outcome: lifecycle.DecisionStored, Status: lifecycle.StatusApproved, Request: lifecycle.StatusApproved}, nil)
	b.loads(d.RequestID, lifecycle.Progress{}, errAway)
	got, err := run[wire.DecideResult](t.Context(), b, b.Decide, d)
	require.NoError(t, err)
	require.Equal(t, wire.OutcomeStored, got.Decision.Outcome)
	require.Nil(t, got.State)
	require.Equal(t, map[string]int{"decision approve stored api 0s": 1, "ended approved": 1}, b.counts.noted)
}

func TestADecisionThatCouldNotBeJudgedIsNotCounted(t *testing.T) {
	t.Parallel()
	b, d := newBench(t), decisionVia(wire.ViaSignal)
	b.decides(d, lifecycle.DecisionResult{}, errAway)
	_, err := run[wire.DecideResult](t.Context(), b, b.Decide, d)
	requireFailure(t, err, wire.ActivityDecide, lifecycle.KindUnavailable, d.ItemID)
	require.Empty(t, b.counts.noted)
}

func TestDecisionsBySignalCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	t.Run("those do not reach the rows", func(t *testing.T) {
		t.Parallel()
		b, d := newBench(t), decisionVia(wire.ViaSignal)
		b.SignalDecisions = false
		got, err := run[wire.DecideResult](t.Context(), b, b.Decide, d)
		require.NoError(t, err)
		require.Equal(t, wire.DecideResult{Decision: wire.DecisionResult{Outcome: wire.OutcomeSignalsOff}}, got)
		require.Equal(t, map[string]int{"refused " + wire.OutcomeSignalsOff: 1}, b.counts.noted)
		require.Contains(t, b.log.String(), d.DecisionID.String())
	})
	t.Run("others do", func(t *testing.T) {
		t.Parallel()
		b, d := newBench(t), decisionVia(wire.ViaAPI)
		b.SignalDecisions = false
		b.decides(d, lifecycle.DecisionResult{Outcome: lifecycle.DecisionStored}, nil)
		b.loads(d.RequestID, progress(), nil)
		got, err := run[wire.DecideResult](t.Context(), b, b.Decide, d)
		require.NoError(t, err)
		require.Equal(t, wire.OutcomeStored, got.Decision.Outcome)
	})
}

func TestARequestIsEndedWithoutADecision(t *testing.T) {
	t.Parallel()
	request := lifecycle.NewID()
	for name, step := range map[string]struct {
		name, ended string
		set         func(*fakeStore, func(lifecycle.ID) error)
		run         func(context.Context, *bench) (wire.RequestState, error)
	}{
		"completed": {
			name: wire.ActivityCompleteRequest, ended: "ended approved",
			set: func(s *fakeStore, end func(lifecycle.ID) error) { s.complete = end },
			run: func(ctx context.Context, b *bench) (wire.RequestState, error) {
				return run[wire.RequestState](ctx, b, b.CompleteRequest, request)
			},
		},
		"cancelled": {
			name: wire.ActivityCancelRequest, ended: "ended cancelled",
			set: func(s *fakeStore, end func(lifecycle.ID) error) {
				s.back = func(lifecycle.ID) (bool, error) { return false, nil }
				s.cancel = func(id lifecycle.ID, reason string) error {
					require.Equal(t, wire.ReasonApproverGone, reason)
					return end(id)
				}
			},
			run: func(ctx context.Context, b *bench) (wire.RequestState, error) {
				return run[wire.RequestState](ctx, b, b.CancelRequest,
					wire.CancelInput{RequestID: request, Reason: wire.ReasonApproverGone})
			},
		},
	} {
		for _, c := range []struct {
			name       string
			end, load  error
			fails      bool
			found      bool
			endCounted bool
		}{
			{name: "by this step", found: true, endCounted: true},
			{name: "by another before", end: errNotNow, found: true},
			{name: "when the row is gone", end: errGone, load: errGone},
			{name: "and deleted in the same moment", load: errGone, endCounted: true},
			{name: "not while the store is away", end: errAway, fails: true},
			{name: "and read once the store is back", load: errAway, fails: true, endCounted: true},
		} {
			t.Run(name+" "+c.name, func(t *testing.T) {
				t.Parallel()
				b, p := newBench(t), progress()
				step.set(b.store, func(id lifecycle.ID) error {
					require.Equal(t, request, id)
					return c.end
				})
				b.loads(request, p, c.load)
				got, err := step.run(t.Context(), b)
				counted := map[string]int{}
				if c.endCounted {
					counted[step.ended] = 1
				}
				require.Equal(t, counted, b.counts.noted)
				if c.fails {
					requireFailure(t, err, step.name, lifecycle.KindUnavailable, request)
					return
				}
				require.NoError(t, err)
				if c.found {
					require.Equal(t, state(p), got)
				} else {
					require.Zero(t, got)
				}
			})
		}
	}
}

func TestWhatFallsDueIsDoneAndCounted(t *testing.T) {
	t.Parallel()
	request := lifecycle.NewID()
	ago := func(by time.Duration) time.Time { return time.Now().Add(-by) }
	reminded := lifecycle.DueStep{Step: lifecycle.StepReminder, At: ago(time.Hour), Count: 2}
	for name, c := range map[string]struct {
		done    []lifecycle.DueStep
		status  lifecycle.ApprovalStatus
		err     error
		load    error
		counted map[string]int
		found   bool
		fails   bool
	}{
		"nothing":    {status: lifecycle.StatusPending, counted: map[string]int{}, found: true},
		"a reminder": {done: []lifecycle.DueStep{reminded}, status: lifecycle.StatusPending, counted: map[string]int{"due reminder": 1}, found: true},
		"several": {
			done: []lifecycle.DueStep{reminded, {Step: lifecycle.StepEscalation, At: ago(0), Count: 1}}, status: lifecycle.StatusPending,
			counted: map[string]int{"due reminder": 1, "due escalation": 1}, found: true,
		},
		"the end": {
			done: []lifecycle.DueStep{{Step: lifecycle.StepTimeout, At: ago(time.Minute), Count: 1}}, status: lifecycle.StatusCancelled,
			counted: map[string]int{"due timeout": 1, "ended cancelled": 1}, found: true,
		},
		"an approval by time": {
			done: []lifecycle.DueStep{{Step: lifecycle.StepTimeout, At: ago(time.Minute), Count: 1}}, status: lifecycle.StatusPending,
			counted: map[string]int{"due timeout": 1}, found: true,
		},
		"after the end":                  {status: lifecycle.StatusApproved, counted: map[string]int{}, found: true},
		"of a request that is gone":      {err: errGone, load: errGone, counted: map[string]int{}},
		"not while the store is away":    {err: errAway, counted: map[string]int{}, fails: true},
		"and read once it is back again": {done: []lifecycle.DueStep{reminded}, load: errAway, counted: map[string]int{"due reminder": 1}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, p := newBench(t), progress()
			p.Next = lifecycle.DueStep{Step: lifecycle.StepTimeout, At: time.Date(2026, 5, 7, 3, 2, 1, 25e6, time.UTC), Count: 1}
			p.Version = time.Date(2026, 5, 4, 3, 2, 1, 7e6, time.UTC)
			b.store.due = func(id lifecycle.ID) ([]lifecycle.DueStep, lifecycle.ApprovalStatus, error) {
				require.Equal(t, request, id)
				return c.done, c.status, c.err
			}
			b.loads(request, p, c.load)
			got, err := run[wire.RequestState](t.Context(), b, b.FallDue, request)
			require.Equal(t, c.counted, b.counts.noted)
			if c.fails {
				requireFailure(t, err, wire.ActivityFallDue, lifecycle.KindUnavailable, request)
				return
			}
			require.NoError(t, err)
			want := wire.RequestState{}
			if c.found {
				want = state(p)
				want.NextDue, want.NextStep, want.Version = "2026-05-07T03:02:01.025Z", lifecycle.StepTimeout, "2026-05-04T03:02:01.007Z"
			}
			require.Equal(t, want, got)
		})
	}
}

func TestARequestWhoseApproverIsGoneFallsBack(t *testing.T) {
	t.Parallel()
	request := lifecycle.NewID()
	in := wire.CancelInput{RequestID: request, Reason: wire.ReasonApproverGone}
	t.Run("to somebody", func(t *testing.T) {
		t.Parallel()
		b, p := newBench(t), progress()
		b.store.back = func(id lifecycle.ID) (bool, error) {
			require.Equal(t, request, id)
			return true, nil
		}
		b.loads(request, p, nil)
		got, err := run[wire.RequestState](t.Context(), b, b.CancelRequest, in)
		require.NoError(t, err)
		require.Equal(t, state(p), got)
		require.Equal(t, map[string]int{"due fallback": 1}, b.counts.noted)
	})
	t.Run("not while the store is away", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.store.back = func(lifecycle.ID) (bool, error) { return false, errAway }
		_, err := run[wire.RequestState](t.Context(), b, b.CancelRequest, in)
		requireFailure(t, err, wire.ActivityCancelRequest, lifecycle.KindUnavailable, request)
		require.Empty(t, b.counts.noted)
	})
}

func TestANoticeOfNoVersionIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	notice := wire.Notice{Event: wire.EventDecisionNeeded, RequestID: lifecycle.NewID(), ItemID: lifecycle.NewID(), Version: "the last"}
	_, err := run[any](t.Context(), b, b.Notify, notice)
	requireFailure(t, err, wire.ActivityNotify, lifecycle.KindBadRequest, notice.RequestID)
}

func TestAnEventIsToldOnceAndCounted(t *testing.T) {
	t.Parallel()
	version := time.Date(2026, 5, 4, 3, 2, 1, 5e6, time.UTC)
	notice := wire.Notice{
		Event: wire.EventDecisionNeeded, RequestID: lifecycle.NewID(), ItemID: lifecycle.NewID(), Version: "2026-05-04T03:02:01.005Z",
	}
	recipient := lifecycle.NewID()
	refused := lifecycle.NewError(lifecycle.KindIllegalValue, "no "+secret)
	for name, c := range map[string]struct {
		saved   bool
		to      lifecycle.ID
		err     error
		markErr error
		// counted is how the event is, if it is.
		counted string
		// marked says that it is noted apart that the workflow has come this far.
		marked bool
		// fails is the kind of the failure, if it fails.
		fails lifecycle.Kind
	}{
		"now":                         {saved: true, to: recipient, counted: NotifiedSaved},
		"before":                      {to: recipient, counted: NotifiedNobody},
		"nobody to tell":              {counted: NotifiedNobody},
		"about something gone":        {err: errGone, counted: NotifiedNobody},
		"not while the store is away": {err: errAway, fails: lifecycle.KindUnavailable},
		"given up if it never can be": {err: refused, marked: true, fails: lifecycle.KindIllegalValue},
		"again if it can't be noted that it is given up": {
			err: refused, marked: true, markErr: errAway, fails: lifecycle.KindUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.store.notify = func(event string, request, item lifecycle.ID, of time.Time) (bool, lifecycle.ID, error) {
				require.Equal(t, version, of)
				require.Equal(t, wire.Notice{Event: event, RequestID: request, ItemID: item, Version: notice.Version}, notice)
				return c.saved, c.to, c.err
			}
			marked := false
			b.store.seen = func(request, item lifecycle.ID, of time.Time) error {
				require.Equal(t, version, of)
				require.Equal(t, []lifecycle.ID{notice.RequestID, notice.ItemID}, []lifecycle.ID{request, item})
				marked = true
				return c.markErr
			}
			_, err := run[any](t.Context(), b, b.Notify, notice)
			if c.fails == 0 {
				require.NoError(t, err)
			} else {
				requireFailure(t, err, wire.ActivityNotify, c.fails, notice.RequestID)
			}
			require.Equal(t, c.marked, marked)
			counted := map[string]int{}
			if c.counted != "" {
				counted["notified decision_needed "+c.counted] = 1
			}
			require.Equal(t, counted, b.counts.noted)
			require.Equal(t, c.saved, strings.Contains(b.log.String(), recipient.String()))
		})
	}
}

func TestActivitiesDoWithoutAnObserver(t *testing.T) {
	t.Parallel()
	b, d := newBench(t), decisionVia(wire.ViaSignal)
	b.Observer = nil
	b.decides(d, lifecycle.DecisionResult{Outcome: lifecycle.DecisionStored, Request: lifecycle.StatusRejected}, nil)
	b.loads(d.RequestID, progress(), nil)
	_, err := run[wire.DecideResult](t.Context(), b, b.Decide, d)
	require.NoError(t, err)
}
