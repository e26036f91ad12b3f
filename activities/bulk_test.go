package activities

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// fakeBulk does what its fields say, as [fakeStore].
type fakeBulk struct {
	next      func(source lifecycle.ID) (lifecycle.ID, bool, error)
	apply     func(context.Context, lifecycle.ID) (lifecycle.ImportProgress, error)
	write     func(job lifecycle.ID, keep time.Duration, progress func(int)) (lifecycle.ExportJob, error)
	fail      func(job lifecycle.ID) error
	begin     func(schedule, job lifecycle.ID) (lifecycle.ID, error)
	prune     func(schedule lifecycle.ID) error
	wake      func(limit int, grace time.Duration) ([]lifecycle.ID, error)
	start     func(limit int, grace time.Duration) ([]lifecycle.ExportJob, error)
	drop      func(retention, keep time.Duration) (int, error)
	schedules func(after lifecycle.ID, limit int) ([]lifecycle.ExportSchedule, error)
	endings   func(limit int) ([]lifecycle.ID, error)
	forget    func(context.Context, []lifecycle.ID) error
}

func (s *fakeBulk) NextImport(_ context.Context, source lifecycle.ID) (lifecycle.ID, bool, error) {
	return s.next(source)
}

func (s *fakeBulk) ApplyImport(ctx context.Context, job lifecycle.ID, rows int) (lifecycle.ImportProgress, error) {
	if rows != importChunk {
		panic("another chunk")
	}
	return s.apply(ctx, job)
}

func (s *fakeBulk) WriteExport(_ context.Context, job lifecycle.ID, keep time.Duration, progress func(int)) (lifecycle.ExportJob, error) {
	return s.write(job, keep, progress)
}

func (s *fakeBulk) FailExport(_ context.Context, job lifecycle.ID) error { return s.fail(job) }

func (s *fakeBulk) BeginScheduledExport(_ context.Context, schedule, job lifecycle.ID) (lifecycle.ID, error) {
	return s.begin(schedule, job)
}

func (s *fakeBulk) PruneScheduledExports(_ context.Context, schedule lifecycle.ID) error {
	return s.prune(schedule)
}

func (s *fakeBulk) ImportsToWake(_ context.Context, limit int, grace time.Duration) ([]lifecycle.ID, error) {
	return s.wake(limit, grace)
}

func (s *fakeBulk) ExportsToStart(_ context.Context, limit int, grace time.Duration) ([]lifecycle.ExportJob, error) {
	return s.start(limit, grace)
}

func (s *fakeBulk) DropBulk(_ context.Context, _ int, retention, keep time.Duration) (int, error) {
	return s.drop(retention, keep)
}

func (s *fakeBulk) ExportSchedules(_ context.Context, after lifecycle.ID, limit int) ([]lifecycle.ExportSchedule, error) {
	return s.schedules(after, limit)
}

func (s *fakeBulk) ScheduleEndings(_ context.Context, limit int) ([]lifecycle.ID, error) {
	return s.endings(limit)
}

func (s *fakeBulk) DropScheduleEndings(ctx context.Context, ids []lifecycle.ID) error {
	return s.forget(ctx, ids)
}

// fakeBulkWorkflows note what is asked of them.
type fakeBulkWorkflows struct {
	mutex                              sync.Mutex
	imports, exports, saved, forgotten []lifecycle.ID
	// fault, where set, is asked before each call, and running whether a
	// workflow runs already.
	fault   func(subject lifecycle.ID) error
	running func(subject lifecycle.ID) bool
}

func (w *fakeBulkWorkflows) note(list *[]lifecycle.ID, subject lifecycle.ID) error {
	if w.fault != nil {
		if err := w.fault(subject); err != nil {
			return err
		}
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	*list = append(*list, subject)
	return nil
}

func (w *fakeBulkWorkflows) ensure(list *[]lifecycle.ID, subject lifecycle.ID) (bool, error) {
	if w.running != nil && w.running(subject) {
		return false, nil
	}
	err := w.note(list, subject)
	return err == nil, err
}

func (w *fakeBulkWorkflows) EnsureImports(_ context.Context, source lifecycle.ID) (bool, error) {
	return w.ensure(&w.imports, source)
}

func (w *fakeBulkWorkflows) EnsureExport(_ context.Context, job, _ lifecycle.ID) (bool, error) {
	return w.ensure(&w.exports, job)
}

func (w *fakeBulkWorkflows) SaveExportSchedule(_ context.Context, schedule lifecycle.ExportSchedule) error {
	return w.note(&w.saved, schedule.ID)
}

func (w *fakeBulkWorkflows) DropExportSchedule(_ context.Context, schedule lifecycle.ID) error {
	return w.note(&w.forgotten, schedule)
}

// bulkCounts is a BulkObserver that notes every call.
type bulkCounts struct{ *counts }

func (c bulkCounts) ImportRows(outcome string, n int) {
	if n != 0 {
		c.add(n, "rows %s", outcome)
	}
}

func (c bulkCounts) ImportEnded(status string, took time.Duration) {
	c.add(1, "import %s %s", status, took.Round(time.Hour))
}

func (c bulkCounts) ExportEnded(status string, rows int, bytes int64) {
	c.add(1, "export %s %d %d", status, rows, bytes)
}

type bulkBench struct {
	*bench
	rows  *fakeBulk
	reach *fakeBulkWorkflows
}

// newBulkBench has rows that hold nothing.
func newBulkBench(t *testing.T) *bulkBench {
	t.Helper()
	b := &bulkBench{bench: newBench(t), reach: &fakeBulkWorkflows{}}
	b.rows = &fakeBulk{
		wake:      func(int, time.Duration) ([]lifecycle.ID, error) { return nil, nil },
		start:     func(int, time.Duration) ([]lifecycle.ExportJob, error) { return nil, nil },
		drop:      func(time.Duration, time.Duration) (int, error) { return 0, nil },
		schedules: func(lifecycle.ID, int) ([]lifecycle.ExportSchedule, error) { return nil, nil },
		endings:   func(int) ([]lifecycle.ID, error) { return nil, nil },
	}
	b.Bulk = &Bulk{
		Store: b.rows, Workflows: b.reach, Observer: bulkCounts{b.counts}, JobRetention: 7 * time.Hour, ExportRetention: 9 * time.Hour,
	}
	return b
}

func (b *bulkBench) counted(want map[string]int) {
	b.t.Helper()
	b.counts.mutex.Lock()
	defer b.counts.mutex.Unlock()
	require.Equal(b.t, want, b.counts.noted)
}

var jobID, sourceID, scheduleID = lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()

func importInput(hours int) wire.ImportInput {
	return wire.ImportInput{JobID: jobID, SourceID: sourceID, Began: time.Now().Add(-time.Duration(hours) * time.Hour)}
}

func TestTheNextImportIsWhatTheRowsSay(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.next = func(source lifecycle.ID) (lifecycle.ID, bool, error) { return jobID, source == sourceID, nil }
	next, err := run[wire.NextImport](t.Context(), b.bench, b.NextImport, wire.ImportsInput{SourceID: sourceID})
	require.NoError(t, err)
	require.Equal(t, wire.NextImport{Found: true, JobID: jobID}, next)
	b.rows.next = func(lifecycle.ID) (lifecycle.ID, bool, error) { return lifecycle.ID{}, false, errAway }
	_, err = run[wire.NextImport](t.Context(), b.bench, b.NextImport, wire.ImportsInput{SourceID: sourceID})
	requireFailure(t, err, wire.ActivityNextImport, lifecycle.KindUnavailable, sourceID)
}

// applies makes an import of total rows of which each chunk takes ten, every
// kind of outcome among them.
func (b *bulkBench) applies(total int) *lifecycle.ImportProgress {
	p := &lifecycle.ImportProgress{Found: true, Status: lifecycle.JobPending, ImportCounts: lifecycle.ImportCounts{Total: total}}
	b.rows.apply = func(context.Context, lifecycle.ID) (lifecycle.ImportProgress, error) {
		p.Status = lifecycle.JobInProgress
		p.Done, p.Created, p.Updated, p.Unchanged, p.Failed = p.Done+10, p.Created+4, p.Updated+3, p.Unchanged+2, p.Failed+1
		if p.Done >= total {
			p.Status = lifecycle.JobError
		}
		return *p, nil
	}
	return p
}

func TestATurnAppliesChunksUntilTheImportHasEnded(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.applies(100)
	p, err := run[wire.ImportProgress](t.Context(), b.bench, b.ApplyImport, importInput(3))
	require.NoError(t, err)
	require.Equal(t, wire.ImportProgress{
		Found: true, Status: lifecycle.JobError, Total: 100, Done: 100, Created: 40, Updated: 30, Unchanged: 20, Failed: 10,
	}, p)
	b.counted(map[string]int{
		"rows created": 40, "rows updated": 30, "rows unchanged": 20, "rows failed": 10, "import error 3h0m0s": 1,
	})
}

func TestATurnThatIsOverReports(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.Bulk.Turn = time.Nanosecond
	b.applies(100)
	in := importInput(0)
	for done := 10; done <= 30; done += 10 {
		var err error
		in.Progress, err = run[wire.ImportProgress](t.Context(), b.bench, b.ApplyImport, in)
		require.NoError(t, err)
		require.Equal(t, done, in.Progress.Done)
	}
	b.counted(map[string]int{"rows created": 12, "rows updated": 9, "rows unchanged": 6, "rows failed": 3})
}

func TestAnImportThatIsGoneIsAState(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.apply = func(context.Context, lifecycle.ID) (lifecycle.ImportProgress, error) {
		return lifecycle.ImportProgress{}, nil
	}
	in := importInput(0)
	in.Progress = wire.ImportProgress{Found: true, Done: 10, Created: 10}
	p, err := run[wire.ImportProgress](t.Context(), b.bench, b.ApplyImport, in)
	require.NoError(t, err)
	require.Equal(t, wire.ImportProgress{}, p)
}

func TestATurnFailsWhereTheStoreDoes(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.apply = func(context.Context, lifecycle.ID) (lifecycle.ImportProgress, error) {
		return lifecycle.ImportProgress{}, errAway
	}
	_, err := run[wire.ImportProgress](t.Context(), b.bench, b.ApplyImport, importInput(0))
	requireFailure(t, err, wire.ActivityApplyImport, lifecycle.KindUnavailable, jobID)
}

// turns is an environment for a turn and what it beat.
func (b *bulkBench) turns() (*testsuite.TestActivityEnvironment, *[]wire.ImportProgress) {
	b.t.Helper()
	var (
		suite testsuite.WorkflowTestSuite
		mutex sync.Mutex
		beats []wire.ImportProgress
	)
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(b.ApplyImport)
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var p wire.ImportProgress
		require.NoError(b.t, details.Get(&p))
		mutex.Lock()
		defer mutex.Unlock()
		beats = append(beats, p)
	})
	return env, &beats
}

func TestATurnBeatsWithEveryChunk(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.applies(30)
	env, beats := b.turns()
	_, err := env.ExecuteActivity(b.ApplyImport, importInput(0))
	require.NoError(t, err)
	require.NotEmpty(t, *beats)
	require.Equal(t, 10, (*beats)[0].Done, "the first one at once; those that follow are sent now and then")
}

func TestATurnThatIsTriedAgainCountsNothingTwice(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	p := b.applies(100)
	p.Done, p.Created, p.Updated, p.Unchanged, p.Failed = 50, 20, 15, 10, 5
	env, _ := b.turns()
	env.SetHeartbeatDetails(importProgress(*p))
	_, err := env.ExecuteActivity(b.ApplyImport, importInput(0))
	require.NoError(t, err)
	b.counted(map[string]int{
		"rows created": 20, "rows updated": 15, "rows unchanged": 10, "rows failed": 5, "import error 0s": 1,
	})
}

func TestAWorkerThatStopsEndsTheTurn(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.Bulk.Turn = time.Hour
	p := b.applies(1 << 40)
	apply, stop := b.rows.apply, make(chan struct{})
	b.rows.apply = func(ctx context.Context, job lifecycle.ID) (lifecycle.ImportProgress, error) {
		if p.Done == 50 {
			close(stop)
		}
		return apply(ctx, job)
	}
	env, _ := b.turns()
	env.SetWorkerStopChannel(stop)
	value, err := env.ExecuteActivity(b.ApplyImport, importInput(0))
	require.NoError(t, err)
	var progress wire.ImportProgress
	require.NoError(t, value.Get(&progress))
	require.Equal(t, 60, progress.Done)
}

func TestATurnThatIsCancelledEndsBetweenTwoChunks(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.Bulk.Turn = time.Hour
	p := b.applies(1 << 40)
	apply := b.rows.apply
	ctx, cancel := context.WithCancel(t.Context())
	b.rows.apply = func(ctx context.Context, job lifecycle.ID) (lifecycle.ImportProgress, error) {
		if p.Done == 50 {
			cancel()
		}
		return apply(ctx, job)
	}
	_, err := run[wire.ImportProgress](ctx, b.bench, b.ApplyImport, importInput(0))
	require.Error(t, err)
	require.Equal(t, 60, p.Done)
}

func TestAnExportIsWrittenAndCounted(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.write = func(job lifecycle.ID, keep time.Duration, progress func(int)) (lifecycle.ExportJob, error) {
		require.Equal(t, jobID, job)
		require.Equal(t, 9*time.Hour, keep)
		progress(3)
		return lifecycle.ExportJob{Status: lifecycle.JobCompleted, Rows: 3, Bytes: 400}, nil
	}
	result, err := run[wire.ExportResult](t.Context(), b.bench, b.WriteExport, wire.ExportInput{JobID: jobID, SourceID: sourceID})
	require.NoError(t, err)
	require.Equal(t, wire.ExportResult{Found: true, Rows: 3, Bytes: 400}, result)
	b.counted(map[string]int{"export completed 3 400": 1})
}

func TestAnExportThatCanNotBeWrittenNowIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault error
		want  wire.ExportResult
	}{
		"gone":                    {errGone, wire.ExportResult{}},
		"somebody else's":         {errNotNow, wire.ExportResult{Found: true, Superseded: true}},
		"the database is away":    {errAway, wire.ExportResult{}},
		"out of time":             {context.DeadlineExceeded, wire.ExportResult{}},
		"nobody knows what it is": {lifecycle.NewError(lifecycle.KindInternal, secret), wire.ExportResult{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBulkBench(t)
			b.rows.write = func(lifecycle.ID, time.Duration, func(int)) (lifecycle.ExportJob, error) {
				return lifecycle.ExportJob{}, c.fault
			}
			result, err := run[wire.ExportResult](t.Context(), b.bench, b.WriteExport, wire.ExportInput{JobID: jobID})
			require.Equal(t, c.want, result)
			switch {
			case name == "out of time":
				requireFailure(t, err, wire.ActivityWriteExport, lifecycle.KindUnavailable, jobID)
			case illegalOrGone(c.fault):
				require.NoError(t, err)
			default:
				requireFailure(t, err, wire.ActivityWriteExport, lifecycle.KindOf(c.fault), jobID)
			}
			b.counted(map[string]int{})
		})
	}
}

func TestAnExportIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault error
		ok    bool
	}{"so": {nil, true}, "gone": {errGone, true}, "ended": {errNotNow, true}, "away": {errAway, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBulkBench(t)
			b.rows.fail = func(lifecycle.ID) error { return c.fault }
			_, err := run[any](t.Context(), b.bench, b.FailExport, wire.ExportInput{JobID: jobID})
			if !c.ok {
				requireFailure(t, err, wire.ActivityFailExport, lifecycle.KindUnavailable, jobID)
				return
			}
			require.NoError(t, err)
			want := map[string]int{}
			if c.fault == nil {
				want["export error 0 0"] = 1
			}
			b.counted(want)
		})
	}
}

func TestARunOfAScheduleBeginsItsExport(t *testing.T) {
	t.Parallel()
	in := wire.ScheduledExport{ScheduleID: scheduleID, JobID: jobID}
	t.Run("and answers its source", func(t *testing.T) {
		t.Parallel()
		b := newBulkBench(t)
		b.rows.begin = func(schedule, job lifecycle.ID) (lifecycle.ID, error) {
			require.Equal(t, wire.ScheduledExport{ScheduleID: schedule, JobID: job}, in)
			return sourceID, nil
		}
		begun, err := run[wire.ScheduledExportBegun](t.Context(), b.bench, b.BeginScheduledExport, in)
		require.NoError(t, err)
		require.Equal(t, wire.ScheduledExportBegun{Found: true, SourceID: sourceID}, begun)
		require.Empty(t, b.reach.forgotten)
	})
	t.Run("of one that is gone, and Temporal forgets it", func(t *testing.T) {
		t.Parallel()
		b := newBulkBench(t)
		b.rows.begin = func(lifecycle.ID, lifecycle.ID) (lifecycle.ID, error) { return lifecycle.ID{}, errGone }
		begun, err := run[wire.ScheduledExportBegun](t.Context(), b.bench, b.BeginScheduledExport, in)
		require.NoError(t, err)
		require.False(t, begun.Found)
		require.Equal(t, []lifecycle.ID{scheduleID}, b.reach.forgotten)
	})
	t.Run("unless the store is away", func(t *testing.T) {
		t.Parallel()
		b := newBulkBench(t)
		b.rows.begin = func(lifecycle.ID, lifecycle.ID) (lifecycle.ID, error) { return lifecycle.ID{}, errAway }
		_, err := run[wire.ScheduledExportBegun](t.Context(), b.bench, b.BeginScheduledExport, in)
		requireFailure(t, err, wire.ActivityBeginScheduledExport, lifecycle.KindUnavailable, scheduleID)
		require.Empty(t, b.reach.forgotten)
	})
}

func TestTheExportsOfAScheduleThatIsGoneNeedNoPruning(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	in := wire.ScheduledExportInput{ScheduleID: scheduleID}
	for _, fault := range []error{nil, errGone} {
		b.rows.prune = func(lifecycle.ID) error { return fault }
		_, err := run[any](t.Context(), b.bench, b.PruneScheduledExports, in)
		require.NoError(t, err)
	}
	b.rows.prune = func(lifecycle.ID) error { return errAway }
	_, err := run[any](t.Context(), b.bench, b.PruneScheduledExports, in)
	requireFailure(t, err, wire.ActivityPruneScheduledExports, lifecycle.KindUnavailable, scheduleID)
}

func (b *bulkBench) sweep(ctx context.Context) (wire.BulkSweepResult, error) {
	b.t.Helper()
	return run[wire.BulkSweepResult](ctx, b.bench, b.SweepBulk, wire.SweepInput{Batch: 3})
}

// newIDs returns n ids in their order.
func newIDs(n int) []lifecycle.ID {
	all := make([]lifecycle.ID, n)
	for i := range all {
		all[i] = lifecycle.ID{14: 1, 15: byte(i + 1)}
	}
	return all
}

// schedulesOf pages through schedules as the store does.
func schedulesOf(all []lifecycle.ExportSchedule) func(lifecycle.ID, int) ([]lifecycle.ExportSchedule, error) {
	return func(after lifecycle.ID, limit int) ([]lifecycle.ExportSchedule, error) {
		from := 0
		for from < len(all) && all[from].ID.String() <= after.String() {
			from++
		}
		return all[from:min(from+limit, len(all))], nil
	}
}

func TestTheSweepDoesAllThatIsToBeDoneAboutBulkWork(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	all := newIDs(12)
	sources, jobs, ids, endings := all[:2], all[2:5], all[5:10], all[10:]
	b.reach.running = func(subject lifecycle.ID) bool { return subject == sources[0] || subject == jobs[0] }
	b.rows.wake = func(limit int, grace time.Duration) ([]lifecycle.ID, error) {
		require.Equal(t, 3, limit)
		require.Equal(t, b.SweepGrace, grace)
		return sources, nil
	}
	b.rows.start = func(int, time.Duration) ([]lifecycle.ExportJob, error) {
		return []lifecycle.ExportJob{{ID: jobs[0]}, {ID: jobs[1]}, {ID: jobs[2]}}, nil
	}
	left := []int{400, 400, 20, 0}
	b.rows.drop = func(retention, keep time.Duration) (int, error) {
		require.Equal(t, 9*time.Hour, keep)
		require.Equal(t, 7*time.Hour, retention)
		dropped := left[0]
		left = left[1:]
		return dropped, nil
	}
	var schedules []lifecycle.ExportSchedule
	for _, id := range ids {
		schedules = append(schedules, lifecycle.ExportSchedule{ID: id, Cron: "* * * * *", Zone: "UTC"})
	}
	b.rows.schedules = schedulesOf(schedules)
	b.rows.endings = func(int) ([]lifecycle.ID, error) { return endings, nil }
	b.rows.forget = func(_ context.Context, forgotten []lifecycle.ID) error {
		require.ElementsMatch(t, endings, forgotten)
		return nil
	}
	result, err := b.sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, wire.BulkSweepResult{Imports: 1, Exports: 2, Dropped: 820, Schedules: 5, Ended: 2}, result)
	require.Equal(t, sources[1:], b.reach.imports)
	require.ElementsMatch(t, jobs[1:], b.reach.exports)
	require.ElementsMatch(t, ids, b.reach.saved)
	require.ElementsMatch(t, endings, b.reach.forgotten)
	b.counted(map[string]int{
		"swept imports_started": 1, "swept exports_started": 2, "swept dropped": 820, "swept schedules_checked": 5, "swept ended": 2,
	})
}

func TestASweepLeavesBulkWorkThatFailsForTheNext(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	all := newIDs(8)
	b.reach.fault = func(subject lifecycle.ID) error {
		switch {
		case subject == all[7]:
			panic(secret)
		case slices.Index(all, subject)%2 == 0:
			return errAway
		}
		return nil
	}
	b.rows.wake = func(int, time.Duration) ([]lifecycle.ID, error) { return all[0:2], nil }
	b.rows.start = func(int, time.Duration) ([]lifecycle.ExportJob, error) {
		return []lifecycle.ExportJob{{ID: all[2]}, {ID: all[3]}}, nil
	}
	b.rows.schedules = schedulesOf([]lifecycle.ExportSchedule{{ID: all[4]}, {ID: all[5]}})
	b.rows.endings = func(int) ([]lifecycle.ID, error) { return []lifecycle.ID{all[1], all[6], all[7]}, nil }
	b.rows.forget = func(_ context.Context, forgotten []lifecycle.ID) error {
		require.Equal(t, []lifecycle.ID{all[1]}, forgotten)
		return nil
	}
	result, err := b.sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, wire.BulkSweepResult{Imports: 1, Exports: 1, Schedules: 1, Ended: 1, Failed: 5}, result)
}

func TestAStepOfTheBulkSweepThatFailsKeepsNoOtherFromItsTurn(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	asked := map[string]bool{}
	b.rows.wake = func(int, time.Duration) ([]lifecycle.ID, error) { asked["imports"] = true; return nil, errAway }
	b.rows.start = func(int, time.Duration) ([]lifecycle.ExportJob, error) { asked["exports"] = true; return nil, errAway }
	b.rows.drop = func(time.Duration, time.Duration) (int, error) { asked["garbage"] = true; return 0, errAway }
	b.rows.schedules = func(lifecycle.ID, int) ([]lifecycle.ExportSchedule, error) {
		asked["schedules"] = true
		return nil, errAway
	}
	b.rows.endings = func(int) ([]lifecycle.ID, error) { asked["endings"] = true; return nil, errAway }
	_, err := b.sweep(t.Context())
	requireFailure(t, err, wire.ActivitySweepBulk, lifecycle.KindUnavailable, lifecycle.ID{})
	require.Len(t, asked, 5)
}

func TestAScheduleThatWasRightIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	now := time.Now()
	row := lifecycle.ExportSchedule{ID: scheduleID, Cron: "0 1 * * *", Zone: "UTC"}
	other := lifecycle.ExportSchedule{ID: jobID, Cron: "0 1 * * *", Zone: "UTC"}
	m := &b.Bulk.schedules
	require.True(t, m.due(row, now), "this process knows nothing of it")
	require.NoError(t, b.saveSchedule(t.Context(), row, now))
	require.NoError(t, b.saveSchedule(t.Context(), other, now))
	require.False(t, m.due(row, now.Add(scheduleCheck-1)))
	require.True(t, m.due(row, now.Add(scheduleCheck)), "somebody may have meddled with it")
	changed := row
	changed.Cron = "0 2 * * *"
	require.True(t, m.due(changed, now))
	changed = row
	changed.Zone = "Asia/Tokyo"
	require.True(t, m.due(changed, now))
	m.keep(map[lifecycle.ID]bool{other.ID: true})
	require.True(t, m.due(row, now), "it was deleted")
	require.False(t, m.due(other, now))
}

func TestAScheduleThatCouldNotBeSavedIsTriedAgainUnlessItIsRefused(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	now, row := time.Now(), lifecycle.ExportSchedule{ID: scheduleID}
	b.reach.fault = func(lifecycle.ID) error { return errAway }
	require.Error(t, b.saveSchedule(t.Context(), row, now))
	require.True(t, b.Bulk.schedules.due(row, now))
	b.reach.fault = func(lifecycle.ID) error { return lifecycle.NewError(lifecycle.KindIllegalValue, secret) }
	require.Error(t, b.saveSchedule(t.Context(), row, now))
	require.False(t, b.Bulk.schedules.due(row, now), "it would be refused every ten seconds")
}

func TestASweepOfBulkWorkThatIsCutOffKeepsWhatItHasDone(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.SweepConcurrency = 1
	all := newIDs(3)
	ctx, cancel := context.WithCancel(t.Context())
	b.reach.fault = func(subject lifecycle.ID) error {
		if subject == all[1] {
			cancel()
		}
		return nil
	}
	b.rows.endings = func(int) ([]lifecycle.ID, error) { return all, nil }
	var kept []lifecycle.ID
	b.rows.forget = func(ctx context.Context, ids []lifecycle.ID) error {
		kept = ids
		return ctx.Err()
	}
	_, err := b.sweep(ctx)
	require.Error(t, err)
	require.Equal(t, all[:2], kept)
}

func TestBulkWorkDoesWithoutAnObserver(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.Bulk.Observer = nil
	b.applies(10)
	p, err := run[wire.ImportProgress](t.Context(), b.bench, b.ApplyImport, importInput(0))
	require.NoError(t, err)
	require.True(t, p.Status.Ended())
	b.rows.write = func(lifecycle.ID, time.Duration, func(int)) (lifecycle.ExportJob, error) {
		return lifecycle.ExportJob{}, nil
	}
	_, err = run[wire.ExportResult](t.Context(), b.bench, b.WriteExport, wire.ExportInput{})
	require.NoError(t, err)
}
