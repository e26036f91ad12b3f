package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// referenceList selects the references of the source s, in their order, as
// text that parseReferences reads.
const (
	approverList = `(SELECT string_agg(a.approver_type || ' ' || a.approver_id, ',' ORDER BY a.position)
		FROM source_approvers AS a WHERE a.source_id = s.id)`
	accountManagerList = `(SELECT string_agg(a.manager_type || ' ' || a.manager_id, ',' ORDER BY a.position)
		FROM source_account_managers AS a WHERE a.source_id = s.id)`
	sourceColumns = `s.id, s.name, s.description, s.owner_id, s.management_workgroup, ` +
		approverList + `, ` + accountManagerList + `, s.created, s.modified`
)

type sourceRow struct {
	source              lifecycle.Source
	approvers, managers sql.NullString
}

func (r *sourceRow) dest() []any {
	s := &r.source
	return []any{
		&s.ID, &s.Name, &s.Description, &s.Owner, &s.ManagementWorkgroup, &r.approvers, &r.managers, &s.Created, &s.Modified,
	}
}

func (r *sourceRow) toSource() (lifecycle.Source, error) {
	s := r.source
	s.Created, s.Modified = s.Created.UTC(), s.Modified.UTC()
	var err error
	if s.Approvers, err = parseReferences(r.approvers.String); err != nil {
		return s, err
	}
	s.AccountManagers, err = parseReferences(r.managers.String)
	return s, err
}

func parseReferences(text string) ([]lifecycle.Reference, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	references := make([]lifecycle.Reference, len(parts))
	for i, part := range parts {
		kind, id, _ := strings.Cut(part, " ")
		parsed, err := lifecycle.ParseID(id)
		if err != nil {
			return nil, fmt.Errorf("a stored reference: %w", err)
		}
		references[i] = lifecycle.Reference{ID: parsed, Type: lifecycle.ReferenceType(kind)}
	}
	return references, nil
}

// CreateSource writes the source, its counter and its schema attributes in one
// transaction. Errors: KindLimit beyond maxSources, KindConflict for a name
// that is taken without regard to case, KindReferenceNotFound for an owner,
// approver, account manager or workgroup that does not exist.
func (s *Store) CreateSource(ctx context.Context, source lifecycle.Source, attributes []lifecycle.SchemaAttribute, maxSources int) (err error) {
	defer s.done(ctx, "CreateSource", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := checkReferences(ctx, tx, source, lifecycle.Source{}); err != nil {
			return err
		}
		err := exec(ctx, tx, `INSERT INTO sources
			(id, name, name_folded, description, owner_id, management_workgroup, created, modified) VALUES ?`,
			tuples{{
				source.ID, source.Name, lifecycle.Fold(source.Name), source.Description, source.Owner,
				source.ManagementWorkgroup, source.Created, source.Modified,
			}})
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, "INSERT INTO source_counters (source_id) VALUES (?)", source.ID); err != nil {
			return err
		}
		if err := insertApprovers(ctx, tx, source); err != nil {
			return err
		}
		if err := insertAccountManagers(ctx, tx, source); err != nil {
			return err
		}
		if err := insertAttributes(ctx, tx, attributes); err != nil {
			return err
		}
		counted, err := affected(ctx, tx, "UPDATE organisation SET sources = sources + 1 WHERE sources < ?", maxSources)
		switch {
		case err != nil:
			return err
		case counted == 0:
			return lifecycle.TooManySources(maxSources)
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionCreate, Object: lifecycle.ObjectSource, ID: source.ID.String(), Source: source.ID,
			After: auditedSource(source), Facts: map[string]any{"attributes": len(attributes)},
		})
	})
}

// auditedSource is a source as the audit trail shows it.
func auditedSource(s lifecycle.Source) map[string]any {
	source := map[string]any{
		"name": s.Name, "description": s.Description, "owner": s.Owner,
		"approvers": auditedReferences(s.Approvers), "accountManagers": auditedReferences(s.AccountManagers),
	}
	if !s.ManagementWorkgroup.IsZero() {
		source["managementWorkgroup"] = s.ManagementWorkgroup
	}
	return source
}

func auditedReferences(references []lifecycle.Reference) []map[string]any {
	shown := make([]map[string]any, len(references))
	for i, reference := range references {
		shown[i] = map[string]any{"type": reference.Type, "id": reference.ID}
	}
	return shown
}

func insertApprovers(ctx context.Context, tx bun.Tx, source lifecycle.Source) error {
	return insertReferences(ctx, tx, "source_approvers (source_id, position, approver_id, approver_type)", source.ID, source.Approvers)
}

func insertAccountManagers(ctx context.Context, tx bun.Tx, source lifecycle.Source) error {
	return insertReferences(ctx, tx, "source_account_managers (source_id, position, manager_id, manager_type)", source.ID, source.AccountManagers)
}

func insertReferences(ctx context.Context, tx bun.Tx, into string, source lifecycle.ID, references []lifecycle.Reference) error {
	if len(references) == 0 {
		return nil
	}
	rows := make(tuples, len(references))
	for i, reference := range references {
		rows[i] = []any{source, i, reference.ID, string(reference.Type)}
	}
	return exec(ctx, tx, "INSERT INTO ? VALUES ?", bun.Safe(into), rows)
}

// checkReferences holds that what source names and before did not is there:
// identities that are active, workgroups that were not deleted.
func checkReferences(ctx context.Context, tx bun.Tx, source, before lifecycle.Source) error {
	type named struct {
		field string
		lifecycle.Reference
	}
	var added []named
	if source.Owner != before.Owner {
		added = append(added, named{"owner", lifecycle.IdentityReference(source.Owner)})
	}
	if source.ManagementWorkgroup != before.ManagementWorkgroup && !source.ManagementWorkgroup.IsZero() {
		group := lifecycle.Reference{ID: source.ManagementWorkgroup, Type: lifecycle.ReferenceGovernanceGroup}
		added = append(added, named{"managementWorkgroup", group})
	}
	for _, reference := range source.Approvers {
		if !slices.Contains(before.Approvers, reference) {
			added = append(added, named{"approvers", reference})
		}
	}
	for _, reference := range source.AccountManagers {
		if !slices.Contains(before.AccountManagers, reference) {
			added = append(added, named{"accountManagers", reference})
		}
	}
	if len(added) == 0 {
		return nil
	}
	references := make([]lifecycle.Reference, len(added))
	for i, reference := range added {
		references[i] = reference.Reference
	}
	there, err := nameable(ctx, tx, references)
	if err != nil {
		return err
	}
	var faults lifecycle.Faults
	for _, reference := range added {
		if !there[reference.Reference] {
			faults = append(faults, lifecycle.NamesNobody(reference.field, reference.Reference))
		}
	}
	return faults.Err()
}

// nameable returns those of the references that may be named: identities that are
// active, workgroups that were not deleted.
func nameable(ctx context.Context, tx bun.Tx, references []lifecycle.Reference) (map[lifecycle.Reference]bool, error) {
	ids := make(idList, len(references))
	for i, reference := range references {
		ids[i] = reference.ID
	}
	there := map[lifecycle.Reference]bool{}
	var found lifecycle.Reference
	rows, err := tx.QueryContext(ctx, `SELECT id, 'IDENTITY' FROM identities WHERE id = ANY (?0) AND active
		UNION ALL SELECT id, 'GOVERNANCE_GROUP' FROM workgroups WHERE id = ANY (?0) AND deleted IS NULL`, ids)
	return there, each(rows, err, []any{&found.ID, &found.Type}, func() error { there[found] = true; return nil })
}

var lookupSource = "SELECT " + sourceColumns + ", " + viewerRelations + " FROM sources AS s WHERE s.id = $1"

// GetSource returns the source and what ties viewer to it; viewer may be zero.
func (s *Store) GetSource(ctx context.Context, id, viewer lifecycle.ID) (source lifecycle.Source, rel policy.Relations, err error) {
	defer s.done(ctx, "GetSource", time.Now(), &err)
	var r sourceRow
	found, err := s.lookup(ctx, append(r.dest(), &rel.AccountManager, &rel.Workgroup), lookupSource, id, viewer)
	if err != nil {
		return lifecycle.Source{}, policy.Relations{}, err
	}
	if !found {
		return lifecycle.Source{}, policy.Relations{}, missing()
	}
	source, err = r.toSource()
	return source, rel, err
}

// ListSources returns a page and, where q.Count, the number of matches. The
// number of records is that of the counters.
func (s *Store) ListSources(ctx context.Context, reach policy.Reach, q filter.Query, withRecords bool) (sources []lifecycle.CountedSource, count int, err error) {
	defer s.done(ctx, "ListSources", time.Now(), &err)
	l := list{table: "sources", fields: sourceFields, reach: s.reachSources(reach), within: "r.id = reach.id"}
	if q.Count {
		if count, err = s.count(ctx, l, q.Where); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	query, err := s.sourcesQuery(l, q)
	if err != nil {
		return nil, 0, err
	}
	var r sourceRow
	var records int
	err = s.rows(ctx, query, append(r.dest(), &records), func() error {
		source, err := r.toSource()
		counted := lifecycle.CountedSource{Source: source}
		if withRecords {
			n := records
			counted.Records = &n
		}
		sources = append(sources, counted)
		return err
	})
	return sources, count, err
}

func (s *Store) sourcesQuery(l list, q filter.Query) (*bun.SelectQuery, error) {
	page, err := s.page(l, q)
	if err != nil {
		return nil, err
	}
	order, err := l.fields.order(q.Sort)
	if err != nil {
		return nil, err
	}
	query := s.db.NewSelect().ColumnExpr(sourceColumns).ColumnExpr("c.records").
		TableExpr("(?) AS r", page).
		Join("JOIN sources AS s ON s.id = r.id").
		Join("JOIN source_counters AS c ON c.source_id = r.id")
	for _, term := range order {
		query = query.OrderExpr(term)
	}
	return query, nil
}

func (s *Store) count(ctx context.Context, l list, where filter.Expr) (int, error) {
	query, err := s.matches(l, where)
	if err != nil {
		return 0, err
	}
	return s.scalar(ctx, query)
}

// lockSource locks the source; it is the first lock of any transaction that
// takes it. KindNotFound if there is no such source.
func lockSource(ctx context.Context, tx bun.Tx, id lifecycle.ID) error {
	var one int
	found, err := row(ctx, tx, []any{&one}, "SELECT 1 FROM sources WHERE id = ? FOR UPDATE", id)
	if err == nil && !found {
		return missing()
	}
	return err
}

// lockedSource reads the source that is locked. What hangs on the row is read only
// now: a statement that waited for the lock would still see it as it was before.
func lockedSource(ctx context.Context, tx bun.Tx, id lifecycle.ID) (lifecycle.Source, error) {
	var r sourceRow
	if _, err := row(ctx, tx, r.dest(), "SELECT "+sourceColumns+" FROM sources AS s WHERE s.id = ?", id); err != nil {
		return lifecycle.Source{}, err
	}
	return r.toSource()
}

// UpdateSource applies change to the source while its row is locked, so that
// changes of one object follow one another and none is lost. An error of change
// ends the transaction and is returned as it is. Errors else: KindNotFound, and
// for what change put in those of CreateSource.
func (s *Store) UpdateSource(ctx context.Context, id lifecycle.ID, change func(*lifecycle.Source) error) (source lifecycle.Source, err error) {
	defer s.done(ctx, "UpdateSource", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := lockSource(ctx, tx, id); err != nil {
			return err
		}
		before, err := lockedSource(ctx, tx, id)
		if err != nil {
			return err
		}
		source = before
		source.Approvers, source.AccountManagers = slices.Clone(before.Approvers), slices.Clone(before.AccountManagers)
		if err := change(&source); err != nil {
			return err
		}
		source.ID, source.Created = before.ID, before.Created
		if !source.Modified.After(before.Modified) {
			source.Modified = later(now(), before.Modified)
		}
		if err := checkReferences(ctx, tx, source, before); err != nil {
			return err
		}
		if err := writeSource(ctx, tx, source, before); err != nil {
			return err
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectSource, ID: id.String(), Source: id,
			Before: auditedSource(before), After: auditedSource(source),
		})
	})
	if err != nil {
		return lifecycle.Source{}, err
	}
	return source, nil
}

func writeSource(ctx context.Context, tx bun.Tx, source, before lifecycle.Source) error {
	err := exec(ctx, tx, `UPDATE sources SET name = ?, name_folded = ?, description = ?, owner_id = ?,
		management_workgroup = ?, modified = ? WHERE id = ?`,
		source.Name, lifecycle.Fold(source.Name), source.Description, source.Owner,
		source.ManagementWorkgroup, source.Modified, source.ID)
	if err != nil {
		return err
	}
	if !slices.Equal(source.Approvers, before.Approvers) {
		if err := exec(ctx, tx, "DELETE FROM source_approvers WHERE source_id = ?", source.ID); err != nil {
			return err
		}
		if err := insertApprovers(ctx, tx, source); err != nil {
			return err
		}
	}
	if !slices.Equal(source.AccountManagers, before.AccountManagers) {
		if err := exec(ctx, tx, "DELETE FROM source_account_managers WHERE source_id = ?", source.ID); err != nil {
			return err
		}
		return insertAccountManagers(ctx, tx, source)
	}
	return nil
}

// DeleteSource removes the source and everything under it in one transaction
// and notes the workflows of its requests, which must end, the schedules
// of its exports, which must be forgotten, and what its imports and exports leave
// behind. A workflow of these finds its job gone.
func (s *Store) DeleteSource(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteSource", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := lockSource(ctx, tx, id); err != nil {
			return err
		}
		if _, err := lockCounters(ctx, tx, id, forRemoving); err != nil {
			return err
		}
		if err := tune(ctx, tx, bulk(nil)...); err != nil {
			return err
		}
		before, err := lockedSource(ctx, tx, id)
		if err != nil {
			return err
		}
		removed := map[string]any{}
		for _, step := range []struct {
			// what is what is removed, empty where it is nothing that people know of.
			what, statement string
		}{
			{"", `INSERT INTO workflow_endings (request_id, created)
				SELECT id, now() FROM requests WHERE source_id = ? AND (approval_status = 'PENDING' OR workflow_seen_at < modified)
				ON CONFLICT DO NOTHING`},
			// The items go with their requests, after all requests are locked.
			{"requests", "DELETE FROM requests WHERE source_id = ?"},
			{"exportSchedules", "WITH gone AS (DELETE FROM export_schedules WHERE source_id = ? RETURNING id) " + noteScheduleEndings},
			{"imports", "WITH gone AS (DELETE FROM import_jobs WHERE source_id = ? RETURNING id) " + noteGarbage},
			{"exports", "WITH gone AS (DELETE FROM export_jobs WHERE source_id = ? RETURNING id) " + noteGarbage},
			{"records", "DELETE FROM records WHERE source_id = ?"},
			{"", "DELETE FROM account_names WHERE source_id = ?"},
			{"", "DELETE FROM sources WHERE id = ?"},
		} {
			n, err := affected(ctx, tx, step.statement, id)
			if err != nil {
				return err
			}
			if step.what != "" {
				removed[step.what] = n
			}
		}
		if err := exec(ctx, tx, "UPDATE organisation SET sources = sources - 1"); err != nil {
			return err
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionDelete, Object: lifecycle.ObjectSource, ID: id.String(), Source: id,
			Before: auditedSource(before), Facts: map[string]any{"removed": removed},
		})
	})
}
