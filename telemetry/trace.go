package telemetry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"gatehouse/lifecycle"
)

// flushTimeout bounds the export of what is left when a program ends, so that a
// collector that is away does not take the time that others need.
const flushTimeout = 5 * time.Second

// TraceOptions say how traces are made and exported. What they don't say the
// exporter takes from the standard OTEL_ variables: where to, with which headers
// and certificates, and how long it waits.
type TraceOptions struct {
	// Off is true where there are to be no traces; the rest then does not matter.
	Off bool
	// Program is the name of the program; OTEL_SERVICE_NAME wins over what is made
	// of it.
	Program string
	// Protocol is grpc or http/protobuf.
	Protocol string
	// Sampler is one of the standard names, Ratio what those by ratio keep, from 0
	// to 1.
	Sampler string
	Ratio   float64
	// TrackingID is as in [NewLogger]; spans get it as an attribute.
	TrackingID func(context.Context) string
	// Log is told when exports begin to fail and when they succeed again.
	Log *slog.Logger
}

// Tracing makes and exports traces. Its zero value makes none, and what that hands
// out costs nothing. Safe for concurrent use.
type Tracing struct {
	// provider and tracer are nil where there are no traces.
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	exporter sdktrace.SpanExporter
	// chance decides on traces that begin here.
	chance sdktrace.Sampler
}

// NewTracing returns what traces a program. It makes no connection: a collector
// that is away is told in the log, once, and what can't be exported is lost. The
// error is one of the variables.
func NewTracing(ctx context.Context, o TraceOptions) (*Tracing, error) {
	if o.Off {
		return &Tracing{}, nil
	}
	// What the library says of itself must be a line of this log.
	otel.SetLogger(logr.FromSlogHandler(errorsOnly{o.Log.Handler()}))
	faults := &throttled{every: time.Minute, log: func(err error) {
		o.Log.WarnContext(ctx, "the library of traces complains", "error", err)
	}}
	otel.SetErrorHandler(faults)
	client := otlptracehttp.NewClient()
	if o.Protocol == "grpc" {
		client = otlptracegrpc.NewClient()
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("the exporter of traces: %w", err)
	}
	return newTracing(ctx, o, exporter)
}

func newTracing(ctx context.Context, o TraceOptions, exporter sdktrace.SpanExporter) (*Tracing, error) {
	// Later ones win.
	about, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", namespace+"-"+o.Program), attribute.String("service.version", buildVersion()),
			attribute.String("service.instance.id", uuid.NewString())),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	chance, sampler := samplers(o.Sampler, o.Ratio)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(about), sdktrace.WithSampler(sampler),
		sdktrace.WithSpanProcessor(tracked{o.TrackingID}),
		// Its queue is bounded: spans beyond it are dropped, and nobody waits.
		sdktrace.WithBatcher(&discreet{next: exporter, log: o.Log}),
	)
	return &Tracing{provider: provider, tracer: provider.Tracer(namespace), exporter: exporter, chance: chance}, nil
}

// samplers returns what decides on a trace that begins here, and what decides on
// every span.
func samplers(name string, ratio float64) (chance, all sdktrace.Sampler) {
	kind, byParent := strings.CutPrefix(name, "parentbased_")
	switch kind {
	case "always_off":
		chance = sdktrace.NeverSample()
	case "traceidratio":
		chance = sdktrace.TraceIDRatioBased(ratio)
	default:
		chance = sdktrace.AlwaysSample()
	}
	if byParent {
		return chance, sdktrace.ParentBased(chance)
	}
	return chance, chance
}

// Close exports what is left, for a few seconds and until ctx ends at most. Spans
// that end later are lost.
func (t *Tracing) Close(ctx context.Context) {
	if t.tracer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		// An export is under way, which this cuts off. What is lost by that ends no
		// program in failure.
		_ = t.exporter.Shutdown(ctx)
	}
}

// HTTP returns what begins the span of a call to the API, for its Options; nil if
// there are no traces. The call is part of the trace that its traceparent names,
// if any. Whether that is kept is the sampler's to say: the flag of the caller is
// heeded where trusted says that the header comes from a proxy of ours. Anybody
// else could have each of its calls kept, whatever that costs, or choose an id that
// the ratio keeps.
func (t *Tracing) HTTP() func(r *http.Request, trusted bool) (context.Context, func(method, route string, status int, failure string)) {
	if t.tracer == nil {
		return nil
	}
	return t.begin
}

func (t *Tracing) begin(r *http.Request, trusted bool) (context.Context, func(method, route string, status int, failure string)) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	if caller := trace.SpanContextFromContext(ctx); caller.IsValid() && !trusted {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: caller.TraceID(), SpanID: caller.SpanID(), TraceFlags: t.roll(),
		}))
	}
	ctx, span := t.tracer.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer)) //nolint:spancheck // what is returned ends it
	return ctx, func(method, route string, status int, failure string) {               //nolint:spancheck // as above
		span.SetName(method + " " + route)
		span.SetAttributes(methodKey.String(method), routeKey.String(route), statusKey.Int(status))
		if failure != "" {
			span.SetAttributes(errorKey.String(failure))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// roll decides as for a trace that begins here with an id of our own.
func (t *Tracing) roll() trace.TraceFlags {
	var id trace.TraceID
	// Read never fails: the process ends first.
	_, _ = rand.Read(id[:])
	decision := t.chance.ShouldSample(sdktrace.SamplingParameters{ParentContext: context.Background(), TraceID: id})
	return trace.TraceFlags(0).WithSampled(decision.Decision == sdktrace.RecordAndSample)
}

// StoreObserver is what a store is given to tell of its operations.
type StoreObserver = func(ctx context.Context, operation string, took time.Duration, err error)

// Store returns an observer that makes a span of each operation that is part of a
// trace, with nothing in it but the operation's name and the kind of its error,
// before it tells next. With no traces it is next.
func (t *Tracing) Store(next StoreObserver) StoreObserver {
	if t.tracer == nil {
		return next
	}
	return func(ctx context.Context, operation string, took time.Duration, err error) {
		if trace.SpanContextFromContext(ctx).IsSampled() {
			end := time.Now()
			_, span := t.tracer.Start(ctx, "store."+operation, trace.WithTimestamp(end.Add(-took)),
				trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(systemKey.String("postgresql"), operationKey.String(operation)))
			fail(span, err)
			span.End(trace.WithTimestamp(end))
		}
		next(ctx, operation, took, err)
	}
}

// Outgoing begins the span of something that is handed to the outside by channel:
// mail or webhook. The receiver is told nothing of the trace. end is called once.
func (t *Tracing) Outgoing(ctx context.Context, channel string) (_ context.Context, end func(error)) {
	if t.tracer == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, "send "+channel, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(channelKey.String(channel)))
	return ctx, func(err error) {
		fail(span, err)
		span.End()
	}
}

// fail notes the kind of an error. Its text may quote a name.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	kind := lifecycle.KindOf(err)
	span.SetAttributes(errorKey.String(kind.String()))
	if kind == lifecycle.KindInternal || kind == lifecycle.KindUnavailable {
		span.SetStatus(codes.Error, "")
	}
}

// The attributes of spans.
const (
	methodKey    = attribute.Key("http.request.method")
	routeKey     = attribute.Key("http.route")
	statusKey    = attribute.Key("http.response.status_code")
	errorKey     = attribute.Key("error.type")
	systemKey    = attribute.Key("db.system.name")
	operationKey = attribute.Key("db.operation.name")
	channelKey   = attribute.Key("gatehouse.channel")
	trackingKey  = attribute.Key("gatehouse.tracking_id")
)

// exported are the attributes that leave the process: ours, and the ids that the
// SDK of Temporal adds.
var exported = map[attribute.Key]bool{
	methodKey: true, routeKey: true, statusKey: true, errorKey: true, systemKey: true, operationKey: true,
	channelKey: true, trackingKey: true,
	"temporalWorkflowID": true, "temporalRunID": true, "temporalActivityID": true, "temporalUpdateID": true,
}

// tracked puts the tracking id on spans.
type tracked struct{ idOf func(context.Context) string }

// OnStart implements sdktrace.SpanProcessor.
func (p tracked) OnStart(parent context.Context, span sdktrace.ReadWriteSpan) {
	if p.idOf == nil {
		return
	}
	if id := p.idOf(parent); id != "" {
		span.SetAttributes(trackingKey.String(id))
	}
}

// OnEnd implements sdktrace.SpanProcessor.
func (tracked) OnEnd(sdktrace.ReadOnlySpan) {}

// Shutdown implements sdktrace.SpanProcessor.
func (tracked) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (tracked) ForceFlush(context.Context) error { return nil }

// discreet exports of each span what may leave the process. Whatever libraries put
// into spans, the texts of errors above all, stays behind. It logs when exports
// begin to fail, and when they succeed again.
type discreet struct {
	next sdktrace.SpanExporter
	log  *slog.Logger

	mutex   sync.Mutex
	failing bool
	lost    int
}

// ExportSpans implements sdktrace.SpanExporter. A fault is dealt with here, so that
// the library does not tell of it each time.
func (d *discreet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	clean := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, span := range spans {
		clean[i] = discreetSpan{span}
	}
	err := d.next.ExportSpans(ctx, clean)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case err != nil && !d.failing:
		d.failing, d.lost = true, len(spans)
		d.log.LogAttrs(ctx, slog.LevelWarn, "traces can't be exported; they are lost until this succeeds", slog.Any("error", err))
	case err != nil:
		d.lost += len(spans)
	case d.failing:
		d.failing = false
		d.log.LogAttrs(ctx, slog.LevelInfo, "traces are exported again", slog.Int("lost_spans", d.lost))
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (d *discreet) Shutdown(ctx context.Context) error { return d.next.Shutdown(ctx) }

// discreetSpan is what of a span may leave the process.
type discreetSpan struct{ sdktrace.ReadOnlySpan }

// Attributes implements sdktrace.ReadOnlySpan.
func (s discreetSpan) Attributes() []attribute.KeyValue {
	var some []attribute.KeyValue
	for _, a := range s.ReadOnlySpan.Attributes() {
		if exported[a.Key] {
			some = append(some, a)
		}
	}
	return some
}

// Events implements sdktrace.ReadOnlySpan: they hold the texts of errors.
func (discreetSpan) Events() []sdktrace.Event { return nil }

// Links implements sdktrace.ReadOnlySpan.
func (s discreetSpan) Links() []sdktrace.Link {
	links := s.ReadOnlySpan.Links()
	bare := make([]sdktrace.Link, len(links))
	for i, link := range links {
		bare[i] = sdktrace.Link{SpanContext: link.SpanContext}
	}
	return bare
}

// Status implements sdktrace.ReadOnlySpan, without its text.
func (s discreetSpan) Status() sdktrace.Status {
	return sdktrace.Status{Code: s.ReadOnlySpan.Status().Code}
}

// errorsOnly keeps back what a library says of its own doings, settings among it.
type errorsOnly struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h errorsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }

// throttled tells of errors now and then.
type throttled struct {
	every time.Duration
	log   func(error)

	mutex sync.Mutex
	next  time.Time
}

// Handle implements otel.ErrorHandler.
func (h *throttled) Handle(err error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	now := time.Now()
	if err == nil || errors.Is(err, context.Canceled) || now.Before(h.next) {
		return
	}
	h.next = now.Add(h.every)
	h.log(err)
}
