package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// extensionColumns are those of r, a request for an extension, with its extension
// e and its source s.
const extensionColumns = `r.id, s.id, s.name, s.description, r.requester_id, e.end_date, e.comment,
	e.records, e.approved, e.rejected, e.cancelled, e.skipped,
	r.approval_status, r.cancellation_reason, r.completion_date, r.created, r.modified, ` + itemsOfRequest

type extensionRow struct {
	extension          lifecycle.Extension
	endDate, completed sql.NullTime
	items              sql.NullString
}

func (r *extensionRow) dest() []any {
	e := &r.extension
	return []any{
		&e.ID, &e.Source.ID, &e.Source.Name, &e.Source.Description, &e.Requester, &r.endDate, &e.Comment,
		&e.Records, &e.Approved, &e.Rejected, &e.Cancelled, &e.Skipped,
		&e.Status, &e.Reason, &r.completed, &e.Created, &e.Modified, &r.items,
	}
}

func (r *extensionRow) toExtension() (lifecycle.Extension, error) {
	e := r.extension
	e.Created, e.Modified = e.Created.UTC(), e.Modified.UTC()
	e.EndDate, e.Completed = timeOf(r.endDate), timeOf(r.completed)
	items, err := parseItems(r.items.String, itemsOwner(e))
	e.Items = ofExtension(items)
	return e, err
}

// itemsOwner is the extension as the items of requests see it.
func itemsOwner(e lifecycle.Extension) lifecycle.Request {
	return lifecycle.Request{ID: e.ID, Source: e.Source, Requester: e.Requester, Created: e.Created, Items: e.Items}
}

// ofExtension says of items that they are those of an extension.
func ofExtension(items []lifecycle.ApprovalItem) []lifecycle.ApprovalItem {
	for i := range items {
		items[i].Extension = true
	}
	return items
}

// AcceptExtension is the accepting transaction of an extension: the request, its
// items for the approvers that the source names at this moment, unless extensions
// need no approval there, and its records, which are those of targets or, where that is nil, those of the source that where
// lets through. extension carries ID, Source.ID, Requester, EndDate, Comment and
// Created; the rest is filled in. A record that ends no earlier than it would with
// the extension, or was ended before its time, is SKIPPED from the beginning.
//
// Errors: one for all that is wrong with the records (see
// [lifecycle.ImportFaults.Err]), among them KindReferenceNotFound for one that is
// not in the source, KindConflict for one that has an extension which waits, and
// KindIllegalValue for one that would end before it begins; KindLimit beyond
// [lifecycle.MaxExtensionRecords]; KindIllegalValue where no record would get a
// later end; KindReferenceNotFound for a source that does not exist.
func (s *Store) AcceptExtension(ctx context.Context, extension lifecycle.Extension, targets []lifecycle.ExtensionTarget, where filter.Expr) (accepted lifecycle.Extension, err error) {
	defer s.done(ctx, "AcceptExtension", time.Now(), &err)
	var approvers sql.NullString
	var approvalPolicy lifecycle.ID
	found, err := row(ctx, s.db, []any{&extension.Source.Name, &extension.Source.Description, &approvers, &approvalPolicy},
		"SELECT s.name, s.description, "+approverList+", "+policyInForce+" FROM sources AS s WHERE s.id = ?", extension.Source.ID)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	if !found {
		return lifecycle.Extension{}, errNoSource
	}
	references, err := parseReferences(approvers.String)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	lifecyclePolicy, err := lifecyclePolicy(ctx, s.db, extension.Source.ID)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	if lifecyclePolicy.Extension.Approval == lifecycle.ExtensionApprovalNone {
		references = nil
	}
	extension.Status, extension.Completed, extension.Modified = lifecycle.StatusPending, time.Time{}, extension.Created
	extension.Items = ofExtension(lifecycle.NewApprovalItems(itemsOwner(extension), references))
	moved := false
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := tune(ctx, tx, bulk(byIndex)...); err != nil {
			return err
		}
		named, err := s.findTargets(ctx, tx, extension, targets, where)
		if err != nil {
			return err
		}
		parts, err := judgeTargets(named)
		if err != nil {
			return err
		}
		extension.Records, extension.Skipped = len(parts), 0
		for _, part := range parts {
			if part.Status == lifecycle.StatusSkipped {
				extension.Skipped++
			}
		}
		if extension.Skipped == extension.Records {
			return lifecycle.NothingExtended()
		}
		if err := acceptExtension(ctx, tx, extension, approvalPolicy); err != nil {
			return err
		}
		if err := addTargets(ctx, tx, extension.ID, named, parts); err != nil {
			return err
		}
		request := itemsOwner(extension)
		if err := requestMade(ctx, tx, request); err != nil || len(request.Items) == 0 {
			return err
		}
		moved, err = placeFirst(ctx, tx, request)
		return err
	})
	if err != nil {
		return lifecycle.Extension{}, err
	}
	if moved {
		extension, _, err = s.GetExtension(ctx, extension.ID, lifecycle.ID{})
	}
	return extension, err
}

// namedRecord is a target with the record that it names.
type namedRecord struct {
	lifecycle.ExtensionTarget
	// record is zero where there is none.
	record      lifecycle.ID
	accountName string
	start, end  time.Time
	// ended is true where somebody has ended it before its time.
	ended bool
}

// findTargets looks up the records that are to be extended.
func (s *Store) findTargets(ctx context.Context, tx bun.Tx, e lifecycle.Extension, targets []lifecycle.ExtensionTarget, where filter.Expr) (found []namedRecord, err error) {
	var id lifecycle.ID
	var name sql.NullString
	var start, end sql.NullTime
	var ended sql.NullBool
	dest := []any{&id, &name, &start, &end, &ended}
	if targets == nil {
		condition, err := recordFields.condition(where)
		if err != nil {
			return nil, err
		}
		rows, err := tx.QueryContext(ctx, `SELECT r.id, r.account_name, r.start_date, r.end_date, r.ended_at IS NOT NULL FROM records AS r
			WHERE r.source_id = ? AND ? ORDER BY r.created, r.id LIMIT ?`, e.Source.ID, condition, lifecycle.MaxExtensionRecords+1)
		err = each(rows, err, dest, func() error {
			found = append(found, namedRecord{
				lifecycle.ExtensionTarget{RecordID: id, EndDate: e.EndDate}, id, name.String, timeOf(start), timeOf(end), ended.Bool,
			})
			return nil
		})
		if err == nil && len(found) > lifecycle.MaxExtensionRecords {
			err = lifecycle.TooManyExtended("filters")
		}
		return found, err
	}
	ids, names := make(idList, len(targets)), make(texts, len(targets))
	for i, target := range targets {
		ids[i], names[i] = target.RecordID, target.AccountName
	}
	rows, err := tx.QueryContext(ctx, `SELECT r.id, r.account_name, r.start_date, r.end_date, r.ended_at IS NOT NULL
		FROM unnest(?1, ?2) WITH ORDINALITY AS t (id, name, number) LEFT JOIN LATERAL (
			SELECT * FROM records AS r WHERE t.name = '' AND r.id = t.id AND r.source_id = ?0
			UNION ALL SELECT * FROM records AS r WHERE t.name <> '' AND r.source_id = ?0 AND r.account_name_folded = t.name
		) AS r ON TRUE ORDER BY t.number`, e.Source.ID, ids, names)
	found = make([]namedRecord, 0, len(targets))
	err = each(rows, err, dest, func() error {
		found = append(found, namedRecord{targets[len(found)], id, name.String, timeOf(start), timeOf(end), ended.Bool})
		return nil
	})
	return found, err
}

// judgeTargets makes parts of an extension of the records, in their order, or says
// all that is wrong with them.
func judgeTargets(named []namedRecord) ([]lifecycle.ExtensionRecord, error) {
	var faults lifecycle.ImportFaults
	parts := make([]lifecycle.ExtensionRecord, len(named))
	seen := make(map[lifecycle.ID]int, len(named))
	for i, n := range named {
		first, doubled := seen[n.record]
		switch {
		case n.record.IsZero():
			faults.Add(n.unknown())
			continue
		case doubled:
			faults.Add(n.fault(lifecycle.KindConflict, n.column(), fmt.Sprintf("the record is named on line %d already", named[first].Line)))
			continue
		case !n.EndDate.After(n.start):
			faults.Add(n.fault(lifecycle.KindIllegalValue, "endDate", "endDate must be after startDate, which is "+lifecycle.FormatTime(n.start)))
		}
		seen[n.record] = i
		parts[i] = lifecycle.ExtensionRecord{
			Number: i + 1, RecordID: n.record, EndDateBefore: n.end, EndDate: n.EndDate, Status: lifecycle.StatusPending,
		}
		switch {
		case n.ended:
			parts[i].Status, parts[i].Reason = lifecycle.StatusSkipped, lifecycle.SkippedEnded
		case !n.end.Before(n.EndDate):
			parts[i].Status, parts[i].Reason = lifecycle.StatusSkipped, lifecycle.SkippedNotLater
		}
	}
	return parts, faults.Err()
}

// column is the column of a file that names the record.
func (n namedRecord) column() string {
	if n.AccountName != "" {
		return "accountName"
	}
	return "id"
}

func (n namedRecord) unknown() lifecycle.RowFault {
	if n.Line == 0 {
		return lifecycle.RowFault{Kind: lifecycle.KindReferenceNotFound, Message: "recordIds names no record of the source: " + n.RecordID.String()}
	}
	return n.fault(lifecycle.KindReferenceNotFound, n.column(), "the source has no such record")
}

// fault is what is wrong with the record: at its line of a file or, where there is
// none, by its name.
func (n namedRecord) fault(kind lifecycle.Kind, column, message string) lifecycle.RowFault {
	if n.Line == 0 {
		return lifecycle.RowFault{Kind: kind, Message: fmt.Sprintf("record %s (%s): %s", n.record, n.accountName, message)}
	}
	return lifecycle.RowFault{Row: n.Row, Line: n.Line, Column: column, Kind: kind, Message: message}
}

// acceptExtension writes the request and its items.
func acceptExtension(ctx context.Context, tx bun.Tx, e lifecycle.Extension, approvalPolicy lifecycle.ID) error {
	facts, err := auditFacts(map[string]any{
		"kind": lifecycle.RequestExtension, "approvalItems": itemIDs(e.Items), "records": e.Records, "skipped": e.Skipped,
	})
	if err != nil {
		return err
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionCreate, object: lifecycle.ObjectRequest, id: "r.id", source: "r.source_id",
		facts: "facts.facts", from: "r, facts",
	})
	if err != nil {
		return err
	}
	var end, waits any
	if !e.EndDate.IsZero() {
		end = e.EndDate
	}
	if len(e.Items) > 0 {
		waits = e.Created
	}
	err = exec(ctx, tx, `WITH r AS (
			INSERT INTO requests (id, source_id, requester_id, policy_id, kind, approval_status, pending_since, created, modified,
				account_name, account_name_folded, first_name, first_name_folded, last_name, last_name_folded,
				phone, email, email_folded, data)
			VALUES (?0, ?1, ?2, ?3, 'EXTENSION', ?4, ?12, ?5, ?5, '', '', '', '', '', '', '', '', '', '{}') RETURNING *
		), facts AS (SELECT ?6::jsonb AS facts), ?7
		INSERT INTO extensions (request_id, end_date, comment, records, skipped) VALUES (?0, ?8, ?9, ?10, ?11)`,
		e.ID, e.Source.ID, e.Requester, approvalPolicy, string(e.Status), e.Created, facts, audited, end, e.Comment, e.Records, e.Skipped, waits)
	if err != nil || len(e.Items) == 0 {
		return err
	}
	return exec(ctx, tx, insertItems, itemValues(e.Items, lifecycle.RequestExtension))
}

// addTargets adds the records, those that wait by their ids, so that of two
// extensions with the same records one waits for the other.
func addTargets(ctx context.Context, tx bun.Tx, request lifecycle.ID, named []namedRecord, parts []lifecycle.ExtensionRecord) error {
	values := make(tuples, len(parts))
	ids := make(idList, len(parts))
	for i, p := range parts {
		values[i] = []any{p.Number, p.RecordID, p.EndDateBefore, p.EndDate, string(p.Status), p.Reason}
		ids[i] = p.RecordID
	}
	added, err := affected(ctx, tx, `INSERT INTO extension_records (request_id, number, record_id, end_date_before, end_date, status, reason)
		SELECT ?0, v.number, v.record_id::uuid, v.before::timestamptz, v.end_date::timestamptz, v.status, v.reason
		FROM (VALUES ?1) AS v (number, record_id, before, end_date, status, reason) ORDER BY v.record_id::uuid
		ON CONFLICT (record_id) WHERE status = 'PENDING' DO NOTHING`, request, values)
	if err != nil || int(added) == len(parts) {
		return err
	}
	waiting := map[lifecycle.ID]bool{}
	var id lifecycle.ID
	rows, err := tx.QueryContext(ctx, `SELECT record_id FROM extension_records
		WHERE record_id = ANY (?) AND status = 'PENDING' AND request_id <> ?`, ids, request)
	if err := each(rows, err, []any{&id}, func() error { waiting[id] = true; return nil }); err != nil {
		return err
	}
	var faults lifecycle.ImportFaults
	for i, n := range named {
		if waiting[n.record] && parts[i].Status == lifecycle.StatusPending {
			faults.Add(n.fault(lifecycle.KindConflict, n.column(), "the record has an extension that is not decided yet"))
		}
	}
	if faults.Total == 0 {
		// The other one was decided in between.
		return lifecycle.NewError(lifecycle.KindUnavailable, textBusy)
	}
	return faults.Err()
}

// approveExtension makes the pending extension APPROVED and gives its records their
// new ends, those that are there, end before and were not ended before their time;
// the others are SKIPPED. The
// caller holds the counters of the source, so that no file is taken in meanwhile.
func approveExtension(ctx context.Context, tx bun.Tx, q lockedRequest, at time.Time) error {
	if err := tune(ctx, tx, bulk(byIndex)...); err != nil {
		return err
	}
	// Locked first: the ends before are to be those that are replaced, and the rows
	// to stay in their places, by which they are changed. What else the planner might
	// join them by it may take for few of them.
	err := exec(ctx, tx, `SELECT count(*) FROM (SELECT 1 FROM records WHERE id IN (
		SELECT record_id FROM extension_records WHERE request_id = ? AND status = 'PENDING') ORDER BY id FOR NO KEY UPDATE) AS locked`, q.id)
	if err != nil {
		return err
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionApprove, object: lifecycle.ObjectRequest, id: "q.id", source: "q.source_id",
		facts: "jsonb_strip_nulls(jsonb_build_object('approvalStatus', q.approval_status, 'kind', q.kind, 'item', " + uuidLiteral(q.decided) +
			", 'approved', e.approved, 'rejected', e.rejected, 'skipped', e.skipped))",
		from: "q, e",
	}, auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		facts:    "jsonb_build_object('extension', " + uuidLiteral(q.id) + ")",
		before:   `jsonb_build_object('endDate', to_char(r.before, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`,
		after:    `jsonb_build_object('endDate', to_char(r.end_date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`,
		subjects: personSubjects, from: "r",
	})
	if err != nil {
		return err
	}
	var told extended
	found, err := row(ctx, tx, []any{&told.source, &told.requester, &told.approved, &told.rejected, &told.skipped, &told.endDate}, `WITH b AS MATERIALIZED (
			SELECT x.ctid AS place, x.end_date, r.ctid AS record_place, r.end_date AS before, CASE
				WHEN r.id IS NULL THEN ?4 WHEN r.ended_at IS NOT NULL THEN ?7 WHEN r.end_date >= x.end_date THEN ?5
				WHEN r.start_date >= x.end_date THEN ?6 ELSE '' END AS reason
			FROM extension_records AS x LEFT JOIN records AS r ON r.id = x.record_id
			WHERE x.request_id = ?0 AND x.status = 'PENDING'
		), r AS MATERIALIZED (
			UPDATE records AS r SET end_date = b.end_date, modified = greatest(?1, r.modified + interval '1 millisecond')
			FROM b WHERE r.ctid = b.record_place AND b.reason = ''
			RETURNING r.id, r.source_id, r.account_name_folded, r.email_folded, b.before, r.end_date
		), x AS (
			UPDATE extension_records AS x SET end_date_before = coalesce(b.before, x.end_date_before),
				status = CASE b.reason WHEN '' THEN 'APPROVED' ELSE 'SKIPPED' END, reason = b.reason
			FROM b WHERE x.ctid = b.place RETURNING x.status
		), e AS (
			UPDATE extensions AS e SET approved = n.approved, skipped = e.skipped + n.skipped FROM (
				SELECT count(*) FILTER (WHERE status = 'APPROVED') AS approved, count(*) FILTER (WHERE status = 'SKIPPED') AS skipped FROM x
			) AS n WHERE e.request_id = ?0 RETURNING e.*
		), q AS (
			UPDATE requests SET approval_status = 'APPROVED', pending_since = NULL, completion_date = ?1, modified = ?2
			WHERE id = ?0 AND approval_status = 'PENDING' RETURNING *
		), ?3
		SELECT q.source_id, q.requester_id, e.approved, e.rejected, e.skipped, e.end_date FROM q, e`,
		q.id, at, q.moved(at), audited, lifecycle.SkippedDeleted, lifecycle.SkippedNotLater, lifecycle.SkippedNotStarted,
		lifecycle.SkippedEnded)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("store: the extension %s can't be approved", q.id)
	}
	return told.tell(ctx, tx, q.id)
}

// extended is what there is to tell of an extension that was approved.
type extended struct {
	source, requester           lifecycle.ID
	approved, rejected, skipped int
	// endDate is the new end; NULL where the records were given ends of their own.
	endDate sql.NullTime
}

// tell tells whoever answers for the source and the requester of all the records,
// and every other manager of theirs: one event each, however many records there
// are.
func (e extended) tell(ctx context.Context, tx bun.Tx, request lifecycle.ID) error {
	if e.approved == 0 {
		return nil
	}
	var record taken
	records := make([]taken, 0, e.approved)
	rows, err := tx.QueryContext(ctx, `SELECT r.id, r.manager_id FROM extension_records AS x JOIN records AS r ON r.id = x.record_id
		WHERE x.request_id = ? AND x.status = 'APPROVED' ORDER BY r.manager_id, x.number`, request)
	err = each(rows, err, []any{&record.id, &record.manager}, func() error { records = append(records, record); return nil })
	if err != nil {
		return err
	}
	event := lifecycle.Event{
		Type: lifecycle.EventExtended, Source: e.source, Request: request,
		Facts: map[string]any{
			"kind": string(lifecycle.RequestExtension), "approved": e.approved, "rejected": e.rejected, "skipped": e.skipped,
		},
	}
	if e.endDate.Valid {
		event.Facts["endDate"] = lifecycle.FormatTime(e.endDate.Time)
	}
	if !e.requester.IsZero() {
		event.Recipients = []lifecycle.Reference{lifecycle.IdentityReference(e.requester)}
	}
	return tellOfRecords(ctx, tx, event, []lifecycle.WarnedRole{lifecycle.WarnAccountManagers, lifecycle.WarnManager}, records)
}

// closeExtension makes the pending extension, whose items are closed, REJECTED or
// CANCELLED for a reason, and with it its records that wait.
func closeExtension(ctx context.Context, tx bun.Tx, q lockedRequest, status lifecycle.ApprovalStatus, reason string, at time.Time) error {
	audited, err := auditClosed(ctx, q, status)
	if err != nil {
		return err
	}
	return one(affected(ctx, tx, `WITH x AS (
			UPDATE extension_records SET status = ?1 WHERE request_id = ?0 AND status = 'PENDING' RETURNING 1
		), e AS (
			UPDATE extensions SET ?2 = ?2 + (SELECT count(*) FROM x) WHERE request_id = ?0
		), q AS (
			UPDATE requests SET approval_status = ?1, pending_since = NULL, modified = ?3, cancellation_reason = ?4
			WHERE id = ?0 AND approval_status = 'PENDING' RETURNING *
		), ?5 SELECT 1 FROM q`, q.id, string(status), counterOf[status], q.moved(at), reason, audited))
}

// CancelExtension withdraws a pending extension: it, its undecided items and its
// records that wait become CANCELLED. Errors: KindNotFound, KindIllegalUpdate for
// one that is final.
func (s *Store) CancelExtension(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "CancelExtension", time.Now(), &err)
	return s.inRequest(ctx, id, func(tx bun.Tx, source lifecycle.ID, q lockedRequest) error {
		switch {
		case q.kind != lifecycle.RequestExtension:
			return missing()
		case q.status.Final():
			return errFinal
		}
		return closeRequest(ctx, tx, source, q, lifecycle.StatusCancelled, lifecycle.ReasonWithdrawn, now())
	})
}

// AnnounceExtensionDecision is [Store.AnnounceDecision] for an approval that takes
// records out of its extension; the others go on. Errors: KindNotFound where the
// item is gone, KindIllegalUpdate for an item that is decided, or closed, by
// another decision, KindReferenceNotFound for a record that the extension has not,
// KindIllegalValue where none would be left.
func (s *Store) AnnounceExtensionDecision(ctx context.Context, decision lifecycle.Decision, comment string, rejected []lifecycle.ID) (err error) {
	defer s.done(ctx, "AnnounceExtensionDecision", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		var status lifecycle.ApprovalStatus
		var stored lifecycle.ID
		found, err := row(ctx, tx, []any{&status, &stored},
			"SELECT status, decision_id FROM approval_items WHERE id = ? AND request_id = ?", decision.ItemID, decision.RequestID)
		switch {
		case err != nil:
			return err
		case !found:
			return missing()
		case stored == decision.ID:
			return nil
		case status != lifecycle.StatusPending:
			return lifecycle.NotDecidable(status)
		}
		var unknown sql.NullString
		var left bool
		if _, err := row(ctx, tx, []any{&unknown, &left}, `SELECT
			(SELECT i.id::text FROM unnest(?1) WITH ORDINALITY AS i (id, position)
				WHERE i.id NOT IN (SELECT x.record_id FROM extension_records AS x WHERE x.request_id = ?0) ORDER BY i.position LIMIT 1),
			EXISTS (SELECT 1 FROM extension_records AS x WHERE x.request_id = ?0 AND x.status = 'PENDING' AND x.record_id <> ALL (?1))`,
			decision.RequestID, idList(rejected)); err != nil {
			return err
		}
		if unknown.Valid {
			return lifecycle.FieldError(lifecycle.KindReferenceNotFound, "rejectedRecords",
				"rejectedRecords names no record of the extension: "+unknown.String)
		}
		if !left {
			return lifecycle.FieldError(lifecycle.KindIllegalValue, "rejectedRecords",
				"rejectedRecords must leave a record; reject the extension as a whole instead.")
		}
		announced, err := affected(ctx, tx, announceDecision, announcement(ctx, decision, comment)...)
		if err != nil || announced == 0 {
			return err
		}
		return exec(ctx, tx, `INSERT INTO decision_rejections (decision_id, record_id) SELECT DISTINCT ?::uuid, r FROM unnest(?) AS r`,
			decision.ID, idList(rejected))
	})
}

// rejectRecords takes the records out of the extension that were announced with
// the decision.
func rejectRecords(ctx context.Context, tx bun.Tx, decision lifecycle.Decision) error {
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionReject, object: lifecycle.ObjectRecord, id: "x.record_id", source: "q.source_id",
		facts: "jsonb_build_object('extension', q.id, 'item', " + uuidLiteral(decision.ItemID) + ")",
		from:  "x JOIN requests AS q ON q.id = x.request_id",
	})
	if err != nil {
		return err
	}
	return exec(ctx, tx, `WITH x AS (
			UPDATE extension_records AS x SET status = 'REJECTED', decided_by = c.approver_id
			FROM decision_comments AS c JOIN decision_rejections AS d ON d.decision_id = c.decision_id
			WHERE c.decision_id = ?0 AND c.item_id = ?1 AND c.approver_id = ?2 AND c.verdict = ?3
				AND x.request_id = ?4 AND x.record_id = d.record_id AND x.status = 'PENDING'
			RETURNING x.request_id, x.record_id
		), ?5
		UPDATE extensions SET rejected = rejected + (SELECT count(*) FROM x) WHERE request_id = ?4`,
		decision.ID, decision.ItemID, decision.Approver, string(decision.Verdict), decision.RequestID, audited)
}

const fromExtensions = ` FROM requests AS r JOIN extensions AS e ON e.request_id = r.id JOIN sources AS s ON s.id = r.source_id `

// assignedTo: an item of the request r was given to the identity ?0, or to a
// workgroup it is a member of.
const assignedTo = `EXISTS (SELECT 1 FROM approval_items AS i WHERE i.request_id = r.id AND CASE i.approver_type
	WHEN 'IDENTITY' THEN coalesce(i.approver_id = ?0, FALSE)
	ELSE EXISTS (SELECT 1 FROM workgroup_members AS w WHERE w.workgroup_id = i.approver_id AND w.identity_id = ?0) END)`

var lookupExtension = "SELECT " + extensionColumns + ", " + viewerRelations + ", coalesce(r.requester_id = $2::uuid, FALSE), " +
	strings.ReplaceAll(assignedTo, "?0", "$2::uuid") + fromExtensions + "WHERE r.id = $1"

// GetExtension returns the extension with its items and what ties viewer, who may
// be zero, to it; KindNotFound if there is none.
func (s *Store) GetExtension(ctx context.Context, id, viewer lifecycle.ID) (extension lifecycle.Extension, rel policy.Relations, err error) {
	defer s.done(ctx, "GetExtension", time.Now(), &err)
	var r extensionRow
	found, err := s.lookup(ctx, append(r.dest(), &rel.AccountManager, &rel.Workgroup, &rel.Requester, &rel.Approver), lookupExtension, id, viewer)
	if err != nil {
		return lifecycle.Extension{}, policy.Relations{}, err
	}
	if !found {
		return lifecycle.Extension{}, policy.Relations{}, missing()
	}
	extension, err = r.toExtension()
	return extension, rel, err
}

// extensionList is the list of the extensions within reach: of sources that
// reach.ManagedBy manages, or that it asked for, and those that reach.AssignedTo
// has or had an item of.
func (s *Store) extensionList(reach policy.Reach) list {
	l := list{table: "requests", fields: extensionFields, only: bun.SafeQuery("r.kind = 'EXTENSION'")}
	if !reach.All {
		l.only = bun.SafeQuery("r.kind = 'EXTENSION' AND (coalesce(r.requester_id = ?0, FALSE) OR r.source_id IN (?1) OR ?2)",
			uuidOf(reach.ManagedBy), s.reachSources(reach), bun.SafeQuery(assignedTo, uuidOf(reach.AssignedTo)))
	}
	return l
}

// ListExtensions returns a page with the items and, where q.Count, the number of
// matches.
func (s *Store) ListExtensions(ctx context.Context, reach policy.Reach, q filter.Query) (extensions []lifecycle.Extension, count int, err error) {
	defer s.done(ctx, "ListExtensions", time.Now(), &err)
	list := s.extensionList(reach)
	if q.Count {
		query, err := s.matches(list, q.Where)
		if err != nil {
			return nil, 0, err
		}
		if count, err = s.scalar(ctx, query); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	page, err := s.page(list, q)
	if err != nil {
		return nil, 0, err
	}
	order, err := list.fields.order(q.Sort)
	if err != nil {
		return nil, 0, err
	}
	query := s.db.NewSelect().ColumnExpr(extensionColumns).TableExpr("(?) AS r", page).
		Join("JOIN extensions AS e ON e.request_id = r.id").Join("JOIN sources AS s ON s.id = r.source_id")
	for _, term := range order {
		query = query.OrderExpr(term)
	}
	var r extensionRow
	err = s.rows(ctx, query, r.dest(), func() error {
		extension, err := r.toExtension()
		extensions = append(extensions, extension)
		return err
	})
	return extensions, count, err
}

// ListExtensionRecords returns a page of the records of the extension in the order
// in which they were named and, where q.Count, the number of matches. An unknown
// extension has none.
func (s *Store) ListExtensionRecords(ctx context.Context, extension lifecycle.ID, q filter.Query) (records []lifecycle.ExtensionRecord, count int, err error) {
	defer s.done(ctx, "ListExtensionRecords", time.Now(), &err)
	condition, err := extensionRecordFields.condition(q.Where)
	if err != nil {
		return nil, 0, err
	}
	of := s.db.NewSelect().TableExpr("extension_records AS r").Where("r.request_id = ?", extension).Where("?", condition)
	if q.Count {
		if count, err = s.scalar(ctx, of.Clone().ColumnExpr("count(*)")); err != nil {
			return nil, 0, err
		}
	}
	if q.Limit == 0 {
		return nil, count, nil
	}
	page := of.ColumnExpr("r.*").OrderExpr("r.number").Limit(int64(q.Limit)).Offset(int64(q.Offset))
	query := s.db.NewSelect().ColumnExpr(`r.number, r.record_id, coalesce(p.account_name, ''), coalesce(p.first_name, ''),
			coalesce(p.last_name, ''), coalesce(m.alias, ''), r.end_date_before, r.end_date, r.status, r.reason, r.decided_by`).
		TableExpr("(?) AS r", page).Join("LEFT JOIN records AS p ON p.id = r.record_id").
		Join("LEFT JOIN identities AS m ON m.id = p.manager_id").OrderExpr("r.number")
	var r lifecycle.ExtensionRecord
	err = s.rows(ctx, query, []any{
		&r.Number, &r.RecordID, &r.AccountName, &r.FirstName, &r.LastName, &r.Manager, &r.EndDateBefore, &r.EndDate,
		&r.Status, &r.Reason, &r.RejectedBy,
	}, func() error {
		r.EndDateBefore, r.EndDate = r.EndDateBefore.UTC(), r.EndDate.UTC()
		records = append(records, r)
		return nil
	})
	return records, count, err
}
