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
	// keep. progress is called after every chunk with the number of rows so far.
	// A job that is complete is left as it is. KindNotFound where the job or its
	// source is gone; KindIllegalUpdate where a newer attempt has taken over.
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
	DropBulk(ctx context.Context, limit int, retention time.Duration) (dropped int, err error)
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
	WakeImports(ctx context.Context, source lifecycle.ID) error
	StartExport(ctx context.Context, job, source lifecycle.ID) error
	SaveExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error
	DropExportSchedule(ctx context.Context, schedule lifecycle.ID) error
}
