package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/policy"
)

// requireProtected holds the headers by which a browser does nothing with an
// answer but hand it to its own origin, and that there is none by which another
// origin would get it.
func requireProtected(t *testing.T, header http.Header, overTLS bool, what ...any) {
	t.Helper()
	want := map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Frame-Options": "DENY",
		"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
		"Strict-Transport-Security": "", "Set-Cookie": "", "Server": "",
	}
	if overTLS {
		want["Strict-Transport-Security"] = "max-age=31536000"
	}
	for name, value := range want {
		require.Equal(t, value, header.Get(name), append([]any{name}, what...)...)
	}
	for name := range header {
		require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
	}
}

// TestEveryAnswerIsProtected: those that are no success as well.
func TestEveryAnswerIsProtected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		r      *http.Request
		change func(*httpapi.Options)
	}{
		"no route":          {404, request("GET", "/v3/nothing", ""), nil},
		"no path":           {404, request("GET", "/v3/../x", ""), nil},
		"no method":         {405, request("DELETE", "/v3/non-employee-sources", ""), nil},
		"a bad parameter":   {400, request("GET", "/v3/non-employee-sources?limit=x", ""), nil},
		"a bad query":       {400, request("GET", "/v3/non-employee-sources?a;b", ""), nil},
		"the health":        {200, request("GET", "/healthz", ""), nil},
		"no token":          {401, withoutToken("GET", aRecordPath), nil},
		"over the limit":    {429, request("GET", aRecordPath, ""), func(o *httpapi.Options) { o.Limit = oneSecond }},
		"a panic":           {500, request("GET", aRecordPath, ""), func(o *httpapi.Options) { o.Authenticate = panicking }},
		"of another origin": {200, fromElsewhere(request("GET", aRecordPath, "")), nil},
	} {
		for _, overTLS := range []bool{false, true} {
			a := newAPI(t, func(o *httpapi.Options) { o.OverTLS = overTLS })
			if c.change != nil {
				a = newAPI(t, c.change, func(o *httpapi.Options) { o.OverTLS = overTLS })
			}
			w := a.do(t, c.r.Clone(context.Background()))
			require.Equal(t, c.status, w.Code, name)
			requireProtected(t, w.Header(), overTLS, name)
		}
	}
}

// TestNoOtherOriginIsAsked: a browser asks before it sends for a page of another
// origin, and is refused.
func TestNoOtherOriginIsAsked(t *testing.T) {
	t.Parallel()
	for op, call := range served {
		r := fromElsewhere(request(http.MethodOptions, fill(call.path), ""))
		r.Header.Set("Access-Control-Request-Method", call.method)
		r.Header.Set("Access-Control-Request-Headers", "authorization, content-type")
		a := newAPI(t)
		w := a.do(t, r)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, op)
		requireProtected(t, w.Header(), false, op)
		require.Empty(t, a.service.actor.ClientID, "the service was not asked")
	}
}

func fromElsewhere(r *http.Request) *http.Request {
	r.Header.Set("Origin", "https://elsewhere.example")
	return r
}

func withoutToken(method, target string) *http.Request {
	r := request(method, target, "")
	r.Header.Del("Authorization")
	return r
}

func oneSecond(*http.Request, policy.Actor) time.Duration { return time.Second }

func panicking(*http.Request) (policy.Actor, error) { panic("a bug") }
