package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// ImportsToWake returns at most limit sources that have imports waiting or in
// progress whose rows have not moved for grace.
func (s *Store) ImportsToWake(ctx context.Context, limit int, grace time.Duration) (sources []lifecycle.ID, err error) {
	defer s.done(ctx, "ImportsToWake", time.Now(), &err)
	// While one moves the others may well stand still.
	return s.ids(ctx, `SELECT source_id FROM import_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')
		GROUP BY source_id
		HAVING min(modified) <= ?0 AND NOT coalesce(bool_or(modified > ?0) FILTER (WHERE status = 'IN_PROGRESS'), false)
		ORDER BY min(modified), source_id LIMIT ?1`, now().Add(-grace), max(0, limit))
}

// ids reads the one column that a query selects.
func (s *Store) ids(ctx context.Context, query string, args ...any) (ids []lifecycle.ID, err error) {
	var id lifecycle.ID
	rows, err := s.db.QueryContext(ctx, query, args...)
	err = each(rows, err, []any{&id}, func() error { ids = append(ids, id); return nil })
	return ids, err
}

// ExportsToStart returns at most limit exports that have not ended and have not
// moved for grace, the one that stands longest first.
func (s *Store) ExportsToStart(ctx context.Context, limit int, grace time.Duration) (jobs []lifecycle.ExportJob, err error) {
	defer s.done(ctx, "ExportsToStart", time.Now(), &err)
	return queryExports(ctx, s.db, `WHERE j.status IN ('PENDING', 'IN_PROGRESS') AND j.modified <= ?
		ORDER BY j.modified, j.id LIMIT ?`, now().Add(-grace), max(0, limit))
}

// chunkWeight is how many staged rows a chunk of a file counts for when it is
// removed: so many pieces of it are stored.
const chunkWeight = nextChunk / 2048

// DropBulk removes one batch of what is of no use any more, about limit rows, and
// returns how many; 0 means that nothing is left but what somebody else is just
// removing. It takes away uploads whose lease ran out, imports that ended, and
// exports that failed, more than retention ago, exports that expired, and then
// the staged rows, faults and chunks of what is gone. Exports that a schedule kept
// which is gone now expire after keep. Several may run at once.
func (s *Store) DropBulk(ctx context.Context, limit int, retention, keep time.Duration) (dropped int, err error) {
	defer s.done(ctx, "DropBulk", time.Now(), &err)
	limit = max(1, limit)
	at := now()
	// Here rather than where the schedule is deleted: one of its exports may be
	// completed at that moment.
	if err := exec(ctx, s.db, `UPDATE export_jobs SET expires = ? WHERE id IN (
			SELECT j.id FROM export_jobs AS j WHERE j.status = 'COMPLETED' AND j.schedule_id IS NOT NULL AND j.expires IS NULL
				AND NOT EXISTS (SELECT 1 FROM export_schedules AS s WHERE s.id = j.schedule_id)
			FOR UPDATE SKIP LOCKED)`, at.Add(keep)); err != nil {
		return 0, err
	}
	// A lease alone is short enough for the clocks of two machines to matter.
	for _, expired := range []struct {
		table bun.Safe
		where schema.QueryWithArgs
		order bun.Safe
		// object and why are for the audit trail. An upload that was never accepted
		// is none of its business.
		object lifecycle.AuditObjectType
		why    string
	}{
		{"import_jobs", bun.SafeQuery("status = 'RECEIVING' AND lease_until < now()"), "lease_until", "", ""},
		{"import_jobs", bun.SafeQuery("finished < ?", at.Add(-retention)), "finished", lifecycle.ObjectImport, "ended"},
		{"export_jobs", bun.SafeQuery("expires < ?", at), "expires", lifecycle.ObjectExport, "expired"},
		{"export_jobs", bun.SafeQuery("status = 'ERROR' AND finished < ?", at.Add(-retention)), "finished", lifecycle.ObjectExport, "failed"},
	} {
		audited, err := auditRemoved(ctx, expired.object, "'reason', '"+expired.why+"'")
		if err != nil {
			return dropped, err
		}
		jobs, err := affected(ctx, s.db, `WITH gone AS (
				DELETE FROM ?0 WHERE id IN (SELECT id FROM ?0 WHERE ?1 ORDER BY ?2, id LIMIT ?3 FOR UPDATE SKIP LOCKED)
				RETURNING id
			)?4 `+noteGarbage, expired.table, expired.where, expired.order, limit, audited)
		if err != nil {
			return dropped, err
		}
		dropped += int(jobs)
	}
	garbage, err := s.dropGarbage(ctx, limit, "SKIP LOCKED")
	return dropped + garbage, err
}

// auditRemoved is a part of a statement, with a comma before it, that tells of the
// jobs in its part "gone", if there are any, as one set that has no id; nothing
// for no object. facts are SQL, arguments of jsonb_build_object.
func auditRemoved(ctx context.Context, object lifecycle.AuditObjectType, facts string) (schema.QueryAppender, error) {
	if object == "" {
		return bun.Safe(""), nil
	}
	parts, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionDelete, object: object, id: "''",
		facts: "jsonb_build_object(" + facts + ", 'count', removed.count, 'ids', removed.ids)",
		from:  "(SELECT count(*), jsonb_agg(id ORDER BY id) AS ids FROM gone HAVING count(*) > 0) AS removed",
	})
	return bun.SafeQuery(", ?", parts), err
}

// dropGarbage removes a batch of what one job left behind, or the note of it once
// there is nothing more. It passes over a job that somebody else is just at with
// "SKIP LOCKED", and waits for them with "".
func (s *Store) dropGarbage(ctx context.Context, limit int, locked bun.Safe) (dropped int, err error) {
	err = s.inTx(ctx, func(tx bun.Tx) error {
		var job lifecycle.ID
		var removed int
		found, err := row(ctx, tx, []any{&job, &removed},
			"SELECT job_id, removed FROM bulk_garbage ORDER BY created, job_id LIMIT 1 FOR UPDATE ?", locked)
		if err != nil || !found {
			return err
		}
		if err := tune(ctx, tx, byIndex...); err != nil {
			return err
		}
		if dropped, err = dropStaged(ctx, tx, job, removed, limit); err != nil || dropped > 0 {
			return err
		}
		for _, part := range []struct {
			statement string
			limit     int
		}{
			// Not before the job is gone; who removes it waits for the lock on the note.
			{`DELETE FROM import_faults WHERE job_id = ?0 AND NOT EXISTS (SELECT 1 FROM import_jobs WHERE id = ?0)
				AND number <= (SELECT max(b.number) FROM (
					SELECT number FROM import_faults WHERE job_id = ?0 ORDER BY number LIMIT ?1) AS b)`, limit},
			{`DELETE FROM export_chunks WHERE job_id = ?0 AND (attempt, number) IN (
				SELECT attempt, number FROM export_chunks WHERE job_id = ?0 ORDER BY attempt, number LIMIT ?1)`,
				max(1, limit/chunkWeight)},
			{"DELETE FROM bulk_garbage WHERE job_id = ?0", 0},
		} {
			n, err := affected(ctx, tx, part.statement, job, part.limit)
			if dropped = int(n); err != nil || dropped > 0 {
				return err
			}
		}
		return fmt.Errorf("store: the note of the job %s can't be removed", job)
	})
	return dropped, err
}

// dropStaged removes the next staged rows of the job. It goes on from where the
// last batch ended, rather than over all the rows that are removed already.
func dropStaged(ctx context.Context, tx bun.Tx, job lifecycle.ID, removed, limit int) (int, error) {
	var last sql.NullInt64
	if _, err := row(ctx, tx, []any{&last}, `SELECT max(b.number) FROM (SELECT number FROM import_rows
		WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?) AS b`, job, removed, limit); err != nil || !last.Valid {
		return 0, err
	}
	if err := exec(ctx, tx, "UPDATE bulk_garbage SET removed = ? WHERE job_id = ?", last.Int64, job); err != nil {
		return 0, err
	}
	n, err := affected(ctx, tx, "DELETE FROM import_rows WHERE job_id = ? AND number > ? AND number <= ?", job, removed, last.Int64)
	return int(n), err
}

// auditedSchedule is s, a schedule, as the audit trail shows it.
const auditedSchedule = "jsonb_build_object('cron', s.cron, 'zone', s.zone, 'keep', s.keep)"

const scheduleColumns = "s.id, s.source_id, s.cron, s.zone, s.keep, s.requester_id, s.client_id, s.created, s.modified"

func querySchedules(ctx context.Context, db bun.IDB, where string, args ...any) ([]lifecycle.ExportSchedule, error) {
	var schedules []lifecycle.ExportSchedule
	var e lifecycle.ExportSchedule
	rows, err := db.QueryContext(ctx, "SELECT "+scheduleColumns+" FROM export_schedules AS s "+where, args...)
	err = each(rows, err, []any{
		&e.ID, &e.SourceID, &e.Cron, &e.Zone, &e.Keep, &e.Requester, &e.ClientID, &e.Created, &e.Modified,
	}, func() error {
		e.Created, e.Modified = e.Created.UTC(), e.Modified.UTC()
		schedules = append(schedules, e)
		return nil
	})
	return schedules, err
}

// CreateExportSchedule adds a schedule. Errors: KindLimit beyond
// lifecycle.MaxExportSchedules, KindNotFound for a source that does not exist.
func (s *Store) CreateExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) (err error) {
	defer s.done(ctx, "CreateExportSchedule", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		found, err := lockCounters(ctx, tx, schedule.SourceID, forCounting)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		var n int
		if _, err := row(ctx, tx, []any{&n}, "SELECT count(*) FROM export_schedules WHERE source_id = ?", schedule.SourceID); err != nil {
			return err
		}
		if n >= lifecycle.MaxExportSchedules {
			return lifecycle.NewError(lifecycle.KindLimit,
				fmt.Sprintf("The limit of %d export schedules of a source is reached.", lifecycle.MaxExportSchedules))
		}
		audited, err := auditOf(ctx, auditQuery{
			action: lifecycle.ActionCreate, object: lifecycle.ObjectExportSchedule, id: "s.id", source: "s.source_id",
			after: auditedSchedule, from: "s",
		})
		if err != nil {
			return err
		}
		return exec(ctx, tx, `WITH s AS (INSERT INTO export_schedules
			(id, source_id, cron, zone, keep, requester_id, client_id, created, modified) VALUES ? RETURNING *), ? SELECT`,
			tuples{{
				schedule.ID, schedule.SourceID, schedule.Cron, schedule.Zone, schedule.Keep, schedule.Requester,
				schedule.ClientID, schedule.Created, schedule.Modified,
			}}, audited)
	})
}

// ListExportSchedules returns the schedules of the source, oldest first. An
// unknown source has none.
func (s *Store) ListExportSchedules(ctx context.Context, source lifecycle.ID) (schedules []lifecycle.ExportSchedule, err error) {
	defer s.done(ctx, "ListExportSchedules", time.Now(), &err)
	return querySchedules(ctx, s.db, "WHERE s.source_id = ? ORDER BY s.created, s.id", source)
}

// DeleteExportSchedule removes the schedule and notes that Temporal has to
// forget it. Its finished exports stay until they expire. KindNotFound if the
// source has none with this id.
func (s *Store) DeleteExportSchedule(ctx context.Context, source, schedule lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteExportSchedule", time.Now(), &err)
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionDelete, object: lifecycle.ObjectExportSchedule, id: "s.id", source: "s.source_id",
		before: auditedSchedule, from: "gone AS s",
	})
	if err != nil {
		return err
	}
	return changedOne(affected(ctx, s.db, `WITH gone AS (
			DELETE FROM export_schedules WHERE id = ? AND source_id = ? RETURNING *
		), ? `+noteScheduleEndings, schedule, source, audited))
}

// noteScheduleEndings ends a statement whose part "gone" has the ids of
// schedules that were deleted.
const noteScheduleEndings = `INSERT INTO schedule_endings (schedule_id, created) SELECT id, now() FROM gone
	ON CONFLICT DO NOTHING`

// ExportSchedules returns all schedules with an id greater than after, at most
// limit, by id.
func (s *Store) ExportSchedules(ctx context.Context, after lifecycle.ID, limit int) (schedules []lifecycle.ExportSchedule, err error) {
	defer s.done(ctx, "ExportSchedules", time.Now(), &err)
	// The zero id is before all others; as a value it would be NULL.
	return querySchedules(ctx, s.db, "WHERE s.id > ?::uuid ORDER BY s.id LIMIT ?", after.String(), max(0, limit))
}

// ScheduleEndings returns at most limit schedules that Temporal has to forget,
// the one that was deleted first first.
func (s *Store) ScheduleEndings(ctx context.Context, limit int) (schedules []lifecycle.ID, err error) {
	defer s.done(ctx, "ScheduleEndings", time.Now(), &err)
	return s.ids(ctx, "SELECT schedule_id FROM schedule_endings ORDER BY created, schedule_id LIMIT ?", max(0, limit))
}

// DropScheduleEndings forgets endings that are done; one that is not there is no
// error.
func (s *Store) DropScheduleEndings(ctx context.Context, schedules []lifecycle.ID) (err error) {
	defer s.done(ctx, "DropScheduleEndings", time.Now(), &err)
	return exec(ctx, s.db, `DELETE FROM schedule_endings WHERE schedule_id IN
		(SELECT schedule_id FROM schedule_endings WHERE schedule_id = ANY (?) FOR UPDATE SKIP LOCKED)`, idList(schedules))
}

// PruneScheduledExports removes the finished exports of the schedule beyond
// those it keeps, the oldest of them; nothing where the schedule is gone.
func (s *Store) PruneScheduledExports(ctx context.Context, schedule lifecycle.ID) (err error) {
	defer s.done(ctx, "PruneScheduledExports", time.Now(), &err)
	audited, err := auditRemoved(ctx, lifecycle.ObjectExport, "'reason', 'pruned', 'schedule', "+uuidLiteral(schedule))
	if err != nil {
		return err
	}
	return exec(ctx, s.db, `WITH gone AS (
			DELETE FROM export_jobs WHERE id IN (
				SELECT j.id FROM export_jobs AS j WHERE j.schedule_id = ?0 AND j.status = 'COMPLETED'
				ORDER BY j.created DESC, j.id DESC OFFSET (SELECT s.keep FROM export_schedules AS s WHERE s.id = ?0)
			) AND EXISTS (SELECT 1 FROM export_schedules AS s WHERE s.id = ?0) RETURNING id
		)?1 `+noteGarbage, schedule, audited)
}
