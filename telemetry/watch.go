package telemetry

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// pendingAge is how old the count of pending items may be, so that many
	// scrapers cost the database no more than one.
	pendingAge = 5 * time.Second
	// pendingTimeout is when a scrape goes on without it.
	pendingTimeout = 2 * time.Second
)

// PendingFunc counts the approval items that wait for their decision and
// returns since when the oldest of them waits; zero if there is none.
type PendingFunc func(ctx context.Context) (count int, oldest time.Time, err error)

// WatchPending shows what count returns. Where it fails the metrics are left
// out, which an alert can tell from zero, and the fault is logged. It must be
// called once at most.
func (m *Metrics) WatchPending(count PendingFunc, log *slog.Logger) {
	m.registry.MustRegister(newPending(count, log, time.Now))
}

type pending struct {
	query PendingFunc
	log   *slog.Logger
	now   func() time.Time

	count, oldestAge *prometheus.Desc

	mu     sync.Mutex
	asked  time.Time
	items  int
	oldest time.Time
	err    error
}

func newPending(query PendingFunc, log *slog.Logger, now func() time.Time) *pending {
	return &pending{
		query: query, log: log, now: now,
		count: prometheus.NewDesc("gatehouse_approvals_pending",
			"Approval items that wait for their decision.", nil, nil),
		oldestAge: prometheus.NewDesc("gatehouse_approvals_pending_oldest_seconds",
			"Time that the oldest pending approval item has waited; 0 if there is none.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (p *pending) Describe(ch chan<- *prometheus.Desc) {
	ch <- p.count
	ch <- p.oldestAge
}

// Collect implements prometheus.Collector.
func (p *pending) Collect(ch chan<- prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.asked.IsZero() || now.Sub(p.asked) >= pendingAge {
		p.asked = now
		ctx, cancel := context.WithTimeout(context.Background(), pendingTimeout)
		defer cancel()
		if p.items, p.oldest, p.err = p.query(ctx); p.err != nil {
			p.log.Warn("pending approvals could not be counted", "error", p.err)
		}
	}
	if p.err != nil {
		return
	}
	ch <- prometheus.MustNewConstMetric(p.count, prometheus.GaugeValue, float64(p.items))
	age := 0.0
	if !p.oldest.IsZero() {
		age = max(0, now.Sub(p.oldest).Seconds())
	}
	ch <- prometheus.MustNewConstMetric(p.oldestAge, prometheus.GaugeValue, age)
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
