package e2e_test

import (
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/devstack"
)

// inOneWindow runs do from the beginning of a window of the rate limit, and again
// if it did not end in it.
func inOneWindow(t *testing.T, do func()) {
	t.Helper()
	for range 5 {
		next := time.Now().Truncate(auth.LimitWindow).Add(auth.LimitWindow)
		timer := time.NewTimer(time.Until(next))
		<-timer.C
		if do(); time.Now().Before(next.Add(auth.LimitWindow)) {
			return
		}
	}
	t.Fatal("the machine is too slow to make some calls in a window")
}

// tooMany fails the test unless the answer is the 429 of contract §3.
func (a answer) tooMany() {
	a.t.Helper()
	a.want(http.StatusTooManyRequests)
	require.JSONEq(a.t, `{"message":" Rate Limit Exceeded "}`, string(a.body))
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	require.NoError(a.t, err)
	require.True(a.t, 1 <= wait && wait <= 10, wait)
}

// testRatesAreLimitedOverAllProcesses runs two APIs with a limit beside the
// stack's, which has none: together they let no more through than one would.
func testRatesAreLimitedOverAllProcesses(t *testing.T) {
	t.Helper()
	const limit = 40
	settings := map[string]string{
		"GATEHOUSE_RATE_LIMIT": strconv.Itoa(limit), "GATEHOUSE_TRUSTED_PROXIES": devstack.Loopback + "/32",
	}
	apis := []string{stack.startAnotherAPI(t, settings), stack.startAnotherAPI(t, settings)}
	token := signIn(t, "outsider").AccessToken
	at := func(api string) caller { return caller{t: t, token: token, mount: prefixed("/v3"), api: api} }

	// flood makes calls of both at once, and returns how many were let through.
	flood := func(call func(api string) answer) int {
		var through atomic.Int64
		var group sync.WaitGroup
		for _, api := range apis {
			for range 4 {
				group.Go(func() {
					for range limit / 2 {
						if a := call(api); a.status != http.StatusTooManyRequests {
							through.Add(1)
						} else {
							a.tooMany()
						}
					}
				})
			}
		}
		group.Wait()
		return int(through.Load())
	}
	inOneWindow(t, func() {
		for _, api := range apis { // whoever asked before has leases of another window
			at(api).get("/non-employee-sources?requested-for=me")
		}
	})
	inOneWindow(t, func() {
		through := flood(func(api string) answer { return at(api).get("/non-employee-sources?requested-for=me") })
		require.LessOrEqual(t, through, limit)
		require.Greater(t, through, limit*3/4, "and not many less")
		at(apis[0]).get("/non-employee-sources?requested-for=me").tooMany()
	})
	inOneWindow(t, func() { at(apis[0]).get("/non-employee-sources?requested-for=me").want(200) })

	// Failed logins and token requests count by address, and a good token's calls
	// go on. Behind the proxy each client counts by itself, whatever it writes.
	from := func(api, client, path string) answer {
		return caller{t: t, token: "nonsense", mount: prefixed(""), api: api}.
			send(http.MethodGet, path, nil, "X-Forwarded-For", "198.51.100.1, "+client)
	}
	inOneWindow(t, func() {
		through := flood(func(api string) answer { return from(api, "192.0.2.7", "/v3/non-employee-sources") })
		require.LessOrEqual(t, through, limit)
		from(apis[0], "192.0.2.7", "/v3/non-employee-sources").tooMany()
		from(apis[1], "192.0.2.7, 127.0.0.1", "/v3/non-employee-sources").tooMany()
		from(apis[0], "192.0.2.8", "/v3/non-employee-sources").want(http.StatusUnauthorized)
		caller{t: t, mount: prefixed(""), api: apis[1]}.send(http.MethodPost, "/oauth/token",
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"demo-outsider"}, "client_secret": {"demo-outsider-secret"}}.Encode(),
			"Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", "192.0.2.7").tooMany()
		at(apis[0]).get("/non-employee-sources?requested-for=me").want(200)
	})
	require.LessOrEqual(t, stack.count(t, `SELECT max(used) FROM rate_windows`), limit)
	as(t, "outsider").get("/non-employee-sources?requested-for=me").want(200)
}
