package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// inRows selects what a lifecycle.RequestInRows says of the requests r that the rest
// of the query names; ?0 is the seconds after which they are settled. The
// database's clock is what all copies of the programs have in common.
const inRows = `SELECT r.id, r.source_id, r.approval_status <> 'PENDING', r.workflow_seen_at < r.modified, r.modified <= now() - ?0::float * interval '1 second', r.modified, i.id
	FROM requests AS r LEFT JOIN approval_items AS i ON i.request_id = r.id AND i.status = 'PENDING'
	WHERE `

func (s *Store) requestsInRows(ctx context.Context, where string, args ...any) (requests []lifecycle.RequestInRows, err error) {
	var q lifecycle.RequestInRows
	rows, err := s.db.QueryContext(ctx, inRows+where, args...)
	err = each(rows, err, []any{&q.RequestID, &q.SourceID, &q.Final, &q.Unseen, &q.Settled, &q.Version, &q.Pending}, func() error {
		q.Version = q.Version.UTC()
		requests = append(requests, q)
		return nil
	})
	return requests, err
}

// OpenRequests returns the next requests that have a workflow to run, those that are
// pending and those whose end is not known to be told, at most limit after the one of
// this id, by their ids. What has not moved since settled ago is settled.
func (s *Store) OpenRequests(ctx context.Context, after lifecycle.ID, limit int, settled time.Duration) (requests []lifecycle.RequestInRows, err error) {
	defer s.done(ctx, "OpenRequests", time.Now(), &err)
	// The zero id is before all others; as a value it would be NULL.
	return s.requestsInRows(ctx, `(r.approval_status = 'PENDING' OR r.workflow_seen_at < r.modified) AND r.id > ?1::uuid
		ORDER BY r.id LIMIT ?2`, settled.Seconds(), after.String(), max(0, limit))
}

// RequestsAmong returns those of the requests that there are, as OpenRequests does.
func (s *Store) RequestsAmong(ctx context.Context, ids []lifecycle.ID, settled time.Duration) (requests []lifecycle.RequestInRows, err error) {
	defer s.done(ctx, "RequestsAmong", time.Now(), &err)
	return s.requestsInRows(ctx, "r.id = ANY (?1)", settled.Seconds(), idList(ids))
}

// engineTables have the rows that each kind of workflow stands for.
var engineTables = map[lifecycle.EngineKind]bun.Safe{
	lifecycle.EngineRequest: "requests", lifecycle.EngineAbsence: "absences", lifecycle.EngineImports: "sources",
	lifecycle.EngineImport: "import_jobs", lifecycle.EngineExport: "export_jobs", lifecycle.EngineDelivery: "deliveries",
	lifecycle.EngineSchedule: "export_schedules",
}

// AnyRequest reports whether there is one request at all.
func (s *Store) AnyRequest(ctx context.Context) (there bool, err error) {
	defer s.done(ctx, "AnyRequest", time.Now(), &err)
	_, err = row(ctx, s.db, []any{&there}, "SELECT EXISTS (SELECT FROM requests)")
	return there, err
}

// awaiting says which of the rows x of an engineTable have a workflow to run.
var awaiting = map[lifecycle.EngineKind]bun.Safe{
	lifecycle.EngineAbsence: "x.due IS NOT NULL", lifecycle.EngineDelivery: "x.status = 'PENDING'",
	lifecycle.EngineExport: "x.status IN ('PENDING', 'IN_PROGRESS')", lifecycle.EngineSchedule: "true",
}

// Awaits reports whether the row of this kind and id, which is none of a request, has
// a workflow to run, or a schedule, and has not moved since settled ago.
func (s *Store) Awaits(ctx context.Context, kind lifecycle.EngineKind, id lifecycle.ID, settled time.Duration) (awaits bool, err error) {
	defer s.done(ctx, "Awaits", time.Now(), &err)
	const still = "x.modified <= now() - ?::float * interval '1 second'"
	if kind == lifecycle.EngineImports {
		// While one moves the others may well stand still.
		_, err = row(ctx, s.db, []any{&awaits}, `SELECT coalesce(bool_or(`+still+`) AND NOT coalesce(bool_or(NOT `+still+`)
			FILTER (WHERE x.status = 'IN_PROGRESS'), false), false)
			FROM import_jobs AS x WHERE x.source_id = ? AND x.status IN ('PENDING', 'IN_PROGRESS')`, settled.Seconds(), settled.Seconds(), id)
		return awaits, err
	}
	_, err = row(ctx, s.db, []any{&awaits}, "SELECT EXISTS (SELECT FROM ? AS x WHERE x.id = ? AND ? AND "+still+")",
		engineTables[kind], id, awaiting[kind], settled.Seconds())
	return awaits, err
}

// Existing returns those of the ids that there are rows for. Requests that were deleted
// are among them for as long as a sweep has their workflows to end.
func (s *Store) Existing(ctx context.Context, kind lifecycle.EngineKind, ids []lifecycle.ID) (existing []lifecycle.ID, err error) {
	defer s.done(ctx, "Existing", time.Now(), &err)
	if kind == lifecycle.EngineRequest {
		return s.ids(ctx, `SELECT id FROM requests WHERE id = ANY (?0)
			UNION SELECT request_id FROM workflow_endings WHERE request_id = ANY (?0)`, idList(ids))
	}
	return s.ids(ctx, "SELECT id FROM ? WHERE id = ANY (?)", engineTables[kind], idList(ids))
}

// OpenAbsences returns the next absences that are not over, at most limit after the
// one of this id, by their ids.
func (s *Store) OpenAbsences(ctx context.Context, after lifecycle.ID, limit int) (absences []lifecycle.ID, err error) {
	defer s.done(ctx, "OpenAbsences", time.Now(), &err)
	return s.ids(ctx, "SELECT id FROM absences WHERE due IS NOT NULL AND id > ?::uuid ORDER BY id LIMIT ?", after.String(), max(0, limit))
}

// PendingDeliveries returns the next deliveries that are pending, with their channels,
// at most limit after the one of this id, by their ids.
func (s *Store) PendingDeliveries(ctx context.Context, after lifecycle.ID, limit int) (deliveries []lifecycle.Delivery, err error) {
	defer s.done(ctx, "PendingDeliveries", time.Now(), &err)
	var d lifecycle.Delivery
	rows, err := s.db.QueryContext(ctx, `SELECT id, channel FROM deliveries WHERE status = 'PENDING' AND id > ?::uuid ORDER BY id LIMIT ?`,
		after.String(), max(0, limit))
	err = each(rows, err, []any{&d.ID, &d.Channel}, func() error { deliveries = append(deliveries, d); return nil })
	return deliveries, err
}
