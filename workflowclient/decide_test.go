package workflowclient_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflows/wire"
)

func TestADecisionWithoutAWorkerGetsNoAnswerInTime(t *testing.T) {
	t.Parallel()
	b, d := newBench(t), newDecision()
	begin := time.Now()
	_, err := b.Decide(within(t, noAnswerTimeout), d)
	requireUnavailable(t, err)
	require.Less(t, time.Since(begin), testTimeout)
	require.Contains(t, err.Error(), "may still go through")
	is, err := b.RequestRunning(within(t, testTimeout), d.RequestID)
	require.NoError(t, err)
	require.True(t, is, "its workflow waits for a worker")

	s := b.work()
	s.give(d, outcome(wire.OutcomeStored))
	result, err := b.Decide(within(t, testTimeout), d)
	require.NoError(t, err)
	require.Equal(t, lifecycle.DecisionStored, result.Outcome, "sent again it gets the outcome")
}

func TestOnlySoManyDecisionsWaitAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Client = workflowclient.New(b.server.Client, workflowclient.Options{Decisions: 1})
	first, waiting := newDecision(), make(chan error, 1)
	ctx, giveUp := context.WithCancel(within(t, testTimeout))
	go func() {
		_, err := b.Decide(ctx, first)
		waiting <- err
	}()
	b.await("the first decision is on its way", func() bool {
		is, err := b.RequestRunning(within(t, testTimeout), first.RequestID)
		return err == nil && is
	})
	second := newDecision()
	_, err := b.Decide(within(t, testTimeout), second)
	requireUnavailable(t, err)
	require.Contains(t, err.Error(), "Too many decisions")
	is, err := b.RequestRunning(within(t, testTimeout), second.RequestID)
	require.NoError(t, err)
	require.False(t, is, "it did not reach Temporal")

	giveUp()
	requireUnavailable(t, <-waiting)
	s := b.work()
	s.give(second, outcome(wire.OutcomeStored))
	_, err = b.Decide(within(t, testTimeout), second)
	require.NoError(t, err, "one that waits no more makes room")
}

func TestADecisionReachesTheWorkflowAndBringsItsOutcomeBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.work()
	for told, want := range map[string]lifecycle.DecisionOutcome{
		wire.OutcomeStored:       lifecycle.DecisionStored,
		wire.OutcomeRepeated:     lifecycle.DecisionRepeated,
		wire.OutcomeNotDecidable: lifecycle.DecisionNotDecidable,
		wire.OutcomeForbidden:    lifecycle.DecisionForbidden,
		wire.OutcomeGone:         lifecycle.DecisionGone,
		wire.OutcomeOwnRequest:   lifecycle.DecisionOwnRequest,
	} {
		for _, runs := range []string{"no run", "a run", "an ended run"} {
			t.Run(told+" with "+runs, func(t *testing.T) {
				t.Parallel()
				d := newDecision()
				s.give(d, answer{result: wire.DecisionResult{
					Outcome: told, ItemStatus: lifecycle.StatusRejected, RequestStatus: lifecycle.StatusCancelled,
				}})
				if runs != "no run" {
					require.NoError(t, b.StartRequest(within(t, testTimeout), d.RequestID, lifecycle.NewID(), 0))
				}
				if runs == "an ended run" {
					b.terminate(d.RequestID)
				}
				got, err := b.Decide(within(t, testTimeout), d)
				require.NoError(t, err)
				require.Equal(t, lifecycle.DecisionResult{
					Outcome: want, Status: lifecycle.StatusRejected, Request: lifecycle.StatusCancelled,
				}, got)
				handled := s.handled(d)
				require.Len(t, handled, 1)
				call := handled[0].Call
				require.False(t, call.IsZero())
				require.Equal(t, wire.Decision{
					RequestID: d.RequestID, ItemID: d.ItemID, ApproverID: d.Approver, DecisionID: d.ID,
					Verdict: d.Verdict, Via: wire.ViaAPI, Call: call,
				}, handled[0])
			})
		}
	}
}

func TestADecisionSentAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.work()
	decide := func(t *testing.T, d lifecycle.Decision) lifecycle.DecisionOutcome {
		t.Helper()
		result, err := b.Decide(within(t, testTimeout), d)
		require.NoError(t, err)
		return result.Outcome
	}
	t.Run("gets the verdict without troubling the workflow", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, outcome(wire.OutcomeStored), outcome(wire.OutcomeNotDecidable))
		require.Equal(t, lifecycle.DecisionStored, decide(t, d))
		require.Equal(t, lifecycle.DecisionStored, decide(t, d))
		require.Len(t, s.handled(d), 1)
	})
	t.Run("is judged anew where it was refused", func(t *testing.T) {
		t.Parallel()
		for _, refusal := range []string{wire.OutcomeNotDecidable, wire.OutcomeForbidden, wire.OutcomeGone} {
			d := newDecision()
			s.give(d, outcome(refusal), outcome(refusal), outcome(wire.OutcomeStored))
			require.NotEqual(t, lifecycle.DecisionStored, decide(t, d))
			require.NotEqual(t, lifecycle.DecisionStored, decide(t, d))
			require.Equal(t, lifecycle.DecisionStored, decide(t, d), "refused twice, and then ready")
			require.Len(t, s.handled(d), 3, "each sending got an answer of its own")
		}
	})
	t.Run("many times at once is one", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, outcome(wire.OutcomeStored), outcome(wire.OutcomeNotDecidable))
		ctx := within(t, testTimeout)
		outcomes, faults := make([]lifecycle.DecisionOutcome, 8), make([]error, 8)
		var group sync.WaitGroup
		for i := range outcomes {
			group.Go(func() {
				result, err := b.Decide(ctx, d)
				outcomes[i], faults[i] = result.Outcome, err
			})
		}
		group.Wait()
		require.NoError(t, errors.Join(faults...))
		require.Equal(t, make([]lifecycle.DecisionOutcome, 8), outcomes, "stored")
		require.Len(t, s.handled(d), 1)
	})
}

func TestADecisionIsSentAgainByItself(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.work()
	broken := answer{err: temporal.NewNonRetryableApplicationError("Decide: unavailable", lifecycle.KindUnavailable.String(), nil)}
	t.Run("where its Update came to nothing", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, broken, broken, outcome(wire.OutcomeStored))
		result, err := b.Decide(within(t, testTimeout), d)
		require.NoError(t, err)
		require.Equal(t, lifecycle.DecisionStored, result.Outcome)
		require.Len(t, s.handled(d), 3)
	})
	t.Run("where the run ended before its answer", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, answer{never: true}, outcome(wire.OutcomeStored))
		type answered struct {
			result lifecycle.DecisionResult
			err    error
		}
		returned := make(chan answered, 1)
		ctx := within(t, testTimeout)
		go func() {
			result, err := b.Decide(ctx, d)
			returned <- answered{result, err}
		}()
		b.await("the workflow has it", func() bool { return len(s.handled(d)) == 1 })
		b.signal(d.RequestID, signalEnd)
		got := <-returned
		require.NoError(t, got.err)
		require.Equal(t, lifecycle.DecisionStored, got.result.Outcome)
		require.Len(t, s.handled(d), 2)
	})
	t.Run("but not for ever", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, broken)
		_, err := b.Decide(within(t, testTimeout), d)
		requireUnavailable(t, err)
		require.Len(t, s.handled(d), 3)
	})
	t.Run("nor past its deadline", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, answer{never: true})
		_, err := b.Decide(within(t, noAnswerTimeout), d)
		requireUnavailable(t, err)
		require.Len(t, s.handled(d), 1)
	})
	t.Run("nor where the workflow can't read it", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, answer{refuse: true, err: temporal.NewNonRetryableApplicationError(
			"the decision lacks an id", lifecycle.KindBadRequest.String(), nil)})
		_, err := b.Decide(within(t, testTimeout), d)
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
		require.Empty(t, s.handled(d))
		require.Equal(t, 1, s.refused(d))
	})
	t.Run("nor where its outcome is one of a newer worker", func(t *testing.T) {
		t.Parallel()
		d := newDecision()
		s.give(d, outcome("delegated"))
		_, err := b.Decide(within(t, testTimeout), d)
		requireUnavailable(t, err)
		require.Len(t, s.handled(d), 1)
	})
}
