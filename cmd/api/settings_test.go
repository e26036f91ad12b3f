package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/config"
	"gatehouse/devstack"
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

// It is known when the last token of a key is gone.
func TestNoTokenMayLiveLongerThanItsKey(t *testing.T) {
	t.Parallel()
	load := func(lifetime time.Duration) error {
		_, err := config.LoadAPI([]string{
			"GATEHOUSE_DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "GATEHOUSE_TOKEN_LIFETIME=" + lifetime.String(),
		})
		return err
	}
	require.NoError(t, load(auth.MaxLifetime))
	require.Error(t, load(auth.MaxLifetime+time.Second))
}

func TestABadFileOfIssuersStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "issuers.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"issuers": [{"issuer": "http://id.example", "audiences": ["a"], "identity": {"claim": "sub", "by": "id"}}]}`), 0o600))
	for file, want := range map[string][]string{
		filepath.Join(dir, "none.json"): {"GATEHOUSE_OIDC_ISSUERS_FILE", "no such file"},
		bad:                             {"GATEHOUSE_OIDC_ISSUERS_FILE", "issuers[0].issuer must be an https URL", "issuers[0].scopes must be there"},
	} {
		err := run(t.Context(), []string{
			"GATEHOUSE_DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "GATEHOUSE_OIDC_ISSUERS_FILE=" + file,
		}, io.Discard)
		for _, part := range want {
			require.ErrorContains(t, err, part)
		}
	}
}

// The metrics listener is there before the API's, which waits for the database.
func TestTheProgramIsNotReadyBeforeItListens(t *testing.T) {
	t.Parallel()
	port, err := devstack.FreePort()
	require.NoError(t, err)
	metrics := fmt.Sprintf("%s:%d", devstack.Loopback, port)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"GATEHOUSE_DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "GATEHOUSE_TEMPORAL_ADDRESS=127.0.0.1:1",
			"GATEHOUSE_API_METRICS_ADDRESS=" + metrics,
		}, io.Discard)
	}()
	var answer string
	require.Eventually(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+metrics+"/readyz", http.NoBody)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		answer = string(body)
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	require.Contains(t, answer, "api: it does not listen yet")
	stop()
	require.NoError(t, <-ended)
}
