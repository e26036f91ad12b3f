package workflows

import (
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/workflows/wire"
)

// maxLifecycleSteps bounds the steps of one sweep. What is left is for the next
// one.
const maxLifecycleSteps = 10

// LifecycleSweepWorkflow takes on the records that have come to another state or to
// the next rung of their ladder. It is a workflow of its own beside [SweepWorkflow],
// so that neither waits for the other.
func (w *Workflows) LifecycleSweepWorkflow(ctx workflow.Context, in wire.SweepInput) (wire.LifecycleResult, error) {
	var total wire.LifecycleResult
	in.Batch = max(in.Batch, 1)
	ctx = sweeping(ctx)
	for range maxLifecycleSteps {
		var step wire.LifecycleResult
		if err := workflow.ExecuteActivity(ctx, wire.ActivitySweepLifecycle, in).Get(ctx, &step); err != nil {
			return total, err
		}
		total.Begun += step.Begun
		total.Warned += step.Warned
		total.Expired += step.Expired
		total.Suspended += step.Suspended
		total.Removed += step.Removed
		if total.More = step.More; !step.More {
			break
		}
	}
	w.swept(ctx, activities.SweepOfRecords)
	return total, nil
}
