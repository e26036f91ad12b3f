package activities

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// fakeLife has so many records due, by source, and so many whose time begins.
type fakeLife struct {
	mutex    sync.Mutex
	planned  int
	due      []lifecycle.DueRecords
	left     map[lifecycle.ID]int
	failing  lifecycle.ID
	batches  int
	advanced map[string]int
}

func newFakeLife(planned int, due ...int) *fakeLife {
	l := &fakeLife{planned: planned, left: map[lifecycle.ID]int{}, advanced: map[string]int{}}
	for _, n := range due {
		d := lifecycle.DueRecords{Source: lifecycle.NewID(), Rung: lifecycle.RungNone, Since: time.Now().Add(-time.Hour)}
		l.due, l.left[d.Source] = append(l.due, d), n
	}
	return l
}

func (l *fakeLife) BeginRecords(_ context.Context, _ time.Time, limit int) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	begun := min(limit, l.planned)
	l.planned -= begun
	return begun, nil
}

func (l *fakeLife) DueRecords(context.Context, time.Time) ([]lifecycle.DueRecords, error) {
	return l.due, nil
}

func (l *fakeLife) AdvanceRecords(_ context.Context, due lifecycle.DueRecords, at time.Time, limit int) (lifecycle.Advance, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.batches++
	if due.Source == l.failing {
		return lifecycle.Advance{}, errAway
	}
	if due.Since.After(at) {
		return lifecycle.Advance{}, errors.New("it is not due yet")
	}
	taken := min(limit, l.left[due.Source])
	l.left[due.Source] -= taken
	return lifecycle.Advance{Warned: taken}, nil
}

func (l *fakeLife) RecordsAdvanced(to string, count int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.advanced[to] += count
}

func (b *bench) sweepLifecycle(ctx context.Context, l *fakeLife, turn time.Duration, batch int) (wire.LifecycleResult, error) {
	b.t.Helper()
	b.Lifecycle = &Lifecycle{Store: l, Observer: l, Turn: turn}
	return run[wire.LifecycleResult](ctx, b, b.SweepLifecycle, wire.SweepInput{Batch: batch})
}

func TestRecordsAreTakenOnUntilNoneIsDue(t *testing.T) {
	t.Parallel()
	b, l := newBench(t), newFakeLife(25, 20, 7, 0)
	result, err := b.sweepLifecycle(t.Context(), l, 0, 10)
	require.NoError(t, err)
	require.Equal(t, wire.LifecycleResult{Begun: 25, Warned: 27}, result)
	require.Equal(t, 5, l.batches, "three of the first source, one of each other")
	require.Equal(t, map[string]int{"begun": 25, "warned": 27, "expired": 0, "suspended": 0, "removed": 0}, l.advanced)
	require.Positive(t, b.beats.Load())
}

func TestTwoStepsShareTheRecords(t *testing.T) {
	t.Parallel()
	l := newFakeLife(500, 500, 500)
	var steps sync.WaitGroup
	results := make([]wire.LifecycleResult, 2)
	for i := range results {
		steps.Go(func() {
			var err error
			b := newBench(t)
			results[i], err = b.sweepLifecycle(t.Context(), l, 0, 10)
			assert.NoError(t, err)
		})
	}
	steps.Wait()
	require.Equal(t, 500, results[0].Begun+results[1].Begun)
	require.Equal(t, 1000, results[0].Warned+results[1].Warned)
}

func TestASourceThatFailsDoesNotKeepOthersFromTheirTurn(t *testing.T) {
	t.Parallel()
	b, l := newBench(t), newFakeLife(0, 5, 5, 5)
	l.failing = l.due[1].Source
	_, err := b.sweepLifecycle(t.Context(), l, 0, 10)
	requireFailure(t, err, wire.ActivitySweepLifecycle, lifecycle.KindUnavailable, lifecycle.ID{})
	require.Equal(t, 10, l.advanced[RecordsWarned], "what was done is counted all the same")
}

func TestAStepEndsWithItsTime(t *testing.T) {
	t.Parallel()
	b, l := newBench(t), newFakeLife(5, 5)
	result, err := b.sweepLifecycle(t.Context(), l, time.Nanosecond, 10)
	require.NoError(t, err)
	require.Equal(t, wire.LifecycleResult{More: true}, result)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = b.sweepLifecycle(ctx, l, 0, 10)
	require.Error(t, err)
	require.Zero(t, l.batches)
}

func TestWithoutRecordsThereIsNothingToSweep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	result, err := run[wire.LifecycleResult](t.Context(), b, b.SweepLifecycle, wire.SweepInput{Batch: 10})
	require.NoError(t, err)
	require.Zero(t, result)
}
