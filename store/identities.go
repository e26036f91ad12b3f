package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"gatehouse/lifecycle"
)

// identityColumns are those of i, an identity. A manager who is deleted is none.
const identityColumns = `i.id, i.alias, i.name, i.email, i.levels,
	(SELECT m.id FROM identities AS m WHERE m.id = i.manager_id AND m.deleted IS NULL), i.active, i.created, i.modified`

type identityRow struct {
	identity lifecycle.Identity
	levels   []string
}

func (r *identityRow) dest() []any {
	i := &r.identity
	r.levels = nil
	return []any{&i.ID, &i.Alias, &i.Name, &i.Email, pgdialect.Array(&r.levels), &i.Manager, &i.Active, &i.Created, &i.Modified}
}

func (r *identityRow) toIdentity() lifecycle.Identity {
	i := r.identity
	i.Created, i.Modified = i.Created.UTC(), i.Modified.UTC()
	i.Levels = typed[lifecycle.Level](r.levels)
	return i
}

func typed[T ~string](list []string) []T {
	if len(list) == 0 {
		return nil
	}
	result := make([]T, len(list))
	for i, text := range list {
		result[i] = T(text)
	}
	return result
}

func plain[T ~string](list []T) texts {
	result := make(texts, len(list))
	for i, value := range list {
		result[i] = string(value)
	}
	return result
}

const insertIdentity = `INSERT INTO identities
	(id, alias, alias_folded, name, name_folded, email, email_folded, levels, manager_id, active, created, modified) VALUES ?`

func identityValues(i lifecycle.Identity) tuples {
	return tuples{{
		i.ID, i.Alias, lifecycle.Fold(i.Alias), i.Name, lifecycle.Fold(i.Name), i.Email, lifecycle.Fold(i.Email),
		plain(i.Levels), i.Manager, i.Active, i.Created, i.Modified,
	}}
}

// CreateIdentity adds an identity. KindConflict for an alias, without regard to
// case, or an id that is taken; KindReferenceNotFound for a manager who does not
// exist.
func (s *Store) CreateIdentity(ctx context.Context, identity lifecycle.Identity) (err error) {
	defer s.done(ctx, "CreateIdentity", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error { return createIdentity(ctx, tx, identity) })
}

func createIdentity(ctx context.Context, tx bun.Tx, identity lifecycle.Identity) error {
	if err := checkManager(ctx, tx, identity.Manager, lifecycle.ID{}); err != nil {
		return err
	}
	if err := exec(ctx, tx, insertIdentity, identityValues(identity)); err != nil {
		return err
	}
	return audit(ctx, tx, lifecycle.AuditChange{
		Action: lifecycle.ActionCreate, Object: lifecycle.ObjectIdentity, ID: identity.ID.String(),
		After: auditedIdentity(identity), Subjects: identitySubjects(identity),
	})
}

// checkManager holds that the manager is there, if there is one and it is another
// than before. One who is not active may be named: a directory sends people in an
// order of its own.
func checkManager(ctx context.Context, tx bun.Tx, manager, before lifecycle.ID) error {
	if manager.IsZero() || manager == before {
		return nil
	}
	var one int
	found, err := row(ctx, tx, []any{&one}, "SELECT 1 FROM identities WHERE id = ? AND deleted IS NULL FOR KEY SHARE", manager)
	if err == nil && !found {
		return lifecycle.NoSuchManager()
	}
	return err
}

// EnsureIdentity makes the identity with this id be as given, whether it is
// there, deleted or not; only created stays, and what a directory said beside.
// KindConflict for an alias of another, KindReferenceNotFound for a manager who does
// not exist.
func (s *Store) EnsureIdentity(ctx context.Context, identity lifecycle.Identity) (err error) {
	defer s.done(ctx, "EnsureIdentity", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		change := lifecycle.AuditChange{
			Action: lifecycle.ActionCreate, Object: lifecycle.ObjectIdentity, ID: identity.ID.String(),
			After: auditedIdentity(identity), Subjects: identitySubjects(identity),
		}
		if err := checkManager(ctx, tx, identity.Manager, lifecycle.ID{}); err != nil {
			return err
		}
		made, err := affected(ctx, tx, insertIdentity+" ON CONFLICT (id) DO NOTHING", identityValues(identity))
		if err != nil {
			return err
		}
		if made == 1 {
			return audit(ctx, tx, change)
		}
		var r identityRow
		if _, err := row(ctx, tx, r.dest(), "SELECT "+identityColumns+" FROM identities AS i WHERE i.id = ? FOR NO KEY UPDATE", identity.ID); err != nil {
			return err
		}
		before := r.toIdentity()
		change.Action, change.Before = lifecycle.ActionUpdate, auditedIdentity(before)
		change.Subjects = append(change.Subjects, identitySubjects(before)...)
		if alike, err := sameJSON(change.Before, change.After); err != nil || alike {
			return err
		}
		if err := exec(ctx, tx, `UPDATE identities SET alias = ?, alias_folded = ?, name = ?, name_folded = ?,
				email = ?, email_folded = ?, levels = ?, manager_id = ?, active = ?, modified = ?, version = version + 1, deleted = NULL
				WHERE id = ?`,
			identity.Alias, lifecycle.Fold(identity.Alias), identity.Name, lifecycle.Fold(identity.Name), identity.Email,
			lifecycle.Fold(identity.Email), plain(identity.Levels), identity.Manager, identity.Active, identity.Modified, identity.ID); err != nil {
			return err
		}
		return audit(ctx, tx, change)
	})
}

// GetIdentity returns the identity, active or not; KindNotFound if there is none
// or it was deleted.
func (s *Store) GetIdentity(ctx context.Context, id lifecycle.ID) (identity lifecycle.Identity, err error) {
	defer s.done(ctx, "GetIdentity", time.Now(), &err)
	var r identityRow
	found, err := row(ctx, s.db, r.dest(), "SELECT "+identityColumns+" FROM identities AS i WHERE i.id = ? AND i.deleted IS NULL", id)
	if err != nil {
		return lifecycle.Identity{}, err
	}
	if !found {
		return lifecycle.Identity{}, missing()
	}
	return r.toIdentity(), nil
}

// IdentityByAlias returns the identity with this alias, without regard to case,
// active or not; KindNotFound if there is none.
func (s *Store) IdentityByAlias(ctx context.Context, alias string) (identity lifecycle.Identity, err error) {
	defer s.done(ctx, "IdentityByAlias", time.Now(), &err)
	return s.theIdentity(ctx, "i.alias_folded = ?", lifecycle.Fold(alias))
}

// IdentityByExternalID does so by the directory's own name of the identity, to
// the byte. One that several have is nobody's.
func (s *Store) IdentityByExternalID(ctx context.Context, externalID string) (identity lifecycle.Identity, err error) {
	defer s.done(ctx, "IdentityByExternalID", time.Now(), &err)
	if externalID == "" {
		return lifecycle.Identity{}, missing()
	}
	return s.theIdentity(ctx, "i.external_id = ?", externalID)
}

// theIdentity returns the one identity that there is; KindNotFound if there is
// none or more than one.
func (s *Store) theIdentity(ctx context.Context, where, name string) (lifecycle.Identity, error) {
	if !storable(name) {
		return lifecycle.Identity{}, missing()
	}
	found, err := queryIdentities(ctx, s.db, "SELECT "+identityColumns+" FROM identities AS i WHERE i.deleted IS NULL AND "+where+" LIMIT 2", name)
	switch {
	case err != nil:
		return lifecycle.Identity{}, err
	case len(found) != 1:
		return lifecycle.Identity{}, missing()
	}
	return found[0], nil
}

// ListIdentities returns all identities but the deleted ones by alias.
func (s *Store) ListIdentities(ctx context.Context) (identities []lifecycle.Identity, err error) {
	defer s.done(ctx, "ListIdentities", time.Now(), &err)
	return queryIdentities(ctx, s.db, "SELECT "+identityColumns+" FROM identities AS i WHERE i.deleted IS NULL ORDER BY i.alias_folded")
}

func queryIdentities(ctx context.Context, db bun.IDB, query string, args ...any) ([]lifecycle.Identity, error) {
	var identities []lifecycle.Identity
	var r identityRow
	rows, err := db.QueryContext(ctx, query, args...)
	err = each(rows, err, r.dest(), func() error {
		identities = append(identities, r.toIdentity())
		return nil
	})
	return identities, err
}

// SetIdentityActive switches the identity on or off; KindNotFound if there is none
// or it was deleted.
func (s *Store) SetIdentityActive(ctx context.Context, id lifecycle.ID, active bool) (err error) {
	defer s.done(ctx, "SetIdentityActive", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		var was bool
		found, err := row(ctx, tx, []any{&was}, "SELECT active FROM identities WHERE id = ? AND deleted IS NULL FOR NO KEY UPDATE", id)
		switch {
		case err != nil:
			return err
		case !found:
			return missing()
		case was == active:
			return nil
		}
		if err := exec(ctx, tx, `UPDATE identities SET active = ?, version = version + 1,
			modified = greatest(?, modified + interval '1 millisecond') WHERE id = ?`, active, now(), id); err != nil {
			return err
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectIdentity, ID: id.String(),
			Before: map[string]any{"active": was}, After: map[string]any{"active": active},
		})
	})
}

// auditedIdentity is an identity as the audit trail shows it.
func auditedIdentity(i lifecycle.Identity) map[string]any {
	identity := map[string]any{
		"alias": i.Alias, "name": i.Name, "email": i.Email, "levels": plain(i.Levels), "active": i.Active,
	}
	if !i.Manager.IsZero() {
		identity["manager"] = i.Manager
	}
	return identity
}

func identitySubjects(i lifecycle.Identity) []string { return []string{i.Alias, i.Email} }

func changedOne(changed int64, err error) error {
	if err == nil && changed == 0 {
		return missing()
	}
	return err
}

// ResolveIdentities finds identities by alias (without regard to case) or id;
// what is not found is absent from the answer, which is keyed by the references
// as given. Where a reference is one's id and another's alias, the id counts.
// Inactive identities are found too, and deleted ones, which are inactive; of
// these an alias is that of the last, and that of nobody once somebody else has it.
func (s *Store) ResolveIdentities(ctx context.Context, references []string) (found map[string]lifecycle.Identity, err error) {
	defer s.done(ctx, "ResolveIdentities", time.Now(), &err)
	found = map[string]lifecycle.Identity{}
	var ids idList
	var aliases texts
	for _, reference := range references {
		if !storable(reference) {
			continue // no stored alias can hold it
		}
		aliases = append(aliases, lifecycle.Fold(reference))
		if id, err := lifecycle.ParseID(reference); err == nil {
			ids = append(ids, id)
		}
	}
	if len(aliases) == 0 {
		return found, nil
	}
	identities, err := queryIdentities(ctx, s.db, "SELECT "+identityColumns+
		" FROM identities AS i WHERE i.alias_folded = ANY (?) OR i.id = ANY (?) ORDER BY i.deleted NULLS LAST, i.id", aliases, ids)
	if err != nil {
		return nil, err
	}
	byAlias, byID := map[string]lifecycle.Identity{}, map[lifecycle.ID]lifecycle.Identity{}
	for _, identity := range identities {
		byAlias[lifecycle.Fold(identity.Alias)], byID[identity.ID] = identity, identity
	}
	for _, reference := range references {
		identity, ok := byAlias[lifecycle.Fold(reference)]
		if id, err := lifecycle.ParseID(reference); err == nil {
			if named, is := byID[id]; is {
				identity, ok = named, true
			}
		}
		if ok {
			found[reference] = identity
		}
	}
	return found, nil
}

// CreateWorkgroup adds a workgroup with its members. Errors: KindConflict for a
// name, without regard to case, or an id that is taken, KindReferenceNotFound
// for a member that does not exist.
func (s *Store) CreateWorkgroup(ctx context.Context, group lifecycle.Workgroup) (err error) {
	defer s.done(ctx, "CreateWorkgroup", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := exec(ctx, tx, insertWorkgroup, workgroupValues(group)); err != nil {
			return err
		}
		if _, err := addMembers(ctx, tx, group.ID, group.Members); err != nil {
			return err
		}
		return audit(ctx, tx, workgroupMade(group))
	})
}

// EnsureWorkgroup makes the workgroup with this id bear the name and have these
// members, and leaves members that it has beside them. Errors as
// CreateWorkgroup's, but for the id.
func (s *Store) EnsureWorkgroup(ctx context.Context, group lifecycle.Workgroup) (err error) {
	defer s.done(ctx, "EnsureWorkgroup", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		made, err := affected(ctx, tx, insertWorkgroup+" ON CONFLICT (id) DO NOTHING", workgroupValues(group))
		if err != nil {
			return err
		}
		var name string
		if made == 0 {
			if _, err := row(ctx, tx, []any{&name}, "SELECT name FROM workgroups WHERE id = ? FOR NO KEY UPDATE", group.ID); err != nil {
				return err
			}
			if name != group.Name {
				if err := exec(ctx, tx, "UPDATE workgroups SET name = ?, name_folded = ? WHERE id = ?",
					group.Name, lifecycle.Fold(group.Name), group.ID); err != nil {
					return err
				}
			}
		}
		added, err := addMembers(ctx, tx, group.ID, group.Members)
		switch {
		case err != nil:
			return err
		case made == 1:
			return audit(ctx, tx, workgroupMade(group))
		case name == group.Name && len(added) == 0:
			return nil
		}
		if err := moveWorkgroup(ctx, tx, group.ID); err != nil {
			return err
		}
		change := membersChange(group.ID.String(), added, nil)
		change.Before, change.After = map[string]any{"name": name}, map[string]any{"name": group.Name}
		return audit(ctx, tx, change)
	})
}

const insertWorkgroup = "INSERT INTO workgroups (id, name, name_folded, created, modified) VALUES ?"

func workgroupValues(g lifecycle.Workgroup) tuples {
	return tuples{{g.ID, g.Name, lifecycle.Fold(g.Name), g.Created, g.Created}}
}

// moveWorkgroup notes that a workgroup was changed, and brings back a deleted one.
func moveWorkgroup(ctx context.Context, tx bun.Tx, id lifecycle.ID) error {
	return exec(ctx, tx, `UPDATE workgroups SET version = version + 1, deleted = NULL,
		modified = greatest(?, modified + interval '1 millisecond') WHERE id = ?`, now(), id)
}

func workgroupMade(g lifecycle.Workgroup) lifecycle.AuditChange {
	return lifecycle.AuditChange{
		Action: lifecycle.ActionCreate, Object: lifecycle.ObjectWorkgroup, ID: g.ID.String(),
		After: map[string]any{"name": g.Name}, Facts: map[string]any{"members": append([]lifecycle.ID{}, g.Members...)},
	}
}

// FindWorkgroup returns the workgroup with this id or, without regard to case,
// this name, with its members; KindNotFound if there is none.
func (s *Store) FindWorkgroup(ctx context.Context, reference string) (group lifecycle.Workgroup, err error) {
	defer s.done(ctx, "FindWorkgroup", time.Now(), &err)
	id, parseErr := lifecycle.ParseID(reference)
	if parseErr != nil {
		id = lifecycle.ID{}
	}
	found, err := row(ctx, s.db, []any{&group.ID, &group.Name, &group.Created},
		`SELECT id, name, created FROM workgroups WHERE (id = ?0 OR name_folded = ?1) AND deleted IS NULL
			ORDER BY id = ?0 DESC LIMIT 1`,
		uuidOf(id), lifecycle.Fold(reference))
	if err != nil {
		return lifecycle.Workgroup{}, err
	}
	if !found {
		return lifecycle.Workgroup{}, missing()
	}
	group.Created = group.Created.UTC()
	var member lifecycle.ID
	rows, err := s.db.QueryContext(ctx,
		"SELECT identity_id FROM workgroup_members WHERE workgroup_id = ? ORDER BY identity_id", group.ID)
	err = each(rows, err, []any{&member}, func() error { group.Members = append(group.Members, member); return nil })
	return group, err
}

// AddWorkgroupMember makes the identity a member; one that is a member already
// is no error. Errors: KindNotFound if there is no such workgroup,
// KindReferenceNotFound for no such identity.
func (s *Store) AddWorkgroupMember(ctx context.Context, group, identity lifecycle.ID) error {
	_, err := s.UpdateGroup(ctx, group, func(g *lifecycle.DirectoryGroup) error {
		if !slices.Contains(g.Members, lifecycle.GroupMember{ID: identity}) {
			g.Members = append(g.Members, lifecycle.GroupMember{ID: identity})
		}
		return nil
	})
	return err
}

// WorkgroupExists reports whether there is a workgroup with this id.
func (s *Store) WorkgroupExists(ctx context.Context, id lifecycle.ID) (exists bool, err error) {
	defer s.done(ctx, "WorkgroupExists", time.Now(), &err)
	_, err = row(ctx, s.db, []any{&exists}, "SELECT EXISTS (SELECT 1 FROM workgroups WHERE id = ? AND deleted IS NULL)", id)
	return exists, err
}
