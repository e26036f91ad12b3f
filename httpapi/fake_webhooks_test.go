package httpapi_test

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

var (
	aWebhook = lifecycle.WebhookEndpoint{
		ID: objectID, URL: "https://hooks.example.com/gatehouse", Secret: []byte("0123456789abcdef0123456789abcdef"),
		Events: []lifecycle.EventType{lifecycle.EventReminder}, Enabled: true, Created: now, Modified: now,
	}
	aDelivery = lifecycle.Delivery{
		ID: objectID, EventID: objectID, Event: lifecycle.EventReminder, Channel: lifecycle.ByWebhook, Endpoint: objectID,
		Status: lifecycle.DeliveryDead, Attempts: 12, Fault: lifecycle.FaultTimeout, Created: now, Modified: now,
	}
)

// webhooks is what a fake remembers of calls about webhooks and deliveries.
type webhooks struct {
	endpoint lifecycle.WebhookInput
	narrow   service.DeliveryParams
}

func (f *fake) ListWebhooks(ctx context.Context, a policy.Actor) ([]lifecycle.WebhookEndpoint, error) {
	return []lifecycle.WebhookEndpoint{aWebhook}, f.asked(ctx, a)
}

func (f *fake) CreateWebhook(ctx context.Context, a policy.Actor, in lifecycle.WebhookInput) (lifecycle.WebhookEndpoint, error) {
	f.webhooks.endpoint = in
	return aWebhook, f.asked(ctx, a)
}

func (f *fake) GetWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.WebhookEndpoint, error) {
	f.id = id
	return aWebhook, f.asked(ctx, a)
}

func (f *fake) UpdateWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.WebhookInput) (lifecycle.WebhookEndpoint, error) {
	f.id, f.webhooks.endpoint = id, in
	return aWebhook, f.asked(ctx, a)
}

func (f *fake) DeleteWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	f.id = id
	return f.asked(ctx, a)
}

func (f *fake) ListDeliveries(ctx context.Context, a policy.Actor, p filter.Params, narrow service.DeliveryParams) ([]lifecycle.Delivery, int, error) {
	f.params, f.webhooks.narrow = p, narrow
	return page(f, aDelivery, f.asked(ctx, a))
}

func (f *fake) ResendDelivery(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Delivery, error) {
	f.id = id
	return aDelivery, f.asked(ctx, a)
}

func (f *fake) ResendDeliveries(ctx context.Context, a policy.Actor, endpoint lifecycle.ID) (int, error) {
	f.id = endpoint
	return 3, f.asked(ctx, a)
}
