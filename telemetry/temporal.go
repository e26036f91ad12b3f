package telemetry

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// maxTemporalSeries bounds the series of the SDK. Its tags come from tasks, and
// whoever may write to the namespace may name workflow types as they like.
const maxTemporalSeries = 5_000

// sdkBuckets are in seconds; the last is above the longest long poll.
var sdkBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

// TemporalHandler returns where the Temporal SDK puts its metrics. Counters get
// the suffix _total, timers _seconds.
func (m *Metrics) TemporalHandler() client.MetricsHandler {
	return temporalHandler{series: m.temporal}
}

// temporalSeries holds the series of the SDK. The SDK gives one name with
// different sets of tags, which a vector can't hold; so each series is a metric
// of its own with constant labels, and the collector describes nothing, which
// frees it from the registry's rule of one set of labels for one name.
type temporalSeries struct {
	all     sync.Map // seriesKey to prometheus.Metric
	count   atomic.Int64
	dropped prometheus.Counter
}

type seriesKey struct {
	kind   seriesKind
	name   string
	labels string
}

type seriesKind uint8

const (
	seriesCounter seriesKind = iota
	seriesGauge
	seriesTimer
)

func newTemporalSeries() *temporalSeries {
	return &temporalSeries{dropped: prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "temporal_dropped_observations_total",
		Help: "Observations of the Temporal SDK beyond the bound on its series.",
	})}
}

// Describe implements prometheus.Collector. See temporalSeries.
func (s *temporalSeries) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *temporalSeries) Collect(ch chan<- prometheus.Metric) {
	s.all.Range(func(_, metric any) bool {
		ch <- metric.(prometheus.Metric) //nolint:forcetypeassert // only get fills the map
		return true
	})
}

// get returns the series, which it makes if need be, or nil where there are too
// many.
func (s *temporalSeries) get(key seriesKey, tags map[string]string) prometheus.Metric {
	if metric, ok := s.all.Load(key); ok {
		return metric.(prometheus.Metric) //nolint:forcetypeassert // only get fills the map
	}
	if s.count.Load() >= maxTemporalSeries {
		s.dropped.Inc()
		return nil
	}
	metric, loaded := s.all.LoadOrStore(key, newSeries(key, tags))
	if !loaded {
		s.count.Add(1)
	}
	return metric.(prometheus.Metric) //nolint:forcetypeassert // only get fills the map
}

func newSeries(key seriesKey, tags map[string]string) prometheus.Metric {
	labels := make(prometheus.Labels, len(tags))
	maps.Copy(labels, tags)
	const help = "A metric of the Temporal SDK."
	switch key.kind {
	case seriesCounter:
		return prometheus.NewCounter(prometheus.CounterOpts{
			Name: key.name + "_total", Help: help, ConstLabels: labels,
		})
	case seriesTimer:
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: key.name + "_seconds", Help: help, ConstLabels: labels, Buckets: sdkBuckets,
		})
	case seriesGauge:
	}
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: key.name, Help: help, ConstLabels: labels})
}

// sanitize makes a name of a metric or a label out of any text.
func sanitize(name string) string {
	valid := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
	if valid == "" || '0' <= valid[0] && valid[0] <= '9' {
		valid = "x" + valid
	}
	return valid
}

// temporalHandler implements client.MetricsHandler. It is immutable.
type temporalHandler struct {
	series *temporalSeries
	// tags are the labels that the series gets.
	tags map[string]string
	// labels is tags as one text, the same for the same tags.
	labels string
}

// WithTags implements client.MetricsHandler: new tags win over old ones.
func (h temporalHandler) WithTags(tags map[string]string) client.MetricsHandler {
	all := make(map[string]string, len(h.tags)+len(tags))
	maps.Copy(all, h.tags)
	for name, value := range tags {
		all[sanitize(name)] = strings.ToValidUTF8(value, "?")
	}
	var labels strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		labels.WriteString(name)
		labels.WriteString(strconv.Quote(all[name]))
	}
	return temporalHandler{series: h.series, tags: all, labels: labels.String()}
}

// Counter implements client.MetricsHandler. Some names of the SDK end in _total
// already.
func (h temporalHandler) Counter(name string) client.MetricsCounter {
	return observation{h, seriesKey{seriesCounter, strings.TrimSuffix(sanitize(name), "_total"), h.labels}}
}

// Gauge implements client.MetricsHandler.
func (h temporalHandler) Gauge(name string) client.MetricsGauge {
	return observation{h, seriesKey{seriesGauge, sanitize(name), h.labels}}
}

// Timer implements client.MetricsHandler.
func (h temporalHandler) Timer(name string) client.MetricsTimer {
	return observation{h, seriesKey{seriesTimer, sanitize(name), h.labels}}
}

// observation is a series at the time of its use: one that is never used is
// never made.
type observation struct {
	handler temporalHandler
	key     seriesKey
}

func (o observation) metric() prometheus.Metric {
	return o.handler.series.get(o.key, o.handler.tags)
}

// Inc implements client.MetricsCounter. A counter can't go down: a negative
// step is left out.
func (o observation) Inc(delta int64) {
	if counter, ok := o.metric().(prometheus.Counter); ok && delta > 0 {
		counter.Add(float64(delta))
	}
}

// Update implements client.MetricsGauge.
func (o observation) Update(value float64) {
	if gauge, ok := o.metric().(prometheus.Gauge); ok {
		gauge.Set(value)
	}
}

// Record implements client.MetricsTimer.
func (o observation) Record(took time.Duration) {
	if histogram, ok := o.metric().(prometheus.Histogram); ok {
		histogram.Observe(took.Seconds())
	}
}
