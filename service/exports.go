package service

import (
	"context"
	"io"
	"time"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const (
	// Whoever waits for an export looks for its next piece after pauses that
	// grow from the first of these to the last.
	firstPause = 2 * time.Millisecond
	lastPause  = 100 * time.Millisecond
	// stallTimeout bounds how long an export that has begun may stand still.
	stallTimeout = time.Minute
	// piecesAtOnce is how many chunks are read, and so held, at once.
	piecesAtOnce = 4
)

var (
	errExportFailed = lifecycle.NewError(lifecycle.KindIllegalUpdate,
		"The export has failed and there is no file; ask for a new one.")
	errExportFails = lifecycle.NewError(lifecycle.KindUnavailable,
		"The file can't be written at the moment; try again later.")
	errExportSlow = lifecycle.NewError(lifecycle.KindUnavailable,
		"The file is not being written at the moment; try again later.")
	errExportAnew = lifecycle.NewError(lifecycle.KindUnavailable,
		"The writing of the file began anew after a part of it was sent.")
	errExportCut = lifecycle.NewError(lifecycle.KindUnavailable,
		"The file is not as long as it was written.")
)

// Export returns the records of a source as a file (contract §7). Where job is
// nil a new export is made, unless one that a client asked for waits to begin, and
// its file returned while it is written; else the file of that export, from its
// beginning, whether it is complete yet or not.
// An export that has failed is KindIllegalUpdate.
//
// Errors of the file before its first piece: KindUnavailable where its writing
// does not begin within Settings.ExportTimeout or fails.
func (s *Service) Export(ctx context.Context, a policy.Actor, source lifecycle.ID, job *lifecycle.ID) (Export, error) {
	found, err := s.source(ctx, policy.Export, a, source)
	if err != nil {
		return Export{}, err
	}
	export, err := s.beginExport(ctx, a, source, job)
	if err != nil {
		return Export{}, goneSince(policy.Export, a, err)
	}
	file := &exportFile{store: s.store, job: export.ID, patience: s.settings.ExportTimeout}
	answer := Export{Job: export, FileName: found.Name + ".csv", Length: -1}
	if export.Status == lifecycle.JobCompleted {
		answer.Length = export.Bytes
	}
	answer.Next = func(ctx context.Context) ([]byte, error) {
		piece, err := file.next(ctx)
		return piece, goneSince(policy.Export, a, err)
	}
	return answer, nil
}

// beginExport returns the export that job names, or one that is yet to begin, on
// its way.
func (s *Service) beginExport(ctx context.Context, a policy.Actor, source lifecycle.ID, job *lifecycle.ID) (lifecycle.ExportJob, error) {
	if job == nil {
		now := s.now()
		export, err := s.store.BeginExport(ctx, lifecycle.ExportJob{
			ID: lifecycle.NewID(), SourceID: source, Requester: a.IdentityID, ClientID: a.ClientID,
			Status: lifecycle.JobPending, Created: now, Modified: now,
		})
		if err != nil {
			return lifecycle.ExportJob{}, err
		}
		return export, s.startExport(ctx, export)
	}
	export, err := s.store.GetExport(ctx, source, *job)
	switch {
	case err != nil:
		return lifecycle.ExportJob{}, err
	case export.Status == lifecycle.JobError:
		return lifecycle.ExportJob{}, errExportFailed
	case export.Status == lifecycle.JobPending:
		return export, s.startExport(ctx, export)
	}
	return export, nil
}

func (s *Service) startExport(ctx context.Context, export lifecycle.ExportJob) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.StartTimeout)
	defer cancel()
	return s.workflows.StartExport(ctx, export.ID, export.SourceID)
}

// exportFile reads the file of an export while it is written.
type exportFile struct {
	store ExportStore
	job   lifecycle.ID
	// patience bounds the wait for the first piece.
	patience time.Duration
	attempt  int
	// read is how many chunks were read, bytes how long they are.
	read   int
	bytes  int64
	pieces [][]byte
}

func (f *exportFile) next(ctx context.Context) ([]byte, error) {
	if len(f.pieces) == 0 {
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
	}
	piece := f.pieces[0]
	f.pieces = f.pieces[1:]
	return piece, nil
}

// wait returns once there are pieces, or none any more.
func (f *exportFile) wait(ctx context.Context) error {
	patience := f.patience
	if f.read > 0 {
		patience = stallTimeout
	}
	given := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if done, err := f.fetch(ctx); done || err != nil {
			return err
		}
		left := time.Until(given)
		if left <= 0 {
			return errExportSlow
		}
		timer := time.NewTimer(min(pause, left))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// fetch looks for pieces once; done is true if there are some.
func (f *exportFile) fetch(ctx context.Context) (done bool, err error) {
	job, pieces, err := f.store.ReadExport(ctx, f.job, f.read, piecesAtOnce)
	switch {
	case err == nil:
	case f.read > 0 && lifecycle.KindOf(err) == lifecycle.KindUnavailable && ctx.Err() == nil:
		// A part is out: that the database is away for a moment must not spoil it.
		return false, nil
	default:
		return false, err
	}
	if job.Attempt != f.attempt && f.read > 0 {
		return false, errExportAnew
	}
	f.attempt = job.Attempt
	if len(pieces) > 0 {
		f.pieces = pieces
		f.read += len(pieces)
		for _, piece := range pieces {
			f.bytes += int64(len(piece))
		}
		return true, nil
	}
	switch {
	case job.Status == lifecycle.JobError:
		return false, errExportFails
	case job.Status != lifecycle.JobCompleted:
		return false, nil
	case f.bytes != job.Bytes:
		return false, errExportCut
	}
	return false, io.EOF
}

// ListExports returns a page of the exports of a source, newest first, and
// where p.Count, how many there are.
func (s *Service) ListExports(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.ExportJob, int, error) {
	if _, err := s.source(ctx, policy.ListExports, a, source); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListExports(ctx, source, q.Limit, q.Offset, q.Count)
}

// CreateExportSchedule has a source exported again and again.
func (s *Service) CreateExportSchedule(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.ScheduleInput) (lifecycle.ExportSchedule, error) {
	if _, err := s.source(ctx, policy.CreateExportSchedule, a, source); err != nil {
		return lifecycle.ExportSchedule{}, err
	}
	schedule, faults := in.Judge()
	if err := faults.Err(); err != nil {
		return lifecycle.ExportSchedule{}, err
	}
	schedule.ID, schedule.SourceID = lifecycle.NewID(), source
	schedule.Requester, schedule.ClientID = a.IdentityID, a.ClientID
	schedule.Created = s.now()
	schedule.Modified = schedule.Created
	if err := s.store.CreateExportSchedule(ctx, schedule); err != nil {
		return lifecycle.ExportSchedule{}, goneSince(policy.CreateExportSchedule, a, err)
	}
	s.mirror(ctx, schedule.ID, func(ctx context.Context) error { return s.workflows.SaveExportSchedule(ctx, schedule) })
	return schedule, nil
}

// ListExportSchedules returns the schedules of a source, oldest first.
func (s *Service) ListExportSchedules(ctx context.Context, a policy.Actor, source lifecycle.ID) ([]lifecycle.ExportSchedule, error) {
	if _, err := s.source(ctx, policy.ListExportSchedules, a, source); err != nil {
		return nil, err
	}
	return s.store.ListExportSchedules(ctx, source)
}

// DeleteExportSchedule ends a schedule. The files that it made stay until they expire.
func (s *Service) DeleteExportSchedule(ctx context.Context, a policy.Actor, source, schedule lifecycle.ID) error {
	if _, err := s.source(ctx, policy.DeleteExportSchedule, a, source); err != nil {
		return err
	}
	if err := s.store.DeleteExportSchedule(ctx, source, schedule); err != nil {
		return goneSince(policy.DeleteExportSchedule, a, err)
	}
	s.mirror(ctx, schedule, func(ctx context.Context) error { return s.workflows.DropExportSchedule(ctx, schedule) })
	return nil
}

// mirror tells Temporal of a schedule that is stored, or is not any more,
// whatever becomes of the call that did so.
func (s *Service) mirror(ctx context.Context, schedule lifecycle.ID, tell func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.StartTimeout)
	defer cancel()
	if err := tell(ctx); err != nil {
		s.log.WarnContext(ctx, "the schedule is kept, telling Temporal of it is left to the sweep",
			"schedule_id", schedule.String(), "error", err)
	}
}
