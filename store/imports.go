package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// importColumns are those of j, an import.
const importColumns = `j.id, j.source_id, j.requester_id, j.client_id, j.status, j.total, j.done,
	j.created_rows, j.updated_rows, j.unchanged_rows, j.failed_rows, j.cancel_requested,
	j.created, j.modified, j.started, j.finished,
	CASE WHEN j.status IN ('PENDING', 'IN_PROGRESS') THEN (SELECT count(*) FROM import_jobs AS w
		WHERE w.source_id = j.source_id AND w.status IN ('PENDING', 'IN_PROGRESS') AND w.sequence < j.sequence)
	ELSE 0 END`

type importRow struct {
	job               lifecycle.ImportJob
	started, finished sql.NullTime
}

func (r *importRow) dest() []any {
	j := &r.job
	return []any{
		&j.ID, &j.SourceID, &j.Requester, &j.ClientID, &j.Status, &j.Total, &j.Done,
		&j.ImportCounts.Created, &j.Updated, &j.Unchanged, &j.Failed, &j.CancelRequested,
		&j.Created, &j.Modified, &r.started, &r.finished, &j.Waiting,
	}
}

func (r *importRow) toJob() lifecycle.ImportJob {
	j := r.job
	j.Created, j.Modified = j.Created.UTC(), j.Modified.UTC()
	j.Started, j.Finished = timeOf(r.started), timeOf(r.finished)
	return j
}

// timeOf is the time in UTC; NULL is zero.
func timeOf(t sql.NullTime) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// errUploadGone is the answer to whoever receives a file for a job that was
// taken away.
var errUploadGone = lifecycle.NewError(lifecycle.KindUnavailable,
	"The upload took too long, or its source was deleted; try again.")

// MayQueueImport says before a file comes in what SealImport would say after it:
// KindLimit where lifecycle.MaxWaitingImports wait (contract §7).
func (s *Store) MayQueueImport(ctx context.Context, source lifecycle.ID) (err error) {
	defer s.done(ctx, "MayQueueImport", time.Now(), &err)
	return mayWait(ctx, s.db, source)
}

// BeginImport makes a job that receives its file. columns are the
// technicalNames of the custom attributes that the file has columns for, header
// its header as it came. The job is taken away once lease has passed without
// StageImport. enough is how many rows of the file have to be staged: one with
// more is refused whatever these are. KindNotFound for a source that does not
// exist.
func (s *Store) BeginImport(ctx context.Context, job lifecycle.ImportJob, columns []string, header string, maxPerSource int, lease time.Duration) (enough int, err error) {
	defer s.done(ctx, "BeginImport", time.Now(), &err)
	// So many names are one more than the source may have, and than it has: it may
	// have been filled under a higher limit.
	_, err = row(ctx, s.db, []any{&enough}, `INSERT INTO import_jobs AS j (id, source_id, requester_id, client_id, status,
			lease_until, columns, header, max_per_source, created, modified) VALUES ?
		RETURNING (SELECT greatest(j.max_per_source, c.records) + 1 FROM source_counters AS c WHERE c.source_id = j.source_id)`,
		tuples{{
			job.ID, job.SourceID, job.Requester, job.ClientID, string(lifecycle.JobReceiving), fromNow(lease),
			texts(columns), header, maxPerSource, job.Created, job.Created,
		}})
	if violates(err, "import_jobs_source_fkey") {
		return 0, missing()
	}
	return enough, err
}

// fromNow is when lease will have passed. Whoever makes a lease and whoever takes
// its job away go by one clock, that of the database.
func fromNow(lease time.Duration) schema.QueryAppender {
	return bun.SafeQuery("now() + ? * interval '1 millisecond'", lease.Milliseconds())
}

// mayWait holds that the source has room for one more import that waits.
func mayWait(ctx context.Context, db bun.IDB, source lifecycle.ID) error {
	var waiting int
	_, err := row(ctx, db, []any{&waiting},
		"SELECT count(*) FROM import_jobs WHERE source_id = ? AND status = 'PENDING'", source)
	if err == nil && waiting >= lifecycle.MaxWaitingImports {
		return lifecycle.NewError(lifecycle.KindLimit,
			fmt.Sprintf("The limit of %d imports that wait on a source is reached.", lifecycle.MaxWaitingImports))
	}
	return err
}

// SealImport makes the job PENDING behind all others of its source; one that is
// sealed already is returned as it stands. Errors: KindLimit as MayQueueImport's,
// KindUnavailable where the job is gone.
func (s *Store) SealImport(ctx context.Context, job lifecycle.ID) (sealed lifecycle.ImportJob, err error) {
	defer s.done(ctx, "SealImport", time.Now(), &err)
	var r importRow
	err = s.inTx(ctx, func(tx bun.Tx) error {
		source, found, err := lockCountersOf(ctx, tx, "import_jobs", job, forCounting)
		if err != nil {
			return err
		}
		if !found {
			return errUploadGone
		}
		status, found, err := lockImport(ctx, tx, job)
		if err != nil {
			return err
		}
		if !found {
			return errUploadGone
		}
		if status == lifecycle.JobReceiving {
			if err := mayWait(ctx, tx, source); err != nil {
				return err
			}
			audited, err := auditOf(ctx, auditQuery{
				action: lifecycle.ActionCreate, object: lifecycle.ObjectImport, id: "j.id", source: "j.source_id",
				facts: "jsonb_build_object('total', j.total, 'columns', cardinality(j.columns))", from: "j",
			})
			if err != nil {
				return err
			}
			err = exec(ctx, tx, `WITH c AS (
					UPDATE source_counters SET import_sequence = import_sequence + 1 WHERE source_id = ?
					RETURNING import_sequence
				), j AS (
					UPDATE import_jobs SET status = 'PENDING', sequence = c.import_sequence, lease_until = NULL,
						modified = greatest(?, modified) FROM c WHERE id = ? RETURNING import_jobs.*
				), ? SELECT`, source, now(), job, audited)
			if err != nil {
				return err
			}
		}
		_, err = row(ctx, tx, r.dest(), "SELECT "+importColumns+" FROM import_jobs AS j WHERE j.id = ?", job)
		return err
	})
	if err != nil {
		return lifecycle.ImportJob{}, err
	}
	return r.toJob(), nil
}

// lockImport locks the job, after the counters of its source where both are
// needed; false if it is gone.
func lockImport(ctx context.Context, tx bun.Tx, job lifecycle.ID) (status lifecycle.JobStatus, found bool, err error) {
	found, err = row(ctx, tx, []any{&status}, "SELECT status FROM import_jobs WHERE id = ? FOR UPDATE", job)
	return status, found, err
}

// DropImport takes away a job that was not sealed; its rows follow later. One
// that is gone, or sealed, is left as it is.
func (s *Store) DropImport(ctx context.Context, job lifecycle.ID) (err error) {
	defer s.done(ctx, "DropImport", time.Now(), &err)
	return exec(ctx, s.db, `WITH gone AS (
			DELETE FROM import_jobs WHERE id = ? AND status = 'RECEIVING' RETURNING id
		) `+noteGarbage, job)
}

// noteGarbage ends a statement whose part "gone" has the ids of jobs of which
// something is of no use any more. A job that is noted already is locked, so
// that whoever is just removing the last of it is waited for.
const noteGarbage = `INSERT INTO bulk_garbage (job_id, created) SELECT id, now() FROM gone
	ON CONFLICT (job_id) DO UPDATE SET created = excluded.created`

// LatestImport returns the job of the source that was sealed last; found is
// false if there is none.
func (s *Store) LatestImport(ctx context.Context, source lifecycle.ID) (job lifecycle.ImportJob, found bool, err error) {
	defer s.done(ctx, "LatestImport", time.Now(), &err)
	jobs, err := s.listImports(ctx, source, 1, 0)
	if err != nil || len(jobs) == 0 {
		return lifecycle.ImportJob{}, false, err
	}
	return jobs[0], true, nil
}

// listImports reads a page of the source's sealed jobs, the one sealed last first.
func (s *Store) listImports(ctx context.Context, source lifecycle.ID, limit, offset int) ([]lifecycle.ImportJob, error) {
	var jobs []lifecycle.ImportJob
	var r importRow
	rows, err := s.db.QueryContext(ctx, "SELECT "+importColumns+` FROM import_jobs AS j
		WHERE j.source_id = ? AND j.sequence IS NOT NULL ORDER BY j.sequence DESC LIMIT ? OFFSET ?`,
		source, max(0, limit), max(0, offset))
	err = each(rows, err, r.dest(), func() error { jobs = append(jobs, r.toJob()); return nil })
	return jobs, err
}

// GetImport returns a sealed job of the source; KindNotFound if it has none with
// this id.
func (s *Store) GetImport(ctx context.Context, source, job lifecycle.ID) (found lifecycle.ImportJob, err error) {
	defer s.done(ctx, "GetImport", time.Now(), &err)
	return getImport(ctx, s.db, source, job)
}

func getImport(ctx context.Context, db bun.IDB, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	var r importRow
	found, err := row(ctx, db, r.dest(), "SELECT "+importColumns+` FROM import_jobs AS j
		WHERE j.id = ? AND j.source_id = ? AND j.sequence IS NOT NULL`, job, source)
	if err == nil && !found {
		err = missing()
	}
	if err != nil {
		return lifecycle.ImportJob{}, err
	}
	return r.toJob(), nil
}

// ListImports returns a page of the source's sealed jobs, the one sealed last
// first, and where count the number of all. An unknown source has none.
func (s *Store) ListImports(ctx context.Context, source lifecycle.ID, limit, offset int, count bool) (jobs []lifecycle.ImportJob, total int, err error) {
	defer s.done(ctx, "ListImports", time.Now(), &err)
	if count {
		if _, err := row(ctx, s.db, []any{&total},
			"SELECT count(*) FROM import_jobs WHERE source_id = ? AND sequence IS NOT NULL", source); err != nil {
			return nil, 0, err
		}
	}
	jobs, err = s.listImports(ctx, source, limit, offset)
	return jobs, total, err
}

// ImportHeader returns the header of the file of a sealed job as it came.
// KindNotFound as GetImport.
func (s *Store) ImportHeader(ctx context.Context, source, job lifecycle.ID) (header string, err error) {
	defer s.done(ctx, "ImportHeader", time.Now(), &err)
	header, _, err = s.sealedFile(ctx, source, job)
	return header, err
}

// sealedFile returns the header of the file of a sealed job, and how many of its
// rows could not be taken so far.
func (s *Store) sealedFile(ctx context.Context, source, job lifecycle.ID) (header string, failed int, err error) {
	found, err := row(ctx, s.db, []any{&header, &failed}, `SELECT header, failed_rows FROM import_jobs
		WHERE id = ? AND source_id = ? AND sequence IS NOT NULL`, job, source)
	if err == nil && !found {
		err = missing()
	}
	return header, failed, err
}

// ListImportFaults returns a page of the rows that could not be taken, by line,
// and where count the number of all so far. KindNotFound as GetImport.
func (s *Store) ListImportFaults(ctx context.Context, source, job lifecycle.ID, limit, offset int, count bool) (faults []lifecycle.RowFault, total int, err error) {
	defer s.done(ctx, "ListImportFaults", time.Now(), &err)
	// A fault is counted in the transaction that writes it.
	_, failed, err := s.sealedFile(ctx, source, job)
	if err != nil {
		return nil, 0, err
	}
	if count {
		total = failed
	}
	faults, err = s.queryFaults(ctx, "WHERE job_id = ? ORDER BY number LIMIT ? OFFSET ?", job, max(0, limit), max(0, offset))
	return faults, total, err
}

// ImportFaultsAfter returns at most limit of the rows that could not be taken,
// by line, from behind the row of that number on. KindNotFound as GetImport.
func (s *Store) ImportFaultsAfter(ctx context.Context, source, job lifecycle.ID, number, limit int) (faults []lifecycle.RowFault, err error) {
	defer s.done(ctx, "ImportFaultsAfter", time.Now(), &err)
	if faults, err = s.queryFaults(ctx, "WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?", job, number, max(0, limit)); err != nil {
		return nil, err
	}
	// Faults go after their job: asked for now, it had them all.
	if _, _, err := s.sealedFile(ctx, source, job); err != nil {
		return nil, err
	}
	return faults, nil
}

func (s *Store) queryFaults(ctx context.Context, where string, args ...any) (faults []lifecycle.RowFault, err error) {
	var f lifecycle.RowFault
	var kind string
	rows, err := s.db.QueryContext(ctx, "SELECT number, line, column_name, kind, message, cells FROM import_faults "+where, args...)
	err = each(rows, err, []any{&f.Row, &f.Line, &f.Column, &kind, &f.Message, &f.Cells}, func() error {
		f.Kind = lifecycle.ParseKind(kind)
		faults = append(faults, f)
		return nil
	})
	return faults, err
}

// CancelImport ends a PENDING job at once and has one that is IN_PROGRESS stop
// before its next chunk; it returns the job afterwards. Errors: KindIllegalUpdate
// for a job that has ended, KindNotFound as GetImport.
func (s *Store) CancelImport(ctx context.Context, source, job lifecycle.ID) (cancelled lifecycle.ImportJob, err error) {
	defer s.done(ctx, "CancelImport", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if _, _, err := lockImport(ctx, tx, job); err != nil {
			return err
		}
		if cancelled, err = getImport(ctx, tx, source, job); err != nil {
			return err
		}
		audited, err := auditOf(ctx, auditQuery{
			action: lifecycle.ActionCancel, object: lifecycle.ObjectImport, id: "gone.id", source: "gone.source_id",
			facts: "jsonb_build_object('status', gone.status, 'done', gone.done, 'total', gone.total)", from: "gone",
		})
		switch {
		case err != nil:
			return err
		case cancelled.Status.Ended():
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "The import has ended; it is "+string(cancelled.Status)+".")
		case cancelled.Status == lifecycle.JobPending:
			err = exec(ctx, tx, `WITH gone AS (
					UPDATE import_jobs SET status = 'CANCELLED', cancel_requested = true,
						modified = greatest(?0, modified), finished = greatest(?0, modified)
					WHERE id = ?1 RETURNING *
				), ?2 `+noteGarbage, now(), job, audited)
			if err == nil {
				err = importFinished(ctx, tx, source, job, cancelled.Requester, lifecycle.JobCancelled, cancelled.ImportCounts)
			}
		default:
			err = exec(ctx, tx, `WITH gone AS (
					UPDATE import_jobs SET cancel_requested = true, modified = greatest(?, modified) WHERE id = ? RETURNING *
				), ? SELECT`, now(), job, audited)
		}
		if err != nil {
			return err
		}
		cancelled, err = getImport(ctx, tx, source, job)
		return err
	})
	if err != nil {
		return lifecycle.ImportJob{}, err
	}
	return cancelled, nil
}

// NextImport returns the job of the source whose turn it is: the one IN_PROGRESS
// or else the PENDING one that was sealed first; found is false if none is left.
func (s *Store) NextImport(ctx context.Context, source lifecycle.ID) (job lifecycle.ID, found bool, err error) {
	defer s.done(ctx, "NextImport", time.Now(), &err)
	found, err = row(ctx, s.db, []any{&job}, `SELECT id FROM import_jobs
		WHERE source_id = ? AND status IN ('PENDING', 'IN_PROGRESS')
		ORDER BY status <> 'IN_PROGRESS', sequence LIMIT 1`, source)
	return job, found, err
}

// importPlan is what the rows of a job are carried out by.
type importPlan struct {
	job, source lifecycle.ID
	// requester and client have asked for it; see ImportJob.
	requester lifecycle.ID
	client    string
	status    lifecycle.JobStatus
	lifecycle.ImportCounts
	doubts          int
	cancelRequested bool
	// columns are the custom attributes that the file has columns for, gone those
	// of them that the source has no more.
	columns, gone []string
	// inactive are managers of the rows of a chunk who are not active any more; the
	// rows of a file that has just come were judged with that.
	inactive     idList
	maxPerSource int
	// records and pending are what the source holds.
	records, pending int
	// behind is the number of jobs that wait for this one.
	behind int
}

// loadImport reads the plan; lock is empty or locks j, the job. found is false
// if there is no such job.
func loadImport(ctx context.Context, tx bun.Tx, job lifecycle.ID, lock bun.Safe) (p importPlan, found bool, err error) {
	p.job = job
	found, err = row(ctx, tx, []any{
		&p.source, &p.requester, &p.client, &p.status, &p.Total, &p.Done, &p.Created, &p.Updated, &p.Unchanged, &p.Failed, &p.doubts,
		&p.cancelRequested, pgdialect.Array(&p.columns), &p.maxPerSource, &p.records, &p.pending, &p.behind,
	}, `SELECT j.source_id, j.requester_id, j.client_id, j.status, j.total, j.done, j.created_rows, j.updated_rows, j.unchanged_rows, j.failed_rows,
			j.doubts, j.cancel_requested, j.columns, j.max_per_source, c.records, c.pending,
			(SELECT count(*) FROM import_jobs AS w WHERE w.source_id = j.source_id
				AND w.status IN ('PENDING', 'IN_PROGRESS') AND w.sequence > j.sequence)
		FROM import_jobs AS j JOIN source_counters AS c ON c.source_id = j.source_id WHERE j.id = ? ?`, job, lock)
	if err != nil || !found || len(p.columns) == 0 {
		return p, found, err
	}
	var name string
	rows, err := tx.QueryContext(ctx, `SELECT name FROM unnest(?::text[]) AS name WHERE NOT EXISTS (
			SELECT 1 FROM schema_attributes AS a WHERE a.source_id = ? AND NOT a.system AND a.technical_name = name)`,
		texts(p.columns), p.source)
	err = each(rows, err, []any{&name}, func() error { p.gone = append(p.gone, name); return nil })
	return p, true, err
}

// room is how many more records the source may get.
func (p *importPlan) room() int { return max(0, p.maxPerSource-p.records-p.pending) }

// UnfinishedImports counts the imports that were accepted and have not ended, and
// tells since when none of the rows of that source was done whose turn has got on
// the least lately: since the last chunk of the import whose turn it is, or since it
// could have begun. Zero if there is none.
func (s *Store) UnfinishedImports(ctx context.Context) (count int, oldest time.Time, err error) {
	defer s.done(ctx, "UnfinishedImports", time.Now(), &err)
	return s.backlog(ctx, `SELECT (SELECT count(*) FROM import_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')), min(since) FROM (
		SELECT DISTINCT ON (j.source_id) greatest(j.modified, (
			SELECT max(f.finished) FROM import_jobs AS f WHERE f.source_id = j.source_id AND f.sequence < j.sequence)) AS since
		FROM import_jobs AS j WHERE j.status IN ('PENDING', 'IN_PROGRESS') ORDER BY j.source_id, j.sequence) AS turns`)
}
