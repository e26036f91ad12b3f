package wire

import (
	"time"

	"gatehouse/lifecycle"
)

const (
	// QueueBulk serves imports, and the workflows of exports, apart from everything
	// that people wait for.
	QueueBulk = "gatehouse-bulk"
	// QueueExports serves the writing of exports, whose clients wait: it must not
	// stand in line behind imports.
	QueueExports = "gatehouse-exports"
)

// Workflow types of bulk work.
const (
	// WorkflowImports takes the imports of one source one after another.
	WorkflowImports = "ImportsWorkflow"
	// WorkflowImport carries out one import.
	WorkflowImport = "ImportWorkflow"
	// WorkflowExport writes one export.
	WorkflowExport = "ExportWorkflow"
	// WorkflowScheduledExport is one run of a schedule of exports.
	WorkflowScheduledExport = "ScheduledExportWorkflow"
)

// SignalWake tells an ImportsWorkflow that there may be another import.
const SignalWake = "wake"

// QueryProgress asks an ImportWorkflow for its ImportProgress.
const QueryProgress = "progress"

// Activity names of bulk work.
const (
	ActivityNextImport            = "NextImport"
	ActivityApplyImport           = "ApplyImport"
	ActivityWriteExport           = "WriteExport"
	ActivityFailExport            = "FailExport"
	ActivityBeginScheduledExport  = "BeginScheduledExport"
	ActivityPruneScheduledExports = "PruneScheduledExports"
	ActivitySweepBulk             = "SweepBulk"
)

// Values of AttributeKind for bulk work.
const (
	KindImports         = "imports"
	KindImport          = "import"
	KindExport          = "export"
	KindScheduledExport = "scheduled_export"
)

// ImportsWorkflowID is the id of the workflow that takes the imports of a source.
func ImportsWorkflowID(source lifecycle.ID) string { return "imports/" + source.String() }

// ImportWorkflowID is the id of the workflow that carries out an import.
func ImportWorkflowID(job lifecycle.ID) string { return "import/" + job.String() }

// ExportWorkflowID is the id of the workflow that writes an export.
func ExportWorkflowID(job lifecycle.ID) string { return "export/" + job.String() }

// ExportScheduleID is the id of the Temporal Schedule of a schedule of exports,
// and the prefix of the ids of the runs it starts.
func ExportScheduleID(schedule lifecycle.ID) string { return "export-schedule/" + schedule.String() }

// ImportsInput starts an ImportsWorkflow.
type ImportsInput struct {
	SourceID lifecycle.ID `json:"sourceId"`
	// Failures is how many imports in a row an earlier run saw fail; 0 but where
	// a run continues as new.
	Failures int `json:"failures,omitempty"`
}

// NextImport is what the NextImport activity answers.
type NextImport struct {
	Found bool         `json:"found"`
	JobID lifecycle.ID `json:"jobId"`
}

// ImportInput starts an ImportWorkflow, and each of its activities.
type ImportInput struct {
	JobID    lifecycle.ID `json:"jobId"`
	SourceID lifecycle.ID `json:"sourceId"`
	// Began is when the import was taken up, and Progress how it was last seen to
	// stand; zero where an ImportWorkflow starts, but for one that continues as new.
	Began    time.Time      `json:"began,omitzero"`
	Progress ImportProgress `json:"progress,omitzero"`
}

// ImportProgress is how an import stands.
type ImportProgress struct {
	// Found is false once the source was deleted.
	Found     bool                `json:"found"`
	Status    lifecycle.JobStatus `json:"status"`
	Total     int                 `json:"total"`
	Done      int                 `json:"done"`
	Created   int                 `json:"created"`
	Updated   int                 `json:"updated"`
	Unchanged int                 `json:"unchanged"`
	Failed    int                 `json:"failed"`
	// Behind is how many imports of the source wait for this one.
	Behind int `json:"behind"`
}

// ExportInput starts an ExportWorkflow, and its activity.
type ExportInput struct {
	JobID    lifecycle.ID `json:"jobId"`
	SourceID lifecycle.ID `json:"sourceId"`
}

// ExportResult is what became of an export.
type ExportResult struct {
	// Found is false if the job or its source is gone.
	Found bool  `json:"found"`
	Rows  int   `json:"rows"`
	Bytes int64 `json:"bytes"`
	// Superseded is true if somebody else has begun to write the same export.
	Superseded bool `json:"superseded,omitempty"`
}

// ScheduledExportInput starts a ScheduledExportWorkflow.
type ScheduledExportInput struct {
	ScheduleID lifecycle.ID `json:"scheduleId"`
}

// ScheduledExport is the payload of BeginScheduledExport.
type ScheduledExport struct {
	ScheduleID lifecycle.ID `json:"scheduleId"`
	JobID      lifecycle.ID `json:"jobId"`
}

// ScheduledExportBegun is what BeginScheduledExport answers.
type ScheduledExportBegun struct {
	// Found is false if the schedule is gone.
	Found    bool         `json:"found"`
	SourceID lifecycle.ID `json:"sourceId"`
}

// ScheduledExportID is the id of the export that a run of a schedule makes: the
// same for the same run, so that a run that is done again makes no second one.
// It depends on its arguments alone; the checker doubts the formatting in it.
//
//workflowcheck:ignore
func ScheduledExportID(schedule lifecycle.ID, run string) lifecycle.ID {
	return lifecycle.DeriveID(schedule, run)
}

// BulkSweepResult counts what the sweep did about bulk work.
type BulkSweepResult struct {
	// Imports and Exports are the workflows that were started.
	Imports int `json:"imports"`
	Exports int `json:"exports"`
	// Dropped counts what was removed, as the store counts it.
	Dropped int `json:"dropped"`
	// Schedules is how many schedules were held against Temporal, Ended how many
	// it was made to forget.
	Schedules int `json:"schedules"`
	Ended     int `json:"ended"`
	// Failed ones stay for the next sweep.
	Failed int `json:"failed"`
}
