package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"gatehouse/lifecycle"
)

const webhookColumns = "e.id, e.url, e.secret, e.events, e.enabled, e.reason, e.created, e.modified"

type webhookRow struct {
	endpoint lifecycle.WebhookEndpoint
	events   []string
}

func (r *webhookRow) dest() []any {
	*r = webhookRow{}
	e := &r.endpoint
	return []any{&e.ID, &e.URL, &e.Secret, pgdialect.Array(&r.events), &e.Enabled, &e.Reason, &e.Created, &e.Modified}
}

func (r *webhookRow) toEndpoint() lifecycle.WebhookEndpoint {
	e := r.endpoint
	e.Events = typed[lifecycle.EventType](r.events)
	e.Created, e.Modified = e.Created.UTC(), e.Modified.UTC()
	return e
}

// webhookState is an endpoint as the audit trail shows it: without its secret.
func webhookState(e lifecycle.WebhookEndpoint) map[string]any {
	return map[string]any{"url": e.URL, "events": e.Events, "enabled": e.Enabled, "reason": e.Reason}
}

func webhookChange(action lifecycle.AuditAction, id lifecycle.ID, before, after map[string]any) lifecycle.AuditChange {
	return lifecycle.AuditChange{Action: action, Object: lifecycle.ObjectWebhook, ID: id.String(), Before: before, After: after}
}

// CreateWebhook adds an endpoint; KindLimit beyond lifecycle.MaxWebhookEndpoints.
func (s *Store) CreateWebhook(ctx context.Context, endpoint lifecycle.WebhookEndpoint) (err error) {
	defer s.done(ctx, "CreateWebhook", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		// One after another, so that none is one too many.
		if err := exec(ctx, tx, "SELECT 1 FROM organisation FOR UPDATE"); err != nil {
			return err
		}
		var count int
		if _, err := row(ctx, tx, []any{&count}, "SELECT count(*) FROM webhook_endpoints"); err != nil {
			return err
		}
		if count >= lifecycle.MaxWebhookEndpoints {
			return lifecycle.NewError(lifecycle.KindLimit,
				fmt.Sprintf("The limit of %d webhook endpoints is reached.", lifecycle.MaxWebhookEndpoints))
		}
		err := exec(ctx, tx, "INSERT INTO webhook_endpoints (id, url, secret, events, enabled, reason, created, modified) VALUES ?",
			tuples{{
				endpoint.ID, endpoint.URL, endpoint.Secret, plain(endpoint.Events), endpoint.Enabled, endpoint.Reason,
				endpoint.Created, endpoint.Modified,
			}})
		if err != nil {
			return err
		}
		return audit(ctx, tx, webhookChange(lifecycle.ActionCreate, endpoint.ID, nil, webhookState(endpoint)))
	})
}

// ListWebhooks returns all endpoints, the oldest first.
func (s *Store) ListWebhooks(ctx context.Context) (endpoints []lifecycle.WebhookEndpoint, err error) {
	defer s.done(ctx, "ListWebhooks", time.Now(), &err)
	var r webhookRow
	rows, err := s.db.QueryContext(ctx, "SELECT "+webhookColumns+" FROM webhook_endpoints AS e ORDER BY e.created, e.id")
	err = each(rows, err, r.dest(), func() error { endpoints = append(endpoints, r.toEndpoint()); return nil })
	return endpoints, err
}

// GetWebhook returns the endpoint; KindNotFound if there is none.
func (s *Store) GetWebhook(ctx context.Context, id lifecycle.ID) (endpoint lifecycle.WebhookEndpoint, err error) {
	defer s.done(ctx, "GetWebhook", time.Now(), &err)
	return getWebhook(ctx, s.db, id, "")
}

func getWebhook(ctx context.Context, db bun.IDB, id lifecycle.ID, lock bun.Safe) (lifecycle.WebhookEndpoint, error) {
	var r webhookRow
	found, err := row(ctx, db, r.dest(), "SELECT "+webhookColumns+" FROM webhook_endpoints AS e WHERE e.id = ? ?", id, lock)
	if err == nil && !found {
		err = missing()
	}
	if err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	return r.toEndpoint(), nil
}

// UpdateWebhook has change change the endpoint and returns it as it is then; an
// error of change changes nothing. KindNotFound if there is none.
func (s *Store) UpdateWebhook(ctx context.Context, id lifecycle.ID, change func(*lifecycle.WebhookEndpoint) error) (endpoint lifecycle.WebhookEndpoint, err error) {
	defer s.done(ctx, "UpdateWebhook", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if endpoint, err = getWebhook(ctx, tx, id, "FOR NO KEY UPDATE"); err != nil {
			return err
		}
		before := webhookState(endpoint)
		if err := change(&endpoint); err != nil {
			return err
		}
		after := webhookState(endpoint)
		if alike, err := sameJSON(before, after); err != nil || alike {
			return err
		}
		endpoint.Modified = later(now(), endpoint.Modified)
		err := exec(ctx, tx, "UPDATE webhook_endpoints SET url = ?, events = ?, enabled = ?, reason = ?, modified = ? WHERE id = ?",
			endpoint.URL, plain(endpoint.Events), endpoint.Enabled, endpoint.Reason, endpoint.Modified, id)
		if err != nil {
			return err
		}
		return audit(ctx, tx, webhookChange(lifecycle.ActionUpdate, id, before, after))
	})
	if err != nil {
		return lifecycle.WebhookEndpoint{}, err
	}
	return endpoint, nil
}

// DeleteWebhook removes the endpoint with its deliveries; KindNotFound if there is none.
func (s *Store) DeleteWebhook(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteWebhook", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		endpoint, err := getWebhook(ctx, tx, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, "DELETE FROM webhook_endpoints WHERE id = ?", id); err != nil {
			return err
		}
		return audit(ctx, tx, webhookChange(lifecycle.ActionDelete, id, webhookState(endpoint), nil))
	})
}

// ListDeliveries returns a page, the newest first, and where q.Count the number of
// matches.
func (s *Store) ListDeliveries(ctx context.Context, q lifecycle.DeliveryQuery) (deliveries []lifecycle.Delivery, count int, err error) {
	defer s.done(ctx, "ListDeliveries", time.Now(), &err)
	query := s.db.NewSelect().TableExpr("deliveries AS d").ColumnExpr(deliveryColumns)
	for _, where := range []struct {
		column, value string
	}{{"d.status", string(q.Status)}, {"d.event", string(q.Event)}, {"d.channel", string(q.Channel)}} {
		if where.value != "" {
			query.Where("? = ?", bun.Safe(where.column), where.value)
		}
	}
	if !q.Endpoint.IsZero() {
		query.Where("d.endpoint_id = ?", q.Endpoint)
	}
	if q.Count {
		matches, err := query.Count(ctx)
		if err != nil {
			return nil, 0, err
		}
		count = int(matches)
	}
	var r deliveryRow
	rows, err := query.OrderExpr("d.created DESC, d.id DESC").Limit(int64(q.Limit)).Offset(int64(q.Offset)).Rows(ctx)
	err = each(rows, err, r.dest(), func() error { deliveries = append(deliveries, r.toDelivery()); return nil })
	return deliveries, count, err
}

// ResendDelivery has a delivery that is DEAD tried again and returns it as it is then.
// Errors: KindNotFound if there is none, KindIllegalUpdate if it is not DEAD, or its
// endpoint is disabled.
func (s *Store) ResendDelivery(ctx context.Context, id lifecycle.ID) (delivery lifecycle.Delivery, err error) {
	defer s.done(ctx, "ResendDelivery", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		var r deliveryRow
		found, err := row(ctx, tx, r.dest(), "SELECT "+deliveryColumns+" FROM deliveries AS d WHERE d.id = ? FOR NO KEY UPDATE", id)
		switch {
		case err != nil:
			return err
		case !found:
			return missing()
		case r.delivery.Status != lifecycle.DeliveryDead:
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "The delivery is "+string(r.delivery.Status)+"; only a DEAD one can be sent again.")
		}
		if r.delivery.Channel == lifecycle.ByWebhook {
			endpoint, err := getWebhook(ctx, tx, r.delivery.Endpoint, "")
			if err != nil {
				return err
			}
			if !endpoint.Enabled {
				return errEndpointDisabled
			}
		}
		if err := exec(ctx, tx, "UPDATE deliveries SET status = 'PENDING', due = ?0, modified = ?0 WHERE id = ?1", now(), id); err != nil {
			return err
		}
		if _, err := row(ctx, tx, r.dest(), "SELECT "+deliveryColumns+" FROM deliveries AS d WHERE d.id = ?", id); err != nil {
			return err
		}
		delivery = r.toDelivery()
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectDelivery, ID: id.String(),
			Facts: map[string]any{"status": delivery.Status, "event": delivery.Event, "channel": delivery.Channel},
		})
	})
	return delivery, err
}

var errEndpointDisabled = lifecycle.NewError(lifecycle.KindIllegalUpdate, "The endpoint is disabled; enable it first.")

// ResendDeliveries has all deliveries of an endpoint that are DEAD tried again, and
// returns how many those are. Errors: KindNotFound if there is no such endpoint,
// KindIllegalUpdate if it is disabled.
func (s *Store) ResendDeliveries(ctx context.Context, endpoint lifecycle.ID) (count int, err error) {
	defer s.done(ctx, "ResendDeliveries", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		found, err := getWebhook(ctx, tx, endpoint, "FOR KEY SHARE")
		if err != nil {
			return err
		}
		if !found.Enabled {
			return errEndpointDisabled
		}
		n, err := affected(ctx, tx, `UPDATE deliveries SET status = 'PENDING', due = ?0, modified = ?0
			WHERE endpoint_id = ?1 AND status = 'DEAD'`, now(), endpoint)
		if count = int(n); err != nil || count == 0 {
			return err
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectDelivery,
			Facts: map[string]any{"status": lifecycle.DeliveryPending, "endpoint": endpoint.String(), "count": count},
		})
	})
	return count, err
}

// DropTold removes one batch, about limit rows, of what was told more than
// retention ago: rows of the outbox whose deliveries are all over, with these and
// with the lists of records that they are about. What was told of a request that is
// under way stays: that it was told is known by the row alone. It returns how many rows it
// removed; 0 means that nothing is left but what somebody else is just at.
func (s *Store) DropTold(ctx context.Context, limit int, retention time.Duration) (dropped int, err error) {
	defer s.done(ctx, "DropTold", time.Now(), &err)
	// The records first, since there may be many: a row goes when its list is gone.
	const over = `n.relayed < ?0 AND NOT EXISTS (
		SELECT 1 FROM deliveries AS d JOIN notifications AS b ON b.id = d.notification_id
		WHERE b.event_id = n.event_id AND (d.status = 'PENDING' OR d.modified >= ?0))
		AND NOT EXISTS (SELECT 1 FROM requests AS q WHERE q.id = n.request_id
			AND (q.approval_status = 'PENDING' OR q.workflow_seen_at < q.modified))`
	before := now().Add(-retention)
	records, err := affected(ctx, s.db, `DELETE FROM notification_records WHERE (batch_id, record_id) IN (
		SELECT r.batch_id, r.record_id FROM notifications AS n JOIN notification_records AS r ON r.batch_id = n.batch_id
		WHERE `+over+` LIMIT ?1)`, before, max(1, limit))
	if err != nil || records > 0 {
		return int(records), err
	}
	rows, err := affected(ctx, s.db, `DELETE FROM notifications WHERE id IN (
		SELECT n.id FROM notifications AS n WHERE `+over+`
			AND NOT EXISTS (SELECT 1 FROM notification_records AS r WHERE r.batch_id = n.batch_id)
		ORDER BY n.relayed, n.id LIMIT ?1 FOR UPDATE OF n SKIP LOCKED)`, before, max(1, limit))
	return int(rows), err
}
