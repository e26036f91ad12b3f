package workflowclient

import (
	"context"
	"errors"
	"reflect"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// exportOptions start the workflow of an export; see requestOptions.
func exportOptions(ctx context.Context, job lifecycle.ID) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       wire.ExportWorkflowID(job),
		TaskQueue:                wire.QueueBulk,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "export " + job.String(),
		Memo:                     memo(ctx),
	}
}

// StartExport starts the workflow of an export, and is content with one that
// runs already. It returns when Temporal has it; KindUnavailable if it did not
// answer before ctx ended.
func (w *Client) StartExport(ctx context.Context, job, source lifecycle.ID) error {
	_, err := w.temporal.ExecuteWorkflow(ctx, exportOptions(ctx, job), wire.WorkflowExport,
		wire.ExportInput{JobID: job, SourceID: source})
	return unavailable(err)
}

// EnsureExport starts the workflow of an export, unless it runs.
func (w *Client) EnsureExport(ctx context.Context, job, source lifecycle.ID) (started bool, err error) {
	return w.ensure(ctx, exportOptions(ctx, job), wire.WorkflowExport, wire.ExportInput{JobID: job, SourceID: source})
}

// ensure starts a workflow and reports whether it did: false if one of that id
// runs.
func (w *Client) ensure(ctx context.Context, o client.StartWorkflowOptions, workflow string, in any) (bool, error) {
	o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	o.WorkflowExecutionErrorWhenAlreadyStarted = true
	_, err := w.temporal.ExecuteWorkflow(ctx, o, workflow, in)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return false, nil
	}
	return err == nil, unavailable(err)
}

const (
	// scheduledCatchup is how late a scheduled export may begin that came due
	// while Temporal was away.
	scheduledCatchup = time.Hour
	// scheduledTimeout ends a run that got stuck, since the next one waits for it.
	scheduledTimeout = 6 * time.Hour
)

// SaveExportSchedule makes the Temporal Schedule what schedule says. One that is
// so already is left as it is: a run that came due and has not begun would be
// lost with a change. A run that comes due while one runs is skipped. What an
// operator did, such as pausing it, stays.
//
// KindIllegalValue where the cron can't be read or Temporal refuses it or the
// time zone; KindUnavailable if Temporal did not answer before ctx ended.
func (w *Client) SaveExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error {
	cron, err := lifecycle.ParseCron(schedule.Cron)
	if err != nil {
		return err
	}
	if err := lifecycle.CheckZone(schedule.Zone); err != nil {
		return err
	}
	want := client.ScheduleOptions{
		ID: wire.ExportScheduleID(schedule.ID),
		Spec: client.ScheduleSpec{
			Calendars: calendars(cron, schedule.Cron), TimeZoneName: schedule.Zone,
		},
		Action: &client.ScheduleWorkflowAction{
			ID: wire.ExportScheduleID(schedule.ID), Workflow: wire.WorkflowScheduledExport, TaskQueue: wire.QueueBulk,
			Args:                     []any{wire.ScheduledExportInput{ScheduleID: schedule.ID}},
			WorkflowExecutionTimeout: scheduledTimeout,
			TypedSearchAttributes: temporal.NewSearchAttributes(
				temporal.NewSearchAttributeKeyKeyword(wire.AttributeKind).ValueSet(wire.KindScheduledExport)),
			StaticSummary: "export of schedule " + schedule.ID.String(),
		},
		Overlap:       enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		CatchupWindow: scheduledCatchup,
	}
	err = w.updateSchedule(ctx, want)
	if _, ok := errors.AsType[*serviceerror.NotFound](err); !ok {
		return refused(err)
	}
	_, err = w.temporal.ScheduleClient().Create(ctx, want)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		err = w.updateSchedule(ctx, want)
	}
	return refused(err)
}

// updateSchedule makes a schedule that is there what want says.
func (w *Client) updateSchedule(ctx context.Context, want client.ScheduleOptions) error {
	return w.temporal.ScheduleClient().GetHandle(ctx, want.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := in.Description.Schedule
			if sameTimes(schedule.Spec, &want.Spec) && sameAction(schedule.Action, want.Action) && schedule.Policy != nil &&
				schedule.Policy.Overlap == want.Overlap && schedule.Policy.CatchupWindow == want.CatchupWindow {
				return nil, temporal.ErrSkipScheduleUpdate
			}
			schedule.Spec, schedule.Action = &want.Spec, want.Action
			schedule.Policy = &client.SchedulePolicies{Overlap: want.Overlap, CatchupWindow: want.CatchupWindow}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
}

// sameTimes compares what decides the times; the rest of a spec is never set.
func sameTimes(a, b *client.ScheduleSpec) bool {
	return a != nil && a.TimeZoneName == b.TimeZoneName && reflect.DeepEqual(a.Calendars, b.Calendars) &&
		len(a.Intervals) == 0 && len(a.Skip) == 0
}

// sameAction compares what a release may change; the input is the schedule's id.
func sameAction(a, b client.ScheduleAction) bool {
	one, ok := a.(*client.ScheduleWorkflowAction)
	other, okay := b.(*client.ScheduleWorkflowAction)
	return ok && okay && one.ID == other.ID && one.Workflow == other.Workflow && one.TaskQueue == other.TaskQueue &&
		one.WorkflowExecutionTimeout == other.WorkflowExecutionTimeout
}

// calendars are the times of a cron in Temporal's terms. There a day must fit
// day of month and day of week, so that a cron where it may fit either takes two.
func calendars(c lifecycle.Cron, comment string) []client.ScheduleCalendarSpec {
	calendar := client.ScheduleCalendarSpec{
		Second: ranges([]int{0}), Minute: ranges(c.Minutes), Hour: ranges(c.Hours),
		DayOfMonth: ranges(c.Days), Month: ranges(c.Months), DayOfWeek: ranges(c.Weekdays),
		Year: []client.ScheduleRange{}, Comment: comment,
	}
	if !c.EitherDay {
		return []client.ScheduleCalendarSpec{calendar}
	}
	byDay, byWeekday := calendar, calendar
	byDay.DayOfWeek = []client.ScheduleRange{{Start: 0, End: 6, Step: 1}}
	byWeekday.DayOfMonth = []client.ScheduleRange{{Start: 1, End: 31, Step: 1}}
	return []client.ScheduleCalendarSpec{byDay, byWeekday}
}

// ranges puts sorted numbers into runs, in the form in which Temporal returns them.
func ranges(values []int) []client.ScheduleRange {
	var all []client.ScheduleRange
	for _, value := range values {
		if last := len(all) - 1; last >= 0 && all[last].End == value-1 {
			all[last].End = value
			continue
		}
		all = append(all, client.ScheduleRange{Start: value, End: value, Step: 1})
	}
	return all
}

// DropExportSchedule removes the Temporal Schedule; one that is not there is no
// error. A run that has begun goes on.
func (w *Client) DropExportSchedule(ctx context.Context, schedule lifecycle.ID) error {
	err := w.temporal.ScheduleClient().GetHandle(ctx, wire.ExportScheduleID(schedule)).Delete(ctx)
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return nil
	}
	return unavailable(err)
}

// refused is unavailable, but for what Temporal does not take.
func refused(err error) error {
	if _, ok := errors.AsType[*serviceerror.InvalidArgument](err); ok {
		return lifecycle.NewError(lifecycle.KindIllegalValue, "The workflow engine does not take this schedule.").WithCause(err)
	}
	return unavailable(err)
}
