package store

import (
	"context"
	"time"

	"gatehouse/lifecycle"
)

// Events that people are told; stored as they are.
const (
	eventDecisionNeeded   = "decision_needed"
	eventRequestDecided   = "request_decided"
	eventRequestCancelled = "request_cancelled"
)

// SaveNotification puts the event into the outbox for whom it concerns: the
// item's approver, an identity or a workgroup, for "decision_needed", the
// requester for "request_decided" and for "request_cancelled", which carries the
// reason. itemID is zero for the latter two. saved is false where it was there
// already, and where there is nobody to tell since an application client asked;
// then recipient is zero. KindNotFound if the request or the item is gone. An
// event that is none of the three is an error.
func (s *Store) SaveNotification(ctx context.Context, event string, requestID, itemID lifecycle.ID) (saved bool, recipient lifecycle.ID, err error) {
	defer s.done("SaveNotification", time.Now(), &err)
	var kind, reason string
	var found bool
	switch event {
	case eventDecisionNeeded:
		found, err = row(ctx, s.db, []any{&recipient, &kind, &reason},
			"SELECT approver_id, approver_type, '' FROM approval_items WHERE id = ? AND request_id = ?", itemID, requestID)
	case eventRequestDecided, eventRequestCancelled:
		found, err = row(ctx, s.db, []any{&recipient, &kind, &reason},
			"SELECT requester_id, 'IDENTITY', cancellation_reason FROM requests WHERE id = ?", requestID)
	default:
		return false, lifecycle.ID{}, lifecycle.NewError(lifecycle.KindInternal, "An unknown event can't be notified.")
	}
	if err == nil && !found {
		err = missing()
	}
	if err != nil || recipient.IsZero() {
		return false, lifecycle.ID{}, err
	}
	// The nil UUID and not NULL, which would be unequal to itself.
	added, err := affected(ctx, s.db, `INSERT INTO notifications
		(id, event, request_id, item_id, recipient_id, recipient_type, reason, created) VALUES ?
		ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING`,
		tuples{{lifecycle.NewID(), event, requestID, itemID.String(), recipient, kind, reason, now()}})
	return added == 1, recipient, err
}
