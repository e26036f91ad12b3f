package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

const (
	// importsLinger is how long an ImportsWorkflow waits for another import
	// before it ends: files often come one after another, and Temporal delays the
	// restart of a workflow that began within the last second.
	importsLinger = 2 * time.Second
	// importRetry is how long it waits after an import's workflow failed; twice
	// as long after each that follows, up to importRetryLongest.
	importRetry        = time.Second
	importRetryLongest = time.Minute
)

// Stages of the workflows of bulk work.
const (
	stageWorking  = "working"
	stageRetrying = "retrying"
)

// ImportsWorkflow takes the imports of one source, one after another in their
// order, and ends where none is left. The rows are the truth: it is woken so
// that it looks, and a run that is lost is made up for by the sweep.
func (w *Workflows) ImportsWorkflow(ctx workflow.Context, in wire.ImportsInput) error {
	i := &imports{in: in, wake: workflow.GetSignalChannel(ctx, wire.SignalWake), shown: currentAttributes(ctx)}
	if err := ownsID(ctx, wire.ImportsWorkflowID(in.SourceID)); err != nil {
		return err
	}
	return i.run(ctx)
}

// imports is one run of an ImportsWorkflow.
type imports struct {
	in   wire.ImportsInput
	wake workflow.ReceiveChannel
	// last is the import whose workflow ended well last.
	last  lifecycle.ID
	shown shownAttributes
}

func (i *imports) run(ctx workflow.Context) error {
	for {
		i.drain()
		if tooLong(ctx) {
			return workflow.NewContinueAsNewError(ctx, wire.WorkflowImports, i.in)
		}
		var next wire.NextImport
		if err := workflow.ExecuteLocalActivity(databaseStep(ctx), wire.ActivityNextImport, i.in).Get(ctx, &next); err != nil {
			return err
		}
		if !next.Found {
			workflow.SetCurrentDetails(ctx, "no import waits")
			_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
				Timeout: importsLinger, TimerOptions: workflow.TimerOptions{Summary: "for another import"},
			}, func() bool { return i.wake.Len() > 0 })
			if err != nil {
				return err
			}
			// Who seals an import wakes this workflow afterwards. So a wake that has
			// come since the rows were read, and be it with the end of the wait, may
			// be about one that they did not hold.
			if i.wake.Len() == 0 {
				return nil
			}
			continue
		}
		if err := i.carryOut(ctx, next.JobID); err != nil {
			return err
		}
	}
}

func (i *imports) drain() {
	for i.wake.ReceiveAsync(nil) {
	}
}

// carryOut runs the workflow of an import to its end. A failure of it is waited
// out, since the rows tell what is to be done about it: the same import again,
// or the next one.
func (i *imports) carryOut(ctx workflow.Context, job lifecycle.ID) error {
	if err := i.show(ctx, job); err != nil {
		return err
	}
	failed := workflow.ExecuteChildWorkflow(importChild(ctx, job), wire.WorkflowImport,
		wire.ImportInput{JobID: job, SourceID: i.in.SourceID}).Get(ctx, nil)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// An import that is still the next one after it ended well is none that ends.
	if failed == nil && job != i.last {
		i.last, i.in.Failures = job, 0
		return nil
	}
	i.in.Failures++
	workflow.GetLogger(ctx).Warn("an import's workflow failed",
		"import", job.String(), "source", i.in.SourceID.String(), "failures", i.in.Failures)
	if err := i.show(ctx, job); err != nil {
		return err
	}
	return workflow.NewTimerWithOptions(ctx, importPause(i.in.Failures),
		workflow.TimerOptions{Summary: "after an import failed"}).Get(ctx, nil)
}

// importPause is how long to wait after this many failures in a row.
func importPause(failures int) time.Duration {
	pause := importRetry
	for range failures - 1 {
		if pause *= 2; pause >= importRetryLongest {
			return importRetryLongest
		}
	}
	return pause
}

// importChild are the options of the workflow of an import. It goes on where
// another run left off; beside one that runs there is never a second. It ends
// with the workflow that started it, which would start it again.
func importChild(ctx workflow.Context, job lifecycle.ID) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            wire.ImportWorkflowID(job),
		TaskQueue:             wire.QueueBulk,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_TERMINATE,
		WaitForCancellation:   true,
		StaticSummary:         "import " + job.String(),
	})
}

func (i *imports) show(ctx workflow.Context, job lifecycle.ID) error {
	now := shownAttributes{kind: wire.KindImports, source: i.in.SourceID.String(), stage: stageWorking}
	details := "import " + job.String()
	if i.in.Failures > 0 {
		now.stage = stageRetrying
		details += fmt.Sprintf(", failures in a row: %d", i.in.Failures)
	}
	workflow.SetCurrentDetails(ctx, details)
	return upsert(ctx, now, &i.shown)
}

// upsert makes the search attributes what now says; shown are those that stand.
func upsert(ctx workflow.Context, now shownAttributes, shown *shownAttributes) error {
	updates := now.since(*shown)
	if len(updates) == 0 {
		return nil
	}
	*shown = now
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// ownsID refuses a workflow of another id than what it works on has: there could
// be two of them.
func ownsID(ctx workflow.Context, id string) error {
	if workflow.GetInfo(ctx).WorkflowExecution.ID == id {
		return nil
	}
	return temporal.NewNonRetryableApplicationError(
		"the workflow's id does not name what it works on", lifecycle.KindBadRequest.String(), nil)
}

// ImportWorkflow carries out one import, a turn at a time, and ends where the
// import has ended or is gone.
func (w *Workflows) ImportWorkflow(ctx workflow.Context, in wire.ImportInput) error {
	err := workflow.SetQueryHandlerWithOptions(ctx, wire.QueryProgress,
		func() (wire.ImportProgress, error) { return in.Progress, nil },
		workflow.QueryHandlerOptions{Description: "How many rows of the import are done."})
	if err != nil {
		return err
	}
	if err := ownsID(ctx, wire.ImportWorkflowID(in.JobID)); err != nil {
		return err
	}
	if in.Began.IsZero() {
		in.Began = workflow.Now(ctx)
	}
	shown := currentAttributes(ctx)
	for looked := false; ; looked = true {
		if err := showImport(ctx, in, looked, &shown); err != nil {
			return err
		}
		if tooLong(ctx) {
			return workflow.NewContinueAsNewError(ctx, wire.WorkflowImport, in)
		}
		var progress wire.ImportProgress
		err := workflow.ExecuteActivity(applying(ctx), wire.ActivityApplyImport, in).Get(ctx, &progress)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		in.Progress = progress
		if !progress.Found || progress.Status.Ended() {
			return showImport(ctx, in, true, &shown)
		}
	}
}

// showImport tells operators how an import stands; looked is whether this run
// has asked the rows.
func showImport(ctx workflow.Context, in wire.ImportInput, looked bool, shown *shownAttributes) error {
	p := in.Progress
	now := shownAttributes{kind: wire.KindImport, source: in.SourceID.String(), status: shown.status}
	details := "import of source " + in.SourceID.String() + ": "
	switch {
	case !p.Found && !looked:
		now.stage = importStage(p)
		details += "taken up"
	case !p.Found:
		now.stage = stageEnded
		details += "gone, its source was deleted"
	default:
		now.status, now.stage = string(p.Status), importStage(p)
		details += fmt.Sprintf("%d of %d rows done, %d created, %d updated, %d unchanged, %d failed; %d more imports wait",
			p.Done, p.Total, p.Created, p.Updated, p.Unchanged, p.Failed, p.Behind)
	}
	workflow.SetCurrentDetails(ctx, details)
	return upsert(ctx, now, shown)
}

// importStage is how much of an import is done, in tenths: every change of it is
// an event.
func importStage(p wire.ImportProgress) string {
	switch {
	case p.Status.Ended():
		return stageEnded
	case p.Total == 0:
		return "0%"
	}
	return fmt.Sprintf("%d%%", p.Done*10/p.Total*10)
}
