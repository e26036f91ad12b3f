package service

import (
	"context"
	"io"
	"time"

	"gatehouse/lifecycle"
)

// ImportStore keeps imports. A job is always asked for together with its source:
// one of another source is KindNotFound.
type ImportStore interface {
	// MayQueueImport is KindLimit where [lifecycle.MaxWaitingImports] wait.
	MayQueueImport(ctx context.Context, source lifecycle.ID) error
	// BeginImport makes a job that receives its file until lease has passed,
	// unless the lease is renewed. columns are the technicalNames of the custom
	// attributes that the file has columns for, header its header as it came.
	// enough is how many rows of the file have to be staged: one with more is
	// refused whatever these are. KindNotFound for a source that does not exist.
	BeginImport(ctx context.Context, job lifecycle.ImportJob, columns []string, header string, maxPerSource int, lease time.Duration) (enough int, err error)
	// StageImport adds rows, if any, to a job that receives and renews its lease.
	// It does not wait for a check.
	// KindUnavailable where the job is gone: its lease ran out or its source
	// was deleted.
	StageImport(ctx context.Context, job lifecycle.ID, rows []lifecycle.ImportRow, lease time.Duration) error
	// CheckImport returns what only the whole file and the stored rows can tell
	// of the staged rows: account names twice in the file (the fault is about the
	// later line and names both), names that a pending request holds, rows in
	// doubt that do not equal their record, more new records than the source has
	// room for. rows is how many there are; where not all of them were staged, the
	// file is over the limit.
	CheckImport(ctx context.Context, job lifecycle.ID, rows int) (lifecycle.ImportFaults, error)
	// PreviewImport counts what the staged rows would do just now.
	PreviewImport(ctx context.Context, job lifecycle.ID) (lifecycle.ImportCounts, error)
	// SealImport makes the job PENDING behind all others of its source. Errors:
	// KindLimit, KindUnavailable as above.
	SealImport(ctx context.Context, job lifecycle.ID) (lifecycle.ImportJob, error)
	// DropImport removes a job that was not sealed; its rows follow later. One
	// that is gone is no error.
	DropImport(ctx context.Context, job lifecycle.ID) error

	// LatestImport returns the newest job of the source that was sealed.
	LatestImport(ctx context.Context, source lifecycle.ID) (job lifecycle.ImportJob, found bool, err error)
	GetImport(ctx context.Context, source, job lifecycle.ID) (lifecycle.ImportJob, error)
	// ListImports returns a page, newest first, and where count the number of all.
	ListImports(ctx context.Context, source lifecycle.ID, limit, offset int, count bool) ([]lifecycle.ImportJob, int, error)
	// ImportHeader returns the header of the file as it came.
	ImportHeader(ctx context.Context, source, job lifecycle.ID) (string, error)
	// ListImportFaults returns a page of the faults of a job that was carried
	// out, by line, and where count the number of all.
	ListImportFaults(ctx context.Context, source, job lifecycle.ID, limit, offset int, count bool) (faults []lifecycle.RowFault, total int, err error)
	// ImportFaultsAfter returns at most limit of these faults, by line, from
	// behind the row of that number on.
	ImportFaultsAfter(ctx context.Context, source, job lifecycle.ID, number, limit int) ([]lifecycle.RowFault, error)
	// CancelImport ends a PENDING job at once and has one that is IN_PROGRESS
	// stop before its next chunk; it returns the job afterwards. A job that has
	// ended is KindIllegalUpdate.
	CancelImport(ctx context.Context, source, job lifecycle.ID) (lifecycle.ImportJob, error)
}

// ExportStore keeps exports and their schedules. A job is asked for together
// with its source, as in ImportStore.
type ExportStore interface {
	// BeginExport returns an export of job's source that is PENDING and that no
	// schedule made, or else makes job and returns it. KindNotFound for an unknown
	// source.
	BeginExport(ctx context.Context, job lifecycle.ExportJob) (lifecycle.ExportJob, error)
	GetExport(ctx context.Context, source, job lifecycle.ID) (lifecycle.ExportJob, error)
	// ListExports returns a page, newest first, and where count the number of all.
	ListExports(ctx context.Context, source lifecycle.ID, limit, offset int, count bool) ([]lifecycle.ExportJob, int, error)
	// ReadExport returns the job as it stands and up to limit chunks of its
	// newest attempt, from chunk number from on. KindNotFound once it is gone.
	ReadExport(ctx context.Context, job lifecycle.ID, from, limit int) (lifecycle.ExportJob, [][]byte, error)

	// CreateExportSchedule: KindLimit beyond [lifecycle.MaxExportSchedules],
	// KindNotFound for an unknown source.
	CreateExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error
	// ListExportSchedules returns those of the source, oldest first.
	ListExportSchedules(ctx context.Context, source lifecycle.ID) ([]lifecycle.ExportSchedule, error)
	// DeleteExportSchedule removes it and notes that Temporal has to forget it.
	// Its finished exports stay until they expire.
	DeleteExportSchedule(ctx context.Context, source, schedule lifecycle.ID) error
}

// BulkWorkflows reaches the workflows of bulk work.
type BulkWorkflows interface {
	// WakeImports has the source's waiting imports carried out; KindUnavailable
	// where Temporal can't be reached, which the sweep makes up for.
	WakeImports(ctx context.Context, source lifecycle.ID) error
	// StartExport starts the workflow of an export, and is content with one that
	// runs already.
	StartExport(ctx context.Context, job, source lifecycle.ID) error
	// SaveExportSchedule makes the Temporal Schedule what schedule says. The
	// sweep makes up for a failure.
	SaveExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error
	// DropExportSchedule removes the Temporal Schedule; one that is not there is
	// no error.
	DropExportSchedule(ctx context.Context, schedule lifecycle.ID) error
}

// Upload is a file that arrives with a request.
type Upload interface {
	// Open returns the bytes of the part "data" (contract §7), which can be read
	// once. It is called at most once, after the access check. Once ctx ends, a
	// Read under way fails. Errors are for the caller, also those of the reader:
	// KindTooLarge, KindUnsupportedMedia, KindRequired for a body without such a
	// part, KindBadRequest for one that was cut off.
	Open(ctx context.Context) (io.Reader, error)
	// Close reads what follows the part. KindBadRequest for a second part of
	// that name and for a body that was cut off.
	Close() error
}

// ImportResult is the answer to an upload.
type ImportResult struct {
	// Job is zero for a dry run.
	Job lifecycle.ImportJob
	// Preview is what a dry run found; zero else.
	Preview lifecycle.ImportCounts
}

// Export is a file that goes out with an answer.
type Export struct {
	Job lifecycle.ExportJob
	// FileName is what the file should be saved as. It may hold any character.
	FileName string
	// Length is the size of the file in bytes; negative if it is not known yet.
	Length int64
	// Next returns the next piece and io.EOF after the last one. Any other error
	// means that the file is broken off and must not look whole.
	Next func(ctx context.Context) ([]byte, error)
}

// FaultsFile is the rows of an import that could not be taken, as a file.
type FaultsFile struct {
	// FileName and Next are those of [Export].
	FileName string
	Next     func(ctx context.Context) ([]byte, error)
}
