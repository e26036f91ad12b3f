package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows/wire"
)

func TestMain(m *testing.M) { temporaltest.Main(m) }

// TestTheSweepsScheduleComesBack deletes it behind the back of a worker, whose
// Temporal then can't be reached for a while.
func TestTheSweepsScheduleComesBack(t *testing.T) {
	t.Parallel()
	server := temporaltest.NewNamespace(t)
	ctx, stop := context.WithCancel(t.Context())
	var away, lost atomic.Bool
	var looks atomic.Int32
	var keeper sync.WaitGroup
	keeper.Go(func() {
		keepSchedule(ctx, 20*time.Millisecond, func(ctx context.Context) (bool, error) {
			looks.Add(1)
			if away.Load() {
				return false, lifecycle.NewError(lifecycle.KindUnavailable, "away")
			}
			return workflowclient.RestoreSchedule(ctx, server.Client, time.Hour, sweepBatch)
		}, &lost, slog.New(slog.DiscardHandler))
	})
	t.Cleanup(keeper.Wait)
	t.Cleanup(stop)
	schedule := server.Client.ScheduleClient().GetHandle(ctx, wire.ScheduleSweep)
	await := func(what string, condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, time.Minute, 10*time.Millisecond, what)
	}
	there := func() bool {
		_, err := schedule.Describe(ctx)
		return err == nil
	}
	await("it is made", there)
	away.Store(true)
	await("that it can't be looked for is known", lost.Load)
	require.NoError(t, schedule.Delete(ctx))
	away.Store(false)
	await("it comes back", func() bool { return there() && !lost.Load() })
	before := looks.Load()
	await("it is looked for again", func() bool { return looks.Load() > before })
	require.False(t, lost.Load())
}
