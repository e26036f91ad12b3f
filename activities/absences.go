package activities

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// AbsenceStore keeps absences.
type AbsenceStore interface {
	// SettleAbsence goes through a piece of at most limit items that the absence is
	// about, and has each go to whoever is to decide it now. Doing it again
	// changes nothing.
	SettleAbsence(ctx context.Context, pass lifecycle.AbsencePass, limit int) (lifecycle.AbsenceProgress, error)
	// AbsencesToWake returns at most limit absences whose items should have been
	// looked through grace ago.
	AbsencesToWake(ctx context.Context, limit int, grace time.Duration) ([]lifecycle.ID, error)
}

// AbsenceWorkflows reaches the workflows of absences.
type AbsenceWorkflows interface {
	// WakeAbsence has the workflow of an absence look at its rows, starting it if
	// need be.
	WakeAbsence(ctx context.Context, absence lifecycle.ID) error
}

// Absences is what the steps of absences need.
type Absences struct {
	Store     AbsenceStore
	Workflows AbsenceWorkflows
}

// SweptAbsences is what a sweep does about absences, beside [SweptFailed].
const SweptAbsences = "absences_woken"

// absencePiece is how many items one step looks through.
const absencePiece = 100

// SettleAbsence has a piece of the items that an absence is about go to whoever is
// to decide them now, and the workflows of their requests look at the rows. Those
// that can't be reached are left to the sweep.
func (a *Activities) SettleAbsence(ctx context.Context, pass wire.AbsencePass) (state wire.AbsenceState, err error) {
	defer a.seal(ctx, wire.ActivitySettleAbsence, pass.AbsenceID, &err)
	progress, err := a.Absences.Store.SettleAbsence(ctx,
		lifecycle.AbsencePass{Absence: pass.AbsenceID, Began: pass.Began, After: pass.After}, absencePiece)
	if err != nil {
		return state, err
	}
	a.nudgeAll(ctx, progress.Moved)
	state = wire.AbsenceState{Found: progress.Found, Moved: len(progress.Moved), Due: progress.Due}
	if progress.More {
		state.Next = &wire.AbsencePass{AbsenceID: pass.AbsenceID, Began: progress.Next.Began, After: progress.Next.After}
	}
	if len(progress.Moved) > 0 {
		a.Log.LogAttrs(ctx, slog.LevelInfo, "an absence moved approval items",
			slog.String("absence", pass.AbsenceID.String()), slog.Int("items", len(progress.Moved)))
	}
	return state, nil
}

// nudgeAll has the workflows of these requests read their rows again.
func (a *Activities) nudgeAll(ctx context.Context, requests []lifecycle.RequestToCheck) {
	var (
		mutex  sync.Mutex
		missed int
		group  errgroup.Group
	)
	group.SetLimit(max(a.SweepConcurrency, 1))
	for _, q := range requests {
		group.Go(func() error {
			err := a.nudge(ctx, q)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				missed++
			}
			activity.RecordHeartbeat(ctx)
			return nil
		})
	}
	if err := group.Wait(); err != nil || missed > 0 {
		a.Log.LogAttrs(ctx, slog.LevelWarn, "workflows of moved approval items are left to the sweep", slog.Int("requests", missed))
	}
}

func (a *Activities) nudge(ctx context.Context, q lifecycle.RequestToCheck) (err error) {
	defer a.seal(ctx, wire.ActivitySettleAbsence, q.RequestID, &err)
	return a.Workflows.NudgeRequest(ctx, q.RequestID, q.SourceID)
}

// SweepAbsences has the workflows of absences look at their rows where that should
// have happened before. What fails for one of them is counted and left for the
// next sweep.
func (a *Activities) SweepAbsences(ctx context.Context, in wire.SweepInput) (result wire.SweepResult, err error) {
	defer a.seal(ctx, wire.ActivitySweepAbsences, lifecycle.ID{}, &err)
	if a.Absences == nil {
		return result, nil
	}
	absences, err := a.Absences.Store.AbsencesToWake(ctx, in.Batch, a.SweepGrace)
	if err != nil {
		return result, err
	}
	chores := make([]chore, len(absences))
	for i, absence := range absences {
		chores[i] = chore{absence, func() (bool, error) { return true, a.Absences.Workflows.WakeAbsence(ctx, absence) }}
	}
	err = a.doAll(ctx, chores, &result.Nudged, &result.Failed)
	result.Checked = len(absences)
	observer := a.observer()
	observer.Swept(SweptAbsences, result.Nudged)
	observer.Swept(SweptFailed, result.Failed)
	return result, err
}
