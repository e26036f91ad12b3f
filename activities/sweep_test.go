package activities

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// reached is what a sweep did to workflows.
type reached struct {
	mutex           sync.Mutex
	nudged, started []lifecycle.ID
	checked         []lifecycle.ID
}

func (r *reached) note(list *[]lifecycle.ID, ids ...lifecycle.ID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	*list = append(*list, ids...)
}

// sweeps has the store find these requests, but for those that were checked, and
// notes what is done about them. A workflow runs if its request is among running.
func (b *bench) sweeps(requests []lifecycle.RequestToCheck, running ...lifecycle.ID) *reached {
	r := &reached{}
	sources := map[lifecycle.ID]lifecycle.ID{}
	for _, q := range requests {
		sources[q.RequestID] = q.SourceID
	}
	act := func(list *[]lifecycle.ID) func(request, source lifecycle.ID) error {
		return func(request, source lifecycle.ID) error {
			require.Equal(b.t, sources[request], source)
			r.note(list, request)
			return nil
		}
	}
	moved := map[lifecycle.ID]bool{}
	for _, q := range requests {
		moved[q.RequestID] = q.Moved
	}
	b.store.check = func(limit int, grace, recheck time.Duration) ([]lifecycle.RequestToCheck, error) {
		require.Equal(b.t, time.Minute, grace)
		require.Equal(b.t, time.Hour, recheck)
		r.mutex.Lock()
		defer r.mutex.Unlock()
		left := slices.DeleteFunc(slices.Clone(requests), func(q lifecycle.RequestToCheck) bool {
			return slices.Contains(r.checked, q.RequestID)
		})
		return left[:min(limit, len(left))], nil
	}
	b.store.mark = func(ctx context.Context, ids []lifecycle.ID, spread time.Duration) error {
		for _, id := range ids {
			require.Equal(b.t, moved[id], spread == 0, "only those that are well are spread")
			require.LessOrEqual(b.t, spread, time.Hour/4)
		}
		r.note(&r.checked, ids...)
		return ctx.Err()
	}
	b.workflows.nudge, b.workflows.start = act(&r.nudged), act(&r.started)
	b.workflows.running = func(id lifecycle.ID) (bool, error) { return slices.Contains(running, id), nil }
	return r
}

// requests makes this many pending requests.
func requests(n int, moved bool) []lifecycle.RequestToCheck {
	made := make([]lifecycle.RequestToCheck, n)
	for i := range made {
		made[i] = lifecycle.RequestToCheck{RequestID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Moved: moved}
	}
	return made
}

func ids(requests []lifecycle.RequestToCheck) []lifecycle.ID {
	all := make([]lifecycle.ID, len(requests))
	for i, r := range requests {
		all[i] = r.RequestID
	}
	return all
}

func TestASweepNudgesWhatMovedAndStartsWhatIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	moved, missing, fine := requests(3, true), requests(2, false), requests(4, false)
	r := b.sweeps(slices.Concat(moved, missing, fine), ids(fine)...)
	got, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 500})
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 9, Nudged: 3, Started: 2}, got)
	require.ElementsMatch(t, ids(moved), r.nudged)
	require.ElementsMatch(t, ids(missing), r.started)
	require.ElementsMatch(t, slices.Concat(ids(moved), ids(missing), ids(fine)), r.checked)
	require.Equal(t, map[string]int{"swept checked": 9, "swept nudged": 3, "swept started": 2}, b.counts.noted)
}

func TestASweepTakesOneBatchAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	all := requests(7, true)
	r := b.sweeps(all)
	for _, want := range []int{5, 2, 0} {
		got, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 5})
		require.NoError(t, err)
		require.Equal(t, wire.SweepResult{Checked: want, Nudged: want}, got)
	}
	require.ElementsMatch(t, ids(all), r.nudged)
}

func TestASweepThatFindsNothingMarksNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sweeps(nil)
	b.store.mark = nil
	got, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 5})
	require.NoError(t, err)
	require.Zero(t, got)
	require.Empty(t, b.counts.noted)
}

func TestASweepLeavesWhatFailsForTheNext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	unmoved, unseen, unstarted, good := requests(1, true), requests(1, false), requests(1, false), requests(2, true)
	r := b.sweeps(slices.Concat(unmoved, unseen, good, unstarted))
	nudge, running := b.workflows.nudge, b.workflows.running
	b.workflows.nudge = func(request, source lifecycle.ID) error {
		if request == unmoved[0].RequestID {
			return errAway
		}
		return nudge(request, source)
	}
	b.workflows.running = func(request lifecycle.ID) (bool, error) {
		if request == unseen[0].RequestID {
			return false, errAway
		}
		return running(request)
	}
	b.workflows.start = func(lifecycle.ID, lifecycle.ID) error { return errAway }
	got, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 5})
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 5, Nudged: 2, Failed: 3}, got)
	require.ElementsMatch(t, ids(good), r.checked)
	require.Equal(t, map[string]int{"swept checked": 5, "swept nudged": 2, "swept failed": 3}, b.counts.noted)
	require.Contains(t, b.log.String(), unmoved[0].RequestID.String())
}

func TestASweepReachesSoManyWorkflowsAtOnceAndNoMore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.SweepConcurrency = 3
	b.sweeps(requests(12, true))
	var now, most atomic.Int32
	together := make(chan struct{})
	var open sync.Once
	b.workflows.nudge = func(lifecycle.ID, lifecycle.ID) error {
		defer now.Add(-1)
		n := now.Add(1)
		if int(n) == b.SweepConcurrency {
			open.Do(func() { close(together) })
		}
		<-together
		for seen := most.Load(); n > seen; seen = most.Load() {
			if most.CompareAndSwap(seen, n) {
				break
			}
		}
		return nil
	}
	_, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 500})
	require.NoError(t, err)
	require.EqualValues(t, b.SweepConcurrency, most.Load())
}

func TestASweepThatIsCutOffKeepsWhatItHasDone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.SweepConcurrency = 1
	all := requests(6, true)
	r := b.sweeps(all)
	ctx, cancel := context.WithCancel(t.Context())
	nudge := b.workflows.nudge
	b.workflows.nudge = func(request, source lifecycle.ID) error {
		if request == all[2].RequestID {
			cancel()
			return errAway
		}
		return nudge(request, source)
	}
	_, err := run[wire.SweepResult](ctx, b, b.SweepPendingRequests, wire.SweepInput{Batch: 500})
	requireFailure(t, err, wire.ActivitySweepPending, lifecycle.KindUnavailable, lifecycle.ID{})
	require.Equal(t, ids(all[:2]), r.nudged, "none after the end")
	require.Equal(t, ids(all[:2]), r.checked, "the next one does not begin with them")
	require.Equal(t, map[string]int{"swept checked": 3, "swept nudged": 2, "swept failed": 1}, b.counts.noted)
}

func TestASweepFailsWhereTheStoreDoes(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*fakeStore){
		"looking": func(s *fakeStore) {
			s.check = func(int, time.Duration, time.Duration) ([]lifecycle.RequestToCheck, error) { return nil, errAway }
		},
		"marking": func(s *fakeStore) {
			s.mark = func(context.Context, []lifecycle.ID, time.Duration) error { return errAway }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.sweeps(requests(3, true))
			set(b.store)
			_, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 5})
			requireFailure(t, err, wire.ActivitySweepPending, lifecycle.KindUnavailable, lifecycle.ID{})
			require.Empty(t, b.counts.noted, "it is counted when it is done")
		})
	}
}

func TestASweepOutlivesAPanicAboutOneRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	all := requests(3, true)
	r := b.sweeps(all)
	nudge := b.workflows.nudge
	b.workflows.nudge = func(request, source lifecycle.ID) error {
		if request == all[1].RequestID {
			panic(secret)
		}
		return nudge(request, source)
	}
	got, err := run[wire.SweepResult](t.Context(), b, b.SweepPendingRequests, wire.SweepInput{Batch: 5})
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 3, Nudged: 2, Failed: 1}, got)
	require.ElementsMatch(t, []lifecycle.ID{all[0].RequestID, all[2].RequestID}, r.checked)
	require.Contains(t, b.log.String(), all[1].RequestID.String())
	require.Contains(t, b.log.String(), "sweep_test.go", "the log has the stack")
}

// ends has the store know these endings, and returns what it is told to drop.
func (b *bench) ends(endings []lifecycle.ID) *[]lifecycle.ID {
	dropped := &[]lifecycle.ID{}
	b.store.endings = func(limit int) ([]lifecycle.ID, error) { return endings[:min(limit, len(endings))], nil }
	b.store.drop = func(ctx context.Context, ids []lifecycle.ID) error {
		*dropped = append(*dropped, ids...)
		return ctx.Err()
	}
	return dropped
}

func TestASweepDropsTheEndingsThatAreDone(t *testing.T) {
	t.Parallel()
	endings := ids(requests(5, false))
	for name, c := range map[string]struct {
		batch, asked, ended int
		fault               error
		want                wire.SweepResult
	}{
		"all":              {batch: 9, asked: 5, ended: 5, want: wire.SweepResult{Checked: 5, Ended: 5}},
		"one batch":        {batch: 2, asked: 2, ended: 2, want: wire.SweepResult{Checked: 2, Ended: 2}},
		"those that ended": {batch: 9, asked: 5, ended: 3, fault: errAway, want: wire.SweepResult{Checked: 5, Ended: 3, Failed: 2}},
		"none":             {batch: 9, asked: 5, fault: errAway, want: wire.SweepResult{Checked: 5, Failed: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			dropped := b.ends(endings)
			b.workflows.cancel = func(asked []lifecycle.ID) ([]lifecycle.ID, error) {
				require.Equal(t, endings[:c.asked], asked)
				return asked[:c.ended], c.fault
			}
			got, err := run[wire.SweepResult](t.Context(), b, b.SweepWorkflowEndings, wire.SweepInput{Batch: c.batch})
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, endings[:c.ended], *dropped)
			counted := map[string]int{"swept checked": c.want.Checked, "swept ended": c.want.Ended, "swept failed": c.want.Failed}
			for key, n := range counted {
				require.Equal(t, n, b.counts.noted[key], key)
			}
		})
	}
	t.Run("piece by piece, with a sign of life after each", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		many := ids(requests(2*endingsPiece+7, false))
		dropped := b.ends(many)
		var pieces []int
		b.workflows.cancel = func(asked []lifecycle.ID) ([]lifecycle.ID, error) {
			pieces = append(pieces, len(asked))
			return asked, nil
		}
		got, err := run[wire.SweepResult](t.Context(), b, b.SweepWorkflowEndings, wire.SweepInput{Batch: 500})
		require.NoError(t, err)
		require.Equal(t, wire.SweepResult{Checked: len(many), Ended: len(many)}, got)
		require.Equal(t, []int{endingsPiece, endingsPiece, 7}, pieces)
		require.Equal(t, many, *dropped)
		require.Positive(t, b.beats.Load())
	})
	t.Run("no further than the first that can't be reached", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		many := ids(requests(2*endingsPiece, false))
		dropped := b.ends(many)
		b.workflows.cancel = func(asked []lifecycle.ID) ([]lifecycle.ID, error) { return asked[:1], errAway }
		got, err := run[wire.SweepResult](t.Context(), b, b.SweepWorkflowEndings, wire.SweepInput{Batch: 500})
		require.NoError(t, err)
		require.Equal(t, wire.SweepResult{Checked: len(many), Ended: 1, Failed: len(many) - 1}, got)
		require.Equal(t, many[:1], *dropped)
	})
	t.Run("also where it is cut off", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		dropped := b.ends(endings)
		ctx, cancel := context.WithCancel(t.Context())
		b.workflows.cancel = func(asked []lifecycle.ID) ([]lifecycle.ID, error) {
			cancel()
			return asked[:3], errAway
		}
		got, err := run[wire.SweepResult](ctx, b, b.SweepWorkflowEndings, wire.SweepInput{Batch: 9})
		require.NoError(t, err)
		require.Equal(t, wire.SweepResult{Checked: 5, Ended: 3, Failed: 2}, got)
		require.Equal(t, endings[:3], *dropped)
	})
	t.Run("or fails where the store does", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.ends(endings)
		b.store.drop = func(context.Context, []lifecycle.ID) error { return errAway }
		b.workflows.cancel = func(asked []lifecycle.ID) ([]lifecycle.ID, error) { return asked, nil }
		_, err := run[wire.SweepResult](t.Context(), b, b.SweepWorkflowEndings, wire.SweepInput{Batch: 9})
		requireFailure(t, err, wire.ActivitySweepEndings, lifecycle.KindUnavailable, lifecycle.ID{})
		require.Empty(t, b.counts.noted)
	})
	t.Run("and asks nobody where there are none", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.ends(nil)
		got, err := run[wire.SweepResult](t.Context(), b, b.SweepWorkflowEndings, wire.SweepInput{Batch: 9})
		require.NoError(t, err)
		require.Zero(t, got)
	})
}
