package workflowclient

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// EnsureDelivery starts the workflow of a delivery, unless it runs.
func (w *Client) EnsureDelivery(ctx context.Context, delivery lifecycle.ID, channel lifecycle.DeliveryChannel) (started bool, err error) {
	return w.ensure(ctx, client.StartWorkflowOptions{
		ID:                    wire.DeliveryWorkflowID(delivery),
		TaskQueue:             wire.QueueDeliveries,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(wire.AttributeKind).ValueSet(wire.KindDelivery)),
		StaticSummary: "delivery " + delivery.String(),
	}, wire.WorkflowDelivery, wire.DeliveryInput{DeliveryID: delivery, Channel: channel})
}
