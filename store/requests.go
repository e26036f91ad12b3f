package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// recordSpace is the name space of the ids of records that requests become, so
// that one request becomes one record however often it is completed.
var recordSpace = lifecycle.MustParseID("5b0c8e0f-36a1-5a6e-8f0e-2d4c9b7a1e63")

// requestColumns are those of r, a request, with its source s and manager m.
const requestColumns = `r.id, s.id, s.name, s.description, r.requester_id, ` + personColumns + `,
	r.approval_status, r.completion_date, r.created, r.modified, ` + itemsOfRequest

// itemsOfRequest are the items of the request r, one JSON array.
const itemsOfRequest = `(SELECT json_agg(json_build_object(
		'id', i.id, 'order', i.position, 'approver', i.approver_id, 'type', i.approver_type, 'status', i.status,
		'decidedBy', i.decided_by, 'comment', i.comment,
		'created', (extract(epoch FROM i.created) * 1000)::bigint,
		'modified', (extract(epoch FROM i.modified) * 1000)::bigint) ORDER BY i.position)
	FROM approval_items AS i WHERE i.request_id = r.id)`

type requestRow struct {
	personRow
	request   lifecycle.Request
	completed sql.NullTime
	items     sql.NullString
}

func (r *requestRow) dest() []any {
	q := &r.request
	dest := append([]any{&q.ID, &q.Source.ID, &q.Source.Name, &q.Source.Description, &q.Requester}, r.personRow.dest()...)
	return append(dest, &q.Status, &r.completed, &q.Created, &q.Modified, &r.items)
}

func (r *requestRow) toRequest() (lifecycle.Request, error) {
	q := r.request
	q.Created, q.Modified = q.Created.UTC(), q.Modified.UTC()
	if r.completed.Valid {
		q.Completed = r.completed.Time.UTC()
	}
	var err error
	if q.Person, err = r.toPerson(); err != nil {
		return q, err
	}
	q.Items, err = parseItems(r.items.String, q)
	return q, err
}

func parseItems(text string, request lifecycle.Request) ([]lifecycle.ApprovalItem, error) {
	if text == "" {
		return nil, nil
	}
	var rows []struct {
		ID        lifecycle.ID
		Order     int
		Approver  lifecycle.ID
		Type      lifecycle.ReferenceType
		Status    lifecycle.ApprovalStatus
		DecidedBy lifecycle.ID
		Comment   string
		Created   int64
		Modified  int64
	}
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	items := make([]lifecycle.ApprovalItem, len(rows))
	for i, r := range rows {
		items[i] = lifecycle.ApprovalItem{
			ID: r.ID, RequestID: request.ID, Order: r.Order,
			Approver: lifecycle.Reference{ID: r.Approver, Type: r.Type}, Status: r.Status,
			DecidedBy: r.DecidedBy, Comment: r.Comment, AccountName: request.AccountName, Requester: request.Requester,
			Created: time.UnixMilli(r.Created).UTC(), Modified: time.UnixMilli(r.Modified).UTC(),
		}
	}
	return items, nil
}

// AcceptRequest is the accepting transaction: the request, its items for the
// approvers that the source names at this moment, the account name and the
// counter. request carries ID, Source.ID, Requester, Person and Created; the
// rest is filled in. Errors as CreateRecord's.
func (s *Store) AcceptRequest(ctx context.Context, request lifecycle.Request, maxPerSource int) (accepted lifecycle.Request, err error) {
	defer s.done(ctx, "AcceptRequest", time.Now(), &err)
	var approvers, manager sql.NullString
	var approvalPolicy lifecycle.ID
	found, err := row(ctx, s.db, []any{&request.Source.Name, &request.Source.Description, &approvers, &manager, &approvalPolicy},
		"SELECT s.name, s.description, "+approverList+`, (SELECT m.alias FROM identities AS m WHERE m.id = ?), `+policyInForce+`
		FROM sources AS s WHERE s.id = ?`, request.Manager.ID, request.Source.ID)
	switch {
	case err != nil:
		return lifecycle.Request{}, err
	case !found:
		return lifecycle.Request{}, errNoSource
	case !manager.Valid:
		return lifecycle.Request{}, errNoManager
	}
	references, err := parseReferences(approvers.String)
	if err != nil {
		return lifecycle.Request{}, err
	}
	request.Manager.Alias = manager.String
	request.Status, request.Completed, request.Modified = lifecycle.StatusPending, time.Time{}, request.Created
	if request.Data == nil {
		request.Data = map[string]string{}
	}
	request.Items = lifecycle.NewApprovalItems(request, references)
	moved := false
	err = s.inTx(ctx, func(tx bun.Tx) error {
		err := acceptRequest(ctx, tx, request, approvalPolicy, maxPerSource)
		if err != nil || len(request.Items) == 0 {
			return err
		}
		moved, err = placeFirst(ctx, tx, request)
		return err
	})
	if err != nil || !moved {
		return request, err
	}
	request, _, err = s.GetRequest(ctx, request.ID, lifecycle.ID{})
	return request, err
}

// placeFirst has the first item of a request that was just stored go to whoever is
// to decide it; nobody else sees the request yet, and its source's counters are
// locked. moved is whether anything changed.
func placeFirst(ctx context.Context, tx bun.Tx, request lifecycle.Request) (moved bool, err error) {
	q, err := lockRequest(ctx, tx, request.ID)
	if err != nil {
		return false, err
	}
	at := request.Created
	done, err := assign(ctx, tx, request.Source.ID, q, request.Items[0].ID, at)
	if err == nil && !done.found {
		err = closeRequest(ctx, tx, request.Source.ID, q, lifecycle.StatusCancelled, lifecycle.ReasonOnlyRequester, at)
	}
	return done.moved || !done.found, err
}

// policyInForce is the id of the approval policy of the source s.
const policyInForce = `(SELECT p.id FROM approval_policies AS p WHERE p.current AND (p.source_id = s.id OR p.source_id IS NULL)
	ORDER BY p.source_id IS NULL LIMIT 1)`

func acceptRequest(ctx context.Context, tx bun.Tx, q lifecycle.Request, approvalPolicy lifecycle.ID, maxPerSource int) error {
	err := takePlace(ctx, tx, q.Source.ID, maxPerSource, "pending = pending + 1, items = items + ?", len(q.Items))
	if err != nil {
		return err
	}
	values, err := personValues(q.Person, q.Source.ID)
	if err != nil {
		return err
	}
	facts, err := auditFacts(map[string]any{"approvalItems": itemIDs(q.Items)})
	if err != nil {
		return err
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionCreate, object: lifecycle.ObjectRequest, id: "r.id", source: "r.source_id",
		facts: "facts.facts", after: auditedPerson, subjects: personSubjects, from: "r, facts",
	})
	if err != nil {
		return err
	}
	const insert = `WITH name AS (INSERT INTO account_names (source_id, folded, holder) VALUES ?0),
		r AS (INSERT INTO requests (id, source_id, requester_id, policy_id, approval_status, pending_since, created, modified, ` + storedPerson + `) VALUES ?1 RETURNING *),
		facts AS (SELECT ?2::jsonb AS facts), ?3`
	name := tuples{{q.Source.ID, lifecycle.Fold(q.AccountName), q.ID}}
	var waits any
	if len(q.Items) > 0 {
		waits = bun.SafeQuery("?::timestamptz", q.Items[0].Created)
	}
	request := tuples{append([]any{q.ID, q.Source.ID, q.Requester, approvalPolicy, string(q.Status), waits, q.Created, q.Modified}, values...)}
	if len(q.Items) == 0 {
		if err := exec(ctx, tx, insert+" SELECT", name, request, facts, audited); err != nil {
			return nameTaken(err, q.AccountName)
		}
		return requestMade(ctx, tx, q)
	}
	err = exec(ctx, tx, insert+" "+strings.Replace(insertItems, "?", "?4", 1), name, request, facts, audited, itemValues(q.Items, lifecycle.RequestCreation))
	if err != nil {
		return nameTaken(err, q.AccountName)
	}
	return requestMade(ctx, tx, q)
}

// insertItems takes itemValues.
const insertItems = `INSERT INTO approval_items
	(id, request_id, position, approver_id, approver_type, kind, status, pending_since, assigned_since, created, modified) VALUES ?`

// itemValues are new items of a request of this kind; there is at least one.
func itemValues(items []lifecycle.ApprovalItem, kind lifecycle.RequestKind) tuples {
	values := make(tuples, len(items))
	for i, item := range items {
		var since any
		if item.Status == lifecycle.StatusPending {
			since = item.Created
		}
		values[i] = []any{
			item.ID, item.RequestID, item.Order, item.Approver.ID, string(item.Approver.Type), string(kind), string(item.Status),
			since, since, item.Created, item.Modified,
		}
	}
	return values
}

// requestMade tells the requester, in the accepting transaction.
func requestMade(ctx context.Context, tx bun.Tx, q lifecycle.Request) error {
	return tell(ctx, tx, lifecycle.Event{
		Type: lifecycle.EventRequestMade, Source: q.Source.ID, Request: q.ID,
		Recipients: []lifecycle.Reference{lifecycle.IdentityReference(q.Requester)},
	})
}

func itemIDs(items []lifecycle.ApprovalItem) []lifecycle.ID {
	ids := make([]lifecycle.ID, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	return ids
}

var lookupRequest = "SELECT " + requestColumns + ", " + viewerRelations + `, coalesce(r.requester_id = $2::uuid, FALSE)
	FROM requests AS r
	JOIN identities AS m ON m.id = r.manager_id
	JOIN sources AS s ON s.id = r.source_id
	WHERE r.id = $1 AND r.kind = 'CREATION'`

// GetRequest returns the request with its items and what ties viewer, who may
// be zero, to it; KindNotFound if there is none.
func (s *Store) GetRequest(ctx context.Context, id, viewer lifecycle.ID) (request lifecycle.Request, rel policy.Relations, err error) {
	defer s.done(ctx, "GetRequest", time.Now(), &err)
	var r requestRow
	found, err := s.lookup(ctx, append(r.dest(), &rel.AccountManager, &rel.Workgroup, &rel.Requester), lookupRequest, id, viewer)
	if err != nil {
		return lifecycle.Request{}, policy.Relations{}, err
	}
	if !found {
		return lifecycle.Request{}, policy.Relations{}, missing()
	}
	request, err = r.toRequest()
	return request, rel, err
}

// ListRequests returns a page with the items and, where q.Count, the number of
// matches. Without a filter, or with one source alone, the number is that of
// the counters.
func (s *Store) ListRequests(ctx context.Context, reach policy.Reach, q filter.Query) (requests []lifecycle.Request, count int, err error) {
	defer s.done(ctx, "ListRequests", time.Now(), &err)
	if q.Count {
		query, err := s.countRequestsQuery(reach, q.Where)
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
	query, err := s.requestsQuery(reach, q)
	if err != nil {
		return nil, 0, err
	}
	var r requestRow
	err = s.rows(ctx, query, r.dest(), func() error {
		request, err := r.toRequest()
		requests = append(requests, request)
		return err
	})
	return requests, count, err
}

// onlyCreations: the contract knows no other requests, nor items of others.
var onlyCreations = bun.SafeQuery("r.kind = 'CREATION'")

func (s *Store) requestList(reach policy.Reach) list {
	return list{
		table: "requests", fields: requestFields, only: onlyCreations,
		reach: s.reachSources(reach), within: "r.source_id = reach.id",
	}
}

func (s *Store) requestsQuery(reach policy.Reach, q filter.Query) (*bun.SelectQuery, error) {
	query, err := s.peopleQuery(s.requestList(reach), q, requestColumns)
	if err != nil {
		return nil, err
	}
	return query.Join("JOIN sources AS s ON s.id = r.source_id"), nil
}

func (s *Store) countRequestsQuery(reach policy.Reach, where filter.Expr) (*bun.SelectQuery, error) {
	const all = "coalesce(sum(c.pending + c.approved + c.rejected + c.cancelled), 0)"
	if query := s.countersQuery(reach, where, all); query != nil {
		return query, nil
	}
	return s.matches(s.requestList(reach), where)
}

// SummarizeRequests counts the requests and records of the sources within
// reach, from the counters.
func (s *Store) SummarizeRequests(ctx context.Context, reach policy.Reach) (sum lifecycle.RequestSummary, err error) {
	defer s.done(ctx, "SummarizeRequests", time.Now(), &err)
	query := s.countersQuery(reach, nil, `coalesce(sum(c.approved), 0), coalesce(sum(c.rejected), 0),
		coalesce(sum(c.pending), 0), coalesce(sum(c.records), 0)`)
	err = s.rows(ctx, query, []any{&sum.Approved, &sum.Rejected, &sum.Pending, &sum.Records}, func() error { return nil })
	return sum, err
}

// DeleteRequest removes the request; a pending one frees its account name and
// its place in the counter. A decided one leaves its record. Its workflow is
// noted to end, unless it is known to have done so. KindNotFound if there is
// none.
func (s *Store) DeleteRequest(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteRequest", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		source, found, err := lockCountersOf(ctx, tx, "requests", id, forCounting)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		q, err := lockRequest(ctx, tx, id)
		if err != nil {
			return err
		}
		if q.kind != lifecycle.RequestCreation {
			return missing()
		}
		// The request first, its items by cascade: others lock them in this order.
		var items int
		if _, err := row(ctx, tx, []any{&items}, "SELECT count(*) FROM approval_items WHERE request_id = ?", id); err != nil {
			return err
		}
		audited, err := auditOf(ctx, auditQuery{
			action: lifecycle.ActionDelete, object: lifecycle.ObjectRequest, id: "r.id", source: "r.source_id",
			facts: requestFacts, before: auditedPerson, subjects: personSubjects, from: "r",
		})
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, "WITH r AS (DELETE FROM requests WHERE id = ? RETURNING *), ? SELECT", id, audited); err != nil {
			return err
		}
		if q.status == lifecycle.StatusPending {
			if err := freeName(ctx, tx, source, q); err != nil {
				return err
			}
		}
		if q.running() {
			if err := exec(ctx, tx, `INSERT INTO workflow_endings (request_id, created) VALUES (?, ?)
				ON CONFLICT DO NOTHING`, id, now()); err != nil {
				return err
			}
		}
		column := counterOf[q.status]
		return exec(ctx, tx, "UPDATE source_counters SET ?0 = ?0 - 1, items = items - ?1 WHERE source_id = ?2",
			column, items, source)
	})
}

// requestFacts are what of a request r is told beside the person.
const requestFacts = "jsonb_build_object('approvalStatus', r.approval_status)"

// counterOf is the counter of the requests with a status.
var counterOf = map[lifecycle.ApprovalStatus]bun.Safe{
	lifecycle.StatusPending: "pending", lifecycle.StatusApproved: "approved",
	lifecycle.StatusRejected: "rejected", lifecycle.StatusCancelled: "cancelled",
}

// actionOf is what was done to a request that ends with a status and without a
// record.
var actionOf = map[lifecycle.ApprovalStatus]lifecycle.AuditAction{
	lifecycle.StatusRejected: lifecycle.ActionReject, lifecycle.StatusCancelled: lifecycle.ActionCancel,
}

// lockedRequest is what transactions need of a request that they locked.
type lockedRequest struct {
	id       lifecycle.ID
	kind     lifecycle.RequestKind
	status   lifecycle.ApprovalStatus
	name     string
	modified time.Time
	seen     time.Time
	// requester is zero where an application asked; selfApproval lets them decide.
	requester    lifecycle.ID
	selfApproval bool
	// decided is the item whose decision is being stored, zero where none is.
	decided lifecycle.ID
}

// moved is a time for the row to be changed at, behind all that happened to it.
func (q lockedRequest) moved(at time.Time) time.Time { return later(at, q.modified, q.seen) }

// running reports whether the request's workflow has something to do still.
func (q lockedRequest) running() bool { return !q.status.Final() || q.seen.Before(q.modified) }

// selfApproval is whether who made the request q may decide it: where its policy
// says so, and where it is from before there were policies.
const selfApproval = `coalesce((SELECT (p.policy->>'selfApproval')::boolean FROM approval_policies AS p WHERE p.id = q.policy_id), q.policy_id IS NULL)`

// lockRequest locks the request, after the counters of its source where both
// are needed; KindNotFound if there is none.
func lockRequest(ctx context.Context, tx bun.Tx, id lifecycle.ID) (lockedRequest, error) {
	q := lockedRequest{id: id}
	found, err := row(ctx, tx, []any{&q.kind, &q.status, &q.name, &q.modified, &q.seen, &q.requester, &q.selfApproval},
		`SELECT q.kind, q.approval_status, q.account_name_folded, q.modified, q.workflow_seen_at, q.requester_id, `+selfApproval+`
		FROM requests AS q WHERE q.id = ? FOR UPDATE`, id)
	if err == nil && !found {
		return q, missing()
	}
	return q, err
}

func freeName(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest) error {
	return exec(ctx, tx, "DELETE FROM account_names WHERE source_id = ? AND folded = ? AND holder = ?",
		source, q.name, q.id)
}

// recordOf is the id of the record that the request becomes.
func recordOf(request lifecycle.ID) lifecycle.ID {
	return lifecycle.DeriveID(recordSpace, request.String())
}

// approveRequest makes the pending request APPROVED and a record of it: the
// record takes over the account name, and a place that the request had. An
// extension gives its records their new ends.
func approveRequest(ctx context.Context, tx bun.Tx, q lockedRequest, at time.Time) error {
	if q.kind == lifecycle.RequestExtension {
		return approveExtension(ctx, tx, q, at)
	}
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionApprove, object: lifecycle.ObjectRequest, id: "q.id", source: "q.source_id",
		facts: "jsonb_strip_nulls(jsonb_build_object('approvalStatus', q.approval_status, 'record', r.id, 'item', " + uuidLiteral(q.decided) + "))",
		from:  "q, r",
	}, auditQuery{
		action: lifecycle.ActionCreate, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		facts: "jsonb_build_object('request', q.id)", after: auditedPerson, subjects: personSubjects, from: "q, r",
	})
	if err != nil {
		return err
	}
	moved, err := affected(ctx, tx, `WITH q AS (
			UPDATE requests SET approval_status = 'APPROVED', pending_since = NULL, completion_date = ?0, modified = ?1
			WHERE id = ?2 AND approval_status = 'PENDING' RETURNING *
		), r AS (
			INSERT INTO records (id, source_id, created, modified, `+storedPerson+`)
			SELECT ?3::uuid, source_id, ?0::timestamptz, ?0::timestamptz, `+storedPerson+` FROM q RETURNING *
		), ?4, name AS (
			UPDATE account_names AS n SET holder = ?3::uuid FROM q
			WHERE n.source_id = q.source_id AND n.folded = q.account_name_folded AND n.holder = q.id
		)
		UPDATE source_counters AS c SET pending = pending - 1, approved = approved + 1, records = records + 1
		FROM q WHERE c.source_id = q.source_id`,
		at, q.moved(at), q.id, recordOf(q.id), audited)
	return one(moved, err)
}

// closeRequest makes the pending request REJECTED, or CANCELLED for a reason,
// cancels the items that nobody decided and frees the account name.
func closeRequest(ctx context.Context, tx bun.Tx, source lifecycle.ID, q lockedRequest, status lifecycle.ApprovalStatus, reason string, at time.Time) error {
	cancelled, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionCancel, object: lifecycle.ObjectApprovalItem, id: "i.id", source: uuidLiteral(source),
		facts: "jsonb_build_object('request', i.request_id)", from: "i",
	})
	if err != nil {
		return err
	}
	if err := exec(ctx, tx, `WITH i AS (
			UPDATE approval_items SET status = 'CANCELLED', modified = ?
			WHERE request_id = ? AND status IN ('PENDING', 'NOT_READY') RETURNING *
		), ? SELECT`, at, q.id, cancelled); err != nil {
		return err
	}
	if q.kind == lifecycle.RequestExtension {
		return closeExtension(ctx, tx, q, status, reason, at)
	}
	if err := freeName(ctx, tx, source, q); err != nil {
		return err
	}
	audited, err := auditClosed(ctx, q, status)
	if err != nil {
		return err
	}
	moved, err := affected(ctx, tx, `WITH q AS (
			UPDATE requests SET approval_status = ?0, pending_since = NULL, modified = ?1, cancellation_reason = ?4
			WHERE id = ?2 AND approval_status = 'PENDING' RETURNING *
		), ?5
		UPDATE source_counters AS c SET pending = pending - 1, ?3 = ?3 + 1 FROM q WHERE c.source_id = q.source_id`,
		string(status), q.moved(at), q.id, counterOf[status], reason, audited)
	return one(moved, err)
}

// auditClosed is the part of a statement that tells of q, the request that was just
// closed.
func auditClosed(ctx context.Context, q lockedRequest, status lifecycle.ApprovalStatus) (schema.QueryAppender, error) {
	return auditOf(ctx, auditQuery{
		action: actionOf[status], object: lifecycle.ObjectRequest, id: "q.id", source: "q.source_id",
		facts: "jsonb_strip_nulls(jsonb_build_object('approvalStatus', q.approval_status, 'item', " + uuidLiteral(q.decided) +
			", 'reason', nullif(q.cancellation_reason, '')))",
		from: "q",
	})
}

// one holds that a write under lock changed the one row it was for.
func one(changed int64, err error) error {
	if err == nil && changed != 1 {
		return fmt.Errorf("store: a write changed %d rows instead of one", changed)
	}
	return err
}

// inRequest runs fn with the counters of the request's source and the request
// locked. KindNotFound if there is none.
func (s *Store) inRequest(ctx context.Context, id lifecycle.ID, fn func(tx bun.Tx, source lifecycle.ID, q lockedRequest) error) error {
	return s.inTx(ctx, func(tx bun.Tx) error {
		source, found, err := lockCountersOf(ctx, tx, "requests", id, forCounting)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		q, err := lockRequest(ctx, tx, id)
		if err != nil {
			return err
		}
		return fn(tx, source, q)
	})
}

// deciderGone: nobody is left who can decide the item i. Who was deleted is not
// active, and what was deleted has no members; who made the request may not.
const deciderGone = `CASE i.approver_type
	WHEN 'IDENTITY' THEN NOT EXISTS (SELECT 1 FROM identities AS a WHERE a.id = i.approver_id AND a.active AND ` + notRequester + `)
	ELSE NOT EXISTS (SELECT 1 FROM workgroup_members AS w JOIN identities AS a ON a.id = w.identity_id
		WHERE w.workgroup_id = i.approver_id AND a.active AND ` + notRequester + `) END`

// notRequester: the identity a may decide the item i as far as that hangs on who
// made its request.
const notRequester = `a.id IS DISTINCT FROM (SELECT CASE WHEN NOT ` + selfApproval + ` THEN q.requester_id END
	FROM requests AS q WHERE q.id = i.request_id)`

// LoadRequest returns where the request stands. KindNotFound if there is none.
func (s *Store) LoadRequest(ctx context.Context, id lifecycle.ID) (progress lifecycle.Progress, err error) {
	defer s.done(ctx, "LoadRequest", time.Now(), &err)
	var (
		since, assigned               sql.NullTime
		order, reminders, escalations sql.NullInt64
		gone                          sql.NullBool
		policyText                    sql.NullString
	)
	found := false
	err = s.prepared(ctx, []any{
		&progress.SourceID, &progress.Status, &progress.Extension, &progress.Items, &progress.Version, &progress.Pending, &order, &since, &gone,
		&assigned, &reminders, &escalations, &policyText,
	}, `SELECT r.source_id, r.approval_status, r.kind = 'EXTENSION', (SELECT count(*) FROM approval_items AS n WHERE n.request_id = r.id), r.modified,
			i.id, i.position, i.pending_since, `+deciderGone+`, i.assigned_since, i.reminders, i.escalations, p.policy::text
		FROM requests AS r LEFT JOIN approval_items AS i
			ON i.request_id = r.id AND i.status = 'PENDING' AND r.approval_status = 'PENDING'
		LEFT JOIN approval_policies AS p ON p.id = r.policy_id AND i.id IS NOT NULL
		WHERE r.id = $1`, func() error { found = true; return nil }, id.String())
	if err != nil {
		return lifecycle.Progress{}, err
	}
	if !found {
		return lifecycle.Progress{}, missing()
	}
	progress.Order, progress.Version = int(order.Int64), progress.Version.UTC()
	if progress.Pending.IsZero() {
		return progress, nil
	}
	progress.PendingSince, progress.ApproverGone = since.Time.UTC(), gone.Bool
	if !policyText.Valid {
		return progress, nil
	}
	approvalPolicy, err := parsePolicy(policyText.String)
	if err != nil {
		return lifecycle.Progress{}, err
	}
	progress.Next = approvalPolicy.Next(lifecycle.Waiting{
		PendingSince: progress.PendingSince, AssignedSince: assigned.Time.UTC(),
		Reminders: int(reminders.Int64), Escalations: int(escalations.Int64),
	}, s.day)
	return progress, nil
}

// MarkSeen notes that the request's workflow stands at the item, which is
// PENDING, or where item is zero at the end of the request, and knows this version
// of the rows, a zero one being any. It changes nothing where the rows stand
// elsewhere, or move away meanwhile: then the sweep has the workflow read them
// again. Nor does it where the request is gone.
func (s *Store) MarkSeen(ctx context.Context, id, item lifecycle.ID, version time.Time) (err error) {
	defer s.done(ctx, "MarkSeen", time.Now(), &err)
	return exec(ctx, s.db, "WITH "+markSeen+" SELECT", id, uuidOf(item), now(), versionOf(version))
}

// versionOf is NULL for a version that is not known.
func versionOf(version time.Time) schema.QueryAppender {
	if version.IsZero() {
		return bun.SafeQuery("NULL::timestamptz")
	}
	return bun.SafeQuery("?::timestamptz", version)
}

// markSeen is the part of a statement that does what MarkSeen does to the request
// ?0 and its item ?1 of version ?3, at ?2. Whoever waits for the row's lock gets the new row and
// keeps what it has read of all others; modified tells whether the two belong
// together.
const markSeen = `stands AS MATERIALIZED (
		SELECT r.id, r.modified FROM requests AS r
		LEFT JOIN approval_items AS i ON i.request_id = r.id AND i.status = 'PENDING'
		WHERE r.id = ?0 AND i.id IS NOT DISTINCT FROM ?1 AND (r.approval_status = 'PENDING') = (i.id IS NOT NULL)
			AND (?3 IS NULL OR r.modified = ?3)
	), seen AS (
		UPDATE requests AS r SET workflow_seen_at = greatest(?2, r.modified) FROM stands
		WHERE r.id = stands.id AND r.modified = stands.modified AND r.workflow_seen_at < r.modified
	)`

// CompleteRequest makes a pending request without approval items APPROVED, with
// its record. Errors: KindNotFound, KindIllegalUpdate for a request that is final
// or has items.
func (s *Store) CompleteRequest(ctx context.Context, id lifecycle.ID) (err error) {
	defer s.done(ctx, "CompleteRequest", time.Now(), &err)
	return s.inRequest(ctx, id, func(tx bun.Tx, _ lifecycle.ID, q lockedRequest) error {
		if q.status.Final() {
			return errFinal
		}
		var items int
		if _, err := row(ctx, tx, []any{&items}, "SELECT count(*) FROM approval_items WHERE request_id = ?", id); err != nil {
			return err
		}
		if items > 0 {
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "The request waits for its approvers.")
		}
		return approveRequest(ctx, tx, q, now())
	})
}

var errFinal = lifecycle.NewError(lifecycle.KindIllegalUpdate, "The request is not pending any more.")

// CancelRequest makes a pending request that nobody is left to decide and its
// undecided items CANCELLED, and frees the account name. reason is a code, for
// those who are told; where its requester alone is left it is
// lifecycle.ReasonOnlyRequester. Errors: KindNotFound, KindIllegalUpdate for a
// request that is final or that somebody can decide.
func (s *Store) CancelRequest(ctx context.Context, id lifecycle.ID, reason string) (err error) {
	defer s.done(ctx, "CancelRequest", time.Now(), &err)
	return s.inRequest(ctx, id, func(tx bun.Tx, source lifecycle.ID, q lockedRequest) error {
		if q.status.Final() {
			return errFinal
		}
		var gone, own bool
		if _, err := row(ctx, tx, []any{&gone, &own}, "SELECT "+deciderGone+", "+onlyRequester+` FROM approval_items AS i
			WHERE i.request_id = ?1 AND i.status = 'PENDING'`, uuidOf(q.requester), id); err != nil {
			return err
		}
		if own && !q.selfApproval {
			reason = lifecycle.ReasonOnlyRequester
		}
		if !gone {
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "The request has an approver who can decide.")
		}
		return closeRequest(ctx, tx, source, q, lifecycle.StatusCancelled, reason, now())
	})
}
