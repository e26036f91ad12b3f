package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAMisspeltSettingIsWarnedOf(t *testing.T) {
	t.Parallel()
	// Told to stop before it began, the program reads its settings and ends.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	environ := []string{
		"GATEHOUSE_DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "GATEHOUSE_TEMPORAL_ADDRESS=127.0.0.1:1",
		"GATEHOUSE_API_METRICS_ADDRESS=127.0.0.1:0", "GATEHOUSE_LOG_LEVELL=debug",
	}
	var out bytes.Buffer
	require.NoError(t, run(ctx, environ, &out))
	require.Contains(t, out.String(), `"level":"WARN","msg":"this setting is not known","variable":"GATEHOUSE_LOG_LEVELL"`)
}
