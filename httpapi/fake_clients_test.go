package httpapi_test

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

var (
	aToken = lifecycle.OwnedClient{
		Client: lifecycle.Client{
			ID: "a-token", Name: "Laptop", SecretHash: []byte("hash"), IdentityID: person,
			Scopes: []string{lifecycle.ScopeRead}, Active: true, Created: now, LastUsed: now,
		},
		Owner: lifecycle.Identity{ID: person, Alias: "jane.doe", Name: "Jane Doe"},
	}
	aClient = lifecycle.Client{
		ID: "a-client", Name: "App", SecretHash: []byte("hash"), Rights: []lifecycle.Right{lifecycle.RightRead},
		Active: true, Created: now,
	}
)

// clients is what a fake remembers of calls about tokens and clients.
type clients struct {
	ownerID  *string
	clientID string
	token    lifecycle.TokenInput
	client   lifecycle.ClientInput
}

func (f *fake) ListTokens(ctx context.Context, a policy.Actor, ownerID *string, p filter.Params) ([]lifecycle.OwnedClient, int, error) {
	f.ownerID, f.params = ownerID, p
	return page(f, aToken, f.asked(ctx, a))
}

func (f *fake) CreateToken(ctx context.Context, a policy.Actor, in lifecycle.TokenInput) (lifecycle.OwnedClient, string, error) {
	f.token = in
	token := aToken
	token.LastUsed = lifecycle.Client{}.LastUsed
	return token, "s3cret", f.asked(ctx, a)
}

func (f *fake) DeleteToken(ctx context.Context, a policy.Actor, id string) error {
	f.clientID = id
	return f.asked(ctx, a)
}

func (f *fake) ListClients(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.OwnedClient, int, error) {
	f.params = p
	return page(f, lifecycle.OwnedClient{Client: aClient}, f.asked(ctx, a))
}

func (f *fake) CreateClient(ctx context.Context, a policy.Actor, in lifecycle.ClientInput) (lifecycle.Client, string, error) {
	f.client = in
	return aClient, "s3cret", f.asked(ctx, a)
}

func (f *fake) GetClient(ctx context.Context, a policy.Actor, id string) (lifecycle.Client, error) {
	f.clientID = id
	return aClient, f.asked(ctx, a)
}

func (f *fake) DeleteClient(ctx context.Context, a policy.Actor, id string) error {
	f.clientID = id
	return f.asked(ctx, a)
}
