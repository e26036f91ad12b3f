package workflowclient

import (
	"context"
	"errors"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// engineKinds are the workflow type, and the id for that of its rows, of each kind.
var engineKinds = map[lifecycle.EngineKind]struct {
	workflow string
	id       func(lifecycle.ID) string
}{
	lifecycle.EngineRequest:  {wire.WorkflowRequest, wire.RequestWorkflowID},
	lifecycle.EngineAbsence:  {wire.WorkflowAbsence, wire.AbsenceWorkflowID},
	lifecycle.EngineImports:  {wire.WorkflowImports, wire.ImportsWorkflowID},
	lifecycle.EngineImport:   {wire.WorkflowImport, wire.ImportWorkflowID},
	lifecycle.EngineExport:   {wire.WorkflowExport, wire.ExportWorkflowID},
	lifecycle.EngineDelivery: {wire.WorkflowDelivery, wire.DeliveryWorkflowID},
}

// RequestStand tells where the workflow of a request stands, by its history.
// KindUnavailable if Temporal did not answer before ctx ended.
func (w *Client) RequestStand(ctx context.Context, request lifecycle.ID) (stand lifecycle.RequestInEngine, err error) {
	events := w.temporal.GetWorkflowHistory(ctx, wire.RequestWorkflowID(request), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
			return lifecycle.RequestInEngine{}, nil
		}
		if err != nil {
			return lifecycle.RequestInEngine{}, unavailable(err)
		}
		stand.Running = !closes(event.GetEventType())
		stand.Completed = event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
		noteStand(&stand, event)
	}
	return stand, nil
}

// noteStand notes what an event says about where the workflow of a request stands.
// Whatever moved the rows, the run has it noted by the activity that tells of it.
func noteStand(stand *lifecycle.RequestInEngine, event *historypb.HistoryEvent) {
	read := converter.GetDefaultDataConverter().FromPayloads
	switch {
	case event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		var in wire.RequestInput
		if read(event.GetWorkflowExecutionStartedEventAttributes().GetInput(), &in) == nil {
			stand.Item = in.Told
			stand.Version, _ = lifecycle.ParseDate(in.ToldVersion)
		}
	case event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
		// One that is tried again and again may never be done.
		stand.AtWork = event.GetWorkflowTaskScheduledEventAttributes().GetAttempt() <= 1
	case event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
		stand.Begun, stand.AtWork = true, false
	case event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
		stand.AtWork = false
	case event.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == wire.ActivityNotify:
		var notice wire.Notice
		if read(event.GetActivityTaskScheduledEventAttributes().GetInput(), &notice) == nil {
			stand.Item = notice.ItemID
			stand.Version, _ = lifecycle.ParseDate(notice.Version)
		}
	}
}

// closes reports whether an event is the last one of a run.
func closes(event enumspb.EventType) bool {
	switch event {
	default:
		return false
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return true
	}
}

// RestartRequest starts the workflow of a request in the place of the one that runs,
// or of none. A decision that is under way there gets no answer; sending it again
// gets the outcome.
func (w *Client) RestartRequest(ctx context.Context, request, source lifecycle.ID) error {
	options := requestOptions(ctx, request)
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	_, err := w.temporal.ExecuteWorkflow(ctx, options, wire.WorkflowRequest, wire.RequestInput{RequestID: request, SourceID: source})
	return unavailable(err)
}

// EnsureAbsence starts the workflow of an absence, unless it runs.
func (w *Client) EnsureAbsence(ctx context.Context, absence lifecycle.ID) (started bool, err error) {
	return w.ensure(ctx, absenceOptions(ctx, absence), wire.WorkflowAbsence, wire.AbsenceInput{AbsenceID: absence})
}

// Running reports whether the workflow runs, and whether it came to its end well where
// it does not; neither where there is none.
func (w *Client) Running(ctx context.Context, kind lifecycle.EngineKind, id lifecycle.ID) (running, completed bool, err error) {
	answer, err := w.temporal.DescribeWorkflowExecution(ctx, engineKinds[kind].id(id), "")
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return false, false, nil
	}
	if err != nil {
		return false, false, unavailable(err)
	}
	status := answer.GetWorkflowExecutionInfo().GetStatus()
	return status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, nil
}

// runningPage is how many workflows are listed at once.
const runningPage = 500

// EachRunning calls visit with the ids of the rows that the running workflows of a kind
// stand for, some at a time; its error ends the walk. What has begun or ended within
// the last second may be told of wrongly.
func (w *Client) EachRunning(ctx context.Context, kind lifecycle.EngineKind, visit func([]lifecycle.ID) error) error {
	of := engineKinds[kind]
	query := `WorkflowType = "` + of.workflow + `" AND ExecutionStatus = "Running"`
	for token := []byte(nil); ; {
		answer, err := w.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: runningPage, Query: query, NextPageToken: token,
		})
		if err != nil {
			return unavailable(err)
		}
		ids := make([]lifecycle.ID, 0, len(answer.GetExecutions()))
		for _, execution := range answer.GetExecutions() {
			workflow := execution.GetExecution().GetWorkflowId()
			id, err := lifecycle.ParseID(workflow[strings.LastIndex(workflow, "/")+1:])
			// One under another id was started by somebody else, and ends by itself.
			if err == nil && of.id(id) == workflow {
				ids = append(ids, id)
			}
		}
		if err := visit(ids); err != nil {
			return err
		}
		if token = answer.GetNextPageToken(); len(token) == 0 {
			return nil
		}
	}
}

// End ends a workflow at once; one that is not there, or has ended, is no error.
func (w *Client) End(ctx context.Context, kind lifecycle.EngineKind, id lifecycle.ID) error {
	err := w.temporal.TerminateWorkflow(ctx, engineKinds[kind].id(id), "", "reconcile: there is no row for it")
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return nil
	}
	return unavailable(err)
}

// ExportSchedules are the schedules of exports that Temporal has.
func (w *Client) ExportSchedules(ctx context.Context) (schedules []lifecycle.ID, err error) {
	list, err := w.temporal.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: runningPage})
	if err != nil {
		return nil, unavailable(err)
	}
	for list.HasNext() {
		schedule, err := list.Next()
		if err != nil {
			return nil, unavailable(err)
		}
		id, err := lifecycle.ParseID(schedule.ID[strings.LastIndex(schedule.ID, "/")+1:])
		if err == nil && wire.ExportScheduleID(id) == schedule.ID {
			schedules = append(schedules, id)
		}
	}
	return schedules, nil
}
