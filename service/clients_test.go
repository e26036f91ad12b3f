package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// clientRows is a store of clients that notes what it is asked.
type clientRows struct {
	Store
	clients  map[string]lifecycle.Client
	identity lifecycle.Identity
	created  []lifecycle.Client
	calls    []string
	reach    policy.Reach
	query    filter.Query
	fault    error
}

func (r *clientRows) ResolveIdentities(_ context.Context, references []string) (map[string]lifecycle.Identity, error) {
	r.calls = append(r.calls, "ResolveIdentities")
	return map[string]lifecycle.Identity{references[0]: r.identity}, nil
}

func (r *clientRows) CreateClient(_ context.Context, client lifecycle.Client) error {
	r.calls = append(r.calls, "CreateClient")
	r.created = append(r.created, client)
	return r.fault
}

func (r *clientRows) GetClient(_ context.Context, id string) (lifecycle.Client, lifecycle.Identity, error) {
	r.calls = append(r.calls, "GetClient")
	client, ok := r.clients[id]
	if !ok {
		return lifecycle.Client{}, lifecycle.Identity{}, policy.ErrNotFound
	}
	return client, lifecycle.Identity{ID: client.IdentityID}, nil
}

func (r *clientRows) ListPersonalTokens(_ context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.OwnedClient, int, error) {
	r.calls, r.reach, r.query = append(r.calls, "ListPersonalTokens"), reach, q
	return nil, 3, nil
}

func (r *clientRows) ListApplications(_ context.Context, q filter.Query) ([]lifecycle.OwnedClient, int, error) {
	r.calls, r.query = append(r.calls, "ListApplications"), q
	return nil, 3, nil
}

func (r *clientRows) DeletePersonalToken(_ context.Context, id string, owner lifecycle.ID) error {
	r.calls = append(r.calls, "DeletePersonalToken "+id+" of "+owner.String())
	return r.fault
}

func (r *clientRows) DeleteApplication(_ context.Context, id string) error {
	r.calls = append(r.calls, "DeleteApplication "+id)
	return r.fault
}

var (
	minter    = lifecycle.MustParseID("0b4c7a52-0e2f-4a58-9d3a-0d8d5b1e7f01")
	neighbour = lifecycle.MustParseID("0b4c7a52-0e2f-4a58-9d3a-0d8d5b1e7f02")
)

func minting(scopes ...string) policy.Actor {
	return policy.Actor{ClientID: "pat", IdentityID: minter, Scopes: scopes}
}

func orgAdmin() policy.Actor {
	return policy.Actor{
		ClientID: "admin", IdentityID: neighbour, Scopes: []string{lifecycle.ScopeAll}, Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin},
	}
}

func newClientService(store *clientRows) *Service {
	s := newService(store, nil)
	s.settings.NewSecret = func() (string, []byte, error) { return "secret", []byte("hash"), nil }
	return s
}

func TestATokenIsItsMakersAndNeverMore(t *testing.T) {
	t.Parallel()
	store := &clientRows{identity: lifecycle.Identity{ID: minter, Name: "Jane"}}
	s := newClientService(store)
	token, secret, err := s.CreateToken(t.Context(), minting(lifecycle.ScopeManage), lifecycle.TokenInput{Name: new(" Laptop ")})
	require.NoError(t, err)
	require.Equal(t, "secret", secret)
	require.Equal(t, store.identity, token.Owner)
	require.Equal(t, store.created[0], token.Client)
	require.Regexp(t, "^[0-9a-f]{32}$", token.ID)
	require.Equal(t, lifecycle.Client{
		ID: token.ID, Name: "Laptop", SecretHash: []byte("hash"), IdentityID: minter,
		Scopes: []string{lifecycle.ScopeManage}, Active: true, Created: token.Created,
	}, token.Client, "without scopes it has those of the token that asks")

	token, _, err = s.CreateToken(t.Context(), minting(lifecycle.ScopeAll),
		lifecycle.TokenInput{Name: new("T"), Scopes: []string{lifecycle.ScopeRead}})
	require.NoError(t, err)
	require.Equal(t, []string{lifecycle.ScopeRead}, token.Scopes)

	made := len(store.created)
	for name, test := range map[string]struct {
		actor policy.Actor
		in    lifecycle.TokenInput
		kind  lifecycle.Kind
		text  string
	}{
		"more than the token that asks": {minting(lifecycle.ScopeManage), lifecycle.TokenInput{Name: new("T"), Scopes: []string{lifecycle.ScopeAll}},
			lifecycle.KindIllegalValue, "scope[0] goes beyond the token that asks;"},
		"another scope too": {minting(lifecycle.ScopeManage), lifecycle.TokenInput{Name: new("T"), Scopes: []string{lifecycle.ScopeManage, lifecycle.ScopeRead}},
			lifecycle.KindIllegalValue, "scope[1] goes beyond the token that asks;"},
		"no scope there is": {minting(lifecycle.ScopeAll), lifecycle.TokenInput{Name: new("T"), Scopes: []string{"x"}},
			lifecycle.KindIllegalValue, "scope[0] must be " + lifecycle.ScopeNames + ";"},
		"an empty list": {minting(lifecycle.ScopeAll), lifecycle.TokenInput{Name: new("T"), Scopes: []string{}},
			lifecycle.KindRequired, "scope is required;"},
		"no name": {minting(lifecycle.ScopeAll), lifecycle.TokenInput{}, lifecycle.KindRequired, "name is required;"},
		"a long list": {minting(lifecycle.ScopeAll), lifecycle.TokenInput{Name: new("T"), Scopes: make([]string, 21)},
			lifecycle.KindIllegalValue, "scope must not have more than 20 elements;"},
		"an application": {policy.Actor{ClientID: "app", Scopes: []string{lifecycle.ScopeAll}, Rights: []lifecycle.Right{lifecycle.RightCreate}},
			lifecycle.TokenInput{}, lifecycle.KindForbidden, policy.ErrForbidden.Message},
		"without the scope": {minting(lifecycle.ScopeRead), lifecycle.TokenInput{}, lifecycle.KindForbidden, policy.ErrForbidden.Message},
	} {
		_, secret, err := s.CreateToken(t.Context(), test.actor, test.in)
		require.Empty(t, secret, name)
		require.Equal(t, test.kind, lifecycle.KindOf(err), name)
		require.EqualError(t, err, test.kind.String()+": "+test.text, name)
	}
	store.identity.Levels = []lifecycle.Level{lifecycle.LevelOrgAdmin}
	_, _, err = s.CreateToken(t.Context(), minting(lifecycle.ScopeAll), lifecycle.TokenInput{Name: new("T")})
	require.Equal(t, policy.ErrForbidden, err, "whose token has not the level that its identity's row would give")
	require.Len(t, store.created, made)

	store.identity.Levels, store.fault = nil, lifecycle.TooManyTokens()
	_, _, err = s.CreateToken(t.Context(), minting(lifecycle.ScopeAll), lifecycle.TokenInput{Name: new("T")})
	require.Equal(t, lifecycle.KindLimit, lifecycle.KindOf(err))
}

func TestATokenIsRevokedByItsOwnerAndTheAdministrator(t *testing.T) {
	t.Parallel()
	store := &clientRows{clients: map[string]lifecycle.Client{
		"mine": {ID: "mine", IdentityID: minter}, "theirs": {ID: "theirs", IdentityID: neighbour}, "app": {ID: "app"},
	}}
	s := newClientService(store)
	me := minting(lifecycle.ScopeManage)
	require.NoError(t, s.DeleteToken(t.Context(), me, "mine"))
	require.Equal(t, []string{"GetClient", "DeletePersonalToken mine of " + minter.String()}, store.calls)
	require.NoError(t, s.DeleteToken(t.Context(), orgAdmin(), "mine"))
	for _, id := range []string{"theirs", "app", "nothing"} {
		store.calls = nil
		require.Equal(t, policy.ErrForbidden, s.DeleteToken(t.Context(), me, id), id)
		require.Equal(t, []string{"GetClient"}, store.calls, "%s: alike, whether it is another's or is not", id)
	}
	for _, id := range []string{"app", "nothing"} {
		require.Equal(t, policy.ErrNotFound, s.DeleteToken(t.Context(), orgAdmin(), id), id)
	}
	for _, id := range []string{"", "a b", "a/b", "ü"} {
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(s.DeleteToken(t.Context(), policy.Actor{}, id)), id)
	}
	store.fault = policy.ErrNotFound
	require.Equal(t, policy.ErrForbidden, s.DeleteToken(t.Context(), me, "mine"), "gone since")
}

func TestTokensAreListedAsFarAsTheyAreTheCallers(t *testing.T) {
	t.Parallel()
	store := &clientRows{}
	s := newClientService(store)
	_, matches, err := s.ListTokens(t.Context(), minting(lifecycle.ScopeRead), nil, filter.Params{Limit: new(7), Count: new(true)})
	require.NoError(t, err)
	require.Equal(t, 3, matches)
	require.Equal(t, policy.Reach{OwnedBy: minter}, store.reach)
	require.Equal(t, filter.Query{Limit: 7, Count: true}, store.query)
	_, _, err = s.ListTokens(t.Context(), minting(lifecycle.ScopeRead), new(neighbour.String()), filter.Params{})
	require.Equal(t, policy.ErrForbidden, err)
	_, _, err = s.ListTokens(t.Context(), orgAdmin(), nil, filter.Params{Limit: new(251)})
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
	require.Len(t, store.calls, 1)
}

func TestClientsAreTheAdministrators(t *testing.T) {
	t.Parallel()
	store := &clientRows{clients: map[string]lifecycle.Client{"app": {ID: "app"}, "token": {ID: "token", IdentityID: minter}}}
	s := newClientService(store)
	for name, actor := range map[string]policy.Actor{
		"anybody":                minting(lifecycle.ScopeAll),
		"a source administrator": {IdentityID: minter, Scopes: []string{lifecycle.ScopeAll}, Levels: []lifecycle.Level{lifecycle.LevelSourceAdmin}},
		"an application with all rights": {ClientID: "app", Scopes: []string{lifecycle.ScopeAll}, Rights: []lifecycle.Right{
			lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete,
		}},
	} {
		_, _, err := s.ListClients(t.Context(), actor, filter.Params{})
		require.Equal(t, policy.ErrForbidden, err, name)
		_, _, err = s.CreateClient(t.Context(), actor, lifecycle.ClientInput{})
		require.Equal(t, policy.ErrForbidden, err, name)
		for _, id := range []string{"app", "token", "nothing"} {
			_, err = s.GetClient(t.Context(), actor, id)
			require.Equal(t, policy.ErrForbidden, err, name)
			require.Equal(t, policy.ErrForbidden, s.DeleteClient(t.Context(), actor, id), name)
		}
	}
	require.Empty(t, store.calls)

	client, secret, err := s.CreateClient(t.Context(), orgAdmin(), lifecycle.ClientInput{
		Name: new("App"), Description: new("d"), Rights: []string{string(lifecycle.RightRead)}, GrantTypes: []string{"CLIENT_CREDENTIALS"},
	})
	require.NoError(t, err)
	require.Equal(t, "secret", secret)
	require.Equal(t, lifecycle.Client{
		ID: client.ID, Name: "App", Description: "d", SecretHash: []byte("hash"), Rights: []lifecycle.Right{lifecycle.RightRead},
		Scopes: []string{lifecycle.ScopeAll}, Active: true, Created: client.Created,
	}, client)
	client, _, err = s.CreateClient(t.Context(), orgAdmin(), lifecycle.ClientInput{Name: new("Off"), Enabled: new(false)})
	require.NoError(t, err)
	require.False(t, client.Active)
	require.Empty(t, client.Rights)
	_, _, err = s.CreateClient(t.Context(), orgAdmin(), lifecycle.ClientInput{
		Rights: []string{"ORG_ADMIN"}, GrantTypes: []string{"AUTHORIZATION_CODE"},
	})
	require.EqualError(t, err, "bad_request: name is required; rights[0] must be "+lifecycle.RightNames+"; grantTypes[0] must be CLIENT_CREDENTIALS;")
	narrow := orgAdmin()
	narrow.Scopes = []string{lifecycle.ScopeManage}
	_, _, err = s.CreateClient(t.Context(), narrow, lifecycle.ClientInput{Name: new("App"), Scopes: []string{lifecycle.ScopeAll}})
	require.EqualError(t, err, "illegal_value: scope[0] goes beyond the token that asks;")

	got, err := s.GetClient(t.Context(), orgAdmin(), "app")
	require.NoError(t, err)
	require.Equal(t, "app", got.ID)
	_, err = s.GetClient(t.Context(), orgAdmin(), "token")
	require.Equal(t, policy.ErrNotFound, err, "a personal access token is no client of this kind")
	require.NoError(t, s.DeleteClient(t.Context(), orgAdmin(), "app"))
	store.fault = policy.ErrNotFound
	require.Equal(t, policy.ErrNotFound, s.DeleteClient(t.Context(), orgAdmin(), "nothing"))
	_, err = s.GetClient(t.Context(), orgAdmin(), "a b")
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(s.DeleteClient(t.Context(), orgAdmin(), "a b")))
}
