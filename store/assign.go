package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// assignment is the item that somebody is looked for to decide.
type assignment struct {
	source    lifecycle.ID
	requester lifecycle.ID
	// holder is who has the item.
	holder lifecycle.Reference
	// selfApproval says that the requester may decide it.
	selfApproval bool
}

// resolve returns whom the rule means. It is the zero Reference where that is
// nobody who can decide: nobody at all, somebody who is gone, the requester who may
// not, a workgroup of such people alone, or whoever has the item already.
func resolve(ctx context.Context, tx bun.IDB, rule lifecycle.ApproverRule, a assignment) (lifecycle.Reference, error) {
	to := lifecycle.Reference{Type: lifecycle.ReferenceIdentity}
	able := bun.SafeQuery("a.active AND (?0 OR a.id IS DISTINCT FROM ?1)", a.selfApproval, uuidOf(a.requester))
	manager := func(of lifecycle.ID) (string, lifecycle.ID) {
		return "(SELECT m.manager_id FROM identities AS m WHERE m.id = ?0)", of
	}
	who, by := "?0", rule.ID
	switch rule.Type {
	case lifecycle.ApproverIdentity:
	case lifecycle.ApproverManagerOf:
		if rule.ID.IsZero() && a.holder.Type == lifecycle.ReferenceIdentity {
			who, by = manager(a.holder.ID)
		} else {
			who, by = manager(rule.ID)
		}
	case lifecycle.ApproverManagerOfRequester:
		who, by = manager(a.requester)
	case lifecycle.ApproverSourceOwner:
		who, by = "(SELECT s.owner_id FROM sources AS s WHERE s.id = ?0)", a.source
	case lifecycle.ApproverGovernanceGroup:
		to.Type = lifecycle.ReferenceGovernanceGroup
	}
	query := "SELECT a.id FROM identities AS a WHERE a.id = " + who + " AND ?1"
	if to.Type == lifecycle.ReferenceGovernanceGroup {
		query = `SELECT g.id FROM workgroups AS g WHERE g.id = ?0 AND EXISTS (SELECT 1 FROM workgroup_members AS w
			JOIN identities AS a ON a.id = w.identity_id WHERE w.workgroup_id = g.id AND ?1)`
	}
	found, err := row(ctx, tx, []any{&to.ID}, query, uuidOf(by), able)
	if err != nil || !found || to == a.holder {
		return lifecycle.Reference{}, err
	}
	return to, nil
}

// placed is where an item went.
type placed struct {
	// found is false where nobody but the requester is left who could decide: then
	// the item stays where it was, and the caller cancels the request, for
	// lifecycle.ReasonOnlyRequester.
	found bool
	// moved is whether the item went from one to another.
	moved bool
	// assigned is whose item it is, though a deputy may have it.
	assigned lifecycle.Reference
}

// assign has the item, which is PENDING and was just given to somebody, go on to
// who really is to decide it: away from the one who made the request, and to the
// deputy of somebody who is away. Every move is in the item's history. The caller
// holds the lock of the item's request q.
func assign(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest, item lifecycle.ID, at time.Time) (placed, error) {
	done, err := leaveRequester(ctx, tx, source, q, item, at)
	if err != nil || !done.found {
		return done, err
	}
	delegated, err := settle(ctx, tx, source, q, item, at)
	done.moved = done.moved || delegated
	return done, err
}

// leaveRequester has the pending item go to somebody else where nobody but the
// requester could decide it.
func leaveRequester(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest, item lifecycle.ID, at time.Time) (placed, error) {
	done := placed{found: true}
	var own bool
	found, err := row(ctx, tx, []any{&done.assigned.ID, &done.assigned.Type, &own},
		"SELECT i.approver_id, i.approver_type, "+onlyRequester+" FROM approval_items AS i WHERE i.id = ?1",
		uuidOf(q.requester), item)
	switch {
	case err != nil:
		return placed{}, err
	case !found:
		return placed{}, missing()
	case !own || q.selfApproval:
		return done, nil
	}
	to, found, err := substitute(ctx, tx, source, q, done.assigned)
	if err != nil || !found {
		return placed{assigned: done.assigned}, err
	}
	err = reassign(ctx, tx, source, q, lifecycle.Reassignment{
		ItemID: item, Type: lifecycle.ReassignedByRule, From: done.assigned, To: to,
	}, at)
	return placed{found: true, moved: true, assigned: to}, err
}

// onlyRequester: whoever could decide the item i is ?0, who made the request.
const onlyRequester = `CASE i.approver_type WHEN 'IDENTITY' THEN coalesce(i.approver_id = ?0, FALSE)
	ELSE EXISTS (SELECT 1 FROM workgroup_members AS w WHERE w.workgroup_id = i.approver_id AND w.identity_id = ?0)
		AND NOT EXISTS (SELECT 1 FROM workgroup_members AS w JOIN identities AS a ON a.id = w.identity_id
			WHERE w.workgroup_id = i.approver_id AND a.active AND a.id <> ?0) END`

// substitute returns who decides in the place of the requester, whose item it is as
// holder or as the only member of the group that holder is: the fallback approver
// of the request's policy, the requester's manager or the owner of the source, the
// first of them who can decide. found is false where none can. Account managers
// ask for people; nobody made them judges.
func substitute(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest, holder lifecycle.Reference) (to lifecycle.Reference, found bool, err error) {
	var text sql.NullString
	if _, err := row(ctx, tx, []any{&text},
		"SELECT p.policy::text FROM requests AS q LEFT JOIN approval_policies AS p ON p.id = q.policy_id WHERE q.id = ?", q.id); err != nil {
		return to, false, err
	}
	rules := []lifecycle.ApproverRule{{Type: lifecycle.ApproverManagerOfRequester}, {Type: lifecycle.ApproverSourceOwner}}
	if text.Valid {
		approvalPolicy, err := parsePolicy(text.String)
		if err != nil {
			return to, false, err
		}
		if approvalPolicy.Fallback != nil {
			rules = append([]lifecycle.ApproverRule{*approvalPolicy.Fallback}, rules...)
		}
	}
	for _, rule := range rules {
		to, err := resolve(ctx, tx, rule, assignment{source: source, requester: q.requester, holder: holder})
		if err != nil || !to.ID.IsZero() {
			return to, err == nil, err
		}
	}
	return to, false, nil
}
