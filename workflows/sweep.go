package workflows

import (
	"cmp"

	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/workflows/wire"
)

// maxSweepBatches bounds the batches of one step of one sweep. What is left is
// for the next one.
const maxSweepBatches = 40

// SweepWorkflow looks after what requests and deletions left behind: pending
// requests whose rows moved without their workflow or that have none, workflows
// of deleted requests that run still, what is left of bulk work, and absences that
// are due. A step that fails does not keep the others from their turn.
func (w *Workflows) SweepWorkflow(ctx workflow.Context, in wire.SweepInput) (wire.SweepResult, error) {
	var total wire.SweepResult
	in.Batch = max(in.Batch, 1)
	pendingErr := sweep(ctx, wire.ActivitySweepPending, in, &total)
	endingsErr := sweep(ctx, wire.ActivitySweepEndings, in, &total)
	var bulkErr error
	if sweepsBulk(ctx) {
		bulkErr = workflow.ExecuteActivity(sweeping(ctx), wire.ActivitySweepBulk, in).Get(ctx, nil)
	}
	var absencesErr error
	if sweepsAbsences(ctx) {
		absencesErr = workflow.ExecuteActivity(sweeping(ctx), wire.ActivitySweepAbsences, in).Get(ctx, nil)
	}
	err := cmp.Or(pendingErr, endingsErr, bulkErr, absencesErr)
	if err == nil {
		w.swept(ctx, activities.SweepOfRequests)
	}
	return total, err
}

// sweep repeats one step as long as it finds a full batch and gets on with it.
func sweep(ctx workflow.Context, activity string, in wire.SweepInput, total *wire.SweepResult) error {
	ctx = sweeping(ctx)
	for range maxSweepBatches {
		var step wire.SweepResult
		if err := workflow.ExecuteActivity(ctx, activity, in).Get(ctx, &step); err != nil {
			return err
		}
		total.Checked += step.Checked
		total.Started += step.Started
		total.Nudged += step.Nudged
		total.Ended += step.Ended
		total.Failed += step.Failed
		if step.Checked < in.Batch || step.Failed >= step.Checked {
			return nil
		}
	}
	return nil
}
