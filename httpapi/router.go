package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// Options are the parts that the API is made of.
type Options struct {
	// Service carries out the operations. Required.
	Service Service
	// Authenticate returns who calls. KindUnauthenticated is answered 401 with
	// the error's Message; any other error as everywhere. Required.
	Authenticate func(r *http.Request) (policy.Actor, error)
	// Limit returns how long the caller has to wait before it may go on: more
	// than 0 is answered 429 with a Retry-After. nil limits nobody.
	Limit func(r *http.Request, a policy.Actor) time.Duration
	// LimitAddress does so for a request of a token, before anything is done for
	// it, and for one whose token was refused or can't be judged. nil limits nobody.
	LimitAddress func(ctx context.Context, address netip.Addr) time.Duration
	// Concurrency is how many calls are worked on at once, uploads and downloads not
	// counted; what waits more than a second for its turn is 503. 0 is no bound.
	Concurrency int
	// TrustedProxies are those whose X-Forwarded-For says where a client is.
	TrustedProxies []netip.Prefix
	// Token serves POST /oauth/token, TokenInfo GET /oauth/info, and JWKS GET
	// /oauth/jwks and /.well-known/jwks.json. Required.
	Token, TokenInfo, JWKS http.Handler
	// SCIM serves what is under /scim/v2, and sets the Pattern of requests; [NoteCaller]
	// tells who calls. Required.
	SCIM http.Handler
	// Health serves GET /healthz and Readiness GET /readyz. Required.
	Health, Readiness http.Handler
	// Attempted writes down a change that was refused, by the origin in ctx, once
	// that was answered. Required.
	Attempted func(ctx context.Context, attempt lifecycle.AuditChange) error
	// OverTLS says that clients reach the API by https alone, so that browsers may
	// be told to remember it.
	OverTLS bool
	// MaxBodyBytes is the longest JSON body, in bytes; at least 1.
	MaxBodyBytes int64
	// MaxUploadBytes is the longest body of an upload, in bytes; at least 1.
	MaxUploadBytes int64
	// MinUploadRate is how fast the body of an upload has to arrive, in bytes a
	// second; UploadPatience, more than 0, is how far it may fall behind.
	MinUploadRate  int64
	UploadPatience time.Duration
	// TokenLifetime is how long an access token is good for, for answers that say so.
	TokenLifetime time.Duration
	// Log gets a line for each request and each fault; their contexts have the
	// tracking id, see [TrackingID]. Required.
	Log *slog.Logger
	// Trace begins what traces a request and returns the context that it is served
	// with; trusted says that the peer is one of TrustedProxies. end is told what
	// Observe is, and the kind of the error that was answered, if one was. May be nil.
	Trace func(r *http.Request, trusted bool) (ctx context.Context, end func(method, route string, status int, failure string))
	// Observe is told of each request: method is one of a fixed list, route a
	// template, or "unmatched". May be nil.
	Observe func(ctx context.Context, method, route string, status int, took time.Duration)
}

// server holds what all requests share.
type server struct {
	authenticator func(*http.Request) (policy.Actor, error)
	limiter       func(*http.Request, policy.Actor) time.Duration
	// addressLimiter and proxies as in Options.
	addressLimiter func(context.Context, netip.Addr) time.Duration
	// admission has a turn for each call that is worked on; nil for no bound.
	admission *semaphore.Weighted
	proxies   []netip.Prefix
	// tracer and observer as in Options.
	tracer    func(*http.Request, bool) (context.Context, func(method, route string, status int, failure string))
	observer  func(ctx context.Context, method, route string, status int, took time.Duration)
	attempted func(context.Context, lifecycle.AuditChange) error
	attempts  attemptBudget
	overTLS   bool
	maxBody   int64
	uploads   uploadLimits
	log       *slog.Logger
	// contract knows the contract's operations, service everything else. They
	// are apart so that no mount leads to what is not the contract's.
	contract, service *gin.Engine
}

// New returns the handler of the whole API. An error names the option that is
// missing or wrong.
func New(opts Options) (http.Handler, error) {
	switch {
	case opts.Service == nil:
		return nil, errors.New("httpapi: Service is missing")
	case opts.Authenticate == nil:
		return nil, errors.New("httpapi: Authenticate is missing")
	case opts.Token == nil || opts.TokenInfo == nil || opts.JWKS == nil:
		return nil, errors.New("httpapi: Token, TokenInfo or JWKS is missing")
	case opts.SCIM == nil:
		return nil, errors.New("httpapi: SCIM is missing")
	case opts.Health == nil || opts.Readiness == nil:
		return nil, errors.New("httpapi: Health or Readiness is missing")
	case opts.Attempted == nil:
		return nil, errors.New("httpapi: Attempted is missing")
	case opts.MaxBodyBytes < 1:
		return nil, errors.New("httpapi: MaxBodyBytes must be at least 1")
	case opts.MaxUploadBytes < 1:
		return nil, errors.New("httpapi: MaxUploadBytes must be at least 1")
	case opts.Concurrency < 0:
		return nil, errors.New("httpapi: Concurrency must not be negative")
	case opts.MinUploadRate < 0 || opts.UploadPatience <= 0:
		return nil, errors.New("httpapi: MinUploadRate must not be negative, and UploadPatience must be more than 0")
	case opts.Log == nil:
		return nil, errors.New("httpapi: Log is missing")
	}
	return newServer(opts), nil
}

func newServer(opts Options) *server {
	s := &server{
		authenticator: opts.Authenticate, limiter: opts.Limit, tracer: opts.Trace, observer: opts.Observe,
		addressLimiter: opts.LimitAddress, admission: newAdmission(opts.Concurrency), proxies: opts.TrustedProxies,
		attempted: opts.Attempted, overTLS: opts.OverTLS, maxBody: opts.MaxBodyBytes, log: opts.Log,
		uploads: uploadLimits{bytes: opts.MaxUploadBytes, rate: opts.MinUploadRate, patience: opts.UploadPatience},
	}
	gin.SetMode(gin.ReleaseMode)
	s.contract, s.service = s.engine(), s.engine()
	s.routeContract(&handlers{service: opts.Service, tokenLifetime: opts.TokenLifetime})
	s.routeService(opts)
	return s
}

func (s *server) engine() *gin.Engine {
	e := gin.New()
	// Gin believes every forwarding header unless told otherwise. nil is no error.
	_ = e.SetTrustedProxies(nil)
	// Neither redirects nor guesses: a path is a route or it is none.
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.NoRoute(func(g *gin.Context) { s.fail(g.Writer, g.Request, errNoRoute) })
	e.NoMethod(func(g *gin.Context) { s.fail(g.Writer, g.Request, errMethod) })
	e.Use(noteRoute)
	return e
}

func (s *server) routeContract(h *handlers) {
	strict := NewStrictHandlerWithOptions(h, []StrictMiddlewareFunc{noteOrigin}, StrictGinServerOptions{
		// Bodies are null or empty by then, which always binds.
		RequestErrorHandlerFunc:  func(g *gin.Context, err error) { s.fail(g.Writer, g.Request, err) },
		HandlerErrorFunc:         func(g *gin.Context, err error) { s.fail(g.Writer, g.Request, err) },
		ResponseErrorHandlerFunc: s.failResponse,
	})
	operations := s.contract.Group("", s.admit, s.receiveUpload, s.authenticate, s.checkQuery, s.readBody)
	RegisterHandlersWithOptions(operations, strict, GinServerOptions{ErrorHandler: s.failParameter})
}

func (s *server) routeService(opts Options) {
	e := s.service
	e.POST("/oauth/token", s.admit, s.limitAddress, gin.WrapH(opts.Token))
	e.GET("/oauth/info", gin.WrapH(opts.TokenInfo))
	e.GET("/oauth/jwks", gin.WrapH(opts.JWKS))
	e.GET("/.well-known/jwks.json", gin.WrapH(opts.JWKS))
	e.Any("/scim/v2/*resource", s.admit, s.limitRefusals, serveSCIM(opts.SCIM))
	e.GET(healthPath, gin.WrapH(opts.Health))
	e.GET(readyPath, gin.WrapH(opts.Readiness))
	e.GET("/openapi.yaml", getDocument)
	docs := gin.WrapH(documentation())
	e.GET(docsPath, docs)
	e.GET(docsPath+"/*asset", docs)
}

// serveSCIM hands the call on with where it comes from. SCIM has a form of its own
// for everything, refusals among it.
func serveSCIM(handler http.Handler) gin.HandlerFunc {
	return func(g *gin.Context) {
		ctx, c := callOf(g)
		c.origin = lifecycle.Origin{Channel: lifecycle.ChannelSCIM, Address: c.addressText(), TrackingID: c.trackingID}
		r := g.Request.WithContext(lifecycle.WithOrigin(ctx, c.origin))
		handler.ServeHTTP(g.Writer, r)
		if r.Pattern != "" {
			c.route = r.Pattern
		}
		if g.Writer.Status() == http.StatusForbidden && c.origin.Operation != "" && isChange(r.Method) {
			c.attempt = attemptByDirectory(r)
		}
	}
}

// failResponse is told when an answer could not be made or written. Where part
// of it is out already, the client must not take that for whole: the connection
// is cut.
func (s *server) failResponse(g *gin.Context, err error) {
	if !g.Writer.Written() {
		s.fail(g.Writer, g.Request, err)
		return
	}
	ctx, c := callOf(g)
	c.failure = "cut_off"
	c.gone = ctx.Err() != nil
	if !c.gone {
		s.logError(ctx, c, slog.LevelWarn, "an answer was cut off", err)
	}
	panic(http.ErrAbortHandler)
}
