package workflows

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/workflows/wire"
)

// RegisterDeliveries registers what [wire.QueueDeliveries] serves.
func RegisterDeliveries(r worker.Registry, a *activities.Activities) {
	w := &Workflows{Observer: a.Observer}
	r.RegisterWorkflowWithOptions(w.DeliveryWorkflow, workflow.RegisterOptions{Name: wire.WorkflowDelivery})
	r.RegisterActivityWithOptions(a.GiveUpDelivery, activity.RegisterOptions{Name: wire.ActivityGiveUpDelivery})
	RegisterWebhooks(r, a)
}

// RegisterWebhooks registers what [wire.QueueWebhooks] serves.
func RegisterWebhooks(r worker.Registry, a *activities.Activities) {
	r.RegisterActivityWithOptions(a.Deliver, activity.RegisterOptions{Name: wire.ActivityDeliver})
}

// Bounds of deliveries in a worker process.
const (
	// mailSlots is how many mails are made at once; they are handed over one after
	// another.
	mailSlots = 2
	// webhookSlots is how many webhooks are posted at once, and so how many
	// endpoints may hang, each with what it is allowed at once, before others wait.
	webhookSlots = 32
)

func deliveryWorkerOptions(o WorkerOptions) worker.Options {
	options := commonOptions(o)
	options.MaxConcurrentActivityExecutionSize = mailSlots
	options.MaxConcurrentActivityTaskPollers = mailSlots
	options.MaxConcurrentLocalActivityExecutionSize = 1
	options.MaxConcurrentWorkflowTaskPollers = 2
	options.StickyScheduleToStartTimeout = stickyTimeout
	return options
}

func webhookWorkerOptions(o WorkerOptions) worker.Options {
	options := commonOptions(o)
	options.DisableWorkflowWorker = true
	options.MaxConcurrentActivityExecutionSize = webhookSlots
	options.MaxConcurrentActivityTaskPollers = 4
	return options
}
