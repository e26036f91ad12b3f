// Command api serves the contract over HTTP. Any number of them may run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/auth"
	"gatehouse/cmd/internal/serve"
	"gatehouse/config"
	"gatehouse/httpapi"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/scim"
	"gatehouse/service"
	"gatehouse/store"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
)

const (
	// autoApprovalWait is fixed by contract §4.
	autoApprovalWait = 2 * time.Second
	// startTimeout bounds how long a request waits for a Temporal that is away.
	startTimeout = time.Second
	// decisionPart is which part of the calls that are worked on may be decisions,
	// so that reads go on while workflows don't.
	decisionPart = 4
	// exportTimeout bounds how long a download waits for its first bytes.
	exportTimeout = 30 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve.Start(ctx, os.Args[1:], func() error { return run(ctx, os.Environ(), os.Stderr) }, func() (string, error) {
		cfg, err := config.LoadAPI(os.Environ())
		return cfg.MetricsAddress, err
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then finishes what it has begun.
func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := config.LoadAPI(environ)
	if err != nil {
		return err
	}
	issuers, err := readIssuers(cfg.Tokens)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, cfg.LogLevel, cfg.LogFormat, httpapi.TrackingID)
	cfg.WarnOfUnknown(ctx, log)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	metrics := telemetry.NewMetrics("api")
	tracing, interceptors, err := serve.Tracing(ctx, "api", cfg.Tracing, httpapi.TrackingID, log)
	if err != nil {
		return err
	}
	rows, err := store.Open(ctx, store.Config{
		URL: string(cfg.Database.URL), MaxConns: cfg.Database.MaxConns,
		StatementTimeout: cfg.Database.StatementTimeout, Day: cfg.Waiting.Day, Observe: tracing.Store(metrics.StoreDone),
	})
	if err != nil {
		return fmt.Errorf("GATEHOUSE_DATABASE_URL: %w", err)
	}
	defer func() { _ = rows.Close() }()
	metrics.WatchPool(rows.Stats)
	metrics.WatchPending(rows.PendingApprovals, log)
	metrics.WatchUnsealed(rows.UnsealedAudit, log)
	metrics.WatchDueRecords(rows.OldestDue, log)
	metrics.WatchOutbox(rows.WaitingEvents, log)
	metrics.WatchDeliveries(rows.WaitingDeliveries, log)
	metrics.WatchImports(rows.UnfinishedImports, log)

	dial := serve.DialOptions(cfg.Temporal)
	dial.Logger, dial.Metrics, dial.Interceptors = log, metrics.TemporalHandler(), interceptors
	temporal, err := workflowclient.Dial(ctx, dial)
	if err != nil {
		return err
	}
	defer temporal.Close()
	workflows := workflowclient.New(temporal, workflowclient.Options{
		Endings: rows, Decisions: cfg.Serving.Concurrency / decisionPart, Log: log,
	})

	var listening atomic.Bool
	ready := func(ctx context.Context) []string {
		lacks := serve.Missing(ctx, rows, temporal, cfg.Temporal.Namespace)
		if !listening.Load() {
			lacks = append(lacks, "api: it does not listen yet")
		}
		return lacks
	}
	metrics.WatchReady(ready)
	metrics.WatchPollers(func(ctx context.Context) (map[string]int, error) {
		return workflowclient.Pollers(ctx, temporal)
	}, log)
	stopMetrics, err := serve.Listen(ctx, telemetry.NewServer(cfg.MetricsAddress, metrics, ready, log), fail)
	if err != nil {
		return err
	}
	stopAPI, err := listen(ctx, cfg, issuers, rows, workflows, metrics, tracing, ready, log, fail)
	if err == nil {
		listening.Store(true)
		log.InfoContext(ctx, "serving", "address", cfg.Listen.Address, "metrics_address", cfg.MetricsAddress)
		<-ctx.Done()
		err = serve.Cause(ctx)
	}
	log.InfoContext(ctx, "stopping")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
	defer cancel()
	if stopAPI != nil {
		err = errors.Join(err, stopAPI(ending))
	}
	err = errors.Join(err, workflows.Close(ending), stopMetrics(ending))
	tracing.Close(ending)
	return err
}

// readIssuers reads the file of external issuers, if there is one.
func readIssuers(cfg config.Tokens) ([]auth.ExternalIssuer, error) {
	if cfg.IssuersFile == "" {
		return nil, nil
	}
	file, err := os.ReadFile(cfg.IssuersFile)
	if err != nil {
		return nil, fmt.Errorf("the file that GATEHOUSE_OIDC_ISSUERS_FILE names: %w", err)
	}
	issuers, err := auth.ParseIssuers(file, cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("the file that GATEHOUSE_OIDC_ISSUERS_FILE names:\n%w", err)
	}
	return issuers, nil
}

// listen waits for the database, which holds the signing keys, and opens the
// API to clients.
func listen(ctx context.Context, cfg config.API, issuers []auth.ExternalIssuer, rows *store.Store, workflows *workflowclient.Client,
	metrics *telemetry.Metrics, tracing *telemetry.Tracing, ready telemetry.ReadyFunc, log *slog.Logger, fail func(error),
) (func(context.Context) error, error) {
	var ring *auth.KeyRing
	err := serve.Until(ctx, func(ctx context.Context) error {
		if err := rows.Ready(ctx); err != nil {
			return err
		}
		if cfg.Listen.Demo {
			origin := lifecycle.Origin{Channel: lifecycle.ChannelCommandLine, Operation: "demo"}
			if err := seedDemo(lifecycle.WithOrigin(ctx, origin), rows); err != nil {
				return err
			}
		}
		origin := lifecycle.Origin{Channel: lifecycle.ChannelCommandLine, Operation: "api"}
		var err error
		ring, err = auth.LoadKeys(lifecycle.WithOrigin(ctx, origin), rows)
		return err
	}, func(err error) { log.WarnContext(ctx, "waiting for the database", "error", err) })
	if err != nil {
		return nil, serve.Cause(ctx)
	}
	go ring.Keep(ctx, cfg.Tokens.KeyRotation, log)
	tokens := auth.Settings{Issuer: cfg.Tokens.Issuer, Tenant: cfg.Tokens.Tenant, Lifetime: cfg.Tokens.Lifetime}
	operations := service.New(rows, workflows, service.Settings{
		Limits:           lifecycle.Limits{Sources: cfg.Limits.Sources, RecordsPerSource: cfg.Limits.RecordsPerSource},
		AutoApprovalWait: autoApprovalWait,
		StartTimeout:     startTimeout,
		DecisionTimeout:  cfg.DecisionTimeout,
		Uploads:          cfg.Uploads.Concurrency,
		ExportTimeout:    exportTimeout,
		WebhookHTTP:      cfg.Webhooks.AllowHTTP,
		NewSecret:        auth.NewSecret,
	}, log)
	verifier := auth.NewVerifier(ring, rows, tokens, issuers, log)
	go verifier.FollowProviders(ctx, log)
	options := httpapi.Options{
		Service:        operations,
		Authenticate:   verifier.Authenticate,
		Token:          auth.NewIssuer(ring, rows, tokens, httpapi.NoteRefusedLogin, log),
		TokenInfo:      auth.InfoHandler(tokens),
		JWKS:           ring,
		Attempted:      rows.SaveAttempt,
		Health:         telemetry.Health(),
		Readiness:      telemetry.Readiness(ready),
		Trace:          tracing.HTTP(),
		Observe:        metrics.HTTPServed,
		Log:            log,
		OverTLS:        strings.HasPrefix(cfg.Tokens.Issuer, "https:"),
		MaxBodyBytes:   cfg.Serving.MaxBodyBytes,
		MaxUploadBytes: cfg.Uploads.MaxBytes,
		MinUploadRate:  cfg.Uploads.MinRate,
		UploadPatience: cfg.Uploads.Patience,
		TokenLifetime:  cfg.Tokens.Lifetime,
		Concurrency:    cfg.Serving.Concurrency,
		TrustedProxies: cfg.Serving.TrustedProxies,
	}
	if cfg.Serving.RateLimit > 0 {
		limiter := auth.NewLimiter(cfg.Serving.RateLimit, rows, log)
		go limiter.Run(ctx)
		options.Limit = func(r *http.Request, _ policy.Actor) time.Duration { return limiter.Token(r) }
		options.LimitAddress = limiter.Address
	}
	options.SCIM, err = scim.New(scim.Options{
		Directory: operations, Authenticate: verifier.Authenticate, Limit: options.Limit, Note: httpapi.NoteCaller,
		BaseURL: cfg.Tokens.Issuer, MaxBodyBytes: cfg.Serving.MaxBodyBytes, Log: log,
	})
	if err != nil {
		return nil, err
	}
	handler, err := httpapi.New(options)
	if err != nil {
		return nil, err
	}
	return serve.Listen(ctx, &http.Server{
		Addr:              cfg.Listen.Address,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		// Longer than the longest wait for a decision, so that its answer goes out.
		WriteTimeout:   cfg.DecisionTimeout + 30*time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
		// "OPTIONS *" is answered as everything else.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}, fail)
}
