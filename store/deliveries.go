package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

const (
	// claimTime is how long who begins a delivery's workflow has for it before
	// another may.
	claimTime = 30 * time.Second
	// deliveryCheck is how often it is looked whether the workflow of a delivery runs.
	deliveryCheck = 10 * time.Minute
)

// deliveryColumns are those of d, a delivery.
const deliveryColumns = `d.id, d.event_id, d.event, d.channel, d.recipient_id, d.endpoint_id, d.status, d.attempts, d.doubts, d.fault,
	d.created, d.modified, d.delivered`

type deliveryRow struct {
	delivery  lifecycle.Delivery
	delivered sql.NullTime
}

func (r *deliveryRow) dest() []any {
	d := &r.delivery
	return []any{
		&d.ID, &d.EventID, &d.Event, &d.Channel, &d.Recipient, &d.Endpoint, &d.Status, &d.Attempts, &d.Doubts, &d.Fault,
		&d.Created, &d.Modified, &r.delivered,
	}
}

func (r *deliveryRow) toDelivery() lifecycle.Delivery {
	d := r.delivery
	d.Created, d.Modified, d.Delivered = d.Created.UTC(), d.Modified.UTC(), timeOf(r.delivered)
	return d
}

// RelayEvents makes the deliveries of at most limit rows of the outbox, the oldest
// first, and returns how many rows those were; 0 means that none waits but for what
// somebody else is just at. A workgroup is mailed to by its members at this
// moment. Whoever is inactive or has no address gets no mail, and nobody does where
// mail is false; an endpoint gets the events that it wants, unless it is disabled.
func (s *Store) RelayEvents(ctx context.Context, limit int, mail bool) (relayed int, err error) {
	defer s.done(ctx, "RelayEvents", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		n, err := affected(ctx, tx, `WITH taken AS MATERIALIZED (
				SELECT id, event_id, event, recipient_id, recipient_type FROM notifications
				WHERE relayed IS NULL ORDER BY created, id LIMIT ?0 FOR UPDATE SKIP LOCKED
			), person AS (
				SELECT t.id, t.event_id, t.event, t.recipient_id AS identity_id FROM taken AS t WHERE t.recipient_type = 'IDENTITY'
				UNION ALL SELECT t.id, t.event_id, t.event, w.identity_id FROM taken AS t
					JOIN workgroup_members AS w ON w.workgroup_id = t.recipient_id WHERE t.recipient_type = 'GOVERNANCE_GROUP'
			), mailed AS (
				INSERT INTO deliveries (id, notification_id, event_id, event, channel, recipient_id, status, due, created, modified)
				SELECT gen_random_uuid(), p.id, p.event_id, p.event, 'MAIL', p.identity_id, 'PENDING', ?1::timestamptz, ?1::timestamptz, ?1::timestamptz
				FROM person AS p JOIN identities AS a ON a.id = p.identity_id AND a.active AND a.email <> ''
				WHERE ?2 ORDER BY p.event_id, p.identity_id, p.id
				ON CONFLICT (event_id, recipient_id) WHERE channel = 'MAIL' DO NOTHING
			), posted AS (
				INSERT INTO deliveries (id, notification_id, event_id, event, channel, endpoint_id, status, due, created, modified)
				SELECT gen_random_uuid(), t.id, t.event_id, t.event, 'WEBHOOK', e.id, 'PENDING', ?1::timestamptz, ?1::timestamptz, ?1::timestamptz
				FROM taken AS t JOIN webhook_endpoints AS e ON e.enabled AND (e.events = '{}' OR t.event = ANY (e.events))
				ORDER BY t.event_id, e.id, t.id
				ON CONFLICT (event_id, endpoint_id) WHERE channel = 'WEBHOOK' DO NOTHING
			)
			UPDATE notifications AS n SET relayed = ?1 FROM taken AS t WHERE n.id = t.id`, max(1, limit), now(), mail)
		relayed = int(n)
		return err
	})
	return relayed, err
}

// ClaimDeliveries returns at most limit pending deliveries whose workflows may not
// run, those first that are due longest. For half a minute they are the
// caller's: nobody else gets them.
func (s *Store) ClaimDeliveries(ctx context.Context, limit int) (deliveries []lifecycle.Delivery, err error) {
	defer s.done(ctx, "ClaimDeliveries", time.Now(), &err)
	at := now()
	var d lifecycle.Delivery
	rows, err := s.db.QueryContext(ctx, `UPDATE deliveries SET due = ?0 WHERE id IN (
			SELECT id FROM deliveries WHERE status = 'PENDING' AND due <= ?1 ORDER BY due, id LIMIT ?2 FOR UPDATE SKIP LOCKED
		) RETURNING id, channel`, at.Add(claimTime), at, max(1, limit))
	err = each(rows, err, []any{&d.ID, &d.Channel}, func() error { deliveries = append(deliveries, d); return nil })
	return deliveries, err
}

// MarkDeliveriesStarted notes that the workflows of these deliveries run, so that it is
// not looked after them for a while.
func (s *Store) MarkDeliveriesStarted(ctx context.Context, ids []lifecycle.ID) (err error) {
	defer s.done(ctx, "MarkDeliveriesStarted", time.Now(), &err)
	return exec(ctx, s.db, "UPDATE deliveries SET due = ? WHERE id = ANY (?)", now().Add(deliveryCheck), idList(ids))
}

// GetDelivery returns the delivery; KindNotFound if there is none.
func (s *Store) GetDelivery(ctx context.Context, id lifecycle.ID) (delivery lifecycle.Delivery, err error) {
	defer s.done(ctx, "GetDelivery", time.Now(), &err)
	var r deliveryRow
	found, err := row(ctx, s.db, r.dest(), "SELECT "+deliveryColumns+" FROM deliveries AS d WHERE d.id = ?", id)
	if err == nil && !found {
		err = missing()
	}
	return r.toDelivery(), err
}

// BeginAttempt notes that a delivery is about to be handed over. Where an attempt
// before has not come to an end, that one counts as doubtful. KindNotFound if
// there is no such delivery, KindIllegalUpdate if it is not PENDING any more.
func (s *Store) BeginAttempt(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "BeginAttempt", time.Now(), &err)
	return s.changeDelivery(ctx, id, `attempts = attempts + 1, doubts = doubts + (attempted IS NOT NULL)::integer,
		attempted = ?1, modified = ?1`)
}

// EndDelivery notes that who it was for has taken it. Errors as BeginAttempt's.
func (s *Store) EndDelivery(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "EndDelivery", time.Now(), &err)
	return s.changeDelivery(ctx, id, `status = 'DELIVERED', delivered = ?1, attempted = NULL, fault = '', modified = ?1`)
}

// FailAttempt notes what was wrong with an attempt. One that may have arrived all
// the same stays open; see BeginAttempt. A delivery that is given up is DEAD from
// then on. Errors as BeginAttempt's.
func (s *Store) FailAttempt(ctx context.Context, id lifecycle.ID, fault lifecycle.DeliveryError) (err error) {
	defer s.done(ctx, "FailAttempt", time.Now(), &err)
	return s.changeDelivery(ctx, id, `status = CASE WHEN ?2 THEN 'DEAD' ELSE status END, fault = ?3, modified = ?1,
		attempted = CASE WHEN ?4 THEN attempted END`, fault.Final, fault.Code, fault.Doubtful)
}

// changeDelivery sets columns of a PENDING delivery ?0 at ?1.
func (s *Store) changeDelivery(ctx context.Context, id lifecycle.ID, set string, args ...any) error {
	changed, err := affected(ctx, s.db, "UPDATE deliveries SET "+set+" WHERE id = ?0 AND status = 'PENDING'",
		append([]any{id, now()}, args...)...)
	if err != nil || changed == 1 {
		return err
	}
	var one int
	found, err := row(ctx, s.db, []any{&one}, "SELECT 1 FROM deliveries WHERE id = ?", id)
	switch {
	case err != nil:
		return err
	case !found:
		return missing()
	}
	return errDeliveryOver
}

var errDeliveryOver = lifecycle.NewError(lifecycle.KindIllegalUpdate, "The delivery is not pending.")

// GiveUpDelivery makes a delivery DEAD that is PENDING still; it keeps the fault of
// its last attempt. One that is over, or gone, is left as it is.
func (s *Store) GiveUpDelivery(ctx context.Context, id lifecycle.ID) (gaveUp bool, err error) {
	defer s.done(ctx, "GiveUpDelivery", time.Now(), &err)
	changed, err := affected(ctx, s.db, `UPDATE deliveries SET status = 'DEAD', modified = ?,
		fault = CASE fault WHEN '' THEN ? ELSE fault END WHERE id = ? AND status = 'PENDING'`, now(), lifecycle.FaultGivenUp, id)
	return changed == 1, err
}

// WaitingEvents counts the rows of the outbox whose deliveries are yet to be made,
// and tells since when the oldest waits; zero if none does.
func (s *Store) WaitingEvents(ctx context.Context) (count int, oldest time.Time, err error) {
	defer s.done(ctx, "WaitingEvents", time.Now(), &err)
	return s.backlog(ctx, "SELECT count(*), min(created) FROM notifications WHERE relayed IS NULL")
}

// WaitingDeliveries does so for the deliveries that are pending.
func (s *Store) WaitingDeliveries(ctx context.Context) (count int, oldest time.Time, err error) {
	defer s.done(ctx, "WaitingDeliveries", time.Now(), &err)
	return s.backlog(ctx, "SELECT count(*), min(created) FROM deliveries WHERE status = 'PENDING'")
}

func (s *Store) backlog(ctx context.Context, query string) (count int, oldest time.Time, err error) {
	var since sql.NullTime
	_, err = row(ctx, s.db, []any{&count, &since}, query)
	return count, timeOf(since), err
}
