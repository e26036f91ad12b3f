package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"gatehouse/lifecycle"
)

const insertClient = "INSERT INTO clients (id, name, secret_hash, identity_id, rights, scopes, active, created) VALUES ?"

func clientValues(c lifecycle.Client) tuples {
	return tuples{{
		c.ID, c.Name, c.SecretHash, c.IdentityID, plain(c.Rights), texts(c.Scopes), c.Active, c.Created,
	}}
}

// CreateClient adds a client. Errors: KindConflict for an id that is taken,
// KindReferenceNotFound for an identity that does not exist.
func (s *Store) CreateClient(ctx context.Context, client lifecycle.Client) (err error) {
	defer s.done("CreateClient", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := exec(ctx, tx, insertClient, clientValues(client)); err != nil {
			return err
		}
		return audit(ctx, tx, clientChange(lifecycle.ActionCreate, client))
	})
}

// clientChange tells of a client as it is afterwards, but for its secret.
func clientChange(action lifecycle.AuditAction, c lifecycle.Client) lifecycle.AuditChange {
	return lifecycle.AuditChange{
		Action: action, Object: lifecycle.ObjectClient, ID: c.ID,
		After: map[string]any{
			"name": c.Name, "identity": c.IdentityID, "rights": c.Rights, "scopes": c.Scopes, "active": c.Active,
		},
	}
}

// EnsureClient makes the client with this id be as given, whether it is there
// or not; only created stays. KindReferenceNotFound as CreateClient.
func (s *Store) EnsureClient(ctx context.Context, client lifecycle.Client) (err error) {
	defer s.done("EnsureClient", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		made, err := affected(ctx, tx, insertClient+" ON CONFLICT (id) DO NOTHING", clientValues(client))
		if err != nil {
			return err
		}
		action := lifecycle.ActionCreate
		if made == 0 {
			action = lifecycle.ActionUpdate
			if err := exec(ctx, tx, insertClient+` ON CONFLICT (id) DO UPDATE SET name = excluded.name,
				secret_hash = excluded.secret_hash, identity_id = excluded.identity_id, rights = excluded.rights,
				scopes = excluded.scopes, active = excluded.active`, clientValues(client)); err != nil {
				return err
			}
		}
		return audit(ctx, tx, clientChange(action, client))
	})
}

// GetClient returns the client and its identity, active or not; the Identity is
// zero for an application client. KindNotFound if there is no such client.
func (s *Store) GetClient(ctx context.Context, clientID string) (client lifecycle.Client, identity lifecycle.Identity, err error) {
	defer s.done("GetClient", time.Now(), &err)
	var (
		rights, levels     []string
		alias, name, email sql.NullString
		active             sql.NullBool
		created, modified  sql.NullTime
	)
	found, err := row(ctx, s.db, []any{
		&client.ID, &client.Name, &client.SecretHash, &client.IdentityID, pgdialect.Array(&rights),
		pgdialect.Array(&client.Scopes), &client.Active, &client.Created,
		&identity.ID, &alias, &name, &email, pgdialect.Array(&levels), &active, &created, &modified,
	}, `SELECT c.id, c.name, c.secret_hash, c.identity_id, c.rights, c.scopes, c.active, c.created,
			`+identityColumns+`
		FROM clients AS c LEFT JOIN identities AS i ON i.id = c.identity_id WHERE c.id = ?`, clientID)
	if err != nil {
		return lifecycle.Client{}, lifecycle.Identity{}, err
	}
	if !found {
		return lifecycle.Client{}, lifecycle.Identity{}, missing()
	}
	client.Created, client.Rights = client.Created.UTC(), typed[lifecycle.Right](rights)
	if !identity.ID.IsZero() {
		identity.Alias, identity.Name, identity.Email = alias.String, name.String, email.String
		identity.Levels, identity.Active = typed[lifecycle.Level](levels), active.Bool
		identity.Created, identity.Modified = created.Time.UTC(), modified.Time.UTC()
	}
	return client, identity, nil
}

// SetClientActive switches the client on or off; KindNotFound if there is none.
func (s *Store) SetClientActive(ctx context.Context, clientID string, active bool) (err error) {
	defer s.done("SetClientActive", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := changedOne(affected(ctx, tx, "UPDATE clients SET active = ? WHERE id = ?", active, clientID)); err != nil {
			return err
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectClient, ID: clientID, After: map[string]any{"active": active},
		})
	})
}
