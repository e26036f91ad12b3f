package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// TestADirectoryIsHandedOnWithWhereItComesFrom: what is under /scim/v2 is another
// handler's, which says who calls; the log, the metrics and the audit trail have it.
func TestADirectoryIsHandedOnWithWhereItComesFrom(t *testing.T) {
	t.Parallel()
	var origin lifecycle.Origin
	status := http.StatusOK
	mux := http.NewServeMux()
	serve := func(w http.ResponseWriter, r *http.Request) {
		origin = lifecycle.OriginOf(r.Context())
		httpapi.NoteCaller(r.Context(), policy.Actor{ClientID: "okta"}, policy.ScimDeleteUser)
		w.WriteHeader(status)
	}
	mux.HandleFunc("/scim/v2/Users/{id}", serve)
	mux.HandleFunc("/scim/v2/Groups/{id}", serve)
	mux.HandleFunc("/scim/v2/Users", serve)
	a := newAPI(t, func(o *httpapi.Options) { o.SCIM = mux })
	call := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = "192.0.2.9:4711"
		a.handler.ServeHTTP(w, r)
		require.Equal(t, status, w.Code)
		return w
	}
	w := call(http.MethodDelete, "/scim/v2/Users/"+objectID.String())
	require.Equal(t, lifecycle.Origin{
		Channel: lifecycle.ChannelSCIM, Address: "192.0.2.9", TrackingID: w.Header().Get("X-Request-Id"),
	}, origin)
	require.Contains(t, a.routes, "DELETE /scim/v2/Users/{id} OK")
	require.Contains(t, a.log.String(), `"client_id":"okta"`)
	require.Empty(t, a.attempts)

	status = http.StatusForbidden
	call(http.MethodGet, "/scim/v2/Users")
	require.Empty(t, a.attempts, "to have looked is no change")
	for path, want := range map[string]lifecycle.AuditChange{
		"/scim/v2/Users/" + objectID.String():  {Object: lifecycle.ObjectIdentity, ID: objectID.String()},
		"/scim/v2/Groups/" + objectID.String(): {Object: lifecycle.ObjectWorkgroup, ID: objectID.String()},
		"/scim/v2/Users/nonsense":              {Object: lifecycle.ObjectNone},
		"/scim/v2/Users":                       {Object: lifecycle.ObjectNone},
	} {
		a.attempts = nil
		w := call(http.MethodDelete, path)
		want.Action, want.Outcome = lifecycle.ActionAttempt, lifecycle.OutcomeDenied
		require.Len(t, a.attempts, 1)
		require.Equal(t, want, a.attempts[0].AuditChange, path)
		require.Equal(t, lifecycle.Origin{
			Channel: lifecycle.ChannelSCIM, Operation: "scimDeleteUser", Client: "okta", Address: "192.0.2.9",
			TrackingID: w.Header().Get("X-Request-Id"),
		}, a.attempts[0].Origin)
	}
	for _, path := range []string{"/v3/scim/v2/Users", "/scim/v2//Users", "/scim/v2/../Users"} {
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusNotFound, w.Code, path)
	}
}
