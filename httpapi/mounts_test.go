package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/lifecycle"
)

func TestEveryOperationIsThereAtEveryMount(t *testing.T) {
	t.Parallel()
	mounts := []func(path string) string{func(path string) string {
		// The newest style has /v1 after the first segment.
		for i := 1; i < len(path); i++ {
			if path[i] == '/' || path[i] == '?' {
				return path[:i] + "/v1" + path[i:]
			}
		}
		return path + "/v1"
	}}
	for _, prefix := range []string{"/v3", "/beta", "/v2024", "/v2025", "/v2026"} {
		mounts = append(mounts, func(path string) string { return prefix + path })
	}
	a := newAPI(t)
	for op, call := range served {
		for _, mount := range mounts {
			target := mount(fill(call.path)[len("/v3"):])
			w := a.do(t, request(call.method, target, call.body))
			require.Equal(t, call.status, w.Code, "%s %s", op, target)
		}
	}
}

func TestOnlyBetaPagesSchemaAttributes(t *testing.T) {
	t.Parallel()
	list := "/non-employee-sources/" + sourceID.String() + "/schema-attributes?limit=3&offset=1"
	a := newAPI(t)
	a.do(t, request("GET", "/beta"+list, ""))
	require.Equal(t, 3, *a.service.params.Limit)
	require.Equal(t, 1, *a.service.params.Offset)
	for _, prefix := range []string{"/v3", "/v2024", "/v2025", "/v2026"} {
		a.do(t, request("GET", prefix+list, ""))
		require.Nil(t, a.service.params.Limit, prefix)
		require.Nil(t, a.service.params.Offset, prefix)
	}
	// What is ignored can't be wrong.
	require.Equal(t, http.StatusOK, a.do(t, request("GET", "/v3/non-employee-sources/"+sourceID.String()+"/schema-attributes?limit=x", "")).Code)
}

func TestAPathThatIsNoRouteIsNotFound(t *testing.T) {
	t.Parallel()
	id := objectID.String()
	for _, path := range []string{
		"/", "/v3", "/v3/", "/v4/non-employee-records", "/V3/non-employee-records", "/v3/v3/non-employee-records",
		"/non-employee-records", "/non-employee-records/" + id, "/non-employee-records/v2", "/non-employee-records/v1/" + id + "/x",
		"/non-employee-recordsv1", "/v1/non-employee-records", "/beta/oauth/token", "/v3/healthz", "/v3/docs", "/v3/openapi.yaml",
		"/v3/non-employee-records/", "/v3//non-employee-records", "//v3/non-employee-records", "/v3/non-employee-records//" + id,
		"/v3/./non-employee-records", "/v3/x/../non-employee-records", "/v3/non-employee-records/..", "/v3/non-employee-records/%2e%2e",
		"/v3/non-employee-records%2f" + id, "/v3%2Fnon-employee-records", "/v3/non-employee-records/" + id + "%2F", "/v3/non-employee-records/%5c",
		"/v3/non-employee-records/%00", "/v3/Non-Employee-Records", "/v3/non-employee-people", "/non-employee-records/v1/", "/metrics",
		"/oauth/token/", "/healthz/", "/docs/..%2fopenapi.yaml", "/.well-known/",
	} {
		r := request("GET", "/", "")
		var err error
		r.URL, err = url.ParseRequestURI(path)
		require.NoError(t, err)
		a := newAPI(t)
		w := a.do(t, r)
		require.Equal(t, http.StatusNotFound, w.Code, path)
		require.Contains(t, w.Body.String(), `"detailCode":"404 Not found"`, path)
		require.Empty(t, w.Header().Get("Location"), path)
		require.Equal(t, []string{"GET unmatched Not Found"}, a.routes, path)
	}
}

func TestAPathMayBeEscapedWithoutNeed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(t, request("GET", "/v3/non-employee-requests/summary/%6D%65", ""))
	require.Equal(t, "me", *a.service.requestedFor)
}

func TestAnotherMethodIsNotAllowed(t *testing.T) {
	t.Parallel()
	for path, method := range map[string]string{
		"/v3/non-employee-records":                       http.MethodDelete,
		"/v3/non-employee-sources/" + sourceID.String():  http.MethodPut,
		"/non-employee-approvals/v1/summary/me":          http.MethodPost,
		"/oauth/token":                                   http.MethodGet,
		"/healthz":                                       http.MethodPost,
		"/v3/non-employee-records/" + objectID.String():  "PROPFIND",
		"/v3/non-employee-records/bulk-delete":           http.MethodOptions,
		"/v3/non-employee-requests/" + objectID.String(): http.MethodHead,
	} {
		w := newAPI(t).do(t, request(method, path, ""))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, path)
		require.NotEmpty(t, w.Header().Get("Allow"), path)
		require.Contains(t, w.Body.String(), "trackingId")
	}
}

func TestHealthAndReadinessAreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		require.JSONEq(t, `{"status":"ok"}`, a.do(t, request("GET", path, "")).Body.String(), path)
	}
	a.missing = []string{"database: it does not answer"}
	require.Equal(t, http.StatusServiceUnavailable, a.do(t, request("GET", "/readyz", "")).Code)
	require.Equal(t, http.StatusOK, a.do(t, request("GET", "/healthz", "")).Code)
}

// TestTheQuestionsOfBalancersAreHeldApart: they come every few seconds and say nothing,
// unless the answer is bad.
func TestTheQuestionsOfBalancersAreHeldApart(t *testing.T) {
	t.Parallel()
	traced := 0
	a := newAPI(t, func(o *httpapi.Options) {
		o.Trace = func(r *http.Request, _ bool) (context.Context, func(method, route string, status int, failure string)) {
			traced++
			return r.Context(), func(string, string, int, string) {}
		}
	})
	for _, path := range []string{"/healthz", "/readyz"} {
		require.Equal(t, http.StatusOK, a.do(t, request("GET", path, "")).Code)
	}
	require.Empty(t, a.log.String())
	require.Equal(t, []string{"GET /healthz OK", "GET /readyz OK"}, a.routes)
	a.missing = []string{"database: it does not answer"}
	require.Equal(t, http.StatusServiceUnavailable, a.do(t, request("GET", "/readyz", "")).Code)
	require.Contains(t, a.log.String(), `"level":"INFO","msg":"request","method":"GET","route":"/readyz","status":503`)
	require.Zero(t, traced)
	a.do(t, request("GET", "/openapi.yaml", ""))
	require.Equal(t, 1, traced)
}

func TestARequestTargetThatIsNoPathIsNotFound(t *testing.T) {
	t.Parallel()
	for _, u := range []url.URL{{}, {Path: "*"}, {Opaque: "example.com:443"}, {Path: "v3/non-employee-records"}} {
		r := request("OPTIONS", "/", "")
		r.URL = &u
		w := httptest.NewRecorder()
		newAPI(t).handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code, u)
	}
}

func FuzzPaths(f *testing.F) {
	for _, path := range []string{
		"/v3/non-employee-records/" + objectID.String(), "/non-employee-sources/v1/%2e%2e", "/docs/x", "/v3/%", "/beta//", "/v3/non-employee-requests/summary/%00",
	} {
		f.Add("GET", path)
	}
	a := newAPI(f)
	a.service.err = lifecycle.NewError(lifecycle.KindForbidden, "No.")
	f.Fuzz(func(t *testing.T, method, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		r := request("GET", "/", "")
		r.Method, r.URL = method, u
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code >= 300 && w.Code < 400 {
			t.Fatalf("%s %q answered %d", method, path, w.Code)
		}
	})
}
