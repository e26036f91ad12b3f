package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// Events that people are told; stored as they are.
const (
	eventDecisionNeeded   = "decision_needed"
	eventRequestDecided   = "request_decided"
	eventRequestCancelled = "request_cancelled"
)

// nobody is the type of the recipient, with the nil UUID, of an event that only
// other systems are told.
const nobody = "NOBODY"

// concerns selects who is told of an event about the request ?0 and its item ?1,
// an identity or a workgroup, NULL for nobody, the reason that goes with it, and
// whether there is anything to tell still.
var concerns = map[string]string{
	eventDecisionNeeded: `SELECT i.approver_id AS recipient, i.approver_type AS kind, '' AS reason, r.source_id,
			NOT EXISTS (SELECT 1 FROM approval_reassignments AS h WHERE h.item_id = i.id AND h.created >= i.pending_since) AS untold
		FROM approval_items AS i JOIN requests AS r ON r.id = i.request_id WHERE i.id = ?1 AND i.request_id = ?0`,
	eventRequestDecided:   concernsRequester,
	eventRequestCancelled: concernsRequester,
}

const concernsRequester = "SELECT requester_id AS recipient, 'IDENTITY' AS kind, cancellation_reason AS reason, source_id, true AS untold FROM requests WHERE id = ?0"

// SaveNotification puts the event into the outbox for whom it concerns: the
// item's approver, an identity or a workgroup, for "decision_needed", the
// requester for "request_decided" and for "request_cancelled", which carries the
// reason. itemID is zero for the latter two. With it goes what MarkSeen does, in
// one commit. saved is false where the event was there already, and where there is
// nobody to tell but other systems since an application client asked; then
// recipient is zero.
// KindNotFound if the request or the item is gone. An event that is none of the
// three is an error. An item that moved while it was PENDING is not told of, nor is
// there a recipient: whoever moved it has told them.
func (s *Store) SaveNotification(ctx context.Context, event string, requestID, itemID lifecycle.ID, version time.Time) (saved bool, recipient lifecycle.ID, err error) {
	defer s.done(ctx, "SaveNotification", time.Now(), &err)
	who, known := concerns[event]
	if !known {
		return false, lifecycle.ID{}, lifecycle.NewError(lifecycle.KindInternal, "An unknown event can't be notified.")
	}
	// The row has the nil UUID for no item and not NULL, which would be unequal to
	// itself.
	found, err := row(ctx, s.db, []any{&recipient, &saved}, `WITH concerned AS (`+who+`), `+markSeen+`, told AS (
			INSERT INTO notifications (id, event_id, event, request_id, item_id, recipient_id, recipient_type, source_id, reason, created)
			SELECT ?4::uuid, ?7::uuid, ?5, ?0::uuid, ?6::uuid, coalesce(c.recipient, ?8),
				CASE WHEN c.recipient IS NULL THEN ?9 ELSE c.kind END, c.source_id, c.reason, ?2::timestamptz FROM concerned AS c
			WHERE c.untold
			ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING RETURNING recipient_type
		)
		SELECT CASE WHEN c.untold THEN c.recipient END, EXISTS (SELECT 1 FROM told WHERE recipient_type <> ?9) FROM concerned AS c`,
		requestID, uuidOf(itemID), now(), versionOf(version), lifecycle.NewID(), event, itemID.String(),
		lifecycle.EventID(lifecycle.EventType(event), requestID, itemID, ""), lifecycle.ID{}.String(), nobody)
	if err == nil && !found {
		err = missing()
	}
	return saved, recipient, err
}

// tell puts events into the outbox, in the transaction of what they tell about.
// One that is there already is passed over.
func tell(ctx context.Context, tx bun.Tx, events ...lifecycle.Event) error {
	for _, event := range events {
		if err := tellOne(ctx, tx, event); err != nil {
			return err
		}
	}
	return nil
}

func tellOne(ctx context.Context, tx bun.Tx, event lifecycle.Event) error {
	facts, err := auditFacts(event.Facts)
	if err != nil {
		return err
	}
	eventID := lifecycle.EventID(event.Type, event.Request, event.Item, event.Key)
	var batch lifecycle.ID
	if len(event.Records) > 0 {
		batch = lifecycle.NewID()
		eventID = batch
	}
	at := now()
	var told tuples
	row := func(recipient lifecycle.ID, kind string) {
		told = append(told, []any{
			lifecycle.NewID(), eventID, string(event.Type), event.Request.String(), event.Item.String(), recipient.String(),
			kind, event.Reason, at, event.Key, event.Source, batch, facts,
		})
	}
	for _, recipient := range event.Recipients {
		if !recipient.ID.IsZero() {
			row(recipient.ID, string(recipient.Type))
		}
	}
	if len(told) == 0 {
		row(lifecycle.ID{}, nobody)
	}
	saved, err := affected(ctx, tx, `INSERT INTO notifications (id, event_id, event, request_id, item_id, recipient_id, recipient_type,
			reason, created, key, source_id, batch_id, facts) VALUES ?
		ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING`, told)
	if err != nil || saved == 0 || len(event.Records) == 0 {
		return err
	}
	return exec(ctx, tx, `INSERT INTO notification_records (batch_id, record_id)
		SELECT ?::uuid, r FROM unnest(?) AS r ON CONFLICT DO NOTHING`, batch, idList(event.Records))
}
