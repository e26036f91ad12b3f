package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// bulkBench is one workflow of bulk work in virtual time over rows.
type bulkBench struct {
	t         *testing.T
	env       *testsuite.TestWorkflowEnvironment
	rows      *bulkRows
	schedules *noSchedules
	source    lifecycle.ID
}

func newBulkBench(t *testing.T) *bulkBench {
	t.Helper()
	return newBulkBenchOver(t, newBulkRows())
}

func newBulkBenchOver(t *testing.T, rows *bulkRows) *bulkBench {
	t.Helper()
	b := &bulkBench{
		t: t, env: newEnvironment(), rows: rows, schedules: &noSchedules{}, source: lifecycle.NewID(),
	}
	workflows.Register(b.env, newBulkActivities(b.rows, b.schedules))
	return b
}

func (b *bulkBench) at(after time.Duration, do func()) { b.env.RegisterDelayedCallback(do, after) }

// run runs a workflow under this id to its end.
func (b *bulkBench) run(workflow, id string, in any) {
	b.t.Helper()
	b.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: wire.QueueBulk})
	b.env.ExecuteWorkflow(workflow, in)
	require.True(b.t, b.env.IsWorkflowCompleted())
}

func (b *bulkBench) runImports() {
	b.t.Helper()
	b.run(wire.WorkflowImports, wire.ImportsWorkflowID(b.source), wire.ImportsInput{SourceID: b.source})
}

func (b *bulkBench) runImport(job lifecycle.ID) {
	b.t.Helper()
	b.run(wire.WorkflowImport, wire.ImportWorkflowID(job), wire.ImportInput{JobID: job, SourceID: b.source})
}

// times notes when in virtual time the step was begun.
func (b *bulkBench) times(step string, of *[]time.Duration, then func() error) {
	began := b.env.Now()
	b.rows.fault = func(call bulkCall) error {
		if call.step != step {
			return nil
		}
		*of = append(*of, b.env.Now().Sub(began))
		return then()
	}
}

var errForGood = lifecycle.NewError(lifecycle.KindConflict, "no way").WithCause(errors.New("secret text"))

func TestImportsAreTakenOneAfterAnotherInTheirOrder(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.chunk = 2
	other := b.rows.seal(lifecycle.NewID(), 5)
	jobs := []lifecycle.ID{b.rows.seal(b.source, 5), b.rows.seal(b.source, 1), b.rows.seal(b.source, 4)}
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, jobs, b.rows.subjects(wire.ActivityApplyImport), "each to its end before the next")
	require.Equal(t, 3+1+2, b.rows.count(wire.ActivityApplyImport))
	for _, job := range jobs {
		require.Equal(t, lifecycle.JobCompleted, b.rows.status(job))
	}
	require.Equal(t, lifecycle.JobPending, b.rows.status(other))
}

func TestAWakeMakesTheWorkflowLookAgain(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{
		"while it lingers":             time.Second,
		"just before it ends":          1900 * time.Millisecond,
		"together with an earlier one": 0,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBulkBench(t)
			first := b.rows.seal(b.source, 1)
			var late lifecycle.ID
			b.at(after, func() {
				late = b.rows.seal(b.source, 1)
				b.env.SignalWorkflow(wire.SignalWake, rawSignal("x/y", "z"))
				b.env.SignalWorkflow(wire.SignalWake, nil)
			})
			b.runImports()
			require.NoError(t, b.env.GetWorkflowError())
			require.Equal(t, []lifecycle.ID{first, late}, b.rows.subjects(wire.ActivityApplyImport))
		})
	}
}

func TestAWorkflowWithoutImportsEndsAndLooksOnce(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	began := b.env.Now()
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, 1, b.rows.count(wire.ActivityNextImport))
	require.Less(t, b.env.Now().Sub(began), 5*time.Second)
}

func TestManyWakesCostFewLooks(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.at(time.Second, func() {
		for range 50 {
			b.env.SignalWorkflow(wire.SignalWake, nil)
		}
	})
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	require.LessOrEqual(t, b.rows.count(wire.ActivityNextImport), 3, "at the start, at the first wake, after the others")
}

func TestAnImportThatFailsIsTriedAgainEverMoreSlowly(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	jobs := []lifecycle.ID{b.rows.seal(b.source, 1), b.rows.seal(b.source, 1)}
	var times []time.Duration
	b.times(wire.ActivityApplyImport, &times, func() error {
		if len(times) <= 8 {
			return errForGood
		}
		return nil
	})
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, jobs, b.rows.subjects(wire.ActivityApplyImport), "the first before the second")
	for i, seconds := range []int{0, 1, 3, 7, 15, 31, 63, 123, 183} {
		require.InDelta(t, seconds, times[i].Seconds(), 0.5, "attempt %d", i)
	}
	require.Less(t, times[9]-times[8], time.Second, "after a success nothing is waited for")
}

func TestAnImportThatEndsWellAndIsStillThereDoesNotSpin(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	job := b.rows.seal(b.source, 1)
	var times []time.Duration
	b.times(wire.ActivityNextImport, &times, func() error {
		if len(times) == 6 {
			b.rows.remove(job)
			return nil
		}
		b.rows.mutex.Lock()
		defer b.rows.mutex.Unlock()
		b.rows.imports[0].Status, b.rows.imports[0].Done = lifecycle.JobPending, 0
		return nil
	})
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	for i, seconds := range []int{0, 0, 1, 3, 7, 15} {
		require.InDelta(t, seconds, times[i].Seconds(), 0.5, "look %d", i)
	}
}

func TestAnImportThatIsGoneIsPassedOver(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	gone, stays := b.rows.seal(b.source, 10), b.rows.seal(b.source, 10)
	b.rows.fault = func(call bulkCall) error {
		if call.subject == gone {
			b.rows.remove(gone)
		}
		return nil
	}
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.JobCompleted, b.rows.status(stays))
	require.Equal(t, 1, b.rows.count(wire.ActivityApplyImport)-1)
}

func TestAPassingFaultHoldsNoImportUpForLong(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	job := b.rows.seal(b.source, 1)
	var times []time.Duration
	b.times(wire.ActivityApplyImport, &times, func() error {
		if len(times) <= 20 {
			return errAway
		}
		return nil
	})
	b.runImports()
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, lifecycle.JobCompleted, b.rows.status(job))
	for i := 1; i < len(times); i++ {
		require.LessOrEqual(t, times[i]-times[i-1], 5*time.Second+time.Millisecond)
	}
}

func TestWorkflowsOfBulkWorkOfAnotherNameFail(t *testing.T) {
	t.Parallel()
	job := lifecycle.NewID()
	for name, in := range map[string]any{
		wire.WorkflowImports: wire.ImportsInput{SourceID: job},
		wire.WorkflowImport:  wire.ImportInput{JobID: job},
		wire.WorkflowExport:  wire.ExportInput{JobID: job},
	} {
		b := newBulkBench(t)
		b.run(name, "another", in)
		require.ErrorContains(t, b.env.GetWorkflowError(), "does not name what it works on", name)
		require.Empty(t, b.rows.calls)
	}
}

// progress asks the workflow for it.
func (b *bulkBench) progress() wire.ImportProgress {
	b.t.Helper()
	answer, err := b.env.QueryWorkflow(wire.QueryProgress)
	require.NoError(b.t, err)
	var p wire.ImportProgress
	require.NoError(b.t, answer.Get(&p))
	return p
}

func TestAnImportTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.chunk = 7
	job := b.rows.seal(b.source, 100)
	b.rows.seal(b.source, 1)
	var done []int
	b.env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) {
		done = append(done, b.progress().Done)
	})
	b.runImport(job)
	require.NoError(t, b.env.GetWorkflowError())
	require.Equal(t, []int{0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98}, done)
	require.Equal(t, wire.ImportProgress{
		Found: true, Status: lifecycle.JobCompleted, Total: 100, Done: 100, Created: 100, Behind: 1,
	}, b.progress())
}

func TestAnImportThatIsStoppedEnds(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.chunk = 1
	job := b.rows.seal(b.source, 100)
	b.rows.fault = func(bulkCall) error {
		if b.rows.count(wire.ActivityApplyImport) == 5 {
			b.rows.mutex.Lock()
			defer b.rows.mutex.Unlock()
			b.rows.imports[0].CancelRequested = true
		}
		return nil
	}
	b.runImport(job)
	require.NoError(t, b.env.GetWorkflowError())
	p := b.progress()
	require.Equal(t, lifecycle.JobCancelled, p.Status)
	require.Equal(t, 4, p.Done)
}

func TestCancellingEndsTheWorkflowsAndLeavesTheRows(t *testing.T) {
	t.Parallel()
	var cancelled *temporal.CanceledError
	away := func(call bulkCall) error {
		if call.step == wire.ActivityApplyImport {
			return errAway
		}
		return nil
	}
	t.Run("the coordinator, with the import under way", func(t *testing.T) {
		t.Parallel()
		b := newBulkBench(t)
		job := b.rows.seal(b.source, 1)
		b.rows.fault = away
		b.at(10*time.Second, b.env.CancelWorkflow)
		b.runImports()
		require.ErrorAs(t, b.env.GetWorkflowError(), &cancelled)
		require.Equal(t, lifecycle.JobPending, b.rows.status(job))
		require.Equal(t, 1, b.rows.count(wire.ActivityNextImport))
	})
	t.Run("the coordinator, while it waits", func(t *testing.T) {
		t.Parallel()
		b := newBulkBench(t)
		b.at(time.Second, b.env.CancelWorkflow)
		b.runImports()
		require.ErrorAs(t, b.env.GetWorkflowError(), &cancelled)
	})
	t.Run("an import", func(t *testing.T) {
		t.Parallel()
		b := newBulkBench(t)
		job := b.rows.seal(b.source, 1)
		b.rows.fault = away
		b.at(10*time.Second, b.env.CancelWorkflow)
		b.runImport(job)
		require.ErrorAs(t, b.env.GetWorkflowError(), &cancelled)
	})
}

// requireContinued reads into in what the next run of the workflow starts with.
func (b *bulkBench) requireContinued(workflowType string, in any) {
	b.t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(b.t, b.env.GetWorkflowError(), &next)
	require.Equal(b.t, workflowType, next.WorkflowType.Name)
	require.NoError(b.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, in))
}

func TestALongImportGoesOnInAnotherRun(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.chunk = 10
	job := b.rows.seal(b.source, 100)
	b.rows.fault = func(bulkCall) error {
		if b.rows.count(wire.ActivityApplyImport) == 3 {
			b.env.SetContinueAsNewSuggested(true)
		}
		return nil
	}
	b.runImport(job)
	var in wire.ImportInput
	b.requireContinued(wire.WorkflowImport, &in)
	require.Equal(t, 30, in.Progress.Done)
	require.False(t, in.Began.IsZero())

	b.rows.fault = nil
	next := newBulkBenchOver(t, b.rows)
	var done []int
	next.env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) {
		done = append(done, next.progress().Done)
	})
	next.run(wire.WorkflowImport, wire.ImportWorkflowID(job), in)
	require.NoError(t, next.env.GetWorkflowError())
	require.Equal(t, lifecycle.JobCompleted, b.rows.status(job))
	require.Equal(t, []int{30, 40, 50, 60, 70, 80, 90}, done, "what the run before knew is known")
}

func TestALongCoordinatorGoesOnInAnotherRun(t *testing.T) {
	t.Parallel()
	b := newBulkBench(t)
	b.rows.seal(b.source, 1)
	b.rows.seal(b.source, 1)
	b.rows.fault = func(call bulkCall) error {
		if call.step == wire.ActivityApplyImport && b.rows.count(wire.ActivityApplyImport) < 3 {
			return errForGood
		}
		return nil
	}
	b.at(1500*time.Millisecond, func() {
		b.env.SetContinueAsNewSuggested(true)
		b.env.SignalWorkflow(wire.SignalWake, nil)
	})
	b.runImports()
	var in wire.ImportsInput
	b.requireContinued(wire.WorkflowImports, &in)
	require.Equal(t, wire.ImportsInput{SourceID: b.source, Failures: 2}, in)
}
