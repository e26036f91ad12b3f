package serve_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/cmd/internal/serve"
	"gatehouse/telemetry"
)

func TestAProgramIsAskedForItsReadiness(t *testing.T) {
	t.Parallel()
	require.Error(t, serve.CheckReady(t.Context(), "127.0.0.1:1"), "nobody listens")
	var missing []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ready := telemetry.Readiness(func(context.Context) []string { return missing })
		ready.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	for _, host := range []string{"", "0.0.0.0", "127.0.0.1"} {
		missing = nil
		require.NoError(t, serve.CheckReady(t.Context(), host+":"+port))
		missing = []string{"database: it does not answer"}
		require.ErrorContains(t, serve.CheckReady(t.Context(), host+":"+port), "not ready: "+`{"status":"unavailable","missing":["database: it does not answer"]}`)
	}
}

func TestArgumentsAskForHealthOrAreWrong(t *testing.T) {
	t.Parallel()
	ran, asked := errors.New("it ran"), errors.New("it was asked")
	run := func() error { return ran }
	address := func() (string, error) { return "", asked }
	require.ErrorIs(t, serve.Start(t.Context(), nil, run, address), ran)
	require.ErrorIs(t, serve.Start(t.Context(), []string{"health"}, run, address), asked)
	for _, args := range [][]string{{"healthy"}, {"health", "now"}} {
		require.ErrorContains(t, serve.Start(t.Context(), args, run, address), "it takes no arguments")
	}
}
