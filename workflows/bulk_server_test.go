package workflows_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// servedBulk is bulk work that a real server runs, over rows.
type servedBulk struct {
	t      *testing.T
	server temporaltest.Namespace
	client *workflowclient.Client
	rows   *bulkRows
	acts   *activities.Activities
	source lifecycle.ID
}

func newServedBulk(t *testing.T) *servedBulk {
	t.Helper()
	s := &servedBulk{t: t, server: temporaltest.NewNamespace(t), rows: newBulkRows(), source: lifecycle.NewID()}
	s.client = workflowclient.New(s.server.Client, workflowclient.Options{})
	s.acts = newBulkActivities(s.rows, s.client)
	return s
}

func (s *servedBulk) context() context.Context {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), serverTimeout)
	s.t.Cleanup(cancel)
	return ctx
}

// work runs workers until stop is called or the test ends.
func (s *servedBulk) work() (stop func()) {
	s.t.Helper()
	workers := workflows.NewWorkers(s.server.Client, workflows.WorkerOptions{StopTimeout: 5 * time.Second}, s.acts)
	require.NoError(s.t, workers.Start(s.context()))
	s.t.Cleanup(workers.Stop)
	return workers.Stop
}

func (s *servedBulk) await(what string, condition func() bool) {
	s.t.Helper()
	require.Eventually(s.t, condition, serverTimeout, 20*time.Millisecond, what)
}

func (s *servedBulk) wake() {
	s.t.Helper()
	require.NoError(s.t, s.client.WakeImports(s.context(), s.source))
}

// ended waits until the latest run of a workflow has ended, lets the code replay
// it, and returns its history.
func (s *servedBulk) ended(id string) *historypb.History {
	s.t.Helper()
	_ = s.server.Client.GetWorkflow(s.context(), id, "").Get(s.context(), nil)
	history := s.history(id)
	started := history.Events[0].GetWorkflowExecutionStartedEventAttributes()
	w, replayer := &workflows.Workflows{}, worker.NewWorkflowReplayer()
	for name, definition := range map[string]any{
		wire.WorkflowImports: w.ImportsWorkflow, wire.WorkflowImport: w.ImportWorkflow,
		wire.WorkflowExport: w.ExportWorkflow, wire.WorkflowScheduledExport: w.ScheduledExportWorkflow,
	} {
		replayer.RegisterWorkflowWithOptions(definition, workflow.RegisterOptions{Name: name})
	}
	silent := temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	require.NoError(s.t, replayer.ReplayWorkflowHistoryWithOptions(silent, history, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: id, RunID: started.GetOriginalExecutionRunId()},
	}))
	return history
}

func (s *servedBulk) history(id string) *historypb.History {
	s.t.Helper()
	history := &historypb.History{}
	all := s.server.Client.GetWorkflowHistory(s.context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		event, err := all.Next()
		require.NoError(s.t, err)
		history.Events = append(history.Events, event)
	}
	return history
}

func (s *servedBulk) execution(id string) *workflowservice.DescribeWorkflowExecutionResponse {
	s.t.Helper()
	answer, err := s.server.Client.DescribeWorkflowExecution(s.context(), id, "")
	require.NoError(s.t, err)
	return answer
}

// keyword returns a search attribute of a workflow.
func (s *servedBulk) keyword(id, attribute string) string {
	s.t.Helper()
	var value string
	payload, ok := s.execution(id).GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[attribute]
	if ok {
		require.NoError(s.t, converter.GetDefaultDataConverter().FromPayload(payload, &value))
	}
	return value
}

// details are what the Web UI shows of a workflow; a worker must run.
func (s *servedBulk) details(id string) string {
	s.t.Helper()
	answer, err := s.server.Client.QueryWorkflow(s.context(), id, "", "__temporal_workflow_metadata")
	require.NoError(s.t, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(s.t, answer.Get(&metadata))
	return metadata.GetCurrentDetails()
}

func TestAServerHasImportsTakenInOrderAndShown(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	s.rows.chunk = 40
	jobs := []lifecycle.ID{s.rows.seal(s.source, 100), s.rows.seal(s.source, 1)}
	s.wake()
	s.work()
	coordinator := wire.ImportsWorkflowID(s.source)
	history := s.ended(coordinator)
	require.Len(t, events(history, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED), 1)
	require.Equal(t, jobs, s.rows.subjects(wire.ActivityApplyImport))
	require.Equal(t, "imports", s.keyword(coordinator, wire.AttributeKind))
	require.Equal(t, s.source.String(), s.keyword(coordinator, wire.AttributeSource))

	job := wire.ImportWorkflowID(jobs[0])
	history = s.ended(job)
	require.Len(t, events(history, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED), 3)
	require.Equal(t, "import of source "+s.source.String()+
		": 100 of 100 rows done, 100 created, 0 updated, 0 unchanged, 0 failed; 1 more imports wait", s.details(job))
	for attribute, value := range map[string]string{
		wire.AttributeKind: "import", wire.AttributeSource: s.source.String(),
		wire.AttributeStatus: "COMPLETED", wire.AttributeStage: "ended",
	} {
		require.Equal(t, value, s.keyword(job, attribute))
	}
	var stages int
	for _, event := range events(history, enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) {
		if _, ok := event.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()[wire.AttributeStage]; ok {
			stages++
		}
	}
	require.Equal(t, 4, stages, "0%, 40%, 80%, ended")
	var p wire.ImportProgress
	answer, err := s.server.Client.QueryWorkflow(s.context(), job, "", wire.QueryProgress)
	require.NoError(t, err)
	require.NoError(t, answer.Get(&p))
	require.Equal(t, 100, p.Done)
}

func TestAServerShowsThatAnImportIsGone(t *testing.T) {
	t.Parallel()
	s, job := newServedBulk(t), lifecycle.NewID()
	id := wire.ImportWorkflowID(job)
	_, err := s.server.Client.ExecuteWorkflow(s.context(), client.StartWorkflowOptions{ID: id, TaskQueue: wire.QueueBulk},
		wire.WorkflowImport, wire.ImportInput{JobID: job, SourceID: s.source})
	require.NoError(t, err)
	s.work()
	s.ended(id)
	require.Equal(t, "import of source "+s.source.String()+": gone, its source was deleted", s.details(id))
	require.Equal(t, "ended", s.keyword(id, wire.AttributeStage))
}

// The wait of the workflow ends while nobody works, and a wake comes before
// somebody does: both reach it in one task.
func TestAServerLosesNoWakeThatComesWithTheEndOfTheWait(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	first := s.rows.seal(s.source, 1)
	s.wake()
	stop := s.work()
	id := wire.ImportsWorkflowID(s.source)
	s.await("the workflow waits for another import", func() bool {
		return len(events(s.history(id), enumspb.EVENT_TYPE_TIMER_STARTED)) == 1
	})
	stop()
	s.await("the wait is over", func() bool {
		return len(events(s.history(id), enumspb.EVENT_TYPE_TIMER_FIRED)) == 1
	})
	require.Empty(t, events(s.history(id), enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED))
	second := s.rows.seal(s.source, 1)
	s.wake()
	s.work()
	history := s.ended(id)
	require.Len(t, events(history, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 2)
	require.Equal(t, []lifecycle.ID{first, second}, s.rows.subjects(wire.ActivityApplyImport))
}

func TestAServerHasAnImportThatWasTerminatedTakenUpAgain(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	job := s.rows.seal(s.source, 1)
	id := wire.ImportWorkflowID(job)
	s.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityApplyImport && s.rows.count(call.step) == 1 {
			return s.server.Client.TerminateWorkflow(t.Context(), id, "", "by hand")
		}
		return nil
	}
	s.rows.chunk = 1
	s.rows.imports[0].Total = 2
	s.wake()
	s.work()
	history := s.ended(wire.ImportsWorkflowID(s.source))
	require.Len(t, events(history, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED), 1)
	require.Len(t, events(history, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED), 1)
	require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
	s.ended(id)
}

func TestAServerHasAnImportThatRunsByHandWaitedFor(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	job := s.rows.seal(s.source, 1)
	id := wire.ImportWorkflowID(job)
	s.rows.fault = func(call bulkCall) error {
		if call.step != wire.ActivityApplyImport {
			return nil
		}
		return within(statementTimeout, func() bool {
			return len(events(s.history(wire.ImportsWorkflowID(s.source)), enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)) > 0
		})
	}
	_, err := s.server.Client.ExecuteWorkflow(s.context(), client.StartWorkflowOptions{ID: id, TaskQueue: wire.QueueBulk},
		wire.WorkflowImport, wire.ImportInput{JobID: job, SourceID: s.source})
	require.NoError(t, err)
	s.wake()
	s.work()
	s.ended(wire.ImportsWorkflowID(s.source))
	require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
	require.Equal(t, 1, s.rows.count(wire.ActivityApplyImport))
}

func TestAServerEndsTheImportOfACoordinatorThatEnds(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	s.rows.chunk = 1
	job := s.rows.seal(s.source, 2)
	s.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityApplyImport {
			return errAway
		}
		return nil
	}
	s.wake()
	s.work()
	s.await("the import is under way", func() bool { return s.rows.count(wire.ActivityApplyImport) > 0 })
	require.NoError(t, s.server.Client.TerminateWorkflow(s.context(), wire.ImportsWorkflowID(s.source), "", "by hand"))
	s.await("the import's workflow has ended", func() bool {
		return s.execution(wire.ImportWorkflowID(job)).GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
	})
	s.rows.mutex.Lock()
	s.rows.fault = nil
	s.rows.mutex.Unlock()
	started, err := s.client.EnsureImports(s.context(), s.source)
	require.NoError(t, err)
	require.True(t, started)
	s.ended(wire.ImportsWorkflowID(s.source))
	require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
}

func TestAWorkerThatStopsHandsItsImportOver(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	s.acts.Bulk.Turn = time.Hour
	s.rows.chunk = 1
	job := s.rows.seal(s.source, 1<<30)
	tick := time.NewTicker(10 * time.Millisecond)
	t.Cleanup(tick.Stop)
	s.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityApplyImport {
			<-tick.C
		}
		return nil
	}
	s.wake()
	stop := s.work()
	s.await("the import is under way", func() bool { return s.rows.count(wire.ActivityApplyImport) > 3 })
	stop()
	s.await("its turn is over", func() bool {
		return len(events(s.history(wire.ImportWorkflowID(job)), enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)) == 1
	})
	s.rows.mutex.Lock()
	s.rows.imports[0].CancelRequested = true
	s.rows.mutex.Unlock()
	s.work()
	history := s.ended(wire.ImportWorkflowID(job))
	require.Len(t, events(history, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED), 2)
	require.Empty(t, events(history, enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED))
	require.Empty(t, events(history, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT))
	require.Equal(t, lifecycle.JobCancelled, s.rows.status(job))
}

func TestSourcesShareTheSlotsAndNoneIsForgotten(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	s.rows.chunk = 1
	const sources, each = 8, 3
	s.work()
	jobs := map[lifecycle.ID][]lifecycle.ID{}
	for range each {
		for i := range sources {
			source := lifecycle.ID{15: byte(i + 1)}
			jobs[source] = append(jobs[source], s.rows.seal(source, 3))
			require.NoError(t, s.client.WakeImports(s.context(), source))
		}
	}
	for source, waiting := range jobs {
		for _, job := range waiting {
			s.await("the import is done", func() bool { return s.rows.status(job) == lifecycle.JobCompleted })
		}
		s.ended(wire.ImportsWorkflowID(source))
	}
	order := s.rows.subjects(wire.ActivityApplyImport)
	for _, waiting := range jobs {
		var mine []lifecycle.ID
		for _, job := range order {
			for _, own := range waiting {
				if job == own && (len(mine) == 0 || mine[len(mine)-1] != job) {
					mine = append(mine, job)
				}
			}
		}
		require.Equal(t, waiting, mine, "each source's in their order")
	}
}

func TestAServerHasAnExportWritten(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	job := s.rows.ask(s.source)
	require.NoError(t, s.client.StartExport(s.context(), job, s.source))
	s.work()
	id := wire.ExportWorkflowID(job)
	s.ended(id)
	require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
	require.Equal(t, "export of source "+s.source.String()+": 20000 rows, 3000000 bytes", s.details(id))
	for attribute, value := range map[string]string{
		wire.AttributeKind: "export", wire.AttributeSource: s.source.String(),
		wire.AttributeStatus: "COMPLETED", wire.AttributeStage: "ended",
	} {
		require.Equal(t, value, s.keyword(id, attribute))
	}
}

// Imports hold all the slots that they have, and an export is written
// nevertheless: from a queue of its own.
func TestAnExportDoesNotWaitForImports(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	release := make(chan struct{})
	var once sync.Once
	letGo := func() { once.Do(func() { close(release) }) }
	s.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityApplyImport {
			<-release
		}
		return nil
	}
	var imports []lifecycle.ID
	for range workflows.DefaultBulkConcurrency {
		source := lifecycle.NewID()
		imports = append(imports, s.rows.seal(source, 1))
		require.NoError(t, s.client.WakeImports(s.context(), source))
	}
	s.work()
	t.Cleanup(letGo)
	s.await("imports hold every slot", func() bool { return s.rows.count(wire.ActivityApplyImport) == len(imports) })
	job := s.rows.ask(s.source)
	require.NoError(t, s.client.StartExport(s.context(), job, s.source))
	s.await("the export is written", func() bool { return s.rows.status(job) == lifecycle.JobCompleted })
	history := s.ended(wire.ExportWorkflowID(job))
	scheduled := events(history, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
	require.Len(t, scheduled, 1)
	require.Equal(t, wire.QueueExports, scheduled[0].GetActivityTaskScheduledEventAttributes().GetTaskQueue().GetName())
	letGo()
	for _, each := range imports {
		s.await("the import is done", func() bool { return s.rows.status(each) == lifecycle.JobCompleted })
	}
}

// Exports that were on their way before they had a queue of their own are written
// from the other.
func TestAnExportThatIsInTheOldQueueIsWritten(t *testing.T) {
	t.Parallel()
	s := newServedBulk(t)
	old := worker.New(s.server.Client, "old", worker.Options{})
	old.RegisterWorkflowWithOptions(func(ctx workflow.Context, in wire.ExportInput) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: wire.QueueBulk, ScheduleToCloseTimeout: serverTimeout,
		})
		return workflow.ExecuteActivity(ctx, wire.ActivityWriteExport, in).Get(ctx, nil)
	}, workflow.RegisterOptions{Name: wire.WorkflowExport})
	require.NoError(t, old.Start())
	t.Cleanup(old.Stop)
	job := s.rows.ask(s.source)
	run, err := s.server.Client.ExecuteWorkflow(s.context(), client.StartWorkflowOptions{TaskQueue: "old"},
		wire.WorkflowExport, wire.ExportInput{JobID: job, SourceID: s.source})
	require.NoError(t, err)
	s.work()
	require.NoError(t, run.Get(s.context(), nil))
	require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
}

// scheduled saves a schedule, has it run at once and returns the id of the run.
func (s *servedBulk) scheduled(schedule lifecycle.ID) string {
	s.t.Helper()
	require.NoError(s.t, s.client.SaveExportSchedule(s.context(), lifecycle.ExportSchedule{
		ID: schedule, SourceID: s.source, Cron: "0 0 29 2 *", Zone: "UTC", Keep: 1,
	}))
	handle := s.server.Client.ScheduleClient().GetHandle(s.context(), wire.ExportScheduleID(schedule))
	require.NoError(s.t, handle.Trigger(s.context(), client.ScheduleTriggerOptions{}))
	var id string
	s.await("the schedule has run", func() bool {
		d, err := handle.Describe(s.context())
		require.NoError(s.t, err)
		if len(d.Info.RecentActions) > 0 {
			id = d.Info.RecentActions[0].StartWorkflowResult.WorkflowID
		}
		return id != ""
	})
	return id
}

func TestAServerRunsASchedule(t *testing.T) {
	t.Parallel()
	t.Run("and an export comes of it", func(t *testing.T) {
		t.Parallel()
		s, schedule := newServedBulk(t), lifecycle.NewID()
		s.rows.schedules[schedule] = s.source
		id := s.scheduled(schedule)
		s.work()
		history := s.ended(id)
		require.Len(t, events(history, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED), 1)
		require.Len(t, s.rows.exports, 1)
		for job := range s.rows.exports {
			require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
			s.ended(wire.ExportWorkflowID(job))
		}
		require.Equal(t, "scheduled_export", s.keyword(id, wire.AttributeKind))
	})
	t.Run("whose export the sweep has begun already", func(t *testing.T) {
		t.Parallel()
		s, schedule := newServedBulk(t), lifecycle.NewID()
		s.rows.schedules[schedule] = s.source
		id := s.scheduled(schedule)
		run := s.execution(id).GetWorkflowExecutionInfo().GetExecution().GetRunId()
		job := wire.ScheduledExportID(schedule, run)
		started, err := s.client.EnsureExport(s.context(), job, s.source)
		require.NoError(t, err)
		require.True(t, started)
		s.rows.fault = func(call bulkCall) error {
			if call.step != wire.ActivityWriteExport {
				return nil
			}
			return within(statementTimeout, func() bool {
				return len(events(s.history(id), enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)) > 0
			})
		}
		s.work()
		history := s.ended(id)
		require.Len(t, events(history, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED), 1)
		s.ended(wire.ExportWorkflowID(job))
		require.Equal(t, lifecycle.JobCompleted, s.rows.status(job))
		require.Equal(t, 1, s.rows.count(wire.ActivityWriteExport))
	})
	t.Run("that is gone, and forgets it", func(t *testing.T) {
		t.Parallel()
		s, schedule := newServedBulk(t), lifecycle.NewID()
		id := s.scheduled(schedule)
		s.work()
		s.ended(id)
		_, err := s.server.Client.ScheduleClient().GetHandle(s.context(), wire.ExportScheduleID(schedule)).Describe(s.context())
		require.Error(t, err)
		require.Empty(t, s.rows.exports)
	})
}
