package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// absenceRows stand for an absence and its items, in virtual time.
type absenceRows struct {
	mutex   sync.Mutex
	env     *testsuite.TestWorkflowEnvironment
	absence lifecycle.Absence
	gone    bool
	looked  time.Time
	// items is how many there are, piece how many one step takes.
	items, piece int
	// away are the items that the deputy has.
	away map[int]bool
	// passes is when one began, and moves what it moved.
	passes []time.Time
	moves  []int
	done   int
	fault  func(call int) error
	calls  int
}

func (r *absenceRows) SettleAbsence(_ context.Context, pass lifecycle.AbsencePass, _ int) (lifecycle.AbsenceProgress, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.calls++
	if r.fault != nil {
		if err := r.fault(r.calls); err != nil {
			return lifecycle.AbsenceProgress{}, err
		}
	}
	now := r.env.Now()
	progress := lifecycle.AbsenceProgress{Found: !r.gone}
	switch {
	case r.gone:
		return progress, nil
	case !r.absence.Begun(now):
		progress.Due = r.absence.Start
		return progress, nil
	case pass.Began.IsZero():
		pass.Began, r.done = now, 0
		r.passes, r.moves = append(r.passes, now), append(r.moves, 0)
	}
	for range r.piece {
		if r.done == r.items {
			break
		}
		if away := !r.absence.Over(now); r.away[r.done] != away {
			r.away[r.done] = away
			r.moves[len(r.moves)-1]++
			progress.Moved = append(progress.Moved, lifecycle.RequestToCheck{RequestID: lifecycle.NewID(), SourceID: lifecycle.NewID()})
		}
		r.done++
	}
	if r.done < r.items {
		progress.More, progress.Next = true, pass
		progress.Next.After = lifecycle.NewID()
		return progress, nil
	}
	r.looked = pass.Began
	progress.Due = r.absence.NextLook(r.looked)
	return progress, nil
}

func (r *absenceRows) AbsencesToWake(context.Context, int, time.Duration) ([]lifecycle.ID, error) {
	return []lifecycle.ID{r.absence.ID}, nil
}

// end ends the absence early, as the API does, or takes back one that has not begun.
func (r *absenceRows) end() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.absence.Begun(r.env.Now()) {
		r.absence.End = r.env.Now()
	} else {
		r.gone = true
	}
}

// wakes is what the sweep reaches absences by.
type wakes struct {
	mutex sync.Mutex
	woken []lifecycle.ID
	err   error
}

func (w *wakes) WakeAbsence(_ context.Context, absence lifecycle.ID) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.woken = append(w.woken, absence)
	return w.err
}

// absenceBench is an absence from an hour after now that lasts for two weeks.
type absenceBench struct {
	t     *testing.T
	env   *testsuite.TestWorkflowEnvironment
	rows  *absenceRows
	reach *reach
	began time.Time
}

const (
	absenceAfter = time.Hour
	absenceLasts = 14 * 24 * time.Hour
)

func newAbsenceBench(t *testing.T, items, piece int) *absenceBench {
	t.Helper()
	b := &absenceBench{t: t, env: newEnvironment(), reach: &reach{}}
	b.began = b.env.Now()
	b.rows = &absenceRows{env: b.env, items: items, piece: piece, away: map[int]bool{}, absence: lifecycle.Absence{
		ID: lifecycle.NewID(), Start: b.began.Add(absenceAfter), End: b.began.Add(absenceAfter + absenceLasts),
	}}
	workflows.Register(b.env, &activities.Activities{
		Store: newRows(), Workflows: b.reach, Log: slog.New(slog.DiscardHandler), SweepConcurrency: 2,
		Absences: &activities.Absences{Store: b.rows, Workflows: &wakes{}},
	})
	return b
}

func (b *absenceBench) run() error {
	b.t.Helper()
	return b.runAs(wire.AbsenceWorkflowID(b.rows.absence.ID))
}

func (b *absenceBench) runAs(id string) error {
	b.t.Helper()
	b.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: wire.QueueMaintenance})
	b.env.ExecuteWorkflow(wire.WorkflowAbsence, wire.AbsenceInput{AbsenceID: b.rows.absence.ID})
	require.True(b.t, b.env.IsWorkflowCompleted())
	return b.env.GetWorkflowError()
}

func (b *absenceBench) at(after time.Duration, do func()) { b.env.RegisterDelayedCallback(do, after) }

func (b *absenceBench) wake() { b.env.SignalWorkflow(wire.SignalWake, nil) }

// passes are when they began, since the workflow did.
func (b *absenceBench) passes() []time.Duration {
	var all []time.Duration
	for _, pass := range b.rows.passes {
		all = append(all, pass.Sub(b.began).Round(time.Second))
	}
	return all
}

func TestAnAbsenceBeginsAndEnds(t *testing.T) {
	t.Parallel()
	for _, piece := range []int{1, 3, 100} {
		b := newAbsenceBench(t, 10, piece)
		require.NoError(t, b.run())
		require.Equal(t, []time.Duration{
			absenceAfter, absenceAfter + lifecycle.AbsenceMargin, absenceAfter + absenceLasts, absenceAfter + absenceLasts + lifecycle.AbsenceMargin,
		}, b.passes())
		require.Equal(t, []int{10, 0, 10, 0}, b.rows.moves)
		require.Len(t, b.reach.nudged, 20, "the workflow of each moved request is told")
	}
}

func TestAnAbsenceIsEndedEarly(t *testing.T) {
	t.Parallel()
	b := newAbsenceBench(t, 3, 100)
	early := absenceAfter + 24*time.Hour
	b.at(early, func() { b.rows.end(); b.wake() })
	require.NoError(t, b.run())
	require.Equal(t, []time.Duration{absenceAfter, absenceAfter + lifecycle.AbsenceMargin, early, early + lifecycle.AbsenceMargin}, b.passes())
	require.Equal(t, []int{3, 0, 3, 0}, b.rows.moves)
}

func TestAnAbsenceIsTakenBackBeforeItBegins(t *testing.T) {
	t.Parallel()
	b := newAbsenceBench(t, 3, 100)
	b.at(absenceAfter/2, func() { b.rows.end(); b.wake() })
	require.NoError(t, b.run())
	require.Empty(t, b.rows.passes)
	require.Less(t, b.env.Now().Sub(b.began), absenceAfter)
}

// TestTheEndOfAnAbsenceAndItsDeletionMayCoincide, and so may its beginning.
func TestTheEndOfAnAbsenceAndItsDeletionMayCoincide(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]time.Duration{
		"at the beginning": absenceAfter, "a moment before": absenceAfter - 1, "at the end": absenceAfter + absenceLasts,
		"in the margin": absenceAfter + lifecycle.AbsenceMargin/2,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newAbsenceBench(t, 4, 2)
			b.at(at, func() { b.rows.end(); b.wake() })
			require.NoError(t, b.run())
			for item, away := range b.rows.away {
				require.False(t, away, "item %d is back", item)
			}
		})
	}
}

// TestAnAbsenceThatIsWokenForNothingDoesNothing, however often.
func TestAnAbsenceThatIsWokenForNothingDoesNothing(t *testing.T) {
	t.Parallel()
	b := newAbsenceBench(t, 2, 100)
	for hour := range 48 {
		b.at(time.Duration(hour)*time.Hour+time.Minute, b.wake)
	}
	require.NoError(t, b.run())
	moved := 0
	for _, n := range b.rows.moves {
		moved += n
	}
	require.Equal(t, 4, moved)
}

// TestWhatFellDueInAnOutageHappensOnceAndNow: the workflow begins, or goes on,
// when the absence has begun long ago, or is over.
func TestWhatFellDueInAnOutageHappensOnceAndNow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late  time.Duration
		moves []int
	}{
		"over its beginning": {24 * time.Hour, []int{5, 5, 0}},
		"over all of it":     {absenceLasts + 24*time.Hour, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newAbsenceBench(t, 5, 100)
			b.rows.absence.Start = b.began.Add(-c.late)
			b.rows.absence.End = b.rows.absence.Start.Add(absenceLasts)
			require.NoError(t, b.run())
			require.Zero(t, b.passes()[0], "at once")
			require.Equal(t, c.moves, b.rows.moves)
			require.NotContains(t, slices.Collect(maps.Values(b.rows.away)), true)
		})
	}
}

func TestAPieceThatFailsIsDoneAgain(t *testing.T) {
	t.Parallel()
	b := newAbsenceBench(t, 6, 2)
	b.rows.fault = func(call int) error {
		if call%2 == 0 {
			return errAway
		}
		return nil
	}
	require.NoError(t, b.run())
	require.Equal(t, []int{6, 0, 6, 0}, b.rows.moves)
}

func TestAnAbsenceHasItsID(t *testing.T) {
	t.Parallel()
	b := newAbsenceBench(t, 1, 1)
	require.Error(t, b.runAs("absence/another"))
	require.Zero(t, b.rows.calls)
}

func TestTheSweepWakesAbsencesThatAreDue(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]error{"reached": nil, "not reached": errors.New("away")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSweepBench(t, 1, 0)
			reached := &wakes{err: fault}
			absence := lifecycle.Absence{ID: lifecycle.NewID()}
			a := newActivities(b.rows, b.reach, &counts{})
			a.Absences = &activities.Absences{Store: &absenceRows{absence: absence}, Workflows: reached}
			env := newEnvironment()
			workflows.Register(env, a)
			b.env = env
			result, err := b.run(t, 50)
			require.NoError(t, err)
			require.Equal(t, 1, result.Checked, "requests are swept all the same")
			require.True(t, slices.Equal([]lifecycle.ID{absence.ID}, reached.woken))
		})
	}
}
