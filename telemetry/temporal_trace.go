package telemetry

import (
	"fmt"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// Interceptors returns what has a client of Temporal, and the workers over it,
// carry traces on: from what starts a workflow or sends it something to its steps.
// None if there are no traces. Only headers are added to what is sent, so that a
// workflow gives the same commands with traces as without.
func (t *Tracing) Interceptors() ([]interceptor.ClientInterceptor, error) {
	if t.tracer == nil {
		return nil, nil
	}
	traced, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{
		Tracer: t.tracer, TextMapPropagator: propagation.TraceContext{}, DisableBaggage: true, DisableQueryTracing: true,
		// Whoever may write to the namespace may send any header; none fails a workflow.
		AllowInvalidParentSpans: true,
	})
	if err != nil {
		return nil, fmt.Errorf("the tracing of Temporal: %w", err)
	}
	return []interceptor.ClientInterceptor{linking{traced}}, nil
}

// linking is the SDK's interceptor, and more about messages to workflows. A
// decision is a call of its own with a trace of its own; a link to it is in the
// trace of the workflow that it came to, and one back. A message that is replayed
// was traced when it came.
type linking struct{ interceptor.Interceptor }

// InterceptWorkflow implements interceptor.WorkerInterceptor.
func (l linking) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	r := &linkedRun{}
	inner := &innerRun{interceptor.WorkflowInboundInterceptorBase{Next: next}, r}
	return &outerRun{interceptor.WorkflowInboundInterceptorBase{Next: l.Interceptor.InterceptWorkflow(ctx, inner)}, inner}
}

// linkedRun is what of a run links are made to. A workflow runs one goroutine at a
// time.
type linkedRun struct {
	span trace.Span
	// early are messages that were handled before the run had its span.
	early []trace.Span
}

func (r *linkedRun) link(message trace.Span) {
	if r.span == nil {
		r.early = append(r.early, message)
		return
	}
	message.AddLink(trace.Link{SpanContext: r.span.SpanContext()})
	r.span.AddLink(trace.Link{SpanContext: message.SpanContext()})
}

// outerRun is around the SDK's interceptor, innerRun within it.
type outerRun struct {
	interceptor.WorkflowInboundInterceptorBase
	inner *innerRun
}

// ExecuteUpdate implements interceptor.WorkflowInboundInterceptor.
func (r *outerRun) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	if workflow.IsReplaying(ctx) {
		return r.inner.Next.ExecuteUpdate(ctx, in)
	}
	return r.Next.ExecuteUpdate(ctx, in)
}

type innerRun struct {
	interceptor.WorkflowInboundInterceptorBase
	run *linkedRun
}

// ExecuteWorkflow implements interceptor.WorkflowInboundInterceptor.
func (r *innerRun) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if span, ok := opentelemetry.SpanFromWorkflowContext(ctx); ok {
		r.run.span = span
		for _, message := range r.run.early {
			r.run.link(message)
		}
		r.run.early = nil
	}
	return r.Next.ExecuteWorkflow(ctx, in)
}

// HandleSignal implements interceptor.WorkflowInboundInterceptor.
func (r *innerRun) HandleSignal(ctx workflow.Context, in *interceptor.HandleSignalInput) error {
	if span, ok := opentelemetry.SpanFromWorkflowContext(ctx); ok && !workflow.IsReplaying(ctx) {
		r.run.link(span)
	}
	return r.Next.HandleSignal(ctx, in)
}

// ExecuteUpdate implements interceptor.WorkflowInboundInterceptor.
func (r *innerRun) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	if span, ok := opentelemetry.SpanFromWorkflowContext(ctx); ok && !workflow.IsReplaying(ctx) {
		r.run.link(span)
	}
	return r.Next.ExecuteUpdate(ctx, in)
}
