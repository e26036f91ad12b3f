package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// SigningKeys returns all keys, those that sign latest first.
func (s *Store) SigningKeys(ctx context.Context) (keys []lifecycle.SigningKey, err error) {
	defer s.done(ctx, "SigningKeys", time.Now(), &err)
	return signingKeys(ctx, s.db)
}

func signingKeys(ctx context.Context, db bun.IDB) ([]lifecycle.SigningKey, error) {
	var keys []lifecycle.SigningKey
	var key lifecycle.SigningKey
	rows, err := db.QueryContext(ctx,
		"SELECT kid, private_key, created, signs_from FROM signing_keys ORDER BY signs_from DESC, created DESC, kid")
	err = each(rows, err, []any{&key.KeyID, &key.PrivateKey, &key.Created, &key.SignsFrom}, func() error {
		key.Created, key.SignsFrom = key.Created.UTC(), key.SignsFrom.UTC()
		keys = append(keys, key)
		return nil
	})
	return keys, err
}

// ChangeSigningKeys hands all keys to change, in the order of SigningKeys, adds
// the one that it returns, unless that is zero, removes those that it names, and
// returns what there is then. Callers follow one another. An error of change
// ends it and is returned as it is.
func (s *Store) ChangeSigningKeys(ctx context.Context, change func(keys []lifecycle.SigningKey) (added lifecycle.SigningKey, removed []string, err error)) (keys []lifecycle.SigningKey, err error) {
	defer s.done(ctx, "ChangeSigningKeys", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		// One at a time; an empty table has no row to lock.
		if err := exec(ctx, tx, "SELECT 1 FROM organisation FOR UPDATE"); err != nil {
			return err
		}
		if keys, err = signingKeys(ctx, tx); err != nil {
			return err
		}
		added, removed, err := change(keys)
		if err != nil || added.KeyID == "" && len(removed) == 0 {
			return err
		}
		var changes []lifecycle.AuditChange
		if added.KeyID != "" {
			if err := exec(ctx, tx, "INSERT INTO signing_keys (kid, private_key, created, signs_from) VALUES ?",
				tuples{{added.KeyID, added.PrivateKey, added.Created, added.SignsFrom}}); err != nil {
				return err
			}
			changes = append(changes, lifecycle.AuditChange{
				Action: lifecycle.ActionCreate, Object: lifecycle.ObjectSigningKey, ID: added.KeyID,
				Facts: map[string]any{"signsFrom": lifecycle.FormatTime(added.SignsFrom)},
			})
		}
		for _, kid := range removed {
			if err := exec(ctx, tx, "DELETE FROM signing_keys WHERE kid = ?", kid); err != nil {
				return err
			}
			changes = append(changes, lifecycle.AuditChange{
				Action: lifecycle.ActionDelete, Object: lifecycle.ObjectSigningKey, ID: kid,
			})
		}
		if err := audit(ctx, tx, changes...); err != nil {
			return err
		}
		keys, err = signingKeys(ctx, tx)
		return err
	})
	return keys, err
}
