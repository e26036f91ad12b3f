package activities

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

const (
	// dropBatch is how much one transaction of the sweep removes.
	dropBatch = 5_000
	// dropTime is how long one sweep removes; the requests wait for its end.
	dropTime = 5 * time.Second
	// scheduleCheck is how long a schedule that was found right in Temporal is
	// taken to be so by this process.
	scheduleCheck = 10 * time.Minute
)

// SweepBulk looks after what imports, exports and their schedules left behind:
// it starts missing workflows, removes what is of no use any more and holds the
// schedules in Temporal to their rows. What fails for one of them is counted and
// left for the next sweep; a step that fails does not keep the others from their
// turn.
func (a *Activities) SweepBulk(ctx context.Context, in wire.SweepInput) (result wire.BulkSweepResult, err error) {
	defer a.seal(ctx, wire.ActivitySweepBulk, lifecycle.ID{}, &err)
	if a.Bulk == nil {
		return result, nil
	}
	err = errors.Join(
		a.sweepImports(ctx, in, &result),
		a.sweepExports(ctx, in, &result),
		a.dropBulk(ctx, &result),
		// What is deleted while its row is being held against Temporal is among
		// the endings, which are read after it.
		a.sweepSchedules(ctx, in, &result),
		a.sweepScheduleEndings(ctx, in, &result),
	)
	observer := a.observer()
	observer.Swept(SweptImports, result.Imports)
	observer.Swept(SweptExports, result.Exports)
	observer.Swept(SweptDropped, result.Dropped)
	observer.Swept(SweptSchedules, result.Schedules)
	observer.Swept(SweptEnded, result.Ended)
	observer.Swept(SweptFailed, result.Failed)
	return result, err
}

func (a *Activities) sweepImports(ctx context.Context, in wire.SweepInput, result *wire.BulkSweepResult) error {
	sources, err := a.Bulk.Store.ImportsToWake(ctx, in.Batch, a.SweepGrace)
	if err != nil {
		return err
	}
	chores := make([]chore, len(sources))
	for i, source := range sources {
		chores[i] = chore{source, func() (bool, error) { return a.Bulk.Workflows.EnsureImports(ctx, source) }}
	}
	return a.doAll(ctx, chores, &result.Imports, &result.Failed)
}

func (a *Activities) sweepExports(ctx context.Context, in wire.SweepInput, result *wire.BulkSweepResult) error {
	jobs, err := a.Bulk.Store.ExportsToStart(ctx, in.Batch, a.SweepGrace)
	if err != nil {
		return err
	}
	chores := make([]chore, len(jobs))
	for i, job := range jobs {
		chores[i] = chore{job.ID, func() (bool, error) { return a.Bulk.Workflows.EnsureExport(ctx, job.ID, job.SourceID) }}
	}
	return a.doAll(ctx, chores, &result.Exports, &result.Failed)
}

// dropBulk removes what is of no use any more until nothing is left or its time
// is over.
func (a *Activities) dropBulk(ctx context.Context, result *wire.BulkSweepResult) error {
	for began := time.Now(); time.Since(began) < dropTime; {
		dropped, err := a.Bulk.Store.DropBulk(ctx, dropBatch, a.Bulk.JobRetention, a.Bulk.ExportRetention)
		if err != nil || dropped == 0 {
			return err
		}
		result.Dropped += dropped
		activity.RecordHeartbeat(ctx, result.Dropped)
	}
	return nil
}

// sweepSchedules holds the schedules that are due against Temporal, and makes
// those there what the rows say. Each costs a call, so one that was right is left
// alone for a while.
func (a *Activities) sweepSchedules(ctx context.Context, in wire.SweepInput, result *wire.BulkSweepResult) error {
	now := time.Now()
	known := map[lifecycle.ID]bool{}
	for after := (lifecycle.ID{}); ; {
		page, err := a.Bulk.Store.ExportSchedules(ctx, after, in.Batch)
		if err != nil {
			return err
		}
		var chores []chore
		for _, schedule := range page {
			known[schedule.ID] = true
			if a.Bulk.schedules.due(schedule, now) {
				chores = append(chores, chore{schedule.ID, func() (bool, error) { return true, a.saveSchedule(ctx, schedule, now) }})
			}
		}
		if err := a.doAll(ctx, chores, &result.Schedules, &result.Failed); err != nil {
			return err
		}
		if len(page) < in.Batch {
			break
		}
		after = page[len(page)-1].ID
	}
	a.Bulk.schedules.keep(known)
	return nil
}

func (a *Activities) saveSchedule(ctx context.Context, schedule lifecycle.ExportSchedule, now time.Time) error {
	err := a.Bulk.Workflows.SaveExportSchedule(ctx, schedule)
	// What Temporal refuses it will refuse again in ten seconds.
	if err == nil || lifecycle.KindOf(err) == lifecycle.KindIllegalValue {
		a.Bulk.schedules.checked(schedule, now)
	}
	return err
}

func (a *Activities) sweepScheduleEndings(ctx context.Context, in wire.SweepInput, result *wire.BulkSweepResult) error {
	endings, err := a.Bulk.Store.ScheduleEndings(ctx, in.Batch)
	if err != nil || len(endings) == 0 {
		return err
	}
	var (
		mutex  sync.Mutex
		ended  []lifecycle.ID
		chores = make([]chore, len(endings))
	)
	for i, schedule := range endings {
		chores[i] = chore{schedule, func() (bool, error) {
			if err := a.Bulk.Workflows.DropExportSchedule(ctx, schedule); err != nil {
				return false, err
			}
			mutex.Lock()
			defer mutex.Unlock()
			ended = append(ended, schedule)
			return true, nil
		}}
	}
	stopped := a.doAll(ctx, chores, &result.Ended, &result.Failed)
	if len(ended) > 0 {
		ctx, cancel := keeping(ctx)
		defer cancel()
		if err := a.Bulk.Store.DropScheduleEndings(ctx, ended); err != nil {
			return err
		}
	}
	return stopped
}

// chore is what the sweep has to do about one object. do reports whether it
// changed anything.
type chore struct {
	subject lifecycle.ID
	do      func() (bool, error)
}

// doAll does the chores, some at once. It adds to did those that changed
// something and to failed those that failed, and fails itself only if ctx ends.
func (a *Activities) doAll(ctx context.Context, chores []chore, did, failed *int) error {
	var (
		mutex sync.Mutex
		group errgroup.Group
	)
	group.SetLimit(max(a.SweepConcurrency, 1))
	for _, c := range chores {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			changed, err := a.doOne(ctx, c)
			mutex.Lock()
			defer mutex.Unlock()
			switch {
			case err != nil:
				*failed++
			case changed:
				*did++
			}
			activity.RecordHeartbeat(ctx, *did)
			return nil
		})
	}
	return group.Wait()
}

func (a *Activities) doOne(ctx context.Context, c chore) (changed bool, err error) {
	defer a.seal(ctx, wire.ActivitySweepBulk, c.subject, &err)
	return c.do()
}

// scheduleMemory is what this process knows of the schedules in Temporal. The
// zero value knows nothing.
type scheduleMemory struct {
	mutex sync.Mutex
	seen  map[lifecycle.ID]seenSchedule
}

// seenSchedule is the row that Temporal was held to, and when that was.
type seenSchedule struct {
	cron, zone string
	at         time.Time
}

// due reports whether the schedule is to be held against Temporal.
func (m *scheduleMemory) due(schedule lifecycle.ExportSchedule, now time.Time) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	seen, ok := m.seen[schedule.ID]
	return !ok || seen.cron != schedule.Cron || seen.zone != schedule.Zone || now.Sub(seen.at) >= scheduleCheck
}

func (m *scheduleMemory) checked(schedule lifecycle.ExportSchedule, now time.Time) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.seen == nil {
		m.seen = map[lifecycle.ID]seenSchedule{}
	}
	m.seen[schedule.ID] = seenSchedule{cron: schedule.Cron, zone: schedule.Zone, at: now}
}

// keep forgets all but these.
func (m *scheduleMemory) keep(known map[lifecycle.ID]bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	maps.DeleteFunc(m.seen, func(id lifecycle.ID, _ seenSchedule) bool { return !known[id] })
}
