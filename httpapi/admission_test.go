package httpapi_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/policy"
)

// hold has calls that ask for it wait for their actor until release.
func hold(options *httpapi.Options) (release func()) {
	free, whole := make(chan struct{}), options.Authenticate
	options.Authenticate = func(r *http.Request) (policy.Actor, error) {
		if r.Header.Get("Hold") != "" {
			<-free
		}
		return whole(r)
	}
	return func() { close(free) }
}

func TestACallThatDoesNotGetItsTurnIsRefusedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var release func()
		a := newAPI(t, func(o *httpapi.Options) {
			o.Concurrency = 1
			release = hold(o)
		})
		go func() {
			r := request(http.MethodGet, "/v3/non-employee-sources", "")
			r.Header.Set("Hold", "yes")
			a.handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
		synctest.Wait()

		began := time.Now()
		w := a.do(t, request(http.MethodGet, "/v3/non-employee-sources", ""))
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "1", w.Header().Get("Retry-After"))
		require.Contains(t, a.log.String(), `"failure":"too_busy"`)

		// Whoever asks how it is, and files, need no turn.
		for _, path := range []string{
			"/healthz", "/readyz", fill(exports + "/download"), fill(uploads + faultsFile), "/v3/audit-events/export",
		} {
			require.Equal(t, http.StatusOK, a.do(t, request(http.MethodGet, path, "")).Code, path)
		}

		// One that gets its turn in time is served.
		served := httptest.NewRecorder()
		go a.handler.ServeHTTP(served, request(http.MethodGet, "/v3/non-employee-sources", ""))
		synctest.Wait()
		release()
		synctest.Wait()
		require.Equal(t, http.StatusOK, served.Code)
	})
}

// stalled sends the head of a call and a part of its body, and returns once it is
// answered.
func stalled(t *testing.T, url, head string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, head+"\r\nHost: gatehouse\r\nAuthorization: Bearer token\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
}

func TestASlowBodyDoesNotKeepItsTurn(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) { o.Concurrency = 1 })
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	began := time.Now()
	stalled(t, server.URL, "POST /v3/non-employee-requests HTTP/1.1")
	require.GreaterOrEqual(t, time.Since(began), 5*time.Second, "it waited for the rest of the body")
	require.Equal(t, http.StatusOK, a.do(t, request(http.MethodGet, "/v3/non-employee-sources", "")).Code)
}
