package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// fakeAbsences does what its fields say.
type fakeAbsences struct {
	settle func(lifecycle.AbsencePass, int) (lifecycle.AbsenceProgress, error)
	due    func(int, time.Duration) ([]lifecycle.ID, error)
	wake   func(lifecycle.ID) error
}

func (f *fakeAbsences) SettleAbsence(_ context.Context, pass lifecycle.AbsencePass, limit int) (lifecycle.AbsenceProgress, error) {
	return f.settle(pass, limit)
}

func (f *fakeAbsences) AbsencesToWake(_ context.Context, limit int, grace time.Duration) ([]lifecycle.ID, error) {
	return f.due(limit, grace)
}

func (f *fakeAbsences) WakeAbsence(_ context.Context, absence lifecycle.ID) error {
	return f.wake(absence)
}

func newAbsenceBench(t *testing.T) (*bench, *fakeAbsences) {
	t.Helper()
	b, f := newBench(t), &fakeAbsences{}
	b.Absences = &Absences{Store: f, Workflows: f}
	return b, f
}

// TestAMoveIsToldToTheWorkflow of each request; one that can't be reached does not
// undo what is stored.
func TestAMoveIsToldToTheWorkflow(t *testing.T) {
	t.Parallel()
	b, f := newAbsenceBench(t)
	absence, after := lifecycle.NewID(), lifecycle.NewID()
	began := time.Now().UTC().Truncate(time.Millisecond)
	moved := []lifecycle.RequestToCheck{{RequestID: lifecycle.NewID(), SourceID: lifecycle.NewID()}, {RequestID: lifecycle.NewID()}}
	f.settle = func(pass lifecycle.AbsencePass, limit int) (lifecycle.AbsenceProgress, error) {
		require.Equal(t, lifecycle.AbsencePass{Absence: absence}, pass)
		require.Equal(t, absencePiece, limit)
		return lifecycle.AbsenceProgress{
			Found: true, Moved: moved, More: true, Next: lifecycle.AbsencePass{Absence: absence, Began: began, After: after},
		}, nil
	}
	told := make(chan lifecycle.ID, len(moved))
	b.workflows.nudge = func(request, _ lifecycle.ID) error {
		told <- request
		if request == moved[1].RequestID {
			return errors.New(secret)
		}
		return nil
	}
	state, err := run[wire.AbsenceState](t.Context(), b, b.SettleAbsence, wire.AbsencePass{AbsenceID: absence})
	require.NoError(t, err)
	require.Equal(t, wire.AbsenceState{
		Found: true, Moved: 2, Next: &wire.AbsencePass{AbsenceID: absence, Began: began, After: after},
	}, state)
	require.Len(t, told, 2)
	require.Contains(t, b.log.String(), "left to the sweep")
}

func TestAnAbsenceThatCanNotBeLookedThroughIsTriedAgain(t *testing.T) {
	t.Parallel()
	b, f := newAbsenceBench(t)
	absence := lifecycle.NewID()
	f.settle = func(lifecycle.AbsencePass, int) (lifecycle.AbsenceProgress, error) {
		return lifecycle.AbsenceProgress{}, lifecycle.NewError(lifecycle.KindUnavailable, secret)
	}
	_, err := run[wire.AbsenceState](t.Context(), b, b.SettleAbsence, wire.AbsencePass{AbsenceID: absence})
	requireFailure(t, err, wire.ActivitySettleAbsence, lifecycle.KindUnavailable, absence)
}

func TestOverdueAbsencesAreWoken(t *testing.T) {
	t.Parallel()
	b, f := newAbsenceBench(t)
	due := []lifecycle.ID{lifecycle.NewID(), lifecycle.NewID()}
	f.due = func(limit int, grace time.Duration) ([]lifecycle.ID, error) {
		require.Equal(t, 7, limit)
		require.Equal(t, b.SweepGrace, grace)
		return due, nil
	}
	f.wake = func(absence lifecycle.ID) error {
		if absence == due[0] {
			return errors.New(secret)
		}
		return nil
	}
	result, err := run[wire.SweepResult](t.Context(), b, b.SweepAbsences, wire.SweepInput{Batch: 7})
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 2, Nudged: 1, Failed: 1}, result)
	require.Equal(t, 1, b.counts.noted["swept "+SweptAbsences])

	b.Absences = nil
	result, err = run[wire.SweepResult](t.Context(), b, b.SweepAbsences, wire.SweepInput{Batch: 7})
	require.NoError(t, err)
	require.Zero(t, result)
}
