package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const insertClient = `INSERT INTO clients (id, name, description, secret_hash, identity_id, rights, scopes, active, created) VALUES ?`

func clientValues(c lifecycle.Client) tuples {
	return tuples{{
		c.ID, c.Name, c.Description, c.SecretHash, c.IdentityID, plain(c.Rights), texts(c.Scopes), c.Active, c.Created,
	}}
}

const clientColumns = `c.id, c.name, c.description, c.secret_hash, c.identity_id, c.rights, c.scopes, c.active, c.created, c.last_used`

// clientRow is a client, and its identity where it has one.
type clientRow struct {
	client         lifecycle.Client
	identity       lifecycle.Identity
	rights, levels []string
	lastUsed       sql.NullTime

	alias, name, email sql.NullString
	active             sql.NullBool
	created, modified  sql.NullTime
}

// dest is for clientColumns and identityColumns.
func (r *clientRow) dest() []any {
	*r = clientRow{}
	c := &r.client
	return []any{
		&c.ID, &c.Name, &c.Description, &c.SecretHash, &c.IdentityID, pgdialect.Array(&r.rights),
		pgdialect.Array(&c.Scopes), &c.Active, &c.Created, &r.lastUsed,
		&r.identity.ID, &r.alias, &r.name, &r.email, pgdialect.Array(&r.levels), &r.identity.Manager, &r.active, &r.created, &r.modified,
	}
}

func (r *clientRow) toClient() lifecycle.OwnedClient {
	found := lifecycle.OwnedClient{Client: r.client, Owner: r.identity}
	found.Created, found.LastUsed = found.Created.UTC(), timeOf(r.lastUsed)
	found.Rights = typed[lifecycle.Right](r.rights)
	if i := &found.Owner; !i.ID.IsZero() {
		i.Alias, i.Name, i.Email = r.alias.String, r.name.String, r.email.String
		i.Levels, i.Active = typed[lifecycle.Level](r.levels), r.active.Bool
		i.Created, i.Modified = r.created.Time.UTC(), r.modified.Time.UTC()
	}
	return found
}

const clientsWithOwners = " FROM clients AS c LEFT JOIN identities AS i ON i.id = c.identity_id "

// clientState is a client as the audit trail shows it.
func clientState(c lifecycle.Client) map[string]any {
	state := map[string]any{"name": c.Name, "scopes": c.Scopes, "active": c.Active}
	if c.Description != "" {
		state["description"] = c.Description
	}
	if c.IdentityID.IsZero() {
		state["rights"] = c.Rights
	} else {
		state["identity"] = c.IdentityID.String()
	}
	return state
}

// clientChange is a change of the client for the audit trail. Who is behind a
// personal access token is a subject of it.
func clientChange(action lifecycle.AuditAction, c lifecycle.Client, before, after map[string]any) lifecycle.AuditChange {
	change := lifecycle.AuditChange{Action: action, Object: lifecycle.ObjectClient, ID: c.ID, Before: before, After: after}
	if !c.IdentityID.IsZero() {
		change.Subjects = []string{c.IdentityID.String()}
	}
	return change
}

// CreateClient adds a client. Errors: KindConflict for an id that is taken,
// KindReferenceNotFound for an identity that does not exist, is not active or was
// deleted, KindLimit for one that has MaxPersonalTokens already.
func (s *Store) CreateClient(ctx context.Context, client lifecycle.Client) (err error) {
	defer s.done(ctx, "CreateClient", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error { return createClient(ctx, tx, client) })
}

func createClient(ctx context.Context, tx bun.Tx, client lifecycle.Client) error {
	if !client.IdentityID.IsZero() {
		if err := makeRoomForToken(ctx, tx, client.IdentityID); err != nil {
			return err
		}
	}
	if err := exec(ctx, tx, insertClient, clientValues(client)); err != nil {
		return err
	}
	return audit(ctx, tx, clientChange(lifecycle.ActionCreate, client, nil, clientState(client)))
}

// makeRoomForToken locks the identity, so that its personal access tokens are
// made one after another, and refuses one too many. Who is being deleted has the
// row locked too: a token made meanwhile would outlive its owner, so it waits and
// is refused. Tokens that are switched off count, since they are there until
// they are deleted.
func makeRoomForToken(ctx context.Context, tx bun.Tx, identity lifecycle.ID) error {
	var one, tokens int
	found, err := row(ctx, tx, []any{&one}, "SELECT 1 FROM identities WHERE id = ? AND active AND deleted IS NULL FOR NO KEY UPDATE", identity)
	switch {
	case err != nil:
		return err
	case !found:
		return errNoOwner
	}
	if _, err := row(ctx, tx, []any{&tokens}, "SELECT count(*) FROM clients WHERE identity_id = ?", identity); err != nil {
		return err
	}
	if tokens >= lifecycle.MaxPersonalTokens {
		return lifecycle.TooManyTokens()
	}
	return nil
}

// EnsureClient makes the client with this id be as given, whether it is there
// or not; only created stays. KindReferenceNotFound for an identity that does not
// exist.
func (s *Store) EnsureClient(ctx context.Context, client lifecycle.Client) (err error) {
	defer s.done(ctx, "EnsureClient", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		before, found, err := lockClient(ctx, tx, client.ID)
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, insertClient+` ON CONFLICT (id) DO UPDATE SET name = excluded.name,
			description = excluded.description, secret_hash = excluded.secret_hash, identity_id = excluded.identity_id,
			rights = excluded.rights, scopes = excluded.scopes, active = excluded.active`, clientValues(client)); err != nil {
			return err
		}
		if !found {
			return audit(ctx, tx, clientChange(lifecycle.ActionCreate, client, nil, clientState(client)))
		}
		return audit(ctx, tx, clientChange(lifecycle.ActionUpdate, client, clientState(before), clientState(client)))
	})
}

func lockClient(ctx context.Context, tx bun.Tx, clientID string) (client lifecycle.Client, found bool, err error) {
	var r clientRow
	found, err = row(ctx, tx, r.dest(), "SELECT "+clientColumns+", "+identityColumns+clientsWithOwners+
		"WHERE c.id = ? FOR UPDATE OF c", clientID)
	return r.toClient().Client, found, err
}

// GetClient returns the client and its identity, active or not; the Identity is
// zero for an application client. KindNotFound if there is no such client.
func (s *Store) GetClient(ctx context.Context, clientID string) (client lifecycle.Client, identity lifecycle.Identity, err error) {
	defer s.done(ctx, "GetClient", time.Now(), &err)
	var r clientRow
	found, err := row(ctx, s.db, r.dest(), "SELECT "+clientColumns+", "+identityColumns+clientsWithOwners+"WHERE c.id = ?", clientID)
	if err != nil {
		return lifecycle.Client{}, lifecycle.Identity{}, err
	}
	if !found {
		return lifecycle.Client{}, lifecycle.Identity{}, missing()
	}
	owned := r.toClient()
	return owned.Client, owned.Owner, nil
}

// ListPersonalTokens returns a page of the personal access tokens within reach, in
// the order they were made, and where q.Count, how many there are.
func (s *Store) ListPersonalTokens(ctx context.Context, reach policy.Reach, q filter.Query) (tokens []lifecycle.OwnedClient, matches int, err error) {
	defer s.done(ctx, "ListPersonalTokens", time.Now(), &err)
	if reach.All {
		return s.listClients(ctx, q, "WHERE c.identity_id IS NOT NULL")
	}
	return s.listClients(ctx, q, "WHERE c.identity_id = ?", uuidOf(reach.OwnedBy))
}

// ListApplications returns a page of the application clients, in the order they
// were made, and where q.Count, how many there are.
func (s *Store) ListApplications(ctx context.Context, q filter.Query) (clients []lifecycle.OwnedClient, matches int, err error) {
	defer s.done(ctx, "ListApplications", time.Now(), &err)
	return s.listClients(ctx, q, "WHERE c.identity_id IS NULL")
}

func (s *Store) listClients(ctx context.Context, q filter.Query, where string, args ...any) (clients []lifecycle.OwnedClient, matches int, err error) {
	if q.Count {
		if _, err := row(ctx, s.db, []any{&matches}, "SELECT count(*) FROM clients AS c "+where, args...); err != nil {
			return nil, 0, err
		}
	}
	rows, err := s.db.QueryContext(ctx, "SELECT "+clientColumns+", "+identityColumns+clientsWithOwners+where+
		" ORDER BY c.created, c.id LIMIT ? OFFSET ?", append(args, q.Limit, q.Offset)...)
	var r clientRow
	dest := r.dest()
	err = each(rows, err, dest, func() error {
		clients = append(clients, r.toClient())
		return nil
	})
	return clients, matches, err
}

// DeletePersonalToken removes the token of the owner; KindNotFound if there is
// no such token.
func (s *Store) DeletePersonalToken(ctx context.Context, clientID string, owner lifecycle.ID) (err error) {
	defer s.done(ctx, "DeletePersonalToken", time.Now(), &err)
	return s.deleteClient(ctx, clientID, func(c lifecycle.Client) bool { return c.IdentityID == owner })
}

// DeleteApplication removes the application client; KindNotFound if there is
// none.
func (s *Store) DeleteApplication(ctx context.Context, clientID string) (err error) {
	defer s.done(ctx, "DeleteApplication", time.Now(), &err)
	return s.deleteClient(ctx, clientID, func(c lifecycle.Client) bool { return c.IdentityID.IsZero() })
}

// deleteClient removes the client if it is one of those that are meant.
func (s *Store) deleteClient(ctx context.Context, clientID string, meant func(lifecycle.Client) bool) error {
	return s.inTx(ctx, func(tx bun.Tx) error {
		client, found, err := lockClient(ctx, tx, clientID)
		if err != nil {
			return err
		}
		if !found || !meant(client) {
			return missing()
		}
		if err := exec(ctx, tx, "DELETE FROM clients WHERE id = ?", clientID); err != nil {
			return err
		}
		return audit(ctx, tx, clientChange(lifecycle.ActionDelete, client, clientState(client), nil))
	})
}

// SetClientActive switches the client on or off; KindNotFound if there is none.
func (s *Store) SetClientActive(ctx context.Context, clientID string, active bool) (err error) {
	defer s.done(ctx, "SetClientActive", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		client, found, err := lockClient(ctx, tx, clientID)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		if err := exec(ctx, tx, "UPDATE clients SET active = ? WHERE id = ?", active, clientID); err != nil {
			return err
		}
		after := client
		after.Active = active
		return audit(ctx, tx, clientChange(lifecycle.ActionUpdate, client, clientState(client), clientState(after)))
	})
}

// NoteClientUse keeps when the client was used, unless that is known to
// ClientUseGrain already. It is no change of the client.
func (s *Store) NoteClientUse(ctx context.Context, clientID string, at time.Time) (err error) {
	defer s.done(ctx, "NoteClientUse", time.Now(), &err)
	return exec(ctx, s.db, "UPDATE clients SET last_used = ? WHERE id = ? AND (last_used IS NULL OR last_used <= ?)",
		at, clientID, at.Add(-lifecycle.ClientUseGrain))
}

// InitOrganisation makes the first ORG_ADMIN with their personal access token.
// Errors: KindIllegalUpdate where an ORG_ADMIN has a client already, and those
// of CreateIdentity and CreateClient. Of several callers at once one succeeds.
func (s *Store) InitOrganisation(ctx context.Context, identity lifecycle.Identity, client lifecycle.Client) (err error) {
	defer s.done(ctx, "InitOrganisation", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		// One at a time; there is no other row to lock yet.
		if err := exec(ctx, tx, "SELECT 1 FROM organisation FOR UPDATE"); err != nil {
			return err
		}
		var begun bool
		if _, err := row(ctx, tx, []any{&begun}, "SELECT EXISTS (SELECT 1"+clientsWithOwners+"WHERE ? = ANY (i.levels))",
			string(lifecycle.LevelOrgAdmin)); err != nil {
			return err
		}
		if begun {
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "An ORG_ADMIN has a client already.")
		}
		if err := createIdentity(ctx, tx, identity); err != nil {
			return err
		}
		return createClient(ctx, tx, client)
	})
}
