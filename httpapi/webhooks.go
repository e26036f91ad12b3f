package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/service"
)

// webhookAnswer leaves the secret out where it is empty.
func webhookAnswer(e lifecycle.WebhookEndpoint, secret string) Webhook {
	return Webhook{
		ID: e.ID, Secret: optional(secret), URL: e.URL, Events: textsOf(e.Events), Enabled: e.Enabled, Reason: e.Reason,
		Created: Timestamp(e.Created), Modified: Timestamp(e.Modified),
	}
}

func deliveryAnswer(d lifecycle.Delivery) Delivery {
	return Delivery{
		ID: d.ID, EventID: d.EventID, Event: string(d.Event), Channel: d.Channel,
		RecipientID: optional(d.Recipient), WebhookID: optional(d.Endpoint), Status: d.Status,
		Attempts: d.Attempts, Doubtful: d.Doubts, Fault: d.Fault,
		Created: Timestamp(d.Created), Modified: Timestamp(d.Modified), Delivered: optional(Timestamp(d.Delivered)),
	}
}

// ListWebhooks answers GET /webhooks.
func (h *handlers) ListWebhooks(ctx context.Context, _ ListWebhooksRequestObject) (ListWebhooksResponseObject, error) {
	ctx, c := callOf(ctx)
	endpoints, err := h.service.ListWebhooks(ctx, c.actor)
	if err != nil {
		return nil, err
	}
	return ListWebhooks200JSONResponse(each(endpoints, func(e lifecycle.WebhookEndpoint) Webhook { return webhookAnswer(e, "") })), nil
}

// CreateWebhook answers POST /webhooks.
func (h *handlers) CreateWebhook(ctx context.Context, _ CreateWebhookRequestObject) (CreateWebhookResponseObject, error) {
	ctx, c := callOf(ctx)
	endpoint, err := h.service.CreateWebhook(ctx, c.actor, c.body.webhook())
	if err != nil {
		return nil, err
	}
	return CreateWebhook200JSONResponse(webhookAnswer(endpoint, lifecycle.WebhookSecret(endpoint.Secret))), nil
}

// GetWebhook answers GET /webhooks/{id}.
func (h *handlers) GetWebhook(ctx context.Context, r GetWebhookRequestObject) (GetWebhookResponseObject, error) {
	ctx, c := callOf(ctx)
	endpoint, err := h.service.GetWebhook(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetWebhook200JSONResponse(webhookAnswer(endpoint, "")), nil
}

// UpdateWebhook answers PUT /webhooks/{id}.
func (h *handlers) UpdateWebhook(ctx context.Context, r UpdateWebhookRequestObject) (UpdateWebhookResponseObject, error) {
	ctx, c := callOf(ctx)
	endpoint, err := h.service.UpdateWebhook(ctx, c.actor, r.ID, c.body.webhook())
	if err != nil {
		return nil, err
	}
	return UpdateWebhook200JSONResponse(webhookAnswer(endpoint, "")), nil
}

// DeleteWebhook answers DELETE /webhooks/{id}.
func (h *handlers) DeleteWebhook(ctx context.Context, r DeleteWebhookRequestObject) (DeleteWebhookResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteWebhook(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteWebhook204Response{}, nil
}

// ResendWebhookDeliveries answers POST /webhooks/{id}/resend.
func (h *handlers) ResendWebhookDeliveries(ctx context.Context, r ResendWebhookDeliveriesRequestObject) (ResendWebhookDeliveriesResponseObject, error) {
	ctx, c := callOf(ctx)
	count, err := h.service.ResendDeliveries(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return ResendWebhookDeliveries200JSONResponse{Resent: count}, nil
}

// ListDeliveries answers GET /deliveries.
func (h *handlers) ListDeliveries(ctx context.Context, r ListDeliveriesRequestObject) (ListDeliveriesResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	deliveries, matches, err := h.service.ListDeliveries(ctx, c.actor, filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count},
		service.DeliveryParams{Status: p.Status, Event: p.Event, Channel: p.Channel, Webhook: p.Webhook})
	if err != nil {
		return nil, err
	}
	return ListDeliveries200JSONResponse{
		Body:    each(deliveries, deliveryAnswer),
		Headers: ListDeliveries200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// ResendDelivery answers POST /deliveries/{id}/resend.
func (h *handlers) ResendDelivery(ctx context.Context, r ResendDeliveryRequestObject) (ResendDeliveryResponseObject, error) {
	ctx, c := callOf(ctx)
	delivery, err := h.service.ResendDelivery(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return ResendDelivery200JSONResponse(deliveryAnswer(delivery)), nil
}
