package serve_test

import (
	"context"
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
	for _, test := range []struct {
		args       []string
		asks, good bool
	}{
		{nil, false, true},
		{[]string{"health"}, true, true},
		{[]string{"healthy"}, false, false},
		{[]string{"health", "now"}, false, false},
	} {
		asks, err := serve.AsksHealth(test.args)
		require.Equal(t, test.asks, asks, test.args)
		require.Equal(t, test.good, err == nil, test.args)
	}
}
