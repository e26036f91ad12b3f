// Package webhook posts events to the endpoints of other systems, signed as the
// Standard Webhooks specification says. It goes to no address inside of the
// network but by permission, follows no redirect and reads next to nothing of what is
// answered.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"gatehouse/lifecycle"
)

// Options say where may be posted to, and how.
type Options struct {
	// AllowHTTP allows for endpoints without TLS.
	AllowHTTP bool
	// Networks may be posted to, whatever they are.
	Networks []netip.Prefix
	// Timeout bounds one posting from the connection to the answer; 0 is 15 s.
	Timeout time.Duration
	// PerEndpoint is how much may be on its way to one endpoint at once; 0 is 2.
	PerEndpoint int
	// Resolver looks names up; nil is the system's.
	Resolver *net.Resolver
	// Roots are the authorities that certificates may be of; nil for the system's.
	Roots *x509.CertPool
}

const (
	defaultTimeout     = 15 * time.Second
	defaultPerEndpoint = 2
	// answerBytes is the most that is read of an answer, so that a small one leaves
	// the connection usable.
	answerBytes = 4 << 10
	// headerBytes bounds the head of an answer.
	headerBytes = 16 << 10
	// Bounds of what an endpoint may ask for by Retry-After.
	shortestPause = time.Second
	longestPause  = time.Hour
)

// Poster posts to endpoints. It is safe for concurrent use.
type Poster struct {
	options Options
	client  *http.Client
	mutex   sync.Mutex
	// under counts what is under way to each endpoint.
	under map[lifecycle.ID]int
}

// New returns a Poster.
func New(o Options) *Poster {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.PerEndpoint == 0 {
		o.PerEndpoint = defaultPerEndpoint
	}
	p := &Poster{options: o, under: map[lifecycle.ID]int{}}
	dialer := &net.Dialer{Resolver: o.Resolver, ControlContext: p.control}
	p.client = &http.Client{
		Transport: &http.Transport{
			// Proxies of the environment would look names up themselves.
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			DisableCompression: true, MaxResponseHeaderBytes: headerBytes,
			MaxIdleConnsPerHost: o.PerEndpoint, MaxIdleConns: 100, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return p
}

// Close lets go of the connections that rest.
func (p *Poster) Close() { p.client.CloseIdleConnections() }

// Post hands a message to its endpoint. begin is called before anything is said;
// an error of it is returned as it is and nothing is posted. Any other error is a
// [lifecycle.DeliveryError].
func (p *Poster) Post(ctx context.Context, m lifecycle.Posting, begin func(context.Context) error) error {
	if err := lifecycle.CheckWebhookURL(m.URL, p.options.AllowHTTP); err != nil {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true}
	}
	if !p.enter(m.Endpoint) {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultBusy}
	}
	defer p.leave(m.Endpoint)
	if err := begin(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	var written atomic.Bool
	request, err := p.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	}), m)
	if err != nil {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true}
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return wayFault(err, written.Load())
	}
	defer func() { _ = answer.Body.Close() }()
	// The status is the answer; what comes behind it can't take it back.
	_, _ = io.CopyN(io.Discard, answer.Body, answerBytes)
	return answerFault(answer)
}

// request is the signed message.
func (p *Poster) request(ctx context.Context, m lifecycle.Posting) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	signer, err := standardwebhooks.NewWebhookRaw(m.Secret)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	signature, err := signer.Sign(m.ID.String(), at, m.Body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	request.Header.Set("User-Agent", "Gatehouse")
	request.Header.Set(standardwebhooks.HeaderWebhookID, m.ID.String())
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return request, nil
}

func (p *Poster) enter(endpoint lifecycle.ID) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.under[endpoint] >= p.options.PerEndpoint {
		return false
	}
	p.under[endpoint]++
	return true
}

func (p *Poster) leave(endpoint lifecycle.ID) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.under[endpoint]--; p.under[endpoint] == 0 {
		delete(p.under, endpoint)
	}
}

var errRefused = errors.New("this address may not be posted to")

// control judges the address that a name has led to, at the moment when the
// connection is made: whatever the name leads to a moment later changes nothing.
func (p *Poster) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return errRefused
	}
	ip := at.Addr().WithZone("").Unmap()
	for _, allowed := range p.options.Networks {
		if allowed.Contains(ip) {
			return nil
		}
	}
	if !Public(ip) {
		return errRefused
	}
	return nil
}

// wayFault tells why no answer came.
func wayFault(err error, written bool) *lifecycle.DeliveryError {
	fault := &lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable, Doubtful: written}
	var (
		wrapped     *url.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.Is(err, errRefused):
		fault.Code, fault.Final = lifecycle.FaultAddress, true
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &wrapped) && wrapped.Timeout():
		fault.Code = lifecycle.FaultTimeout
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		fault.Code = lifecycle.FaultTLS
	}
	return fault
}

// answerFault is nil for an answer that says that the message was taken.
func answerFault(answer *http.Response) error {
	status := answer.StatusCode
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusGone:
		return &lifecycle.DeliveryError{Code: lifecycle.FaultGone, Final: true}
	case status >= 300 && status < 400:
		return &lifecycle.DeliveryError{Code: lifecycle.FaultRedirect}
	}
	return &lifecycle.DeliveryError{Code: "status_" + strconv.Itoa(status), After: retryAfter(answer.Header.Get("Retry-After"), time.Now())}
}

// retryAfter reads seconds or a date, within bounds; zero where it is neither.
func retryAfter(value string, now time.Time) time.Duration {
	var pause time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		pause = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		pause = date.Sub(now)
	} else {
		return 0
	}
	return min(max(pause, shortestPause), longestPause)
}
