package httpapi_test

import (
	"context"
	"io"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

var (
	anImport = lifecycle.ImportJob{
		ID: objectID, SourceID: sourceID, Requester: person, ClientID: "test", Status: lifecycle.JobInProgress,
		ImportCounts: lifecycle.ImportCounts{Total: 9, Done: 6, Created: 3, Updated: 1, Unchanged: 1, Failed: 1},
		Waiting:      2, Created: now, Modified: now, Started: now,
	}
	aFault = lifecycle.RowFault{
		Row: 3, Line: 4, Column: "manager", Kind: lifecycle.KindReferenceNotFound,
		Message: "manager names no active identity", Cells: `a,"b ""c"""`,
	}
	anExport = lifecycle.ExportJob{
		ID: objectID, SourceID: sourceID, ClientID: "test", Status: lifecycle.JobCompleted, Rows: 2, Bytes: 12,
		Created: now, Modified: now, Finished: now, Expires: now.AddDate(0, 0, 1),
	}
	aSchedule = lifecycle.ExportSchedule{
		ID: objectID, SourceID: sourceID, Cron: "30 6 * * *", Zone: "Europe/Berlin", Keep: 3,
		Requester: person, ClientID: "test", Created: now, Modified: now,
	}
)

// bulk is the part of the fake that bulk work needs.
type bulk struct {
	// received is the file that came, and closed what became of its end.
	received []byte
	closed   error
	// onFile, where set, reads the file in the place of the fake.
	onFile func(ctx context.Context, upload service.Upload) error
	// pieces go out; length is what is said of them.
	pieces   []string
	length   int64
	pieceErr error
	// onPiece, where set, runs before each piece and before their end.
	onPiece func(context.Context)
	// job is what a download asked for.
	job      *lifecycle.ID
	schedule lifecycle.ScheduleInput
	status   lifecycle.JobStatus
}

func (f *fake) ImportRecords(ctx context.Context, a policy.Actor, source lifecycle.ID, dryRun bool, upload service.Upload) (service.ImportResult, error) {
	f.parent, f.flag = source, dryRun
	if err := f.asked(ctx, a); err != nil {
		return service.ImportResult{}, err
	}
	if f.bulk.onFile != nil {
		if err := f.bulk.onFile(ctx, upload); err != nil {
			return service.ImportResult{}, err
		}
	} else if err := f.receive(ctx, upload); err != nil {
		return service.ImportResult{}, err
	}
	if dryRun {
		return service.ImportResult{Preview: lifecycle.ImportCounts{Total: 6, Created: 3, Updated: 2, Unchanged: 1}}, nil
	}
	job := anImport
	job.Status = lifecycle.JobPending
	return service.ImportResult{Job: job}, nil
}

func (f *fake) receive(ctx context.Context, upload service.Upload) error {
	file, err := upload.Open(ctx)
	if err != nil {
		return err
	}
	if f.bulk.received, err = io.ReadAll(file); err != nil {
		return err
	}
	f.bulk.closed = upload.Close()
	return f.bulk.closed
}

func (f *fake) ImportStatus(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.ImportJob, bool, error) {
	f.parent = source
	job := anImport
	if f.bulk.status != "" {
		job.Status = f.bulk.status
	}
	return job, !f.empty, f.asked(ctx, a)
}

func (f *fake) ListImports(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.ImportJob, int, error) {
	f.parent, f.params = source, p
	return page(f, anImport, f.asked(ctx, a))
}

func (f *fake) GetImport(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	f.parent, f.id = source, job
	return anImport, f.asked(ctx, a)
}

func (f *fake) ListImportFaults(ctx context.Context, a policy.Actor, source, job lifecycle.ID, p filter.Params) ([]lifecycle.RowFault, int, error) {
	f.parent, f.id, f.params = source, job, p
	return page(f, aFault, f.asked(ctx, a))
}

func (f *fake) DownloadImportFaults(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (service.FaultsFile, error) {
	f.parent, f.id = source, job
	return service.FaultsFile{FileName: "Contractors faults.csv", Next: f.next()}, f.asked(ctx, a)
}

func (f *fake) CancelImport(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	f.parent, f.id = source, job
	cancelled := anImport
	cancelled.Status, cancelled.CancelRequested, cancelled.Finished = lifecycle.JobCancelled, true, now
	return cancelled, f.asked(ctx, a)
}

func (f *fake) Export(ctx context.Context, a policy.Actor, source lifecycle.ID, job *lifecycle.ID) (service.Export, error) {
	f.parent, f.bulk.job = source, job
	return service.Export{Job: anExport, FileName: "Contractors.csv", Length: f.bulk.length, Next: f.next()}, f.asked(ctx, a)
}

// next hands out the pieces, and then what the test says.
func (f *fake) next() func(context.Context) ([]byte, error) {
	pieces := f.bulk.pieces
	return func(ctx context.Context) ([]byte, error) {
		if f.bulk.onPiece != nil {
			f.bulk.onPiece(ctx)
		}
		if len(pieces) == 0 {
			if f.bulk.pieceErr != nil {
				return nil, f.bulk.pieceErr
			}
			return nil, io.EOF
		}
		piece := pieces[0]
		pieces = pieces[1:]
		return []byte(piece), nil
	}
}

func (f *fake) ListExports(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.ExportJob, int, error) {
	f.parent, f.params = source, p
	return page(f, anExport, f.asked(ctx, a))
}

func (f *fake) ListExportSchedules(ctx context.Context, a policy.Actor, source lifecycle.ID) ([]lifecycle.ExportSchedule, error) {
	f.parent = source
	schedules, _, err := page(f, aSchedule, f.asked(ctx, a))
	return schedules, err
}

func (f *fake) CreateExportSchedule(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.ScheduleInput) (lifecycle.ExportSchedule, error) {
	f.parent, f.bulk.schedule = source, in
	return aSchedule, f.asked(ctx, a)
}

func (f *fake) DeleteExportSchedule(ctx context.Context, a policy.Actor, source, schedule lifecycle.ID) error {
	f.parent, f.id = source, schedule
	return f.asked(ctx, a)
}
