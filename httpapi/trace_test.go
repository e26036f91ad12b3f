package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
)

func TestATraceGoesWithTheCall(t *testing.T) {
	t.Parallel()
	type key struct{}
	type ended struct {
		method, route string
		status        int
		failure       string
	}
	var got ended
	var trustedPeer, inContext bool
	a := newAPI(t, func(o *httpapi.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		o.Trace = func(r *http.Request, trusted bool) (context.Context, func(string, string, int, string)) {
			trustedPeer = trusted
			require.NotEmpty(t, httpapi.TrackingID(r.Context()))
			return context.WithValue(r.Context(), key{}, true), func(method, route string, status int, failure string) {
				got = ended{method, route, status, failure}
			}
		}
		o.Observe = func(ctx context.Context, _, _ string, _ int, _ time.Duration) {
			inContext, _ = ctx.Value(key{}).(bool)
		}
	})
	for peer, trusted := range map[string]bool{"10.1.2.3:4": true, "192.0.2.1:4": false, "@": false} {
		r := request(http.MethodGet, "/v3/non-employee-sources/none", "")
		r.RemoteAddr = peer
		a.handler.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, trusted, trustedPeer, peer)
		require.Equal(t, ended{http.MethodGet, "/non-employee-sources/:id", http.StatusBadRequest, "bad_request"}, got)
		require.True(t, inContext)
	}
	a.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/pot/jane.doe", http.NoBody))
	require.Equal(t, ended{"OTHER", "unmatched", http.StatusNotFound, "not_found"}, got)
}
