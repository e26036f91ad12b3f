package workflows

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/workflows/wire"
)

// RegisterRequests registers what the queue [wire.QueueRequests] serves. Every
// name is one of wire's, so that renaming a function changes no history.
func RegisterRequests(r worker.Registry, a *activities.Activities) {
	w := &Workflows{Observer: a.Observer}
	r.RegisterWorkflowWithOptions(w.RequestWorkflow, workflow.RegisterOptions{Name: wire.WorkflowRequest})
	r.RegisterActivityWithOptions(a.LoadRequest, activity.RegisterOptions{Name: wire.ActivityLoadRequest})
	r.RegisterActivityWithOptions(a.Decide, activity.RegisterOptions{Name: wire.ActivityDecide})
	r.RegisterActivityWithOptions(a.CompleteRequest, activity.RegisterOptions{Name: wire.ActivityCompleteRequest})
	r.RegisterActivityWithOptions(a.FallDue, activity.RegisterOptions{Name: wire.ActivityFallDue})
	r.RegisterActivityWithOptions(a.CancelRequest, activity.RegisterOptions{Name: wire.ActivityCancelRequest})
}

// RegisterNotifications registers what [wire.QueueNotifications] serves.
func RegisterNotifications(r worker.Registry, a *activities.Activities) {
	r.RegisterActivityWithOptions(a.Notify, activity.RegisterOptions{Name: wire.ActivityNotify})
}

// RegisterMaintenance registers what [wire.QueueMaintenance] serves.
func RegisterMaintenance(r worker.Registry, a *activities.Activities) {
	w := &Workflows{Observer: a.Observer}
	r.RegisterWorkflowWithOptions(w.SweepWorkflow, workflow.RegisterOptions{Name: wire.WorkflowSweep})
	r.RegisterWorkflowWithOptions(w.AbsenceWorkflow, workflow.RegisterOptions{Name: wire.WorkflowAbsence})
	r.RegisterActivityWithOptions(a.SweepPendingRequests, activity.RegisterOptions{Name: wire.ActivitySweepPending})
	r.RegisterActivityWithOptions(a.SweepWorkflowEndings, activity.RegisterOptions{Name: wire.ActivitySweepEndings})
	r.RegisterActivityWithOptions(a.SweepBulk, activity.RegisterOptions{Name: wire.ActivitySweepBulk})
	r.RegisterWorkflowWithOptions(w.LifecycleSweepWorkflow, workflow.RegisterOptions{Name: wire.WorkflowLifecycleSweep})
	r.RegisterActivityWithOptions(a.SweepLifecycle, activity.RegisterOptions{Name: wire.ActivitySweepLifecycle})
	r.RegisterActivityWithOptions(a.SweepAbsences, activity.RegisterOptions{Name: wire.ActivitySweepAbsences})
	r.RegisterActivityWithOptions(a.SettleAbsence, activity.RegisterOptions{Name: wire.ActivitySettleAbsence})
}

// Register registers everything with one registry, for tests.
func Register(r worker.Registry, a *activities.Activities) {
	RegisterRequests(r, a)
	RegisterNotifications(r, a)
	RegisterMaintenance(r, a)
	// What RegisterExports registers is among it.
	RegisterBulk(r, a)
	// What RegisterWebhooks registers is among it.
	RegisterDeliveries(r, a)
}

// Bounds of a worker process.
const (
	// stickyCacheSize is how many workflows a process keeps in memory between
	// two messages. One costs some 60 KiB; beyond it they are replayed, which is
	// little for those that wait for weeks.
	stickyCacheSize = 1_000
	// DefaultDatabaseSteps is how many database steps run at once unless
	// [WorkerOptions] says otherwise.
	DefaultDatabaseSteps = 16
	// notificationSlots and maintenanceSlots bound the other activities.
	notificationSlots = 8
	maintenanceSlots  = 3
	// workflowTaskSlots bounds the workflow tasks at work at once. A task that
	// waits for its database step holds one.
	workflowTaskSlots = 200
	// stickyTimeout is how long a workflow task waits for the worker that has
	// the workflow in memory, which may just have died, before any other may
	// take it.
	stickyTimeout = 2 * time.Second
	// DefaultStopTimeout is how long a worker that stops waits for what runs.
	DefaultStopTimeout = 20 * time.Second
)

// WorkerOptions adjust the workers of one process. The zero value is usable.
type WorkerOptions struct {
	// DatabaseSteps is how many database steps of requests run at once. With
	// the handful that notifications and the sweep need it should stay below
	// the size of the database pool. 0 is [DefaultDatabaseSteps].
	DatabaseSteps int
	// BulkConcurrency is how many imports, and how many exports beside them, are
	// worked on at once; 0 is [DefaultBulkConcurrency]. One of each takes up to
	// [BulkConnections] connections of the database.
	BulkConcurrency int
	// StopTimeout is how long Stop waits for the activities that run; 0 is
	// [DefaultStopTimeout].
	StopTimeout time.Duration
	// Deployment and BuildID are the version that the workers say they are, so that
	// Temporal hands them the tasks that are for it alone. Where they are empty
	// any worker gets any task.
	Deployment, BuildID string
	// OnFatal is called, at most once a queue, where a worker gave up for good,
	// such as on a namespace that is gone. The process should then end. It may
	// be nil.
	OnFatal func(error)
	// Log may be nil.
	Log *slog.Logger
}

func logger(o WorkerOptions) *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

// RequestWorkerOptions are the options of the worker for [wire.QueueRequests]
// with all defaults. The activities of its workflows are local ones, so that it
// polls for workflow tasks alone.
func RequestWorkerOptions() worker.Options {
	return requestWorkerOptions(WorkerOptions{})
}

func requestWorkerOptions(o WorkerOptions) worker.Options {
	steps := o.DatabaseSteps
	if steps == 0 {
		steps = DefaultDatabaseSteps
	}
	options := commonOptions(o)
	options.LocalActivityWorkerOnly = true
	options.MaxConcurrentLocalActivityExecutionSize = steps
	options.MaxConcurrentWorkflowTaskExecutionSize = workflowTaskSlots
	options.StickyScheduleToStartTimeout = stickyTimeout
	options.WorkflowTaskPollerBehavior = worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: 4, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 32,
	})
	return options
}

func notificationWorkerOptions(o WorkerOptions) worker.Options {
	options := commonOptions(o)
	options.DisableWorkflowWorker = true
	options.MaxConcurrentActivityExecutionSize = notificationSlots
	options.ActivityTaskPollerBehavior = worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: 2, MinimumNumberOfPollers: 1, MaximumNumberOfPollers: notificationSlots,
	})
	return options
}

func maintenanceWorkerOptions(o WorkerOptions) worker.Options {
	options := commonOptions(o)
	options.MaxConcurrentActivityExecutionSize = maintenanceSlots
	options.MaxConcurrentWorkflowTaskPollers = 2
	options.MaxConcurrentActivityTaskPollers = 1
	return options
}

func commonOptions(o WorkerOptions) worker.Options {
	stop := o.StopTimeout
	if stop == 0 {
		stop = DefaultStopTimeout
	}
	return worker.Options{
		WorkerStopTimeout: stop, OnFatalError: o.OnFatal,
		DeploymentOptions: deploymentOptions(o),
		Interceptors:      []interceptor.WorkerInterceptor{&origins{log: logger(o)}},
		// Names are given by wire alone.
		DisableRegistrationAliasing: true,
	}
}

// deploymentOptions have every workflow go over to the newest version with its next
// task: what waits for weeks must not hold an old one in its place.
func deploymentOptions(o WorkerOptions) worker.DeploymentOptions {
	if o.Deployment == "" {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: o.Deployment, BuildID: o.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}
}

// Workers serve the task queues in one process.
type Workers struct {
	client  client.Client
	log     *slog.Logger
	workers []worker.Worker
}

var stickyCache sync.Once

// NewWorkers makes the workers and registers everything with them; it does not
// reach for Temporal yet.
func NewWorkers(c client.Client, o WorkerOptions, a *activities.Activities) *Workers {
	stickyCache.Do(func() { worker.SetStickyWorkflowCacheSize(stickyCacheSize) })
	requests := worker.New(c, wire.QueueRequests, requestWorkerOptions(o))
	RegisterRequests(requests, a)
	notifications := worker.New(c, wire.QueueNotifications, notificationWorkerOptions(o))
	RegisterNotifications(notifications, a)
	maintenance := worker.New(c, wire.QueueMaintenance, maintenanceWorkerOptions(o))
	RegisterMaintenance(maintenance, a)
	bulk := worker.New(c, wire.QueueBulk, bulkWorkerOptions(o))
	RegisterBulk(bulk, a)
	exports := worker.New(c, wire.QueueExports, exportWorkerOptions(o))
	RegisterExports(exports, a)
	deliveries := worker.New(c, wire.QueueDeliveries, deliveryWorkerOptions(o))
	RegisterDeliveries(deliveries, a)
	webhooks := worker.New(c, wire.QueueWebhooks, webhookWorkerOptions(o))
	RegisterWebhooks(webhooks, a)
	return &Workers{client: c, log: logger(o), workers: []worker.Worker{requests, notifications, maintenance, bulk, exports, deliveries, webhooks}}
}

// healthInterval is how often Start asks whether Temporal is there.
const healthInterval = time.Second

// Start waits until Temporal answers, or ctx ends, and begins to serve. A
// Workers is started once.
func (w *Workers) Start(ctx context.Context) error {
	if err := w.await(ctx); err != nil {
		return err
	}
	for i, each := range w.workers {
		if err := each.Start(); err != nil {
			for _, started := range w.workers[:i] {
				started.Stop()
			}
			return fmt.Errorf("starting a Temporal worker: %w", err)
		}
	}
	return nil
}

// await polls, since a worker whose start failed can't be started again.
func (w *Workers) await(ctx context.Context) error {
	tick := time.NewTicker(healthInterval)
	defer tick.Stop()
	for told := false; ; {
		_, err := w.client.CheckHealth(ctx, &client.CheckHealthRequest{})
		if err == nil {
			return nil
		}
		if !told {
			w.log.WarnContext(ctx, "waiting for Temporal", "error", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for Temporal: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// Stop takes no new work and waits for what runs, at most the StopTimeout.
func (w *Workers) Stop() {
	var stopping sync.WaitGroup
	for _, each := range w.workers {
		stopping.Go(each.Stop)
	}
	stopping.Wait()
}
