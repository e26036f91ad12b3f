package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/workflows"
)

func TestConnectionsAreSharedSoThatNoneWaitsForTheOther(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ connections, wanted, steps, bulk int }{
		{20, 2, 10, 2},
		{20, 1, 12, 1},
		{20, 32, 4, 5},
		{8, 2, 1, 2},
		{2, 2, 1, 1},
		{200, 32, 130, 32},
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
