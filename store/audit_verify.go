package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

const (
	// verifyPage is how many entries are looked at at once.
	verifyPage = 5_000
	// goneAtOnce is how many details may be gone until the erasures are asked for
	// them.
	goneAtOnce = 50_000
)

// VerifyAudit holds the whole trail, as it is at one moment, to its chain, tells
// report of every fault, and returns what it found. Where expected is not nil,
// the chain must have had that head. Memory does not grow with the trail. An
// error of report ends it and is returned.
func (s *Store) VerifyAudit(ctx context.Context, expected *lifecycle.ChainHead, report func(lifecycle.AuditFault) error) (found lifecycle.AuditReport, err error) {
	defer s.done(ctx, "VerifyAudit", time.Now(), &err)
	snapshot := sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	err = s.db.RunInTx(ctx, &snapshot, func(_ context.Context, tx bun.Tx) error {
		// A trail may be as long as it wants.
		if err := tune(ctx, tx, append([]string{"statement_timeout=0"}, byIndex...)...); err != nil {
			return err
		}
		v := verifier{tx: tx, expected: expected, tell: report}
		v.report.Head = lifecycle.ChainStart()
		for _, step := range []func(context.Context) error{
			v.chain, v.unsealed, v.waiting, v.strays, v.accountForGone, v.end,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		found = v.report
		return nil
	})
	return found, err
}

// verifier is one verification of the trail.
type verifier struct {
	tx       bun.Tx
	expected *lifecycle.ChainHead
	tell     func(lifecycle.AuditFault) error
	report   lifecycle.AuditReport
	// gone are details that are not there any more, which erasures have to account
	// for.
	gone map[goneDetail]lifecycle.AuditFault
}

type goneDetail struct {
	number int64
	part   lifecycle.AuditPart
}

func (v *verifier) fault(f lifecycle.AuditFault) error {
	v.report.Faults++
	return v.tell(f)
}

// chain goes along the seals.
func (v *verifier) chain(ctx context.Context) error {
	for {
		var seals []lifecycle.Seal
		var seal lifecycle.Seal
		behind := v.report.Head.Position
		rows, err := v.tx.QueryContext(ctx,
			"SELECT position, hash, entry_id FROM audit_seals WHERE position > ? ORDER BY position LIMIT ?", behind, verifyPage)
		err = each(rows, err, []any{&seal.Position, &seal.Hash, &seal.Number}, func() error {
			seals = append(seals, seal)
			return nil
		})
		if err != nil || len(seals) == 0 {
			return err
		}
		entries := make(map[int64]lifecycle.AuditEntry, len(seals))
		err = v.entries(ctx, func(e lifecycle.AuditEntry) { entries[e.Number] = e },
			"JOIN audit_seals AS s ON s.entry_id = r.id", "s.position > ? AND s.position <= ?", behind, seals[len(seals)-1].Position)
		if err != nil {
			return err
		}
		for _, seal := range seals {
			if err := v.seal(ctx, seal, entries); err != nil {
				return err
			}
		}
	}
}

// entries reads entries with their details.
func (v *verifier) entries(ctx context.Context, read func(lifecycle.AuditEntry), join bun.Safe, where string, args ...any) error {
	var r auditRow
	rows, err := v.tx.QueryContext(ctx, "SELECT "+auditColumns+", "+auditDetailColumns+` FROM audit_entries AS r
		LEFT JOIN audit_details AS d ON d.entry_id = r.id `+string(join)+" WHERE "+where, args...)
	return each(rows, err, r.detailedDest(), func() error { read(r.toEntry()); return nil })
}

// seal looks at one seal and its entry. A hash is held to the one before it as
// that one is stored, so that one change is one fault and not one at every seal
// behind it; behind a gap there is nothing to hold it to.
func (v *verifier) seal(ctx context.Context, seal lifecycle.Seal, entries map[int64]lifecycle.AuditEntry) error {
	before := v.report.Head
	v.report.Head = seal.ChainHead
	v.report.Sealed++
	if v.expected != nil && seal.Position == v.expected.Position && !seal.Equal(*v.expected) {
		if err := v.fault(lifecycle.AuditFault{Position: seal.Position, Number: seal.Number,
			What: "its hash is not the expected one"}); err != nil {
			return err
		}
	}
	gap := seal.Position - before.Position - 1
	if gap > 0 {
		if err := v.fault(lifecycle.AuditFault{Position: before.Position + 1,
			What: fmt.Sprintf("the seal is not there; %d are missing up to position %d", gap, seal.Position-1)}); err != nil {
			return err
		}
	}
	entry, found := entries[seal.Number]
	if !found {
		return v.fault(lifecycle.AuditFault{Position: seal.Position, Number: seal.Number, What: "the entry was removed"})
	}
	if gap == 0 && !bytes.Equal(seal.Hash, entry.Hash(before.Hash)) {
		if err := v.fault(lifecycle.AuditFault{Position: seal.Position, Number: seal.Number,
			What: "the entry, its place or its seal was changed: the hash does not fit"}); err != nil {
			return err
		}
	}
	return v.details(ctx, entry, seal.Position)
}

// details looks at those of one entry.
func (v *verifier) details(ctx context.Context, e lifecycle.AuditEntry, position int64) error {
	faults, gone := e.FaultyDetails()
	for _, what := range faults {
		if err := v.fault(lifecycle.AuditFault{Position: position, Number: e.Number, What: what}); err != nil {
			return err
		}
	}
	for _, part := range gone {
		if v.gone == nil {
			v.gone = map[goneDetail]lifecycle.AuditFault{}
		}
		v.gone[goneDetail{e.Number, part}] = lifecycle.AuditFault{Position: position, Number: e.Number,
			What: "its detail \"" + string(part) + "\" was removed, and no erasure names it"}
	}
	if len(v.gone) < goneAtOnce {
		return nil
	}
	return v.accountForGone(ctx)
}

// accountForGone asks the erasures for the details that are gone. One accounts for
// what was there before it.
func (v *verifier) accountForGone(ctx context.Context) error {
	if len(v.gone) == 0 {
		return nil
	}
	missing := len(v.gone)
	var number int64
	var facts string
	rows, err := v.tx.QueryContext(ctx, "SELECT id, facts FROM audit_entries WHERE action = ?", string(lifecycle.ActionErase))
	err = each(rows, err, []any{&number, &facts}, func() error {
		erased := lifecycle.ParseErasedDetails(facts)
		for part, numbers := range map[lifecycle.AuditPart][]int64{
			lifecycle.PartActor: erased.Actors, lifecycle.PartChange: erased.Changes,
		} {
			for _, n := range numbers {
				if n < number {
					delete(v.gone, goneDetail{n, part})
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.report.Erased += int64(missing - len(v.gone))
	left := slices.SortedFunc(maps.Values(v.gone), func(a, b lifecycle.AuditFault) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.What, b.What))
	})
	v.gone = nil
	for _, fault := range left {
		if err := v.fault(fault); err != nil {
			return err
		}
	}
	return nil
}

// unsealed looks at the entries that are not in the chain, all of which must wait
// for the sealer.
func (v *verifier) unsealed(ctx context.Context) error {
	const nowhere = "NOT EXISTS (SELECT 1 FROM audit_seals AS s WHERE s.entry_id = r.id)"
	for after := int64(0); ; {
		var page []lifecycle.AuditEntry
		err := v.entries(ctx, func(e lifecycle.AuditEntry) { page = append(page, e) }, "",
			nowhere+" AND r.id > ? ORDER BY r.id LIMIT ?", after, verifyPage)
		if err != nil || len(page) == 0 {
			return err
		}
		last := page[len(page)-1].Number
		waits := make(map[int64]bool, len(page))
		var number int64
		rows, err := v.tx.QueryContext(ctx, "SELECT entry_id FROM audit_tail WHERE entry_id > ? AND entry_id <= ?", after, last)
		if err := each(rows, err, []any{&number}, func() error { waits[number] = true; return nil }); err != nil {
			return err
		}
		for _, entry := range page {
			if !waits[entry.Number] {
				if err := v.fault(lifecycle.AuditFault{Number: entry.Number,
					What: "the entry is neither in the chain nor waiting for it: it was inserted, or its seal was removed"}); err != nil {
					return err
				}
			} else if v.report.Unsealed++; v.report.Oldest.IsZero() {
				v.report.Oldest = entry.Occurred
			}
			if err := v.details(ctx, entry, 0); err != nil {
				return err
			}
		}
		after = last
	}
}

// waiting looks for what waits for the sealer and must not.
func (v *verifier) waiting(ctx context.Context) error {
	return v.each(ctx, `SELECT t.entry_id, CASE WHEN s.entry_id IS NULL THEN 'it waits for the chain, but the entry was removed'
			ELSE 'it waits for the chain and is in it already' END
		FROM audit_tail AS t LEFT JOIN audit_seals AS s ON s.entry_id = t.entry_id
		WHERE s.entry_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM audit_entries AS e WHERE e.id = t.entry_id)
		ORDER BY t.entry_id`)
}

// strays looks for details without their entry.
func (v *verifier) strays(ctx context.Context) error {
	return v.each(ctx, `SELECT d.entry_id, 'there are details of it, but the entry was removed' FROM audit_details AS d
		WHERE NOT EXISTS (SELECT 1 FROM audit_entries AS e WHERE e.id = d.entry_id)
			AND NOT EXISTS (SELECT 1 FROM audit_seals AS s WHERE s.entry_id = d.entry_id) ORDER BY d.entry_id`)
}

// each makes faults of what a query selects, numbers of entries and what is wrong.
func (v *verifier) each(ctx context.Context, query string) error {
	var f lifecycle.AuditFault
	rows, err := v.tx.QueryContext(ctx, query)
	return each(rows, err, []any{&f.Number, &f.What}, func() error { return v.fault(f) })
}

// end holds that the chain reaches to where it is known to have reached.
func (v *verifier) end(context.Context) error {
	if v.expected == nil || v.report.Head.Position >= v.expected.Position {
		return nil
	}
	return v.fault(lifecycle.AuditFault{Position: v.report.Head.Position,
		What: fmt.Sprintf("the chain ends here, but it had a position %d: its end was cut off", v.expected.Position)})
}
