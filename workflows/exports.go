package workflows

import (
	"cmp"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// ExportWorkflow writes one export. One that can't be written within
// [exportPatience], or whose workflow is cancelled, ends as failed.
func (w *Workflows) ExportWorkflow(ctx workflow.Context, in wire.ExportInput) (wire.ExportResult, error) {
	if err := ownsID(ctx, wire.ExportWorkflowID(in.JobID)); err != nil {
		return wire.ExportResult{}, err
	}
	e := export{in: in, shown: currentAttributes(ctx)}
	return e.run(ctx)
}

// export is one run of an ExportWorkflow.
type export struct {
	in    wire.ExportInput
	shown shownAttributes
}

func (e *export) run(ctx workflow.Context) (wire.ExportResult, error) {
	var result wire.ExportResult
	if err := e.show(ctx, lifecycle.JobInProgress, "is being written"); err != nil {
		return result, err
	}
	err := workflow.ExecuteActivity(writing(ctx), wire.ActivityWriteExport, e.in).Get(ctx, &result)
	if err != nil {
		return result, e.fail(ctx, err)
	}
	switch {
	case !result.Found:
		return result, e.show(ctx, "", "gone")
	case result.Superseded:
		return result, e.show(ctx, "", "is being written by somebody else")
	}
	return result, e.show(ctx, lifecycle.JobCompleted, fmt.Sprintf("%d rows, %d bytes", result.Rows, result.Bytes))
}

// fail ends the export, so that nobody waits for it and nobody begins it again,
// and returns why it was given up.
func (e *export) fail(ctx workflow.Context, reason error) error {
	free, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.ExecuteLocalActivity(databaseStep(free), wire.ActivityFailExport, e.in).Get(free, nil); err != nil {
		return err
	}
	if err := e.show(free, lifecycle.JobError, "given up"); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return reason
}

// show tells operators how the export stands; an empty status stays what it was.
func (e *export) show(ctx workflow.Context, status lifecycle.JobStatus, details string) error {
	workflow.SetCurrentDetails(ctx, "export of source "+e.in.SourceID.String()+": "+details)
	now := shownAttributes{
		kind: wire.KindExport, source: e.in.SourceID.String(), status: string(status), stage: stageEnded,
	}
	switch {
	case status == "":
		now.status = e.shown.status
	case status == lifecycle.JobInProgress:
		now.stage = stageWorking
	}
	return upsert(ctx, now, &e.shown)
}

// ScheduledExportWorkflow is one run of a schedule of exports: it makes an
// export, has it written and removes those that the schedule keeps no longer.
func (w *Workflows) ScheduledExportWorkflow(ctx workflow.Context, in wire.ScheduledExportInput) (wire.ExportResult, error) {
	var (
		result wire.ExportResult
		begun  wire.ScheduledExportBegun
		shown  = currentAttributes(ctx)
		job    = wire.ScheduledExportID(in.ScheduleID, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	)
	workflow.SetCurrentDetails(ctx, "export "+job.String())
	err := workflow.ExecuteLocalActivity(databaseStep(ctx), wire.ActivityBeginScheduledExport,
		wire.ScheduledExport{ScheduleID: in.ScheduleID, JobID: job}).Get(ctx, &begun)
	if err != nil || !begun.Found {
		return result, err
	}
	now := shownAttributes{kind: wire.KindScheduledExport, source: begun.SourceID.String(), stage: stageWorking}
	if err := upsert(ctx, now, &shown); err != nil {
		return result, err
	}
	written := workflow.ExecuteChildWorkflow(exportChild(ctx, job), wire.WorkflowExport,
		wire.ExportInput{JobID: job, SourceID: begun.SourceID}).Get(ctx, &result)
	if temporal.IsWorkflowExecutionAlreadyStartedError(written) {
		// The sweep was faster.
		written = nil
	}
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	pruned := workflow.ExecuteLocalActivity(databaseStep(ctx), wire.ActivityPruneScheduledExports, in).Get(ctx, nil)
	now.stage = stageEnded
	if err := upsert(ctx, now, &shown); err != nil {
		return result, err
	}
	return result, cmp.Or(written, pruned)
}

// exportChild are the options of the workflow that writes an export for a run of
// a schedule: the same that a client's export has, so that never two write one.
func exportChild(ctx workflow.Context, job lifecycle.ID) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            wire.ExportWorkflowID(job),
		TaskQueue:             wire.QueueBulk,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WaitForCancellation:   true,
		StaticSummary:         "export " + job.String(),
	})
}
