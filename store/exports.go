package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"gatehouse/csvfile"
	"gatehouse/lifecycle"
)

// Sizes of the pieces that a file is written in, in bytes. The first one is
// small, so that the file begins soon; the others are worth a transaction each.
const (
	firstChunk = 16 << 10
	nextChunk  = 256 << 10
	// chunksAhead is how many pieces may be made before they are written.
	chunksAhead = 2
)

// exportColumns are those of j, an export.
const exportColumns = `j.id, j.source_id, j.schedule_id, j.requester_id, j.client_id, j.status, j.attempt, j.rows, j.bytes,
	j.created, j.modified, j.finished, j.expires`

type exportRow struct {
	job               lifecycle.ExportJob
	finished, expires sql.NullTime
}

func (r *exportRow) dest() []any {
	j := &r.job
	return []any{
		&j.ID, &j.SourceID, &j.ScheduleID, &j.Requester, &j.ClientID, &j.Status, &j.Attempt, &j.Rows, &j.Bytes,
		&j.Created, &j.Modified, &r.finished, &r.expires,
	}
}

func (r *exportRow) toJob() lifecycle.ExportJob {
	j := r.job
	j.Created, j.Modified = j.Created.UTC(), j.Modified.UTC()
	j.Finished, j.Expires = timeOf(r.finished), timeOf(r.expires)
	return j
}

// BeginExport returns an export of job's source that no schedule made and that is
// still PENDING, whoever asked for it: its snapshot is yet to be taken, so that it
// will be as fresh as a new one. Where there is none it makes job, PENDING, and
// returns that. Of two calls at once each may make its own, which does no harm.
// KindNotFound for a source that does not exist.
func (s *Store) BeginExport(ctx context.Context, job lifecycle.ExportJob) (begun lifecycle.ExportJob, err error) {
	defer s.done(ctx, "BeginExport", time.Now(), &err)
	audited, err := auditOf(ctx, exportQuery(lifecycle.ActionCreate, "made", ""))
	if err != nil {
		return lifecycle.ExportJob{}, err
	}
	var r exportRow
	_, err = row(ctx, s.db, r.dest(), `WITH waiting AS (
			SELECT * FROM export_jobs WHERE source_id = ?0 AND status = 'PENDING' AND schedule_id IS NULL
			ORDER BY created, id LIMIT 1
		), made AS (
			INSERT INTO export_jobs (id, source_id, requester_id, client_id, status, created, modified)
			SELECT ?1::uuid, ?0::uuid, ?2::uuid, ?3, 'PENDING', ?4::timestamptz, ?4::timestamptz
			WHERE NOT EXISTS (SELECT 1 FROM waiting) RETURNING *
		), ?5
		SELECT `+exportColumns+` FROM (SELECT * FROM waiting UNION ALL SELECT * FROM made) AS j`,
		job.SourceID, job.ID, job.Requester, job.ClientID, job.Created, audited)
	if violates(err, "export_jobs_source_fkey") {
		err = missing()
	}
	if err != nil {
		return lifecycle.ExportJob{}, err
	}
	return r.toJob(), nil
}

// exportQuery tells of the exports in from, each of which had one thing done to it.
func exportQuery(action lifecycle.AuditAction, from, facts string) auditQuery {
	return auditQuery{
		action: action, object: lifecycle.ObjectExport, id: from + ".id", source: from + ".source_id", facts: facts, from: from,
	}
}

// BeginScheduledExport makes the job of one run of a schedule, under the id job,
// and returns the schedule's source; a second call with the same id changes
// nothing. KindNotFound where the schedule is gone.
func (s *Store) BeginScheduledExport(ctx context.Context, schedule, job lifecycle.ID) (source lifecycle.ID, err error) {
	defer s.done(ctx, "BeginScheduledExport", time.Now(), &err)
	audited, err := auditOf(ctx, exportQuery(lifecycle.ActionCreate, "job", "jsonb_build_object('schedule', job.schedule_id)"))
	if err != nil {
		return lifecycle.ID{}, err
	}
	found, err := row(ctx, s.db, []any{&source}, `WITH s AS (
			SELECT * FROM export_schedules WHERE id = ?0
		), job AS (
			INSERT INTO export_jobs (id, source_id, schedule_id, requester_id, client_id, status, created, modified)
			SELECT ?1::uuid, s.source_id, s.id, s.requester_id, s.client_id, 'PENDING', ?2::timestamptz, ?2::timestamptz FROM s
			ON CONFLICT (id) DO NOTHING RETURNING *
		), ?3
		SELECT source_id FROM s`, schedule, job, now(), audited)
	// The source goes with its schedules, at the same moment.
	if violates(err, "export_jobs_source_fkey") || err == nil && !found {
		err = missing()
	}
	return source, err
}

// GetExport returns a job of the source; KindNotFound if it has none with this id.
func (s *Store) GetExport(ctx context.Context, source, job lifecycle.ID) (found lifecycle.ExportJob, err error) {
	defer s.done(ctx, "GetExport", time.Now(), &err)
	return getExport(ctx, s.db, "j.id = ? AND j.source_id = ?", job, source)
}

func getExport(ctx context.Context, db bun.IDB, where string, args ...any) (lifecycle.ExportJob, error) {
	var r exportRow
	found, err := row(ctx, db, r.dest(), "SELECT "+exportColumns+" FROM export_jobs AS j WHERE "+where, args...)
	if err == nil && !found {
		err = missing()
	}
	if err != nil {
		return lifecycle.ExportJob{}, err
	}
	return r.toJob(), nil
}

// ListExports returns a page of the source's jobs, newest first, and where count
// the number of all. An unknown source has none.
func (s *Store) ListExports(ctx context.Context, source lifecycle.ID, limit, offset int, count bool) (jobs []lifecycle.ExportJob, total int, err error) {
	defer s.done(ctx, "ListExports", time.Now(), &err)
	if count {
		if _, err := row(ctx, s.db, []any{&total},
			"SELECT count(*) FROM export_jobs WHERE source_id = ?", source); err != nil {
			return nil, 0, err
		}
	}
	jobs, err = queryExports(ctx, s.db, `WHERE j.source_id = ? ORDER BY j.created DESC, j.id DESC LIMIT ? OFFSET ?`,
		source, max(0, limit), max(0, offset))
	return jobs, total, err
}

func queryExports(ctx context.Context, db bun.IDB, where string, args ...any) ([]lifecycle.ExportJob, error) {
	var jobs []lifecycle.ExportJob
	var r exportRow
	rows, err := db.QueryContext(ctx, "SELECT "+exportColumns+" FROM export_jobs AS j "+where, args...)
	err = each(rows, err, r.dest(), func() error { jobs = append(jobs, r.toJob()); return nil })
	return jobs, err
}

// ReadExport returns the job as it stands and, of the same moment, up to limit
// chunks of its newest attempt, from chunk number from on. KindNotFound once it
// is gone.
func (s *Store) ReadExport(ctx context.Context, job lifecycle.ID, from, limit int) (read lifecycle.ExportJob, chunks [][]byte, err error) {
	defer s.done(ctx, "ReadExport", time.Now(), &err)
	var r exportRow
	var chunk []byte
	found := false
	err = s.rows(ctx, s.db.NewRaw("SELECT "+exportColumns+`, c.bytes FROM export_jobs AS j
		LEFT JOIN LATERAL (
			SELECT c.number, c.bytes FROM export_chunks AS c
			WHERE c.job_id = j.id AND c.attempt = j.attempt AND c.number >= ? ORDER BY c.number LIMIT ?
		) AS c ON true
		WHERE j.id = ? ORDER BY c.number`, max(0, from), max(0, limit), job), append(r.dest(), &chunk), func() error {
		found = true
		if chunk != nil {
			// Scanned into memory of its own.
			chunks, chunk = append(chunks, chunk), nil
		}
		return nil
	})
	if err == nil && !found {
		err = missing()
	}
	if err != nil {
		return lifecycle.ExportJob{}, nil, err
	}
	return r.toJob(), chunks, nil
}

// attempt is one go at writing the file of an export.
type attempt struct {
	store *Store
	// job is the export as the attempt was begun.
	job    lifecycle.ExportJob
	chunks int
	bytes  int64
}

// WriteExport begins a new attempt, writes the source's records in one
// consistent snapshot as chunks and completes the job, which expires after keep;
// one of a schedule does not, see PruneScheduledExports and DropBulk. progress is
// called after every chunk with the number of rows so far, by one goroutine at a
// time. A job that is complete is left as it is. At most a half of
// the connections are used for reading; a further call waits for one of these.
// Errors: KindNotFound where the job or its source is gone, KindIllegalUpdate
// where a newer attempt has taken over or the job has failed.
func (s *Store) WriteExport(ctx context.Context, job lifecycle.ID, keep time.Duration, progress func(rows int)) (written lifecycle.ExportJob, err error) {
	defer s.done(ctx, "WriteExport", time.Now(), &err)
	if err := s.exports.Acquire(ctx, 1); err != nil {
		return lifecycle.ExportJob{}, err
	}
	defer s.exports.Release(1)
	a, err := s.beginAttempt(ctx, job)
	if err != nil || a.job.Status == lifecycle.JobCompleted {
		return a.job, err
	}
	rows, err := a.write(ctx, progress)
	if err != nil {
		return lifecycle.ExportJob{}, err
	}
	at := later(now(), a.job.Modified)
	audited, err := auditOf(ctx, exportQuery(lifecycle.ActionUpdate, "done",
		"jsonb_build_object('status', done.status, 'rows', done.rows, 'bytes', done.bytes)"))
	if err != nil {
		return lifecycle.ExportJob{}, err
	}
	completed := false
	err = s.inTx(ctx, func(tx bun.Tx) error {
		var ended endedExport
		completed, err = row(ctx, tx, ended.dest(), `WITH done AS (
				UPDATE export_jobs SET status = 'COMPLETED', rows = ?, bytes = ?, modified = ?, finished = ?,
					expires = CASE WHEN schedule_id IS NULL THEN ?::timestamptz END
				WHERE id = ? AND attempt = ? AND status = 'IN_PROGRESS' RETURNING *
			), ? SELECT `+endedColumns+` FROM done AS j`,
			rows, a.bytes, at, at, at.Add(keep), job, a.job.Attempt, audited)
		if err != nil || !completed {
			return err
		}
		return ended.tell(ctx, tx, lifecycle.EventExportFinished)
	})
	if err != nil {
		return lifecycle.ExportJob{}, err
	}
	if !completed {
		return lifecycle.ExportJob{}, a.overtaken(ctx)
	}
	return getExport(ctx, s.db, "j.id = ?", job)
}

// beginAttempt makes the next attempt the one that counts and removes what
// former ones wrote. Who writes for a former one is waited for and fails from
// then on. Of a job that is complete nothing is changed.
func (s *Store) beginAttempt(ctx context.Context, job lifecycle.ID) (*attempt, error) {
	a := &attempt{store: s}
	var r exportRow
	begun, err := row(ctx, s.db, r.dest(), `UPDATE export_jobs AS j SET attempt = attempt + 1, status = 'IN_PROGRESS',
		rows = 0, modified = greatest(?, modified) WHERE id = ? AND status IN ('PENDING', 'IN_PROGRESS')
		RETURNING `+exportColumns, now(), job)
	if err != nil {
		return a, err
	}
	if !begun {
		if a.job, err = getExport(ctx, s.db, "j.id = ?", job); err != nil || a.job.Status == lifecycle.JobCompleted {
			return a, err
		}
		return a, a.overtaken(ctx)
	}
	a.job = r.toJob()
	return a, exec(ctx, s.db, "DELETE FROM export_chunks WHERE job_id = ? AND attempt < ?", job, a.job.Attempt)
}

// overtaken says why the attempt counts no more.
func (a *attempt) overtaken(ctx context.Context) error {
	job, err := getExport(ctx, a.store.db, "j.id = ?", a.job.ID)
	if err != nil {
		return err
	}
	return lifecycle.NewError(lifecycle.KindIllegalUpdate, fmt.Sprintf(
		"The export is %s and at attempt %d; attempt %d counts no more.", job.Status, job.Attempt, a.job.Attempt))
}

// piece is a part of a file; rows is how many rows there are up to its end.
type piece struct {
	bytes []byte
	rows  int
}

// write reads and writes side by side and returns the number of rows.
func (a *attempt) write(ctx context.Context, progress func(rows int)) (rows int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	pieces := make(chan piece, chunksAhead)
	group.Go(func() error {
		defer close(pieces)
		var err error
		rows, err = a.read(ctx, func(p piece) error {
			select {
			case pieces <- p:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		return err
	})
	group.Go(func() error {
		for p := range pieces {
			if err := a.save(ctx, p); err != nil {
				return err
			}
			progress(p.rows)
		}
		return nil
	})
	err = group.Wait()
	return rows, err
}

// save writes one chunk, if the attempt still counts.
func (a *attempt) save(ctx context.Context, p piece) error {
	const query = `WITH job AS (
			UPDATE export_jobs SET rows = $4::integer, modified = greatest($5::timestamptz, modified)
			WHERE id = $1::uuid AND attempt = $2::integer AND status = 'IN_PROGRESS' RETURNING id
		)
		INSERT INTO export_chunks (job_id, attempt, number, bytes)
		SELECT id, $2::integer, $3::integer, $6::bytea FROM job`
	args := [][]byte{
		[]byte(a.job.ID.String()), strconv.AppendInt(nil, int64(a.job.Attempt), 10), strconv.AppendInt(nil, int64(a.chunks), 10),
		strconv.AppendInt(nil, int64(p.rows), 10), now().AppendFormat(nil, time.RFC3339Nano), p.bytes,
	}
	// Bytes go as they are: as text they take twice the room. To have the driver
	// ask for the types first would take two turns, and a pooler may give each to
	// another session.
	formats := make([]int16, len(args))
	formats[len(args)-1] = pgx.BinaryFormatCode
	var saved int64
	err := a.store.onDriver(ctx, func(pg *pgx.Conn) error {
		result := pg.PgConn().ExecParams(ctx, query, args, nil, formats, nil).Read()
		saved = result.CommandTag.RowsAffected()
		return result.Err
	})
	if err != nil {
		return err
	}
	if saved == 0 {
		return a.overtaken(ctx)
	}
	a.chunks++
	a.bytes += int64(len(p.bytes))
	return nil
}

// read encodes the source's records as they are at one moment, in the order of
// their making, and hands them on piece by piece. It returns the number of rows.
func (a *attempt) read(ctx context.Context, next func(piece) error) (rows int, err error) {
	snapshot := sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	err = a.store.inDriverTx(ctx, &snapshot, func(tx bun.Tx, driver func(func(*pgx.Conn) error) error) error {
		attributes, err := listAttributes(ctx, tx, a.job.SourceID)
		if err != nil {
			return err
		}
		if len(attributes) == 0 {
			return missing()
		}
		// The statement lasts as long as the chunks take to be written. The order
		// is that of an index; to sort first would be to wait for the first row.
		if err := tune(ctx, tx, append([]string{"statement_timeout=0", "enable_sort=off"}, byIndex...)...); err != nil {
			return err
		}
		query := a.store.recordsOf(a.job.SourceID, attributes)
		encoder := csvfile.NewEncoder(attributes)
		return driver(func(conn *pgx.Conn) error {
			rows, err = encode(ctx, conn, query, encoder, next)
			return err
		})
	})
	return rows, err
}

// Where the dates are among the columns of a file.
const startColumn, endColumn = 6, 7

// recordsOf selects the cells of a source's file, in the order of csvfile.Columns.
func (s *Store) recordsOf(source lifecycle.ID, attributes []lifecycle.SchemaAttribute) string {
	var query strings.Builder
	query.WriteString("SELECT r.account_name, r.first_name, r.last_name, r.phone, r.email, m.alias, r.start_date, r.end_date")
	var args []any
	for _, name := range csvfile.Columns(attributes)[endColumn+1:] {
		query.WriteString(", r.data ->> ?")
		args = append(args, name)
	}
	query.WriteString(` FROM records AS r JOIN identities AS m ON m.id = r.manager_id
		WHERE r.source_id = ? ORDER BY r.created, r.id`)
	return s.db.QueryGen().FormatQuery(query.String(), append(args, source)...)
}

func encode(ctx context.Context, conn *pgx.Conn, query string, encoder *csvfile.Encoder, next func(piece) error) (count int, err error) {
	// Binary: texts are the same, times are cheaper to make and to read.
	rows, err := conn.Query(ctx, query, pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	buffer := encoder.AppendHeader(nil)
	full := firstChunk
	var start, end []byte
	for rows.Next() {
		cells := rows.RawValues()
		start = appendInstant(start[:0], cells[startColumn])
		end = appendInstant(end[:0], cells[endColumn])
		cells[startColumn], cells[endColumn] = start, end
		buffer = encoder.AppendRow(buffer, cells)
		count++
		if len(buffer) >= full {
			if err := next(piece{buffer, count}); err != nil {
				return 0, err
			}
			// It is the other side's now. Most rows fit into what is left over.
			full = nextChunk
			buffer = make([]byte, 0, nextChunk+1<<10)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if len(buffer) > 0 {
		err = next(piece{buffer, count})
	}
	return count, err
}

// databaseEpoch is what the database counts its microseconds from.
var databaseEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// appendInstant appends a timestamptz as files have it.
func appendInstant(b, raw []byte) []byte {
	micros := int64(binary.BigEndian.Uint64(raw)) //nolint:gosec // two's complement on the wire
	return lifecycle.AppendTime(b, time.UnixMicro(databaseEpoch+micros))
}

// FailExport ends a job that can't be written; one that has ended, or is gone,
// is left as it is.
func (s *Store) FailExport(ctx context.Context, job lifecycle.ID) (err error) {
	defer s.done(ctx, "FailExport", time.Now(), &err)
	audited, err := auditOf(ctx, exportQuery(lifecycle.ActionUpdate, "failed", "jsonb_build_object('status', failed.status)"))
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx bun.Tx) error {
		var ended endedExport
		failed, err := row(ctx, tx, ended.dest(), `WITH failed AS (
				UPDATE export_jobs SET status = 'ERROR', modified = greatest(?0, modified), finished = greatest(?0, modified)
				WHERE id = ?1 AND status IN ('PENDING', 'IN_PROGRESS') RETURNING *
			), gone AS (SELECT id FROM failed), garbage AS (`+noteGarbage+`), ?2
			SELECT `+endedColumns+` FROM failed AS j`, now(), job, audited)
		if err != nil || !failed {
			return err
		}
		return ended.tell(ctx, tx, lifecycle.EventExportFailed)
	})
}

// endedColumns are those of j, an export, that its owner is told of.
const endedColumns = "j.id, j.source_id, j.schedule_id, j.rows, j.bytes, (SELECT s.owner_id FROM sources AS s WHERE s.id = j.source_id)"

// endedExport is an export that has come to its end.
type endedExport struct {
	id, source, schedule, owner lifecycle.ID
	rows                        int
	bytes                       int64
}

func (e *endedExport) dest() []any {
	return []any{&e.id, &e.source, &e.schedule, &e.rows, &e.bytes, &e.owner}
}

// tell tells the owner of the source of an export that a schedule made; of any
// other the client that asked for it knows.
func (e *endedExport) tell(ctx context.Context, tx bun.Tx, event lifecycle.EventType) error {
	if e.schedule.IsZero() {
		return nil
	}
	return tell(ctx, tx, lifecycle.Event{
		Type: event, Source: e.source, Key: e.id.String(),
		Recipients: []lifecycle.Reference{lifecycle.IdentityReference(e.owner)},
		Facts:      map[string]any{"export": e.id, "schedule": e.schedule, "rows": e.rows, "bytes": e.bytes},
	})
}
