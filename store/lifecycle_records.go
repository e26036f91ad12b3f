package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// RecordLifecycles returns where the records stand and what comes next for them as
// of at; those that there are not are left out.
func (s *Store) RecordLifecycles(ctx context.Context, ids []lifecycle.ID, at time.Time) (lives map[lifecycle.ID]lifecycle.RecordLifecycle, err error) {
	defer s.done(ctx, "RecordLifecycles", time.Now(), &err)
	type life struct {
		id, source lifecycle.ID
		rung       int
		end        time.Time
		ended      sql.NullTime
		lifecycle.RecordLifecycle
	}
	var (
		r       life
		all     []life
		sources idList
		known   = map[lifecycle.ID]bool{}
	)
	rows, err := s.db.QueryContext(ctx, `SELECT id, source_id, lifecycle_rung, end_date, lifecycle_state, lifecycle_since, ended_at, ended_reason
		FROM records WHERE id = ANY (?)`, idList(ids))
	err = each(rows, err, []any{&r.id, &r.source, &r.rung, &r.end, &r.State, &r.Since, &r.ended, &r.EndedReason}, func() error {
		if all = append(all, r); !known[r.source] {
			known[r.source] = true
			sources = append(sources, r.source)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	policies, err := lifecyclePolicies(ctx, s.db, sources)
	if err != nil {
		return nil, err
	}
	lives = make(map[lifecycle.ID]lifecycle.RecordLifecycle, len(all))
	for _, r := range all {
		policy := policies[r.source]
		l := r.RecordLifecycle
		l.Since = l.Since.UTC()
		if r.ended.Valid {
			l.Ended = r.ended.Time.UTC()
		}
		l.NextWarning = policy.NextWarning(r.rung, r.end.UTC(), at, s.day)
		l.EndAction = policy.ActionDue(r.rung, r.end.UTC(), s.day)
		lives[r.id] = l
	}
	return lives, nil
}

// EndRecord ends the record now, for a reason that may tell about people, and tells
// of it. Its end becomes now unless it has come already; a record whose time has
// not begun began just before. One that was ended so is left as it is, with the
// reason it was ended for. KindNotFound if there is none.
func (s *Store) EndRecord(ctx context.Context, id lifecycle.ID, reason string) (record lifecycle.Record, err error) {
	defer s.done(ctx, "EndRecord", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		source, found, err := lockCountersOf(ctx, tx, "records", id, forUsing)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		if record, err = lockRecord(ctx, tx, id); err != nil {
			return err
		}
		var ended bool
		if _, err := row(ctx, tx, []any{&ended}, "SELECT ended_at IS NOT NULL FROM records WHERE id = ?", id); err != nil || ended {
			return err
		}
		at := now()
		record.StartDate, record.EndDate = endedAt(record.StartDate, record.EndDate, at)
		record.Modified = later(at, record.Modified)
		if err := writeEnded(ctx, tx, record, reason, at); err != nil {
			return err
		}
		event := lifecycle.Event{
			Type: lifecycle.EventEnded, Source: source, Facts: map[string]any{"state": string(lifecycle.StateSuspended)},
		}
		if by := lifecycle.OriginOf(ctx).Identity; !by.IsZero() {
			event.Facts["by"] = by
		}
		return tellOfRecords(ctx, tx, event, []lifecycle.WarnedRole{lifecycle.WarnAccountManagers, lifecycle.WarnManager},
			[]taken{{id: id, manager: record.Manager.ID}})
	})
	if err != nil {
		return lifecycle.Record{}, err
	}
	return record, nil
}

// endedAt returns the dates of a record that is ended at at.
func endedAt(start, end, at time.Time) (starts, ends time.Time) {
	if !end.After(at) {
		return start, end
	}
	if !start.Before(at) {
		start = at.Add(-time.Millisecond)
	}
	return start, at
}

func writeEnded(ctx context.Context, tx bun.Tx, record lifecycle.Record, reason string, at time.Time) error {
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		facts:  "jsonb_build_object('lifecycleState', r.lifecycle_state, 'was', b.was)",
		before: "b.person || jsonb_build_object('endedReason', '')", after: auditedPerson + " || jsonb_build_object('endedReason', r.ended_reason)",
		subjects: personSubjects, from: "r JOIN b ON b.id = r.id",
	})
	if err != nil {
		return err
	}
	return exec(ctx, tx, `WITH b AS MATERIALIZED (
			SELECT r.id, r.lifecycle_state AS was, `+auditedPerson+` AS person FROM records AS r WHERE r.id = ?0
		), r AS (
			UPDATE records SET start_date = ?1, end_date = ?2, modified = ?3, lifecycle_state = 'SUSPENDED', lifecycle_rung = ?4,
				lifecycle_since = CASE lifecycle_state WHEN 'SUSPENDED' THEN lifecycle_since ELSE ?5::timestamptz END,
				ended_at = ?5, ended_reason = ?6
			WHERE id = ?0 RETURNING *
		), ?7 SELECT`,
		record.ID, record.StartDate, record.EndDate, record.Modified, lifecycle.RungSuspended, at, reason, audited)
}
