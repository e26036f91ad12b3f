package service

import (
	"context"
	"crypto/rand"
	"slices"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// WebhookStore keeps the endpoints of webhooks, and what became of deliveries.
type WebhookStore interface {
	// CreateWebhook adds an endpoint; KindLimit beyond lifecycle.MaxWebhookEndpoints.
	CreateWebhook(ctx context.Context, endpoint lifecycle.WebhookEndpoint) error
	// ListWebhooks returns all endpoints, the oldest first.
	ListWebhooks(ctx context.Context) ([]lifecycle.WebhookEndpoint, error)
	// GetWebhook, UpdateWebhook and DeleteWebhook are KindNotFound if there is none.
	GetWebhook(ctx context.Context, id lifecycle.ID) (lifecycle.WebhookEndpoint, error)
	UpdateWebhook(ctx context.Context, id lifecycle.ID, change func(*lifecycle.WebhookEndpoint) error) (lifecycle.WebhookEndpoint, error)
	DeleteWebhook(ctx context.Context, id lifecycle.ID) error
	// ListDeliveries returns a page, the newest first, and where q.Count the number
	// of matches.
	ListDeliveries(ctx context.Context, q lifecycle.DeliveryQuery) ([]lifecycle.Delivery, int, error)
	// ResendDelivery has a DEAD delivery tried again, ResendDeliveries all of an
	// endpoint. KindNotFound if there is none; KindIllegalUpdate if the delivery is
	// not DEAD, or the endpoint disabled.
	ResendDelivery(ctx context.Context, id lifecycle.ID) (lifecycle.Delivery, error)
	ResendDeliveries(ctx context.Context, endpoint lifecycle.ID) (int, error)
}

// ListWebhooks returns all endpoints, without their secrets.
func (s *Service) ListWebhooks(ctx context.Context, a policy.Actor) ([]lifecycle.WebhookEndpoint, error) {
	if err := policy.Enter(policy.ListWebhooks, a); err != nil {
		return nil, err
	}
	return s.store.ListWebhooks(ctx)
}

// CreateWebhook makes an endpoint and returns it with its secret, which nobody can
// be told again.
func (s *Service) CreateWebhook(ctx context.Context, a policy.Actor, in lifecycle.WebhookInput) (lifecycle.WebhookEndpoint, error) {
	if err := policy.Enter(policy.CreateWebhook, a); err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	endpoint, faults := in.Judge(s.settings.WebhookHTTP)
	if err := faults.Err(); err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	endpoint.ID, endpoint.Secret = lifecycle.NewID(), make([]byte, lifecycle.WebhookSecretBytes)
	_, _ = rand.Read(endpoint.Secret)
	endpoint.Created = s.now()
	endpoint.Modified = endpoint.Created
	return endpoint, s.store.CreateWebhook(ctx, endpoint)
}

// GetWebhook returns an endpoint.
func (s *Service) GetWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.WebhookEndpoint, error) {
	if err := policy.Enter(policy.GetWebhook, a); err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	endpoint, err := s.store.GetWebhook(ctx, id)
	return endpoint, admit(policy.GetWebhook, a, policy.Relations{}, err)
}

// UpdateWebhook replaces everything of an endpoint but its secret.
func (s *Service) UpdateWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.WebhookInput) (lifecycle.WebhookEndpoint, error) {
	if err := policy.Enter(policy.UpdateWebhook, a); err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	want, faults := in.Judge(s.settings.WebhookHTTP)
	endpoint, err := s.store.UpdateWebhook(ctx, id, func(e *lifecycle.WebhookEndpoint) error {
		if err := faults.Err(); err != nil {
			return err
		}
		if want.Enabled {
			e.Reason = ""
		}
		e.URL, e.Events, e.Enabled = want.URL, want.Events, want.Enabled
		return nil
	})
	return endpoint, goneSince(policy.UpdateWebhook, a, err)
}

// DeleteWebhook removes an endpoint with its deliveries.
func (s *Service) DeleteWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	if err := policy.Enter(policy.DeleteWebhook, a); err != nil {
		return err
	}
	return goneSince(policy.DeleteWebhook, a, s.store.DeleteWebhook(ctx, id))
}

// DeliveryParams narrow the list of deliveries; nil is absent.
type DeliveryParams struct {
	Status, Event, Channel, Webhook *string
}

// ListDeliveries returns a page of deliveries, the newest first, and where p.Count
// how many there are.
func (s *Service) ListDeliveries(ctx context.Context, a policy.Actor, p filter.Params, narrow DeliveryParams) ([]lifecycle.Delivery, int, error) {
	if err := policy.Enter(policy.ListDeliveries, a); err != nil {
		return nil, 0, err
	}
	page, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	q, err := narrow.judge()
	if err != nil {
		return nil, 0, err
	}
	q.Limit, q.Offset, q.Count = page.Limit, page.Offset, page.Count
	return s.store.ListDeliveries(ctx, q)
}

func (p DeliveryParams) judge() (lifecycle.DeliveryQuery, error) {
	var (
		q      lifecycle.DeliveryQuery
		faults lifecycle.Faults
	)
	choose := func(name string, value *string, among ...string) string {
		if value == nil {
			return ""
		}
		if !slices.Contains(among, *value) {
			faults.Add(lifecycle.KindIllegalValue, name, name+" is none that there is")
		}
		return *value
	}
	q.Status = lifecycle.DeliveryStatus(choose("status", p.Status,
		string(lifecycle.DeliveryPending), string(lifecycle.DeliveryDelivered), string(lifecycle.DeliveryDead)))
	q.Channel = lifecycle.DeliveryChannel(choose("channel", p.Channel, string(lifecycle.ByMail), string(lifecycle.ByWebhook)))
	events := lifecycle.EventTypes()
	names := make([]string, len(events))
	for i, event := range events {
		names[i] = string(event)
	}
	q.Event = lifecycle.EventType(choose("event", p.Event, names...))
	if p.Webhook != nil {
		var err error
		if q.Endpoint, err = lifecycle.ParseID(*p.Webhook); err != nil {
			faults.Add(lifecycle.KindIllegalValue, "webhook", "webhook is no id")
		}
	}
	return q, faults.Err()
}

// ResendDelivery has a delivery that is DEAD tried again.
func (s *Service) ResendDelivery(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Delivery, error) {
	if err := policy.Enter(policy.ResendDelivery, a); err != nil {
		return lifecycle.Delivery{}, err
	}
	delivery, err := s.store.ResendDelivery(ctx, id)
	return delivery, goneSince(policy.ResendDelivery, a, err)
}

// ResendDeliveries has all deliveries of an endpoint that are DEAD tried again, and
// returns how many those are.
func (s *Service) ResendDeliveries(ctx context.Context, a policy.Actor, endpoint lifecycle.ID) (int, error) {
	if err := policy.Enter(policy.ResendDeliveries, a); err != nil {
		return 0, err
	}
	count, err := s.store.ResendDeliveries(ctx, endpoint)
	return count, goneSince(policy.ResendDeliveries, a, err)
}
