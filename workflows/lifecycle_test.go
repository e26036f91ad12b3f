package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// lives are records that are due, of one source.
type lives struct {
	due    int
	faults int
	calls  int
}

func (l *lives) BeginRecords(context.Context, time.Time, int) (int, error) { return 0, nil }

func (l *lives) DueRecords(context.Context, time.Time) ([]lifecycle.DueRecords, error) {
	l.calls++
	if l.calls <= l.faults {
		return nil, errAway
	}
	return []lifecycle.DueRecords{{Source: lifecycle.NewID(), Rung: lifecycle.RungNone}}, nil
}

func (l *lives) AdvanceRecords(_ context.Context, _ lifecycle.DueRecords, _ time.Time, limit int) (lifecycle.Advance, error) {
	taken := min(limit, l.due)
	l.due -= taken
	return lifecycle.Advance{Expired: taken}, nil
}

// sweepLives runs one sweep in virtual time whose steps have turn.
func sweepLives(t *testing.T, l *lives, turn time.Duration) (*testsuite.TestWorkflowEnvironment, wire.LifecycleResult) {
	t.Helper()
	env := newEnvironment()
	steps := newActivities(newRows(), &reach{}, &counts{})
	steps.Lifecycle = &activities.Lifecycle{Store: l, Turn: turn}
	workflows.Register(env, steps)
	env.ExecuteWorkflow(wire.WorkflowLifecycleSweep, wire.SweepInput{Batch: 10})
	require.True(t, env.IsWorkflowCompleted())
	var result wire.LifecycleResult
	if env.GetWorkflowError() == nil {
		require.NoError(t, env.GetWorkflowResult(&result))
	}
	return env, result
}

func TestASweepOfRecordsEndsWhereNoneIsDue(t *testing.T) {
	t.Parallel()
	l := &lives{due: 25}
	env, result := sweepLives(t, l, 0)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, wire.LifecycleResult{Expired: 25}, result)
	require.Equal(t, 1, l.calls)
}

func TestASweepOfRecordsIsBounded(t *testing.T) {
	t.Parallel()
	l := &lives{due: 25}
	env, result := sweepLives(t, l, time.Nanosecond)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, wire.LifecycleResult{More: true}, result, "no step had time for any")
	require.Equal(t, 10, l.calls)
}

func TestASweepOfRecordsIsTriedThriceAndLeftToTheNext(t *testing.T) {
	t.Parallel()
	l := &lives{due: 25, faults: 2}
	env, result := sweepLives(t, l, 0)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 25, result.Expired)
	l = &lives{due: 25, faults: 3}
	env, _ = sweepLives(t, l, 0)
	require.ErrorContains(t, env.GetWorkflowError(), wire.ActivitySweepLifecycle+": unavailable")
	require.NotContains(t, env.GetWorkflowError().Error(), "secret")
	require.Equal(t, 25, l.due)
}
