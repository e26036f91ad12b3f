package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/workflows/wire"
)

// exportPatience is how long it is tried to write an export, the time in the
// queue included.
const exportPatience = time.Hour

// applying is for one turn of an import. It is tried until it is done, since the
// imports behind it wait. A turn beats at every chunk, so that a worker that was
// killed is noticed within seconds; one chunk is bounded by the database's
// statement time-out.
func applying(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           wire.QueueBulk,
		StartToCloseTimeout: 5 * time.Minute,
		HeartbeatTimeout:    10 * time.Second,
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second,
		},
	})
}

// writing is for an export, whose every attempt begins anew. Somebody waits for
// it, so it is given up at some time.
func writing(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              wire.QueueExports,
		ScheduleToCloseTimeout: exportPatience,
		HeartbeatTimeout:       20 * time.Second,
		WaitForCancellation:    true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
		},
	})
}
