package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// waiting is an item that waits for its decision by a policy.
type waiting struct {
	lifecycle.Waiting
	item   lifecycle.ID
	policy lifecycle.ApprovalPolicy
	assignment
	// moves is how often the item went from one to another.
	moves int
	// gone says that nobody is left who can decide it.
	gone bool
}

// loadWaiting reads the item of the request that waits; false where none does, or
// where the request has no policy.
func loadWaiting(ctx context.Context, db bun.IDB, request lifecycle.ID) (w waiting, found bool, err error) {
	var text string
	found, err = row(ctx, db, []any{
		&w.item, &w.holder.ID, &w.holder.Type, &w.PendingSince, &w.AssignedSince, &w.Reminders, &w.Escalations,
		&w.source, &w.requester, &text, &w.moves, &w.gone,
	}, `SELECT i.id, i.approver_id, i.approver_type, i.pending_since, i.assigned_since, i.reminders, i.escalations,
			r.source_id, r.requester_id, p.policy::text,
			(SELECT count(*) FROM approval_reassignments AS h WHERE h.item_id = i.id), `+deciderGone+`
		FROM requests AS r JOIN approval_items AS i ON i.request_id = r.id JOIN approval_policies AS p ON p.id = r.policy_id
		WHERE r.id = ? AND r.approval_status = 'PENDING' AND i.status = 'PENDING'`, request)
	if err != nil || !found {
		return w, false, err
	}
	w.policy, err = parsePolicy(text)
	w.selfApproval = w.policy.SelfApproval
	return w, true, err
}

func parsePolicy(text string) (policy lifecycle.ApprovalPolicy, err error) {
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return policy, fmt.Errorf("store: an approval policy: %w", err)
	}
	return policy, nil
}

// FallDue does what has fallen due on the request by now, by the policy that it
// was accepted under: reminders, escalations, the time-out. What fell due several
// times since is done once. It returns what it did, in that order, and the status
// of the request afterwards; done twice it does nothing the second time.
// KindNotFound if the request is gone.
func (s *Store) FallDue(ctx context.Context, request lifecycle.ID) (done []lifecycle.DueStep, status lifecycle.ApprovalStatus, err error) {
	defer s.done(ctx, "FallDue", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		counted, err := s.lockForTimeout(ctx, tx, request)
		if err != nil {
			return err
		}
		q, err := lockRequest(ctx, tx, request)
		if err != nil {
			return err
		}
		status = q.status
		for {
			w, found, err := loadWaiting(ctx, tx, request)
			if err != nil || !found {
				return err
			}
			at := now()
			due := w.policy.Due(w.Waiting, s.day, at)
			switch due.Step {
			case lifecycle.StepReminder:
				err = w.remind(ctx, tx, q, due)
			case lifecycle.StepEscalation:
				err = w.escalate(ctx, tx, q, due, at)
			case lifecycle.StepTimeout:
				if !counted {
					// It has fallen due this moment; the next call has the locks.
					return nil
				}
				status, err = w.timeOut(ctx, tx, q, at)
			default:
				return nil
			}
			if err != nil {
				return err
			}
			done = append(done, due)
			if due.Step == lifecycle.StepTimeout {
				return nil
			}
		}
	})
	if err != nil {
		return nil, "", err
	}
	return done, status, nil
}

// lockForTimeout locks the counters of the request's source where its pending item
// times out, which may make it final.
func (s *Store) lockForTimeout(ctx context.Context, tx bun.Tx, request lifecycle.ID) (locked bool, err error) {
	w, found, err := loadWaiting(ctx, tx, request)
	if err != nil || !found {
		return false, err
	}
	if due := w.policy.Due(w.Waiting, s.day, now()); due.Step != lifecycle.StepTimeout {
		return false, nil
	}
	return lockCounters(ctx, tx, w.source, forCounting)
}

// remind tells whoever has the item once more.
func (w waiting) remind(ctx context.Context, tx bun.Tx, q lockedRequest, due lifecycle.DueStep) error {
	number := w.Reminders + due.Count
	if err := w.count(ctx, tx, "reminders", number, due.Step); err != nil {
		return err
	}
	return tell(ctx, tx, lifecycle.Event{
		Type: lifecycle.EventReminder, Source: w.source, Request: q.id, Item: w.item, Key: fmt.Sprintf("%d/%d", w.moves, number),
		Recipients: []lifecycle.Reference{w.holder}, Facts: map[string]any{"number": number},
	})
}

// count notes in a column of the item how many steps of a kind it has gone.
func (w waiting) count(ctx context.Context, tx bun.Tx, column bun.Safe, number int, step lifecycle.Step) error {
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectApprovalItem, id: "i.id", source: uuidLiteral(w.source),
		facts: fmt.Sprintf("jsonb_build_object('request', i.request_id, 'step', '%s', 'number', i.%s)", step, column), from: "i",
	})
	if err != nil {
		return err
	}
	return one(affected(ctx, tx, `WITH i AS (
			UPDATE approval_items SET ?0 = ?1 WHERE id = ?2 AND status = 'PENDING' RETURNING *
		), ?3 SELECT 1 FROM i`, column, number, w.item, audited))
}

// escalate moves the item to whom the last of the steps that are due names. Where
// that is nobody it goes on to the steps behind it, and at last back to those
// before it. Where there is nobody at all the item stays; the steps that are left
// are tried in their time.
func (w waiting) escalate(ctx context.Context, tx bun.Tx, q lockedRequest, due lifecycle.DueStep, at time.Time) error {
	reached := w.Escalations + due.Count
	last := reached - 1
	order := indices(last, len(w.policy.Escalation.Chain))
	before := indices(w.Escalations, last)
	slices.Reverse(before)
	moved, err := w.moveAlong(ctx, tx, q, append(order, before...), reached, lifecycle.ReassignedByEscalation, at)
	if err != nil || moved {
		return err
	}
	return w.count(ctx, tx, "escalations", reached, due.Step)
}

// indices are the numbers from first up to end, without it.
func indices(first, end int) []int {
	var all []int
	for i := first; i < end; i++ {
		all = append(all, i)
	}
	return all
}

// moveAlong moves the item to the first in order, positions in the chain, who can
// decide it; false where nobody can. The item has then gone at least so many steps.
func (w waiting) moveAlong(ctx context.Context, tx bun.Tx, q lockedRequest, order []int, atLeast int, by lifecycle.ReassignmentType, at time.Time) (moved bool, err error) {
	for _, position := range order {
		moved, err := w.moveTo(ctx, tx, q, w.policy.Escalation.Chain[position], by, at)
		if err != nil {
			return false, err
		}
		if moved {
			// The move itself is what the trail tells.
			return true, exec(ctx, tx, "UPDATE approval_items SET escalations = ? WHERE id = ?", max(atLeast, position+1), w.item)
		}
	}
	return false, nil
}

// moveTo moves the item to whom the rule means, or to their deputy while they are
// away; false where that is nobody who can decide.
func (w waiting) moveTo(ctx context.Context, tx bun.Tx, q lockedRequest, rule lifecycle.ApproverRule, by lifecycle.ReassignmentType, at time.Time) (moved bool, err error) {
	to, err := resolve(ctx, tx, rule, w.assignment)
	if err != nil || to.ID.IsZero() {
		return false, err
	}
	if err := reassign(ctx, tx, w.source, q, lifecycle.Reassignment{ItemID: w.item, Type: by, From: w.holder, To: to}, at); err != nil {
		return false, err
	}
	_, err = settle(ctx, tx, w.source, q, w.item, at)
	return true, err
}

// timeOut ends the waiting for the item as its policy says. Approved is nothing
// that nobody answers for: where the source's owner is gone, the request expires.
func (w waiting) timeOut(ctx context.Context, tx bun.Tx, q lockedRequest, at time.Time) (lifecycle.ApprovalStatus, error) {
	owned := false
	if _, err := row(ctx, tx, []any{&owned}, `SELECT EXISTS (SELECT 1 FROM sources AS s
		JOIN identities AS a ON a.id = s.owner_id WHERE s.id = ? AND a.active)`, w.source); err != nil {
		return "", err
	}
	if w.policy.Timeout.Result != lifecycle.TimeoutApproved || !owned {
		return lifecycle.StatusCancelled,
			closeRequest(ctx, tx, w.source, q, lifecycle.StatusCancelled, lifecycle.ReasonTimedOut, at)
	}
	d, err := loadDeciding(ctx, tx, lifecycle.Decision{RequestID: q.id, ItemID: w.item}, q.kind)
	if err != nil {
		return "", err
	}
	d.request.Status = q.status
	effect, err := d.request.Decide(d.position, lifecycle.VerdictApprove)
	if err != nil {
		return "", err
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionApprove, object: lifecycle.ObjectApprovalItem, id: "i.id", source: uuidLiteral(w.source),
		facts:  fmt.Sprintf("jsonb_build_object('request', i.request_id, 'step', '%s')", lifecycle.StepTimeout),
		before: "jsonb_build_object('approvalStatus', 'PENDING', 'comment', '')",
		after:  "jsonb_build_object('approvalStatus', i.status, 'comment', i.comment)",
		from:   "i",
	})
	if err != nil {
		return "", err
	}
	at = later(at, w.PendingSince.Add(-time.Millisecond))
	err = one(affected(ctx, tx, `WITH i AS (
			UPDATE approval_items SET status = 'APPROVED', timed_out = true, comment = ?, modified = ?
			WHERE id = ? AND status = 'PENDING' RETURNING *
		), ? SELECT 1 FROM i`, lifecycle.TimeoutApprovalComment, at, w.item, audited))
	if err != nil {
		return "", err
	}
	q.decided = w.item
	d.request.Items[d.position].Status = lifecycle.StatusApproved
	return d.follow(ctx, tx, q, w.source, effect, true, at)
}

// FallBack moves an item that nobody is left to decide back to whose it is, where
// that was a deputy's, away from who made the request, to the fallback approver of
// its policy, or else to whom the rest of the chain of escalation names. moved is
// false where nobody can decide there either, where somebody still can, and where
// the request does not wait. KindNotFound if it is gone.
func (s *Store) FallBack(ctx context.Context, request lifecycle.ID) (moved bool, err error) {
	defer s.done(ctx, "FallBack", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		q, err := lockRequest(ctx, tx, request)
		if err != nil {
			return err
		}
		at := now()
		if moved, err = leaveDeputy(ctx, tx, q, at); err != nil || moved {
			return err
		}
		w, found, err := loadWaiting(ctx, tx, request)
		if err != nil || !found || !w.gone {
			return err
		}
		done, err := assign(ctx, tx, w.source, q, w.item, at)
		if err != nil || done.moved {
			moved = done.moved
			return err
		}
		if w.policy.Fallback != nil {
			if moved, err = w.moveTo(ctx, tx, q, *w.policy.Fallback, lifecycle.ReassignedByRule, at); err != nil || moved {
				return err
			}
		}
		if !w.policy.Escalation.Enabled {
			return nil
		}
		rest := indices(w.Escalations, len(w.policy.Escalation.Chain))
		moved, err = w.moveAlong(ctx, tx, q, rest, 0, lifecycle.ReassignedByRule, at)
		return err
	})
	return moved && err == nil, err
}
