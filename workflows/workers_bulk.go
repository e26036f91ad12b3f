package workflows

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/workflows/wire"
)

// RegisterBulk registers what [wire.QueueBulk] serves.
func RegisterBulk(r worker.Registry, a *activities.Activities) {
	w := &Workflows{Observer: a.Observer}
	r.RegisterWorkflowWithOptions(w.ImportsWorkflow, workflow.RegisterOptions{Name: wire.WorkflowImports})
	r.RegisterWorkflowWithOptions(w.ImportWorkflow, workflow.RegisterOptions{Name: wire.WorkflowImport})
	r.RegisterWorkflowWithOptions(w.ExportWorkflow, workflow.RegisterOptions{Name: wire.WorkflowExport})
	r.RegisterWorkflowWithOptions(w.ScheduledExportWorkflow, workflow.RegisterOptions{Name: wire.WorkflowScheduledExport})
	r.RegisterActivityWithOptions(a.NextImport, activity.RegisterOptions{Name: wire.ActivityNextImport})
	r.RegisterActivityWithOptions(a.ApplyImport, activity.RegisterOptions{Name: wire.ActivityApplyImport})
	// A workflow that began before exports had a queue of their own has its file
	// written from this one.
	RegisterExports(r, a)
	r.RegisterActivityWithOptions(a.FailExport, activity.RegisterOptions{Name: wire.ActivityFailExport})
	r.RegisterActivityWithOptions(a.BeginScheduledExport, activity.RegisterOptions{Name: wire.ActivityBeginScheduledExport})
	r.RegisterActivityWithOptions(a.PruneScheduledExports, activity.RegisterOptions{Name: wire.ActivityPruneScheduledExports})
}

// RegisterExports registers what [wire.QueueExports] serves.
func RegisterExports(r worker.Registry, a *activities.Activities) {
	r.RegisterActivityWithOptions(a.WriteExport, activity.RegisterOptions{Name: wire.ActivityWriteExport})
}

// Bounds of bulk work in a worker process.
const (
	// DefaultBulkConcurrency is how many imports, and how many exports, are worked
	// on at once unless [WorkerOptions] says otherwise.
	DefaultBulkConcurrency = 2
	// BulkConnections is how many database connections an import and an export
	// take together: an import has one, an export reads on one and writes on
	// another.
	BulkConnections = 3
	// BulkSteps is how many short database steps of bulk workflows run at once,
	// each on a connection of its own.
	BulkSteps = 2
	// bulkPollers bounds those who wait for bulk work at once.
	bulkPollers = 4
)

func bulkWorkerOptions(o WorkerOptions) worker.Options {
	options := bulkSlots(o)
	options.MaxConcurrentLocalActivityExecutionSize = BulkSteps
	options.MaxConcurrentWorkflowTaskPollers = 2
	options.StickyScheduleToStartTimeout = stickyTimeout
	// A turn that is over goes to the end of the queue; an eager one would keep
	// its slot for as long as its file lasts.
	options.DisableEagerActivities = true
	return options
}

func exportWorkerOptions(o WorkerOptions) worker.Options {
	options := bulkSlots(o)
	options.DisableWorkflowWorker = true
	return options
}

// bulkSlots are the options that imports and exports have in common.
func bulkSlots(o WorkerOptions) worker.Options {
	slots := o.BulkConcurrency
	if slots == 0 {
		slots = DefaultBulkConcurrency
	}
	options := commonOptions(o)
	options.MaxConcurrentActivityExecutionSize = slots
	options.MaxConcurrentActivityTaskPollers = min(slots, bulkPollers)
	return options
}
