// Command worker carries out the workflows. Any number of them may run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatehouse/activities"
	"gatehouse/cmd/internal/serve"
	"gatehouse/config"
	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
	"gatehouse/workflows"
)

const (
	// sweepBatch is how many rows one step of the sweep looks at.
	sweepBatch = 500
	// sweepConcurrency is how many workflows the sweep reaches at once.
	sweepConcurrency = 8
	// sweepGrace is how long the sweep leaves a request to its own workflow.
	sweepGrace = 5 * time.Second
	// lifecycleBatch is how many records one transaction of their sweep takes on,
	// which is how many one mail tells of at most.
	lifecycleBatch = 2_000
	// lifecycleInterval is the time between two sweeps of records where a day of a
	// policy is one.
	lifecycleInterval = time.Minute
	// scheduleCheck is how often the sweeps' schedules are looked for.
	scheduleCheck = time.Minute
	// reservedConnections are kept for notifications, the sweep and the sealer.
	reservedConnections = 4
)

// share divides the connections of the database pool among what works at once:
// steps are the database steps of requests, bulk the imports and as many exports.
// Bulk work gets at most half, and less than wanted if need be, so that decisions
// never wait for it; each gets one at least.
func share(connections, wanted int) (steps, bulk int) {
	bulk = max(1, min(wanted, connections/2/workflows.BulkConnections))
	return max(1, connections-reservedConnections-workflows.BulkSteps-bulk*workflows.BulkConnections), bulk
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve.Start(ctx, os.Args[1:], func() error { return run(ctx, os.Environ(), os.Stderr) }, func() (string, error) {
		cfg, err := config.LoadWorker(os.Environ())
		return cfg.MetricsAddress, err
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// run works until ctx ends, then finishes what it has begun.
func run(ctx context.Context, environ []string, stderr io.Writer) error {
	cfg, err := config.LoadWorker(environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(stderr, cfg.LogLevel, cfg.LogFormat, trackingID)
	cfg.WarnOfUnknown(ctx, log)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	telling, err := newTelling(cfg)
	if err != nil {
		return err
	}
	defer telling.close()
	metrics := telemetry.NewMetrics("worker")
	tracing, interceptors, err := serve.Tracing(ctx, "worker", cfg.Tracing, trackingID, log)
	if err != nil {
		return err
	}
	rows, err := store.Open(ctx, storeConfig(cfg.Database, cfg.Waiting, tracing.Store(metrics.StoreDone)))
	if err != nil {
		return fmt.Errorf("GATEHOUSE_DATABASE_URL: %w", err)
	}
	defer func() { _ = rows.Close() }()
	metrics.WatchPool(rows.Stats)

	dial := serve.DialOptions(cfg.Temporal)
	dial.Logger, dial.Metrics, dial.Interceptors = log, metrics.TemporalHandler(), interceptors
	temporal, err := workflowclient.Dial(ctx, dial)
	if err != nil {
		return err
	}
	defer temporal.Close()
	reach := workflowclient.New(temporal, workflowclient.Options{Log: log})

	var working, unscheduled atomic.Bool
	ready := func(ctx context.Context) []string {
		lacks := serve.Missing(ctx, rows, temporal, cfg.Temporal.Namespace)
		if !working.Load() {
			lacks = append(lacks, "worker: it does not poll yet")
		}
		if unscheduled.Load() {
			lacks = append(lacks, "temporal: the schedules of the sweeps can't be found or made")
		}
		return lacks
	}
	metrics.WatchReady(ready)
	stopMetrics, err := serve.Listen(ctx, telemetry.NewServer(cfg.MetricsAddress, metrics, ready, log), fail)
	if err != nil {
		return err
	}
	steps, bulk := share(cfg.Database.MaxConns, cfg.Bulk.Concurrency)
	if bulk < cfg.Bulk.Concurrency {
		log.WarnContext(ctx, "the database connections allow for less bulk work at once", "imports", bulk, "exports", bulk)
	}
	workers := workflows.NewWorkers(temporal, workflows.WorkerOptions{
		DatabaseSteps:   steps,
		BulkConcurrency: bulk,
		StopTimeout:     cfg.ShutdownTimeout,
		Deployment:      cfg.Deployment.Name,
		BuildID:         cfg.Deployment.BuildID,
		OnFatal:         fail,
		Log:             log,
	}, &activities.Activities{
		Store: rows, Workflows: reach, Observer: metrics, Log: log,
		SignalDecisions: cfg.SignalDecisions, SweepGrace: sweepGrace, SweepRecheck: cfg.SweepRecheck, SweepConcurrency: sweepConcurrency,
		Bulk: &activities.Bulk{
			Store: rows, Workflows: reach, Observer: metrics,
			JobRetention: cfg.Bulk.JobRetention, ExportRetention: cfg.Bulk.ExportRetention,
		},
		Lifecycle:  &activities.Lifecycle{Store: rows, Observer: metrics},
		Deliveries: telling.deliveries(rows, metrics, tracing),
		Absences:   &activities.Absences{Store: rows, Workflows: reach},
	})
	// They begin without Temporal, and so don't wait for it.
	var loops sync.WaitGroup
	loops.Go(func() {
		(&relay{
			outbox: rows, start: reach.EnsureDelivery, mail: telling.mailer != nil, retention: cfg.Telling.Retention,
			turn: turnLimit, log: log,
		}).run(ctx)
	})
	loops.Go(func() {
		(&sealer{seal: rows.SealAudit, sealed: metrics.AuditSealed, turn: turnLimit, log: log}).run(ctx, sealEvery, announceEvery)
	})
	err = workers.Start(ctx)
	if err == nil {
		err = serve.Until(ctx, func(ctx context.Context) error {
			return errors.Join(
				workflowclient.EnsureSchedule(ctx, temporal, cfg.SweepInterval, sweepBatch),
				workflowclient.EnsureLifecycleSchedule(ctx, temporal, lifecycleEvery(cfg.Waiting.Day), lifecycleBatch),
			)
		}, func(err error) { log.WarnContext(ctx, "the schedules of the sweeps are not there yet", "error", err) })
		if err == nil {
			working.Store(true)
			log.InfoContext(ctx, "working", "metrics_address", cfg.MetricsAddress)
			keepSchedule(ctx, scheduleCheck, func(ctx context.Context) (bool, error) {
				sweep, sweepErr := workflowclient.RestoreSchedule(ctx, temporal, cfg.SweepInterval, sweepBatch)
				records, recordsErr := workflowclient.RestoreLifecycleSchedule(ctx, temporal, lifecycleEvery(cfg.Waiting.Day), lifecycleBatch)
				return sweep || records, errors.Join(sweepErr, recordsErr)
			}, &unscheduled, log)
		}
		log.InfoContext(ctx, "stopping")
		workers.Stop()
	}
	if ctx.Err() != nil {
		err = serve.Cause(ctx)
	}
	fail(nil)
	loops.Wait()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
	defer cancel()
	err = errors.Join(err, reach.Close(ending), stopMetrics(ending))
	tracing.Close(ending)
	return err
}

// trackingID is that of the call behind the step that ctx belongs to.
func trackingID(ctx context.Context) string { return lifecycle.OriginOf(ctx).TrackingID }

// storeConfig has statements end in time for the steps of requests, however long
// those of the API may take.
func storeConfig(database config.Database, waiting config.Waiting, observe store.Observer) store.Config {
	return store.Config{
		URL: string(database.URL), MaxConns: database.MaxConns,
		StatementTimeout: min(database.StatementTimeout, workflows.StatementTimeout),
		Day:              waiting.Day, Observe: observe,
	}
}

// lifecycleEvery is the time between two sweeps of records: shorter days have rungs
// that are nearer to one another.
func lifecycleEvery(day time.Duration) time.Duration {
	return min(lifecycleInterval, max(time.Second, day))
}

// keepSchedule restores the sweeps' schedules where they got lost, as with the
// state of a Temporal that was replaced, until ctx ends. lost says that this does
// not succeed.
func keepSchedule(ctx context.Context, every time.Duration, restore func(context.Context) (bool, error),
	lost *atomic.Bool, log *slog.Logger,
) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_ = serve.Until(ctx, func(ctx context.Context) error {
			restored, err := restore(ctx)
			lost.Store(err != nil)
			if restored {
				log.WarnContext(ctx, "a schedule of the sweeps had got lost and is there again")
			}
			return err
		}, func(err error) { log.WarnContext(ctx, "the schedules of the sweeps are not there", "error", err) })
	}
}
