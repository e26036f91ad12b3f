package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// living is a table of which some rows are deleted, without these.
func living(table string) string { return "(SELECT * FROM " + table + " WHERE deleted IS NULL)" }

// userColumns are those of r, an identity.
const userColumns = `r.id, r.alias, r.name, r.email, r.levels, r.active, r.created, r.modified,
	r.external_id, r.given_name, r.family_name, r.formatted_name, r.language, r.version,
	(SELECT m.id FROM identities AS m WHERE m.id = r.manager_id AND m.deleted IS NULL),
	coalesce((SELECT m.name FROM identities AS m WHERE m.id = r.manager_id AND m.deleted IS NULL), '')`

type userRow struct {
	user   lifecycle.DirectoryUser
	levels []string
}

// dest is what a row of userColumns is read into; levels is &r.levels as the way
// of reading wants it.
func (r *userRow) dest(levels any) []any {
	u := &r.user
	r.levels = nil
	return []any{
		&u.ID, &u.Alias, &u.Name, &u.Email, levels, &u.Active, &u.Created, &u.Modified,
		&u.ExternalID, &u.GivenName, &u.FamilyName, &u.FormattedName, &u.Language, &u.Version, &u.Manager, &u.ManagerName,
	}
}

func (r *userRow) toUser() lifecycle.DirectoryUser {
	u := r.user
	u.Created, u.Modified = u.Created.UTC(), u.Modified.UTC()
	u.Levels = typed[lifecycle.Level](r.levels)
	return u
}

// loadUser reads a living identity; lock, if not empty, is the mode it is locked in.
func loadUser(ctx context.Context, db bun.IDB, id lifecycle.ID, lock string) (lifecycle.DirectoryUser, error) {
	var r userRow
	found, err := row(ctx, db, r.dest(pgdialect.Array(&r.levels)),
		"SELECT "+userColumns+" FROM identities AS r WHERE r.id = ? AND r.deleted IS NULL ?", id, bun.Safe(lock))
	if err == nil && !found {
		err = missing()
	}
	if err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	return r.toUser(), nil
}

// CreateUser adds an identity as a directory sent it and returns it as it is stored.
// KindConflict for an alias, without regard to case, that is taken;
// KindReferenceNotFound for a manager who does not exist.
func (s *Store) CreateUser(ctx context.Context, u lifecycle.DirectoryUser) (created lifecycle.DirectoryUser, err error) {
	defer s.done(ctx, "CreateUser", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := checkManager(ctx, tx, u.Manager, lifecycle.ID{}); err != nil {
			return err
		}
		err := exec(ctx, tx, `INSERT INTO identities (id, alias, alias_folded, name, name_folded, email, email_folded,
				given_name, given_name_folded, family_name, family_name_folded, formatted_name, language, external_id,
				levels, manager_id, active, version, created, modified) VALUES ?`,
			tuples{{
				u.ID, u.Alias, lifecycle.Fold(u.Alias), u.Name, lifecycle.Fold(u.Name), u.Email, lifecycle.Fold(u.Email),
				u.GivenName, lifecycle.Fold(u.GivenName), u.FamilyName, lifecycle.Fold(u.FamilyName), u.FormattedName, u.Language, u.ExternalID,
				plain(u.Levels), u.Manager, u.Active, u.Version, u.Created, u.Modified,
			}})
		if err != nil {
			return err
		}
		err = audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionCreate, Object: lifecycle.ObjectIdentity, ID: u.ID.String(),
			After: auditedUser(u), Subjects: userSubjects(u),
		})
		if err != nil {
			return err
		}
		created, err = loadUser(ctx, tx, u.ID, "")
		return err
	})
	return created, err
}

// auditedUser is an identity of a directory as the audit trail shows it.
func auditedUser(u lifecycle.DirectoryUser) map[string]any {
	told := auditedIdentity(u.Identity)
	told["externalId"], told["formattedName"] = u.ExternalID, u.FormattedName
	told["givenName"], told["familyName"], told["language"] = u.GivenName, u.FamilyName, u.Language
	return told
}

func userSubjects(u lifecycle.DirectoryUser) []string {
	return append(identitySubjects(u.Identity), u.Name, u.ExternalID)
}

// GetUser returns the identity with its groups; KindNotFound if there is none or
// it was deleted.
func (s *Store) GetUser(ctx context.Context, id lifecycle.ID) (user lifecycle.DirectoryUser, err error) {
	defer s.done(ctx, "GetUser", time.Now(), &err)
	if user, err = loadUser(ctx, s.db, id, ""); err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	users := []lifecycle.DirectoryUser{user}
	err = s.addGroups(ctx, users)
	return users[0], err
}

// addGroups looks up the groups of the users.
func (s *Store) addGroups(ctx context.Context, users []lifecycle.DirectoryUser) error {
	if len(users) == 0 {
		return nil
	}
	ids, at := make(idList, len(users)), make(map[lifecycle.ID]int, len(users))
	for i, user := range users {
		ids[i], at[user.ID] = user.ID, i
	}
	var member lifecycle.ID
	var group lifecycle.WorkgroupName
	rows, err := s.db.QueryContext(ctx, `SELECT w.identity_id, g.id, g.name FROM workgroup_members AS w
		JOIN workgroups AS g ON g.id = w.workgroup_id WHERE w.identity_id = ANY (?) ORDER BY g.name_folded, g.id`, ids)
	return each(rows, err, []any{&member, &group.ID, &group.Name}, func() error {
		user := &users[at[member]]
		user.Groups = append(user.Groups, group)
		return nil
	})
}

// ListUsers returns a page of the identities, with their groups if asked for,
// and, where q.Count, the number of matches. What was deleted is not there.
func (s *Store) ListUsers(ctx context.Context, q filter.Query, groups bool) (users []lifecycle.DirectoryUser, count int, err error) {
	defer s.done(ctx, "ListUsers", time.Now(), &err)
	users, count, err = s.listUsers(ctx, list{table: living("identities"), fields: userFields}, q)
	if err == nil && groups {
		err = s.addGroups(ctx, users)
	}
	return users, count, err
}

func (s *Store) listUsers(ctx context.Context, l list, q filter.Query) (users []lifecycle.DirectoryUser, count int, err error) {
	if q.Count {
		if count, err = s.count(ctx, l, q.Where); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	query, err := s.ordered(l, q, userColumns)
	if err != nil {
		return nil, 0, err
	}
	var r userRow
	err = s.rows(ctx, query, r.dest(&r.levels), func() error {
		users = append(users, r.toUser())
		return nil
	})
	return users, count, err
}

// ordered selects columns of the rows of a page, in its order.
func (s *Store) ordered(l list, q filter.Query, columns string) (*bun.SelectQuery, error) {
	page, err := s.page(l, q)
	if err != nil {
		return nil, err
	}
	order, err := l.fields.order(q.Sort)
	if err != nil {
		return nil, err
	}
	query := s.db.NewSelect().ColumnExpr(columns).TableExpr("(?) AS r", page)
	for _, term := range order {
		query = query.OrderExpr(term)
	}
	return query, nil
}

// UpdateUser applies change to the identity while its row is locked, so that
// changes of one object follow one another and none is lost. What change leaves
// as it was writes nothing. An error of change ends the transaction and is
// returned as it is. Errors else: KindNotFound, KindConflict for an alias that is
// taken, KindReferenceNotFound for another manager who does not exist.
func (s *Store) UpdateUser(ctx context.Context, id lifecycle.ID, change func(*lifecycle.DirectoryUser) error) (user lifecycle.DirectoryUser, err error) {
	defer s.done(ctx, "UpdateUser", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		before, err := loadUser(ctx, tx, id, "FOR NO KEY UPDATE")
		if err != nil {
			return err
		}
		user = before
		if err := change(&user); err != nil {
			return err
		}
		user.ID, user.Created = before.ID, before.Created
		changes, err := auditChange(lifecycle.AuditChange{Before: auditedUser(before), After: auditedUser(user)})
		if err != nil || changes == "" {
			user = before
			return err
		}
		if err := checkManager(ctx, tx, user.Manager, before.Manager); err != nil {
			return err
		}
		user.Version, user.Modified = before.Version+1, later(now(), before.Modified)
		if err := writeUser(ctx, tx, user, before); err != nil {
			return err
		}
		user, err = loadUser(ctx, tx, id, "")
		return err
	})
	if err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	users := []lifecycle.DirectoryUser{user}
	err = s.addGroups(ctx, users)
	return users[0], err
}

func writeUser(ctx context.Context, tx bun.Tx, u, before lifecycle.DirectoryUser) error {
	err := exec(ctx, tx, `UPDATE identities SET alias = ?, alias_folded = ?, name = ?, name_folded = ?, email = ?, email_folded = ?,
			given_name = ?, given_name_folded = ?, family_name = ?, family_name_folded = ?, formatted_name = ?, language = ?, external_id = ?,
			levels = ?, manager_id = ?, active = ?, version = ?, modified = ? WHERE id = ?`,
		u.Alias, lifecycle.Fold(u.Alias), u.Name, lifecycle.Fold(u.Name), u.Email, lifecycle.Fold(u.Email),
		u.GivenName, lifecycle.Fold(u.GivenName), u.FamilyName, lifecycle.Fold(u.FamilyName), u.FormattedName, u.Language, u.ExternalID,
		plain(u.Levels), u.Manager, u.Active, u.Version, u.Modified, u.ID)
	if err != nil {
		return err
	}
	return audit(ctx, tx, lifecycle.AuditChange{
		Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectIdentity, ID: u.ID.String(),
		Before: auditedUser(before), After: auditedUser(u), Subjects: append(userSubjects(u), userSubjects(before)...),
	})
}

// DeleteUser deletes the identity if check, which sees it under its lock, has
// nothing against it: it leaves its workgroups, its personal access tokens go, its
// alias is free. The row stays for what names it. Errors: KindNotFound, and that
// of check as it is.
func (s *Store) DeleteUser(ctx context.Context, id lifecycle.ID, check func(lifecycle.DirectoryUser) error) (err error) {
	defer s.done(ctx, "DeleteUser", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		// Workgroups before identities, as where members are written.
		err := exec(ctx, tx, `SELECT id FROM workgroups WHERE id IN (
			SELECT workgroup_id FROM workgroup_members WHERE identity_id = ?) ORDER BY id FOR NO KEY UPDATE`, id)
		if err != nil {
			return err
		}
		// Whoever makes somebody a member has locked the row against this.
		user, err := loadUser(ctx, tx, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		if err := check(user); err != nil {
			return err
		}
		at := later(now(), user.Modified)
		changes := []lifecycle.AuditChange{{
			Action: lifecycle.ActionDelete, Object: lifecycle.ObjectIdentity, ID: id.String(),
			Before: auditedUser(user), Subjects: userSubjects(user),
		}}
		var group string
		rows, err := tx.QueryContext(ctx, `WITH gone AS (DELETE FROM workgroup_members WHERE identity_id = ?0 RETURNING workgroup_id)
			UPDATE workgroups SET version = version + 1, modified = greatest(?1, modified + interval '1 millisecond')
			WHERE id IN (SELECT workgroup_id FROM gone) RETURNING id::text`, id, at)
		err = each(rows, err, []any{&group}, func() error {
			changes = append(changes, membersChange(group, nil, []lifecycle.ID{id}))
			return nil
		})
		if err != nil {
			return err
		}
		var client, name sql.NullString
		rows, err = tx.QueryContext(ctx, "DELETE FROM clients WHERE identity_id = ? RETURNING id, name", id)
		err = each(rows, err, []any{&client, &name}, func() error {
			changes = append(changes, lifecycle.AuditChange{
				Action: lifecycle.ActionDelete, Object: lifecycle.ObjectClient, ID: client.String,
				Before: map[string]any{"name": name.String, "identityId": id.String()}, Subjects: []string{name.String},
			})
			return nil
		})
		if err != nil {
			return err
		}
		err = exec(ctx, tx, "UPDATE identities SET active = FALSE, deleted = ?0, modified = ?0, version = version + 1 WHERE id = ?1", at, id)
		if err != nil {
			return err
		}
		return audit(ctx, tx, changes...)
	})
}

// FindIdentity returns the identity with this id or, without regard to case, this
// alias, active or not; the id goes first. KindNotFound if there is none or it was
// deleted.
func (s *Store) FindIdentity(ctx context.Context, reference string) (identity lifecycle.Identity, err error) {
	defer s.done(ctx, "FindIdentity", time.Now(), &err)
	id, parseErr := lifecycle.ParseID(reference)
	if parseErr != nil {
		id = lifecycle.ID{}
	}
	identities, err := queryIdentities(ctx, s.db, "SELECT "+identityColumns+` FROM identities AS i
		WHERE (i.id = ?0 OR i.alias_folded = ?1) AND i.deleted IS NULL ORDER BY i.id = ?0 DESC LIMIT 1`,
		uuidOf(id), lifecycle.Fold(reference))
	if err == nil && len(identities) == 0 {
		err = missing()
	}
	if err != nil {
		return lifecycle.Identity{}, err
	}
	return identities[0], nil
}

// SearchIdentities returns a page of the identities and, where q.Count, the number
// of matches. What was deleted is not there.
func (s *Store) SearchIdentities(ctx context.Context, q filter.Query) (users []lifecycle.DirectoryUser, count int, err error) {
	defer s.done(ctx, "SearchIdentities", time.Now(), &err)
	return s.listUsers(ctx, list{table: living("identities"), fields: identityFields}, q)
}
