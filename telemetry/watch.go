package telemetry

import (
	"context"
	"database/sql"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/lifecycle"
)

const (
	// backlogAge is how old the count of what waits may be, so that many scrapers
	// cost the database no more than one.
	backlogAge = 5 * time.Second
	// backlogTimeout is when a scrape goes on without it.
	backlogTimeout = 2 * time.Second
)

// BacklogFunc counts what waits for something and returns since when the oldest
// of it does; zero if there is none.
type BacklogFunc func(ctx context.Context) (count int, oldest time.Time, err error)

// StagesFunc returns the approval items that wait for their decision, by stage; a
// stage in which none does may be left out.
type StagesFunc func(ctx context.Context) ([]lifecycle.WaitingStage, error)

// WatchPending shows the approval items that wait for their decision, by the stage
// that their requests are in, as count returns them. Where it fails the metrics are
// left out, which an alert can tell from zero, and the fault is logged. It must be
// called once at most.
func (m *Metrics) WatchPending(count StagesFunc, log *slog.Logger) {
	m.registry.MustRegister(newPending(count, log, time.Now))
}

// WatchUnsealed does so for the entries of the audit trail that are not in its
// chain yet.
func (m *Metrics) WatchUnsealed(count BacklogFunc, log *slog.Logger) {
	m.registry.MustRegister(newBacklog(count, log, time.Now, "audit_unsealed",
		"Entries of the audit trail that are not in its chain yet.",
		"Time since the oldest entry that is not in the chain was written; 0 if there is none."))
}

// WatchDueRecords does so for the records that have come further on in their life
// and wait for their sweep.
func (m *Metrics) WatchDueRecords(count BacklogFunc, log *slog.Logger) {
	m.registry.MustRegister(newBacklog(count, log, time.Now, "lifecycle_due",
		"Sets of records that wait for the sweep: those of one source whose people know the same.",
		"Time for which the record has been due that is so the longest; 0 if none is."))
}

// WatchOutbox does so for the events whose deliveries are yet to be made.
func (m *Metrics) WatchOutbox(count BacklogFunc, log *slog.Logger) {
	m.registry.MustRegister(newBacklog(count, log, time.Now, "outbox_waiting",
		"Rows of the outbox whose deliveries are yet to be made.",
		"Time that the oldest of them has waited; 0 if there is none."))
}

// WatchDeliveries does so for the deliveries that are being tried.
func (m *Metrics) WatchDeliveries(count BacklogFunc, log *slog.Logger) {
	m.registry.MustRegister(newBacklog(count, log, time.Now, "deliveries_pending",
		"Deliveries that are being tried.",
		"Time since the oldest of them was made; 0 if there is none."))
}

// WatchImports does so for the imports that have not ended; the age is that of the
// last progress.
func (m *Metrics) WatchImports(count BacklogFunc, log *slog.Logger) {
	m.registry.MustRegister(newBacklog(count, log, time.Now, "imports_unfinished",
		"Imports that were accepted and have not ended.",
		"Time since the last progress of the source whose imports have got on the least lately; 0 if there is none."))
}

// PollersFunc returns how many processes poll each task queue, by its name.
type PollersFunc func(ctx context.Context) (map[string]int, error)

const (
	// pollersAge and pollersTimeout are backlogAge and backlogTimeout for what
	// Temporal is asked.
	pollersAge     = 15 * time.Second
	pollersTimeout = 2 * time.Second
)

// WatchPollers shows how many processes poll each task queue; a queue without any
// is 0. Where Temporal does not answer the metric is left out, and the fault is
// logged. It must be called once at most.
func (m *Metrics) WatchPollers(count PollersFunc, log *slog.Logger) {
	m.registry.MustRegister(&pollers{
		query: count, log: log, now: time.Now,
		desc: prometheus.NewDesc(namespace+"_task_queue_pollers", "Processes that poll the task queue.", []string{"task_queue"}, nil),
	})
}

type pollers struct {
	query PollersFunc
	log   *slog.Logger
	now   func() time.Time
	desc  *prometheus.Desc

	mu     sync.Mutex
	asked  time.Time
	counts map[string]int
	err    error
}

// Describe implements prometheus.Collector.
func (p *pollers) Describe(ch chan<- *prometheus.Desc) { ch <- p.desc }

// Collect implements prometheus.Collector.
func (p *pollers) Collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.asked.IsZero() || now.Sub(p.asked) >= pollersAge {
		p.asked = now
		ctx, cancel := context.WithTimeout(context.Background(), pollersTimeout)
		defer cancel()
		if p.counts, p.err = p.query(ctx); p.err != nil {
			p.log.Warn("the pollers of the task queues are not known", "error", p.err)
		}
	}
	if p.err != nil {
		return
	}
	for queue, count := range p.counts {
		ch <- prometheus.MustNewConstMetric(p.desc, prometheus.GaugeValue, float64(count), queue)
	}
}

// WatchReady shows whether the program can do its work, as /readyz says it. It must
// be called once at most.
func (m *Metrics) WatchReady(ready ReadyFunc) {
	m.registry.MustRegister(&readiness{
		ready: ready, now: time.Now,
		desc: prometheus.NewDesc(namespace+"_ready", "Whether the program can do its work: 1, or 0 where something is missing.", nil, nil),
	})
}

// readiness asks as seldom and as long as backlog does.
type readiness struct {
	ready ReadyFunc
	now   func() time.Time
	desc  *prometheus.Desc

	mu    sync.Mutex
	asked time.Time
	value float64
}

// Describe implements prometheus.Collector.
func (r *readiness) Describe(ch chan<- *prometheus.Desc) { ch <- r.desc }

// Collect implements prometheus.Collector.
func (r *readiness) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); r.asked.IsZero() || now.Sub(r.asked) >= backlogAge {
		r.asked, r.value = now, 0
		ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
		defer cancel()
		if len(r.ready(ctx)) == 0 {
			r.value = 1
		}
	}
	ch <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, r.value)
}

func newPending(query StagesFunc, log *slog.Logger, now func() time.Time) *backlog {
	parts := func(ctx context.Context) ([]waiting, error) {
		stages, err := query(ctx)
		all := make([]waiting, lifecycle.MaxApprovers)
		for i := range all {
			all[i].labels = []string{strconv.Itoa(i + 1)}
		}
		for _, stage := range stages {
			if stage.Stage >= 1 && stage.Stage <= len(all) {
				all[stage.Stage-1].items, all[stage.Stage-1].oldest = stage.Items, stage.Oldest
			}
		}
		return all, err
	}
	return newParts(parts, log, now, "approvals_pending",
		"Approval items that wait for their decision, by the stage of their request.",
		"Time that the oldest pending approval item of the stage has waited; 0 if there is none.", "stage")
}

// waiting is what waits under the values of the labels.
type waiting struct {
	labels []string
	items  int
	oldest time.Time
}

// backlog is two gauges: how much waits, and how long the oldest of it has.
type backlog struct {
	name  string
	query func(ctx context.Context) ([]waiting, error)
	log   *slog.Logger
	now   func() time.Time

	count, oldestAge *prometheus.Desc

	mu    sync.Mutex
	asked time.Time
	parts []waiting
	err   error
}

func newBacklog(query BacklogFunc, log *slog.Logger, now func() time.Time, name, count, oldest string) *backlog {
	whole := func(ctx context.Context) ([]waiting, error) {
		items, since, err := query(ctx)
		return []waiting{{items: items, oldest: since}}, err
	}
	return newParts(whole, log, now, name, count, oldest)
}

func newParts(query func(context.Context) ([]waiting, error), log *slog.Logger, now func() time.Time, name, count, oldest string, labels ...string) *backlog {
	return &backlog{
		name: name, query: query, log: log, now: now,
		count:     prometheus.NewDesc(namespace+"_"+name, count, labels, nil),
		oldestAge: prometheus.NewDesc(namespace+"_"+name+"_oldest_seconds", oldest, labels, nil),
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.count
	ch <- b.oldestAge
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if b.asked.IsZero() || now.Sub(b.asked) >= backlogAge {
		b.asked = now
		ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
		defer cancel()
		if b.parts, b.err = b.query(ctx); b.err != nil {
			b.log.Warn("what waits could not be counted", "what", b.name, "error", b.err)
		}
	}
	if b.err != nil {
		return
	}
	for _, part := range b.parts {
		ch <- prometheus.MustNewConstMetric(b.count, prometheus.GaugeValue, float64(part.items), part.labels...)
		age := 0.0
		if !part.oldest.IsZero() {
			age = max(0, now.Sub(part.oldest).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(b.oldestAge, prometheus.GaugeValue, age, part.labels...)
	}
}

// WatchPool shows the connections of a database pool, as sql.DB.Stats returns
// them. It must be called once at most.
func (m *Metrics) WatchPool(stats func() sql.DBStats) {
	gauge := func(name, help string, value func(sql.DBStats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: "database_pool", Name: name, Help: help,
		}, func() float64 { return value(stats()) })
	}
	counter := func(name, help string, value func(sql.DBStats) float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: "database_pool", Name: name, Help: help,
		}, func() float64 { return value(stats()) })
	}
	m.registry.MustRegister(
		gauge("max_connections", "The most connections there may be.",
			func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) }),
		gauge("used_connections", "Connections that are in use.",
			func(s sql.DBStats) float64 { return float64(s.InUse) }),
		gauge("idle_connections", "Connections that wait for use.",
			func(s sql.DBStats) float64 { return float64(s.Idle) }),
		counter("waits_total", "Times that somebody had to wait for a connection.",
			func(s sql.DBStats) float64 { return float64(s.WaitCount) }),
		counter("wait_seconds_total", "Time that was waited for connections.",
			func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() }),
		counter("closed_connections_total", "Connections closed for their age or idleness.",
			func(s sql.DBStats) float64 {
				return float64(s.MaxIdleClosed + s.MaxIdleTimeClosed + s.MaxLifetimeClosed)
			}),
	)
}
