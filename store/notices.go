package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gatehouse/lifecycle"
)

// partyName selects the name of who a column and its type name, NULL for nobody.
func partyName(id, kind string) string {
	return `CASE ` + kind + ` WHEN 'GOVERNANCE_GROUP' THEN (SELECT g.name FROM workgroups AS g WHERE g.id = ` + id + `)
		ELSE (SELECT a.name FROM identities AS a WHERE a.id = ` + id + `) END`
}

func personName(id string) string {
	return "(SELECT a.name FROM identities AS a WHERE a.id = " + id + ")"
}

// LoadNotice returns what a delivery tells, as it is known at this moment.
// KindNotFound if there is no such delivery.
func (s *Store) LoadNotice(ctx context.Context, delivery lifecycle.ID) (notice lifecycle.Notice, err error) {
	defer s.done(ctx, "LoadNotice", time.Now(), &err)
	var (
		batch  lifecycle.ID
		source sql.NullString
		facts  []byte
		n      = &notice
	)
	found, err := row(ctx, s.db, []any{
		&n.Type, &n.EventID, &n.Occurred, &n.Source.ID, &source, &n.RequestID, &n.ItemID, &n.Key, &n.Reason, &facts, &batch, &n.Addressee,
	}, `SELECT n.event, n.event_id, n.created, n.source_id, s.name, n.request_id, n.item_id, n.key, n.reason, n.facts, n.batch_id, n.recipient_id
		FROM deliveries AS d JOIN notifications AS n ON n.id = d.notification_id LEFT JOIN sources AS s ON s.id = n.source_id
		WHERE d.id = ?`, delivery)
	switch {
	case err != nil:
		return notice, err
	case !found:
		return notice, missing()
	}
	n.Occurred, n.Source.Name = n.Occurred.UTC(), source.String
	if err := json.Unmarshal(facts, &n.Facts); err != nil {
		return notice, fmt.Errorf("store: the facts of an event: %w", err)
	}
	if !n.RequestID.IsZero() {
		if n.Request, err = s.noticeRequest(ctx, n.RequestID); err != nil {
			return notice, err
		}
	}
	if !n.ItemID.IsZero() {
		if n.Move, err = s.noticeMove(ctx, n.ItemID, n.Key); err != nil {
			return notice, err
		}
	}
	if !batch.IsZero() {
		n.Records, n.RecordCount, err = s.noticeRecords(ctx, batch)
	}
	return notice, err
}

// noticeRequest returns nil for a request that is gone.
func (s *Store) noticeRequest(ctx context.Context, id lifecycle.ID) (*lifecycle.NoticeRequest, error) {
	var (
		q                    lifecycle.NoticeRequest
		kind                 string
		requester, manager   sql.NullString
		account, first, last sql.NullString
		start, end           sql.NullTime
		items                []byte
		policy               sql.NullString
		records              sql.NullInt64
		until                sql.NullTime
	)
	found, err := row(ctx, s.db, []any{
		&q.Status, &kind, &q.Requester.ID, &requester, &account, &first, &last, &q.Manager.ID, &manager, &start, &end,
		&q.Created, &q.Reason, &policy, &records, &until, &items,
	}, `SELECT r.approval_status, r.kind, r.requester_id, `+personName("r.requester_id")+`, r.account_name, r.first_name, r.last_name,
			r.manager_id, `+personName("r.manager_id")+`, r.start_date, r.end_date, r.created, r.cancellation_reason,
			(SELECT p.policy::text FROM approval_policies AS p WHERE p.id = r.policy_id AND r.approval_status = 'PENDING'),
			x.records - x.rejected - x.skipped, x.end_date,
			(SELECT coalesce(json_agg(json_build_object(
				'ID', i.id, 'Approver', json_build_object('ID', i.approver_id, 'Name', coalesce(`+partyName("i.approver_id", "i.approver_type")+`, '')),
				'Type', i.approver_type, 'Status', i.status, 'Comment', i.comment, 'PendingSince', i.pending_since,
				'DecidedBy', json_build_object('ID', i.decided_by, 'Name', coalesce(`+personName("i.decided_by")+`, ''))
			) ORDER BY i.position), '[]') FROM approval_items AS i WHERE i.request_id = r.id)
		FROM requests AS r LEFT JOIN extensions AS x ON x.request_id = r.id WHERE r.id = ?`, id)
	if err != nil || !found {
		return nil, err
	}
	if err := json.Unmarshal(items, &q.Items); err != nil {
		return nil, fmt.Errorf("store: the items of a request: %w", err)
	}
	for _, item := range q.Items {
		if policy.Valid && item.Status == lifecycle.StatusPending {
			waitsBy, err := parsePolicy(policy.String)
			if err != nil {
				return nil, err
			}
			q.TimesOut = waitsBy.TimesOutAt(item.PendingSince, s.day)
		}
	}
	q.Extension, q.Records, q.Until = kind == "EXTENSION", int(records.Int64), timeOf(until)
	q.Requester.Name, q.Manager.Name = requester.String, manager.String
	q.AccountName, q.FirstName, q.LastName = account.String, first.String, last.String
	q.StartDate, q.EndDate, q.Created = timeOf(start), timeOf(end), q.Created.UTC()
	return &q, nil
}

// noticeMove returns the move of this number, nil where there is none.
func (s *Store) noticeMove(ctx context.Context, item lifecycle.ID, number string) (*lifecycle.NoticeMove, error) {
	var (
		m            lifecycle.NoticeMove
		from, to, by sql.NullString
	)
	found, err := row(ctx, s.db, []any{&m.Type, &m.From.ID, &from, &m.To.ID, &to, &m.By.ID, &by, &m.Comment},
		`SELECT h.type, h.from_id, `+partyName("h.from_id", "h.from_type")+`, h.to_id, `+partyName("h.to_id", "h.to_type")+`,
			h.reassigner_id, `+personName("h.reassigner_id")+`, h.comment
		FROM approval_reassignments AS h WHERE h.item_id = ? AND h.number::text = ?`, item, number)
	if err != nil || !found {
		return nil, err
	}
	m.From.Name, m.To.Name, m.By.Name = from.String, to.String, by.String
	return &m, nil
}

// noticeRecords returns those that are there still, and how many there were.
func (s *Store) noticeRecords(ctx context.Context, batch lifecycle.ID) (records []lifecycle.NoticeRecord, count int, err error) {
	var (
		r      lifecycle.NoticeRecord
		there  lifecycle.ID
		texts  [4]sql.NullString
		until  sql.NullTime
		source lifecycle.ID
	)
	rows, err := s.db.QueryContext(ctx, `SELECT r.id, r.source_id, s.name, r.account_name, r.first_name, r.last_name, r.end_date
		FROM notification_records AS b LEFT JOIN records AS r ON r.id = b.record_id LEFT JOIN sources AS s ON s.id = r.source_id
		WHERE b.batch_id = ? ORDER BY s.name_folded, r.last_name_folded, r.first_name_folded, r.account_name_folded`, batch)
	err = each(rows, err, []any{&there, &source, &texts[0], &texts[1], &texts[2], &texts[3], &until}, func() error {
		count++
		if there.IsZero() {
			return nil
		}
		r.ID, r.Source = there, lifecycle.Named{ID: source, Name: texts[0].String}
		r.AccountName, r.FirstName, r.LastName, r.EndDate = texts[1].String, texts[2].String, texts[3].String, timeOf(until)
		records = append(records, r)
		return nil
	})
	return records, count, err
}

// GetRecipient returns the person whom a mail goes to. KindNotFound where nobody
// active with an address is there any more.
func (s *Store) GetRecipient(ctx context.Context, id lifecycle.ID) (recipient lifecycle.Recipient, err error) {
	defer s.done(ctx, "GetRecipient", time.Now(), &err)
	found, err := row(ctx, s.db, []any{&recipient.ID, &recipient.Name, &recipient.Address, &recipient.Language},
		"SELECT id, name, email, language FROM identities WHERE id = ? AND active AND deleted IS NULL", id)
	recipient.Address = strings.TrimSpace(recipient.Address)
	if err == nil && (!found || recipient.Address == "") {
		err = missing()
	}
	return recipient, err
}
