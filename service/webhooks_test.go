package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// webhookRows is a store of one endpoint that notes what it is asked.
type webhookRows struct {
	Store
	endpoint lifecycle.WebhookEndpoint
	calls    []string
	query    lifecycle.DeliveryQuery
}

func (r *webhookRows) asked(call string) { r.calls = append(r.calls, call) }

func (r *webhookRows) CreateWebhook(_ context.Context, endpoint lifecycle.WebhookEndpoint) error {
	r.asked("CreateWebhook")
	r.endpoint = endpoint
	return nil
}

func (r *webhookRows) ListWebhooks(context.Context) ([]lifecycle.WebhookEndpoint, error) {
	r.asked("ListWebhooks")
	return []lifecycle.WebhookEndpoint{r.endpoint}, nil
}

func (r *webhookRows) GetWebhook(_ context.Context, id lifecycle.ID) (lifecycle.WebhookEndpoint, error) {
	r.asked("GetWebhook")
	if id != r.endpoint.ID {
		return lifecycle.WebhookEndpoint{}, policy.ErrNotFound
	}
	return r.endpoint, nil
}

func (r *webhookRows) UpdateWebhook(ctx context.Context, id lifecycle.ID, change func(*lifecycle.WebhookEndpoint) error) (lifecycle.WebhookEndpoint, error) {
	endpoint, err := r.GetWebhook(ctx, id)
	if err == nil {
		err = change(&endpoint)
	}
	if err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	r.endpoint = endpoint
	return endpoint, nil
}

func (r *webhookRows) DeleteWebhook(ctx context.Context, id lifecycle.ID) error {
	_, err := r.GetWebhook(ctx, id)
	return err
}

func (r *webhookRows) ListDeliveries(_ context.Context, q lifecycle.DeliveryQuery) ([]lifecycle.Delivery, int, error) {
	r.asked("ListDeliveries")
	r.query = q
	return nil, 0, nil
}

func (r *webhookRows) ResendDelivery(ctx context.Context, id lifecycle.ID) (lifecycle.Delivery, error) {
	_, err := r.GetWebhook(ctx, id)
	return lifecycle.Delivery{}, err
}

func (r *webhookRows) ResendDeliveries(ctx context.Context, id lifecycle.ID) (int, error) {
	_, err := r.GetWebhook(ctx, id)
	return 1, err
}

func TestWebhooksAreTheAdministrators(t *testing.T) {
	t.Parallel()
	store := &webhookRows{endpoint: lifecycle.WebhookEndpoint{ID: lifecycle.NewID()}}
	s := newService(store, nil)
	calls := func(a policy.Actor, id lifecycle.ID) map[string]error {
		all := map[string]error{}
		_, all["list"] = s.ListWebhooks(t.Context(), a)
		_, all["create"] = s.CreateWebhook(t.Context(), a, lifecycle.WebhookInput{})
		_, all["get"] = s.GetWebhook(t.Context(), a, id)
		_, all["update"] = s.UpdateWebhook(t.Context(), a, id, lifecycle.WebhookInput{URL: new("https://example.com")})
		all["delete"] = s.DeleteWebhook(t.Context(), a, id)
		_, _, all["deliveries"] = s.ListDeliveries(t.Context(), a, filter.Params{}, DeliveryParams{})
		_, all["resend"] = s.ResendDelivery(t.Context(), a, id)
		_, all["resend all"] = s.ResendDeliveries(t.Context(), a, id)
		return all
	}
	app := policy.Actor{ClientID: "app", Scopes: []string{lifecycle.ScopeAll}, Rights: []lifecycle.Right{lifecycle.RightRead, lifecycle.RightCreate, lifecycle.RightUpdate, lifecycle.RightDelete}}
	for _, actor := range []policy.Actor{user(neighbour), user(neighbour, lifecycle.LevelSourceAdmin), app} {
		for name, err := range calls(actor, store.endpoint.ID) {
			require.Equal(t, lifecycle.KindForbidden, lifecycle.KindOf(err), name)
		}
	}
	require.Empty(t, store.calls, "nothing is looked up for them")
	for name, err := range calls(orgAdmin(), store.endpoint.ID) {
		if name != "create" {
			require.NoError(t, err, name)
		}
	}
	for name, err := range calls(orgAdmin(), lifecycle.NewID()) {
		switch name {
		case "list", "deliveries":
			require.NoError(t, err)
		case "create":
			require.Equal(t, lifecycle.KindRequired, lifecycle.KindOf(err))
		default:
			require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(err), name)
		}
	}
}

func TestAnEndpointIsJudged(t *testing.T) {
	t.Parallel()
	store := &webhookRows{}
	s := newService(store, nil)
	made, err := s.CreateWebhook(t.Context(), orgAdmin(), lifecycle.WebhookInput{
		URL: new("https://hooks.example.com"), Events: []string{"reminder", "expired", "reminder"},
	})
	require.NoError(t, err)
	require.Equal(t, store.endpoint, made)
	require.Len(t, made.Secret, lifecycle.WebhookSecretBytes)
	require.True(t, made.Enabled)
	require.Equal(t, []lifecycle.EventType{lifecycle.EventExpired, lifecycle.EventReminder}, made.Events)
	other, err := s.CreateWebhook(t.Context(), orgAdmin(), lifecycle.WebhookInput{URL: new("https://hooks.example.com")})
	require.NoError(t, err)
	require.NotEqual(t, made.Secret, other.Secret)

	for url, says := range map[string]string{"http://hooks.example.com": "https", "nonsense": "a URL like"} {
		_, err = s.CreateWebhook(t.Context(), orgAdmin(), lifecycle.WebhookInput{URL: &url, Events: []string{"party"}})
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "no event's", "all faults at once")
	}
	s.settings.WebhookHTTP = true
	_, err = s.CreateWebhook(t.Context(), orgAdmin(), lifecycle.WebhookInput{URL: new("http://hooks.example.com")})
	require.NoError(t, err)

	store.endpoint.Enabled, store.endpoint.Reason = false, lifecycle.FaultGone
	secret := store.endpoint.Secret
	changed, err := s.UpdateWebhook(t.Context(), orgAdmin(), store.endpoint.ID, lifecycle.WebhookInput{URL: new("https://other.example.com")})
	require.NoError(t, err)
	require.Equal(t, []any{"https://other.example.com", true, "", secret}, []any{changed.URL, changed.Enabled, changed.Reason, changed.Secret})
	_, err = s.UpdateWebhook(t.Context(), orgAdmin(), store.endpoint.ID, lifecycle.WebhookInput{URL: new("nonsense")})
	require.Error(t, err)
	require.Equal(t, changed, store.endpoint)
}

func TestDeliveriesAreNarrowedByWhatThereIs(t *testing.T) {
	t.Parallel()
	store := &webhookRows{}
	s := newService(store, nil)
	id := lifecycle.NewID()
	_, _, err := s.ListDeliveries(t.Context(), orgAdmin(), filter.Params{Limit: new(3), Offset: new(4), Count: new(true)}, DeliveryParams{
		Status: new("DEAD"), Event: new("reminder"), Channel: new("WEBHOOK"), Webhook: new(id.String()),
	})
	require.NoError(t, err)
	require.Equal(t, lifecycle.DeliveryQuery{
		Status: lifecycle.DeliveryDead, Event: lifecycle.EventReminder, Channel: lifecycle.ByWebhook, Endpoint: id, Limit: 3, Offset: 4, Count: true,
	}, store.query)
	for _, wrong := range []DeliveryParams{{Status: new("dead")}, {Event: new("party")}, {Channel: new("")}, {Webhook: new("x")}} {
		_, _, err := s.ListDeliveries(t.Context(), orgAdmin(), filter.Params{}, wrong)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
	}
	_, _, err = s.ListDeliveries(t.Context(), orgAdmin(), filter.Params{Limit: new(251)}, DeliveryParams{})
	require.Error(t, err)
}
