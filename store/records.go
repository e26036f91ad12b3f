package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// personColumns are those of r, a record or request, with its manager m.
const personColumns = `r.account_name, r.first_name, r.last_name, r.phone, r.email, r.manager_id, m.alias,
	r.start_date, r.end_date, r.data`

// storedPerson are the columns of a person as they are written.
const storedPerson = `account_name, account_name_folded, first_name, first_name_folded, last_name, last_name_folded,
	phone, email, email_folded, manager_id, start_date, end_date, data`

const recordColumns = `r.id, r.source_id, ` + personColumns + `, r.created, r.modified`

// personRow is a person on the way from a row.
type personRow struct {
	person lifecycle.Person
	data   string
}

func (r *personRow) dest() []any {
	p := &r.person
	return []any{
		&p.AccountName, &p.FirstName, &p.LastName, &p.Phone, &p.Email, binaryID{&p.Manager.ID}, &p.Manager.Alias,
		&p.StartDate, &p.EndDate, &r.data,
	}
}

func (r *personRow) toPerson() (lifecycle.Person, error) {
	p := r.person
	p.StartDate, p.EndDate = p.StartDate.UTC(), p.EndDate.UTC()
	p.Data = map[string]string{}
	var err error
	if r.data != "{}" {
		err = json.Unmarshal([]byte(r.data), &p.Data)
	}
	return p, err
}

type recordRow struct {
	personRow
	record lifecycle.Record
}

func (r *recordRow) dest() []any {
	dest := append([]any{binaryID{&r.record.ID}, binaryID{&r.record.SourceID}}, r.personRow.dest()...)
	return append(dest, &r.record.Created, &r.record.Modified)
}

func (r *recordRow) toRecord() (lifecycle.Record, error) {
	record := r.record
	record.Created, record.Modified = record.Created.UTC(), record.Modified.UTC()
	var err error
	record.Person, err = r.toPerson()
	return record, err
}

// personValues are the values of storedPerson for a person in this source.
func personValues(p lifecycle.Person, source lifecycle.ID) ([]any, error) {
	data, err := dataOf(p, source)
	if err != nil {
		return nil, err
	}
	return []any{
		p.AccountName, lifecycle.Fold(p.AccountName), p.FirstName, lifecycle.Fold(p.FirstName),
		p.LastName, lifecycle.Fold(p.LastName), p.Phone, p.Email, lifecycle.Fold(p.Email),
		p.Manager.ID, p.StartDate, p.EndDate, data,
	}, nil
}

// dataOf is the person's custom attributes as the source knows them when they
// are written: one that was deleted since the person was judged is left out.
func dataOf(p lifecycle.Person, source lifecycle.ID) (schema.QueryAppender, error) {
	if len(p.Data) == 0 {
		return bun.Safe("'{}'::jsonb"), nil
	}
	data, err := json.Marshal(p.Data)
	if err != nil {
		return nil, err
	}
	return bun.SafeQuery(`(SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') FROM jsonb_each(?::jsonb) AS d
		WHERE EXISTS (SELECT 1 FROM schema_attributes AS a
			WHERE a.source_id = ? AND NOT a.system AND a.technical_name = d.key))`, string(data), source), nil
}

// CreateRecord writes name, counter and record in one transaction. Errors:
// KindConflict for an account name that is taken (with the contract's text),
// KindLimit beyond maxPerSource, KindReferenceNotFound for a source or manager
// that does not exist.
func (s *Store) CreateRecord(ctx context.Context, record lifecycle.Record, maxPerSource int) (err error) {
	defer s.done(ctx, "CreateRecord", time.Now(), &err)
	values, err := personValues(record.Person, record.SourceID)
	if err != nil {
		return err
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionCreate, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		after: auditedPerson, subjects: personSubjects, from: "r",
	})
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := takePlace(ctx, tx, record.SourceID, maxPerSource, "records = records + 1"); err != nil {
			return err
		}
		err := exec(ctx, tx, `WITH name AS (INSERT INTO account_names (source_id, folded, holder) VALUES ?),
			r AS (INSERT INTO records (id, source_id, created, modified, `+storedPerson+`) VALUES ? RETURNING *), ? SELECT`,
			tuples{{record.SourceID, lifecycle.Fold(record.AccountName), record.ID}},
			tuples{append([]any{record.ID, record.SourceID, record.Created, record.Modified}, values...)}, audited)
		return nameTaken(err, record.AccountName)
	})
}

// takePlace makes room for one more in the source, under the lock of its
// counters.
func takePlace(ctx context.Context, tx bun.Tx, source lifecycle.ID, maxPerSource int, change string, args ...any) error {
	counted, err := affected(ctx, tx, "UPDATE source_counters SET ? WHERE source_id = ? AND records + pending < ?",
		bun.SafeQuery(change, args...), source, maxPerSource)
	if err != nil || counted == 1 {
		return err
	}
	var one int
	found, err := row(ctx, tx, []any{&one}, "SELECT 1 FROM source_counters WHERE source_id = ?", source)
	if err != nil {
		return err
	}
	if !found {
		return errNoSource
	}
	return lifecycle.TooManyRecords(maxPerSource)
}

var lookupRecord = "SELECT " + recordColumns + ", " + viewerRelations + ` FROM records AS r
	JOIN identities AS m ON m.id = r.manager_id
	JOIN sources AS s ON s.id = r.source_id
	WHERE r.id = $1`

// GetRecord returns the record and what ties viewer, who may be zero, to its
// source; KindNotFound if there is none.
func (s *Store) GetRecord(ctx context.Context, id, viewer lifecycle.ID) (record lifecycle.Record, rel policy.Relations, err error) {
	defer s.done(ctx, "GetRecord", time.Now(), &err)
	var r recordRow
	found, err := s.lookup(ctx, append(r.dest(), &rel.AccountManager, &rel.Workgroup), lookupRecord, id, viewer)
	if err != nil {
		return lifecycle.Record{}, policy.Relations{}, err
	}
	if !found {
		return lifecycle.Record{}, policy.Relations{}, missing()
	}
	record, err = r.toRecord()
	return record, rel, err
}

// ListRecords returns a page and, where q.Count, the number of matches. Without
// a filter, or with one source alone, the number is that of the counters.
func (s *Store) ListRecords(ctx context.Context, reach policy.Reach, q filter.Query) (records []lifecycle.Record, count int, err error) {
	defer s.done(ctx, "ListRecords", time.Now(), &err)
	if q.Count {
		query, err := s.countRecordsQuery(reach, q.Where)
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
	query, err := s.recordsQuery(reach, q)
	if err != nil {
		return nil, 0, err
	}
	records = make([]lifecycle.Record, 0, q.Limit)
	var r recordRow
	err = s.rows(ctx, query, r.dest(), func() error {
		record, err := r.toRecord()
		records = append(records, record)
		return err
	})
	return records, count, err
}

func (s *Store) recordList(reach policy.Reach) list {
	return list{table: "records", fields: recordFields, reach: s.reachSources(reach), within: "r.source_id = reach.id"}
}

func (s *Store) recordsQuery(reach policy.Reach, q filter.Query) (*bun.SelectQuery, error) {
	return s.peopleQuery(s.recordList(reach), q, recordColumns)
}

// peopleQuery selects columns of a page of records or requests, r, with their
// managers, m.
func (s *Store) peopleQuery(l list, q filter.Query, columns string) (*bun.SelectQuery, error) {
	page, err := s.page(l, q)
	if err != nil {
		return nil, err
	}
	order, err := l.fields.order(q.Sort)
	if err != nil {
		return nil, err
	}
	query := s.db.NewSelect().ColumnExpr(columns).TableExpr("(?) AS r", page).
		Join("JOIN identities AS m ON m.id = r.manager_id")
	for _, term := range order {
		query = query.OrderExpr(term)
	}
	return query, nil
}

func (s *Store) countRecordsQuery(reach policy.Reach, where filter.Expr) (*bun.SelectQuery, error) {
	if query := s.countersQuery(reach, where, "coalesce(sum(c.records), 0)"); query != nil {
		return query, nil
	}
	return s.matches(s.recordList(reach), where)
}

// countersQuery selects from the counters of the sources within reach; nil if
// the filter asks for more than they know.
func (s *Store) countersQuery(reach policy.Reach, where filter.Expr, columns string) *bun.SelectQuery {
	pinned, isPinned := pinnedSource(where)
	if where != nil && !isPinned {
		return nil
	}
	query := s.db.NewSelect().ColumnExpr(columns).TableExpr("source_counters AS c")
	if isPinned {
		query = query.Where("c.source_id = ?::uuid", pinned.String())
	}
	if sources := s.reachSources(reach); sources != nil {
		query = query.Where("c.source_id IN (?)", sources)
	}
	return query
}

// UpdateRecord applies change while the record is locked. attributes are the
// schema of its source. A changed account name moves its reservation. An error
// of change ends the transaction and is returned as it is. Errors else:
// KindNotFound, and those of CreateRecord but for the limit.
func (s *Store) UpdateRecord(ctx context.Context, id lifecycle.ID,
	change func(record *lifecycle.Record, attributes []lifecycle.SchemaAttribute) error,
) (record lifecycle.Record, err error) {
	defer s.done(ctx, "UpdateRecord", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		source, found, err := lockCountersOf(ctx, tx, "records", id, forUsing)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		before, err := lockRecord(ctx, tx, id)
		if err != nil {
			return err
		}
		attributes, err := listAttributes(ctx, tx, source)
		if err != nil {
			return err
		}
		record = before
		record.Data = make(map[string]string, len(before.Data))
		maps.Copy(record.Data, before.Data)
		if err := change(&record, attributes); err != nil {
			return err
		}
		record.ID, record.SourceID, record.Created = before.ID, before.SourceID, before.Created
		if !record.Modified.After(before.Modified) {
			record.Modified = later(now(), before.Modified)
		}
		if record.Data == nil {
			record.Data = map[string]string{}
		}
		return writeRecord(ctx, tx, record, before)
	})
	if err != nil {
		return lifecycle.Record{}, err
	}
	return record, nil
}

// lockRecord reads the record under its lock. Its manager is read after that:
// the statement that waits for the lock would look for the manager among those
// that there were before.
func lockRecord(ctx context.Context, tx bun.Tx, id lifecycle.ID) (lifecycle.Record, error) {
	var one int
	found, err := row(ctx, tx, []any{&one}, "SELECT 1 FROM records WHERE id = ? FOR UPDATE", id)
	if err != nil {
		return lifecycle.Record{}, err
	}
	if !found {
		return lifecycle.Record{}, missing()
	}
	var r recordRow
	_, err = row(ctx, tx, r.dest(), "SELECT "+recordColumns+
		" FROM records AS r JOIN identities AS m ON m.id = r.manager_id WHERE r.id = ?", id)
	if err != nil {
		return lifecycle.Record{}, err
	}
	return r.toRecord()
}

func writeRecord(ctx context.Context, tx bun.Tx, record, before lifecycle.Record) error {
	folded, foldedBefore := lifecycle.Fold(record.AccountName), lifecycle.Fold(before.AccountName)
	if folded != foldedBefore {
		// The new name is taken before the old one is freed: who has freed a name
		// then waits for nobody.
		err := exec(ctx, tx, "INSERT INTO account_names (source_id, folded, holder) VALUES ?",
			tuples{{record.SourceID, folded, record.ID}})
		if err != nil {
			return nameTaken(err, record.AccountName)
		}
		err = exec(ctx, tx, "DELETE FROM account_names WHERE source_id = ? AND folded = ? AND holder = ?",
			record.SourceID, foldedBefore, record.ID)
		if err != nil {
			return err
		}
	}
	values, err := personValues(record.Person, record.SourceID)
	if err != nil {
		return err
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		before: "b.person", after: auditedPerson, subjects: personSubjects + " || b.subjects", from: "r JOIN b ON b.id = r.id",
	})
	if err != nil {
		return err
	}
	return exec(ctx, tx, `WITH b AS MATERIALIZED (
			SELECT r.id, `+auditedPerson+` AS person, `+personSubjects+` AS subjects FROM records AS r WHERE r.id = ?1
		), r AS (
			UPDATE records SET (`+storedPerson+`, modified) = ROW ?0 WHERE id = ?1 RETURNING *
		), ?2 SELECT`,
		tuples{append(values, record.Modified)}, record.ID, audited)
}

// DeleteRecord removes the record and frees its account name; KindNotFound if
// there is none.
func (s *Store) DeleteRecord(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteRecord", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		_, found, err := lockCountersOf(ctx, tx, "records", id, forRemoving)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		unknown, err := deleteRecords(ctx, tx, idList{id})
		if err == nil && unknown != "" {
			return missing()
		}
		return err
	})
}

// DeleteRecords removes all ids or none; an unknown one is
// KindReferenceNotFound naming it. Doubled ids count once.
func (s *Store) DeleteRecords(ctx context.Context, ids []lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteRecords", time.Now(), &err)
	if len(ids) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx bun.Tx) error {
		// Each record has an entry in the audit trail: many take as long as a file.
		if err := tune(ctx, tx, bulk(nil)...); err != nil {
			return err
		}
		err := exec(ctx, tx, `SELECT 1 FROM source_counters WHERE source_id IN
			(SELECT r.source_id FROM records AS r WHERE r.id = ANY (?)) ORDER BY source_id FOR UPDATE`, idList(ids))
		if err != nil {
			return err
		}
		unknown, err := deleteRecords(ctx, tx, ids)
		if err == nil && unknown != "" {
			return lifecycle.FieldError(lifecycle.KindReferenceNotFound, "ids", "ids names no record: "+unknown)
		}
		return err
	})
}

// deleteRecords deletes under the locks of the counters of their sources, so
// that no name moves meanwhile. It returns the first id that names no record,
// empty if all did. The limit keeps the planner from joining records and names in
// any other way than record by record: the statistics may be those of tables that
// were emptied before.
func deleteRecords(ctx context.Context, tx bun.Tx, ids idList) (unknown string, err error) {
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionDelete, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		before: auditedPerson, subjects: personSubjects, from: "gone AS r",
	})
	if err != nil {
		return "", err
	}
	var first sql.NullString
	_, err = row(ctx, tx, []any{&first}, `WITH gone AS (
			DELETE FROM records WHERE id = ANY (?0) RETURNING *
		), freed AS (
			DELETE FROM account_names AS n USING gone CROSS JOIN LATERAL (
				SELECT h.ctid AS place FROM account_names AS h
				WHERE h.source_id = gone.source_id AND h.folded = gone.account_name_folded AND h.holder = gone.id LIMIT 1
			) AS held WHERE n.ctid = held.place
		), counted AS (
			UPDATE source_counters AS c SET records = c.records - g.number
			FROM (SELECT source_id, count(*) AS number FROM gone GROUP BY source_id) AS g
			WHERE c.source_id = g.source_id
		), ?1
		SELECT (SELECT i.id::text FROM unnest(?0) WITH ORDINALITY AS i (id, position)
			WHERE i.id NOT IN (SELECT gone.id FROM gone) ORDER BY i.position LIMIT 1)`, ids, audited)
	return first.String, err
}
