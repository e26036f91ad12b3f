package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// errNameMoved ends a chunk under which a record took or left one of its names:
// changing a record does not wait for the counters. Begun anew, the chunk sees
// the names as they are now.
var errNameMoved = errors.New("store: a record was renamed meanwhile")

// rowsBesideRequests bounds a chunk while requests of the source are pending:
// whoever decides one, or makes one, waits for the counters, which the chunk holds.
const rowsBesideRequests = 250

// chunkTries is how often a chunk is begun before its caller is told to try later.
const chunkTries = 20

// ApplyImport takes the next chunk of at most rows rows, fewer while requests of
// the source are pending, into the source, in one transaction with the job's
// progress, and returns how the job stands afterwards. The first one makes a
// PENDING job IN_PROGRESS, the last one ends it; one that was asked to stop is
// CANCELLED. A job that has ended is left as it is; Found is false for one that is
// gone or was never sealed. Rows that can't be taken any more become faults: there
// is no room left, which goes to the rows in their order, a pending request holds
// the name, or a row in doubt, or one that names a manager who was made inactive,
// does not equal its record.
func (s *Store) ApplyImport(ctx context.Context, job lifecycle.ID, rows int) (progress lifecycle.ImportProgress, err error) {
	defer s.done(ctx, "ApplyImport", time.Now(), &err)
	for range chunkTries {
		err = s.inTx(ctx, func(tx bun.Tx) error {
			progress, err = applyChunk(ctx, tx, job, max(1, rows))
			return err
		})
		if !errors.Is(err, errNameMoved) && !violates(err, "account_names_pkey") {
			break
		}
		err = lifecycle.NewError(lifecycle.KindUnavailable, textBusy).WithCause(err)
	}
	if err != nil {
		return lifecycle.ImportProgress{}, err
	}
	return progress, nil
}

func applyChunk(ctx context.Context, tx bun.Tx, job lifecycle.ID, rows int) (lifecycle.ImportProgress, error) {
	none := lifecycle.ImportProgress{}
	if _, found, err := lockCountersOf(ctx, tx, "import_jobs", job, forCounting); err != nil || !found {
		return none, err
	}
	p, found, err := loadImport(ctx, tx, job, "FOR UPDATE OF j")
	if err != nil || !found || p.status == lifecycle.JobReceiving {
		return none, err
	}
	if p.status.Ended() {
		return p.progress(), nil
	}
	if p.cancelRequested {
		err := p.save(ctx, tx, lifecycle.JobCancelled, p.ImportCounts)
		return p.progress(), err
	}
	if p.pending > 0 {
		rows = min(rows, rowsBesideRequests)
	}
	c := chunk{importPlan: &p, first: p.Done + 1, last: min(p.Done+rows, p.Total), at: now()}
	counts := p.ImportCounts
	if c.first <= c.last {
		if err := tune(ctx, tx, append([]string{"work_mem=16MB"}, byIndex...)...); err != nil {
			return none, err
		}
		if err := c.apply(ctx, tx, &counts); err != nil {
			return none, err
		}
	}
	status := lifecycle.JobInProgress
	if counts.Done == counts.Total {
		status = lifecycle.JobCompleted
		if counts.Failed > 0 {
			status = lifecycle.JobError
		}
	}
	if err := p.save(ctx, tx, status, counts); err != nil {
		return none, err
	}
	return p.progress(), nil
}

func (p *importPlan) progress() lifecycle.ImportProgress {
	return lifecycle.ImportProgress{Found: true, Status: p.status, ImportCounts: p.ImportCounts, Behind: p.behind}
}

// save writes where the locked job stands now, and counts what it added.
func (p *importPlan) save(ctx context.Context, tx bun.Tx, status lifecycle.JobStatus, counts lifecycle.ImportCounts) error {
	if added := counts.Created - p.Created; added > 0 {
		if err := exec(ctx, tx, "UPDATE source_counters SET records = records + ? WHERE source_id = ?", added, p.source); err != nil {
			return err
		}
	}
	audited, err := p.auditSaved(ctx, status, counts)
	if err != nil {
		return err
	}
	finished := bun.Safe("NULL")
	if status.Ended() {
		finished = "greatest(?8, modified)"
	}
	update := `WITH gone AS (UPDATE import_jobs SET status = ?0, done = ?1, created_rows = ?2, updated_rows = ?3, unchanged_rows = ?4,
		failed_rows = ?5, modified = greatest(?8, modified), started = coalesce(started, ?8), finished = ` + string(finished) + `
		WHERE id = ?6 AND done = ?7 RETURNING id), ?9 `
	if status.Ended() {
		update += noteGarbage
	} else {
		update += "SELECT 1 FROM gone"
	}
	err = one(affected(ctx, tx, update, string(status), counts.Done, counts.Created, counts.Updated, counts.Unchanged,
		counts.Failed, p.job, p.Done, now(), audited))
	if err == nil && status.Ended() {
		err = importFinished(ctx, tx, p.source, p.job, p.requester, status, counts)
	}
	p.status, p.ImportCounts = status, counts
	return err
}

// importFinished tells who uploaded the file.
func importFinished(ctx context.Context, tx bun.Tx, source, job, requester lifecycle.ID, status lifecycle.JobStatus, counts lifecycle.ImportCounts) error {
	return tell(ctx, tx, lifecycle.Event{
		Type: lifecycle.EventImportFinished, Source: source, Key: job.String(),
		Recipients: []lifecycle.Reference{lifecycle.IdentityReference(requester)},
		Facts: map[string]any{
			"import": job, "status": status, "total": counts.Total, "done": counts.Done, "created": counts.Created,
			"updated": counts.Updated, "unchanged": counts.Unchanged, "failed": counts.Failed,
		},
	})
}

// auditSaved is the part of a statement that tells of the rows that were taken in
// since the job was locked, as one set, and of its end. Whoever asked for the
// import has done it.
func (p *importPlan) auditSaved(ctx context.Context, status lifecycle.JobStatus, counts lifecycle.ImportCounts) (schema.QueryAppender, error) {
	origin := lifecycle.OriginOf(ctx)
	origin.Identity, origin.Client = p.requester, p.client
	var changes []lifecycle.AuditChange
	if counts.Done > p.Done {
		changes = append(changes, lifecycle.AuditChange{
			Action: lifecycle.ActionApply, Object: lifecycle.ObjectImport, ID: p.job.String(), Source: p.source,
			Facts: map[string]any{
				"firstRow": p.Done + 1, "lastRow": counts.Done, "created": counts.Created - p.Created,
				"updated": counts.Updated - p.Updated, "unchanged": counts.Unchanged - p.Unchanged, "failed": counts.Failed - p.Failed,
			},
		})
	}
	if status.Ended() {
		changes = append(changes, lifecycle.AuditChange{
			Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectImport, ID: p.job.String(), Source: p.source,
			Facts: map[string]any{
				"status": status, "total": counts.Total, "done": counts.Done, "created": counts.Created,
				"updated": counts.Updated, "unchanged": counts.Unchanged, "failed": counts.Failed,
			},
		})
	}
	return auditValues(lifecycle.WithOrigin(ctx, origin), changes)
}

// chunk is a part of the rows of a job, from number first to last, which is
// taken at at.
type chunk struct {
	*importPlan
	first, last int
	at          time.Time
}

// apply takes the rows into the source: first those that have a record, since
// records are locked before names are, then the new ones.
func (c *chunk) apply(ctx context.Context, tx bun.Tx, counts *lifecycle.ImportCounts) error {
	if err := c.findInactive(ctx, tx); err != nil {
		return err
	}
	fresh, err := c.applyToRecords(ctx, tx, counts)
	if err != nil {
		return err
	}
	if fresh > 0 {
		if err := c.addRecords(ctx, tx, counts, fresh); err != nil {
			return err
		}
	}
	if counts.Done = c.last; counts.Created+counts.Updated+counts.Unchanged+counts.Failed != counts.Done {
		return fmt.Errorf("store: the rows %d to %d of an import are not all there", c.first, c.last)
	}
	return nil
}

// findInactive looks up which managers of the rows are not active any more. There
// are few managers and hardly ever one of these, so that the rows need not be
// joined with them.
func (c *chunk) findInactive(ctx context.Context, tx bun.Tx) error {
	var manager lifecycle.ID
	rows, err := tx.QueryContext(ctx, `WITH named AS MATERIALIZED (
			SELECT DISTINCT manager_id FROM import_rows WHERE job_id = ? AND number >= ? AND number <= ?
		)
		SELECT m.id FROM named JOIN identities AS m ON m.id = named.manager_id WHERE NOT m.active`, c.job, c.first, c.last)
	return each(rows, err, []any{&manager}, func() error { c.inactive = append(c.inactive, manager); return nil })
}

// faultColumns are those of import_faults.
const faultColumns = "job_id, number, line, column_name, kind, message, cells"

// applyToRecords changes the records that the rows differ from, notes the faults
// of rows that can be taken no more, and returns how many rows are left, whose
// names nobody has.
func (c *chunk) applyToRecords(ctx context.Context, tx bun.Tx, counts *lifecycle.ImportCounts) (fresh int, err error) {
	_, merged := c.storedData()
	var toChange, changed, unchanged, failed int
	part := bun.SafeQuery("SELECT i.*, r.id AS known_id, ? AS judged"+named+" AND i.number >= ? AND i.number <= ?",
		c.judged(), c.source, c.job, c.first, c.last)
	_, err = row(ctx, tx, []any{&fresh, &toChange, &unchanged, &failed, &changed}, `WITH part AS MATERIALIZED (?), changed AS (
			UPDATE records AS r SET (`+storedPerson+`, modified) = ROW (
				i.account_name, i.account_name_folded, i.first_name, i.first_name_folded, i.last_name, i.last_name_folded,
				i.phone, i.email, i.email_folded, i.manager_id, i.start_date, i.end_date, ?,
				greatest(?, r.modified + interval '1 millisecond'))
			FROM part AS i
			WHERE i.judged = 'changed' AND r.id = i.known_id AND r.account_name_folded = i.account_name_folded
			RETURNING 1
		), failed AS (
			INSERT INTO import_faults (`+faultColumns+`)
			SELECT i.job_id, i.number, i.line,
				CASE i.judged WHEN 'held' THEN 'accountName' WHEN 'unmanaged' THEN 'manager' ELSE coalesce(i.doubt_column, '') END,
				CASE i.judged WHEN 'held' THEN ? WHEN 'unmanaged' THEN ? ELSE coalesce(i.doubt_kind, ?) END,
				CASE i.judged WHEN 'held' THEN `+heldText+` WHEN 'unmanaged' THEN ? ELSE coalesce(i.doubt, '') END, i.cells
			FROM part AS i WHERE i.judged NOT IN ('new', 'changed', 'unchanged')
		)
		SELECT count(*) FILTER (WHERE judged = 'new'), count(*) FILTER (WHERE judged = 'changed'),
			count(*) FILTER (WHERE judged = 'unchanged'),
			count(*) FILTER (WHERE judged NOT IN ('new', 'changed', 'unchanged')),
			(SELECT count(*) FROM changed)
		FROM part`,
		part, merged, c.at, lifecycle.KindConflict.String(), lifecycle.KindReferenceNotFound.String(),
		lifecycle.KindInternal.String(), lifecycle.NoActiveManager)
	if err == nil && changed != toChange {
		err = errNameMoved
	}
	counts.Updated += changed
	counts.Unchanged += unchanged
	counts.Failed += failed
	return fresh, err
}

// unnamed are the rows of the chunk whose names nobody has; its arguments are
// those of unnamedArgs.
const unnamed = ` FROM import_rows AS i
	WHERE i.job_id = ?0 AND i.number >= ?1 AND i.number <= ?2 AND i.doubt IS NULL AND NOT i.faulty AND NOT ?4
		AND (SELECT n.holder FROM account_names AS n
			WHERE n.source_id = ?3 AND n.folded = i.account_name_folded) IS NULL`

func (c *chunk) unnamedArgs(more ...any) []any {
	return append([]any{c.job, c.first, c.last, c.source, c.unmanaged()}, more...)
}

// addRecords makes records of the rows that have none, fresh of them, as long as
// there is room; the others are faults.
func (c *chunk) addRecords(ctx context.Context, tx bun.Tx, counts *lifecycle.ImportCounts, fresh int) error {
	kept, _ := c.storedData()
	places := min(fresh, c.room())
	if places > 0 {
		added, err := affected(ctx, tx, `WITH fresh AS MATERIALIZED (
				SELECT i.*`+unnamed+` ORDER BY i.number LIMIT ?5
			), named AS (
				INSERT INTO account_names (source_id, folded, holder)
				SELECT ?3::uuid, account_name_folded, record_id FROM fresh ORDER BY account_name_folded
			)
			INSERT INTO records (id, source_id, created, modified, `+storedPerson+`)
			SELECT i.record_id, ?3::uuid, ?6::timestamptz, ?6::timestamptz, i.account_name, i.account_name_folded,
				i.first_name, i.first_name_folded, i.last_name, i.last_name_folded, i.phone, i.email, i.email_folded,
				i.manager_id, i.start_date, i.end_date, ?7 FROM fresh AS i`,
			c.unnamedArgs(places, c.at, kept)...)
		if err != nil {
			return err
		}
		if int(added) != places {
			return errNameMoved
		}
		counts.Created += places
	}
	if places == fresh {
		return nil
	}
	failed, err := affected(ctx, tx, `INSERT INTO import_faults (`+faultColumns+`)
		SELECT i.job_id, i.number, i.line, '', ?5, ?6, i.cells`+unnamed,
		c.unnamedArgs(lifecycle.KindLimit.String(), fmt.Sprintf(limitText, c.maxPerSource))...)
	if err == nil && int(failed) != fresh-places {
		err = errNameMoved
	}
	counts.Failed += fresh - places
	return err
}
