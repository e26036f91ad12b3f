package store_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// retention is how long dropBulk leaves jobs that ended.
const retention = time.Hour

// dropBulk removes all that is of no use any more, two rows at a time, and
// returns how much that was.
func (w *world) dropBulk(t *testing.T) int {
	t.Helper()
	total := 0
	for {
		dropped, err := w.DropBulk(t.Context(), 2, retention, keep)
		require.NoError(t, err)
		if total += dropped; dropped == 0 {
			require.Equal(t, 0, w.number(t, "SELECT count(*) FROM bulk_garbage"))
			return total
		}
	}
}

// age moves the times of all jobs into the past.
func (w *world) age(t *testing.T, by time.Duration) {
	t.Helper()
	for _, statement := range []string{
		`UPDATE import_jobs SET created = created - $1::interval, modified = modified - $1::interval,
			started = started - $1::interval, finished = finished - $1::interval, lease_until = lease_until - $1::interval`,
		`UPDATE export_jobs SET created = created - $1::interval, modified = modified - $1::interval,
			finished = finished - $1::interval, expires = expires - $1::interval`,
	} {
		_, err := w.admin.ExecContext(t.Context(), statement, by.String())
		require.NoError(t, err)
	}
}

func TestAnUploadGoesWithItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	silent, alive := w.begin(t, plenty), w.begin(t, plenty)
	w.stage(t, silent, w.rowsOf(numbered("a", 5)...)...)
	w.stage(t, alive, w.rowsOf(numbered("b", 5)...)...)
	require.Zero(t, w.dropBulk(t))
	w.age(t, lease+time.Second)
	// What arrives in time renews the lease, even of one that ran out.
	rows := w.rowsOf(numbered("c", 6)...)[5:]
	w.stage(t, alive, rows...)
	require.Equal(t, 1+5+1, w.dropBulk(t))
	requireKind(t, lifecycle.KindUnavailable, w.StageImport(t.Context(), silent, rows, lease))
	require.Equal(t, 6, w.number(t, "SELECT count(*) FROM import_rows"))
	sealed, err := w.SealImport(t.Context(), alive)
	require.NoError(t, err)
	require.Equal(t, 6, sealed.Total)
	w.age(t, 1000*time.Hour)
	require.Zero(t, w.dropBulk(t), "what waits is never removed")
}

// TestALeaseGoesByTheClockOfTheDatabase has the clocks of the processes be wrong:
// in a bubble it is the year 2000.
func TestALeaseGoesByTheClockOfTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var early, renewed, late lifecycle.ID
	late = w.begin(t, plenty)
	synctest.Test(t, func(t *testing.T) {
		early, renewed = w.begin(t, plenty), w.begin(t, plenty)
		w.stage(t, renewed, w.rowsOf("a")...)
	})
	require.Zero(t, w.dropBulk(t), "a process that is late makes no shorter leases")
	w.age(t, lease+time.Second)
	synctest.Test(t, func(t *testing.T) {
		w.stage(t, renewed)
		require.Equal(t, 2*2, w.dropBulk(t), "nor does it leave jobs that are gone")
	})
	for _, job := range []lifecycle.ID{early, late} {
		requireKind(t, lifecycle.KindUnavailable, w.StageImport(t.Context(), job, nil, lease))
	}
	w.stage(t, renewed)
}

// TestALeaseIsRenewedDuringACheck: a check may take longer than a lease lasts.
func TestALeaseIsRenewedDuringACheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	job := w.begin(t, 1)
	w.stage(t, job, w.rowsOf("a", "b")...)
	tx, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "LOCK TABLE account_names IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	checked := make(chan error, 1)
	go func() {
		faults, err := w.CheckImport(t.Context(), job, 2)
		if err == nil && faults.Total != 1 {
			err = faults.Err()
		}
		checked <- err
	}()
	require.Eventually(t, func() bool {
		return w.number(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
			AND query LIKE '%' || $1 || '%'`, job.String()) == 1
	}, time.Minute, time.Millisecond)
	w.age(t, lease+time.Second)
	w.stage(t, job)
	require.Zero(t, w.dropBulk(t))
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-checked)
	_, err = w.SealImport(t.Context(), job)
	require.NoError(t, err)
}

func TestAJobThatEndedIsKeptForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.request(t, "a1")
	w.request(t, "a2")
	w.request(t, "a3")
	job := w.sealed(t, w.rowsOf(numbered("a", 9)...)...)
	require.Equal(t, 3, w.carryOut(t, job, 4).Failed)
	require.Equal(t, 9+1, w.dropBulk(t), "the rows go at once")
	faults, total, err := w.ListImportFaults(t.Context(), w.source.ID, job, 250, 0, true)
	require.NoError(t, err)
	require.Equal(t, 3, total)
	require.Len(t, faults, 3)
	w.age(t, retention+time.Minute)
	require.Equal(t, 1+3+1, w.dropBulk(t))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM import_faults"))
	_, err = w.GetImport(t.Context(), w.source.ID, job)
	requireKind(t, lifecycle.KindNotFound, err)
}

func TestAnExportGoesWhenItExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	job := w.beginExport(t)
	_, err := w.WriteExport(t.Context(), job.ID, keep, ignore)
	require.NoError(t, err)
	failed := w.beginExport(t)
	require.NoError(t, w.FailExport(t.Context(), failed.ID))
	require.Equal(t, 1, w.dropBulk(t), "the note of the one that failed")
	w.age(t, retention+time.Minute)
	require.Equal(t, 2, w.dropBulk(t), "the one that failed")
	_, _, err = w.ReadExport(t.Context(), job.ID, 0, 1)
	require.NoError(t, err)
	w.age(t, keep)
	require.Equal(t, 3, w.dropBulk(t), "the job, its chunk and the note of them")
	_, _, err = w.ReadExport(t.Context(), job.ID, 0, 1)
	requireKind(t, lifecycle.KindNotFound, err)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM export_chunks"))
}

// TestSweepsShareTheGarbage has several of them remove what many jobs left, while
// jobs end.
func TestSweepsShareTheGarbage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const jobs, rows = 12, 10
	var running []lifecycle.ID
	for i := range jobs {
		running = append(running, w.sealed(t, w.rowsOf(numbered(fmt.Sprintf("j%d.", i), rows)...)...))
	}
	w.age(t, 2*retention)
	var group, sweeps errgroup.Group
	stop := make(chan struct{})
	for range 4 {
		sweeps.Go(func() error {
			for {
				if _, err := w.DropBulk(t.Context(), 3, retention, keep); err != nil {
					return err
				}
				select {
				case <-stop:
					return nil
				default:
				}
			}
		})
	}
	group.Go(func() error {
		for _, job := range running {
			if _, err := w.ApplyImport(t.Context(), job, rows); err != nil {
				return err
			}
			// The job is old at once, so that it is removed while its rows are.
			if _, err := w.admin.ExecContext(t.Context(),
				"UPDATE import_jobs SET finished = finished - interval '1 day' WHERE id = $1", job.String()); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, group.Wait())
	close(stop)
	require.NoError(t, sweeps.Wait())
	w.dropBulk(t)
	require.Equal(t, jobs*rows, w.number(t, "SELECT count(*) FROM records"))
	for _, table := range []string{"import_jobs", "import_rows", "import_faults"} {
		require.Equal(t, 0, w.number(t, "SELECT count(*) FROM "+table), table)
	}
	w.requireConsistent(t)
}

func TestImportsThatStandStillAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	other := w.elsewhere(t, "Interns")
	wake := func(limit int, grace time.Duration) []lifecycle.ID {
		sources, err := w.ImportsToWake(t.Context(), limit, grace)
		require.NoError(t, err)
		for _, source := range []lifecycle.ID{w.source.ID, other.source.ID} {
			awaits, err := w.Awaits(t.Context(), lifecycle.EngineImports, source, grace)
			require.NoError(t, err)
			require.True(t, limit == 1 || awaits == slices.Contains(sources, source))
		}
		return sources
	}
	receiving := other.begin(t, plenty)
	first := w.sealed(t, w.rowsOf("a", "b")...)
	w.sealed(t, w.rowsOf("c")...)
	require.Empty(t, wake(10, time.Minute))
	w.age(t, 2*time.Minute)
	require.Equal(t, []lifecycle.ID{w.source.ID}, wake(10, time.Minute))
	_, err := other.SealImport(t.Context(), receiving)
	require.NoError(t, err)
	w.sealed(t, w.rowsOf("d")...)
	require.Equal(t, []lifecycle.ID{w.source.ID}, wake(10, time.Minute), "a new one behind it changes nothing")
	require.Equal(t, []lifecycle.ID{w.source.ID, other.source.ID}, wake(10, -time.Minute))
	require.Equal(t, []lifecycle.ID{w.source.ID}, wake(1, -time.Minute))
	_, err = w.ApplyImport(t.Context(), first, 1)
	require.NoError(t, err)
	require.Empty(t, wake(10, time.Minute), "one that moves holds the others up")
	w.age(t, 2*time.Minute)
	require.ElementsMatch(t, []lifecycle.ID{w.source.ID, other.source.ID}, wake(10, time.Minute))
	for _, source := range []*world{w, other} {
		for {
			job, found, err := w.NextImport(t.Context(), source.source.ID)
			require.NoError(t, err)
			if !found {
				break
			}
			w.carryOut(t, job, 10)
		}
	}
	w.age(t, 2*time.Minute)
	require.Empty(t, wake(10, time.Minute))
}

func TestExportsThatStandStillAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	old := w.beginExport(t)
	w.age(t, 2*time.Minute)
	w.elsewhere(t, "Interns").beginExport(t)
	stand := func(limit int, grace time.Duration) []lifecycle.ExportJob {
		jobs, err := w.ExportsToStart(t.Context(), limit, grace)
		require.NoError(t, err)
		for _, job := range jobs {
			awaits, err := w.Awaits(t.Context(), lifecycle.EngineExport, job.ID, grace)
			require.NoError(t, err)
			require.True(t, awaits)
			awaits, err = w.Awaits(t.Context(), lifecycle.EngineExport, job.ID, 100*time.Hour)
			require.NoError(t, err)
			require.False(t, awaits, "it has moved since")
		}
		return jobs
	}
	old, err := w.GetExport(t.Context(), w.source.ID, old.ID)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.ExportJob{old}, stand(10, time.Minute))
	require.Len(t, stand(10, -time.Minute), 2)
	require.Equal(t, []lifecycle.ExportJob{old}, stand(1, -time.Minute))
	_, err = w.WriteExport(t.Context(), old.ID, keep, ignore)
	require.NoError(t, err)
	require.Len(t, stand(10, -time.Minute), 1)
}

// schedule adds one to w.source.
func (w *world) schedule(t *testing.T, keep int) lifecycle.ExportSchedule {
	t.Helper()
	schedule := lifecycle.ExportSchedule{
		ID: lifecycle.NewID(), SourceID: w.source.ID, Cron: "0 4 * * 1", Zone: "Europe/Berlin", Keep: keep,
		Requester: w.owner.ID, ClientID: "client", Created: storetest.Now(), Modified: storetest.Now(),
	}
	require.NoError(t, w.CreateExportSchedule(t.Context(), schedule))
	return schedule
}

func TestSchedulesAreKeptAndForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var schedules []lifecycle.ExportSchedule
	for i := range lifecycle.MaxExportSchedules {
		schedules = append(schedules, w.schedule(t, i+1))
	}
	another := schedules[0]
	another.ID = lifecycle.NewID()
	requireKind(t, lifecycle.KindLimit, w.CreateExportSchedule(t.Context(), another))
	another.SourceID = lifecycle.NewID()
	requireKind(t, lifecycle.KindNotFound, w.CreateExportSchedule(t.Context(), another))

	got, err := w.ListExportSchedules(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.ElementsMatch(t, schedules, got)
	require.True(t, slices.IsSortedFunc(got, func(a, b lifecycle.ExportSchedule) int { return a.Created.Compare(b.Created) }))
	var all []lifecycle.ExportSchedule
	for after := (lifecycle.ID{}); ; after = all[len(all)-1].ID {
		page, err := w.ExportSchedules(t.Context(), after, 3)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
	}
	require.ElementsMatch(t, schedules, all)

	require.NoError(t, w.DeleteExportSchedule(t.Context(), w.source.ID, schedules[3].ID))
	requireKind(t, lifecycle.KindNotFound, w.DeleteExportSchedule(t.Context(), w.source.ID, schedules[3].ID))
	requireKind(t, lifecycle.KindNotFound, w.DeleteExportSchedule(t.Context(), lifecycle.NewID(), schedules[4].ID))
	endings, err := w.ScheduleEndings(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.ID{schedules[3].ID}, endings)

	_, err = w.admin.ExecContext(t.Context(), "UPDATE schedule_endings SET created = created - interval '1 second'")
	require.NoError(t, err)
	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	endings, err = w.ScheduleEndings(t.Context(), 100)
	require.NoError(t, err)
	require.Len(t, endings, lifecycle.MaxExportSchedules)
	require.Equal(t, schedules[3].ID, endings[0], "the first one first")
	page, err := w.ScheduleEndings(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, endings[:2], page)
	require.NoError(t, w.DropScheduleEndings(t.Context(), append(endings, lifecycle.NewID())))
	endings, err = w.ScheduleEndings(t.Context(), 100)
	require.NoError(t, err)
	require.Empty(t, endings)
}

// TestAScheduleKeepsItsExportsHoweverOld has a week pass, and more than that,
// between the runs of a schedule and after its end.
func TestAScheduleKeepsItsExportsHoweverOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const kept, week = 3, 7 * keep
	schedule := w.schedule(t, kept)
	run := func() lifecycle.ID {
		job := lifecycle.NewID()
		_, err := w.BeginScheduledExport(t.Context(), schedule.ID, job)
		require.NoError(t, err)
		return job
	}
	write := func(job lifecycle.ID) {
		written, err := w.WriteExport(t.Context(), job, keep, ignore)
		require.NoError(t, err)
		require.Zero(t, written.Expires)
	}
	left := func() int { return w.number(t, "SELECT count(*) FROM export_jobs") }
	for range kept + 2 {
		write(run())
		require.NoError(t, w.PruneScheduledExports(t.Context(), schedule.ID))
		w.age(t, week)
		w.dropBulk(t)
	}
	require.Equal(t, kept, left())
	failed := run()
	require.NoError(t, w.FailExport(t.Context(), failed))
	w.dropBulk(t)
	require.Equal(t, kept+1, left())
	w.age(t, retention+time.Minute)
	w.dropBulk(t)
	require.Equal(t, kept, left(), "the one that failed goes")

	late := run()
	require.NoError(t, w.DeleteExportSchedule(t.Context(), w.source.ID, schedule.ID))
	write(late)
	before := storetest.Now()
	w.dropBulk(t)
	jobs, _, err := w.ListExports(t.Context(), w.source.ID, 10, 0, false)
	require.NoError(t, err)
	require.Len(t, jobs, kept+1)
	for _, job := range jobs {
		require.WithinRange(t, job.Expires, before.Add(keep), storetest.Now().Add(keep))
	}
	w.age(t, time.Hour)
	w.dropBulk(t)
	again, _, err := w.ListExports(t.Context(), w.source.ID, 10, 0, false)
	require.NoError(t, err)
	for i, job := range again {
		require.Equal(t, jobs[i].Expires.Add(-time.Hour), job.Expires, "that is said once")
	}
	w.age(t, keep)
	w.dropBulk(t)
	require.Zero(t, left())
	require.Zero(t, w.number(t, "SELECT count(*) FROM export_chunks"))
}

func TestAScheduleKeepsItsNewestExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	schedule := w.schedule(t, 2)
	kept := w.beginExport(t)
	_, err := w.WriteExport(t.Context(), kept.ID, keep, ignore)
	require.NoError(t, err)
	var runs []lifecycle.ID
	for i := range 5 {
		runs = append(runs, lifecycle.NewID())
		for range 2 {
			source, err := w.BeginScheduledExport(t.Context(), schedule.ID, runs[i])
			require.NoError(t, err)
			require.Equal(t, w.source.ID, source)
		}
		if i < 4 {
			_, err := w.WriteExport(t.Context(), runs[i], keep, ignore)
			require.NoError(t, err)
		}
		w.age(t, time.Second)
	}
	job, err := w.GetExport(t.Context(), w.source.ID, runs[4])
	require.NoError(t, err)
	require.Equal(t, lifecycle.ExportJob{
		ID: runs[4], SourceID: w.source.ID, ScheduleID: schedule.ID, Requester: w.owner.ID, ClientID: "client",
		Status: lifecycle.JobPending, Created: job.Created, Modified: job.Created,
	}, job)

	require.NoError(t, w.PruneScheduledExports(t.Context(), schedule.ID))
	left := func() (ids []lifecycle.ID) {
		jobs, _, err := w.ListExports(t.Context(), w.source.ID, 10, 0, false)
		require.NoError(t, err)
		for _, job := range jobs {
			ids = append(ids, job.ID)
		}
		return ids
	}
	require.Equal(t, []lifecycle.ID{runs[4], runs[3], runs[2], kept.ID}, left())
	w.dropBulk(t)
	require.Equal(t, 3, w.number(t, "SELECT count(DISTINCT job_id) FROM export_chunks"))

	require.NoError(t, w.DeleteExportSchedule(t.Context(), w.source.ID, schedule.ID))
	require.NoError(t, w.PruneScheduledExports(t.Context(), schedule.ID))
	require.Len(t, left(), 4, "the exports of a schedule that was deleted stay")
	_, err = w.BeginScheduledExport(t.Context(), schedule.ID, lifecycle.NewID())
	requireKind(t, lifecycle.KindNotFound, err)
}
