package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// SigningKeys returns all keys, the newest first.
func (s *Store) SigningKeys(ctx context.Context) (keys []lifecycle.SigningKey, err error) {
	defer s.done("SigningKeys", time.Now(), &err)
	return signingKeys(ctx, s.db)
}

func signingKeys(ctx context.Context, db bun.IDB) ([]lifecycle.SigningKey, error) {
	var keys []lifecycle.SigningKey
	var key lifecycle.SigningKey
	rows, err := db.QueryContext(ctx, "SELECT kid, private_key, created FROM signing_keys ORDER BY created DESC, kid")
	err = each(rows, err, []any{&key.KeyID, &key.PrivateKey, &key.Created}, func() error {
		key.Created = key.Created.UTC()
		keys = append(keys, key)
		return nil
	})
	return keys, err
}

// EnsureSigningKey stores the key if there is none yet, and returns all keys as
// they are then, the newest first. Of several callers at once all get the same
// answer.
func (s *Store) EnsureSigningKey(ctx context.Context, key lifecycle.SigningKey) (keys []lifecycle.SigningKey, err error) {
	defer s.done("EnsureSigningKey", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		// One at a time; an empty table has no row to lock.
		if err := exec(ctx, tx, "SELECT 1 FROM organisation FOR UPDATE"); err != nil {
			return err
		}
		if keys, err = signingKeys(ctx, tx); err != nil || len(keys) > 0 {
			return err
		}
		if err := exec(ctx, tx, "INSERT INTO signing_keys (kid, private_key, created) VALUES ?",
			tuples{{key.KeyID, key.PrivateKey, key.Created}}); err != nil {
			return err
		}
		keys = []lifecycle.SigningKey{key}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionCreate, Object: lifecycle.ObjectSigningKey, ID: key.KeyID,
		})
	})
	return keys, err
}
