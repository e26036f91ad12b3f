package workflowclient_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows/wire"
)

const (
	// testTimeout bounds what should not take long.
	testTimeout = 30 * time.Second
	// noAnswerTimeout is what a call that gets no answer waits for: long enough
	// for it to reach its workflow on a busy machine.
	noAnswerTimeout = 5 * time.Second
)

// bench is a client on a namespace that has no worker.
type bench struct {
	*workflowclient.Client
	t      *testing.T
	server temporaltest.Namespace
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, server: temporaltest.NewNamespace(t)}
	b.Client = workflowclient.New(b.server.Client, workflowclient.Options{})
	return b
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// await waits until condition holds.
func (b *bench) await(what string, condition func() bool) {
	b.t.Helper()
	require.Eventually(b.t, condition, testTimeout, 20*time.Millisecond, what)
}

// start starts the workflow of a new request.
func (b *bench) start() lifecycle.ID {
	b.t.Helper()
	request := lifecycle.NewID()
	require.NoError(b.t, b.StartRequest(within(b.t, testTimeout), request, lifecycle.NewID(), 0))
	return request
}

// terminate ends the run of a request, which needs no worker.
func (b *bench) terminate(request lifecycle.ID) {
	b.t.Helper()
	require.NoError(b.t, b.server.Client.TerminateWorkflow(within(b.t, testTimeout), wire.RequestWorkflowID(request), "", "a test"))
}

// run is the id of the newest run of a request.
func (b *bench) run(request lifecycle.ID) string {
	b.t.Helper()
	described, err := b.server.Client.DescribeWorkflow(within(b.t, testTimeout), wire.RequestWorkflowID(request), "")
	require.NoError(b.t, err)
	return described.WorkflowExecution.RunID
}

// events are those of one type in the newest run of a request.
func (b *bench) events(request lifecycle.ID, of enumspb.EventType) []*historypb.HistoryEvent {
	b.t.Helper()
	var found []*historypb.HistoryEvent
	events := b.server.Client.GetWorkflowHistory(within(b.t, testTimeout), wire.RequestWorkflowID(request), "", false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(b.t, err)
		if event.GetEventType() == of {
			found = append(found, event)
		}
	}
	return found
}

// started returns how the newest run of a request was started, and with what.
func (b *bench) started(request lifecycle.ID) (*historypb.WorkflowExecutionStartedEventAttributes, wire.RequestInput) {
	b.t.Helper()
	started := b.events(request, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)[0].GetWorkflowExecutionStartedEventAttributes()
	var in wire.RequestInput
	require.NoError(b.t, converter.GetDefaultDataConverter().FromPayloads(started.GetInput(), &in))
	return started, in
}

// Signals that tell a scripted run how to go on.
const (
	signalEnd      = "test-end"
	signalFail     = "test-fail"
	signalContinue = "test-continue"
)

var errScripted = errors.New("as the script says")

// script stands for the workflow of a request: it answers decisions as it is
// told, and ends by a signal.
type script struct {
	mutex sync.Mutex
	// answers are those still to be given, by item.
	answers map[lifecycle.ID][]answer
	// came are the decisions that were answered, in their order.
	came []wire.Decision
	// refusals are the items of the decisions that the validator refused.
	refusals []lifecycle.ID
}

// answer is how an Update ends.
type answer struct {
	result wire.DecisionResult
	err    error
	// never leaves the Update without an end.
	never bool
	// refuse has the validator refuse it with err.
	refuse bool
}

func outcome(o string) answer { return answer{result: wire.DecisionResult{Outcome: o}} }

// work has the namespace served by a script.
func (b *bench) work() *script {
	b.t.Helper()
	s := &script{answers: map[lifecycle.ID][]answer{}}
	w := worker.New(b.server.Client, wire.QueueRequests, worker.Options{DisableRegistrationAliasing: true})
	w.RegisterWorkflowWithOptions(s.workflow, workflow.RegisterOptions{Name: wire.WorkflowRequest})
	require.NoError(b.t, w.Start())
	b.t.Cleanup(w.Stop)
	return s
}

func (s *script) workflow(ctx workflow.Context, in wire.RequestInput) error {
	err := workflow.SetUpdateHandlerWithOptions(ctx, wire.UpdateDecide,
		func(ctx workflow.Context, d wire.Decision) (wire.DecisionResult, error) {
			a := s.next(d)
			if a.never {
				_ = workflow.Await(ctx, func() bool { return false })
			}
			a.result.Call = d.Call
			return a.result, a.err
		},
		workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, d wire.Decision) error {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			if left := s.answers[d.ItemID]; len(left) > 0 && left[0].refuse {
				s.refusals = append(s.refusals, d.ItemID)
				return left[0].err
			}
			return nil
		}})
	if err != nil {
		return err
	}
	selector := workflow.NewSelector(ctx)
	on := func(signal string, ending error) {
		selector.AddReceive(workflow.GetSignalChannel(ctx, signal), func(c workflow.ReceiveChannel, _ bool) {
			c.Receive(ctx, nil)
			err = ending
		})
	}
	on(signalEnd, nil)
	on(signalFail, errScripted)
	on(signalContinue, workflow.NewContinueAsNewError(ctx, wire.WorkflowRequest, in))
	selector.Select(ctx)
	return err
}

// next takes the next answer about the item; the last one stands for all
// further ones.
func (s *script) next(d wire.Decision) answer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.came = append(s.came, d)
	left := s.answers[d.ItemID]
	if len(left) > 1 {
		s.answers[d.ItemID] = left[1:]
	}
	return left[0]
}

// give has the decision get these answers, one for each time that it is handled.
func (s *script) give(d lifecycle.Decision, answers ...answer) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.answers[d.ItemID] = answers
}

// handled are the decisions with the item of d that the workflow was given.
func (s *script) handled(d lifecycle.Decision) []wire.Decision {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.DeleteFunc(slices.Clone(s.came), func(came wire.Decision) bool { return came.ItemID != d.ItemID })
}

// refused is how often the validator refused a decision with the item of d.
func (s *script) refused(d lifecycle.Decision) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	n := 0
	for _, item := range s.refusals {
		if item == d.ItemID {
			n++
		}
	}
	return n
}

func newDecision() lifecycle.Decision {
	return lifecycle.Decision{
		ID: lifecycle.NewID(), RequestID: lifecycle.NewID(), ItemID: lifecycle.NewID(), Approver: lifecycle.NewID(),
		Verdict: lifecycle.VerdictReject, Via: lifecycle.ViaAPI,
	}
}

func (b *bench) signal(request lifecycle.ID, name string) {
	b.t.Helper()
	require.NoError(b.t, b.server.Client.SignalWorkflow(within(b.t, testTimeout), wire.RequestWorkflowID(request), "", name, nil))
}

// requireUnavailable checks an error that says no more than that an answer is
// missing.
func requireUnavailable(t *testing.T, err error) {
	t.Helper()
	var told *lifecycle.Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, lifecycle.KindUnavailable, told.Kind)
	require.NotContains(t, told.Message, "failed")
}
