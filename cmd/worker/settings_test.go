package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/config"
	"gatehouse/workflows"
)

func TestAMisspeltSettingIsWarnedOf(t *testing.T) {
	t.Parallel()
	// Told to stop before it began, the program reads its settings and ends.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	environ := []string{
		"GATEHOUSE_DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "GATEHOUSE_TEMPORAL_ADDRESS=127.0.0.1:1",
		"GATEHOUSE_WORKER_METRICS_ADDRESS=127.0.0.1:0", "GATEHOUSE_LOG_LEVELL=debug",
	}
	var out bytes.Buffer
	require.NoError(t, run(ctx, environ, &out))
	require.Contains(t, out.String(), `"level":"WARN","msg":"this setting is not known","variable":"GATEHOUSE_LOG_LEVELL"`)
}

func TestAStatementEndsBeforeTheStepThatItIsFor(t *testing.T) {
	t.Parallel()
	for set, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, workflows.StatementTimeout: workflows.StatementTimeout, 10 * time.Minute: workflows.StatementTimeout,
	} {
		require.Equal(t, want, storeConfig(config.Database{StatementTimeout: set}, config.Waiting{}, nil).StatementTimeout)
	}
}

func TestConnectionsAreSharedSoThatNoneWaitsForTheOther(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ connections, wanted, steps, bulk int }{
		{20, 2, 8, 2},
		{20, 1, 11, 1},
		{20, 32, 5, 3},
		{8, 2, 1, 1},
		{2, 2, 1, 1},
		{200, 32, 98, 32},
	} {
		steps, bulk := share(test.connections, test.wanted)
		require.Equal(t, test.steps, steps, "%+v", test)
		require.Equal(t, test.bulk, bulk, "%+v", test)
	}
	for connections := 14; connections <= 1000; connections++ {
		for wanted := 1; wanted <= 32; wanted++ {
			steps, bulk := share(connections, wanted)
			require.LessOrEqual(t, steps+bulk*workflows.BulkConnections+workflows.BulkSteps+reservedConnections, connections)
			require.LessOrEqual(t, bulk*workflows.BulkConnections, connections/2)
		}
	}
}
