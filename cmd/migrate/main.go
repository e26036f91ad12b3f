// Command migrate brings the database and the Temporal namespace to what this
// version of the programs expects.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"

	"gatehouse/cmd/internal/serve"
	"gatehouse/config"
	"gatehouse/store"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
)

const usage = `migrate prepares what the programs need.

  migrate up         brings the tables to this version; safe to run many at once
  migrate temporal   registers the search attributes in the Temporal namespace
  migrate deployment has Temporal hand all tasks to the build of the workers that
                     GATEHOUSE_WORKER_BUILD_ID names, once they are there

GATEHOUSE_MIGRATION_DATABASE_URL connects the role that owns the tables; the
role in GATEHOUSE_DATABASE_URL is granted what the application needs.
`

const (
	// temporalTimeout bounds the registration of the search attributes.
	temporalTimeout = time.Minute
	// deploymentTimeout bounds the waiting for workers that are being rolled out.
	deploymentTimeout = 10 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	if len(args) != 1 || !slices.Contains([]string{"up", "temporal", "deployment"}, args[0]) {
		_, _ = io.WriteString(stdout, usage)
		return errors.New(`"up", "temporal" or "deployment" is needed`)
	}
	cfg, err := config.LoadMigrate(environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, cfg.LogLevel, cfg.LogFormat, nil)
	cfg.WarnOfUnknown(ctx, log)
	switch args[0] {
	case "temporal":
		return inTemporal(ctx, cfg, log, temporalTimeout, func(ctx context.Context, temporal client.Client) error {
			return workflowclient.EnsureSearchAttributes(ctx, temporal, cfg.Temporal.Namespace)
		})
	case "deployment":
		if cfg.Deployment.Name == "" {
			return errors.New("GATEHOUSE_WORKER_DEPLOYMENT is not set")
		}
		return inTemporal(ctx, cfg, log, deploymentTimeout, func(ctx context.Context, temporal client.Client) error {
			return workflowclient.EnsureCurrentBuild(ctx, temporal, cfg.Deployment.Name, cfg.Deployment.BuildID)
		})
	}
	application, err := url.Parse(string(cfg.Database.URL))
	if err != nil {
		return errors.New("GATEHOUSE_DATABASE_URL is not a URL")
	}
	if err := store.Migrate(ctx, string(cfg.MigrationURL), application.User.Username()); err != nil {
		return err
	}
	return store.BoundSessions(ctx, string(cfg.Database.URL), cfg.Database.StatementTimeout)
}

// inTemporal does something in the namespace, within a time.
func inTemporal(ctx context.Context, cfg config.Migrate, log *slog.Logger, limit time.Duration, do func(context.Context, client.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dial := serve.DialOptions(cfg.Temporal)
	dial.Logger = log
	temporal, err := workflowclient.Dial(ctx, dial)
	if err != nil {
		return err
	}
	defer temporal.Close()
	return do(ctx, temporal)
}
