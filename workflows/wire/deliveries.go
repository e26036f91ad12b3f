package wire

import "gatehouse/lifecycle"

const (
	// QueueDeliveries serves the workflows of deliveries, and mails.
	QueueDeliveries = "gatehouse-deliveries"
	// QueueWebhooks serves webhooks, whose receivers may hang: no mail must stand in
	// line behind them.
	QueueWebhooks = "gatehouse-webhooks"
)

// WorkflowDelivery carries an event to one person or one endpoint.
const WorkflowDelivery = "DeliveryWorkflow"

// Activity names of deliveries.
const (
	ActivityDeliver        = "Deliver"
	ActivityGiveUpDelivery = "GiveUpDelivery"
)

// KindDelivery is the value of AttributeKind for deliveries.
const KindDelivery = "delivery"

// DeliveryWorkflowID is the id of the workflow that carries a delivery.
func DeliveryWorkflowID(delivery lifecycle.ID) string { return "delivery/" + delivery.String() }

// DeliveryInput starts a DeliveryWorkflow, and its activities.
type DeliveryInput struct {
	DeliveryID lifecycle.ID `json:"deliveryId"`
	// Channel is MAIL or WEBHOOK, and decides on the queue.
	Channel lifecycle.DeliveryChannel `json:"channel"`
}

// DeliveryResult is what became of a delivery.
type DeliveryResult struct {
	// Status is empty if the delivery is gone.
	Status lifecycle.DeliveryStatus `json:"status,omitempty"`
	// Fault is the code of what was wrong last; empty where it was delivered.
	Fault string `json:"fault,omitempty"`
}
