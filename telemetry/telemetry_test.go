package telemetry

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = slog.New(slog.DiscardHandler)

// used returns metrics of which each has been used at least once.
func used(t *testing.T) *Metrics {
	t.Helper()
	m := NewMetrics("api")
	m.HTTPServed(t.Context(), "GET", "/v3/non-employee-records/:id", 200, 3*time.Millisecond)
	m.StoreDone(t.Context(), "GetRecord", time.Millisecond, nil)
	m.RequestEnded("approved")
	m.DecisionMade(t.Context(), "approve", "stored", "api", time.Hour)
	m.FellDue(lifecycle.StepReminder, time.Second)
	m.SignalRefused("malformed")
	m.Notified("decision_needed", "saved")
	m.Delivered("mail", "delivered")
	m.Swept("started", 2)
	m.SweepEnded("requests")
	m.RecordsAdvanced("warned", 2)
	m.ImportRows("created", 2)
	m.ImportEnded("completed", time.Minute)
	m.ExportEnded("completed", 3, 400)
	m.WatchPool(func() sql.DBStats {
		return sql.DBStats{MaxOpenConnections: 20, InUse: 3, Idle: 4, WaitCount: 5, WaitDuration: 1500 * time.Millisecond, MaxIdleClosed: 1, MaxLifetimeClosed: 2}
	})
	m.WatchPending(func(context.Context) ([]lifecycle.WaitingStage, error) {
		return []lifecycle.WaitingStage{{Stage: 1, Items: 7, Oldest: time.Now().Add(-time.Minute)}}, nil
	}, discard)
	m.AuditSealed(5)
	m.WatchUnsealed(func(context.Context) (int, time.Time, error) { return 0, time.Time{}, nil }, discard)
	m.WatchOutbox(func(context.Context) (int, time.Time, error) { return 2, time.Now().Add(-time.Minute), nil }, discard)
	m.WatchDeliveries(func(context.Context) (int, time.Time, error) { return 0, time.Time{}, nil }, discard)
	m.WatchDueRecords(func(context.Context) (int, time.Time, error) { return 0, time.Time{}, nil }, discard)
	m.WatchImports(func(context.Context) (int, time.Time, error) { return 1, time.Now().Add(-time.Minute), nil }, discard)
	m.WatchPollers(func(context.Context) (map[string]int, error) { return map[string]int{"gatehouse-requests": 2}, nil }, discard)
	m.WatchReady(func(context.Context) []string { return nil })
	h := m.TemporalHandler().WithTags(map[string]string{"namespace": "default"})
	h.Counter("temporal_request").Inc(1)
	h.Timer("temporal_request_latency").Record(time.Second)
	h.Gauge("temporal_num_pollers").Update(4)
	return m
}

func TestMetricsKeepTheRulesOfPrometheus(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(used(t).registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestTheDocumentedMetricsAreTheRealOnes(t *testing.T) {
	t.Parallel()
	families, err := used(t).registry.Gather()
	require.NoError(t, err)
	var existing []string
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "gatehouse_") {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		slices.Sort(labels)
		existing = append(existing, strings.Join([]string{
			"`" + family.GetName() + "`", strings.ToLower(family.GetType().String()), strings.Join(labels, ", "),
		}, " | "))
	}
	text, err := os.ReadFile("../docs/observability.md")
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`gatehouse_.*?) \\|(.*?)\\|(.*?)\\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, row[1]+" | "+strings.TrimSpace(row[2])+" | "+strings.TrimSpace(row[3]))
	}
	require.ElementsMatch(t, existing, documented)
	named := regexp.MustCompile("gatehouse_[a-z_]+").FindAllString(string(text), -1)
	require.Len(t, named, len(documented), "a metric is named outside the table")
}

func TestCallsAreCountedByTemplate(t *testing.T) {
	t.Parallel()
	m := NewMetrics("api")
	m.HTTPServed(t.Context(), "GET", "/v3/non-employee-records/:id", 200, 20*time.Millisecond)
	m.HTTPServed(t.Context(), "GET", "/v3/non-employee-records/:id", 200, 30*time.Millisecond)
	m.HTTPServed(t.Context(), "OTHER", "unmatched", 404, time.Millisecond)
	require.Equal(t, map[string]uint64{
		"GET /v3/non-employee-records/:id 200": 2,
		"OTHER unmatched 404":                  1,
	}, histogramCounts(t, m, "gatehouse_http_request_duration_seconds", "method", "route", "code"))
}

func TestStoreOperationsAreCountedByTheKindOfTheirError(t *testing.T) {
	t.Parallel()
	m := NewMetrics("api")
	m.StoreDone(t.Context(), "GetRecord", time.Millisecond, nil)
	m.StoreDone(t.Context(), "GetRecord", time.Millisecond, fmt.Errorf("wrapped: %w", lifecycle.NewError(lifecycle.KindNotFound, "x")))
	m.StoreDone(t.Context(), "GetRecord", time.Millisecond, errors.New("an unforeseen text with jane.doe in it"))
	require.Equal(t, map[string]uint64{"GetRecord ok": 1, "GetRecord not_found": 1, "GetRecord internal": 1},
		histogramCounts(t, m, "gatehouse_store_operation_duration_seconds", "operation", "outcome"))
}

// histogramCounts returns how often each set of labels was observed.
func histogramCounts(t *testing.T, m *Metrics, name string, labels ...string) map[string]uint64 {
	t.Helper()
	families, err := m.registry.Gather()
	require.NoError(t, err)
	counts := map[string]uint64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			values := make([]string, len(labels))
			for _, pair := range metric.GetLabel() {
				if i := slices.Index(labels, pair.GetName()); i >= 0 {
					values[i] = pair.GetValue()
				}
			}
			counts[strings.Join(values, " ")] = metric.GetHistogram().GetSampleCount()
		}
	}
	return counts
}

func TestWhatHappensIsCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	m.DecisionMade(t.Context(), "reject", "stored", "signal", time.Minute)
	m.DecisionMade(t.Context(), "reject", "repeated", "api", 0)
	m.RequestEnded("cancelled")
	m.FellDue(lifecycle.StepTimeout, 30*time.Hour)
	m.FellDue(lifecycle.StepTimeout, 0)
	m.SignalRefused("gone")
	m.Notified("decision_needed", "saved")
	m.Notified("decision_needed", "nobody")
	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP gatehouse_approval_decisions_total Decisions that reached the rows.
# TYPE gatehouse_approval_decisions_total counter
gatehouse_approval_decisions_total{outcome="repeated",verdict="reject",via="api"} 1
gatehouse_approval_decisions_total{outcome="stored",verdict="reject",via="signal"} 1
# HELP gatehouse_fallen_due_total Steps that were done on requests because their time had come.
# TYPE gatehouse_fallen_due_total counter
gatehouse_fallen_due_total{step="timeout"} 2
# HELP gatehouse_notifications_total Notifications to people.
# TYPE gatehouse_notifications_total counter
gatehouse_notifications_total{event="decision_needed",outcome="saved"} 1
gatehouse_notifications_total{event="decision_needed",outcome="nobody"} 1
# HELP gatehouse_requests_total Requests that came to their end.
# TYPE gatehouse_requests_total counter
gatehouse_requests_total{outcome="cancelled"} 1
# HELP gatehouse_signals_refused_total Signals that changed nothing.
# TYPE gatehouse_signals_refused_total counter
gatehouse_signals_refused_total{reason="gone"} 1
`), "gatehouse_approval_decisions_total", "gatehouse_fallen_due_total", "gatehouse_notifications_total", "gatehouse_requests_total", "gatehouse_signals_refused_total"))
	require.Equal(t, map[string]uint64{"reject": 1}, histogramCounts(t, m, "gatehouse_approval_decision_wait_seconds", "verdict"))
	require.Equal(t, map[string]uint64{"timeout": 2}, histogramCounts(t, m, "gatehouse_fallen_due_lateness_seconds", "step"))
}

func TestBulkWorkIsCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	m.ImportRows("created", 2_000)
	m.ImportRows("created", 500)
	m.ImportRows("failed", 0)
	m.ImportRows("updated", -3)
	m.ImportEnded("completed", 90*time.Second)
	m.ImportEnded("cancelled", time.Second)
	m.ExportEnded("completed", 20_000, 3_000_000)
	m.ExportEnded("completed", 1, 80)
	m.ExportEnded("error", 0, 0)
	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP gatehouse_export_bytes_total Bytes of complete exports.
# TYPE gatehouse_export_bytes_total counter
gatehouse_export_bytes_total 3.00008e+06
# HELP gatehouse_export_rows_total Rows of complete exports.
# TYPE gatehouse_export_rows_total counter
gatehouse_export_rows_total 20001
# HELP gatehouse_exports_total Exports that came to their end.
# TYPE gatehouse_exports_total counter
gatehouse_exports_total{status="completed"} 2
gatehouse_exports_total{status="error"} 1
# HELP gatehouse_import_rows_total Rows that imports are done with.
# TYPE gatehouse_import_rows_total counter
gatehouse_import_rows_total{outcome="created"} 2500
# HELP gatehouse_imports_total Imports that came to their end.
# TYPE gatehouse_imports_total counter
gatehouse_imports_total{status="cancelled"} 1
gatehouse_imports_total{status="completed"} 1
`), "gatehouse_import_rows_total", "gatehouse_imports_total", "gatehouse_exports_total",
		"gatehouse_export_rows_total", "gatehouse_export_bytes_total"))
	require.Equal(t, map[string]uint64{"completed": 1, "cancelled": 1},
		histogramCounts(t, m, "gatehouse_import_duration_seconds", "status"))
}

func TestASweepThatDidNothingIsNotCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	m.Swept("nudged", 0)
	require.Zero(t, testutil.CollectAndCount(m.sweepActions))
	m.Swept("nudged", 3)
	require.InDelta(t, 3, testutil.ToFloat64(m.sweepActions.WithLabelValues("nudged")), 0)
}

func TestPollersAreAskedForNowAndThen(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	var asked int
	var fault error
	var log bytes.Buffer
	p := &pollers{query: func(ctx context.Context) (map[string]int, error) {
		asked++
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return map[string]int{"gatehouse-requests": 2, "gatehouse-bulk": 0}, fault
	}, log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }, desc: prometheus.NewDesc("pollers", "x", []string{"task_queue"}, nil)}
	want := `
# HELP pollers x
# TYPE pollers gauge
pollers{task_queue="gatehouse-bulk"} 0
pollers{task_queue="gatehouse-requests"} 2
`
	require.NoError(t, testutil.CollectAndCompare(p, strings.NewReader(want)))
	now = now.Add(pollersAge - 1)
	require.NoError(t, testutil.CollectAndCompare(p, strings.NewReader(want)))
	require.Equal(t, 1, asked, "scrapes in quick succession cost Temporal no more than one")
	now, fault = now.Add(1), errors.New("away")
	require.Zero(t, testutil.CollectAndCount(p), "unknown is not zero")
	require.Contains(t, log.String(), "away")
}

func TestReadinessIsAMetric(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	missing := []string{"the database"}
	r := &readiness{ready: func(ctx context.Context) []string {
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return missing
	}, now: func() time.Time { return now }, desc: prometheus.NewDesc("ready", "x", nil, nil)}
	require.InDelta(t, 0, testutil.ToFloat64(r), 0)
	missing = nil
	require.InDelta(t, 0, testutil.ToFloat64(r), 0, "it is asked now and then")
	now = now.Add(backlogAge)
	require.InDelta(t, 1, testutil.ToFloat64(r), 0)
}

func TestWhatBecomesOfRecordsIsCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	m.RecordsAdvanced("warned", 0)
	require.Zero(t, testutil.CollectAndCount(m.lifecycle))
	m.RecordsAdvanced("warned", 3)
	require.InDelta(t, 3, testutil.ToFloat64(m.lifecycle.WithLabelValues("warned")), 0)
}

func TestThePoolIsShownAsItIs(t *testing.T) {
	t.Parallel()
	var shown []string
	families, err := used(t).registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if name, ok := strings.CutPrefix(family.GetName(), "gatehouse_database_pool_"); ok {
			metric := family.GetMetric()[0]
			value := metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			shown = append(shown, name+" "+strconv.FormatFloat(value, 'g', -1, 64))
		}
	}
	require.Equal(t, []string{
		"closed_connections_total 3", "idle_connections 4", "max_connections 20",
		"used_connections 3", "wait_seconds_total 1.5", "waits_total 5",
	}, shown)
}

func TestPendingItemsAreCountedNowAndThen(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	var asked int
	var fault error
	var log bytes.Buffer
	oldest := now.Add(-time.Minute)
	p := newPending(func(ctx context.Context) ([]lifecycle.WaitingStage, error) {
		asked++
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return []lifecycle.WaitingStage{{Stage: 2, Items: 7, Oldest: oldest}, {Stage: 4, Items: 1}}, fault
	}, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	want := func(count, age string) {
		t.Helper()
		require.NoError(t, testutil.CollectAndCompare(p, strings.NewReader(`
# HELP gatehouse_approvals_pending Approval items that wait for their decision, by the stage of their request.
# TYPE gatehouse_approvals_pending gauge
gatehouse_approvals_pending{stage="1"} 0
gatehouse_approvals_pending{stage="2"} `+count+`
gatehouse_approvals_pending{stage="3"} 0
# HELP gatehouse_approvals_pending_oldest_seconds Time that the oldest pending approval item of the stage has waited; 0 if there is none.
# TYPE gatehouse_approvals_pending_oldest_seconds gauge
gatehouse_approvals_pending_oldest_seconds{stage="1"} 0
gatehouse_approvals_pending_oldest_seconds{stage="2"} `+age+`
gatehouse_approvals_pending_oldest_seconds{stage="3"} 0
`)))
	}
	want("7", "60")
	now = now.Add(backlogAge - 1)
	want("7", "64.999999999")
	require.Equal(t, 1, asked, "scrapes in quick succession cost one query")

	now = now.Add(1)
	oldest = time.Time{}
	want("7", "0")
	require.Equal(t, 2, asked)

	now = now.Add(backlogAge)
	fault = errors.New("down")
	require.Zero(t, testutil.CollectAndCount(p), "unknown is not zero")
	require.Contains(t, log.String(), "down")
}

func TestTheSDKMayTagOneNameInManyWays(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	h := m.TemporalHandler()
	h.Counter("temporal_request").Inc(1)
	tagged := h.WithTags(map[string]string{"operation": "Poll", "task-queue": "q"})
	tagged.Counter("temporal_request").Inc(2)
	tagged.WithTags(map[string]string{"operation": "Start"}).Counter("temporal_request").Inc(3)
	// The same tags by another way are the same series, and so is the name with
	// the suffix.
	h.WithTags(map[string]string{"task-queue": "q"}).WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request_total").Inc(4)
	tagged.Counter("temporal_request").Inc(-1)
	tagged.Gauge("temporal_slots").Update(5)
	tagged.Gauge("temporal_slots").Update(-2)
	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP temporal_request_total A metric of the Temporal SDK.
# TYPE temporal_request_total counter
temporal_request_total 1
temporal_request_total{operation="Poll",task_queue="q"} 6
temporal_request_total{operation="Start",task_queue="q"} 3
# HELP temporal_slots A metric of the Temporal SDK.
# TYPE temporal_slots gauge
temporal_slots{operation="Poll",task_queue="q"} -2
`), "temporal_request_total", "temporal_slots"))

	tagged.Timer("temporal_latency").Record(1500 * time.Millisecond)
	tagged.Timer("temporal_latency").Record(time.Millisecond)
	require.Equal(t, map[string]uint64{"Poll": 2}, histogramCounts(t, m, "temporal_latency_seconds", "operation"))
}

func TestTagsDoNotRunTogether(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	m.TemporalHandler().WithTags(map[string]string{"a": `b"c"d`}).Counter("x").Inc(1)
	m.TemporalHandler().WithTags(map[string]string{"a": "b", "c": "d"}).Counter("x").Inc(1)
	m.TemporalHandler().WithTags(map[string]string{"a": "\xff"}).Counter("x").Inc(1)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == "x_total" {
			require.Len(t, family.GetMetric(), 3)
			return
		}
	}
	require.Fail(t, "there is no x_total")
}

func TestTheSeriesOfTheSDKAreBounded(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	h := m.TemporalHandler()
	for i := range maxTemporalSeries + 10 {
		h.WithTags(map[string]string{"workflow_type": strconv.Itoa(i)}).Counter("temporal_x").Inc(1)
	}
	require.Equal(t, maxTemporalSeries, testutil.CollectAndCount(m.temporal))
	require.InDelta(t, 10, testutil.ToFloat64(m.temporal.dropped), 0)
}

func TestTheHandlerMayBeUsedAtOnce(t *testing.T) {
	t.Parallel()
	m := NewMetrics("worker")
	h := m.TemporalHandler()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				h.WithTags(map[string]string{"n": strconv.Itoa(i % 10)}).Counter("temporal_x").Inc(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 10, testutil.CollectAndCount(m.temporal))
	families, err := m.registry.Gather()
	require.NoError(t, err)
	total := 0.0
	for _, family := range families {
		if family.GetName() == "temporal_x_total" {
			for _, metric := range family.GetMetric() {
				total += metric.GetCounter().GetValue()
			}
		}
	}
	require.InDelta(t, 1600, total, 0)
}

func TestTheOperatorsListenerAnswers(t *testing.T) {
	t.Parallel()
	var missing []string
	server := NewServer("127.0.0.1:0", used(t), func(ctx context.Context) []string {
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return missing
	}, discard)
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
		return w
	}
	w := ask(http.MethodGet, "/metrics")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), `gatehouse_requests_total{outcome="approved"} 1`)
	require.Contains(t, w.Body.String(), "go_goroutines ")

	for _, path := range []string{"/healthz", "/readyz"} {
		w = ask(http.MethodGet, path)
		require.Equal(t, http.StatusOK, w.Code)
		require.JSONEq(t, `{"status":"ok"}`, w.Body.String())
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.Equal(t, http.StatusMethodNotAllowed, ask(http.MethodPost, path).Code)
	}
	missing = []string{"the Temporal namespace", "the database"}
	w = ask(http.MethodGet, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{"status":"unavailable","missing":["the Temporal namespace","the database"]}`, w.Body.String())
	require.Equal(t, http.StatusOK, ask(http.MethodGet, "/healthz").Code)
	require.Equal(t, http.StatusNotFound, ask(http.MethodGet, "/debug/pprof/").Code)
	require.NotZero(t, server.ReadHeaderTimeout)
}

func TestLogLinesHideWhatMustNotBeThere(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log := NewLogger(&out, slog.LevelInfo, format, nil)
		log.Debug("too small to be seen")
		log.With("client_secret", "hunter2").Info("one", "Password", "hunter2", "access-token", "hunter2",
			slog.Group("person", "firstName", "hunter2", "email", "hunter2", "id", "42"))
		require.NotContains(t, out.String(), "hunter2")
		require.NotContains(t, out.String(), "too small")
		require.Equal(t, 5, strings.Count(out.String(), redacted))
		require.Contains(t, out.String(), "42")
	}
}

func TestLogLinesCarryTheTrackingIDAndUTC(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "0123")
	log := NewLogger(&out, slog.LevelInfo, "json", func(ctx context.Context) string {
		id, _ := ctx.Value(key{}).(string)
		return id
	}).With("program", "api")
	log.InfoContext(ctx, "one")
	log.InfoContext(t.Context(), "two")
	decoder := json.NewDecoder(&out)
	var first, second map[string]any
	require.NoError(t, decoder.Decode(&first))
	require.NoError(t, decoder.Decode(&second))
	require.ErrorIs(t, decoder.Decode(&first), io.EOF)
	require.Equal(t, "0123", first[trackingIDKey])
	require.Equal(t, "api", first["program"])
	require.NotContains(t, second, trackingIDKey)
	stamp, ok := first["time"].(string)
	require.True(t, ok)
	at, err := time.Parse(time.RFC3339Nano, stamp)
	require.NoError(t, err)
	require.Equal(t, time.UTC, at.Location())
}
