package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// delivering is for the one activity of a delivery. The pauses between attempts
// grow from seconds to an hour, so that a receiver that is back after a
// restart is told at once and one that is away for a day is not pestered. An
// attempt ends by itself in lifecycle.DeliveryAttempt, and beats meanwhile, so that
// a worker that was killed is noticed within seconds.
func delivering(ctx workflow.Context, channel lifecycle.DeliveryChannel) workflow.Context {
	queue := wire.QueueDeliveries
	if channel == lifecycle.ByWebhook {
		queue = wire.QueueWebhooks
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		StartToCloseTimeout:    lifecycle.DeliveryAttempt + 15*time.Second,
		HeartbeatTimeout:       10 * time.Second,
		ScheduleToCloseTimeout: lifecycle.DeliveryPatience,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: time.Hour,
			// More than there is time for; the test environment takes none for ten.
			MaximumAttempts: 10_000,
		},
	})
}
