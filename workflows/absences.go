package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/workflows/wire"
)

// AbsenceWorkflow has the items of somebody who is away go to their deputy when
// the absence begins, and back when it ends. When that is the rows say, which are
// read at every turn: an absence that is ended early, or taken back, wakes it by a
// signal. A workflow that was lost is started anew by the sweep, and what fell due
// meanwhile is done at once.
func (w *Workflows) AbsenceWorkflow(ctx workflow.Context, in wire.AbsenceInput) error {
	if err := ownsID(ctx, wire.AbsenceWorkflowID(in.AbsenceID)); err != nil {
		return err
	}
	a := &absence{in: in, shown: currentAttributes(ctx), wake: workflow.GetSignalChannel(ctx, wire.SignalWake)}
	return a.run(ctx)
}

// absence is one run of an AbsenceWorkflow.
type absence struct {
	in    wire.AbsenceInput
	wake  workflow.ReceiveChannel
	shown shownAttributes
}

func (a *absence) run(ctx workflow.Context) error {
	for {
		// What came before the rows are read is in them.
		for a.wake.ReceiveAsync(nil) {
		}
		state, err := a.settle(ctx)
		if err != nil {
			return err
		}
		if !state.Found || state.Due.IsZero() {
			if err := a.show(ctx, stageEnded, "over"); err != nil || a.wake.Len() == 0 {
				return err
			}
			continue
		}
		if err := a.show(ctx, stageWorking, "its items are looked through at "+state.Due.Format(time.RFC3339)); err != nil {
			return err
		}
		if err := a.sleep(ctx, state.Due); err != nil {
			return err
		}
		if tooLong(ctx) && a.wake.Len() == 0 {
			return workflow.NewContinueAsNewError(ctx, wire.WorkflowAbsence, a.in)
		}
	}
}

// settle makes one pass through the items.
func (a *absence) settle(ctx workflow.Context) (wire.AbsenceState, error) {
	pass := wire.AbsencePass{AbsenceID: a.in.AbsenceID}
	for {
		var state wire.AbsenceState
		if err := workflow.ExecuteActivity(settling(ctx), wire.ActivitySettleAbsence, pass).Get(ctx, &state); err != nil {
			return state, err
		}
		if state.Next == nil {
			return state, nil
		}
		pass = *state.Next
	}
}

// sleep waits until then or until a signal comes. Clocks differ: where the rows
// are not due by that of the database they are asked again, not all the time.
func (a *absence) sleep(ctx workflow.Context, until time.Time) error {
	timing, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(timing, max(until.Sub(workflow.Now(ctx)), absenceNap),
		workflow.TimerOptions{Summary: "until " + until.Format(time.RFC3339)})
	return workflow.Await(ctx, func() bool { return timer.IsReady() || a.wake.Len() > 0 })
}

// show tells operators how the absence stands, by ids and times alone.
func (a *absence) show(ctx workflow.Context, stage, details string) error {
	workflow.SetCurrentDetails(ctx, "absence "+a.in.AbsenceID.String()+": "+details)
	return upsert(ctx, shownAttributes{kind: wire.KindAbsence, stage: stage}, &a.shown)
}

// absenceNap is the least that an AbsenceWorkflow sleeps.
const absenceNap = time.Second

// settling is for a piece of the items of an absence. It is tried until it is
// done; a piece beats at every request that it reaches.
func settling(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           wire.QueueMaintenance,
		StartToCloseTimeout: 2 * time.Minute,
		HeartbeatTimeout:    30 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
	})
}
