package httpapi

import (
	"context"
	"time"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// tokenAnswer leaves the secret out where it is empty.
func (h *handlers) tokenAnswer(t lifecycle.OwnedClient, secret string) PersonalAccessToken {
	return PersonalAccessToken{
		ID: t.ID, Secret: optional(secret), Name: t.Name, Scope: textsOf(t.Scopes),
		Owner:   TokenOwner{Type: string(lifecycle.ReferenceIdentity), ID: t.Owner.ID, Name: t.Owner.Name},
		Created: Timestamp(t.Created), LastUsed: optional(Timestamp(t.LastUsed)),
		AccessTokenValiditySeconds: int64(h.tokenLifetime / time.Second),
	}
}

// clientAnswer leaves the secret out where it is empty. A client never changes.
func (h *handlers) clientAnswer(c lifecycle.Client, secret string) OAuthClient {
	return OAuthClient{
		ID: c.ID, Secret: optional(secret), Name: c.Name, Description: c.Description,
		GrantTypes: []string{"CLIENT_CREDENTIALS"}, AccessType: "OFFLINE", Type: "CONFIDENTIAL", Enabled: c.Active,
		Scope: textsOf(c.Scopes), Rights: textsOf(c.Rights),
		Created: Timestamp(c.Created), Modified: Timestamp(c.Created), LastUsed: optional(Timestamp(c.LastUsed)),
		AccessTokenValiditySeconds: int64(h.tokenLifetime / time.Second),
	}
}

// textsOf is never null in JSON.
func textsOf[T ~string](list []T) []string { return each(list, func(t T) string { return string(t) }) }

// ListPersonalAccessTokens answers GET /personal-access-tokens.
func (h *handlers) ListPersonalAccessTokens(ctx context.Context, r ListPersonalAccessTokensRequestObject) (ListPersonalAccessTokensResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	tokens, matches, err := h.service.ListTokens(ctx, c.actor, p.OwnerID,
		filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListPersonalAccessTokens200JSONResponse{
		Body:    each(tokens, func(t lifecycle.OwnedClient) PersonalAccessToken { return h.tokenAnswer(t, "") }),
		Headers: ListPersonalAccessTokens200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreatePersonalAccessToken answers POST /personal-access-tokens.
func (h *handlers) CreatePersonalAccessToken(ctx context.Context, _ CreatePersonalAccessTokenRequestObject) (CreatePersonalAccessTokenResponseObject, error) {
	ctx, c := callOf(ctx)
	token, secret, err := h.service.CreateToken(ctx, c.actor, c.body.token())
	if err != nil {
		return nil, err
	}
	return CreatePersonalAccessToken200JSONResponse(h.tokenAnswer(token, secret)), nil
}

// DeletePersonalAccessToken answers DELETE /personal-access-tokens/{id}.
func (h *handlers) DeletePersonalAccessToken(ctx context.Context, r DeletePersonalAccessTokenRequestObject) (DeletePersonalAccessTokenResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteToken(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeletePersonalAccessToken204Response{}, nil
}

// ListOauthClients answers GET /oauth-clients.
func (h *handlers) ListOauthClients(ctx context.Context, r ListOauthClientsRequestObject) (ListOauthClientsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	clients, matches, err := h.service.ListClients(ctx, c.actor, filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListOauthClients200JSONResponse{
		Body:    each(clients, func(c lifecycle.OwnedClient) OAuthClient { return h.clientAnswer(c.Client, "") }),
		Headers: ListOauthClients200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreateOauthClient answers POST /oauth-clients.
func (h *handlers) CreateOauthClient(ctx context.Context, _ CreateOauthClientRequestObject) (CreateOauthClientResponseObject, error) {
	ctx, c := callOf(ctx)
	client, secret, err := h.service.CreateClient(ctx, c.actor, c.body.client())
	if err != nil {
		return nil, err
	}
	return CreateOauthClient200JSONResponse(h.clientAnswer(client, secret)), nil
}

// GetOauthClient answers GET /oauth-clients/{id}.
func (h *handlers) GetOauthClient(ctx context.Context, r GetOauthClientRequestObject) (GetOauthClientResponseObject, error) {
	ctx, c := callOf(ctx)
	client, err := h.service.GetClient(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetOauthClient200JSONResponse(h.clientAnswer(client, "")), nil
}

// DeleteOauthClient answers DELETE /oauth-clients/{id}.
func (h *handlers) DeleteOauthClient(ctx context.Context, r DeleteOauthClientRequestObject) (DeleteOauthClientResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteClient(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteOauthClient204Response{}, nil
}
