package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// auditColumns are those of r, an entry.
const auditColumns = `r.id, r.occurred, r.channel, r.operation, r.outcome, r.identity_id, coalesce(r.client_id, ''),
	coalesce(r.tracking_id, ''), r.action, r.object_type, r.object_id, r.source_id, r.facts, r.actor_digest, r.change_digest`

// auditDetailColumns are those of d, what is left of the details of an entry.
const auditDetailColumns = "coalesce(d.actor, ''), d.actor_salt, coalesce(d.change, ''), d.change_salt"

type auditRow struct{ entry lifecycle.AuditEntry }

func (r *auditRow) dest() []any {
	e := &r.entry
	return []any{
		&e.Number, &e.Occurred, &e.Channel, &e.Operation, &e.Outcome, &e.Identity, &e.Client,
		&e.TrackingID, &e.Action, &e.Object, &e.ID, &e.Source, &e.Facts, &e.ActorDigest, &e.ChangeDigest,
	}
}

// detailedDest is dest with the details behind it.
func (r *auditRow) detailedDest() []any {
	e := &r.entry
	return append(r.dest(), &e.Actor.Text, &e.Actor.Salt, &e.Change.Text, &e.Change.Salt)
}

func (r *auditRow) toEntry() lifecycle.AuditEntry {
	e := r.entry
	e.Occurred = e.Occurred.UTC()
	return e
}

// SealAudit takes at most limit entries that wait into the chain, in the order of
// their numbers, and returns where it ends then. An entry is sealed once every
// transaction has ended that was open when its own was; those behind it wait with
// it. So of two changes of one object the later one is behind the other in the
// chain. Several may run at once: one works, the others return at once.
func (s *Store) SealAudit(ctx context.Context, limit int) (sealing lifecycle.Sealing, err error) {
	defer s.done(ctx, "SealAudit", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		var alone bool
		if _, err := row(ctx, tx, []any{&alone},
			"SELECT pg_try_advisory_xact_lock(hashtextextended('gatehouse/seal/' || current_schema(), 0))"); err != nil {
			return err
		}
		if !alone {
			sealing.Elsewhere = true
			return nil
		}
		// Behind an import hardly anything is known of these tables. And while one
		// sealer has the lock no other seals.
		if err := tune(ctx, tx, append([]string{"idle_in_transaction_session_timeout=3s"}, byIndex...)...); err != nil {
			return err
		}
		// Read in a statement of its own, which sees what the sealer before has sealed.
		if sealing.Head, err = chainHead(ctx, tx); err != nil {
			return err
		}
		seals, err := sealable(ctx, tx, sealing.Head, limit)
		if err != nil || len(seals) == 0 {
			return err
		}
		first := sealing.Head.Position
		sealing.Sealed, sealing.Head = len(seals), seals[len(seals)-1].ChainHead
		return writeSeals(ctx, tx, first, seals)
	})
	if err != nil {
		return lifecycle.Sealing{}, err
	}
	return sealing, nil
}

// chainHead is the end of the chain.
func chainHead(ctx context.Context, db bun.IDB) (lifecycle.ChainHead, error) {
	head := lifecycle.ChainStart()
	_, err := row(ctx, db, []any{&head.Position, &head.Hash},
		"SELECT position, hash FROM audit_seals ORDER BY position DESC LIMIT 1")
	return head, err
}

// sealable chains the next entries behind head. A transaction that came from
// another cluster, with a dump, may have an id that is yet to come here; no such
// one can be open. What waits without its entry, or is in the chain already, is
// passed over and left for VerifyAudit.
func sealable(ctx context.Context, tx bun.Tx, head lifecycle.ChainHead, limit int) ([]lifecycle.Seal, error) {
	var seals []lifecycle.Seal
	var r auditRow
	var settled bool
	waits := false
	rows, err := tx.QueryContext(ctx, "SELECT "+auditColumns+`,
			t.txid < pg_snapshot_xmin(pg_current_snapshot()) OR t.txid >= pg_snapshot_xmax(pg_current_snapshot())
		FROM audit_tail AS t JOIN audit_entries AS r ON r.id = t.entry_id
		WHERE NOT EXISTS (SELECT 1 FROM audit_seals AS s WHERE s.entry_id = t.entry_id)
		ORDER BY t.entry_id LIMIT ?`, max(1, limit))
	err = each(rows, err, append(r.dest(), &settled), func() error {
		if waits = waits || !settled; waits {
			return nil
		}
		e := r.toEntry()
		head = lifecycle.ChainHead{Position: head.Position + 1, Hash: e.Hash(head.Hash)}
		seals = append(seals, lifecycle.Seal{ChainHead: head, Number: e.Number})
		return nil
	})
	return seals, err
}

// writeSeals adds the seals behind the position and has their entries wait no
// more.
func writeSeals(ctx context.Context, tx bun.Tx, behind int64, seals []lifecycle.Seal) error {
	at := now()
	values := make(tuples, len(seals))
	for i, seal := range seals {
		values[i] = []any{seal.Position, seal.Number, seal.Hash, at}
	}
	if err := exec(ctx, tx, "INSERT INTO audit_seals (position, entry_id, hash, sealed) VALUES ?", values); err != nil {
		return err
	}
	return exec(ctx, tx, `DELETE FROM audit_tail WHERE entry_id IN
		(SELECT s.entry_id FROM audit_seals AS s WHERE s.position > ?)`, behind)
}

// UnsealedAudit counts the entries that wait for the sealer, and tells when the
// first of them occurred; zero if none waits.
func (s *Store) UnsealedAudit(ctx context.Context) (count int, oldest time.Time, err error) {
	defer s.done(ctx, "UnsealedAudit", time.Now(), &err)
	var since sql.NullTime
	_, err = row(ctx, s.db, []any{&count, &since}, `SELECT (SELECT count(*) FROM audit_tail),
		(SELECT r.occurred FROM audit_tail AS t JOIN audit_entries AS r ON r.id = t.entry_id ORDER BY t.entry_id LIMIT 1)`)
	return count, timeOf(since), err
}
