package workflows_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// bench is one request workflow in virtual time over rows.
type bench struct {
	t        *testing.T
	env      *testsuite.TestWorkflowEnvironment
	rows     *rows
	counts   *counts
	acts     *activities.Activities
	request  lifecycle.Request
	answers  map[string]wire.DecisionResult
	failures map[string]error
	rejected map[string]error
}

// newEnvironment is virtual time without its log.
func newEnvironment() *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(testTimeout)
	// A machine that is busy with other tests is no deadlock.
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: testTimeout})
	return env
}

// testTimeout bounds a test in virtual time.
const testTimeout = 20 * time.Second

func newBench(t *testing.T, approvers int) *bench {
	t.Helper()
	b := &bench{
		t: t, env: newEnvironment(), rows: newRows(), counts: &counts{},
		answers: map[string]wire.DecisionResult{}, failures: map[string]error{}, rejected: map[string]error{},
	}
	b.request = b.rows.accept(approvers)
	b.acts = newActivities(b.rows, &reach{}, b.counts)
	workflows.Register(b.env, b.acts)
	b.env.SetStartWorkflowOptions(client.StartWorkflowOptions{
		ID: wire.RequestWorkflowID(b.request.ID), TaskQueue: wire.QueueRequests,
	})
	b.env.SetCurrentHistoryLength(3)
	return b
}

// at runs do this long after the start.
func (b *bench) at(after time.Duration, do func()) { b.env.RegisterDelayedCallback(do, after) }

// run runs the workflow to its end.
func (b *bench) run() {
	b.t.Helper()
	b.runWith(wire.RequestInput{RequestID: b.request.ID, SourceID: b.request.Source.ID})
}

func (b *bench) runWith(in wire.RequestInput) {
	b.t.Helper()
	b.env.ExecuteWorkflow(wire.WorkflowRequest, in)
	require.True(b.t, b.env.IsWorkflowCompleted())
}

func (b *bench) decision(stage int, verdict lifecycle.Verdict) wire.Decision {
	item := b.request.Items[stage]
	return wire.Decision{
		RequestID: b.request.ID, ItemID: item.ID, ApproverID: item.Approver.ID, Verdict: verdict,
		DecisionID: wire.DecisionID(item.ID, item.Approver.ID, verdict, ""), Via: wire.ViaAPI, Call: lifecycle.NewID(),
	}
}

// update sends a decision as the API does and keeps the answer under name.
func (b *bench) update(name string, d any) {
	b.env.UpdateWorkflow(wire.UpdateDecide, name, &testsuite.TestUpdateCallback{
		OnReject: func(err error) { b.rejected[name] = err },
		OnComplete: func(answer any, err error) {
			b.failures[name] = err
			if result, ok := answer.(wire.DecisionResult); ok {
				b.answers[name] = result
			}
		},
	}, d)
}

func (b *bench) decide(name string, stage int, verdict lifecycle.Verdict) {
	b.update(name, b.decision(stage, verdict))
}

func (b *bench) signalOf(stage int) wire.SignalDecision {
	item := b.request.Items[stage]
	return wire.SignalDecision{ItemID: item.ID.String(), ApproverID: item.Approver.ID.String()}
}

func TestEveryApproverInTurnMakesTheRequestApproved(t *testing.T) {
	t.Parallel()
	for approvers := 1; approvers <= 3; approvers++ {
		t.Run(fmt.Sprintf("%d approvers", approvers), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, approvers)
			for stage := range approvers {
				b.at(time.Duration(stage+1)*time.Hour, func() { b.decide(fmt.Sprint(stage), stage, lifecycle.VerdictApprove) })
			}
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
			for stage := range approvers {
				require.NoError(t, b.failures[fmt.Sprint(stage)])
				require.Equal(t, wire.OutcomeStored, b.answers[fmt.Sprint(stage)].Outcome)
			}
			require.Len(t, b.rows.notices(wire.EventDecisionNeeded), approvers)
			require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
			require.Equal(t, 1, b.counts.get("ended approved"))
			require.Equal(t, approvers, b.counts.get("decision approve stored api"))
			require.Equal(t, 1+approvers, b.rows.count(wire.ActivityLoadRequest),
				"the rows are read at the start and with each decision, no more")
		})
	}
}

func TestARejectionAtAnyStageEndsTheRequest(t *testing.T) {
	t.Parallel()
	for stage := range 3 {
		t.Run(fmt.Sprintf("stage %d", stage), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 3)
			for before := range stage {
				b.at(time.Duration(before+1)*time.Hour, func() { b.decide(fmt.Sprint(before), before, lifecycle.VerdictApprove) })
			}
			b.at(9*time.Hour, func() { b.decide("reject", stage, lifecycle.VerdictReject) })
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.Equal(t, wire.OutcomeStored, b.answers["reject"].Outcome)
			require.Equal(t, lifecycle.StatusRejected, b.answers["reject"].RequestStatus)
			require.Equal(t, lifecycle.StatusRejected, b.rows.status(b.request.ID))
			require.Len(t, b.rows.notices(wire.EventDecisionNeeded), stage+1)
			require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
		})
	}
}

func TestARequestWithoutApproversIsCompletedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
	require.Empty(t, b.rows.notices(wire.EventDecisionNeeded))
	require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
}

func TestARequestWhoseApproverIsGoneIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.at(time.Hour, func() { b.decide("first", 0, lifecycle.VerdictApprove) })
	b.at(2*time.Hour, func() {
		b.rows.deactivate(b.request.Items[1].Approver.ID, true)
		b.env.SignalWorkflow(wire.SignalNudge, nil)
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusCancelled, b.rows.status(b.request.ID))
	require.Len(t, b.rows.notices(wire.EventRequestCancelled), 1)
	require.Empty(t, b.rows.notices(wire.EventRequestDecided))
	require.Equal(t, 1, b.counts.get("ended cancelled"))
}

func TestAnApproverWhoIsBackInTimeKeepsTheRequestPending(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.rows.deactivate(b.request.Items[0].Approver.ID, true)
	b.rows.fault = func(step string) error {
		if step == wire.ActivityCancelRequest {
			b.rows.deactivate(b.request.Items[0].Approver.ID, false)
		}
		return nil
	}
	b.at(time.Hour, func() { b.decide("approve", 0, lifecycle.VerdictApprove) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
	require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 1)
}

func TestADeletedRequestEndsItsWorkflow(t *testing.T) {
	t.Parallel()
	t.Run("gone before the workflow began", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.rows.remove(b.request.ID)
		b.run()
		require.NoError(t, b.env.GetWorkflowError())
		require.Zero(t, b.rows.count(wire.ActivityNotify))
	})
	t.Run("found gone after a nudge", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.at(time.Hour, func() {
			b.rows.remove(b.request.ID)
			b.env.SignalWorkflow(wire.SignalNudge, nil)
		})
		b.run()
		require.NoError(t, b.env.GetWorkflowError())
		require.Empty(t, b.rows.notices(wire.EventRequestDecided))
	})
	t.Run("found gone by a decision", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.at(time.Hour, func() {
			b.rows.remove(b.request.ID)
			b.decide("late", 0, lifecycle.VerdictApprove)
		})
		b.run()
		require.NoError(t, b.env.GetWorkflowError())
		require.Equal(t, wire.OutcomeGone, b.answers["late"].Outcome)
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.at(time.Hour, func() {
			b.rows.remove(b.request.ID)
			b.env.CancelWorkflow()
		})
		b.run()
		var cancelled *temporal.CanceledError
		require.ErrorAs(t, b.env.GetWorkflowError(), &cancelled)
	})
}

// TestAWithdrawnExtensionEndsItsWorkflow: an extension goes the way of every
// request, but that its requester may end it. A decision at the same moment comes
// too late.
func TestAWithdrawnExtensionEndsItsWorkflow(t *testing.T) {
	t.Parallel()
	for name, wake := range map[string]func(b *bench){
		"nudged":  func(b *bench) { b.env.SignalWorkflow(wire.SignalNudge, nil) },
		"decided": func(b *bench) { b.decide("late", 1, lifecycle.VerdictApprove) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 2)
			b.at(time.Hour, func() { b.decide("first", 0, lifecycle.VerdictApprove) })
			b.at(2*time.Hour, func() {
				b.rows.withdraw(b.request.ID)
				wake(b)
			})
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.Equal(t, lifecycle.StatusCancelled, b.rows.status(b.request.ID))
			require.Len(t, b.rows.notices(wire.EventRequestCancelled), 1)
			require.False(t, b.rows.unseen(b.request.ID))
			if name == "decided" {
				require.Equal(t, wire.OutcomeNotDecidable, b.answers["late"].Outcome)
			}
		})
	}
}

func TestACancelDoesNotCutOffADecision(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	failed := 0
	b.rows.fault = func(step string) error {
		if step == wire.ActivityDecide && failed < 4 {
			failed++
			return errAway
		}
		return nil
	}
	b.at(time.Hour, func() { b.decide("approve", 0, lifecycle.VerdictApprove) })
	b.at(time.Hour+50*time.Millisecond, b.env.CancelWorkflow)
	b.run()
	require.NoError(t, b.failures["approve"])
	require.Equal(t, wire.OutcomeStored, b.answers["approve"].Outcome)
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
}

func TestDecisionsThatMayNotBeChangeNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.at(1*time.Hour, func() { b.decide("not ready", 1, lifecycle.VerdictApprove) })
	b.at(2*time.Hour, func() {
		d := b.decision(0, lifecycle.VerdictApprove)
		d.ApproverID = lifecycle.NewID()
		b.update("wrong person", d)
	})
	b.at(3*time.Hour, func() {
		d := b.decision(0, lifecycle.VerdictApprove)
		d.ItemID = lifecycle.NewID()
		b.update("unknown item", d)
	})
	b.at(4*time.Hour, func() { require.Equal(t, lifecycle.StatusPending, b.rows.status(b.request.ID)) })
	b.at(5*time.Hour, func() { b.decide("first", 0, lifecycle.VerdictApprove) })
	b.at(6*time.Hour, func() { b.decide("again", 0, lifecycle.VerdictApprove) })
	b.at(7*time.Hour, func() { b.decide("turned", 0, lifecycle.VerdictReject) })
	b.at(8*time.Hour, func() { b.decide("second", 1, lifecycle.VerdictApprove) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	want := map[string]string{
		"not ready": wire.OutcomeNotDecidable, "wrong person": wire.OutcomeForbidden, "unknown item": wire.OutcomeGone,
		"first": wire.OutcomeStored, "again": wire.OutcomeRepeated, "turned": wire.OutcomeNotDecidable,
		"second": wire.OutcomeStored,
	}
	for name, outcome := range want {
		require.NoError(t, b.failures[name], name)
		require.Equal(t, outcome, b.answers[name].Outcome, name)
		require.False(t, b.answers[name].Call.IsZero(), name)
	}
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
	require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 2, "once for each item")
}

func TestOfTwoDecisionsAtOnceOneIsTheVerdict(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.at(time.Hour, func() {
		b.decide("approve", 0, lifecycle.VerdictApprove)
		b.decide("reject", 0, lifecycle.VerdictReject)
		b.env.SignalWorkflow(wire.SignalReject, b.signalOf(0))
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	outcomes := []string{b.answers["approve"].Outcome, b.answers["reject"].Outcome}
	require.ElementsMatch(t, []string{wire.OutcomeStored, wire.OutcomeNotDecidable}, outcomes)
	require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
}

func TestAnUpdateThatIsNoDecisionIsRejected(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	break1 := func(change func(*wire.Decision)) wire.Decision {
		d := b.decision(0, lifecycle.VerdictApprove)
		change(&d)
		return d
	}
	bad := map[string]any{
		"no item":         break1(func(d *wire.Decision) { d.ItemID = lifecycle.ID{} }),
		"no approver":     break1(func(d *wire.Decision) { d.ApproverID = lifecycle.ID{} }),
		"no decision":     break1(func(d *wire.Decision) { d.DecisionID = lifecycle.ID{} }),
		"no verdict":      break1(func(d *wire.Decision) { d.Verdict = "" }),
		"unknown verdict": break1(func(d *wire.Decision) { d.Verdict = "perhaps" }),
		"other request":   break1(func(d *wire.Decision) { d.RequestID = lifecycle.NewID() }),
		"not an id":       map[string]string{"requestId": "x"},
		"not an object":   []int{1},
	}
	b.at(time.Hour, func() {
		for name, d := range bad {
			b.update(name, d)
		}
	})
	b.at(2*time.Hour, func() { b.decide("good", 0, lifecycle.VerdictApprove) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	for name := range bad {
		require.Error(t, b.rejected[name], name)
	}
	require.Equal(t, 1, b.rows.count(wire.ActivityDecide))
	require.Equal(t, wire.OutcomeStored, b.answers["good"].Outcome)
}

func TestADecisionBySignalGoesTheWayOfAnUpdate(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.at(1*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(0)) })
	b.at(2*time.Hour, func() {
		s := b.signalOf(1)
		s.DecisionID = lifecycle.NewID().String()
		b.env.SignalWorkflow(wire.SignalReject, s)
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.StatusRejected, b.rows.status(b.request.ID))
	require.Equal(t, 1, b.counts.get("decision approve stored signal"))
	require.Equal(t, 1, b.counts.get("decision reject stored signal"))
}

// rawSignal is a payload as anybody could send it.
func rawSignal(encoding, data string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encoding)}, Data: []byte(data),
	})
}

func TestAMalformedSignalIsCountedAndChangesNothing(t *testing.T) {
	t.Parallel()
	id := lifecycle.NewID().String()
	payloads := map[string]any{
		"nothing":             nil,
		"a number":            7,
		"a string":            "approve",
		"a list":              []string{id, id},
		"an empty object":     map[string]any{},
		"wrong types":         map[string]any{"itemId": 1, "approverId": true},
		"not ids":             wire.SignalDecision{ItemID: "x", ApproverID: "y"},
		"no approver":         wire.SignalDecision{ItemID: id},
		"bad decision":        wire.SignalDecision{ItemID: id, ApproverID: id, DecisionID: "x"},
		"the zero item":       wire.SignalDecision{ItemID: lifecycle.ID{}.String(), ApproverID: id},
		"not JSON":            rawSignal(converter.MetadataEncodingJSON, "{itemId"),
		"binary":              []byte{0, 1, 2, 255},
		"an unknown encoding": rawSignal("binary/encrypted", "{}"),
		"no encoding":         converter.NewRawValue(&commonpb.Payload{Data: []byte("{}")}),
		"far too long":        map[string]string{"itemId": fmt.Sprintf("%09000d", 1)},
	}
	for name, payload := range payloads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 1)
			b.at(1*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, payload) })
			b.at(2*time.Hour, func() { b.env.SignalWorkflow(wire.SignalReject, payload) })
			b.at(3*time.Hour, func() {
				require.Zero(t, b.rows.count(wire.ActivityDecide))
				b.decide("approve", 0, lifecycle.VerdictApprove)
			})
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.Equal(t, 2, b.counts.get("refused "+activities.RefusedMalformed))
			require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
		})
	}
}

func TestANudgeMayCarryAnything(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.at(time.Hour, func() { b.env.SignalWorkflow(wire.SignalNudge, rawSignal("x/y", "z")) })
	b.at(2*time.Hour, func() {
		require.Equal(t, 2, b.rows.count(wire.ActivityLoadRequest))
		b.decide("approve", 0, lifecycle.VerdictApprove)
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
}

func TestSignalsThatMayNotBeAreCountedAndChangeNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.at(1*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(1)) })
	b.at(2*time.Hour, func() {
		s := b.signalOf(0)
		s.ApproverID = lifecycle.NewID().String()
		b.env.SignalWorkflow(wire.SignalApprove, s)
	})
	b.at(3*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(0)) })
	b.at(3*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(0)) })
	b.at(4*time.Hour, func() { b.env.SignalWorkflow(wire.SignalReject, b.signalOf(0)) })
	b.at(5*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(1)) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 2, b.counts.get("refused "+wire.OutcomeNotDecidable), "too early, and turned")
	require.Equal(t, 1, b.counts.get("refused "+wire.OutcomeForbidden))
	require.Equal(t, 1, b.counts.get("refused "+wire.OutcomeRepeated))
	require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
}

func TestASignalThatComesWithTheLastDecisionIsHandled(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.at(time.Hour, func() {
		b.decide("approve", 0, lifecycle.VerdictApprove)
		b.env.SignalWorkflow(wire.SignalReject, b.signalOf(0))
		b.env.SignalWorkflow(wire.SignalReject, "junk")
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 1, b.counts.get("refused "+activities.RefusedMalformed))
	require.Equal(t, 2, b.rows.count(wire.ActivityDecide))
}

func TestSignalsCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.acts.SignalDecisions = false
	b.at(time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(0)) })
	b.at(2*time.Hour, func() {
		require.Zero(t, b.rows.count(wire.ActivityDecide))
		b.decide("approve", 0, lifecycle.VerdictApprove)
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 1, b.counts.get("refused "+wire.OutcomeSignalsOff))
	require.Equal(t, wire.OutcomeStored, b.answers["approve"].Outcome)
}

func TestNotificationsThatFailForLongHoldUpNoDecision(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	var mended bool
	b.rows.fault = func(step string) error {
		if step == wire.ActivityNotify && !mended {
			return errAway
		}
		return nil
	}
	b.at(10*time.Second, func() { b.decide("first", 0, lifecycle.VerdictApprove) })
	b.at(20*time.Second, func() { b.decide("second", 1, lifecycle.VerdictApprove) })
	b.at(21*time.Second, func() {
		require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
		require.Equal(t, wire.OutcomeStored, b.answers["second"].Outcome)
		mended = true
	})
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
}

func TestAPassingFaultOfTheDatabaseIsWaitedOut(t *testing.T) {
	t.Parallel()
	for _, step := range []string{wire.ActivityLoadRequest, wire.ActivityDecide} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 1)
			failed := 0
			b.rows.fault = func(s string) error {
				if s == step && failed < 6 {
					failed++
					return errAway
				}
				return nil
			}
			b.at(time.Hour, func() { b.decide("approve", 0, lifecycle.VerdictApprove) })
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.NoError(t, b.failures["approve"])
			require.Equal(t, 6, failed)
			require.Equal(t, wire.OutcomeStored, b.answers["approve"].Outcome)
		})
	}
}

func TestAStateThatCouldNotBeReadWithTheDecisionIsReadAfterIt(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	var once bool
	b.rows.fault = func(step string) error {
		if step == wire.ActivityLoadRequest && b.rows.count(wire.ActivityDecide) == 1 && !once {
			once = true
			return errAway
		}
		return nil
	}
	b.at(time.Hour, func() { b.decide("first", 0, lifecycle.VerdictApprove) })
	b.at(2*time.Hour, func() { b.decide("second", 1, lifecycle.VerdictApprove) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	require.True(t, once)
	require.Equal(t, wire.OutcomeStored, b.answers["first"].Outcome)
	require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 2)
}

func TestAFaultThatCanNotHealFailsTheUpdateAndNotTheWorkflow(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	failed := false
	b.rows.fault = func(step string) error {
		if step == wire.ActivityDecide && !failed {
			failed = true
			return lifecycle.NewError(lifecycle.KindConflict, "accountName \"secret\"")
		}
		return nil
	}
	b.at(time.Hour, func() { b.decide("fails", 0, lifecycle.VerdictApprove) })
	b.at(2*time.Hour, func() { b.decide("works", 0, lifecycle.VerdictApprove) })
	b.run()
	require.NoError(t, b.env.GetWorkflowError())
	var failure *temporal.ApplicationError
	require.ErrorAs(t, b.failures["fails"], &failure)
	require.Equal(t, lifecycle.KindConflict.String(), failure.Type())
	require.NotContains(t, b.failures["fails"].Error(), "secret")
	require.Equal(t, wire.OutcomeStored, b.answers["works"].Outcome)
}

func TestRowsThatNobodyCanDecideFailTheRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	b.rows.fault = func(step string) error {
		if step == wire.ActivityCompleteRequest {
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "no")
		}
		return nil
	}
	b.run()
	require.ErrorContains(t, b.env.GetWorkflowError(), "pending without an approval item")
}

func TestAWorkflowOfAnotherNameThanItsRequestFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.runWith(wire.RequestInput{RequestID: lifecycle.NewID()})
	require.ErrorContains(t, b.env.GetWorkflowError(), "does not name its request")
	require.Zero(t, b.rows.count(wire.ActivityLoadRequest))
}

func TestARunGoesOnWhereTheRowsAre(t *testing.T) {
	t.Parallel()
	t.Run("between two approvals", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 2)
		first := b.decision(0, lifecycle.VerdictApprove)
		b.rows.decide(lifecycle.Decision{
			ID: first.DecisionID, RequestID: first.RequestID, ItemID: first.ItemID, Approver: first.ApproverID, Verdict: first.Verdict,
		})
		b.at(time.Hour, func() { b.update("repeat", first) })
		b.at(2*time.Hour, func() { b.decide("second", 1, lifecycle.VerdictApprove) })
		b.run()
		require.NoError(t, b.env.GetWorkflowError())
		require.Equal(t, wire.OutcomeRepeated, b.answers["repeat"].Outcome)
		require.Equal(t, wire.OutcomeStored, b.answers["second"].Outcome)
		require.Equal(t, []wire.Notice{{Event: wire.EventDecisionNeeded, RequestID: b.request.ID, ItemID: b.request.Items[1].ID}},
			b.rows.notices(wire.EventDecisionNeeded))
	})
	t.Run("after the end, the requester is told if nobody had", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		d := b.decision(0, lifecycle.VerdictReject)
		b.rows.decide(lifecycle.Decision{RequestID: d.RequestID, ItemID: d.ItemID, Approver: d.ApproverID, Verdict: d.Verdict})
		b.run()
		require.NoError(t, b.env.GetWorkflowError())
		require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
	})
	t.Run("a decision that arrives with the start", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.at(0, func() { b.decide("approve", 0, lifecycle.VerdictApprove) })
		b.run()
		require.NoError(t, b.env.GetWorkflowError())
		require.Equal(t, wire.OutcomeStored, b.answers["approve"].Outcome)
	})
}

// TestAWakeUpThatGotLostIsMadeUpFor has decisions in the rows whose workflow task
// died with the worker and with Temporal: nobody waits for an answer any more.
func TestAWakeUpThatGotLostIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		decided []lifecycle.Verdict
		status  lifecycle.ApprovalStatus
	}{
		"in the middle":   {decided: []lifecycle.Verdict{lifecycle.VerdictApprove}, status: lifecycle.StatusPending},
		"of a rejection":  {decided: []lifecycle.Verdict{lifecycle.VerdictReject}, status: lifecycle.StatusRejected},
		"of the last one": {decided: []lifecycle.Verdict{lifecycle.VerdictApprove, lifecycle.VerdictApprove}, status: lifecycle.StatusApproved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 2)
			b.at(1*time.Hour, func() {
				require.False(t, b.rows.unseen(b.request.ID))
				for stage, verdict := range c.decided {
					d := b.decision(stage, verdict)
					b.rows.decide(lifecycle.Decision{RequestID: d.RequestID, ItemID: d.ItemID, Approver: d.ApproverID, Verdict: verdict})
				}
			})
			b.at(2*time.Hour, func() {
				require.True(t, b.rows.unseen(b.request.ID), "the sweep takes it up")
				b.env.SignalWorkflow(wire.SignalNudge, nil)
			})
			b.at(3*time.Hour, func() {
				require.False(t, b.rows.unseen(b.request.ID), "and leaves it")
				require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 2)
				b.decide("second", 1, lifecycle.VerdictApprove)
			})
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
			if c.status.Final() {
				require.Equal(t, c.status, b.rows.status(b.request.ID))
				require.Empty(t, b.answers, "it had ended before")
			}
		})
	}
}

// TestEveryEndIsSeen holds that no request that has ended is taken up by the
// sweep again.
func TestEveryEndIsSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		approvers int
		end       func(*bench)
		// untold is a request whose requester can never be told.
		untold bool
	}{
		"approved without approvers": {},
		"approved":                   {approvers: 1, end: func(b *bench) { b.decide("", 0, lifecycle.VerdictApprove) }},
		"rejected":                   {approvers: 2, end: func(b *bench) { b.decide("", 0, lifecycle.VerdictReject) }},
		"cancelled": {approvers: 2, end: func(b *bench) {
			b.rows.deactivate(b.request.Items[0].Approver.ID, true)
			b.env.SignalWorkflow(wire.SignalNudge, nil)
		}},
		"untold": {approvers: 1, untold: true, end: func(b *bench) { b.decide("", 0, lifecycle.VerdictApprove) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.approvers)
			b.rows.fault = func(step string) error {
				if c.untold && step == wire.ActivityNotify {
					return lifecycle.NewError(lifecycle.KindIllegalValue, "it can't be stored")
				}
				return nil
			}
			if c.end != nil {
				b.at(time.Hour, func() { c.end(b) })
			}
			b.run()
			require.NoError(t, b.env.GetWorkflowError())
			require.True(t, b.rows.status(b.request.ID).Final())
			require.False(t, b.rows.unseen(b.request.ID))
			require.Equal(t, c.untold, len(b.rows.notices(wire.EventRequestDecided))+len(b.rows.notices(wire.EventRequestCancelled)) == 0)
		})
	}
}

// continued returns what the next run starts with.
func (b *bench) continued() wire.RequestInput {
	b.t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(b.t, b.env.GetWorkflowError(), &next)
	require.Equal(b.t, wire.WorkflowRequest, next.WorkflowType.Name)
	var in wire.RequestInput
	require.NoError(b.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	return in
}

// follow is the run after b's, over the same rows.
func (b *bench) follow() *bench {
	b.t.Helper()
	next := newBench(b.t, 0)
	next.request, next.rows, next.acts.Store = b.request, b.rows, b.rows
	next.env.SetStartWorkflowOptions(client.StartWorkflowOptions{
		ID: wire.RequestWorkflowID(b.request.ID), TaskQueue: wire.QueueRequests,
	})
	return next
}

// awayAt is a fault of these attempts at a step, counted from 1.
func awayAt(step string, attempts ...int) func(string) error {
	attempt := 0
	return func(s string) error {
		if s != step {
			return nil
		}
		attempt++
		if slices.Contains(attempts, attempt) {
			return errAway
		}
		return nil
	}
}

// suggest has the history be long in the task of the message that is sent next.
// Set at once it would show in the task that the passing of time begins, before
// any message.
func (b *bench) suggest() {
	b.at(0, func() { b.env.SetContinueAsNewSuggested(true) })
}

// nudgeLong is a task that finds the history long and nothing else.
func (b *bench) nudgeLong() {
	b.suggest()
	b.env.SignalWorkflow(wire.SignalNudge, nil)
}

func TestALongHistoryGoesOnInAnother(t *testing.T) {
	t.Parallel()
	t.Run("where the rows are", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 2)
		b.at(1*time.Hour, func() { b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(0)) })
		b.at(2*time.Hour, b.nudgeLong)
		b.run()
		in := b.continued()
		require.Equal(t, b.request.ID, in.RequestID)
		require.Equal(t, b.request.Source.ID, in.SourceID)

		next := b.follow()
		next.at(time.Hour, func() { next.decide("second", 1, lifecycle.VerdictApprove) })
		next.runWith(in)
		require.NoError(t, next.env.GetWorkflowError())
		require.Equal(t, lifecycle.StatusApproved, b.rows.status(b.request.ID))
		require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
	})
	t.Run("while the requester can't be told", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.rows.fault = func(step string) error {
			if step == wire.ActivityNotify && b.rows.status(b.request.ID).Final() {
				return errAway
			}
			return nil
		}
		b.at(time.Hour, func() { b.decide("approve", 0, lifecycle.VerdictApprove) })
		b.at(time.Hour+5*time.Second, func() {
			b.env.SetCurrentHistoryLength(43)
			b.nudgeLong()
		})
		b.run()
		in := b.continued()
		require.Empty(t, b.rows.notices(wire.EventRequestDecided))

		b.rows.fault = nil
		next := b.follow()
		next.runWith(in)
		require.NoError(t, next.env.GetWorkflowError())
		require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
	})
}

func TestSignalsThatWaitWhenAHistoryIsLongAreHandledByItsRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, 3)
	b.rows.fault = awayAt(wire.ActivityDecide, 1, 3, 5)
	b.at(time.Hour, func() {
		// All but the last begin no task, so that one task finds them all.
		b.env.SignalWorkflowSkippingWorkflowTask(wire.SignalApprove, "junk")
		b.env.SignalWorkflowSkippingWorkflowTask(wire.SignalApprove, b.signalOf(0))
		b.env.SignalWorkflowSkippingWorkflowTask(wire.SignalApprove, b.signalOf(1))
		b.env.SignalWorkflowSkippingWorkflowTask(wire.SignalReject, "junk")
		b.suggest()
		b.env.SignalWorkflow(wire.SignalReject, b.signalOf(2))
	})
	b.run()
	in := b.continued()
	require.Equal(t, 2, b.counts.get("refused "+activities.RefusedMalformed))
	require.Equal(t, 2, b.counts.get("decision approve stored signal"))
	require.Equal(t, 1, b.counts.get("decision reject stored signal"))

	next := b.follow()
	next.runWith(in)
	require.NoError(t, next.env.GetWorkflowError())
	require.Zero(t, next.counts.get("decision reject stored signal"), "none of them comes twice")
	require.Len(t, b.rows.notices(wire.EventRequestDecided), 1)
}

// TestASignalOfTheTaskThatContinuesIsHandledByItsRun has a signal be what begins
// the task in which the history is found to be long.
func TestASignalOfTheTaskThatContinuesIsHandledByItsRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.at(time.Hour, func() {
		b.suggest()
		b.env.SignalWorkflow(wire.SignalApprove, b.signalOf(0))
	})
	b.run()
	b.continued()
	require.Equal(t, 1, b.counts.get("decision approve stored signal"))
}

// waits notes, from now on, how long each timer is that the workflow sets.
func (b *bench) waits() *[]time.Duration {
	waits := &[]time.Duration{}
	b.env.SetOnTimerScheduledListener(func(_ string, wait time.Duration) { *waits = append(*waits, wait) })
	return waits
}

func TestTheTaskThatAnswersAnUpdateDoesNotContinueInAnotherRun(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		// tasks are the times, after the first Update, at which the history has
		// grown by another task. The environment's does not grow by itself.
		tasks []time.Duration
		// updates are the times at which further Updates come.
		updates []time.Duration
		// fault is that of the rows.
		fault func(step string) error
	}{
		"the next one does":                        {tasks: []time.Duration{50 * ms}},
		"the next one does, whenever it comes":     {tasks: []time.Duration{250 * ms}},
		"nor does the next one if it answers one":  {tasks: []time.Duration{50 * ms, 150 * ms}, updates: []time.Duration{60 * ms}},
		"nor the same one with yet another Update": {tasks: []time.Duration{50 * ms}, updates: []time.Duration{20 * ms}},
		"nor the next one while it is at one": {
			tasks: []time.Duration{50 * ms, 5000 * ms}, updates: []time.Duration{60 * ms},
			fault: awayAt(wire.ActivityDecide, 2, 3),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 3)
			b.rows.fault = c.fault
			b.at(time.Hour, func() {
				b.suggest()
				b.decide("0", 0, lifecycle.VerdictApprove)
			})
			grown := 0
			for i, after := range c.tasks {
				b.at(time.Hour+after, func() {
					b.env.SetCurrentHistoryLength(10 * (i + 1))
					grown++
				})
			}
			for i, after := range c.updates {
				b.at(time.Hour+after, func() { b.decide(fmt.Sprint(i+1), i+1, lifecycle.VerdictApprove) })
			}
			b.run()
			b.continued()
			for i := range 1 + len(c.updates) {
				require.Equal(t, wire.OutcomeStored, b.answers[fmt.Sprint(i)].Outcome)
			}
			require.Equal(t, len(c.tasks), grown, "it continues in the last of the tasks")
		})
	}
	t.Run("a later one does at once", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 2)
		var waits *[]time.Duration
		b.at(1*time.Hour, func() { b.decide("approve", 0, lifecycle.VerdictApprove) })
		b.at(2*time.Hour, func() {
			waits = b.waits()
			b.env.SetCurrentHistoryLength(10)
			b.nudgeLong()
		})
		b.run()
		b.continued()
		require.Equal(t, wire.OutcomeStored, b.answers["approve"].Outcome)
		require.Empty(t, *waits)
	})
	t.Run("one that only refuses an Update does at once", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		var waits *[]time.Duration
		b.at(time.Hour, func() {
			waits = b.waits()
			b.suggest()
			b.update("bad", wire.Decision{})
		})
		b.run()
		b.continued()
		require.Error(t, b.rejected["bad"])
		require.Empty(t, *waits)
	})
}

func TestOverRunsAnApproverIsToldOnce(t *testing.T) {
	t.Parallel()
	t.Run("not again by any later run", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.at(time.Hour, b.nudgeLong)
		b.run()
		in := b.continued()
		require.Equal(t, b.request.Items[0].ID, in.Told)

		second := b.follow()
		second.at(time.Hour, second.nudgeLong)
		second.runWith(in)
		require.Equal(t, in, second.continued(), "what one run told the third knows too")

		third := b.follow()
		third.at(time.Hour, func() { third.decide("approve", 0, lifecycle.VerdictApprove) })
		third.runWith(in)
		require.NoError(t, third.env.GetWorkflowError())
		require.Equal(t, 2, b.rows.count(wire.ActivityNotify), "the approver and the requester, once each")
	})
	t.Run("but the next approver is", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 2)
		b.at(time.Hour, b.nudgeLong)
		b.run()
		next := b.follow()
		next.at(1*time.Hour, func() { next.decide("first", 0, lifecycle.VerdictApprove) })
		next.at(2*time.Hour, func() {
			next.env.SetCurrentHistoryLength(43)
			next.nudgeLong()
		})
		next.runWith(b.continued())
		require.Equal(t, b.request.Items[1].ID, next.continued().Told)
		require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 2)
		require.Equal(t, 2, b.rows.count(wire.ActivityNotify))
	})
	t.Run("by the next run where this one could not", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, 1)
		b.rows.fault = func(step string) error {
			if step == wire.ActivityNotify {
				return errAway
			}
			return nil
		}
		b.at(5*time.Second, b.nudgeLong)
		b.run()
		in := b.continued()
		require.Zero(t, in.Told)

		b.rows.fault = nil
		next := b.follow()
		next.at(time.Hour, func() {
			require.Len(t, b.rows.notices(wire.EventDecisionNeeded), 1)
			next.decide("approve", 0, lifecycle.VerdictApprove)
		})
		next.runWith(in)
		require.NoError(t, next.env.GetWorkflowError())
	})
}
