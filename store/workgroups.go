package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// groupColumns are those of r, a workgroup.
const groupColumns = "r.id, r.name, r.external_id, r.version, r.created, r.modified"

func groupDest(g *lifecycle.DirectoryGroup) []any {
	return []any{&g.ID, &g.Name, &g.ExternalID, &g.Version, &g.Created, &g.Modified}
}

// CreateGroup adds a workgroup as a directory sent it. Errors: KindConflict for a
// name, without regard to case, that is taken, KindReferenceNotFound for a member
// that does not exist.
func (s *Store) CreateGroup(ctx context.Context, g lifecycle.DirectoryGroup) (created lifecycle.DirectoryGroup, err error) {
	defer s.done(ctx, "CreateGroup", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		err := exec(ctx, tx, `INSERT INTO workgroups (id, name, name_folded, external_id, version, created, modified) VALUES ?`,
			tuples{{g.ID, g.Name, lifecycle.Fold(g.Name), g.ExternalID, g.Version, g.Created, g.Modified}})
		if err != nil {
			return err
		}
		members := memberIDs(g.Members)
		if _, err := addMembers(ctx, tx, g.ID, members); err != nil {
			return err
		}
		made := workgroupMade(lifecycle.Workgroup{ID: g.ID, Name: g.Name, Members: members})
		made.After = auditedGroup(g)
		return audit(ctx, tx, made)
	})
	if err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	groups := []lifecycle.DirectoryGroup{g}
	err = s.addMemberNames(ctx, groups)
	return groups[0], err
}

func memberIDs(members []lifecycle.GroupMember) []lifecycle.ID {
	ids := make([]lifecycle.ID, len(members))
	for i, member := range members {
		ids[i] = member.ID
	}
	return ids
}

// auditedGroup is a workgroup as the audit trail shows it; members are told as
// facts, those who came and those who went, since there may be thousands.
func auditedGroup(g lifecycle.DirectoryGroup) map[string]any {
	return map[string]any{"name": g.Name, "externalId": g.ExternalID}
}

// membersChange tells who came into a workgroup and who went.
func membersChange(group string, added, removed []lifecycle.ID) lifecycle.AuditChange {
	facts := map[string]any{}
	if len(added) > 0 {
		facts["membersAdded"] = added
	}
	if len(removed) > 0 {
		facts["membersRemoved"] = removed
	}
	return lifecycle.AuditChange{
		Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectWorkgroup, ID: group, Facts: facts,
	}
}

// addMembers makes the identities members of the workgroup, which is locked, and
// returns those that were not. KindReferenceNotFound names the first that does not exist or was deleted. Their
// rows are locked against being deleted meanwhile.
func addMembers(ctx context.Context, tx bun.Tx, group lifecycle.ID, members []lifecycle.ID) (added []lifecycle.ID, err error) {
	if len(members) == 0 {
		return nil, nil
	}
	there := make(map[lifecycle.ID]bool, len(members))
	var id lifecycle.ID
	rows, err := tx.QueryContext(ctx, `SELECT id FROM identities WHERE id = ANY (?) AND deleted IS NULL
		ORDER BY id FOR KEY SHARE`, idList(members))
	err = each(rows, err, []any{&id}, func() error { there[id] = true; return nil })
	if err != nil {
		return nil, err
	}
	for _, member := range members {
		if !there[member] {
			return nil, lifecycle.NoSuchMember(member)
		}
	}
	rows, err = tx.QueryContext(ctx, `INSERT INTO workgroup_members (workgroup_id, identity_id)
		SELECT ?, * FROM unnest(?) ON CONFLICT DO NOTHING RETURNING identity_id`, uuidOf(group), idList(members))
	err = each(rows, err, []any{&id}, func() error { added = append(added, id); return nil })
	return added, err
}

// loadGroup reads a living workgroup without its members; lock, if not empty, is
// the mode it is locked in.
func loadGroup(ctx context.Context, db bun.IDB, id lifecycle.ID, lock string) (group lifecycle.DirectoryGroup, err error) {
	found, err := row(ctx, db, groupDest(&group),
		"SELECT "+groupColumns+" FROM workgroups AS r WHERE r.id = ? AND r.deleted IS NULL ?", id, bun.Safe(lock))
	if err == nil && !found {
		err = missing()
	}
	group.Created, group.Modified = group.Created.UTC(), group.Modified.UTC()
	return group, err
}

// loadMembers reads the ids of the members of a workgroup, in their order.
func loadMembers(ctx context.Context, db bun.IDB, group lifecycle.ID) (members []lifecycle.ID, err error) {
	var id lifecycle.ID
	rows, err := db.QueryContext(ctx, "SELECT identity_id FROM workgroup_members WHERE workgroup_id = ? ORDER BY identity_id", group)
	err = each(rows, err, []any{&id}, func() error { members = append(members, id); return nil })
	return members, err
}

// addMemberNames reads the members of the groups, with their names.
func (s *Store) addMemberNames(ctx context.Context, groups []lifecycle.DirectoryGroup) error {
	if len(groups) == 0 {
		return nil
	}
	ids, at := make(idList, len(groups)), make(map[lifecycle.ID]int, len(groups))
	for i := range groups {
		ids[i], at[groups[i].ID], groups[i].Members = groups[i].ID, i, nil
	}
	var group lifecycle.ID
	var member lifecycle.GroupMember
	rows, err := s.db.QueryContext(ctx, `SELECT w.workgroup_id, i.id, i.name FROM workgroup_members AS w
		JOIN identities AS i ON i.id = w.identity_id WHERE w.workgroup_id = ANY (?) ORDER BY w.workgroup_id, i.id`, ids)
	return each(rows, err, []any{&group, &member.ID, &member.Name}, func() error {
		g := &groups[at[group]]
		g.Members = append(g.Members, member)
		return nil
	})
}

// GetGroup returns the workgroup, with its members if asked for; KindNotFound if
// there is none or it was deleted.
func (s *Store) GetGroup(ctx context.Context, id lifecycle.ID, members bool) (group lifecycle.DirectoryGroup, err error) {
	defer s.done(ctx, "GetGroup", time.Now(), &err)
	group, err = loadGroup(ctx, s.db, id, "")
	if err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	groups := []lifecycle.DirectoryGroup{group}
	if members {
		err = s.addMemberNames(ctx, groups)
	}
	return groups[0], err
}

// ListGroups returns a page of the workgroups, with their members if asked for,
// and, where q.Count, the number of matches. What was deleted is not there.
func (s *Store) ListGroups(ctx context.Context, q filter.Query, members bool) (groups []lifecycle.DirectoryGroup, count int, err error) {
	defer s.done(ctx, "ListGroups", time.Now(), &err)
	l := list{table: living("workgroups"), fields: groupFields}
	if q.Count {
		if count, err = s.count(ctx, l, q.Where); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	query, err := s.ordered(l, q, groupColumns)
	if err != nil {
		return nil, 0, err
	}
	var group lifecycle.DirectoryGroup
	err = s.rows(ctx, query, groupDest(&group), func() error {
		group.Created, group.Modified = group.Created.UTC(), group.Modified.UTC()
		groups = append(groups, group)
		return nil
	})
	if err == nil && members {
		err = s.addMemberNames(ctx, groups)
	}
	return groups, count, err
}

// UpdateGroup applies change to the workgroup while its row is locked, with the
// ids of its members. It keeps what UpdateUser keeps. Errors else: KindNotFound,
// KindConflict for a name that is taken, KindReferenceNotFound for a member that
// does not exist.
func (s *Store) UpdateGroup(ctx context.Context, id lifecycle.ID, change func(*lifecycle.DirectoryGroup) error) (group lifecycle.DirectoryGroup, err error) {
	defer s.done(ctx, "UpdateGroup", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		before, err := loadGroup(ctx, tx, id, "FOR NO KEY UPDATE")
		if err != nil {
			return err
		}
		// Read only now: a statement that waited for the lock would still see them
		// as they were before.
		members, err := loadMembers(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, member := range members {
			before.Members = append(before.Members, lifecycle.GroupMember{ID: member})
		}
		group = before
		group.Members = slices.Clone(before.Members)
		if err := change(&group); err != nil {
			return err
		}
		group.ID, group.Created = before.ID, before.Created
		return writeGroup(ctx, tx, &group, before, members)
	})
	if err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	groups := []lifecycle.DirectoryGroup{group}
	err = s.addMemberNames(ctx, groups)
	return groups[0], err
}

// writeGroup writes what differs, if anything does, and then moves the version on.
func writeGroup(ctx context.Context, tx bun.Tx, group *lifecycle.DirectoryGroup, before lifecycle.DirectoryGroup, were []lifecycle.ID) error {
	are := memberIDs(group.Members)
	added, removed := without(are, were), without(were, are)
	if group.Name == before.Name && group.ExternalID == before.ExternalID && len(added)+len(removed) == 0 {
		return nil
	}
	group.Version, group.Modified = before.Version+1, later(now(), before.Modified)
	err := exec(ctx, tx, "UPDATE workgroups SET name = ?, name_folded = ?, external_id = ?, version = ?, modified = ? WHERE id = ?",
		group.Name, lifecycle.Fold(group.Name), group.ExternalID, group.Version, group.Modified, group.ID)
	if err != nil {
		return err
	}
	if len(removed) > 0 {
		err = exec(ctx, tx, "DELETE FROM workgroup_members WHERE workgroup_id = ? AND identity_id = ANY (?)", group.ID, idList(removed))
		if err != nil {
			return err
		}
	}
	if _, err := addMembers(ctx, tx, group.ID, added); err != nil {
		return err
	}
	told := membersChange(group.ID.String(), added, removed)
	told.Before, told.After = auditedGroup(before), auditedGroup(*group)
	return audit(ctx, tx, told)
}

// without returns the ids of list that are not in other.
func without(list, other []lifecycle.ID) (left []lifecycle.ID) {
	there := make(map[lifecycle.ID]bool, len(other))
	for _, id := range other {
		there[id] = true
	}
	for _, id := range list {
		if !there[id] {
			left = append(left, id)
		}
	}
	return left
}

// DeleteGroup deletes the workgroup if check, which sees it under its lock without
// its members, has nothing against it: it loses its members, and its name is free.
// The row stays for what names it (docs/decisions/0014-tombstones.md). Errors:
// KindNotFound, and that of check as it is.
func (s *Store) DeleteGroup(ctx context.Context, id lifecycle.ID, check func(lifecycle.DirectoryGroup) error) (err error) {
	defer s.done(ctx, "DeleteGroup", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		group, err := loadGroup(ctx, tx, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		if err := check(group); err != nil {
			return err
		}
		members, err := loadMembers(ctx, tx, id)
		if err != nil {
			return err
		}
		at := later(now(), group.Modified)
		if err := exec(ctx, tx, "DELETE FROM workgroup_members WHERE workgroup_id = ?", id); err != nil {
			return err
		}
		err = exec(ctx, tx, "UPDATE workgroups SET deleted = ?0, modified = ?0, version = version + 1 WHERE id = ?1", at, id)
		if err != nil {
			return err
		}
		told := membersChange(id.String(), nil, members)
		told.Action, told.Before = lifecycle.ActionDelete, auditedGroup(group)
		return audit(ctx, tx, told)
	})
}

// RemoveWorkgroupMember takes the identity out of the workgroup; one that is no
// member is no error. KindNotFound if there is no such workgroup.
func (s *Store) RemoveWorkgroupMember(ctx context.Context, group, identity lifecycle.ID) error {
	_, err := s.UpdateGroup(ctx, group, func(g *lifecycle.DirectoryGroup) error {
		g.Members = slices.DeleteFunc(g.Members, func(m lifecycle.GroupMember) bool { return m.ID == identity })
		return nil
	})
	return err
}

const workgroupColumns = "r.id, r.name, (SELECT count(*) FROM workgroup_members AS w WHERE w.workgroup_id = r.id), r.created, r.modified"

func workgroupDest(g *lifecycle.WorkgroupSummary) []any {
	return []any{&g.ID, &g.Name, &g.Members, &g.Created, &g.Modified}
}

// ListWorkgroups returns a page of the workgroups and, where q.Count, the number
// of matches. What was deleted is not there.
func (s *Store) ListWorkgroups(ctx context.Context, q filter.Query) (groups []lifecycle.WorkgroupSummary, count int, err error) {
	defer s.done(ctx, "ListWorkgroups", time.Now(), &err)
	l := list{table: living("workgroups"), fields: workgroupFields}
	if q.Count {
		if count, err = s.count(ctx, l, q.Where); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	query, err := s.ordered(l, q, workgroupColumns)
	if err != nil {
		return nil, 0, err
	}
	var group lifecycle.WorkgroupSummary
	err = s.rows(ctx, query, workgroupDest(&group), func() error {
		group.Created, group.Modified = group.Created.UTC(), group.Modified.UTC()
		groups = append(groups, group)
		return nil
	})
	return groups, count, err
}

// GetWorkgroup returns the workgroup; KindNotFound if there is none or it was
// deleted.
func (s *Store) GetWorkgroup(ctx context.Context, id lifecycle.ID) (group lifecycle.WorkgroupSummary, err error) {
	defer s.done(ctx, "GetWorkgroup", time.Now(), &err)
	found, err := row(ctx, s.db, workgroupDest(&group),
		"SELECT "+workgroupColumns+" FROM workgroups AS r WHERE r.id = ? AND r.deleted IS NULL", id)
	if err == nil && !found {
		err = missing()
	}
	if err != nil {
		return lifecycle.WorkgroupSummary{}, err
	}
	group.Created, group.Modified = group.Created.UTC(), group.Modified.UTC()
	return group, nil
}

// ListWorkgroupMembers returns a page of the members of the workgroup and, where
// q.Count, how many there are. KindNotFound if there is no such workgroup.
func (s *Store) ListWorkgroupMembers(ctx context.Context, id lifecycle.ID, q filter.Query) (members []lifecycle.DirectoryUser, count int, err error) {
	defer s.done(ctx, "ListWorkgroupMembers", time.Now(), &err)
	if _, err := loadGroup(ctx, s.db, id, ""); err != nil {
		return nil, 0, err
	}
	return s.listUsers(ctx, list{
		table: "identities", fields: identityFields, within: "r.id = reach.id",
		reach: s.db.NewSelect().ColumnExpr("w.identity_id AS id").TableExpr("workgroup_members AS w").Where("w.workgroup_id = ?", id),
	}, q)
}
