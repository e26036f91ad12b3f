package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// auditWindow is how many numbers are looked through at once for a page of an
// export, however few entries the filter lets through.
const auditWindow = 2_000

// auditEventColumns are those of r, an entry, with its details d, its seal s and
// the identity i behind it.
const auditEventColumns = auditColumns + ", " + auditDetailColumns + `,
	coalesce(i.alias, ''), coalesce(s.position, 0), s.hash`

const auditEventJoins = `LEFT JOIN audit_details AS d ON d.entry_id = r.id
	LEFT JOIN audit_seals AS s ON s.entry_id = r.id
	LEFT JOIN identities AS i ON i.id = r.identity_id`

type auditEventRow struct {
	auditRow
	event lifecycle.AuditEvent
}

func (r *auditEventRow) dest() []any {
	return append(r.detailedDest(), &r.event.Alias, &r.event.Seal.Position, &r.event.Seal.Hash)
}

func (r *auditEventRow) toEvent() lifecycle.AuditEvent {
	e := r.event
	e.AuditEntry = r.toEntry()
	return e
}

// ListAuditEvents returns a page, in the order of q.Sort, which is not empty, and
// where q.Count, the number of matches.
func (s *Store) ListAuditEvents(ctx context.Context, q filter.Query) (events []lifecycle.AuditEvent, count int, err error) {
	defer s.done(ctx, "ListAuditEvents", time.Now(), &err)
	l := list{table: "audit_entries", fields: auditFields}
	if q.Count {
		query, err := s.matches(l, q.Where)
		if err != nil {
			return nil, 0, err
		}
		if count, err = s.scalar(ctx, query); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	query, err := s.auditEventsQuery(l, q)
	if err != nil {
		return nil, 0, err
	}
	events, err = s.queryAuditEvents(ctx, query)
	return events, count, err
}

func (s *Store) auditEventsQuery(l list, q filter.Query) (*bun.SelectQuery, error) {
	page, err := s.page(l, q)
	if err != nil {
		return nil, err
	}
	order, err := l.fields.order(q.Sort)
	if err != nil {
		return nil, err
	}
	query := s.db.NewSelect().ColumnExpr(auditEventColumns).TableExpr("(?) AS r", page).Join(auditEventJoins)
	for _, term := range order {
		query = query.OrderExpr(term)
	}
	return query, nil
}

func (s *Store) queryAuditEvents(ctx context.Context, query *bun.SelectQuery) ([]lifecycle.AuditEvent, error) {
	var events []lifecycle.AuditEvent
	var r auditEventRow
	err := s.rows(ctx, query, r.dest(), func() error { events = append(events, r.toEvent()); return nil })
	return events, err
}

// AuditEnd returns the number of the newest entry there is; 0 if there is none.
func (s *Store) AuditEnd(ctx context.Context) (number int64, err error) {
	defer s.done(ctx, "AuditEnd", time.Now(), &err)
	_, err = row(ctx, s.db, []any{&number}, "SELECT coalesce(max(id), 0) FROM audit_entries")
	return number, err
}

// AuditEventsAfter returns entries that the filter lets through, by number, from
// behind the number after up to the number end, and up to which number it has
// looked, at least: it is called again from there on until that is end. It returns
// no entries where a part of the trail has none of them.
func (s *Store) AuditEventsAfter(ctx context.Context, where filter.Expr, after, end int64) (events []lifecycle.AuditEvent, looked int64, err error) {
	defer s.done(ctx, "AuditEventsAfter", time.Now(), &err)
	condition, err := auditFields.condition(where)
	if err != nil {
		return nil, after, err
	}
	// Numbers have gaps, after a restore perhaps a large one.
	var first sql.NullInt64
	if _, err := row(ctx, s.db, []any{&first},
		"SELECT min(id) FROM audit_entries WHERE id > ? AND id <= ?", after, end); err != nil || !first.Valid {
		return nil, end, err
	}
	looked = min(end, first.Int64+auditWindow-1)
	query := s.db.NewSelect().ColumnExpr(auditEventColumns).TableExpr("audit_entries AS r").Join(auditEventJoins).
		Where("r.id >= ? AND r.id <= ? AND ?", first.Int64, looked, condition).OrderExpr("r.id")
	events, err = s.queryAuditEvents(ctx, query)
	return events, looked, err
}
