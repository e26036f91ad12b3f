package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows/wire"
)

func TestEveryQueueHasAPollerWhereAWorkerRuns(t *testing.T) {
	t.Parallel()
	s := &served{t: t, server: temporaltest.NewNamespace(t), rows: newRows(), counts: &counts{}}
	s.client = workflowclient.New(s.server.Client, workflowclient.Options{})
	counts, err := workflowclient.Pollers(s.context(), s.server.Client)
	require.NoError(t, err)
	require.Equal(t, map[string]int{
		wire.QueueRequests: 0, wire.QueueNotifications: 0, wire.QueueMaintenance: 0, wire.QueueBulk: 0, wire.QueueExports: 0,
		wire.QueueDeliveries: 0, wire.QueueWebhooks: 0,
	}, counts)
	s.work()
	s.await("every queue is polled", func() bool {
		counts, err = workflowclient.Pollers(s.context(), s.server.Client)
		require.NoError(t, err)
		for _, count := range counts {
			if count != 1 {
				return false
			}
		}
		return true
	})
	away, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{Address: "127.0.0.1:1", Namespace: "default"})
	require.NoError(t, err)
	defer away.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = workflowclient.Pollers(ctx, away)
	require.ErrorContains(t, err, "describing the task queue gatehouse-")
}
