package telemetry

import (
	"context"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"

	"gatehouse/lifecycle"
)

const namespace = "gatehouse"

// Buckets in seconds. Serving ends at the longest a decision may wait, waiting
// for an approver at a quarter of a year. The longest import is a file of a few
// hundred megabytes on a busy machine. What is late is so by an outage.
var (
	servingBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	importBuckets  = []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 5 * 60, 15 * 60, 3600, 4 * 3600, 24 * 3600}
	lateBuckets    = []float64{.1, 1, 5, 30, 60, 10 * 60, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600}
	waitingBuckets = []float64{1, 10, 60, 600, 3600, 4 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600, 14 * 24 * 3600, 30 * 24 * 3600, 90 * 24 * 3600}
)

// Metrics are the metrics of one process. Labels take values from small closed
// sets; ids, names and paths never are labels. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	temporal *temporalSeries

	httpDuration      *prometheus.HistogramVec
	storeDuration     *prometheus.HistogramVec
	requests          *prometheus.CounterVec
	decisions         *prometheus.CounterVec
	decisionWait      *prometheus.HistogramVec
	signalsRefused    *prometheus.CounterVec
	notifications     *prometheus.CounterVec
	deliveries        *prometheus.CounterVec
	sweepActions      *prometheus.CounterVec
	sweepEnded        *prometheus.GaugeVec
	lifecycle         *prometheus.CounterVec
	importRows        *prometheus.CounterVec
	imports           *prometheus.CounterVec
	importDuration    *prometheus.HistogramVec
	exports           *prometheus.CounterVec
	exportRows        prometheus.Counter
	exportBytes       prometheus.Counter
	auditSealed       prometheus.Counter
	fallenDue         *prometheus.CounterVec
	fallenDueLateness *prometheus.HistogramVec
}

// NewMetrics returns the metrics of the program of this name, with those of
// the Go runtime and of the process among them.
func NewMetrics(program string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	plain := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: name, Help: help, Buckets: buckets,
		}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		temporal: newTemporalSeries(),
		httpDuration: histogram("http_request_duration_seconds",
			"Time from the head of a call to the end of its answer.", servingBuckets, "method", "route", "code"),
		storeDuration: histogram("store_operation_duration_seconds",
			"Time that an operation of the store took.", servingBuckets, "operation", "outcome"),
		requests: counter("requests_total", "Requests that came to their end.", "outcome"),
		decisions: counter("approval_decisions_total",
			"Decisions that reached the rows.", "verdict", "outcome", "via"),
		decisionWait: histogram("approval_decision_wait_seconds",
			"Time that a decided approval item had been pending.", waitingBuckets, "verdict"),
		fallenDue: counter("fallen_due_total", "Steps that were done on requests because their time had come.", "step"),
		fallenDueLateness: histogram("fallen_due_lateness_seconds",
			"Time from when such a step fell due until it was done.", lateBuckets, "step"),
		signalsRefused: counter("signals_refused_total", "Signals that changed nothing.", "reason"),
		notifications:  counter("notifications_total", "Notifications to people.", "event", "outcome"),
		deliveries:     counter("deliveries_total", "Attempts at deliveries.", "channel", "outcome"),
		sweepActions:   counter("sweep_actions_total", "What the sweep did.", "action"),
		sweepEnded: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "sweep_last_success_timestamp_seconds",
			Help: "When this process saw the last sweep to its end, in seconds since 1970.",
		}, []string{"sweep"}),
		lifecycle:  counter("records_advanced_total", "Records that were taken on in their life.", "to"),
		importRows: counter("import_rows_total", "Rows that imports are done with.", "outcome"),
		imports:    counter("imports_total", "Imports that came to their end.", "status"),
		importDuration: histogram("import_duration_seconds",
			"Time from when an import was taken up to its end.", importBuckets, "status"),
		exports:     counter("exports_total", "Exports that came to their end.", "status"),
		exportRows:  plain("export_rows_total", "Rows of complete exports."),
		exportBytes: plain("export_bytes_total", "Bytes of complete exports."),
		auditSealed: plain("audit_sealed_total", "Entries of the audit trail that were taken into its chain."),
	}
	for _, channel := range []string{"mail", "webhook"} {
		// From the start, so that the first one is seen to be more than none.
		m.deliveries.WithLabelValues(channel, "dead")
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(program), m.temporal, m.temporal.dropped,
		m.httpDuration, m.storeDuration, m.requests, m.decisions, m.decisionWait,
		m.fallenDue, m.fallenDueLateness,
		m.signalsRefused, m.notifications, m.deliveries, m.sweepActions, m.sweepEnded, m.lifecycle,
		m.importRows, m.imports, m.importDuration, m.exports, m.exportRows, m.exportBytes,
		m.auditSealed,
	)
	return m
}

// release is the version that a build is told to be, by -ldflags "-X …": one without
// the repository, as that of the image, knows no other.
var release string

// buildVersion is release, or what the toolchain knows.
func buildVersion() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func buildInfo(program string) prometheus.Collector {
	revision, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "What is running; always 1.",
		ConstLabels: prometheus.Labels{"program": program, "version": buildVersion(), "revision": revision, "goversion": goVersion},
	})
	gauge.Set(1)
	return gauge
}

// observe notes a value, with the trace that ctx belongs to as its exemplar where
// that is kept: whoever sees a slow call in a histogram can look at one.
func observe(ctx context.Context, histogram prometheus.Observer, value float64) {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		// Every histogram is one.
		if exemplary, ok := histogram.(prometheus.ExemplarObserver); ok {
			exemplary.ObserveWithExemplar(value, prometheus.Labels{"trace_id": span.TraceID().String()})
			return
		}
	}
	histogram.Observe(value)
}

// HTTPServed notes a call that was answered. method and route are labels as
// they come, so the caller keeps out of them what clients make up: route is the
// template that the router matched, never the path.
func (m *Metrics) HTTPServed(ctx context.Context, method, route string, code int, took time.Duration) {
	observe(ctx, m.httpDuration.WithLabelValues(method, route, strconv.Itoa(code)), took.Seconds())
}

// StoreDone notes an operation of the store by its name, how long it took and
// what it returned; it fits the store's observer.
func (m *Metrics) StoreDone(ctx context.Context, operation string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = lifecycle.KindOf(err).String()
	}
	observe(ctx, m.storeDuration.WithLabelValues(operation, outcome), took.Seconds())
}
