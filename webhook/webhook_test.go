package webhook_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/lifecycle"
	"gatehouse/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = []byte("0123456789abcdef0123456789abcdef")

// loopback lets tests post to their own receivers.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newPoster(t *testing.T, change ...func(*webhook.Options)) *webhook.Poster {
	t.Helper()
	o := webhook.Options{AllowHTTP: true, Networks: loopback}
	for _, c := range change {
		c(&o)
	}
	p := webhook.New(o)
	t.Cleanup(p.Close)
	return p
}

func receiver(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

func to(url string) lifecycle.Posting {
	return lifecycle.Posting{ID: lifecycle.NewID(), Endpoint: lifecycle.NewID(), URL: url, Secret: secret, Body: []byte(`{"specversion":"1.0"}`)}
}

func ready(context.Context) error { return nil }

func requireFault(t *testing.T, err error, want lifecycle.DeliveryError) {
	t.Helper()
	var fault *lifecycle.DeliveryError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, want, *fault)
}

func TestAMessageIsSignedByTheStandard(t *testing.T) {
	t.Parallel()
	verifier, err := standardwebhooks.NewWebhook(lifecycle.WebhookSecret(secret))
	require.NoError(t, err)
	got := make(chan http.Header, 1)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || verifier.Verify(body, r.Header) != nil || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got <- r.Header
		w.WriteHeader(http.StatusNoContent)
	})
	m := to(url)
	require.NoError(t, newPoster(t).Post(t.Context(), m, ready))
	head := <-got
	require.Equal(t, m.ID.String(), head.Get("webhook-id"))
	require.True(t, strings.HasPrefix(head.Get("webhook-signature"), "v1,"))
	require.Equal(t, "application/cloudevents+json; charset=utf-8", head.Get("Content-Type"))
	m.Secret = []byte("another secret, of another endpoint")
	requireFault(t, newPoster(t).Post(t.Context(), m, ready), lifecycle.DeliveryError{Code: "status_400"})
}

func TestWhatAnswersMean(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		after  string
		want   *lifecycle.DeliveryError
	}{
		"taken":                  {200, "", nil},
		"taken for later":        {202, "", nil},
		"gone":                   {410, "", &lifecycle.DeliveryError{Code: lifecycle.FaultGone, Final: true}},
		"a fault":                {500, "", &lifecycle.DeliveryError{Code: "status_500"}},
		"not found":              {404, "", &lifecycle.DeliveryError{Code: "status_404"}},
		"later":                  {429, "120", &lifecycle.DeliveryError{Code: "status_429", After: 2 * time.Minute}},
		"much later":             {503, "1000000", &lifecycle.DeliveryError{Code: "status_503", After: time.Hour}},
		"at once":                {503, "0", &lifecycle.DeliveryError{Code: "status_503", After: time.Second}},
		"at a time that is past": {503, "Mon, 04 May 2020 09:00:00 GMT", &lifecycle.DeliveryError{Code: "status_503", After: time.Second}},
		"at a time far off":      {503, "Mon, 04 May 2099 09:00:00 GMT", &lifecycle.DeliveryError{Code: "status_503", After: time.Hour}},
		"nonsense":               {503, "soon", &lifecycle.DeliveryError{Code: "status_503"}},
		"a negative time":        {503, "-5", &lifecycle.DeliveryError{Code: "status_503"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
			})
			err := newPoster(t).Post(t.Context(), to(url), ready)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			requireFault(t, err, *c.want)
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	inside := receiver(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside, status) })
		requireFault(t, newPoster(t).Post(t.Context(), to(url), ready), lifecycle.DeliveryError{Code: lifecycle.FaultRedirect})
	}
	require.False(t, followed.Load())
}

func TestAReceiverThatHangsIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
		w.WriteHeader(http.StatusOK)
	})
	t.Cleanup(func() { close(release) })
	hasty := newPoster(t, func(o *webhook.Options) { o.Timeout = 100 * time.Millisecond })
	requireFault(t, hasty.Post(t.Context(), to(url), ready), lifecycle.DeliveryError{Code: lifecycle.FaultTimeout, Doubtful: true})
}

func TestAnAnswerWithoutEndIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for written := 0; written < 1<<16; written += 1 << 10 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
		w.(http.Flusher).Flush()
		<-release
	})
	t.Cleanup(func() { close(release) })
	require.NoError(t, newPoster(t).Post(t.Context(), to(url), ready))
}

func TestAReceiverThatBreaksOff(t *testing.T) {
	t.Parallel()
	url := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	requireFault(t, newPoster(t).Post(t.Context(), to(url), ready), lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable, Doubtful: true})
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	requireFault(t, newPoster(t).Post(t.Context(), to(closed.URL), ready), lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable})
}

func TestAnUnknownCertificateIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.StartTLS()
	t.Cleanup(server.Close)
	requireFault(t, newPoster(t).Post(t.Context(), to(server.URL), ready), lifecycle.DeliveryError{Code: lifecycle.FaultTLS})
}

// TestOneEndpointDelaysNoOther: of what goes to an endpoint that hangs only so
// much is under way at once, the rest is told so without waiting.
func TestOneEndpointDelaysNoOther(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var arrived atomic.Int32
	hanging := to(receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived.Add(1)
		<-release
	}))
	quick := to(receiver(t, func(http.ResponseWriter, *http.Request) {}))
	p := newPoster(t)
	var posting sync.WaitGroup
	for range 2 {
		posting.Go(func() { _ = p.Post(t.Context(), hanging, ready) })
	}
	require.Eventually(t, func() bool { return arrived.Load() == 2 }, 10*time.Second, time.Millisecond)
	for range 50 {
		began := false
		err := p.Post(t.Context(), hanging, func(context.Context) error { began = true; return nil })
		requireFault(t, err, lifecycle.DeliveryError{Code: lifecycle.FaultBusy})
		require.False(t, began)
		require.NoError(t, p.Post(t.Context(), quick, ready))
	}
	close(release)
	posting.Wait()
	require.NoError(t, p.Post(t.Context(), hanging, ready), "its slots are free again")
}

func TestAMessageThatMayNotBeginIsNotPosted(t *testing.T) {
	t.Parallel()
	url := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("it was posted") })
	refused := errors.New("somebody else has posted it")
	require.Equal(t, refused, newPoster(t).Post(t.Context(), to(url), func(context.Context) error { return refused }))
}

func TestOnlyHTTPSOutsideOfDemonstrations(t *testing.T) {
	t.Parallel()
	url := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("it was posted") })
	strict := newPoster(t, func(o *webhook.Options) { o.AllowHTTP = false })
	requireFault(t, strict.Post(t.Context(), to(url), ready), lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true})
}

func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("HTTPS_PROXY", proxy)
	// A name, since proxies are never used for loopback addresses.
	server := newResolver(t, "127.0.0.1")
	url := receiver(t, func(http.ResponseWriter, *http.Request) {})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	p := newPoster(t, func(o *webhook.Options) { o.Resolver = server })
	require.NoError(t, p.Post(t.Context(), to("http://hooks.example.com:"+port), ready))
}

// TestNoAddressInsideIsPostedTo: whatever a name leads to, or an address is
// written as.
func TestNoAddressInsideIsPostedTo(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{
		"127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
		"224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
		"::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1",
	} {
		addr := netip.MustParseAddr(ip)
		require.False(t, webhook.Public(addr), ip)
		p := newPoster(t, func(o *webhook.Options) { o.Networks, o.Resolver = nil, newResolver(t, ip) })
		posted := "http://" + net.JoinHostPort(ip, "1")
		requireFault(t, p.Post(t.Context(), to(posted), ready), lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true})
		if addr.Is4In6() {
			continue // no record of a name can say so but one of IPv4
		}
		requireFault(t, p.Post(t.Context(), to("http://hooks.example.com:1"), ready), lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true})
	}
	for _, ip := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"} {
		require.True(t, webhook.Public(netip.MustParseAddr(ip)), ip)
	}
	require.False(t, webhook.Public(netip.Addr{}))
}

// TestTheAddressIsJudgedWhenTheConnectionIsMade: a name that led to an allowed
// address a moment ago and leads inside now is refused.
func TestTheAddressIsJudgedWhenTheConnectionIsMade(t *testing.T) {
	t.Parallel()
	url := receiver(t, func(http.ResponseWriter, *http.Request) {})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	names := newNames(t, "127.0.0.1")
	p := newPoster(t, func(o *webhook.Options) {
		o.Networks, o.Resolver = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, names.resolver
	})
	m := to("http://hooks.example.com:" + port)
	require.NoError(t, p.Post(t.Context(), m, ready))
	p.Close()
	names.lead("127.0.0.2")
	requireFault(t, p.Post(t.Context(), m, ready), lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true})
}

// names is a name server that gives one address for everything.
type names struct {
	resolver *net.Resolver
	mutex    sync.Mutex
	ip       netip.Addr
}

func (n *names) lead(ip string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.ip = netip.MustParseAddr(ip)
}

func newResolver(t *testing.T, ip string) *net.Resolver {
	t.Helper()
	return newNames(t, ip).resolver
}

func newNames(t *testing.T, ip string) *names {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &names{ip: netip.MustParseAddr(ip)}
	n.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 1500)
		for {
			length, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			n.mutex.Lock()
			answer := answerTo(buffer[:length], n.ip)
			n.mutex.Unlock()
			_, _ = conn.WriteTo(answer, from)
		}
	})
	t.Cleanup(func() { _ = conn.Close(); serving.Wait() })
	return n
}

// answerTo answers a DNS query of one question by one record, if it is of the
// address's kind.
func answerTo(query []byte, ip netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	kind := binary.BigEndian.Uint16(query[end-4:])
	answer := append([]byte{}, query[:end]...)
	answer[2], answer[3] = 0x81, 0x80
	clear(answer[6:12])
	if ip = ip.Unmap(); (kind == 1) != ip.Is4() || kind != 1 && kind != 28 {
		return answer
	}
	answer[7] = 1
	raw := ip.AsSlice()
	answer = append(answer, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0)
	return append(binary.BigEndian.AppendUint16(answer, uint16(len(raw))), raw...) //nolint:gosec // 4 or 16
}

func TestWhichURLsAnEndpointMayHave(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://example.com/events?x=1": "", "https://[2606:4700::1]:8443/": "", "http://example.com": "https", "ftp://example.com": "https",
		"https://user:password@example.com": "no user", "https://example.com/#x": "fragment", "https://": "a URL like", "https:///x": "a URL like",
		"example.com": "a URL like", "https://exa mple.com": "a URL like", "https://example.com/\r\nX: y": "a URL like", "": "a URL like",
		"https://:443": "a URL like", "https://example.com/" + strings.Repeat("x", 2048): "too long",
	} {
		err := lifecycle.CheckWebhookURL(url, false)
		if want == "" {
			require.NoError(t, err, strconv.Quote(url))
			continue
		}
		require.ErrorContains(t, err, want, strconv.Quote(url))
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
	}
	require.NoError(t, lifecycle.CheckWebhookURL("http://example.com", true))
}
