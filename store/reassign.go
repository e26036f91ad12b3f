package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// movedBy is the event that tells of a move.
var movedBy = map[lifecycle.ReassignmentType]lifecycle.EventType{
	lifecycle.ReassignedManually:     lifecycle.EventReassigned,
	lifecycle.ReassignedByRule:       lifecycle.EventReassigned,
	lifecycle.ReassignedByEscalation: lifecycle.EventEscalated,
	lifecycle.ReassignedByAbsence:    lifecycle.EventDelegated,
}

// reassign moves the undecided item from move.From to move.To, with an entry in
// the item's history and in the audit trail; both are told. The caller holds the
// lock of the item's request q, has seen that From has the item, and fills in
// ItemID, Type, From, To, OnBehalfOf, Reassigner and Comment. The request counts as moved, so
// that its workflow reads the rows again.
func reassign(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest, move lifecycle.Reassignment, at time.Time) error {
	onBehalf := ""
	if !move.OnBehalfOf.IsZero() {
		onBehalf = ", 'onBehalfOf', i.delegated_from"
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectApprovalItem, id: "i.id", source: uuidLiteral(source),
		facts: "jsonb_build_object('request', i.request_id, 'type', h.type, 'from', h.from_id, 'to', h.to_id, 'number', h.number" + onBehalf + ")",
		from:  "i, h",
	})
	if err != nil {
		return err
	}
	var number int
	found, err := row(ctx, tx, []any{&number}, `WITH i AS (
			UPDATE approval_items SET approver_id = ?3, approver_type = ?4, delegated_from = ?13, reminders = 0,
				assigned_since = CASE status WHEN 'PENDING' THEN ?0::timestamptz END, modified = ?0
			WHERE id = ?1 AND status IN ('PENDING', 'NOT_READY') RETURNING *
		), h AS (
			INSERT INTO approval_reassignments (id, item_id, number, type, from_id, from_type, to_id, to_type, reassigner_id, comment, created)
			SELECT ?2, i.id, 1 + (SELECT count(*) FROM approval_reassignments AS b WHERE b.item_id = i.id),
				?5, ?6, ?7, i.approver_id, i.approver_type, ?8, ?9, ?0::timestamptz FROM i RETURNING *
		), r AS (
			UPDATE requests SET modified = ?10 WHERE id = ?11
		), ?12 SELECT number FROM h`,
		at, move.ItemID, lifecycle.NewID(), move.To.ID, string(move.To.Type), string(move.Type), move.From.ID, string(move.From.Type),
		move.Reassigner, move.Comment, q.moved(at), q.id, audited, uuidOf(move.OnBehalfOf))
	if err != nil {
		return err
	}
	if !found {
		return missing()
	}
	return tell(ctx, tx, lifecycle.Event{
		Type: movedBy[move.Type], Source: source, Request: q.id, Item: move.ItemID, Key: strconv.Itoa(number),
		Recipients: []lifecycle.Reference{move.To, move.From}, Reason: strings.ToLower(string(move.Type)),
	})
}
