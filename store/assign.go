package store

import (
	"context"

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
