package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// Sizes of the steps of an erasure, each of which is a transaction.
const (
	erasedObjects = 200
	erasedRows    = 500
	erasedChunks  = 20
	erasedDetails = 1_000
	erasedGarbage = 2_000
)

// identityTexts are the columns of an identity that tell about the person, beside
// the alias.
var identityTexts = []string{
	"name", "name_folded", "email", "email_folded", "given_name", "given_name_folded", "family_name", "family_name_folded",
	"formatted_name", "external_id", "language",
}

// errErased ends an erasure that somebody else has finished.
var errErased = errors.New("store: the erasure was finished elsewhere")

// forOwners says in words what a role that does not own the tables ran into.
func forOwners(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42501" {
		return lifecycle.NewError(lifecycle.KindForbidden, "Only the role that owns the tables may erase people.").WithCause(err)
	}
	return err
}

// BeginErasure notes that the person is to be erased; FinishErasures does it,
// however often it is interrupted. KindForbidden for a role that does not own the
// tables.
func (s *Store) BeginErasure(ctx context.Context, person lifecycle.ErasedPerson) (id lifecycle.ID, err error) {
	defer s.done(ctx, "BeginErasure", time.Now(), &err)
	who, err := json.Marshal(person)
	if err != nil {
		return lifecycle.ID{}, fmt.Errorf("store: whom to erase: %w", err)
	}
	id = lifecycle.NewID()
	err = exec(ctx, s.db, "INSERT INTO erasures (id, person, removed, created) VALUES ?", tuples{{id, string(who), "{}", now()}})
	return id, forOwners(err)
}

// FinishErasures carries out what BeginErasure noted, the oldest first, and tells
// what each has removed, since it was begun. It works in small transactions: what
// is removed stays so, and the rest is for the next call. No transaction leaves
// details of audit entries without an entry that names them as erased.
func (s *Store) FinishErasures(ctx context.Context, finished func(lifecycle.Erasure)) (err error) {
	defer s.done(ctx, "FinishErasures", time.Now(), &err)
	for {
		var id lifecycle.ID
		var who string
		found, err := row(ctx, s.db, []any{&id, &who}, "SELECT id, person FROM erasures ORDER BY created, id LIMIT 1")
		if err != nil || !found {
			return forOwners(err)
		}
		e := erasing{store: s, id: id}
		if err := json.Unmarshal([]byte(who), &e.person); err != nil {
			return fmt.Errorf("store: the erasure %s: %w", id, err)
		}
		counts, err := e.run(ctx)
		if errors.Is(err, errErased) {
			continue
		}
		if err != nil {
			return err
		}
		finished(counts)
	}
}

// erasing is an erasure that is carried out.
type erasing struct {
	store  *Store
	id     lifecycle.ID
	person lifecycle.ErasedPerson
}

// run takes the steps in an order in which none lets anything in behind one before
// it. Staged rows come first, so that no chunk makes a record of one any more; then
// the objects, whose step waits for the chunks that have read them before. What
// these and others wrote down until then is found by the steps that follow.
func (e *erasing) run(ctx context.Context) (lifecycle.Erasure, error) {
	for _, step := range []func(context.Context) error{
		e.identity, e.staged, e.objects, e.faults, e.exports, e.leftovers, e.details,
	} {
		if err := step(ctx); err != nil {
			return lifecycle.Erasure{}, err
		}
	}
	return e.end(ctx)
}

// batch runs fn in a transaction and keeps what it counts, and an audit entry for
// each change that it returns. Of two who carry out one erasure, one waits.
func (e *erasing) batch(ctx context.Context, fn func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error)) error {
	return e.store.inTx(ctx, func(tx bun.Tx) error {
		counts, err := e.lock(ctx, tx)
		if err != nil {
			return err
		}
		changes, err := fn(tx, &counts)
		if err != nil {
			return err
		}
		removed, err := json.Marshal(counts)
		if err != nil {
			return fmt.Errorf("store: what was erased: %w", err)
		}
		if err := exec(ctx, tx, "UPDATE erasures SET removed = ? WHERE id = ?", string(removed), e.id); err != nil {
			return err
		}
		return audit(ctx, tx, changes...)
	})
}

// lock locks the erasure and returns what it has counted.
func (e *erasing) lock(ctx context.Context, tx bun.Tx) (counts lifecycle.Erasure, err error) {
	var removed string
	found, err := row(ctx, tx, []any{&removed}, "SELECT removed FROM erasures WHERE id = ? FOR UPDATE", e.id)
	switch {
	case err != nil:
		return counts, err
	case !found:
		return counts, errErased
	}
	if err := json.Unmarshal([]byte(removed), &counts); err != nil {
		return counts, fmt.Errorf("store: the erasure %s: %w", e.id, err)
	}
	counts.ID = e.id
	return counts, nil
}

func (e *erasing) change(facts map[string]any) lifecycle.AuditChange {
	return lifecycle.AuditChange{Action: lifecycle.ActionErase, Object: lifecycle.ObjectPerson, ID: e.id.String(), Facts: facts}
}

// changes are change, if there are any facts.
func (e *erasing) changes(facts map[string]any) []lifecycle.AuditChange {
	if len(facts) == 0 {
		return nil
	}
	return []lifecycle.AuditChange{e.change(facts)}
}

// deleted tells of objects that are gone, each under its own id, and nothing of what
// was in them.
func (e *erasing) deleted(object lifecycle.AuditObjectType, source lifecycle.ID, ids ...string) []lifecycle.AuditChange {
	changes := make([]lifecycle.AuditChange, len(ids))
	for i, id := range ids {
		changes[i] = lifecycle.AuditChange{
			Action: lifecycle.ActionDelete, Object: object, ID: id, Source: source, Facts: map[string]any{"erasure": e.id},
		}
	}
	return changes
}

// identity deletes an identity as DeleteUser does, and takes the name off the row
// that stays for what names it. Their clients go, so that no token of theirs is
// good any more.
func (e *erasing) identity(ctx context.Context) error {
	id := e.person.Identity
	if id.IsZero() {
		return nil
	}
	return e.batch(ctx, func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
		// Workgroups before identities, as where members are written.
		if err := exec(ctx, tx, `SELECT id FROM workgroups WHERE id IN (
			SELECT workgroup_id FROM workgroup_members WHERE identity_id = ?) ORDER BY id FOR NO KEY UPDATE`, id); err != nil {
			return nil, err
		}
		named, err := e.unname(ctx, tx)
		if err != nil {
			return nil, err
		}
		counts.Identities += int(named)
		changes, err := e.removeMember(ctx, tx)
		if err != nil {
			return nil, err
		}
		var client string
		var clients []string
		rows, err := tx.QueryContext(ctx, "DELETE FROM clients WHERE identity_id = ? RETURNING id", id)
		err = each(rows, err, []any{&client}, func() error { clients = append(clients, client); return nil })
		if err != nil {
			return nil, err
		}
		changes = append(changes, e.deleted(lifecycle.ObjectClient, lifecycle.ID{}, clients...)...)
		counts.Clients += len(clients)
		var mentions int
		if _, err := row(ctx, tx, []any{&mentions}, "SELECT "+mentionsOf, id); err != nil {
			return nil, err
		}
		counts.Mentions += mentions
		for _, statement := range []string{
			"UPDATE import_jobs SET client_id = '' WHERE requester_id = ?",
			"UPDATE export_jobs SET client_id = '' WHERE requester_id = ?",
			"UPDATE export_schedules SET client_id = '' WHERE requester_id = ?",
			"UPDATE decision_comments SET client_id = NULL, address = NULL WHERE approver_id = ?",
		} {
			if err := exec(ctx, tx, statement, id); err != nil {
				return nil, err
			}
		}
		if named > 0 {
			changes = append(changes, e.change(map[string]any{"identity": id, "clients": len(clients)}))
		}
		return changes, nil
	})
}

// removeMember takes the identity out of its workgroups, which are locked.
func (e *erasing) removeMember(ctx context.Context, tx bun.Tx) (changes []lifecycle.AuditChange, err error) {
	var group string
	rows, err := tx.QueryContext(ctx, `WITH gone AS (DELETE FROM workgroup_members WHERE identity_id = ?0 RETURNING workgroup_id)
		UPDATE workgroups SET version = version + 1, modified = greatest(?1, modified + interval '1 millisecond')
		WHERE id IN (SELECT workgroup_id FROM gone) RETURNING id::text`, e.person.Identity, now())
	err = each(rows, err, []any{&group}, func() error {
		change := membersChange(group, nil, []lifecycle.ID{e.person.Identity})
		change.Facts["erasure"] = e.id
		changes = append(changes, change)
		return nil
	})
	return changes, err
}

// unname takes the name off the identity's row; 0 where that was done before.
func (e *erasing) unname(ctx context.Context, tx bun.Tx) (int64, error) {
	alias := "erased-" + e.id.String()
	return affected(ctx, tx, `UPDATE identities SET alias = ?0, alias_folded = ?1, levels = '{}', manager_id = NULL, active = false,
		deleted = coalesce(deleted, ?2), modified = greatest(?2, modified + interval '1 millisecond'), version = version + 1,
		`+strings.Join(identityTexts, " = '', ")+` = '' WHERE id = ?3 AND alias <> ?0`,
		alias, lifecycle.Fold(alias), now(), e.person.Identity)
}

// staged blanks rows of files on their way in. One about the person becomes a
// faulty one, which its import counts as one that could not be taken; of one that
// names them as the manager the cells alone go.
func (e *erasing) staged(ctx context.Context) error {
	// What was wrong with the manager may tell who that was.
	set := bun.SafeQuery("cells = k.cells, doubt = CASE WHEN r.doubt IS NOT NULL AND r.manager_id IS NULL THEN ? ELSE r.doubt END",
		lifecycle.ErasedRow)
	if e.person.Identity.IsZero() {
		set = bun.SafeQuery(`cells = k.cells, start_date = NULL, end_date = NULL, manager_id = NULL, faulty = true, account_name = '',
			account_name_folded = '', first_name = '', first_name_folded = '', last_name = '', last_name_folded = '',
			phone = '', email = '', email_folded = '', data = '{}', doubt_kind = ?, doubt_column = '', doubt = ?`,
			lifecycle.KindIllegalUpdate.String(), lifecycle.ErasedRow)
	}
	return e.blank(ctx, e.store.stagedRows, "import_rows", set, "blankedRows", func(counts *lifecycle.Erasure) *int { return &counts.StagedRows })
}

// faults blanks rows that could not be taken.
func (e *erasing) faults(ctx context.Context) error {
	set := bun.SafeQuery("cells = k.cells, kind = ?, column_name = '', message = ?", lifecycle.KindIllegalUpdate.String(), lifecycle.ErasedRow)
	return e.blank(ctx, e.store.faultRows, "import_faults", set, "blankedFaults", func(counts *lifecycle.Erasure) *int { return &counts.Faults })
}

// blank changes the rows that find finds in the table, and tells which those were,
// by their jobs.
func (e *erasing) blank(ctx context.Context, find func(context.Context, lifecycle.ErasedPerson) ([]blankRow, error),
	table bun.Safe, set schema.QueryAppender, fact string, count func(*lifecycle.Erasure) *int,
) error {
	found, err := find(ctx, e.person)
	if err != nil {
		return err
	}
	for rows := range slices.Chunk(found, erasedRows) {
		values := make(tuples, len(rows))
		for i, r := range rows {
			values[i] = []any{r.job, r.number, r.cells}
		}
		err := e.batch(ctx, func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
			var job string
			var number int
			blanked := map[string][]int{}
			changed, err := tx.QueryContext(ctx, `UPDATE ? AS r SET ? FROM (VALUES ?) AS k (job_id, number, cells)
				WHERE r.job_id = k.job_id::uuid AND r.number = k.number RETURNING r.job_id::text, r.number`, table, set, values)
			err = each(changed, err, []any{&job, &number}, func() error {
				blanked[job] = append(blanked[job], number)
				*count(counts)++
				return nil
			})
			if err != nil || len(blanked) == 0 {
				return nil, err
			}
			for _, numbers := range blanked {
				slices.Sort(numbers)
			}
			return e.changes(map[string]any{fact: blanked}), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// objects removes the person's records and requests, a few at a time, from every
// source that knows them. Those who have read rows of a file before they were
// blanked hold the counters until they are done.
func (e *erasing) objects(ctx context.Context) error {
	sources, err := e.store.ids(ctx, `SELECT id FROM unnest(?1) AS id UNION SELECT r.source_id FROM records AS r WHERE ?0
		UNION SELECT r.source_id FROM requests AS r WHERE ?0 UNION SELECT source_id FROM import_jobs WHERE status = 'IN_PROGRESS'`,
		about(e.person, bun.Safe("r.source_id")), idList(e.person.Sources))
	if err != nil {
		return err
	}
	for _, source := range sources {
		for left := true; left; {
			err := e.batch(ctx, func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
				left = false
				found, err := lockCounters(ctx, tx, source, forRemoving)
				if err != nil || !found {
					return nil, err
				}
				extended, err := leaveExtensions(ctx, tx, source, e.person.Objects)
				if err != nil {
					return nil, err
				}
				requests, err := e.removeRequests(ctx, tx, source)
				if err != nil {
					return nil, err
				}
				records, err := e.removeRecords(ctx, tx, source)
				if err != nil {
					return nil, err
				}
				// Of one that was not known when the erasure began.
				more, err := leaveExtensions(ctx, tx, source, records)
				if err != nil {
					return nil, err
				}
				left = len(requests)+len(records) > 0
				counts.Requests += len(requests)
				counts.Records += len(records)
				changes := append(e.deleted(lifecycle.ObjectRequest, source, objectTexts(requests)...),
					e.deleted(lifecycle.ObjectRecord, source, objectTexts(records)...)...)
				if extended += more; extended > 0 {
					counts.Extensions += extended
					changes = append(changes, e.change(map[string]any{"source": source, "extensions": extended}))
				}
				return changes, nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// lockObjects locks the rows of table in the source that are about the person.
func (e *erasing) lockObjects(ctx context.Context, tx bun.Tx, table bun.Safe, source lifecycle.ID) (ids []lifecycle.ID, err error) {
	var id lifecycle.ID
	rows, err := tx.QueryContext(ctx, `SELECT r.id FROM ?0 AS r WHERE r.source_id = ?1 AND (?2 OR r.id = ANY (?3))
		ORDER BY r.id LIMIT ?4 FOR UPDATE`, table, source, about(e.person, bun.Safe("r.source_id")), idList(e.person.Objects), erasedObjects)
	err = each(rows, err, []any{&id}, func() error { ids = append(ids, id); return nil })
	return ids, err
}

// removeRequests does what DeleteRequest does, and tells nothing of the person.
func (e *erasing) removeRequests(ctx context.Context, tx bun.Tx, source lifecycle.ID) ([]lifecycle.ID, error) {
	ids, err := e.lockObjects(ctx, tx, "requests", source)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var items int
	if _, err := row(ctx, tx, []any{&items}, "SELECT count(*) FROM approval_items WHERE request_id = ANY (?)", idList(ids)); err != nil {
		return nil, err
	}
	return ids, exec(ctx, tx, `WITH gone AS (
			DELETE FROM requests WHERE id = ANY (?0)
			RETURNING id, source_id, account_name_folded, approval_status, workflow_seen_at < modified AS unseen
		), freed AS (
			DELETE FROM account_names AS n USING gone
			WHERE n.source_id = gone.source_id AND n.folded = gone.account_name_folded AND n.holder = gone.id
		), ending AS (
			INSERT INTO workflow_endings (request_id, created)
			SELECT id, ?1::timestamptz FROM gone WHERE approval_status = 'PENDING' OR unseen ON CONFLICT DO NOTHING
		), counted AS (
			SELECT count(*) FILTER (WHERE approval_status = 'PENDING') AS pending,
				count(*) FILTER (WHERE approval_status = 'APPROVED') AS approved,
				count(*) FILTER (WHERE approval_status = 'REJECTED') AS rejected,
				count(*) FILTER (WHERE approval_status = 'CANCELLED') AS cancelled FROM gone
		)
		UPDATE source_counters AS c SET pending = c.pending - n.pending, approved = c.approved - n.approved,
			rejected = c.rejected - n.rejected, cancelled = c.cancelled - n.cancelled, items = c.items - ?2
		FROM counted AS n WHERE c.source_id = ?3`, idList(ids), now(), items, source)
}

// removeRecords does what DeleteRecords does, and tells nothing of the person.
func (e *erasing) removeRecords(ctx context.Context, tx bun.Tx, source lifecycle.ID) ([]lifecycle.ID, error) {
	ids, err := e.lockObjects(ctx, tx, "records", source)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return ids, exec(ctx, tx, `WITH gone AS (
			DELETE FROM records WHERE id = ANY (?0) RETURNING id, source_id, account_name_folded
		), freed AS (
			DELETE FROM account_names AS n USING gone
			WHERE n.source_id = gone.source_id AND n.folded = gone.account_name_folded AND n.holder = gone.id
		)
		UPDATE source_counters SET records = records - ?1 WHERE source_id = ?2`, idList(ids), len(ids), source)
}

// leaveExtensions takes the records, there or deleted, out of the extensions of the
// source, and with them what was said of an extension, which may be about them. It
// returns how many parts of extensions that were.
func leaveExtensions(ctx context.Context, tx bun.Tx, source lifecycle.ID, records []lifecycle.ID) (left int, err error) {
	extensions, err := lockedExtensions(ctx, tx, source, records)
	if err != nil || len(extensions) == 0 {
		return 0, err
	}
	if _, err := row(ctx, tx, []any{&left}, `WITH x AS (
			DELETE FROM extension_records WHERE record_id = ANY (?0) AND request_id = ANY (?1) RETURNING request_id, status
		), e AS (
			UPDATE extensions AS e SET comment = '', records = e.records - n.records, approved = e.approved - n.approved,
				rejected = e.rejected - n.rejected, cancelled = e.cancelled - n.cancelled, skipped = e.skipped - n.skipped
			FROM (SELECT request_id, count(*) AS records, count(*) FILTER (WHERE status = 'APPROVED') AS approved,
				count(*) FILTER (WHERE status = 'REJECTED') AS rejected, count(*) FILTER (WHERE status = 'CANCELLED') AS cancelled,
				count(*) FILTER (WHERE status = 'SKIPPED') AS skipped FROM x GROUP BY request_id) AS n
			WHERE e.request_id = n.request_id
		)
		SELECT count(*) FROM x`, idList(records), extensions); err != nil {
		return 0, err
	}
	for _, statement := range []string{
		"UPDATE approval_items SET comment = '' WHERE request_id = ANY (?)",
		`UPDATE approval_reassignments SET comment = '' WHERE item_id IN (
			SELECT i.id FROM approval_items AS i WHERE i.request_id = ANY (?))`,
		`UPDATE decision_comments SET comment = '' WHERE item_id IN (
			SELECT i.id FROM approval_items AS i WHERE i.request_id = ANY (?))`,
	} {
		if err := exec(ctx, tx, statement, extensions); err != nil {
			return 0, err
		}
	}
	return left, nil
}

// lockedExtensions locks the extensions of the source that the records are in.
func lockedExtensions(ctx context.Context, tx bun.Tx, source lifecycle.ID, records []lifecycle.ID) (ids idList, err error) {
	var id lifecycle.ID
	rows, err := tx.QueryContext(ctx, `SELECT r.id FROM requests AS r WHERE r.source_id = ? AND r.id IN (
		SELECT x.request_id FROM extension_records AS x WHERE x.record_id = ANY (?)) ORDER BY r.id FOR UPDATE`, source, idList(records))
	err = each(rows, err, []any{&id}, func() error { ids = append(ids, id); return nil })
	return ids, err
}

// exports takes away the files that the person is in, or may be in. The jobs stay,
// as such that failed; whoever is reading such a file is cut off.
func (e *erasing) exports(ctx context.Context) error {
	jobs, err := e.store.exportJobs(ctx, e.person)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(jobs, erasedObjects) {
		err := e.batch(ctx, func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
			n, err := affected(ctx, tx, `WITH gone AS (
					UPDATE export_jobs SET status = 'ERROR', modified = greatest(?0, modified), finished = greatest(?0, modified)
					WHERE id = ANY (?1) AND status IN ('IN_PROGRESS', 'COMPLETED') RETURNING id
				) `+noteGarbage, now(), idList(some))
			counts.Exports += int(n)
			return e.changes(map[string]any{"exports": some}), err
		})
		if err != nil {
			return err
		}
	}
	for _, job := range jobs {
		for n := int64(1); n > 0; {
			err := e.batch(ctx, func(tx bun.Tx, _ *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
				var err error
				n, err = affected(ctx, tx, `DELETE FROM export_chunks WHERE job_id = ?0 AND (attempt, number) IN (
					SELECT attempt, number FROM export_chunks WHERE job_id = ?0 ORDER BY attempt, number LIMIT ?1)`, job, erasedChunks)
				return nil, err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// leftovers drops what the sweep would drop later. Rows and files outlive their
// jobs for a while, and then nothing tells any more of which source they are. It
// comes after the rows and files of the jobs that are there, so that one of a job
// that is deleted meanwhile is found by either.
func (e *erasing) leftovers(ctx context.Context) error {
	for dropped := 1; dropped > 0; {
		var err error
		if dropped, err = e.store.dropGarbage(ctx, erasedGarbage, ""); err != nil {
			return err
		}
	}
	return nil
}

// details removes what audit entries tell about the person, with an entry that
// says of which: in one transaction, so that the trail can be verified at any time.
func (e *erasing) details(ctx context.Context) error {
	found, err := e.store.auditNumbers(ctx, e.person)
	if err != nil {
		return err
	}
	for numbers := range slices.Chunk(found.Changes, erasedDetails) {
		err := e.batch(ctx, func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
			erased, err := eraseParts(ctx, tx, numbers, "change", "change = NULL, change_salt = NULL, subjects = NULL")
			counts.Changes += len(erased)
			return e.changes(lifecycle.ErasedDetails{Changes: erased}.Facts()), err
		})
		if err != nil {
			return err
		}
	}
	for numbers := range slices.Chunk(found.Actors, erasedDetails) {
		err := e.batch(ctx, func(tx bun.Tx, counts *lifecycle.Erasure) ([]lifecycle.AuditChange, error) {
			erased, err := eraseParts(ctx, tx, numbers, "actor", "actor = NULL, actor_salt = NULL")
			counts.Actors += len(erased)
			return e.changes(lifecycle.ErasedDetails{Actors: erased}.Facts()), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eraseParts removes a part of the details of these entries and returns the numbers
// of those that had it.
func eraseParts(ctx context.Context, tx bun.Tx, numbers []int64, part, set bun.Safe) (erased []int64, err error) {
	var number int64
	var had bool
	list := pgdialect.Array(numbers)
	rows, err := tx.QueryContext(ctx, `SELECT entry_id, ? IS NOT NULL FROM audit_details
		WHERE entry_id = ANY (?::bigint[]) ORDER BY entry_id FOR UPDATE`, part, list)
	err = each(rows, err, []any{&number, &had}, func() error {
		if had {
			erased = append(erased, number)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return erased, exec(ctx, tx, "UPDATE audit_details SET ? WHERE entry_id = ANY (?::bigint[])", set, list)
}

// end forgets the person, with the entry that says what was removed.
func (e *erasing) end(ctx context.Context) (counts lifecycle.Erasure, err error) {
	err = e.store.inTx(ctx, func(tx bun.Tx) error {
		if counts, err = e.lock(ctx, tx); err != nil {
			return err
		}
		text, err := json.Marshal(counts)
		if err != nil {
			return fmt.Errorf("store: what was erased: %w", err)
		}
		facts := map[string]any{}
		if err := json.Unmarshal(text, &facts); err != nil {
			return fmt.Errorf("store: what was erased: %w", err)
		}
		if err := exec(ctx, tx, "DELETE FROM erasures WHERE id = ?", e.id); err != nil {
			return err
		}
		return audit(ctx, tx, e.change(facts))
	})
	return counts, err
}
