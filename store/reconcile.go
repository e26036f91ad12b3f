package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// inRows selects what a lifecycle.RequestInRows says of the requests r that the rest
// of the query names; ?0 is when they should have been settled.
const inRows = `SELECT r.id, r.source_id, r.approval_status <> 'PENDING', r.workflow_seen_at < r.modified, r.modified <= ?0, r.modified, i.id
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
		ORDER BY r.id LIMIT ?2`, now().Add(-settled), after.String(), max(0, limit))
}

// RequestsAmong returns those of the requests that there are, as OpenRequests does.
func (s *Store) RequestsAmong(ctx context.Context, ids []lifecycle.ID, settled time.Duration) (requests []lifecycle.RequestInRows, err error) {
	defer s.done(ctx, "RequestsAmong", time.Now(), &err)
	return s.requestsInRows(ctx, "r.id = ANY (?1)", now().Add(-settled), idList(ids))
}

// engineTables have the rows that each kind of workflow stands for.
var engineTables = map[lifecycle.EngineKind]bun.Safe{
	lifecycle.EngineRequest: "requests", lifecycle.EngineAbsence: "absences", lifecycle.EngineImports: "sources",
	lifecycle.EngineImport: "import_jobs", lifecycle.EngineExport: "export_jobs", lifecycle.EngineDelivery: "deliveries",
	lifecycle.EngineSchedule: "export_schedules",
}

// Existing returns those of the ids that there are rows for.
func (s *Store) Existing(ctx context.Context, kind lifecycle.EngineKind, ids []lifecycle.ID) (existing []lifecycle.ID, err error) {
	defer s.done(ctx, "Existing", time.Now(), &err)
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
