package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/workflows/wire"
)

// Every preset is built anew at each call, so that nobody changes another's.

// forEver stands for "until it is done": a local activity that names no end
// would be given up after its first time-out.
const forEver = 10 * 365 * 24 * time.Hour

// StatementTimeout is the most that a statement of the database may take in a
// worker: a step of a request ends by it, and not by being cut off, which would
// cost the connection.
const StatementTimeout = 5 * time.Second

// databaseStep is for the short transactions of a request. They run as local
// activities, which saves a decision two trips through the server. They are
// tried until they are done, since a request that gave up would hang; an attempt
// is bounded by more than [StatementTimeout]. The longest wait lies above the
// workflow task's time-out of 10 s: from there on the SDK waits with a timer of
// the server, and the task and its slot are free meanwhile.
func databaseStep(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout:    StatementTimeout + 2*time.Second,
		ScheduleToCloseTimeout: forEver,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 12 * time.Second,
		},
	})
}

// extensionStep is databaseStep for what may change 20,000 records in one
// transaction, whose statements have a longer bound of their own: a machine that is
// slow, or busy, must not cut it off each time.
func extensionStep(ctx workflow.Context) workflow.Context {
	ctx = databaseStep(ctx)
	options := workflow.GetLocalActivityOptions(ctx)
	options.StartToCloseTimeout = extensionTimeout
	return workflow.WithLocalActivityOptions(ctx, options)
}

// extensionTimeout bounds an attempt of an extensionStep; on a machine with nothing
// else to do one takes two seconds.
const extensionTimeout = time.Minute

// notifying is for notifications. They run as normal activities on a queue of
// their own, since what delivers them may be slow or away for hours and must
// hold up neither decisions nor their retries.
func notifying(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           wire.QueueNotifications,
		StartToCloseTimeout: 10 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
	})
}

// sweeping is for one batch of the sweep. It is tried three times and then left
// to the next sweep, which would be skipped as long as this one runs.
func sweeping(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              wire.QueueMaintenance,
		StartToCloseTimeout:    2 * time.Minute,
		ScheduleToCloseTimeout: 5 * time.Minute,
		HeartbeatTimeout:       20 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second, MaximumAttempts: 3,
		},
	})
}
