package activities

import (
	"context"
	"time"

	"gatehouse/lifecycle"
)

// ImportStore carries out imports.
type ImportStore interface {
	// NextImport returns the job of the source whose turn it is: IN_PROGRESS or
	// else the PENDING one with the lowest sequence number; found is false if
	// none is left.
	NextImport(ctx context.Context, source lifecycle.ID) (job lifecycle.ID, found bool, err error)
	// ApplyImport takes the next chunk of at most rows rows into the source, in
	// one transaction with the job's progress, and returns how the job stands
	// afterwards. The first one makes a PENDING job IN_PROGRESS, the last one
	// ends it; one that was asked to stop is CANCELLED. A job that has ended, or
	// is gone (Found is false), is left as it is.
	ApplyImport(ctx context.Context, job lifecycle.ID, rows int) (lifecycle.ImportProgress, error)
}

// ExportStore carries out exports.
type ExportStore interface {
	// WriteExport begins a new attempt, writes the source's records in one
	// consistent snapshot as chunks and completes the job, which expires after
	// keep unless a schedule made it. progress is called after every chunk with
	// the number of rows so far. A job that is complete is left as it is.
	// KindNotFound where the job or its source is gone; KindIllegalUpdate where a
	// newer attempt has taken over.
	WriteExport(ctx context.Context, job lifecycle.ID, keep time.Duration, progress func(rows int)) (lifecycle.ExportJob, error)
	// FailExport ends a job that can't be written; one that ended is left as it is.
	FailExport(ctx context.Context, job lifecycle.ID) error
	// BeginScheduledExport makes the job of one run of a schedule, under the id
	// job; a second call with the same id changes nothing. KindNotFound where the
	// schedule is gone.
	BeginScheduledExport(ctx context.Context, schedule, job lifecycle.ID) (source lifecycle.ID, err error)
	// PruneScheduledExports removes the finished exports of the schedule beyond
	// those it keeps.
	PruneScheduledExports(ctx context.Context, schedule lifecycle.ID) error
}

// BulkSweepStore knows what of bulk work needs looking after.
type BulkSweepStore interface {
	// ImportsToWake returns at most limit sources that have imports waiting or in
	// progress whose rows have not moved for grace.
	ImportsToWake(ctx context.Context, limit int, grace time.Duration) ([]lifecycle.ID, error)
	// ExportsToStart returns at most limit exports that have not ended and have
	// not moved for grace.
	ExportsToStart(ctx context.Context, limit int, grace time.Duration) ([]lifecycle.ExportJob, error)
	// DropBulk removes one batch of what is of no use any more and returns how
	// much that was: uploads whose lease ran out, imports that ended more than
	// retention ago, exports that expired, staged rows and chunks of what is gone.
	// Exports of schedules that are gone expire after keep.
	DropBulk(ctx context.Context, limit int, retention, keep time.Duration) (dropped int, err error)
	// ExportSchedules returns all schedules with an id greater than after, at
	// most limit, by id.
	ExportSchedules(ctx context.Context, after lifecycle.ID, limit int) ([]lifecycle.ExportSchedule, error)
	// ScheduleEndings returns at most limit schedules that Temporal has to forget.
	ScheduleEndings(ctx context.Context, limit int) ([]lifecycle.ID, error)
	// DropScheduleEndings forgets these.
	DropScheduleEndings(ctx context.Context, schedules []lifecycle.ID) error
}

// BulkStore is what the activities of bulk work need of the store.
type BulkStore interface {
	ImportStore
	ExportStore
	BulkSweepStore
}

// BulkWorkflows reaches the workflows of bulk work; see workflowclient.
type BulkWorkflows interface {
	// EnsureImports starts the workflow that takes the source's imports, unless
	// it runs.
	EnsureImports(ctx context.Context, source lifecycle.ID) (started bool, err error)
	// EnsureExport starts the workflow of an export, unless it runs.
	EnsureExport(ctx context.Context, job, source lifecycle.ID) (started bool, err error)
	// SaveExportSchedule makes the Temporal Schedule what schedule says; one that
	// is so already is left as it is. KindIllegalValue where Temporal refuses it.
	SaveExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error
	// DropExportSchedule removes the Temporal Schedule; one that is not there is
	// no error.
	DropExportSchedule(ctx context.Context, schedule lifecycle.ID) error
}

// BulkObserver counts what bulk work does, as [Observer] does the rest.
type BulkObserver interface {
	// ImportRows notes rows that an import is done with; outcome is one of the
	// Rows constants.
	ImportRows(outcome string, count int)
	// ImportEnded notes an import that came to its end. status is its last one in
	// lower case, took the time since its workflow took it up.
	ImportEnded(status string, took time.Duration)
	// ExportEnded notes an export that came to its end. status is its last one in
	// lower case; rows and bytes are the size of the file, zero if there is none.
	ExportEnded(status string, rows int, bytes int64)
}

// What becomes of a row of an import.
const (
	RowsCreated   = "created"
	RowsUpdated   = "updated"
	RowsUnchanged = "unchanged"
	RowsFailed    = "failed"
)

// What a sweep does about bulk work, beside [SweptEnded] and [SweptFailed].
const (
	SweptImports   = "imports_started"
	SweptExports   = "exports_started"
	SweptDropped   = "dropped"
	SweptSchedules = "schedules_checked"
)

// Bulk is what the steps of bulk work need.
type Bulk struct {
	Store     BulkStore
	Workflows BulkWorkflows
	// Observer may be nil.
	Observer BulkObserver
	// JobRetention is how long an import that ended is kept with its faults,
	// ExportRetention how long a finished export is that no schedule keeps.
	JobRetention, ExportRetention time.Duration
	// Turn is how long one step applies chunks of an import before it makes room
	// for other work; 0 is [DefaultTurn].
	Turn time.Duration

	schedules scheduleMemory
}

func (b *Bulk) observer() BulkObserver {
	if b.Observer == nil {
		return blind{}
	}
	return b.Observer
}

func (blind) ImportRows(string, int)            {}
func (blind) ImportEnded(string, time.Duration) {}
func (blind) ExportEnded(string, int, int64)    {}
