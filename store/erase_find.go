package store

import (
	"context"
	"database/sql"
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/csvfile"
	"gatehouse/lifecycle"
)

// errNobody is the answer where nothing is known of whom the target names.
var errNobody = lifecycle.NewError(lifecycle.KindNotFound, "Nothing is known of this person.")

// FindErased returns what the data of the person whom target names is found by.
// KindNotFound where there is nothing. Like all about erasing it is for the role
// that owns the tables.
func (s *Store) FindErased(ctx context.Context, target lifecycle.ErasureTarget) (person lifecycle.ErasedPerson, err error) {
	defer s.done(ctx, "FindErased", time.Now(), &err)
	if !target.Identity.IsZero() {
		return s.findIdentity(ctx, target.Identity)
	}
	if person, err = s.findNamed(ctx, target); err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	if err := s.findObjects(ctx, &person); err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	if err := s.findSources(ctx, &person); err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	if len(person.Objects) == 0 {
		counts, err := s.countErasure(ctx, person)
		if err != nil {
			return lifecycle.ErasedPerson{}, err
		}
		if counts == (lifecycle.Erasure{}) {
			left, err := s.leftBehind(ctx, person)
			if err != nil {
				return lifecycle.ErasedPerson{}, err
			}
			if !left {
				return lifecycle.ErasedPerson{}, errNobody
			}
		}
	}
	return person, nil
}

// leftBehind tells whether what is not counted has the person: names beside an entry
// that tells nothing, or something that outlived its job. Of which source that was is
// not known any more.
func (s *Store) leftBehind(ctx context.Context, p lifecycle.ErasedPerson) (left bool, err error) {
	details, err := s.auditNumbers(ctx, p)
	if err != nil || len(details.Changes) > 0 {
		return true, err
	}
	names := slices.Clone(p.Emails)
	for _, name := range p.Names {
		names = append(names, name.Name)
	}
	// As escaped text bytes have a case too, those of ASCII.
	_, err = row(ctx, s.db, []any{&left}, `SELECT EXISTS (
		SELECT 1 FROM bulk_garbage AS g, unnest(?) AS name WHERE EXISTS (
			SELECT 1 FROM import_rows AS r WHERE r.job_id = g.job_id AND name IN (r.account_name_folded, r.email_folded)
				AND NOT EXISTS (SELECT 1 FROM import_jobs AS j WHERE j.id = r.job_id)
		) OR EXISTS (
			SELECT 1 FROM import_faults AS f WHERE f.job_id = g.job_id AND strpos(lower(f.cells), name) > 0
				AND NOT EXISTS (SELECT 1 FROM import_jobs AS j WHERE j.id = f.job_id)
		) OR EXISTS (
			SELECT 1 FROM export_chunks AS c WHERE c.job_id = g.job_id
				AND strpos(lower(encode(c.bytes, 'escape')), lower(encode(convert_to(name, 'UTF8'), 'escape'))) > 0
		))`, texts(names))
	return left, err
}

// findNamed is the person by what target says of them. An object that was deleted
// is known to the audit trail still.
func (s *Store) findNamed(ctx context.Context, target lifecycle.ErasureTarget) (lifecycle.ErasedPerson, error) {
	switch {
	case target.Email != "":
		return lifecycle.ErasedPerson{Emails: []string{lifecycle.Fold(target.Email)}}, nil
	case target.AccountName != "":
		return lifecycle.ErasedPerson{Names: []lifecycle.SourceName{{Source: target.Source, Name: lifecycle.Fold(target.AccountName)}}}, nil
	}
	id, table := target.Record, bun.Safe("records")
	if id.IsZero() {
		id, table = target.Request, "requests"
	}
	var name lifecycle.SourceName
	found, err := row(ctx, s.db, []any{&name.Source, &name.Name},
		"SELECT source_id, account_name_folded FROM ? WHERE id = ?", table, id)
	if err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	if found && name.Name == "" {
		// An extension is about many, and none of them in particular.
		return lifecycle.ErasedPerson{}, errNobody
	}
	if found {
		return lifecycle.ErasedPerson{Names: []lifecycle.SourceName{name}, Objects: []lifecycle.ID{id}}, nil
	}
	var account sql.NullString
	found, err = row(ctx, s.db, []any{&name.Source, &account}, `SELECT r.source_id,
			coalesce(d.change::jsonb #>> '{before,accountName}', d.change::jsonb #>> '{after,accountName}')
		FROM audit_entries AS r LEFT JOIN audit_details AS d ON d.entry_id = r.id
		WHERE r.object_id = ? AND r.object_type IN ('RECORD', 'REQUEST') AND r.source_id IS NOT NULL
		ORDER BY coalesce(d.change::jsonb #>> '{before,accountName}', d.change::jsonb #>> '{after,accountName}') IS NULL, r.id DESC
		LIMIT 1`, id.String())
	if err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	if !found {
		return lifecycle.ErasedPerson{}, errNobody
	}
	person := lifecycle.ErasedPerson{Objects: []lifecycle.ID{id}, Sources: []lifecycle.ID{name.Source}}
	if account.Valid {
		name.Name = lifecycle.Fold(account.String)
		person.Names = []lifecycle.SourceName{name}
	}
	return person, nil
}

// about is the condition on r, a row of records, requests or staged rows of the
// source, that it is about the person.
func about(p lifecycle.ErasedPerson, source schema.QueryAppender) schema.QueryAppender {
	conditions := []any{bun.SafeQuery("r.email_folded <> '' AND r.email_folded = ANY (?)", texts(p.Emails))}
	for _, name := range p.Names {
		conditions = append(conditions, bun.SafeQuery("? = ?::uuid AND r.account_name_folded = ?", source, name.Source, name.Name))
	}
	return bun.SafeQuery("("+strings.Repeat("? OR ", len(conditions)-1)+"?)", conditions...)
}

// findObjects adds the records, requests and items that are about the person: by
// what they are called, and those that became of one another; of the extensions
// that a record was in, the items alone, whose comments may tell about the person.
func (s *Store) findObjects(ctx context.Context, p *lifecycle.ErasedPerson) error {
	byRow := about(*p, bun.Safe("r.source_id"))
	found, err := s.ids(ctx, `WITH named AS (
			SELECT r.id FROM records AS r WHERE ?0 OR r.id = ANY (?1)
			UNION SELECT r.id FROM requests AS r WHERE ?0 OR r.id = ANY (?1)
			UNION SELECT id FROM unnest(?1) AS id
		), told AS (
			-- A record's entry names its request, and the other way round.
			SELECT (f.id)::uuid AS id FROM named AS n JOIN audit_entries AS r ON r.object_id = n.id::text,
				LATERAL (VALUES (r.facts::jsonb ->> 'request'), (r.facts::jsonb ->> 'record')) AS f (id)
			WHERE r.object_type IN ('RECORD', 'REQUEST') AND f.id IS NOT NULL
		), persons AS (SELECT id FROM named UNION SELECT id FROM told)
		SELECT id FROM persons UNION SELECT i.id FROM approval_items AS i JOIN persons ON persons.id = i.request_id
		UNION SELECT i.id FROM approval_items AS i JOIN extension_records AS x ON x.request_id = i.request_id JOIN persons ON persons.id = x.record_id`,
		byRow, idList(p.Objects))
	if err != nil {
		return err
	}
	p.Objects = found
	// A record may have another name by now than its request, or than an address
	// was asked for.
	var name lifecycle.SourceName
	rows, err := s.db.QueryContext(ctx, `SELECT source_id, account_name_folded FROM records WHERE id = ANY (?0)
		UNION SELECT source_id, account_name_folded FROM requests WHERE id = ANY (?0)`, idList(found))
	err = each(rows, err, []any{&name.Source, &name.Name}, func() error {
		if !slices.Contains(p.Names, name) {
			p.Names = append(p.Names, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.findFormerNames(ctx, p)
}

// findFormerNames adds the account names that the person's objects had before. The
// trail alone knows them; files that are as old have them still.
func (s *Store) findFormerNames(ctx context.Context, p *lifecycle.ErasedPerson) error {
	var name lifecycle.SourceName
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT r.source_id, f.name FROM audit_entries AS r JOIN audit_details AS d ON d.entry_id = r.id,
			LATERAL (VALUES (d.change::jsonb #>> '{before,accountName}'), (d.change::jsonb #>> '{after,accountName}')) AS f (name)
		WHERE r.object_type IN ('RECORD', 'REQUEST') AND r.object_id = ANY (?) AND r.source_id IS NOT NULL AND f.name <> ''
		ORDER BY 1, 2`, objectTexts(p.Objects))
	return each(rows, err, []any{&name.Source, &name.Name}, func() error {
		name.Name = lifecycle.Fold(name.Name)
		if !slices.Contains(p.Names, name) && !slices.Contains(p.FormerNames, name) {
			p.FormerNames = append(p.FormerNames, name)
		}
		return nil
	})
}

// objectTexts are the ids as the trail names objects.
func objectTexts(ids []lifecycle.ID) texts {
	objects := make(texts, len(ids))
	for i, id := range ids {
		objects[i] = id.String()
	}
	return objects
}

// inFiles is the person as files may name them that are older than their name.
func inFiles(p lifecycle.ErasedPerson) lifecycle.ErasedPerson {
	p.Names = slices.Concat(p.Names, p.FormerNames)
	return p
}

// findSources adds the sources that know the person, or did.
func (s *Store) findSources(ctx context.Context, p *lifecycle.ErasedPerson) error {
	for _, name := range p.Names {
		p.Sources = append(p.Sources, name.Source)
	}
	found, err := s.ids(ctx, `SELECT r.source_id FROM records AS r WHERE ?0 OR r.id = ANY (?2)
		UNION SELECT r.source_id FROM requests AS r WHERE ?0 OR r.id = ANY (?2)
		UNION SELECT j.source_id FROM import_rows AS r JOIN import_jobs AS j ON j.id = r.job_id WHERE ?1
		UNION SELECT r.source_id FROM audit_entries AS r JOIN audit_details AS d ON d.entry_id = r.id
			WHERE r.source_id IS NOT NULL AND ?3`,
		about(*p, bun.Safe("r.source_id")), about(*p, bun.Safe("j.source_id")), idList(p.Objects), told(*p))
	if err != nil {
		return err
	}
	p.Sources = append(p.Sources, found...)
	slices.SortFunc(p.Sources, compareIDs)
	p.Sources = slices.Compact(p.Sources)
	return nil
}

func compareIDs(a, b lifecycle.ID) int { return slices.Compare(a[:], b[:]) }

// findIdentity is the person who is this identity.
func (s *Store) findIdentity(ctx context.Context, id lifecycle.ID) (lifecycle.ErasedPerson, error) {
	p := lifecycle.ErasedPerson{Identity: id}
	found, err := row(ctx, s.db, []any{&p.Alias}, "SELECT alias FROM identities WHERE id = ?", id)
	if err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	if !found {
		return lifecycle.ErasedPerson{}, errNobody
	}
	p.Managers = []string{id.String(), lifecycle.Fold(p.Alias)}
	// Files that are older than a change of the alias have the one before, which the
	// trail alone knows by now.
	var alias string
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT f.alias FROM audit_entries AS r JOIN audit_details AS d ON d.entry_id = r.id,
			LATERAL (VALUES (d.change::jsonb #>> '{before,alias}'), (d.change::jsonb #>> '{after,alias}')) AS f (alias)
		WHERE r.object_type = 'IDENTITY' AND r.object_id = ? AND f.alias NOT IN ('', ?) ORDER BY 1`, id.String(), p.Alias)
	err = each(rows, err, []any{&alias}, func() error {
		p.FormerAliases = append(p.FormerAliases, alias)
		p.Managers = append(p.Managers, lifecycle.Fold(alias))
		return nil
	})
	if err != nil {
		return lifecycle.ErasedPerson{}, err
	}
	// Of clients that are gone only the trail knows whose they were.
	var client string
	rows, err = s.db.QueryContext(ctx, `SELECT id FROM clients WHERE identity_id = ?0
		UNION SELECT r.object_id FROM audit_entries AS r JOIN audit_details AS d ON d.entry_id = r.id
		WHERE r.object_type = 'CLIENT' AND strpos(d.change, ?1) > 0 ORDER BY 1`, id, id.String())
	err = each(rows, err, []any{&client}, func() error { p.Clients = append(p.Clients, client); return nil })
	return p, err
}

// ofIdentities are the kinds of objects whose entries tell about identities; those
// of all others tell about non-employees.
const ofIdentities = "('IDENTITY', 'CLIENT')"

// told is the condition that d, the details of the entry r, tells about the person.
func told(p lifecycle.ErasedPerson) schema.QueryAppender {
	if !p.Identity.IsZero() {
		// By ids alone: the alias of one who was deleted may be another's by now.
		return bun.SafeQuery("(r.object_type IN "+ofIdentities+" AND (r.object_id = ANY (?) OR ? = ANY (d.subjects)))",
			append(texts{p.Identity.String()}, p.Clients...), p.Identity.String())
	}
	conditions := []any{bun.SafeQuery("d.subjects && ?", objectTexts(p.Objects)), bun.SafeQuery("d.subjects && ?", texts(p.Emails))}
	for _, name := range p.Names {
		conditions = append(conditions, bun.SafeQuery("r.source_id = ? AND ? = ANY (d.subjects)", name.Source, name.Name))
	}
	return bun.SafeQuery("(r.object_type NOT IN "+ofIdentities+" AND ("+strings.Repeat("? OR ", len(conditions)-1)+"?))", conditions...)
}

// blankRow is a row of a file that is blanked: it keeps as many cells, with nothing
// in them.
type blankRow struct {
	job    lifecycle.ID
	number int
	cells  string
}

// blankCells are the cells of a row without anything in them.
func blankCells(header string) string { return strings.Repeat(",", max(0, len(readRecord(header))-1)) }

// stagedRows are those that are about the person, or name them as the manager. One
// in which neither could be made out is judged by its cells.
func (s *Store) stagedRows(ctx context.Context, p lifecycle.ErasedPerson) (found []blankRow, err error) {
	p = inFiles(p)
	// What was blanked is not about anybody any more; one without cells may still be
	// about whom it was about, if somebody else was its manager.
	const full = " AND btrim(r.cells, ',') <> ''"
	sure, unsure := about(p, bun.Safe("j.source_id")), bun.Safe("r.account_name_folded = ''"+full)
	if !p.Identity.IsZero() {
		sure, unsure = bun.SafeQuery("coalesce(r.manager_id = ?, false)"+full, p.Identity), "r.manager_id IS NULL"+full
	}
	var key blankRow
	var source lifecycle.ID
	var header, cells string
	var known bool
	rows, err := s.db.QueryContext(ctx, `SELECT r.job_id, r.number, j.source_id, j.header, r.cells, ?0 FROM import_rows AS r
		JOIN import_jobs AS j ON j.id = r.job_id WHERE ?0 OR ?1 ORDER BY r.job_id, r.number`, sure, unsure)
	err = each(rows, err, []any{&key.job, &key.number, &source, &header, &cells, &known}, func() error {
		if known || isAbout(p, source, header, cells) {
			key.cells = blankCells(header)
			found = append(found, key)
		}
		return nil
	})
	return found, err
}

// faultRows are the rows that could not be taken which are about the person, or
// name them as the manager. Of these nothing is kept but their cells.
func (s *Store) faultRows(ctx context.Context, p lifecycle.ErasedPerson) (found []blankRow, err error) {
	p = inFiles(p)
	var at blankRow
	for seen := faultsAtOnce; seen == faultsAtOnce; {
		seen = 0
		var source lifecycle.ID
		var header, cells string
		rows, err := s.db.QueryContext(ctx, `SELECT f.job_id, f.number, j.source_id, j.header, f.cells
			FROM import_faults AS f JOIN import_jobs AS j ON j.id = f.job_id
			WHERE (f.job_id, f.number) > (?::uuid, ?) ORDER BY f.job_id, f.number LIMIT ?`, at.job.String(), at.number, faultsAtOnce)
		err = each(rows, err, []any{&at.job, &at.number, &source, &header, &cells}, func() error {
			seen++
			if isAbout(p, source, header, cells) {
				at.cells = blankCells(header)
				found = append(found, at)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// faultsAtOnce is how many rows that could not be taken are looked at at once.
const faultsAtOnce = 1_000

// isAbout judges a row by its cells, which stand under the header of its file. One
// that can't be read is judged by whether it has the person's name anywhere.
func isAbout(p lifecycle.ErasedPerson, source lifecycle.ID, header, cells string) bool {
	names, values := readRecord(header), readRecord(cells)
	if len(names) == 0 || len(values) != len(names) {
		folded := lifecycle.Fold(cells)
		holds := func(text string) bool { return strings.Contains(folded, text) }
		return slices.ContainsFunc(p.Emails, holds) || slices.ContainsFunc(p.Managers, holds) ||
			slices.ContainsFunc(p.Names, func(n lifecycle.SourceName) bool { return n.Source == source && holds(n.Name) })
	}
	cell := func(column string) string {
		i := slices.IndexFunc(names, func(name string) bool {
			return lifecycle.Fold(lifecycle.Normalize(name)) == lifecycle.Fold(column)
		})
		if i < 0 {
			return ""
		}
		return lifecycle.Fold(lifecycle.Normalize(csvfile.Unguard(values[i])))
	}
	account, email, manager := cell("accountName"), cell("email"), cell("manager")
	return email != "" && slices.Contains(p.Emails, email) ||
		manager != "" && slices.Contains(p.Managers, manager) ||
		account != "" && slices.Contains(p.Names, lifecycle.SourceName{Source: source, Name: account})
}

// readRecord reads one record of a file; nil where it is none.
func readRecord(text string) []string {
	in := csv.NewReader(strings.NewReader(text))
	in.LazyQuotes = true
	record, err := in.Read()
	if err != nil {
		return nil
	}
	return record
}

// exportJobs are the exports whose files the person is in, or may be in: all of the
// sources that know them, and for an identity those that name it and those that
// are being written. One that waits will be read after the erasure.
func (s *Store) exportJobs(ctx context.Context, p lifecycle.ErasedPerson) ([]lifecycle.ID, error) {
	if p.Identity.IsZero() {
		return s.ids(ctx, `SELECT id FROM export_jobs WHERE source_id = ANY (?) AND status <> 'PENDING'
			AND (status <> 'ERROR' OR EXISTS (SELECT 1 FROM export_chunks AS c WHERE c.job_id = export_jobs.id)) ORDER BY id`, idList(p.Sources))
	}
	cells := texts{strings.ReplaceAll(p.Alias, `"`, `""`)}
	for _, alias := range p.FormerAliases {
		cells = append(cells, strings.ReplaceAll(alias, `"`, `""`))
	}
	longest := 0
	for _, cell := range cells {
		longest = max(longest, len(cell))
	}
	// A name may stand where two pieces meet.
	return s.ids(ctx, `SELECT DISTINCT c.job_id FROM (
			SELECT job_id, bytes, lag(substring(bytes FROM greatest(1, length(bytes) - ?1 + 1)))
				OVER (PARTITION BY job_id, attempt ORDER BY number) AS before
			FROM export_chunks
		) AS c, unnest(?0) AS cell WHERE position(convert_to(cell, 'UTF8') IN coalesce(c.before, '') || c.bytes) > 0
		UNION SELECT id FROM export_jobs WHERE status = 'IN_PROGRESS' ORDER BY 1`, cells, longest)
}

// acted is the condition that d, the details of the entry r, tells of where the
// identity called from. Who was refused a token has named a client and is not known
// as anybody yet.
func acted(p lifecycle.ErasedPerson) schema.QueryAppender {
	return bun.SafeQuery(`(d.actor IS NOT NULL AND (r.identity_id = ? OR r.identity_id IS NULL AND r.client_id IS NULL
		AND r.action = ? AND r.object_type = 'CLIENT' AND r.object_id = ANY (?)))`,
		p.Identity, string(lifecycle.ActionAttempt), texts(p.Clients))
}

// auditNumbers are the numbers of the entries whose details tell about the person,
// or have their names beside them, and of those whose actor they are.
func (s *Store) auditNumbers(ctx context.Context, p lifecycle.ErasedPerson) (e lifecycle.ErasedDetails, err error) {
	var number int64
	read := func(into *[]int64, condition schema.QueryAppender) error {
		rows, err := s.db.QueryContext(ctx, `SELECT r.id FROM audit_details AS d JOIN audit_entries AS r ON r.id = d.entry_id
			WHERE ? ORDER BY r.id`, condition)
		return each(rows, err, []any{&number}, func() error { *into = append(*into, number); return nil })
	}
	if err := read(&e.Changes, bun.SafeQuery("(d.change IS NOT NULL OR d.subjects IS NOT NULL) AND ?", told(p))); err != nil || p.Identity.IsZero() {
		return e, err
	}
	return e, read(&e.Actors, acted(p))
}

// CountErasure counts what erasing the person would remove just now.
func (s *Store) CountErasure(ctx context.Context, person lifecycle.ErasedPerson) (counts lifecycle.Erasure, err error) {
	defer s.done(ctx, "CountErasure", time.Now(), &err)
	return s.countErasure(ctx, person)
}

func (s *Store) countErasure(ctx context.Context, p lifecycle.ErasedPerson) (counts lifecycle.Erasure, err error) {
	where := bun.SafeQuery("? OR r.id = ANY (?)", about(p, bun.Safe("r.source_id")), idList(p.Objects))
	if _, err := row(ctx, s.db, []any{&counts.Records, &counts.Requests}, `SELECT
		(SELECT count(*) FROM records AS r WHERE ?0), (SELECT count(*) FROM requests AS r WHERE ?0)`, where); err != nil {
		return counts, err
	}
	staged, err := s.stagedRows(ctx, p)
	if err != nil {
		return counts, err
	}
	faults, err := s.faultRows(ctx, p)
	if err != nil {
		return counts, err
	}
	exports, err := s.exportJobs(ctx, p)
	if err != nil {
		return counts, err
	}
	counts.StagedRows, counts.Faults, counts.Exports = len(staged), len(faults), len(exports)
	if _, err := row(ctx, s.db, []any{&counts.Extensions}, `SELECT count(*) FROM extension_records WHERE record_id = ANY (?1)
		OR record_id IN (SELECT r.id FROM records AS r WHERE ?0)`, where, idList(p.Objects)); err != nil {
		return counts, err
	}
	const entries = "SELECT count(*) FROM audit_details AS d JOIN audit_entries AS r ON r.id = d.entry_id WHERE "
	if _, err := row(ctx, s.db, []any{&counts.Changes}, entries+"d.change IS NOT NULL AND ?", told(p)); err != nil || p.Identity.IsZero() {
		return counts, err
	}
	if _, err := row(ctx, s.db, []any{&counts.Actors}, entries+"?", acted(p)); err != nil {
		return counts, err
	}
	counts.Identities = 1
	_, err = row(ctx, s.db, []any{&counts.Clients, &counts.Mentions},
		"SELECT (SELECT count(*) FROM clients WHERE identity_id = ?0), "+mentionsOf, p.Identity)
	return counts, err
}

// mentionsOf counts the rows that name a client of the identity ?0.
const mentionsOf = `(SELECT count(*) FROM import_jobs WHERE requester_id = ?0 AND client_id <> '')
	+ (SELECT count(*) FROM export_jobs WHERE requester_id = ?0 AND client_id <> '')
	+ (SELECT count(*) FROM export_schedules WHERE requester_id = ?0 AND client_id <> '')
	+ (SELECT count(*) FROM decision_comments WHERE approver_id = ?0 AND (client_id IS NOT NULL OR address IS NOT NULL))`
