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
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

func TestTokensAndClientsAreAnsweredInTheirForm(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) { o.TokenLifetime = time.Hour })
	w := a.do(t, request("GET", "/v3/personal-access-tokens?owner-id=me", ""))
	require.Equal(t, "me", *a.service.ownerID)
	listed := `{"id":"a-token","name":"Laptop","scope":["idn:nelm:read"],"managed":false,"accessTokenValiditySeconds":3600,
		"owner":{"type":"IDENTITY","id":"5b0f6f0e-1111-4222-8333-444455556666","name":"Jane Doe"},
		"created":"2026-03-02T08:00:00.120Z","lastUsed":"2026-03-02T08:00:00.120Z"}`
	require.JSONEq(t, "["+listed+","+listed+"]", w.Body.String())
	w = a.do(t, request("POST", "/v3/oauth-clients", `{"name":" App ","description":"d","scope":["a"],"rights":["b"],"grantTypes":["c"],
		"enabled":false,"accessType":"ONLINE","id":"mine","secret":"mine","internal":true}`))
	require.Equal(t, lifecycle.ClientInput{
		Name: new(" App "), Description: new("d"), Scopes: []string{"a"}, Rights: []string{"b"}, GrantTypes: []string{"c"}, Enabled: new(false),
	}, a.service.client)
	require.JSONEq(t, `{"id":"a-client","secret":"s3cret","name":"App","description":"","grantTypes":["CLIENT_CREDENTIALS"],"accessType":"OFFLINE",
		"type":"CONFIDENTIAL","internal":false,"enabled":true,"accessTokenValiditySeconds":3600,"scope":[],"rights":["idn:nesr:read"],
		"created":"2026-03-02T08:00:00.120Z","modified":"2026-03-02T08:00:00.120Z"}`, w.Body.String())
	a.do(t, request("POST", "/v3/personal-access-tokens", `{"name":7,"scope":"idn:nelm:read"}`))
	require.Len(t, a.service.token.Faults, 2)
	a.do(t, request("POST", "/v3/personal-access-tokens", `{`))
	require.Len(t, a.service.token.Faults, 1)
	a.do(t, request("DELETE", "/v3/personal-access-tokens/A.b-c_1", ""))
	require.Equal(t, "A.b-c_1", a.service.clientID)
}

// TestAddressesAreLimitedBeforeATokenIsGivenAndWhenOneIsRefused: a good token is
// never held up by what else its address does.
func TestAddressesAreLimitedBeforeATokenIsGivenAndWhenOneIsRefused(t *testing.T) {
	t.Parallel()
	var asked []string
	reached := false
	refuse := false
	a := newAPI(t, func(o *httpapi.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		o.LimitAddress = func(_ context.Context, address netip.Addr) time.Duration {
			asked = append(asked, address.String())
			if refuse {
				return 1500 * time.Millisecond
			}
			return 0
		}
		o.Token = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })
	})
	call := func(method, path, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, http.NoBody)
		r.Header.Set("X-Forwarded-For", "203.0.113.9, 198.51.100.7")
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		return w
	}
	call("POST", "/oauth/token", "")
	require.True(t, reached)
	require.Equal(t, http.StatusUnauthorized, call("GET", "/v3/non-employee-records", "").Code)
	require.Equal(t, http.StatusOK, call("GET", "/v3/non-employee-records", "Bearer x").Code)
	require.Equal(t, []string{"198.51.100.7", "198.51.100.7"}, asked)
	require.NotEqual(t, http.StatusTooManyRequests, call("GET", "/scim/v2/Users", "").Code)
	require.NotEqual(t, http.StatusTooManyRequests, call("GET", "/scim/v2/Users", "Bearer x").Code)
	require.Len(t, asked, 3)

	refuse, reached = true, false
	for _, w := range []*httptest.ResponseRecorder{
		call("POST", "/oauth/token", ""), call("GET", "/v3/non-employee-records", ""), call("GET", "/scim/v2/Users", ""),
	} {
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.JSONEq(t, `{"message":" Rate Limit Exceeded "}`, w.Body.String())
		require.Equal(t, "2", w.Header().Get("Retry-After"))
	}
	require.False(t, reached)
	require.Equal(t, http.StatusOK, call("GET", "/v3/non-employee-records", "Bearer x").Code)
	require.Contains(t, a.log.String(), `"failure":"rate_limited"`)
}

// TestATokenThatCanNotBeJudgedCountsByItsAddress: whoever forges tokens of a
// provider that is away can't send them without bound.
func TestATokenThatCanNotBeJudgedCountsByItsAddress(t *testing.T) {
	t.Parallel()
	asked, wait := 0, time.Duration(0)
	a := newAPI(t, func(o *httpapi.Options) {
		o.Authenticate = func(*http.Request) (policy.Actor, error) {
			return policy.Actor{}, lifecycle.NewError(lifecycle.KindUnavailable, "away")
		}
		o.LimitAddress = func(context.Context, netip.Addr) time.Duration {
			asked++
			return wait
		}
	})
	paths := []string{"/v3/non-employee-records", "/scim/v2/Users"}
	status := func(path string) int {
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, request("GET", path, ""))
		return w.Code
	}
	require.Equal(t, http.StatusServiceUnavailable, status(paths[0]))
	require.NotEqual(t, http.StatusTooManyRequests, status(paths[1]))
	require.Equal(t, 2, asked)
	wait = time.Second
	for _, path := range paths {
		require.Equal(t, http.StatusTooManyRequests, status(path))
	}
}

// TestWhoChangesSomethingIsKnownByTheirAddress: also behind a proxy.
func TestWhoChangesSomethingIsKnownByTheirAddress(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	var origin lifecycle.Origin
	a.service.onCall = func(ctx context.Context) { origin = lifecycle.OriginOf(ctx) }
	r := request("DELETE", "/v3/oauth-clients/c", "")
	r.Header.Set("X-Forwarded-For", "198.51.100.7")
	a.do(t, r)
	require.Equal(t, "198.51.100.7", origin.Address)
	require.Equal(t, string(policy.DeleteClient), origin.Operation)
}
