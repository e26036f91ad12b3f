package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// sweepBench is one sweep in virtual time over rows.
type sweepBench struct {
	env    *testsuite.TestWorkflowEnvironment
	rows   *rows
	reach  *reach
	counts *counts
}

// newSweepBench has this many pending requests whose rows moved, and this many
// that did not and whose workflow is missing.
func newSweepBench(t *testing.T, moved, missing int) *sweepBench {
	t.Helper()
	b := &sweepBench{env: newEnvironment(), rows: newRows(), reach: &reach{}, counts: &counts{}}
	for i := range moved + missing {
		request := b.rows.accept(1)
		b.rows.seen[request.ID] = i >= moved
	}
	workflows.Register(b.env, newActivities(b.rows, b.reach, b.counts))
	return b
}

func (b *sweepBench) run(t *testing.T, batch int) (wire.SweepResult, error) {
	t.Helper()
	b.env.ExecuteWorkflow(wire.WorkflowSweep, wire.SweepInput{Batch: batch})
	require.True(t, b.env.IsWorkflowCompleted())
	var result wire.SweepResult
	if err := b.env.GetWorkflowError(); err != nil {
		return result, err
	}
	return result, b.env.GetWorkflowResult(&result)
}

func TestASweepGoesOnUntilABatchIsNotFull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ batch, batches int }{
		"one that is not full":    {batch: 20, batches: 1},
		"several":                 {batch: 5, batches: 3},
		"several, all full":       {batch: 6, batches: 3},
		"no batch stands for one": {batch: 0, batches: 13},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSweepBench(t, 8, 4)
			for range 3 {
				b.rows.endings = append(b.rows.endings, lifecycle.NewID())
			}
			result, err := b.run(t, c.batch)
			require.NoError(t, err)
			require.Equal(t, wire.SweepResult{Checked: 12 + 3, Nudged: 8, Started: 4, Ended: 3}, result)
			require.Len(t, b.reach.nudged, 8)
			require.Len(t, b.reach.started, 4)
			require.Len(t, b.reach.cancelled, 3)
			require.Empty(t, b.rows.endings)
			require.Equal(t, c.batches, b.rows.count(wire.ActivitySweepPending))
			require.Equal(t, 1, b.counts.get("sweep ended requests"))
		})
	}
}

func TestASweepTakesUpDecidedRequestsUntilTheirEndIsSeen(t *testing.T) {
	t.Parallel()
	b := newSweepBench(t, 0, 2)
	var decided []lifecycle.ID
	for id, request := range b.rows.requests {
		item := request.Items[0]
		b.rows.decide(lifecycle.Decision{RequestID: id, ItemID: item.ID, Approver: item.Approver.ID, Verdict: lifecycle.VerdictReject})
		decided = append(decided, id)
	}
	require.NoError(t, b.rows.MarkSeen(t.Context(), decided[1], lifecycle.ID{}, time.Time{}))
	result, err := b.run(t, 500)
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 1, Nudged: 1}, result)
	require.Equal(t, decided[:1], b.reach.nudged)
}

func TestASweepIsBounded(t *testing.T) {
	t.Parallel()
	b := newSweepBench(t, 100, 0)
	result, err := b.run(t, 1)
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 40, Nudged: 40}, result)
}

func TestASweepStopsWhereNothingOfABatchWorks(t *testing.T) {
	t.Parallel()
	b := newSweepBench(t, 6, 0)
	first, err := b.rows.RequestsToCheck(t.Context(), 2, 0, 0)
	require.NoError(t, err)
	for _, q := range first {
		b.reach.failing = append(b.reach.failing, q.RequestID)
	}
	result, err := b.run(t, 2)
	require.NoError(t, err)
	require.Equal(t, wire.SweepResult{Checked: 2, Failed: 2}, result)
}

func TestAStepOfASweepIsTriedThriceAndDoesNotKeepTheOtherFromItsTurn(t *testing.T) {
	t.Parallel()
	for failing, other := range map[string]func(*sweepBench) int{
		wire.ActivitySweepPending: func(b *sweepBench) int { return len(b.reach.cancelled) },
		wire.ActivitySweepEndings: func(b *sweepBench) int { return len(b.reach.nudged) },
	} {
		t.Run(failing, func(t *testing.T) {
			t.Parallel()
			b := newSweepBench(t, 3, 0)
			b.rows.endings = []lifecycle.ID{lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()}
			b.rows.fault = func(step string) error {
				if step == failing {
					return errAway
				}
				return nil
			}
			_, err := b.run(t, 500)
			require.ErrorContains(t, err, failing+": unavailable")
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, 3, b.rows.count(failing))
			require.Equal(t, 3, other(b))
			require.Zero(t, b.counts.get("sweep ended requests"), "an operator must see that it did not")
		})
	}
}
