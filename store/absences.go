package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

const absenceColumns = "b.id, b.identity_id, b.deputy_id, b.starts, b.ends, b.creator_id, b.created, b.modified"

func absenceDest(b *lifecycle.Absence) []any {
	return []any{&b.ID, &b.Identity, &b.Deputy, &b.Start, &b.End, &b.Creator, &b.Created, &b.Modified}
}

func absenceInUTC(b lifecycle.Absence) lifecycle.Absence {
	b.Start, b.End, b.Created, b.Modified = b.Start.UTC(), b.End.UTC(), b.Created.UTC(), b.Modified.UTC()
	return b
}

// absenceChange is a change of an absence, which is about whoever is away.
func absenceChange(action lifecycle.AuditAction, b lifecycle.Absence) lifecycle.AuditChange {
	return lifecycle.AuditChange{
		Action: action, Object: lifecycle.ObjectAbsence, ID: b.ID.String(),
		Facts:    map[string]any{"identity": b.Identity, "deputy": b.Deputy},
		Subjects: []string{b.Identity.String()},
	}
}

func absenceSpan(b lifecycle.Absence) map[string]any {
	return map[string]any{"startDate": lifecycle.FormatTime(b.Start), "endDate": lifecycle.FormatTime(b.End)}
}

// CreateAbsence adds an absence. Errors: KindNotFound for an identity that there
// is not, KindReferenceNotFound for a deputy who is not active, KindConflict where
// it overlaps with another of the identity, KindLimit beyond
// lifecycle.MaxAbsences that are not over.
func (s *Store) CreateAbsence(ctx context.Context, absence lifecycle.Absence) (err error) {
	defer s.done(ctx, "CreateAbsence", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		var one int
		found, err := row(ctx, tx, []any{&one},
			"SELECT 1 FROM identities WHERE id = ? AND deleted IS NULL FOR NO KEY UPDATE", absence.Identity)
		switch {
		case err != nil:
			return err
		case !found:
			return missing()
		}
		var able, overlaps bool
		var others int
		if _, err := row(ctx, tx, []any{&able, &overlaps, &others}, `SELECT
				EXISTS (SELECT 1 FROM identities AS d WHERE d.id = ?0 AND d.active),
				coalesce(bool_or(b.starts < ?3::timestamptz AND ?2::timestamptz < b.ends), FALSE), count(*)
			FROM absences AS b WHERE b.identity_id = ?1 AND b.ends > now()`,
			absence.Deputy, absence.Identity, absence.Start, absence.End); err != nil {
			return err
		}
		switch {
		case !able:
			return lifecycle.FieldError(lifecycle.KindReferenceNotFound, "deputy", "deputy names no active identity: "+absence.Deputy.String())
		case overlaps:
			return lifecycle.NewError(lifecycle.KindConflict, "The identity has an absence in this time already.")
		case others >= lifecycle.MaxAbsences:
			return errAbsences
		}
		if err := exec(ctx, tx, `INSERT INTO absences (id, identity_id, deputy_id, starts, ends, creator_id, created, modified, due) VALUES ?`,
			tuples{{
				absence.ID, absence.Identity, absence.Deputy, absence.Start, absence.End, absence.Creator, absence.Created, absence.Modified,
				absence.NextLook(time.Time{}),
			}}); err != nil {
			return err
		}
		change := absenceChange(lifecycle.ActionCreate, absence)
		change.After = absenceSpan(absence)
		return audit(ctx, tx, change)
	})
}

// ListAbsences returns a page of the absences of an identity, the latest
// beginning first, and where q.Count, how many there are. KindNotFound if there
// is no such identity.
func (s *Store) ListAbsences(ctx context.Context, identity lifecycle.ID, q filter.Query) (absences []lifecycle.Absence, count int, err error) {
	defer s.done(ctx, "ListAbsences", time.Now(), &err)
	var there bool
	if _, err := row(ctx, s.db, []any{&there, &count}, `SELECT EXISTS (SELECT 1 FROM identities AS a WHERE a.id = ?0 AND a.deleted IS NULL),
		(SELECT count(*) FROM absences AS b WHERE b.identity_id = ?0)`, identity); err != nil {
		return nil, 0, err
	}
	if !there {
		return nil, 0, missing()
	}
	var b lifecycle.Absence
	rows, err := s.db.QueryContext(ctx, "SELECT "+absenceColumns+` FROM absences AS b WHERE b.identity_id = ?
		ORDER BY b.starts DESC, b.id LIMIT ? OFFSET ?`, identity, q.Limit, q.Offset)
	err = each(rows, err, absenceDest(&b), func() error { absences = append(absences, absenceInUTC(b)); return nil })
	return absences, count, err
}

// GetAbsence returns the absence of the identity; KindNotFound if there is none.
func (s *Store) GetAbsence(ctx context.Context, identity, id lifecycle.ID) (absence lifecycle.Absence, err error) {
	defer s.done(ctx, "GetAbsence", time.Now(), &err)
	found, err := row(ctx, s.db, absenceDest(&absence), "SELECT "+absenceColumns+" FROM absences AS b WHERE b.id = ? AND b.identity_id = ?", id, identity)
	if err == nil && !found {
		err = missing()
	}
	return absenceInUTC(absence), err
}

// EndAbsence ends the absence of the identity now; one that has not begun is
// removed. Errors: KindNotFound, KindIllegalUpdate for one that is over.
func (s *Store) EndAbsence(ctx context.Context, identity, id lifecycle.ID) (err error) {
	defer s.done(ctx, "EndAbsence", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		var absence lifecycle.Absence
		var at time.Time
		found, err := row(ctx, tx, append(absenceDest(&absence), &at), "SELECT "+absenceColumns+`, now()
			FROM absences AS b WHERE b.id = ? AND b.identity_id = ? FOR UPDATE`, id, identity)
		switch {
		case err != nil:
			return err
		case !found:
			return missing()
		case absence.Over(at):
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "The absence is over.")
		}
		absence = absenceInUTC(absence)
		if !absence.Begun(at) {
			change := absenceChange(lifecycle.ActionDelete, absence)
			change.Before = absenceSpan(absence)
			if err := exec(ctx, tx, "DELETE FROM absences WHERE id = ?", id); err != nil {
				return err
			}
			return audit(ctx, tx, change)
		}
		change := absenceChange(lifecycle.ActionUpdate, absence)
		change.Before = absenceSpan(absence)
		// It lasted for a moment at least.
		absence.End = later(at.UTC().Truncate(time.Millisecond), absence.Start)
		change.After = absenceSpan(absence)
		if err := exec(ctx, tx, "UPDATE absences SET ends = ?0, due = ?0, modified = ?1 WHERE id = ?2",
			absence.End, later(at.UTC().Truncate(time.Millisecond), absence.Modified), id); err != nil {
			return err
		}
		return audit(ctx, tx, change)
	})
}

var errAbsences = lifecycle.NewError(lifecycle.KindLimit,
	fmt.Sprintf("The limit of %d absences of an identity that are not over is reached.", lifecycle.MaxAbsences))

// AbsencesToWake returns at most limit absences whose items should have been
// looked through grace ago.
func (s *Store) AbsencesToWake(ctx context.Context, limit int, grace time.Duration) (absences []lifecycle.ID, err error) {
	defer s.done(ctx, "AbsencesToWake", time.Now(), &err)
	return s.ids(ctx, `SELECT b.id FROM absences AS b WHERE b.due <= now() - ? * interval '1 millisecond' ORDER BY b.due, b.id LIMIT ?`,
		grace.Milliseconds(), max(0, limit))
}

// inForce: the absence b is under way. One clock says so, that of the database.
const inForce = "b.starts <= now() AND now() < b.ends"

// SettleAbsence goes through a piece of at most limit pending items that the
// absence may be about, and has each go to whoever is to decide it now: to a
// deputy, or back. Doing it again changes nothing. Before the absence begins and
// after all is done it does nothing.
func (s *Store) SettleAbsence(ctx context.Context, pass lifecycle.AbsencePass, limit int) (progress lifecycle.AbsenceProgress, err error) {
	defer s.done(ctx, "SettleAbsence", time.Now(), &err)
	var absence lifecycle.Absence
	var due sql.NullTime
	var at time.Time
	found, err := row(ctx, s.db, append(absenceDest(&absence), &due, &at),
		"SELECT "+absenceColumns+", b.due, now() FROM absences AS b WHERE b.id = ?", pass.Absence)
	if err != nil || !found {
		return progress, err
	}
	progress.Found = true
	switch {
	case !due.Valid:
		return progress, nil
	case !absence.Begun(at):
		progress.Due = absence.Start.UTC()
		return progress, nil
	case pass.Began.IsZero():
		pass.Began = at.UTC()
	}
	items, err := s.concerned(ctx, absence.Identity, pass.After, max(1, limit))
	if err != nil {
		return progress, err
	}
	for _, item := range items {
		moved, err := s.settleItem(ctx, item)
		if err != nil {
			return progress, err
		}
		if !moved.RequestID.IsZero() {
			progress.Moved = append(progress.Moved, moved)
		}
	}
	if len(items) == max(1, limit) {
		progress.More, progress.Next = true, pass
		progress.Next.After = items[len(items)-1]
		return progress, nil
	}
	return progress, s.noteLook(ctx, absence, pass, &progress)
}

// noteLook notes that the pass went through all items, unless the absence was
// ended meanwhile: then another is due at once.
func (s *Store) noteLook(ctx context.Context, absence lifecycle.Absence, pass lifecycle.AbsencePass, progress *lifecycle.AbsenceProgress) error {
	next := absenceInUTC(absence).NextLook(pass.Began)
	var due any
	if !next.IsZero() {
		due = next
	}
	noted, err := affected(ctx, s.db, "UPDATE absences SET due = ? WHERE id = ? AND ends = ?", due, absence.ID, absence.End)
	if err != nil {
		return err
	}
	progress.Due = next
	if noted == 0 {
		progress.Due = pass.Began
	}
	return nil
}

// concerned returns the next pending items that are, or would be but for a
// deputy, those of the identity or of somebody whose deputies lead to it.
func (s *Store) concerned(ctx context.Context, identity, after lifecycle.ID, limit int) ([]lifecycle.ID, error) {
	return s.ids(ctx, `WITH RECURSIVE behind AS (
			SELECT ?0::uuid AS id, 0 AS depth
			UNION SELECT b.identity_id, n.depth + 1 FROM behind AS n JOIN absences AS b ON b.deputy_id = n.id
			WHERE n.depth < ?1 AND `+inForce+`
		)
		SELECT i.id FROM approval_items AS i
		WHERE i.status = 'PENDING' AND i.approver_type = 'IDENTITY' AND i.id > ?2
			AND (i.approver_id IN (SELECT id FROM behind) OR i.delegated_from IN (SELECT id FROM behind))
		ORDER BY i.id LIMIT ?3`, identity, lifecycle.MaxDeputies, after.String(), limit)
}

// settleItem has the item go to whoever is to decide it now, if that is somebody
// else. moved is empty where it stays.
func (s *Store) settleItem(ctx context.Context, item lifecycle.ID) (moved lifecycle.RequestToCheck, err error) {
	err = s.inItem(ctx, item, func(tx bun.Tx, i heldItem) error {
		if i.status != lifecycle.StatusPending {
			return nil
		}
		went, err := settle(ctx, tx, i.source, i.request, i.id, now())
		if went {
			moved = lifecycle.RequestToCheck{RequestID: i.request.id, SourceID: i.source, Moved: true}
		}
		return err
	})
	if err != nil && lifecycle.KindOf(err) == lifecycle.KindNotFound {
		err = nil
	}
	return moved, err
}

// settle has the pending item go to whoever is to decide it at this moment: to
// the deputy of whose it is while they are away, and back to them. moved is false
// where it is there already, and where it would go back to somebody who is not
// active any more. The caller holds the lock of the item's request q.
func settle(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest, item lifecycle.ID, at time.Time) (moved bool, err error) {
	var holder lifecycle.Reference
	var whose lifecycle.ID
	var active bool
	found, err := row(ctx, tx, []any{&holder.ID, &holder.Type, &whose, &active}, `SELECT i.approver_id, i.approver_type,
			coalesce(i.delegated_from, i.approver_id), EXISTS (
				SELECT 1 FROM identities AS a WHERE a.id = coalesce(i.delegated_from, i.approver_id) AND a.active)
		FROM approval_items AS i WHERE i.id = ? AND i.status = 'PENDING'`, item)
	if err != nil || !found || holder.Type != lifecycle.ReferenceIdentity {
		return false, err
	}
	to, err := deputyOf(ctx, tx, whose, q.requester)
	if err != nil || to == holder.ID || to == whose && !active {
		return false, err
	}
	move := lifecycle.Reassignment{
		ItemID: item, Type: lifecycle.ReassignedByAbsence, From: holder, To: lifecycle.IdentityReference(to), OnBehalfOf: whose,
	}
	if to == whose {
		move.OnBehalfOf = lifecycle.ID{}
	}
	return true, reassign(ctx, tx, source, q, move, at)
}

// deputyOf returns who decides for the person at this moment about what the
// requester asked for; the person, where nobody else does.
func deputyOf(ctx context.Context, tx bun.Tx, person, requester lifecycle.ID) (lifecycle.ID, error) {
	var who, deputy lifecycle.ID
	var active bool
	deputies, able := map[lifecycle.ID]lifecycle.ID{}, map[lifecycle.ID]bool{}
	rows, err := tx.QueryContext(ctx, `WITH RECURSIVE way AS (
			SELECT b.identity_id, b.deputy_id, 1 AS step FROM absences AS b WHERE b.identity_id = ?0 AND `+inForce+`
			UNION ALL SELECT b.identity_id, b.deputy_id, w.step + 1 FROM way AS w JOIN absences AS b ON b.identity_id = w.deputy_id
			WHERE w.step <= ?1 AND `+inForce+`
		)
		SELECT w.identity_id, w.deputy_id, EXISTS (SELECT 1 FROM identities AS a WHERE a.id = w.deputy_id AND a.active) FROM way AS w`,
		person, lifecycle.MaxDeputies)
	err = each(rows, err, []any{&who, &deputy, &active}, func() error {
		deputies[who], able[deputy] = deputy, active
		return nil
	})
	return lifecycle.DeputyOf(person, deputies, func(id lifecycle.ID) bool { return able[id] && id != requester }), err
}

// leaveDeputy has the pending item of the request q, where a deputy has it, go to
// whoever is to decide it now: the deputy may be gone, and whose it is may not.
func leaveDeputy(ctx context.Context, tx bun.Tx, q lockedRequest, at time.Time) (moved bool, err error) {
	var item, source lifecycle.ID
	found, err := row(ctx, tx, []any{&item, &source}, `SELECT i.id, r.source_id
		FROM requests AS r JOIN approval_items AS i ON i.request_id = r.id
		WHERE r.id = ? AND i.status = 'PENDING' AND i.delegated_from IS NOT NULL`, q.id)
	if err != nil || !found {
		return false, err
	}
	return settle(ctx, tx, source, q, item, at)
}
