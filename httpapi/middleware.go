package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/lifecycle"
)

// statusClientGone is logged for a client that left without its answer. It is
// never sent.
const statusClientGone = 499

// unmatched is the route of what has none.
const unmatched = "unmatched"

// What balancers and operators ask for.
const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first final status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the status that net/http would send by itself.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Flush is what Gin's writer calls without asking.
func (w *recorder) Flush() {
	// A writer that can't be flushed is none of net/http's.
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP is the front of everything: it gives the request its tracking id,
// finds its mount, and says afterwards what became of it.
func (s *server) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	c, w, start := newCall(), &recorder{ResponseWriter: rw}, time.Now()
	c.address = clientAddress(r, s.proxies)
	r = r.WithContext(withCall(r.Context(), c))
	end := func(string, string, int, string) {}
	if s.tracer != nil && !isHealth(r.URL.Path) {
		var ctx context.Context
		ctx, end = s.tracer(r, fromTrusted(r, s.proxies))
		r = r.WithContext(ctx)
	}
	w.Header().Set("X-Request-Id", c.trackingID)
	s.protect(w.Header())

	defer func() {
		thrown := recover()
		if thrown != nil {
			thrown = s.recovered(w, r, c, thrown)
		}
		s.observe(r, c, w.status, time.Since(start), end)
		if thrown != nil {
			panic(thrown)
		}
	}()

	at, ok := locate(r.URL.Path, r.URL.EscapedPath())
	if !ok {
		s.fail(w, r, errNoRoute)
		return
	}
	c.at = at
	routed := *r
	url := *r.URL
	url.Path, url.RawPath = at.path, ""
	routed.URL = &url
	routes := s.service
	if at.contract {
		routes = s.contract
	}
	routes.ServeHTTP(w, &routed)
	s.noteAttempt(w, r, c)
}

// hstsAge is how long a browser goes on asking over TLS alone, in seconds: a year.
const hstsAge = "31536000"

// protect has a browser do nothing with an answer but hand it to whoever asked
// for it, and only within this origin: no header of CORS is ever set. What is
// served for browsers, /docs, has a policy of its own.
func (s *server) protect(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	// For browsers that do not know frame-ancestors.
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Referrer-Policy", "no-referrer")
	if s.overTLS {
		header.Set("Strict-Transport-Security", "max-age="+hstsAge)
	}
}

// recovered answers a panic with 500. The log gets its type and where it was,
// but not its text, which may hold what the client sent. What is returned must
// be thrown again: http.ErrAbortHandler always, and in the place of any panic
// after which the client would take half an answer for a whole one.
func (s *server) recovered(w *recorder, r *http.Request, c *call, thrown any) any {
	if err, ok := thrown.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return thrown
	}
	s.log.LogAttrs(r.Context(), slog.LevelError, "a handler panicked",
		slog.String("route", c.route),
		slog.String("panic", fmt.Sprintf("%T", thrown)), slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		return http.ErrAbortHandler
	}
	s.fail(w, r, errPanic)
	return nil
}

var errPanic = errors.New("a handler panicked")

// observe writes the access log, feeds the metrics and ends the trace. What it says of a
// request is bounded: no path, no query, no body, no address.
func (s *server) observe(r *http.Request, c *call, status int, took time.Duration,
	traced func(method, route string, status int, failure string),
) {
	route := c.route
	if route == "" {
		route = unmatched
	}
	switch {
	case c.gone:
		status = statusClientGone
	case status == 0:
		status = http.StatusOK
	}
	method := knownMethod(r.Method)
	if s.observer != nil {
		s.observer(r.Context(), method, route, status, took)
	}
	traced(method, route, status, c.failure)
	attrs := []slog.Attr{
		slog.String("method", method), slog.String("route", route),
		slog.Int("status", status), slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
	switch {
	case c.actor.IsUser(): // whose client is named after them more often than not
		attrs = append(attrs, slog.String("identity_id", c.actor.IdentityID.String()))
	case c.actor.ClientID != "":
		attrs = append(attrs, slog.String("client_id", c.actor.ClientID))
	}
	if c.failure != "" {
		attrs = append(attrs, slog.String("failure", c.failure))
	}
	level := slog.LevelInfo
	if isHealth(route) && status == http.StatusOK {
		level = slog.LevelDebug
	}
	// The request may be over for its context, but not for the log.
	s.log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
}

// isHealth reports whether a path, or a route, is one that balancers ask for every
// few seconds: of that there are no traces, and lines only where the answer is bad.
func isHealth(path string) bool { return path == healthPath || path == readyPath }

// noteOrigin tells the store who causes what the operation changes, and remembers
// a change that was refused.
func noteOrigin(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	operation = strings.ToLower(operation[:1]) + operation[1:]
	return func(g *gin.Context, request any) (any, error) {
		ctx, c := callOf(g)
		c.origin = lifecycle.Origin{
			Channel: lifecycle.ChannelAPI, Operation: operation, Identity: c.actor.IdentityID, Client: c.actor.ClientID,
			Address: c.addressText(), TrackingID: c.trackingID,
		}
		g.Request = g.Request.WithContext(lifecycle.WithOrigin(ctx, c.origin))
		answer, err := next(g, request)
		if err != nil && lifecycle.KindOf(err) == lifecycle.KindForbidden && isChange(g.Request.Method) {
			c.attempt = attemptOn(g)
		}
		return answer, err
	}
}

// knownMethod bounds the values of a metric's label.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// noteRoute tells the front which route was found.
func noteRoute(g *gin.Context) {
	_, c := callOf(g)
	c.route = g.FullPath()
	g.Next()
}

// authenticate admits requests with a valid token only, and not too many of
// them.
func (s *server) authenticate(g *gin.Context) {
	_, c := callOf(g)
	actor, err := s.authenticator(g.Request)
	if err != nil {
		g.Abort()
		if isFailedLogin(err) && s.limitedByAddress(g) {
			return
		}
		s.fail(g.Writer, g.Request, err)
		return
	}
	c.actor = actor
	if s.limiter != nil {
		if wait := s.limiter(g.Request, actor); wait > 0 {
			g.Abort()
			s.tooMany(g.Writer, g.Request, wait)
			return
		}
	}
	g.Next()
}

// isFailedLogin reports whether a request whose token was not admitted for err
// counts by its address. So does one whose token can't be judged: it may be
// forged, in the name of a provider that is away.
func isFailedLogin(err error) bool {
	kind := lifecycle.KindOf(err)
	return kind == lifecycle.KindUnauthenticated || kind == lifecycle.KindUnavailable
}

// limitAddress admits not too many requests from one address.
func (s *server) limitAddress(g *gin.Context) {
	if s.limitedByAddress(g) {
		g.Abort()
		return
	}
	g.Next()
}

// limitRefusals admits not too many requests with a token that is not
// admitted, to those who judge it themselves.
func (s *server) limitRefusals(g *gin.Context) {
	if s.addressLimiter != nil {
		_, err := s.authenticator(g.Request)
		if err != nil && isFailedLogin(err) && s.limitedByAddress(g) {
			g.Abort()
			return
		}
	}
	g.Next()
}

// limitedByAddress counts the request by its address, and answers it if that was
// one too many.
func (s *server) limitedByAddress(g *gin.Context) bool {
	if s.addressLimiter == nil {
		return false
	}
	_, c := callOf(g)
	wait := s.addressLimiter(g.Request.Context(), c.address)
	if wait > 0 {
		s.tooMany(g.Writer, g.Request, wait)
	}
	return wait > 0
}
