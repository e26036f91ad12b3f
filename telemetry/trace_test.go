package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"gatehouse/lifecycle"
)

const (
	callerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerSpan  = "00f067aa0ba902b7"
)

// collector keeps what is exported to it, or fails with err.
type collector struct {
	mutex sync.Mutex
	spans tracetest.SpanStubs
	err   error
}

func (c *collector) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err == nil {
		c.spans = append(c.spans, tracetest.SpanStubsFromReadOnlySpans(spans)...)
	}
	return c.err
}

func (*collector) Shutdown(context.Context) error { return nil }

// newCollected returns what traces into a collector, and what reads it empty.
func newCollected(t *testing.T, o TraceOptions) (*Tracing, func() tracetest.SpanStubs) {
	t.Helper()
	to := &collector{}
	o.Program, o.Log = "api", discard
	tracing, err := newTracing(t.Context(), o, to)
	require.NoError(t, err)
	t.Cleanup(func() { tracing.Close(context.Background()) })
	return tracing, func() tracetest.SpanStubs {
		require.NoError(t, tracing.provider.ForceFlush(t.Context()))
		to.mutex.Lock()
		defer to.mutex.Unlock()
		spans := to.spans
		to.spans = nil
		return spans
	}
}

func attributesOf(span tracetest.SpanStub) map[string]string {
	all := map[string]string{}
	for _, a := range span.Attributes {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestACallIsASpanByItsTemplate(t *testing.T) {
	t.Parallel()
	tracing, spans := newCollected(t, TraceOptions{
		Sampler: "parentbased_always_on", TrackingID: func(context.Context) string { return "0123" },
	})
	ctx, end := tracing.HTTP()(httptest.NewRequest(http.MethodPost, "/v3/x/jane.doe?y=z", http.NoBody), false)
	tracing.Store(func(context.Context, string, time.Duration, error) {})(ctx, "GetRecord", time.Second,
		lifecycle.NewError(lifecycle.KindNotFound, "There is no jane.doe."))
	tracing.Store(func(context.Context, string, time.Duration, error) {})(ctx, "GetSource", time.Second, errors.New("jane.doe"))
	_, sent := tracing.Outgoing(ctx, "mail")
	sent(nil)
	end(http.MethodPost, "/v3/x/:id", http.StatusServiceUnavailable, "unavailable")

	all := spans()
	require.Len(t, all, 4)
	got := map[string]map[string]string{}
	for _, span := range all {
		got[span.Name] = attributesOf(span)
		require.Equal(t, all[0].SpanContext.TraceID(), span.SpanContext.TraceID())
		require.Empty(t, span.Status.Description)
		if span.Name != "POST /v3/x/:id" {
			require.Equal(t, all[3].SpanContext.SpanID(), span.Parent.SpanID())
		}
	}
	require.Equal(t, map[string]map[string]string{
		"POST /v3/x/:id": {
			"http.request.method": "POST", "http.route": "/v3/x/:id", "http.response.status_code": "503",
			"error.type": "unavailable", "gatehouse.tracking_id": "0123",
		},
		"store.GetRecord": {"db.system.name": "postgresql", "db.operation.name": "GetRecord", "error.type": "not_found", "gatehouse.tracking_id": "0123"},
		"store.GetSource": {"db.system.name": "postgresql", "db.operation.name": "GetSource", "error.type": "internal", "gatehouse.tracking_id": "0123"},
		"send mail":       {"gatehouse.channel": "mail", "gatehouse.tracking_id": "0123"},
	}, got)
	require.Equal(t, codes.Error, all[3].Status.Code)
	require.Equal(t, codes.Unset, all[0].Status.Code, "what a client may meet is no fault")
	require.Equal(t, codes.Error, all[1].Status.Code)
	require.InDelta(t, time.Second, all[0].EndTime.Sub(all[0].StartTime), float64(time.Microsecond))
	require.NotContains(t, fmt.Sprintf("%+v", all), "jane.doe")
	name, _ := all[0].Resource.Set().Value("service.name")
	require.Equal(t, "gatehouse-api", name.AsString())
}

func TestTheStoreMakesNoTracesOfItsOwn(t *testing.T) {
	t.Parallel()
	tracing, spans := newCollected(t, TraceOptions{Sampler: "always_on"})
	told := 0
	tracing.Store(func(context.Context, string, time.Duration, error) { told++ })(t.Context(), "WaitingEvents", time.Second, nil)
	require.Empty(t, spans(), "loops would fill the collector")
	require.Equal(t, 1, told)
}

// TestWhoSaysThatATraceIsKept: a client may name the trace that its call belongs
// to, but only a proxy of ours may say that it is kept.
func TestWhoSaysThatATraceIsKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sampler string
		header  string
		trusted bool
		// kept spans, with the caller as their parent or without.
		kept, joined bool
	}{
		"nobody asked":                  {"parentbased_always_on", "", false, true, false},
		"nobody asked, none are kept":   {"parentbased_always_off", "", true, false, false},
		"a client has it kept":          {"parentbased_always_off", "00-" + callerTrace + "-" + callerSpan + "-01", false, false, true},
		"a proxy has it kept":           {"parentbased_always_off", "00-" + callerTrace + "-" + callerSpan + "-01", true, true, true},
		"a client would not have it":    {"parentbased_always_on", "00-" + callerTrace + "-" + callerSpan + "-00", false, true, true},
		"a proxy would not have it":     {"parentbased_always_on", "00-" + callerTrace + "-" + callerSpan + "-00", true, false, true},
		"a client chose a good id":      {"parentbased_traceidratio", "00-" + strings.Repeat("0", 31) + "1-" + callerSpan + "-01", false, false, true},
		"what it sent can't be read":    {"parentbased_always_on", "00-jane.doe", false, true, false},
		"whoever asks, all of them are": {"always_on", "00-" + callerTrace + "-" + callerSpan + "-00", true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracing, spans := newCollected(t, TraceOptions{Sampler: c.sampler})
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			if c.header != "" {
				r.Header.Set("Traceparent", c.header)
			}
			r.Header.Set("Tracestate", "vendor=jane.doe")
			_, end := tracing.HTTP()(r, c.trusted)
			end(http.MethodGet, "/", http.StatusOK, "")
			all := spans()
			if !c.kept {
				require.Empty(t, all)
				return
			}
			require.Len(t, all, 1)
			require.Equal(t, c.joined, all[0].Parent.IsValid())
			if c.joined {
				require.Equal(t, callerTrace, all[0].SpanContext.TraceID().String())
				require.Equal(t, callerSpan, all[0].Parent.SpanID().String())
			}
			if !c.trusted {
				require.Zero(t, all[0].SpanContext.TraceState().Len(), "what a client writes there is not passed on")
			}
		})
	}
}

func TestWhatLibrariesPutIntoSpansStaysBehind(t *testing.T) {
	t.Parallel()
	tracing, spans := newCollected(t, TraceOptions{Sampler: "always_on"})
	_, span := tracing.tracer.Start(t.Context(), "RunActivity:Decide", trace.WithAttributes(
		attribute.String("temporalWorkflowID", "request/1"), attribute.String("enduser.id", "jane.doe")))
	_, other := tracing.tracer.Start(t.Context(), "other")
	span.RecordError(errors.New("no jane.doe"))
	span.SetStatus(codes.Error, "no jane.doe")
	span.AddEvent("jane.doe")
	span.AddLink(trace.Link{SpanContext: other.SpanContext(), Attributes: []attribute.KeyValue{attribute.String("who", "jane.doe")}})
	span.End()
	other.End()
	all := spans()
	require.NotContains(t, fmt.Sprintf("%+v", all), "jane.doe")
	require.Equal(t, map[string]string{"temporalWorkflowID": "request/1"}, attributesOf(all[0]))
	require.Equal(t, codes.Error, all[0].Status.Code)
	require.Len(t, all[0].Links, 1)
	require.Equal(t, other.SpanContext(), all[0].Links[0].SpanContext)
}

func TestACollectorThatIsAwayIsToldOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	to := &collector{err: errors.New("away")}
	tracing, err := newTracing(t.Context(), TraceOptions{
		Program: "api", Sampler: "always_on", Log: slog.New(slog.NewTextHandler(&log, nil)),
	}, to)
	require.NoError(t, err)
	trace := func() {
		_, end := tracing.HTTP()(httptest.NewRequest(http.MethodGet, "/", http.NoBody), false)
		end(http.MethodGet, "/", http.StatusOK, "")
		require.NoError(t, tracing.provider.ForceFlush(t.Context()))
	}
	for range 3 {
		trace()
	}
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), "level=WARN")
	to.mutex.Lock()
	to.err = nil
	to.mutex.Unlock()
	trace()
	require.Contains(t, log.String(), "traces are exported again")
	require.Contains(t, log.String(), "lost_spans=3")
	require.Len(t, to.spans, 1)
	tracing.Close(t.Context())
}

// TestACollectorThatHangsHoldsNobodyUp: neither calls nor the end of the program.
func TestACollectorThatHangsHoldsNobodyUp(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	var log bytes.Buffer
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		tracing, err := NewTracing(t.Context(), TraceOptions{
			Program: "api", Protocol: protocol, Sampler: "always_on", Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		began := time.Now()
		for range 10_000 {
			_, end := tracing.HTTP()(httptest.NewRequest(http.MethodGet, "/", http.NoBody), false)
			end(http.MethodGet, "/", http.StatusOK, "")
		}
		require.Less(t, time.Since(began), 5*time.Second, protocol)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began = time.Now()
		tracing.Close(ctx)
		cancel()
		require.Less(t, time.Since(began), 2*time.Second, protocol)
	}
}

func TestWithoutTracesNothingIsDoneForThem(t *testing.T) {
	tracing, err := NewTracing(t.Context(), TraceOptions{Off: true})
	require.NoError(t, err)
	require.Nil(t, tracing.HTTP())
	interceptors, err := tracing.Interceptors()
	require.NoError(t, err)
	require.Empty(t, interceptors)
	m := NewMetrics("api")
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{})
	plain := testing.AllocsPerRun(100, func() { m.storeDuration.WithLabelValues("GetRecord", "ok").Observe(0.001) })
	observe := tracing.Store(m.StoreDone)
	require.InDelta(t, plain, testing.AllocsPerRun(100, func() { observe(ctx, "GetRecord", time.Millisecond, nil) }), 0)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, end := tracing.Outgoing(ctx, "mail")
		end(nil)
	}))
	tracing.Close(ctx)
}

func TestHistogramsPointAtTraces(t *testing.T) {
	t.Parallel()
	tracing, _ := newCollected(t, TraceOptions{Sampler: "parentbased_always_on"})
	m := used(t)
	ctx, end := tracing.HTTP()(httptest.NewRequest(http.MethodGet, "/", http.NoBody), false)
	m.HTTPServed(ctx, "GET", "/v3/x/:id", 200, time.Second)
	m.StoreDone(ctx, "GetRecord", time.Second, nil)
	m.DecisionMade(ctx, "approve", "stored", "api", time.Hour)
	end("GET", "/v3/x/:id", 200, "")
	server := NewServer("127.0.0.1:0", m, func(context.Context) []string { return nil }, discard)
	scrape := func(accept string) string {
		r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, r)
		return w.Body.String()
	}
	exemplar := ` # {trace_id="` + trace.SpanContextFromContext(ctx).TraceID().String() + `"} `
	open := scrape("application/openmetrics-text; version=1.0.0")
	require.True(t, strings.HasSuffix(open, "# EOF\n"))
	for _, name := range []string{"gatehouse_http_request_duration_seconds", "gatehouse_store_operation_duration_seconds", "gatehouse_approval_decision_wait_seconds"} {
		require.Regexp(t, name+`_bucket\{.*`+exemplar, open)
	}
	require.NotContains(t, scrape("text/plain"), "trace_id")
}

func TestLogLinesNameTheTrace(t *testing.T) {
	t.Parallel()
	tracing, _ := newCollected(t, TraceOptions{Sampler: "always_on"})
	var out bytes.Buffer
	log := NewLogger(&out, slog.LevelInfo, "json", func(context.Context) string { return "" })
	ctx, end := tracing.Outgoing(t.Context(), "mail")
	log.InfoContext(ctx, "one")
	end(nil)
	require.Contains(t, out.String(), `"trace_id":"`+trace.SpanContextFromContext(ctx).TraceID().String()+`"`)
	out.Reset()
	log.InfoContext(t.Context(), "two")
	require.NotContains(t, out.String(), traceIDKey)
}
