// Package reconcile brings the rows and the workflow engine in line after one of them
// was restored to an earlier moment, or was lost. The rows are right: what they say is
// pending gets a workflow that stands where they do, what they know nothing of is
// ended, and what they say is decided stays so. It may run beside everything else, and
// where all is in line it changes nothing.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
)

// Rows are the rows that workflows stand for.
type Rows interface {
	// OpenRequests returns the next requests that have a workflow to run, at most limit
	// after the one of this id, by their ids.
	OpenRequests(ctx context.Context, after lifecycle.ID, limit int, settled time.Duration) ([]lifecycle.RequestInRows, error)
	// RequestsAmong returns those of the requests that there are.
	RequestsAmong(ctx context.Context, ids []lifecycle.ID, settled time.Duration) ([]lifecycle.RequestInRows, error)
	// AnyRequest reports whether there is one request at all.
	AnyRequest(ctx context.Context) (bool, error)
	// Existing returns those of the ids that there are rows for, or that are to be ended
	// anyway.
	Existing(ctx context.Context, kind lifecycle.EngineKind, ids []lifecycle.ID) ([]lifecycle.ID, error)
	// OpenAbsences returns the next absences that are not over, PendingDeliveries the
	// next deliveries that are pending, and ExportSchedules the next schedules.
	OpenAbsences(ctx context.Context, after lifecycle.ID, limit int) ([]lifecycle.ID, error)
	PendingDeliveries(ctx context.Context, after lifecycle.ID, limit int) ([]lifecycle.Delivery, error)
	ExportSchedules(ctx context.Context, after lifecycle.ID, limit int) ([]lifecycle.ExportSchedule, error)
	// Awaits reports whether the row has a workflow, or schedule, to run and has stood so
	// since settled ago. It is not asked about requests.
	Awaits(ctx context.Context, kind lifecycle.EngineKind, id lifecycle.ID, settled time.Duration) (bool, error)
	// ImportsToWake returns the sources with imports that don't move, and
	// ExportsToStart the exports.
	ImportsToWake(ctx context.Context, limit int, grace time.Duration) ([]lifecycle.ID, error)
	ExportsToStart(ctx context.Context, limit int, grace time.Duration) ([]lifecycle.ExportJob, error)
}

// Engine has the workflows. What it is asked to start and runs already, or to end and
// has ended, it leaves.
type Engine interface {
	// RequestStand tells where the workflow of a request stands.
	RequestStand(ctx context.Context, request lifecycle.ID) (lifecycle.RequestInEngine, error)
	// StartRequest starts the workflow of a request; RestartRequest does so in the
	// place of the one that runs.
	StartRequest(ctx context.Context, request, source lifecycle.ID, items int) error
	RestartRequest(ctx context.Context, request, source lifecycle.ID) error
	// Running reports whether the workflow runs, and whether it came to its end well
	// where it does not.
	Running(ctx context.Context, kind lifecycle.EngineKind, id lifecycle.ID) (running, completed bool, err error)
	EnsureImports(ctx context.Context, source lifecycle.ID) (started bool, err error)
	EnsureExport(ctx context.Context, job, source lifecycle.ID) (started bool, err error)
	EnsureAbsence(ctx context.Context, absence lifecycle.ID) (started bool, err error)
	EnsureDelivery(ctx context.Context, delivery lifecycle.ID, channel lifecycle.DeliveryChannel) (started bool, err error)
	// EachRunning calls visit with the ids of the workflows that run, some at a time.
	EachRunning(ctx context.Context, kind lifecycle.EngineKind, visit func([]lifecycle.ID) error) error
	// End ends a workflow at once.
	End(ctx context.Context, kind lifecycle.EngineKind, id lifecycle.ID) error
	// ExportSchedules are the schedules of exports that the engine has.
	ExportSchedules(ctx context.Context) ([]lifecycle.ID, error)
	SaveExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error
	DropExportSchedule(ctx context.Context, schedule lifecycle.ID) error
}

// Deed is what was done, or is to be done, about one thing.
type Deed struct {
	Kind lifecycle.EngineKind `json:"kind"`
	ID   lifecycle.ID         `json:"id"`
	// Did is one of the Did constants, and Why one of the Why constants.
	Did string `json:"did"`
	Why string `json:"why"`
}

// What is done.
const (
	DidStart   = "started"
	DidRestart = "started anew"
	DidEnd     = "ended"
)

// Why it is done.
const (
	WhyMissing   = "it did not run"
	WhyLost      = "it had ended: its request was decided, which the rows don't know"
	WhyAhead     = "it stood elsewhere than its rows"
	WhyUnseen    = "it did not come after its rows"
	WhyDecided   = "it ran although its rows are decided"
	WhyNoRow     = "there is no row for it"
	WhyToldTwice = "it did not run, but had ended well before: who it is for may be told twice"
)

// Fault is what could not be brought in line.
type Fault struct {
	Kind lifecycle.EngineKind `json:"kind"`
	ID   lifecycle.ID         `json:"id"`
	// Fault is the kind of the error, and Cause the error.
	Fault string `json:"fault"`
	Cause error  `json:"-"`
}

// Report tells what a run found.
type Report struct {
	// DryRun says that nothing was done.
	DryRun bool `json:"dryRun"`
	// Looked counts what was looked at, by its kind.
	Looked map[lifecycle.EngineKind]int `json:"looked"`
	// Moving counts the requests that would be out of line if their rows had not moved
	// just now. They are left to the programs, or to another run.
	Moving int     `json:"moving"`
	Deeds  []Deed  `json:"deeds"`
	Faults []Fault `json:"faults"`
}

// Options adjust a run.
type Options struct {
	// DryRun has nothing changed.
	DryRun bool
	// Force has a run go on that looks as if it were of another deployment's database.
	Force bool
	// Settled is how long rows have stood that a workflow should have come after. It
	// keeps a run from disturbing what is under way.
	Settled time.Duration
	// Concurrency is how many workflows are reached at once, 1 at least.
	Concurrency int
}

const (
	// page is how many rows are read at once.
	page = 500
	// most bounds the sources with imports, and the exports, that one run starts.
	most = 100_000
	// strange is how many workflows without a row make a run suspicious where they are
	// more than half of all.
	strange = 20
)

// ErrStrange is returned where the rows seem to be of another deployment than the
// workflows. Nothing was changed.
var ErrStrange = errors.New("the database and the namespace don't seem to belong together")

// Run brings the engine in line with the rows. What fails for one thing is told in the
// report and keeps no other from its turn; the error is of what all hangs on, such as
// a database that does not answer, and leaves the rest for another run. Rows that do
// not seem to be those of the workflows are refused with ErrStrange, unless nothing is
// to be changed.
func Run(ctx context.Context, rows Rows, engine Engine, o Options) (Report, error) {
	r := &run{
		rows: rows, engine: engine, o: o,
		report: Report{DryRun: o.DryRun, Looked: map[lifecycle.EngineKind]int{}, Deeds: []Deed{}, Faults: []Fault{}},
	}
	for _, step := range []func(context.Context) error{
		// First what is to be ended, so that nothing is started beside it.
		r.guard, r.orphans, r.strayed, r.requests, r.imports, r.exports, r.absences, r.deliveries, r.schedules,
	} {
		if err := step(ctx); err != nil {
			return r.report, err
		}
	}
	return r.report, nil
}

type run struct {
	rows   Rows
	engine Engine
	o      Options

	mutex  sync.Mutex
	report Report
}

// task is one thing to look at. look returns what has to be done about it; a deed
// without Did is none.
type task struct {
	kind lifecycle.EngineKind
	id   lifecycle.ID
	look func(ctx context.Context) (did, why string, err error)
	do   func(ctx context.Context) error
}

// each looks at the things and does what has to be done, some at once. It fails only
// if ctx ends.
func (r *run) each(ctx context.Context, tasks []task) error {
	var group errgroup.Group
	group.SetLimit(max(1, r.o.Concurrency))
	for _, t := range tasks {
		group.Go(func() error {
			did, why, err := t.look(ctx)
			if err == nil && did != "" && !r.o.DryRun {
				err = t.do(ctx)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.mutex.Lock()
			defer r.mutex.Unlock()
			r.report.Looked[t.kind]++
			switch {
			case err != nil:
				r.report.Faults = append(r.report.Faults, Fault{Kind: t.kind, ID: t.id, Fault: lifecycle.KindOf(err).String(), Cause: err})
			case did != "":
				r.report.Deeds = append(r.report.Deeds, Deed{Kind: t.kind, ID: t.id, Did: did, Why: why})
			}
			return nil
		})
	}
	return group.Wait()
}

// always is the look at something that has been judged before.
func always(did, why string) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) { return did, why, nil }
}

// guard refuses rows of which the workflows seem to be none: all of them would be
// ended.
func (r *run) guard(ctx context.Context) error {
	if r.o.DryRun || r.o.Force {
		return nil
	}
	if there, err := r.rows.AnyRequest(ctx); err != nil {
		return err
	} else if !there {
		return fmt.Errorf("%w: there is not one request in the rows", ErrStrange)
	}
	all, without := 0, 0
	for _, kind := range lifecycle.EngineKinds() {
		err := r.engine.EachRunning(ctx, kind, func(ids []lifecycle.ID) error {
			existing, err := r.rows.Existing(ctx, kind, ids)
			all, without = all+len(ids), without+len(ids)-len(existing)
			return err
		})
		if err != nil {
			return err
		}
	}
	if without > strange && without > all/2 {
		return fmt.Errorf("%w: %d of %d workflows that run have no row", ErrStrange, without, all)
	}
	return nil
}

// orphans ends the workflows that there are no rows for: of what was made after the
// moment that the rows were restored to, or was deleted before it.
func (r *run) orphans(ctx context.Context) error {
	for _, kind := range lifecycle.EngineKinds() {
		err := r.engine.EachRunning(ctx, kind, func(ids []lifecycle.ID) error {
			existing, err := r.rows.Existing(ctx, kind, ids)
			if err != nil {
				return err
			}
			there := set(existing)
			var tasks []task
			for _, id := range ids {
				if there[id] {
					continue
				}
				tasks = append(tasks, task{
					kind: kind, id: id,
					look: func(ctx context.Context) (string, string, error) {
						// What is listed may have ended a moment ago.
						running, _, err := r.engine.Running(ctx, kind, id)
						if err != nil || !running {
							return "", "", err
						}
						return DidEnd, WhyNoRow, nil
					},
					do: func(ctx context.Context) error { return r.engine.End(ctx, kind, id) },
				})
			}
			return r.each(ctx, tasks)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func set(ids []lifecycle.ID) map[lifecycle.ID]bool {
	all := make(map[lifecycle.ID]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all
}

// strayed starts the workflows anew that wait although the rows are decided and told:
// where the engine was restored to an earlier moment than the rows. The new run finds
// nothing to do.
func (r *run) strayed(ctx context.Context) error {
	return r.engine.EachRunning(ctx, lifecycle.EngineRequest, func(ids []lifecycle.ID) error {
		requests, err := r.rows.RequestsAmong(ctx, ids, r.o.Settled)
		if err != nil {
			return err
		}
		var tasks []task
		for _, q := range requests {
			if !strays(q) {
				continue
			}
			tasks = append(tasks, task{
				kind: lifecycle.EngineRequest, id: q.RequestID,
				look: func(ctx context.Context) (string, string, error) {
					stand, err := r.engine.RequestStand(ctx, q.RequestID)
					if err != nil || !stand.Running || !stand.Begun {
						return "", "", err
					}
					if q, there, err := r.again(ctx, q.RequestID); err != nil || !there || !strays(q) {
						return "", "", err
					}
					return DidRestart, WhyDecided, nil
				},
				do: func(ctx context.Context) error { return r.engine.RestartRequest(ctx, q.RequestID, q.SourceID) },
			})
		}
		return r.each(ctx, tasks)
	})
}

// strays reports whether there is nothing left for the workflow of a request.
func strays(q lifecycle.RequestInRows) bool { return q.Final && !q.Unseen && q.Settled }

// again reads the rows of a request anew: they may have moved between the reading of
// their page and that of their workflow, with it.
func (r *run) again(ctx context.Context, request lifecycle.ID) (q lifecycle.RequestInRows, there bool, err error) {
	found, err := r.rows.RequestsAmong(ctx, []lifecycle.ID{request}, r.o.Settled)
	if err != nil || len(found) == 0 {
		return lifecycle.RequestInRows{}, false, err
	}
	return found[0], true, nil
}

// requests has a workflow run for every request that needs one, and stand where its
// rows do.
func (r *run) requests(ctx context.Context) error {
	for after := (lifecycle.ID{}); ; {
		requests, err := r.rows.OpenRequests(ctx, after, page, r.o.Settled)
		if err != nil || len(requests) == 0 {
			return err
		}
		tasks := make([]task, len(requests))
		for i, q := range requests {
			running := false
			tasks[i] = task{
				kind: lifecycle.EngineRequest, id: q.RequestID,
				look: func(ctx context.Context) (string, string, error) {
					stand, err := r.engine.RequestStand(ctx, q.RequestID)
					if did, _ := judge(q, stand); err != nil || did == "" {
						return "", "", err
					}
					now, there, err := r.again(ctx, q.RequestID)
					if err != nil || !there || now.Final && !now.Unseen {
						return "", "", err
					}
					running = stand.Running
					did, why := judge(now, stand)
					if did != "" && !now.Settled {
						r.moves()
						return "", "", nil
					}
					return did, why, nil
				},
				do: func(ctx context.Context) error {
					if running {
						// Reading the rows again would not do: Temporal answers a decision
						// that the run had before from what it remembers of it.
						return r.engine.RestartRequest(ctx, q.RequestID, q.SourceID)
					}
					return r.engine.StartRequest(ctx, q.RequestID, q.SourceID, 0)
				},
			}
		}
		if err := r.each(ctx, tasks); err != nil {
			return err
		}
		after = requests[len(requests)-1].RequestID
	}
}

// moves counts a request that is left alone because its rows have just moved.
func (r *run) moves() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.report.Moving++
}

// judge says what has to be done about the workflow of an open request, once its rows
// are settled.
func judge(q lifecycle.RequestInRows, stand lifecycle.RequestInEngine) (did, why string) {
	switch {
	case !stand.Running && stand.Completed && !q.Final:
		return DidStart, WhyLost
	case !stand.Running:
		return DidStart, WhyMissing
	case !stand.Begun:
		return "", ""
	case q.Unseen && stand.AtWork:
		// It is about to read the rows.
		return "", ""
	case q.Unseen:
		return DidRestart, WhyUnseen
	case stand.Item != q.Pending, !stand.Version.IsZero() && !stand.Version.Equal(q.Version):
		return DidRestart, WhyAhead
	}
	return "", ""
}
func (r *run) imports(ctx context.Context) error {
	sources, err := r.rows.ImportsToWake(ctx, most, r.o.Settled)
	if err != nil {
		return err
	}
	tasks := make([]task, len(sources))
	for i, source := range sources {
		tasks[i] = r.missing(lifecycle.EngineImports, source, func(ctx context.Context) error {
			_, err := r.engine.EnsureImports(ctx, source)
			return err
		})
	}
	return r.each(ctx, tasks)
}

func (r *run) exports(ctx context.Context) error {
	jobs, err := r.rows.ExportsToStart(ctx, most, r.o.Settled)
	if err != nil {
		return err
	}
	tasks := make([]task, len(jobs))
	for i, job := range jobs {
		tasks[i] = r.missing(lifecycle.EngineExport, job.ID, func(ctx context.Context) error {
			_, err := r.engine.EnsureExport(ctx, job.ID, job.SourceID)
			return err
		})
	}
	return r.each(ctx, tasks)
}

// missing starts a workflow unless it runs. Its row is read again once it is known not
// to: the workflow may have come to its end since the row was read.
func (r *run) missing(kind lifecycle.EngineKind, id lifecycle.ID, start func(context.Context) error) task {
	return task{kind: kind, id: id, do: start, look: func(ctx context.Context) (string, string, error) {
		running, completed, err := r.engine.Running(ctx, kind, id)
		if err != nil || running {
			return "", "", err
		}
		if awaits, err := r.rows.Awaits(ctx, kind, id, r.o.Settled); err != nil || !awaits {
			return "", "", err
		}
		if kind == lifecycle.EngineDelivery && completed {
			return DidStart, WhyToldTwice, nil
		}
		return DidStart, WhyMissing, nil
	}}
}

func (r *run) absences(ctx context.Context) error {
	for after := (lifecycle.ID{}); ; {
		absences, err := r.rows.OpenAbsences(ctx, after, page)
		if err != nil || len(absences) == 0 {
			return err
		}
		tasks := make([]task, len(absences))
		for i, absence := range absences {
			tasks[i] = r.missing(lifecycle.EngineAbsence, absence, func(ctx context.Context) error {
				_, err := r.engine.EnsureAbsence(ctx, absence)
				return err
			})
		}
		if err := r.each(ctx, tasks); err != nil {
			return err
		}
		after = absences[len(absences)-1]
	}
}

func (r *run) deliveries(ctx context.Context) error {
	for after := (lifecycle.ID{}); ; {
		deliveries, err := r.rows.PendingDeliveries(ctx, after, page)
		if err != nil || len(deliveries) == 0 {
			return err
		}
		tasks := make([]task, len(deliveries))
		for i, d := range deliveries {
			tasks[i] = r.missing(lifecycle.EngineDelivery, d.ID, func(ctx context.Context) error {
				_, err := r.engine.EnsureDelivery(ctx, d.ID, d.Channel)
				return err
			})
		}
		if err := r.each(ctx, tasks); err != nil {
			return err
		}
		after = deliveries[len(deliveries)-1].ID
	}
}

// schedules has the engine have the schedules that there are rows for, and no other.
func (r *run) schedules(ctx context.Context) error {
	known, err := r.engine.ExportSchedules(ctx)
	if err != nil {
		return err
	}
	there := set(known)
	wanted := map[lifecycle.ID]bool{}
	for after := (lifecycle.ID{}); ; {
		schedules, err := r.rows.ExportSchedules(ctx, after, page)
		if err != nil {
			return err
		}
		var tasks []task
		for _, schedule := range schedules {
			wanted[schedule.ID] = true
			tasks = append(tasks, task{
				kind: lifecycle.EngineSchedule, id: schedule.ID,
				look: func(ctx context.Context) (string, string, error) {
					if there[schedule.ID] {
						return "", "", nil
					}
					if awaits, err := r.rows.Awaits(ctx, lifecycle.EngineSchedule, schedule.ID, r.o.Settled); err != nil || !awaits {
						return "", "", err
					}
					return DidStart, WhyMissing, nil
				},
				do: func(ctx context.Context) error { return r.engine.SaveExportSchedule(ctx, schedule) },
			})
		}
		if err := r.each(ctx, tasks); err != nil {
			return err
		}
		if len(schedules) < page {
			break
		}
		after = schedules[len(schedules)-1].ID
	}
	var tasks []task
	for _, id := range known {
		if !wanted[id] {
			tasks = append(tasks, task{
				kind: lifecycle.EngineSchedule, id: id, look: always(DidEnd, WhyNoRow),
				do: func(ctx context.Context) error { return r.engine.DropExportSchedule(ctx, id) },
			})
		}
	}
	return r.each(ctx, tasks)
}
