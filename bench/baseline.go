package main

import (
	"context"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/workflows"
)

// The baseline is a workflow of the shape of a request with one approver and
// nothing in it: the same local activities, the same normal activities on a
// queue of their own, one Update that runs a local activity.
const (
	baselineQueue       = "bench-empty"
	baselineNotifyQueue = "bench-empty-notify"
	baselineUpdate      = "decide"
)

func nothing(context.Context) error { return nil }

// told are the empty workflows whose approver was told, by workflow id.
var told sync.Map

// tell is the notification of the empty workflow.
func tell(ctx context.Context) error {
	told.Store(activity.GetInfo(ctx).WorkflowExecution.ID, true)
	return nil
}

func emptyRequest(ctx workflow.Context) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 5 * time.Second})
	notify := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: baselineNotifyQueue, StartToCloseTimeout: 10 * time.Second})
	decided := false
	err := workflow.SetUpdateHandler(ctx, baselineUpdate, func(ctx workflow.Context) (string, error) {
		if err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: 5 * time.Second}), nothing).Get(ctx, nil); err != nil {
			return "", err
		}
		decided = true
		return "stored", nil
	})
	if err != nil {
		return err
	}
	if err := workflow.ExecuteLocalActivity(local, nothing).Get(ctx, nil); err != nil {
		return err
	}
	telling := workflow.ExecuteActivity(notify, "tell")
	if err := workflow.Await(ctx, func() bool { return decided }); err != nil {
		return err
	}
	if err := telling.Get(ctx, nil); err != nil {
		return err
	}
	if err := workflow.ExecuteActivity(notify, "nothing").Get(ctx, nil); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// startBaseline runs a worker for the empty workflow; the function it returns
// stops it.
func startBaseline(c client.Client) (func(), error) {
	requests := worker.New(c, baselineQueue, workflows.RequestWorkerOptions())
	requests.RegisterWorkflowWithOptions(emptyRequest, workflow.RegisterOptions{Name: "EmptyRequest"})
	notifications := worker.New(c, baselineNotifyQueue, worker.Options{DisableWorkflowWorker: true})
	notifications.RegisterActivityWithOptions(tell, activity.RegisterOptions{Name: "tell"})
	notifications.RegisterActivityWithOptions(nothing, activity.RegisterOptions{Name: "nothing"})
	if err := requests.Start(); err != nil {
		return nil, err
	}
	if err := notifications.Start(); err != nil {
		requests.Stop()
		return nil, err
	}
	return func() { requests.Stop(); notifications.Stop() }, nil
}

// awaitTold waits until the approver of the empty workflow is told.
func awaitTold(ctx context.Context, id string) error {
	tick := time.NewTicker(toldInterval)
	defer tick.Stop()
	for {
		if _, ok := told.LoadAndDelete(id); ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// baselineApproval starts one empty workflow and decides it once its approver is
// told, as [rig.approval] does with a request. It returns how long the decision took. Neither waits
// for what the workflow does after the decision.
func baselineApproval(ctx context.Context, c client.Client, id string) (time.Duration, error) {
	options := client.StartWorkflowOptions{ID: id, TaskQueue: baselineQueue}
	if _, err := c.ExecuteWorkflow(ctx, options, "EmptyRequest"); err != nil {
		return 0, err
	}
	if err := awaitTold(ctx, id); err != nil {
		return 0, err
	}
	begin := time.Now()
	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: id, TaskQueue: baselineQueue, WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, "EmptyRequest")
	update, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: id, WorkflowID: id, UpdateName: baselineUpdate, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return 0, err
	}
	if err := update.Get(ctx, nil); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}
