package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ReassignApproval hands the undecided item move.ItemID on from move.From to
// move.To, in the name of move.Reassigner, who says why in move.Comment. Whose
// deputy gets it then is for the absences to say. It returns the source of the
// item. Errors: KindNotFound; KindIllegalUpdate for an item that is decided or not
// with move.From any more, and for a move to whom it belongs already, to who made
// the request, unless they may decide it, or to a group without anybody who could;
// KindReferenceNotFound for one that is not there or not active.
func (s *Store) ReassignApproval(ctx context.Context, move lifecycle.Reassignment) (source lifecycle.ID, err error) {
	defer s.done(ctx, "ReassignApproval", time.Now(), &err)
	err = s.inItem(ctx, move.ItemID, func(tx bun.Tx, i heldItem) error {
		source = i.source
		switch {
		case i.status.Final():
			return lifecycle.NotMovable(i.status)
		case i.holder != move.From:
			return i.taken()
		case i.holder == move.To:
			return lifecycle.FieldError(lifecycle.KindIllegalUpdate, "newOwner", "The approval item is newOwner's already.")
		case move.Reassigner == i.request.requester && !move.Reassigner.IsZero() && !i.request.selfApproval:
			// To choose who decides would be as good as to decide.
			return lifecycle.ErrOwnRequest
		}
		if err := mayGet(ctx, tx, i.request, move.To); err != nil {
			return err
		}
		move.Type = lifecycle.ReassignedManually
		at := now()
		if err := reassign(ctx, tx, source, i.request, move, at); err != nil || i.status != lifecycle.StatusPending {
			return err
		}
		_, err := assign(ctx, tx, source, i.request, i.id, at)
		return err
	})
	return source, err
}

// ClaimApproval makes the pending item, which is a group's, that of the identity,
// a member of the group. It returns the source of the item; one that is the
// identity's already is left as it is. Errors: KindNotFound, KindForbidden for
// somebody else than an active member, KindIllegalUpdate for an item that is not
// pending or that is somebody's, and for a request that the identity made, unless
// they may decide it.
func (s *Store) ClaimApproval(ctx context.Context, item, identity lifecycle.ID, comment string) (source lifecycle.ID, err error) {
	defer s.done(ctx, "ClaimApproval", time.Now(), &err)
	err = s.inItem(ctx, item, func(tx bun.Tx, i heldItem) error {
		source = i.source
		to := lifecycle.IdentityReference(identity)
		switch {
		case i.status != lifecycle.StatusPending:
			return lifecycle.NotMovable(i.status)
		case i.holder == to:
			return nil
		case i.holder.Type == lifecycle.ReferenceIdentity:
			return i.taken()
		}
		var member bool
		if _, err := row(ctx, tx, []any{&member}, `SELECT EXISTS (SELECT 1 FROM workgroup_members AS w JOIN identities AS a ON a.id = w.identity_id
			WHERE w.workgroup_id = ? AND a.id = ? AND a.active)`, i.holder.ID, identity); err != nil {
			return err
		}
		if !member {
			return policy.ErrForbidden
		}
		if identity == i.request.requester && !i.request.selfApproval {
			return lifecycle.ErrOwnRequest
		}
		return reassign(ctx, tx, source, i.request, lifecycle.Reassignment{
			ItemID: i.id, Type: lifecycle.ReassignedManually, From: i.holder, To: to, Reassigner: identity, Comment: comment,
		}, now())
	})
	return source, err
}

// heldItem is an item whose request is locked, with whoever has it.
type heldItem struct {
	id      lifecycle.ID
	source  lifecycle.ID
	request lockedRequest
	status  lifecycle.ApprovalStatus
	holder  lifecycle.Reference
	// name is the holder's alias, or the name of the group that it is.
	name string
}

// taken is the answer to who comes too late.
func (i heldItem) taken() error {
	return lifecycle.NewError(lifecycle.KindIllegalUpdate, "The approval item is with "+i.name+" now.")
}

// inItem runs fn with the request of the item locked. KindNotFound if there is
// none.
func (s *Store) inItem(ctx context.Context, item lifecycle.ID, fn func(tx bun.Tx, i heldItem) error) error {
	return s.inTx(ctx, func(tx bun.Tx) error {
		i := heldItem{id: item}
		var request lifecycle.ID
		found, err := row(ctx, tx, []any{&request, &i.source}, `SELECT q.id, q.source_id
			FROM approval_items AS i JOIN requests AS q ON q.id = i.request_id WHERE i.id = ?`, item)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		if i.request, err = lockRequest(ctx, tx, request); err != nil {
			return err
		}
		found, err = row(ctx, tx, []any{&i.status, &i.holder.ID, &i.holder.Type, &i.name}, `SELECT i.status, i.approver_id, i.approver_type,
			coalesce(CASE i.approver_type WHEN 'IDENTITY' THEN (SELECT a.alias FROM identities AS a WHERE a.id = i.approver_id)
				ELSE (SELECT g.name FROM workgroups AS g WHERE g.id = i.approver_id) END, i.approver_id::text)
			FROM approval_items AS i WHERE i.id = ?`, item)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		return fn(tx, i)
	})
}

// mayGet returns why an item of the request can't go to the approver, nil if it
// can.
func mayGet(ctx context.Context, tx bun.Tx, q lockedRequest, to lifecycle.Reference) error {
	if to == lifecycle.IdentityReference(q.requester) && !q.selfApproval {
		return lifecycle.FieldError(lifecycle.KindIllegalUpdate, "newOwner", "newOwner made the request, and can't decide it.")
	}
	able, err := resolve(ctx, tx, lifecycle.ApproverRule{Type: lifecycle.ApproverType(to.Type), ID: to.ID},
		assignment{requester: q.requester, selfApproval: q.selfApproval})
	switch {
	case err != nil || able == to:
		return err
	case to.Type == lifecycle.ReferenceIdentity:
		return lifecycle.FieldError(lifecycle.KindReferenceNotFound, "newOwner", "newOwner names no active identity: "+to.ID.String())
	}
	var there bool
	if _, err := row(ctx, tx, []any{&there}, "SELECT EXISTS (SELECT 1 FROM workgroups AS g WHERE g.id = ? AND g.deleted IS NULL)", to.ID); err != nil {
		return err
	}
	if !there {
		return lifecycle.FieldError(lifecycle.KindReferenceNotFound, "newOwner", "newOwner names no workgroup: "+to.ID.String())
	}
	return lifecycle.FieldError(lifecycle.KindIllegalUpdate, "newOwner", "newOwner has no active member who could decide.")
}

// ListReassignments returns how the item went from one to another, oldest first;
// an unknown item went nowhere.
func (s *Store) ListReassignments(ctx context.Context, item lifecycle.ID) (moves []lifecycle.Reassignment, err error) {
	defer s.done(ctx, "ListReassignments", time.Now(), &err)
	m := lifecycle.Reassignment{ItemID: item}
	rows, err := s.db.QueryContext(ctx, `SELECT h.id, h.number, h.type, h.from_id, h.from_type, h.to_id, h.to_type, h.reassigner_id,
		h.comment, h.created FROM approval_reassignments AS h WHERE h.item_id = ? ORDER BY h.number`, item)
	err = each(rows, err, []any{
		&m.ID, &m.Number, &m.Type, &m.From.ID, &m.From.Type, &m.To.ID, &m.To.Type, &m.Reassigner, &m.Comment, &m.Created,
	}, func() error {
		m.Created = m.Created.UTC()
		moves = append(moves, m)
		return nil
	})
	return moves, err
}
