package service

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/csvfile"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const (
	// batchRows and batchBytes bound what is staged at once. Three batches are
	// held at most: one is filled, one waits to be taken, one is staged.
	batchRows  = 2_000
	batchBytes = 4 << 20
	// importLease is how long a job lasts that nobody answers for any more.
	importLease = time.Minute
	// dropTimeout bounds the removing of a job that came to nothing. What is
	// left then goes with its lease.
	dropTimeout = 10 * time.Second
	// maxManagers bounds the references to managers that are remembered while a
	// file is received.
	maxManagers = 20_000
)

var errTooManyUploads = lifecycle.NewError(lifecycle.KindUnavailable,
	"As many files are being received as may be at once; try again soon.")

// ImportRecords takes a file into a source: it is judged as a whole and, where
// nothing is wrong with it, queued behind the other imports of the source
// (contract §7). A dry run says what the file would do just now and leaves
// nothing behind.
//
// Errors beyond those of access and of upload: one for all faults of the file
// (see [lifecycle.ImportFaults.Err]); KindLimit where as many imports wait as
// may; KindUnavailable where as many files are being received as may be.
func (s *Service) ImportRecords(ctx context.Context, a policy.Actor, source lifecycle.ID, dryRun bool, upload Upload) (ImportResult, error) {
	if _, err := s.source(ctx, policy.BulkUpload, a, source); err != nil {
		return ImportResult{}, err
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return ImportResult{}, errTooManyUploads
	}
	attributes, err := s.store.ListAttributes(ctx, source)
	if err != nil {
		return ImportResult{}, goneSince(policy.BulkUpload, a, err)
	}
	now := s.now()
	r := receiver{
		service: s, upload: upload, attributes: attributes,
		job: lifecycle.ImportJob{
			ID: lifecycle.NewID(), SourceID: source, Requester: a.IdentityID, ClientID: a.ClientID,
			Status: lifecycle.JobReceiving, Created: now, Modified: now,
		},
		batches:  make(chan []lifecycle.ImportRow),
		managers: map[string]manager{},
		dryRun:   dryRun,
	}
	result, err := r.run(ctx)
	if err != nil {
		return ImportResult{}, goneSince(policy.BulkUpload, a, err)
	}
	return result, nil
}

// receiver takes one file in.
type receiver struct {
	service    *Service
	upload     Upload
	attributes []lifecycle.SchemaAttribute
	job        lifecycle.ImportJob
	batches    chan []lifecycle.ImportRow
	managers   map[string]manager
	faults     lifecycle.ImportFaults
	dryRun     bool
	// begun is true once there may be a job to drop.
	begun bool
	// rows are those that were to be staged, enough how many of them are.
	rows, enough int
}

// manager is what is known of a reference to one.
type manager struct {
	lifecycle.ManagerReference
	found, active bool
}

func (r *receiver) run(ctx context.Context) (result ImportResult, err error) {
	sealed := false
	defer func() {
		if r.begun && !sealed {
			r.drop(ctx)
		}
	}()
	if err := r.receive(ctx); err != nil {
		return ImportResult{}, err
	}
	if result, err = r.judge(ctx); err != nil || r.dryRun {
		return result, err
	}
	sealed = true
	r.wake(ctx)
	return result, nil
}

// judge checks the staged rows and seals the job, or says what they would do. The
// lease lasts meanwhile.
func (r *receiver) judge(ctx context.Context) (result ImportResult, err error) {
	stop := r.keep(ctx)
	defer stop()
	store := r.service.store
	found, err := store.CheckImport(ctx, r.job.ID, r.rows)
	if err != nil {
		return ImportResult{}, err
	}
	r.faults.Merge(found)
	if err := r.faults.Err(); err != nil {
		return ImportResult{}, err
	}
	if r.dryRun {
		result.Preview, err = store.PreviewImport(ctx, r.job.ID)
	} else {
		result.Job, err = store.SealImport(ctx, r.job.ID)
	}
	return result, err
}

// keep renews the lease until stop is called. What becomes of a job that could
// not be kept is told by whatever asks for it next.
func (r *receiver) keep(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		renew := time.NewTicker(importLease / 3)
		defer renew.Stop()
		for {
			select {
			case <-renew.C:
				_ = r.service.store.StageImport(ctx, r.job.ID, nil, importLease)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// drop removes the job, whatever became of the call that brought it.
func (r *receiver) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	defer cancel()
	if err := r.service.store.DropImport(ctx, r.job.ID); err != nil {
		r.service.log.WarnContext(ctx, "an upload that came to nothing is left to its lease",
			"job_id", r.job.ID.String(), "error", err)
	}
}

// wake has the job carried out, whatever becomes of the call that brought it.
func (r *receiver) wake(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.service.settings.StartTimeout)
	defer cancel()
	if err := r.service.workflows.WakeImports(ctx, r.job.SourceID); err != nil {
		r.service.log.WarnContext(ctx, "the import is accepted, its workflow is left to the sweep",
			"job_id", r.job.ID.String(), "error", err)
	}
}

// receive reads the file to its end and stages its rows: while one batch is
// staged the next one is read.
func (r *receiver) receive(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var read, staged error
	group.Go(func() error {
		defer close(r.batches)
		read = r.read(ctx, func() {
			group.Go(func() error {
				staged = r.stage(ctx)
				return staged
			})
		})
		return read
	})
	if err := group.Wait(); err == nil {
		return nil
	}
	// What fails ends the context of the other side, and a client that leaves
	// that of both; the reason is what is not the end of a context.
	if read != nil && !errors.Is(read, context.Canceled) {
		return read
	}
	if staged != nil {
		return staged
	}
	return read
}

// read reads, judges and hands on all rows; begun is called once the job is
// there to take them.
func (r *receiver) read(ctx context.Context, begun func()) error {
	file, err := r.upload.Open(ctx)
	if err != nil {
		return err
	}
	decoder := csvfile.NewDecoder(file, r.attributes)
	faults, err := decoder.Header()
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		r.faults.Add(faults...)
		return r.faults.Err()
	}
	if !r.dryRun {
		if err := r.service.store.MayQueueImport(ctx, r.job.SourceID); err != nil {
			return err
		}
	}
	r.begun = true
	r.enough, err = r.service.store.BeginImport(ctx, r.job, decoder.Columns(), decoder.HeaderText(),
		r.service.settings.Limits.RecordsPerSource, importLease)
	if err != nil {
		return err
	}
	begun()
	if err := r.readRows(ctx, decoder); err != nil {
		return err
	}
	return r.upload.Close()
}

func (r *receiver) readRows(ctx context.Context, decoder *csvfile.Decoder) error {
	var batch []judged
	size := 0
	for {
		row, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return r.hand(ctx, batch)
		}
		if err != nil {
			return err
		}
		batch = append(batch, judge(row, r.attributes))
		if size += len(row.Cells); len(batch) < batchRows && size < batchBytes {
			continue
		}
		if err := r.hand(ctx, batch); err != nil {
			return err
		}
		batch, size = batch[:0], 0
	}
}

// judged is a row with what is wrong with it.
type judged struct {
	lifecycle.ImportRow
	// faults can't be healed; doubts can, by a stored record that is the same.
	faults, doubts []lifecycle.RowFault
}

// judge says all of a row that can be said without looking anything up.
func judge(row csvfile.Row, attributes []lifecycle.SchemaAttribute) judged {
	j := judged{
		ImportRow: lifecycle.ImportRow{Number: row.Number, Line: row.Line, Cells: row.Cells},
		faults:    row.Faults,
	}
	if len(row.Faults) > 0 {
		return j
	}
	j.RecordID = lifecycle.NewID()
	var found lifecycle.Faults
	j.Person, found = row.Input.Judge(attributes)
	for _, fault := range found {
		rowFault := lifecycle.RowFault{
			Row: row.Number, Line: row.Line, Column: csvfile.Column(fault.Field),
			Kind: fault.Kind, Message: fault.Message,
		}
		custom := rowFault.Column != fault.Field
		if custom {
			// A body has the value in its data, a file in a column.
			rowFault.Message = csvfile.Column(fault.Message)
		}
		if custom && fault.Kind == lifecycle.KindRequired {
			j.doubts = append(j.doubts, rowFault)
		} else {
			j.faults = append(j.faults, rowFault)
		}
	}
	return j
}

// hand looks the managers of a batch up, notes what is wrong with its rows and
// hands it on to be staged, as long as these are not enough.
func (r *receiver) hand(ctx context.Context, batch []judged) error {
	if err := r.findManagers(ctx, batch); err != nil {
		return err
	}
	rows := make([]lifecycle.ImportRow, 0, len(batch))
	for i := range batch {
		row := &batch[i]
		r.resolveManager(row)
		switch {
		case len(row.faults) > 0:
			r.faults.Add(row.faults...)
			r.faults.Add(row.doubts...)
			if row.Person.AccountName == "" {
				// There is nothing to compare it by.
				continue
			}
			// It is staged for its name alone: others may have it too.
			row.Faulty, row.Cells = true, ""
			row.Person = lifecycle.Person{AccountName: row.Person.AccountName}
		case len(row.doubts) > 0:
			row.Doubt = doubt(row.doubts)
		}
		if r.rows++; r.rows <= r.enough {
			rows = append(rows, row.ImportRow)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	select {
	case r.batches <- rows:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// doubt is all that a row is doubted for, as one.
func doubt(doubts []lifecycle.RowFault) *lifecycle.RowFault {
	whole := doubts[0]
	for _, other := range doubts[1:] {
		whole.Column = ""
		whole.Message += "; " + other.Message
		if other.Kind != whole.Kind {
			whole.Kind = lifecycle.KindBadRequest
		}
	}
	return &whole
}

// findManagers looks up the managers of the batch that are not known yet.
func (r *receiver) findManagers(ctx context.Context, batch []judged) error {
	wanted := map[string]bool{}
	for i := range batch {
		if reference := batch[i].Person.Manager.Alias; reference != "" {
			wanted[reference] = true
		}
	}
	if len(r.managers)+len(wanted) > maxManagers {
		clear(r.managers)
	}
	maps.DeleteFunc(wanted, func(reference string, _ bool) bool {
		_, known := r.managers[reference]
		return known
	})
	if len(wanted) == 0 {
		return nil
	}
	identities, err := r.service.store.ResolveIdentities(ctx, slices.Collect(maps.Keys(wanted)))
	if err != nil {
		return err
	}
	for reference := range wanted {
		identity, found := identities[reference]
		r.managers[reference] = manager{
			ManagerReference: lifecycle.ManagerReference{ID: identity.ID, Alias: identity.Alias},
			found:            found, active: identity.Active,
		}
	}
	return nil
}

// resolveManager replaces the reference of the row by the identity it names.
// One that is not active any more may still be that of the stored record.
func (r *receiver) resolveManager(row *judged) {
	reference := row.Person.Manager.Alias
	if reference == "" {
		return
	}
	known := r.managers[reference]
	row.Person.Manager = known.ManagerReference
	if known.active {
		return
	}
	fault := lifecycle.RowFault{
		Row: row.Number, Line: row.Line, Column: "manager",
		Kind: lifecycle.KindReferenceNotFound, Message: lifecycle.NoActiveManager,
	}
	if known.found {
		row.doubts = append(row.doubts, fault)
	} else {
		row.faults = append(row.faults, fault)
	}
}

// stage writes the batches as they come, and renews the lease where none comes
// for a while.
func (r *receiver) stage(ctx context.Context) error {
	renew := time.NewTicker(importLease / 3)
	defer renew.Stop()
	for {
		var rows []lifecycle.ImportRow
		select {
		case batch, more := <-r.batches:
			if !more {
				return nil
			}
			rows = batch
		case <-renew.C:
		}
		if err := r.service.store.StageImport(ctx, r.job.ID, rows, importLease); err != nil {
			return err
		}
		renew.Reset(importLease / 3)
	}
}
