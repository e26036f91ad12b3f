package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

func (b *bulkBench) runExport(job lifecycle.ID) wire.ExportResult {
	b.t.Helper()
	b.run(wire.WorkflowExport, wire.ExportWorkflowID(job), wire.ExportInput{JobID: job, SourceID: b.source})
	var result wire.ExportResult
	if b.env.GetWorkflowError() == nil {
		require.NoError(b.t, b.env.GetWorkflowResult(&result))
	}
	return result
}

func TestAnExportIsWritten(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	job := b.rows.ask(b.source)
	require.Equal(t, wire.ExportResult{Found: true, Rows: exportedRows, Bytes: exportedBytes}, b.runExport(job))
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.JobCompleted, b.rows.status(job))
	require.Zero(t, b.rows.count(wire.ActivityFailExport))
}

func TestAnExportThatIsGoneEndsItsWorkflow(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	require.Equal(t, wire.ExportResult{}, b.runExport(lifecycle.NewID()))
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 1, b.rows.count(wire.ActivityWriteExport))
}

func TestAnExportThatSomebodyElseWritesIsLeftToThem(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	job := b.rows.ask(b.source)
	b.rows.fault = func(bulkCall) error { return lifecycle.NewError(lifecycle.KindIllegalUpdate, "a newer attempt") }
	require.True(t, b.runExport(job).Superseded)
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 1, b.rows.count(wire.ActivityWriteExport), "trying again would take it away from them")
	require.Equal(t, lifecycle.JobPending, b.rows.status(job))
}

func TestAPassingFaultDelaysAnExport(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	job := b.rows.ask(b.source)
	b.rows.fault = func(bulkCall) error {
		if b.rows.count(wire.ActivityWriteExport) < 10 {
			return errAway
		}
		return nil
	}
	b.runExport(job)
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.JobCompleted, b.rows.status(job))
}

func TestAnExportThatCanNotBeWrittenFailsInTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    error
		patience time.Duration
	}{
		"a fault that can't heal": {errForGood, time.Minute},
		"the database stays away": {errAway, time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBulkBench(t)
			job := b.rows.ask(b.source)
			b.rows.fault = func(call bulkCall) error {
				if call.step == wire.ActivityWriteExport {
					return c.fault
				}
				return nil
			}
			began := b.env.Now()
			b.runExport(job)
			require.Error(t, b.env.GetWorkflowError())
			require.NotContains(t, b.env.GetWorkflowError().Error(), "secret")
			require.LessOrEqual(t, b.env.Now().Sub(began), c.patience)
			require.Equal(t, lifecycle.JobError, b.rows.status(job))
		})
	}
}

func TestAnExportWhoseWorkflowIsCancelledFails(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	job := b.rows.ask(b.source)
	b.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityWriteExport {
			return errAway
		}
		return nil
	}
	b.at(time.Minute, b.env.CancelWorkflow)
	b.runExport(job)
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, b.env.GetWorkflowError(), &cancelled)
	require.Equal(t, lifecycle.JobError, b.rows.status(job))
}

// runScheduled runs a schedule once and returns the exports it made.
func (b *bulkBench) runScheduled(schedule lifecycle.ID) []lifecycle.ExportJob {
	b.t.Helper()
	b.run(wire.WorkflowScheduledExport, wire.ExportScheduleID(schedule)+"-2026-05-04T03:02:01Z",
		wire.ScheduledExportInput{ScheduleID: schedule})
	var made []lifecycle.ExportJob
	for _, job := range b.rows.exports {
		made = append(made, *job)
	}
	return made
}

func TestARunOfAScheduleMakesAnExportAndPrunes(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	schedule := lifecycle.NewID()
	b.rows.schedules[schedule] = b.source
	made := b.runScheduled(schedule)
	require.NoError(t, b.env.GetWorkflowError())
	require.Len(t, made, 1)
	require.Equal(t, lifecycle.JobCompleted, made[0].Status)
	require.Equal(t, b.source, made[0].SourceID)
	require.Equal(t, []lifecycle.ID{schedule}, b.rows.pruned)
	require.Equal(t, []string{wire.ActivityBeginScheduledExport, wire.ActivityWriteExport, wire.ActivityPruneScheduledExports},
		b.rows.steps())
}

func (r *bulkRows) steps() []string {
	var all []string
	for _, call := range r.calls {
		all = append(all, call.step)
	}
	return all
}

func TestARunOfAScheduleThatIsTriedAgainMakesOneExport(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	schedule := lifecycle.NewID()
	b.rows.schedules[schedule] = b.source
	b.rows.fault = func(call bulkCall) error {
		if b.rows.count(call.step) <= 2 {
			return errAway
		}
		return nil
	}
	require.Len(t, b.runScheduled(schedule), 1)
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 3, b.rows.count(wire.ActivityBeginScheduledExport))
}

func TestARunOfAScheduleThatIsGoneMakesTemporalForgetIt(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	schedule := lifecycle.NewID()
	require.Empty(t, b.runScheduled(schedule))
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, []lifecycle.ID{schedule}, b.schedules.forgotten)
	require.Equal(t, []string{wire.ActivityBeginScheduledExport}, b.rows.steps())
}

func TestARunOfAScheduleWhoseExportFailsPrunesAndFails(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	schedule := lifecycle.NewID()
	b.rows.schedules[schedule] = b.source
	b.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityWriteExport {
			return errForGood
		}
		return nil
	}
	made := b.runScheduled(schedule)
	require.Error(t, b.env.GetWorkflowError())
	require.Len(t, made, 1)
	require.Equal(t, lifecycle.JobError, made[0].Status)
	require.Equal(t, []lifecycle.ID{schedule}, b.rows.pruned)
}

func TestRunsOfAScheduleMakeExportsOfTheirOwn(t *testing.T) {
	t.Parallel()
	schedule := lifecycle.NewID()
	require.NotEqual(t, wire.ScheduledExportID(schedule, "run"), wire.ScheduledExportID(schedule, "other"))
	require.NotEqual(t, wire.ScheduledExportID(schedule, "run"), wire.ScheduledExportID(lifecycle.NewID(), "run"))
}

// newSweep is a sweep over rows and rows of bulk work.
func newSweep(t *testing.T) (*testsuite.TestWorkflowEnvironment, *rows, *activities.Activities) {
	t.Helper()
	env, r := newEnvironment(), newRows()
	acts := newBulkActivities(newBulkRows(), &noSchedules{})
	acts.Store = r
	workflows.Register(env, acts)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: wire.SweepID, TaskQueue: wire.QueueMaintenance})
	return env, r, acts
}

func TestTheSweepLooksAfterBulkWorkOnceAndAfterTheRest(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]error{"": nil, "and a step before fails": errForGood} {
		t.Run("requests, endings, bulk work"+name, func(t *testing.T) {
			t.Parallel()
			env, r, acts := newSweep(t)
			r.fault = func(string) error { return fault }
			env.ExecuteWorkflow(wire.WorkflowSweep, wire.SweepInput{Batch: 10})
			require.Equal(t, fault != nil, env.GetWorkflowError() != nil)
			bulk, ok := acts.Bulk.Store.(*bulkRows)
			require.True(t, ok)
			require.Equal(t, 1, bulk.count(wire.ActivitySweepBulk))
			require.Equal(t, []string{wire.ActivitySweepPending, wire.ActivitySweepEndings}, r.calls)
		})
	}
}

func TestASweepThatFailsAboutBulkWorkFails(t *testing.T) {
	t.Parallel()
	env, _, acts := newSweep(t)
	bulk, ok := acts.Bulk.Store.(*bulkRows)
	require.True(t, ok)
	bulk.fault = func(bulkCall) error { return errAway }
	env.ExecuteWorkflow(wire.WorkflowSweep, wire.SweepInput{Batch: 10})
	require.Error(t, env.GetWorkflowError())
	require.Equal(t, 3, bulk.count(wire.ActivitySweepBulk))
}

func TestASweepWithoutBulkWorkPassesItOver(t *testing.T) {
	t.Parallel()
	env, _, acts := newSweep(t)
	acts.Bulk = nil
	env.ExecuteWorkflow(wire.WorkflowSweep, wire.SweepInput{Batch: 10})
	require.NoError(t, env.GetWorkflowError())
}
