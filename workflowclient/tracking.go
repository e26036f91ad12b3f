package workflowclient

import (
	"context"
	"regexp"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// tracking carries the tracking id of a call on to the workflows that it starts
// or sends something to, and from there to their steps: with the origin in the
// context of Go, under trackingKey in that of a workflow. It never fails, since
// whoever may write to the namespace may send any header: what is no tracking id
// is left behind.
type tracking struct{}

type trackingKey struct{}

// trackingPattern is the form of a tracking id (contract §3).
var trackingPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Inject implements workflow.ContextPropagator.
func (tracking) Inject(ctx context.Context, header workflow.HeaderWriter) error {
	return write(header, lifecycle.OriginOf(ctx).TrackingID)
}

// InjectFromWorkflow implements workflow.ContextPropagator.
func (tracking) InjectFromWorkflow(ctx workflow.Context, header workflow.HeaderWriter) error {
	id, _ := ctx.Value(trackingKey{}).(string)
	return write(header, id)
}

// Extract implements workflow.ContextPropagator.
func (tracking) Extract(ctx context.Context, header workflow.HeaderReader) (context.Context, error) {
	if id := read(header); id != "" {
		ctx = lifecycle.WithOrigin(ctx, lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, TrackingID: id})
	}
	return ctx, nil
}

// ExtractToWorkflow implements workflow.ContextPropagator. What a message does is
// of its own call, or of nobody's; the rest is of the call that started the
// workflow.
func (tracking) ExtractToWorkflow(ctx workflow.Context, header workflow.HeaderReader) (workflow.Context, error) {
	return workflow.WithValue(ctx, trackingKey{}, read(header)), nil
}

func write(header workflow.HeaderWriter, id string) error {
	if !trackingPattern.MatchString(id) {
		return nil
	}
	payload, err := converter.GetDefaultDataConverter().ToPayload(id)
	if err != nil {
		return err
	}
	header.Set(wire.HeaderTrackingID, payload)
	return nil
}

// read returns nothing for a header without a tracking id.
func read(header workflow.HeaderReader) string {
	payload, ok := header.Get(wire.HeaderTrackingID)
	if !ok {
		return ""
	}
	var id string
	if converter.GetDefaultDataConverter().FromPayload(payload, &id) != nil || !trackingPattern.MatchString(id) {
		return ""
	}
	return id
}

// memo is what a workflow that ctx starts remembers of that; nil where no call is
// behind it.
func memo(ctx context.Context) map[string]any {
	id := lifecycle.OriginOf(ctx).TrackingID
	if !trackingPattern.MatchString(id) {
		return nil
	}
	return map[string]any{wire.MemoTrackingID: id}
}
