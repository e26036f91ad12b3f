package wire

import "gatehouse/lifecycle"

// QueueBulk serves imports and exports, apart from everything that people wait
// for.
const QueueBulk = "gatehouse-bulk"

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
