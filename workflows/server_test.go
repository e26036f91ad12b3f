package workflows_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// served is one request whose workflow a real server runs, over rows.
type served struct {
	t       *testing.T
	server  temporaltest.Namespace
	client  *workflowclient.Client
	rows    *rows
	counts  *counts
	request lifecycle.Request
}

// serverTimeout bounds a test on a real server.
const serverTimeout = time.Minute

func newServed(t *testing.T, approvers int) *served {
	t.Helper()
	s := &served{t: t, server: temporaltest.NewNamespace(t), rows: newRows(), counts: &counts{}}
	s.client = workflowclient.New(s.server.Client, workflowclient.Options{})
	s.request = s.rows.accept(approvers)
	require.NoError(t, s.client.StartRequest(s.context(), s.request.ID, s.request.Source.ID, len(s.request.Items)))
	return s
}

func (s *served) context() context.Context {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), serverTimeout)
	s.t.Cleanup(cancel)
	return ctx
}

// work runs workers until the test ends.
func (s *served) work() {
	s.t.Helper()
	workers := workflows.NewWorkers(s.server.Client, workflows.WorkerOptions{StopTimeout: time.Second}, newActivities(s.rows, s.client, s.counts))
	require.NoError(s.t, workers.Start(s.context()))
	s.t.Cleanup(workers.Stop)
}

// signal may be called by a step.
func (s *served) signal(name string, payload any) {
	s.t.Helper()
	assert.NoError(s.t, s.server.Client.SignalWorkflow(s.context(), s.workflow(), "", name, payload))
}

func (s *served) workflow() string { return wire.RequestWorkflowID(s.request.ID) }

// fillers are enough signals of 256 KiB: from 4 MiB on the server suggests
// another run.
const fillers = 17

// fill makes the history so large that the server suggests another run.
func (s *served) fill() {
	s.t.Helper()
	large := bytes.Repeat([]byte("x"), 256<<10)
	for range fillers {
		s.signal(wire.SignalNudge, large)
	}
}

// await waits until condition holds.
func (s *served) await(what string, condition func() bool) {
	s.t.Helper()
	require.Eventually(s.t, condition, serverTimeout, 20*time.Millisecond, what)
}

// statementTimeout is the database's: an attempt at a step ends before its own
// time-out.
const statementTimeout = workflows.StatementTimeout

// within waits until condition holds; errAway if it does not in time.
func within(limit time.Duration, condition func() bool) error {
	tick, late := time.NewTicker(50*time.Millisecond), time.After(limit)
	defer tick.Stop()
	for !condition() {
		select {
		case <-late:
			return errAway
		case <-tick.C:
		}
	}
	return nil
}

func (s *served) decision(stage int, verdict lifecycle.Verdict) lifecycle.Decision {
	item := s.request.Items[stage]
	return lifecycle.Decision{
		ID: lifecycle.DecisionID(item.ID, item.Approver.ID, verdict, ""), RequestID: s.request.ID, ItemID: item.ID,
		Approver: item.Approver.ID, Verdict: verdict, Via: lifecycle.ViaAPI,
	}
}

func (s *served) signalOf(stage int) wire.SignalDecision {
	item := s.request.Items[stage]
	return wire.SignalDecision{ItemID: item.ID.String(), ApproverID: item.Approver.ID.String()}
}

// send sends the decision, returns when the server has it, and passes on the
// answer.
func (s *served) send(d lifecycle.Decision) <-chan lifecycle.DecisionResult {
	s.t.Helper()
	ctx, answers := s.context(), make(chan lifecycle.DecisionResult, 1)
	go func() {
		defer close(answers)
		if result, err := s.client.Decide(ctx, d); err == nil {
			answers <- result
		}
	}()
	ref := &updatepb.UpdateRef{
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: s.workflow()}, UpdateId: d.ID.String(),
	}
	s.await("the server has the decision", func() bool {
		_, err := s.server.Client.WorkflowService().PollWorkflowExecutionUpdate(ctx, &workflowservice.PollWorkflowExecutionUpdateRequest{
			Namespace: s.server.Name, UpdateRef: ref,
			WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED},
		})
		return err == nil
	})
	return answers
}

// runID is the id of the newest run.
func (s *served) runID() string {
	s.t.Helper()
	described, err := s.server.Client.DescribeWorkflow(s.context(), s.workflow(), "")
	require.NoError(s.t, err)
	return described.WorkflowExecution.RunID
}

// runs returns the histories of the request's runs, the first one first, once
// the last one has ended. The code replays each of them.
func (s *served) runs() []*historypb.History {
	s.t.Helper()
	ctx := s.context()
	require.NoError(s.t, s.client.AwaitRequest(ctx, s.request.ID))
	last := s.history(ctx, "")
	run := last.Events[0].GetWorkflowExecutionStartedEventAttributes().GetFirstExecutionRunId()
	var runs []*historypb.History
	for run != "" {
		history := s.history(ctx, run)
		requireReplay(s.t, history)
		runs = append(runs, history)
		run = history.Events[len(history.Events)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return runs
}

func (s *served) history(ctx context.Context, run string) *historypb.History {
	s.t.Helper()
	history, err := s.readHistory(ctx, run)
	require.NoError(s.t, err)
	return history
}

func (s *served) readHistory(ctx context.Context, run string) (*historypb.History, error) {
	history := &historypb.History{}
	events := s.server.Client.GetWorkflowHistory(ctx, s.workflow(), run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, err
		}
		history.Events = append(history.Events, event)
	}
	return history, nil
}

// requireReplay runs the workflow against the history of a run.
func requireReplay(t *testing.T, history *historypb.History) {
	t.Helper()
	started := history.Events[0].GetWorkflowExecutionStartedEventAttributes()
	w, replayer := &workflows.Workflows{}, worker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(w.RequestWorkflow, workflow.RegisterOptions{Name: wire.WorkflowRequest})
	require.NoError(t, replayer.ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	}))
}

// events returns those of one type.
func events(history *historypb.History, of enumspb.EventType) []*historypb.HistoryEvent {
	var found []*historypb.HistoryEvent
	for _, event := range history.Events {
		if event.GetEventType() == of {
			found = append(found, event)
		}
	}
	return found
}

// requireLeftBehind checks that the run continued in a later task than the one
// that answered its only Update.
func requireLeftBehind(t *testing.T, history *historypb.History) {
	t.Helper()
	answered := events(history, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
	continued := events(history, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
	require.Len(t, answered, 1)
	require.Len(t, continued, 1)
	require.Less(t, taskOf(history, answered[0]), taskOf(history, continued[0]))
}

// taskOf returns the event that ended the workflow task which brought event.
func taskOf(history *historypb.History, event *historypb.HistoryEvent) int64 {
	var task int64
	for _, end := range events(history, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
		if end.GetEventId() < event.GetEventId() {
			task = end.GetEventId()
		}
	}
	return task
}

func TestAServerGetsNoUpdateAnsweredInTheTaskThatContinues(t *testing.T) {
	t.Parallel()
	t.Run("when the history is long before the Update", func(t *testing.T) {
		t.Parallel()
		s := newServed(t, 1)
		s.fill()
		answer := s.send(s.decision(0, lifecycle.VerdictApprove))
		s.work()
		require.Equal(t, lifecycle.DecisionStored, (<-answer).Outcome)
		runs := s.runs()
		require.Len(t, runs, 2)
		requireLeftBehind(t, runs[0])
		require.Equal(t, lifecycle.StatusApproved, s.rows.status(s.request.ID))
		require.Len(t, s.rows.notices(wire.EventRequestDecided), 1)
	})
	t.Run("when the step of the Update outlives its task", func(t *testing.T) {
		t.Parallel()
		s := newServed(t, 1)
		s.fill()
		answer := s.send(s.decision(0, lifecycle.VerdictApprove))
		ctx := s.context()
		s.rows.fault = func(step string) error {
			if step != wire.ActivityDecide {
				return nil
			}
			return within(statementTimeout, func() bool {
				history, err := s.readHistory(ctx, "")
				return err == nil && len(events(history, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)) > 0
			})
		}
		s.work()
		require.Equal(t, lifecycle.DecisionStored, (<-answer).Outcome)
		runs := s.runs()
		require.Len(t, runs, 2)
		requireLeftBehind(t, runs[0])
		require.Greater(t, s.rows.count(wire.ActivityDecide), 1)
	})
}

func TestAServerGetsTheSignalsOfARunHandledByIt(t *testing.T) {
	t.Parallel()
	atOnce := func(_ *served, signal func()) { signal() }
	withinTask := func(s *served, signal func()) {
		var once sync.Once
		s.rows.fault = func(step string) error {
			if step == wire.ActivityLoadRequest {
				once.Do(signal)
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		send func(s *served, signal func())
		// again is how many tasks the server has done again, since they did not
		// know of a signal.
		again int
	}{
		"that wait when the history is long":                {send: atOnce},
		"that come while the task runs that would continue": {send: withinTask, again: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServed(t, 2)
			s.fill()
			c.send(s, func() {
				s.signal(wire.SignalApprove, s.signalOf(0))
				s.signal(wire.SignalApprove, "junk")
				s.signal(wire.SignalReject, s.signalOf(1))
			})
			s.work()
			runs := s.runs()
			require.Len(t, runs, 2)
			again := 0
			for _, event := range events(runs[0], enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED) {
				if event.GetWorkflowTaskFailedEventAttributes().GetCause() == enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND {
					again++
				}
			}
			require.Equal(t, c.again, again)
			require.Len(t, events(runs[0], enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), fillers+3)
			require.Empty(t, events(runs[1], enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED))
			require.Equal(t, lifecycle.StatusRejected, s.rows.status(s.request.ID))
			require.Equal(t, 1, s.counts.get("decision approve stored signal"))
			require.Equal(t, 1, s.counts.get("decision reject stored signal"))
			require.Len(t, s.rows.notices(wire.EventRequestDecided), 1)
		})
	}
}

func TestAServerGetsAnApproverToldOnceOverTwoRuns(t *testing.T) {
	t.Parallel()
	s := newServed(t, 1)
	s.work()
	first := s.runID()
	s.await("the approver is told", func() bool { return len(s.rows.notices(wire.EventDecisionNeeded)) == 1 })
	s.fill()
	s.await("another run goes on", func() bool {
		// What came while a task ran counts from the task after the next one.
		s.signal(wire.SignalNudge, nil)
		return s.runID() != first
	})
	require.Equal(t, lifecycle.DecisionStored, (<-s.send(s.decision(0, lifecycle.VerdictApprove))).Outcome)
	require.Len(t, s.runs(), 2)
	require.Equal(t, 2, s.rows.count(wire.ActivityNotify), "the approver and the requester")
}
