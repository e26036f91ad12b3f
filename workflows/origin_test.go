package workflows_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// watched are rows that remember who came.
type watched struct {
	*rows
	mutex sync.Mutex
	by    map[lifecycle.Origin]bool
}

func (w *watched) note(ctx context.Context) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.by[lifecycle.OriginOf(ctx)] = true
}

func (w *watched) Decide(ctx context.Context, d lifecycle.Decision) (lifecycle.DecisionResult, error) {
	w.note(ctx)
	return w.rows.Decide(ctx, d)
}

func (w *watched) SaveNotification(ctx context.Context, event string, request, item lifecycle.ID, version time.Time) (bool, lifecycle.ID, error) {
	w.note(ctx)
	return w.rows.SaveNotification(ctx, event, request, item, version)
}

// TestEveryStepSaysWhichItIs: the local ones as well as those of a queue.
func TestEveryStepSaysWhichItIs(t *testing.T) {
	t.Parallel()
	s := newServed(t, 1)
	seen := &watched{rows: s.rows, by: map[lifecycle.Origin]bool{}}
	steps := newActivities(s.rows, s.client, s.counts)
	steps.Store = seen
	workers := workflows.NewWorkers(s.server.Client, workflows.WorkerOptions{StopTimeout: time.Second}, steps)
	require.NoError(t, workers.Start(s.context()))
	t.Cleanup(workers.Stop)
	result, err := s.client.Decide(s.context(), s.decision(0, lifecycle.VerdictApprove))
	require.NoError(t, err)
	require.Equal(t, lifecycle.DecisionStored, result.Outcome)
	require.NoError(t, s.client.AwaitRequest(s.context(), s.request.ID))

	want := map[lifecycle.Origin]bool{}
	for _, step := range []string{wire.ActivityDecide, wire.ActivityNotify} {
		want[lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: step}] = true
	}
	seen.mutex.Lock()
	defer seen.mutex.Unlock()
	require.Equal(t, want, seen.by)
}
