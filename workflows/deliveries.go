package workflows

import (
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// DeliveryWorkflow has one delivery tried until it is taken, for
// lifecycle.DeliveryPatience; then it is given up. Where the workflow itself is
// cancelled or lost the delivery stays pending, and the relay starts another.
func (w *Workflows) DeliveryWorkflow(ctx workflow.Context, in wire.DeliveryInput) (wire.DeliveryResult, error) {
	var result wire.DeliveryResult
	if err := ownsID(ctx, wire.DeliveryWorkflowID(in.DeliveryID)); err != nil {
		return result, err
	}
	err := workflow.ExecuteActivity(delivering(ctx, in.Channel), wire.ActivityDeliver, in).Get(ctx, &result)
	if err == nil || ctx.Err() != nil {
		return result, err
	}
	workflow.GetLogger(ctx).Warn("a delivery is given up", "delivery", in.DeliveryID.String(), "fault", failureKind(err))
	result = wire.DeliveryResult{Status: lifecycle.DeliveryDead, Fault: failureKind(err)}
	return result, workflow.ExecuteLocalActivity(databaseStep(ctx), wire.ActivityGiveUpDelivery, in).Get(ctx, nil)
}
