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
	"syscall"
	"time"

	"gatehouse/cmd/internal/serve"
	"gatehouse/config"
	"gatehouse/store"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
)

const usage = `migrate prepares what the programs need.

  migrate up         brings the tables to this version; safe to run many at once
  migrate temporal   registers the search attributes in the Temporal namespace

GATEHOUSE_MIGRATION_DATABASE_URL connects the role that owns the tables; the
role in GATEHOUSE_DATABASE_URL is granted what the application needs.
`

// temporalTimeout bounds the registration of the search attributes.
const temporalTimeout = time.Minute

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
	if len(args) != 1 || (args[0] != "up" && args[0] != "temporal") {
		_, _ = io.WriteString(stdout, usage)
		return errors.New(`"up" or "temporal" is needed`)
	}
	cfg, err := config.LoadMigrate(environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, cfg.LogLevel, cfg.LogFormat, nil)
	cfg.WarnOfUnknown(ctx, log)
	if args[0] == "temporal" {
		return registerAttributes(ctx, cfg, log)
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

func registerAttributes(ctx context.Context, cfg config.Migrate, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, temporalTimeout)
	defer cancel()
	dial := serve.DialOptions(cfg.Temporal)
	dial.Logger = log
	temporal, err := workflowclient.Dial(ctx, dial)
	if err != nil {
		return err
	}
	defer temporal.Close()
	return workflowclient.EnsureSearchAttributes(ctx, temporal, cfg.Temporal.Namespace)
}
