package service

import (
	"context"
	"strings"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ClientStore keeps personal access tokens and application clients.
type ClientStore interface {
	// CreateClient adds a client. Errors: KindLimit for an identity that has
	// lifecycle.MaxPersonalTokens already, KindReferenceNotFound for one that does
	// not exist, is not active or was deleted.
	CreateClient(ctx context.Context, client lifecycle.Client) error
	// GetClient returns the client and its identity, active or not; the Identity
	// is zero for an application client. KindNotFound if there is none.
	GetClient(ctx context.Context, clientID string) (lifecycle.Client, lifecycle.Identity, error)
	// Lists are in the order the clients were made; the number beside a page is
	// that of all, where q.Count.
	ListPersonalTokens(ctx context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.OwnedClient, int, error)
	ListApplications(ctx context.Context, q filter.Query) ([]lifecycle.OwnedClient, int, error)
	// DeletePersonalToken removes the token of the owner, DeleteApplication an
	// application client; KindNotFound if there is none.
	DeletePersonalToken(ctx context.Context, clientID string, owner lifecycle.ID) error
	DeleteApplication(ctx context.Context, clientID string) error
}

var errClientID = lifecycle.FieldError(lifecycle.KindBadRequest, "id",
	"id must have 1 to 64 letters, digits, dots, underscores and hyphens.")

// ListTokens returns a page of personal access tokens and, where p.Count, how
// many there are: the caller's, or for administrators those of ownerID or of all.
func (s *Service) ListTokens(ctx context.Context, a policy.Actor, ownerID *string, p filter.Params) ([]lifecycle.OwnedClient, int, error) {
	reach, err := policy.TokenReach(a, ownerID)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListPersonalTokens(ctx, reach, q)
}

// CreateToken makes a personal access token of the caller's and returns it with
// its secret, which nobody can be told again.
func (s *Service) CreateToken(ctx context.Context, a policy.Actor, in lifecycle.TokenInput) (token lifecycle.OwnedClient, secret string, err error) {
	if err := policy.Check(policy.CreateToken, a, policy.Relations{Own: true}); err != nil {
		return lifecycle.OwnedClient{}, "", err
	}
	found, err := s.store.ResolveIdentities(ctx, []string{a.IdentityID.String()})
	if err != nil {
		return lifecycle.OwnedClient{}, "", err
	}
	owner := found[a.IdentityID.String()]
	if !policy.MayMint(a, owner) {
		return lifecycle.OwnedClient{}, "", policy.ErrForbidden
	}
	client, faults := in.Judge(a.HoldsScope, a.Scopes)
	if err := faults.Err(); err != nil {
		return lifecycle.OwnedClient{}, "", err
	}
	client.IdentityID, client.Active = a.IdentityID, true
	client, secret, err = s.createClient(ctx, client)
	return lifecycle.OwnedClient{Client: client, Owner: owner}, secret, err
}

// createClient gives the client its id and secret and stores it.
func (s *Service) createClient(ctx context.Context, client lifecycle.Client) (made lifecycle.Client, secret string, err error) {
	client.ID, client.Created = strings.ReplaceAll(lifecycle.NewID().String(), "-", ""), s.now()
	if secret, client.SecretHash, err = s.settings.NewSecret(); err != nil {
		return lifecycle.Client{}, "", err
	}
	return client, secret, s.store.CreateClient(ctx, client)
}

// DeleteToken removes a personal access token. Access tokens that were got with
// it are refused soon.
func (s *Service) DeleteToken(ctx context.Context, a policy.Actor, id string) error {
	if !lifecycle.IsClientID(id) {
		return errClientID
	}
	if err := policy.Enter(policy.DeleteToken, a); err != nil {
		return err
	}
	token, _, err := s.store.GetClient(ctx, id)
	if err == nil && token.IdentityID.IsZero() {
		err = policy.ErrNotFound
	}
	if err := admit(policy.DeleteToken, a, policy.Relations{Own: token.IdentityID == a.IdentityID}, err); err != nil {
		return err
	}
	return goneSince(policy.DeleteToken, a, s.store.DeletePersonalToken(ctx, id, token.IdentityID))
}

// ListClients returns a page of the application clients and, where p.Count, how
// many there are.
func (s *Service) ListClients(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.OwnedClient, int, error) {
	if err := policy.Enter(policy.ListClients, a); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListApplications(ctx, q)
}

// CreateClient makes an application client and returns it with its secret, which
// nobody can be told again.
func (s *Service) CreateClient(ctx context.Context, a policy.Actor, in lifecycle.ClientInput) (client lifecycle.Client, secret string, err error) {
	if err := policy.Enter(policy.CreateClient, a); err != nil {
		return lifecycle.Client{}, "", err
	}
	client, faults := in.Judge(a.HoldsScope, a.Scopes)
	if err := faults.Err(); err != nil {
		return lifecycle.Client{}, "", err
	}
	return s.createClient(ctx, client)
}

// GetClient returns an application client.
func (s *Service) GetClient(ctx context.Context, a policy.Actor, id string) (lifecycle.Client, error) {
	if !lifecycle.IsClientID(id) {
		return lifecycle.Client{}, errClientID
	}
	if err := policy.Enter(policy.GetClient, a); err != nil {
		return lifecycle.Client{}, err
	}
	client, _, err := s.store.GetClient(ctx, id)
	if err == nil && !client.IdentityID.IsZero() {
		client, err = lifecycle.Client{}, policy.ErrNotFound
	}
	return client, admit(policy.GetClient, a, policy.Relations{}, err)
}

// DeleteClient removes an application client. Access tokens that were got with it
// are refused soon.
func (s *Service) DeleteClient(ctx context.Context, a policy.Actor, id string) error {
	if !lifecycle.IsClientID(id) {
		return errClientID
	}
	if err := policy.Enter(policy.DeleteClient, a); err != nil {
		return err
	}
	return goneSince(policy.DeleteClient, a, s.store.DeleteApplication(ctx, id))
}
