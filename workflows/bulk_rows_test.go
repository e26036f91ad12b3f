package workflows_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// bulkRows stand for the tables of bulk work, as rows do for the others.
type bulkRows struct {
	mutex   sync.Mutex
	imports []*lifecycle.ImportJob
	exports map[lifecycle.ID]*lifecycle.ExportJob
	// schedules are the sources by their schedules.
	schedules map[lifecycle.ID]lifecycle.ID
	pruned    []lifecycle.ID
	// chunk is how many rows one transaction takes; 0 for as many as asked.
	chunk int
	calls []bulkCall
	// fault, where set, is asked before each step.
	fault func(bulkCall) error
}

// bulkCall is a step and the job, source or schedule that it is about.
type bulkCall struct {
	step    string
	subject lifecycle.ID
}

func newBulkRows() *bulkRows {
	return &bulkRows{exports: map[lifecycle.ID]*lifecycle.ExportJob{}, schedules: map[lifecycle.ID]lifecycle.ID{}}
}

// seal adds a PENDING import with this many rows.
func (r *bulkRows) seal(source lifecycle.ID, total int) lifecycle.ID {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	job := &lifecycle.ImportJob{
		ID: lifecycle.NewID(), SourceID: source, Status: lifecycle.JobPending, ImportCounts: lifecycle.ImportCounts{Total: total},
	}
	r.imports = append(r.imports, job)
	return job.ID
}

func (r *bulkRows) remove(job lifecycle.ID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.imports = slices.DeleteFunc(r.imports, func(j *lifecycle.ImportJob) bool { return j.ID == job })
}

func (r *bulkRows) status(job lifecycle.ID) lifecycle.JobStatus {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, j := range r.imports {
		if j.ID == job {
			return j.Status
		}
	}
	if export, ok := r.exports[job]; ok {
		return export.Status
	}
	return ""
}

// subjects returns what the steps of this name were about, in their order and
// without repetition.
func (r *bulkRows) subjects(step string) []lifecycle.ID {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var all []lifecycle.ID
	for _, call := range r.calls {
		if call.step == step {
			all = append(all, call.subject)
		}
	}
	return slices.Compact(all)
}

func (r *bulkRows) count(step string) int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	n := 0
	for _, call := range r.calls {
		if call.step == step {
			n++
		}
	}
	return n
}

func (r *bulkRows) begin(step string, subject lifecycle.ID) error {
	call := bulkCall{step, subject}
	r.mutex.Lock()
	r.calls = append(r.calls, call)
	fault := r.fault
	r.mutex.Unlock()
	if fault == nil {
		return nil
	}
	return fault(call)
}

func (r *bulkRows) NextImport(_ context.Context, source lifecycle.ID) (lifecycle.ID, bool, error) {
	if err := r.begin(wire.ActivityNextImport, source); err != nil {
		return lifecycle.ID{}, false, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, job := range r.imports {
		if job.SourceID == source && !job.Status.Ended() {
			return job.ID, true, nil
		}
	}
	return lifecycle.ID{}, false, nil
}

func (r *bulkRows) ApplyImport(_ context.Context, id lifecycle.ID, rows int) (lifecycle.ImportProgress, error) {
	if err := r.begin(wire.ActivityApplyImport, id); err != nil {
		return lifecycle.ImportProgress{}, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	position := slices.IndexFunc(r.imports, func(j *lifecycle.ImportJob) bool { return j.ID == id })
	if position < 0 {
		return lifecycle.ImportProgress{}, nil
	}
	job := r.imports[position]
	if r.chunk > 0 {
		rows = r.chunk
	}
	switch {
	case job.Status.Ended():
	case job.CancelRequested:
		job.Status = lifecycle.JobCancelled
	default:
		taken := min(rows, job.Total-job.Done)
		job.Done, job.ImportCounts.Created, job.Status = job.Done+taken, job.ImportCounts.Created+taken, lifecycle.JobInProgress
		if job.Done == job.Total {
			job.Status = lifecycle.JobCompleted
		}
	}
	behind := 0
	for _, other := range r.imports[position+1:] {
		if other.SourceID == job.SourceID {
			behind++
		}
	}
	return lifecycle.ImportProgress{Found: true, Status: job.Status, ImportCounts: job.ImportCounts, Behind: behind}, nil
}

const (
	exportedRows  = 20_000
	exportedBytes = 3_000_000
)

func (r *bulkRows) WriteExport(_ context.Context, id lifecycle.ID, _ time.Duration, progress func(int)) (lifecycle.ExportJob, error) {
	if err := r.begin(wire.ActivityWriteExport, id); err != nil {
		return lifecycle.ExportJob{}, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	job, ok := r.exports[id]
	if !ok {
		return lifecycle.ExportJob{}, errNoRow
	}
	progress(exportedRows)
	job.Status, job.Rows, job.Bytes = lifecycle.JobCompleted, exportedRows, exportedBytes
	return *job, nil
}

func (r *bulkRows) FailExport(_ context.Context, id lifecycle.ID) error {
	if err := r.begin(wire.ActivityFailExport, id); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if job, ok := r.exports[id]; ok && !job.Status.Ended() {
		job.Status = lifecycle.JobError
	}
	return nil
}

// ask adds a PENDING export.
func (r *bulkRows) ask(source lifecycle.ID) lifecycle.ID {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	id := lifecycle.NewID()
	r.exports[id] = &lifecycle.ExportJob{ID: id, SourceID: source, Status: lifecycle.JobPending}
	return id
}

func (r *bulkRows) BeginScheduledExport(_ context.Context, schedule, job lifecycle.ID) (lifecycle.ID, error) {
	if err := r.begin(wire.ActivityBeginScheduledExport, schedule); err != nil {
		return lifecycle.ID{}, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	source, ok := r.schedules[schedule]
	if !ok {
		return lifecycle.ID{}, errNoRow
	}
	if r.exports[job] == nil {
		r.exports[job] = &lifecycle.ExportJob{ID: job, SourceID: source, ScheduleID: schedule, Status: lifecycle.JobPending}
	}
	return source, nil
}

func (r *bulkRows) PruneScheduledExports(_ context.Context, schedule lifecycle.ID) error {
	if err := r.begin(wire.ActivityPruneScheduledExports, schedule); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.pruned = append(r.pruned, schedule)
	return nil
}

// The sweep's own questions are tested with the activities.

func (r *bulkRows) ImportsToWake(context.Context, int, time.Duration) ([]lifecycle.ID, error) {
	return nil, r.begin(wire.ActivitySweepBulk, lifecycle.ID{})
}

func (r *bulkRows) ExportsToStart(context.Context, int, time.Duration) ([]lifecycle.ExportJob, error) {
	return nil, nil
}
func (r *bulkRows) DropBulk(context.Context, int, time.Duration, time.Duration) (int, error) {
	return 0, nil
}
func (r *bulkRows) ExportSchedules(context.Context, lifecycle.ID, int) ([]lifecycle.ExportSchedule, error) {
	return nil, nil
}
func (r *bulkRows) ScheduleEndings(context.Context, int) ([]lifecycle.ID, error) { return nil, nil }
func (r *bulkRows) DropScheduleEndings(context.Context, []lifecycle.ID) error    { return nil }

// noSchedules are workflows of bulk work of which only the forgetting of a
// schedule is asked.
type noSchedules struct {
	activities.BulkWorkflows
	mutex     sync.Mutex
	forgotten []lifecycle.ID
}

func (n *noSchedules) DropExportSchedule(_ context.Context, schedule lifecycle.ID) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.forgotten = append(n.forgotten, schedule)
	return nil
}

// newBulkActivities make a turn of one chunk, so that a workflow has many.
func newBulkActivities(r *bulkRows, w activities.BulkWorkflows) *activities.Activities {
	return &activities.Activities{
		Store: newRows(), Workflows: &reach{}, Log: slog.New(slog.DiscardHandler), SweepConcurrency: 1,
		Bulk: &activities.Bulk{Store: r, Workflows: w, Turn: time.Nanosecond, ExportRetention: time.Hour},
	}
}
