package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// approvalColumns are those of r, an item, with its request q.
const approvalColumns = `r.id, r.request_id, r.position, r.approver_id, r.approver_type, r.status, r.decided_by, r.comment,
	q.account_name, q.requester_id, r.kind = 'EXTENSION', r.created, r.modified`

func approvalDest(i *lifecycle.ApprovalItem) []any {
	return []any{
		&i.ID, &i.RequestID, &i.Order, &i.Approver.ID, &i.Approver.Type, &i.Status, &i.DecidedBy, &i.Comment,
		&i.AccountName, &i.Requester, &i.Extension, &i.Created, &i.Modified,
	}
}

var lookupApproval = "SELECT " + approvalColumns + ", " + selfApproval + ", r.delegated_from, " + viewerRelations + `, coalesce(q.requester_id = $2::uuid, FALSE),
		EXISTS (SELECT 1 FROM approval_reassignments AS h WHERE h.item_id = r.id AND CASE h.from_type
			WHEN 'IDENTITY' THEN h.from_id = $2::uuid
			ELSE EXISTS (SELECT 1 FROM workgroup_members AS w WHERE w.workgroup_id = h.from_id AND w.identity_id = $2::uuid) END),
		CASE r.approver_type WHEN 'IDENTITY' THEN coalesce(r.approver_id = $2::uuid, FALSE)
		ELSE EXISTS (SELECT 1 FROM workgroup_members AS w WHERE w.workgroup_id = r.approver_id AND w.identity_id = $2::uuid) END
	FROM approval_items AS r
	JOIN requests AS q ON q.id = r.request_id
	JOIN sources AS s ON s.id = q.source_id
	WHERE r.id = $1`

// GetApproval returns the item, of a request of either kind, and what ties viewer, who may be zero, to it;
// KindNotFound if there is none.
func (s *Store) GetApproval(ctx context.Context, id, viewer lifecycle.ID) (item lifecycle.ApprovalItem, rel policy.Relations, err error) {
	defer s.done(ctx, "GetApproval", time.Now(), &err)
	dest := append(approvalDest(&item), &item.SelfApproval, &item.OnBehalfOf,
		&rel.AccountManager, &rel.Workgroup, &rel.Requester, &rel.FormerApprover, &rel.Approver)
	found, err := s.lookup(ctx, dest, lookupApproval, id, viewer)
	if err != nil {
		return lifecycle.ApprovalItem{}, policy.Relations{}, err
	}
	if !found {
		return lifecycle.ApprovalItem{}, policy.Relations{}, missing()
	}
	item.Created, item.Modified = item.Created.UTC(), item.Modified.UTC()
	return item, rel, nil
}

// approvalList is the list of the items assigned to reach.AssignedTo or to a
// workgroup it is a member of, of requests that the contract knows.
func (s *Store) approvalList(reach policy.Reach) list {
	l := list{
		table: "approval_items", fields: approvalFields, only: onlyCreations,
		within: "r.approver_id = reach.id AND r.approver_type = reach.type",
	}
	if !reach.All {
		l.reach = s.db.NewSelect().ColumnExpr("a.id, a.type").TableExpr(`(SELECT ?0 AS id, 'IDENTITY' AS type
			UNION ALL SELECT w.workgroup_id, 'GOVERNANCE_GROUP' FROM workgroup_members AS w WHERE w.identity_id = ?0) AS a`,
			uuidOf(reach.AssignedTo)).Where("a.id IS NOT NULL")
	}
	return l
}

// ListApprovals returns a page and, where q.Count, the number of matches.
func (s *Store) ListApprovals(ctx context.Context, reach policy.Reach, q filter.Query) (items []lifecycle.ApprovalItem, count int, err error) {
	defer s.done(ctx, "ListApprovals", time.Now(), &err)
	if q.Count {
		query, err := s.countApprovalsQuery(reach, q.Where)
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
	query, err := s.approvalsQuery(reach, q)
	if err != nil {
		return nil, 0, err
	}
	var item lifecycle.ApprovalItem
	err = s.rows(ctx, query, approvalDest(&item), func() error {
		item.Created, item.Modified = item.Created.UTC(), item.Modified.UTC()
		items = append(items, item)
		return nil
	})
	return items, count, err
}

func (s *Store) approvalsQuery(reach policy.Reach, q filter.Query) (*bun.SelectQuery, error) {
	page, err := s.page(s.approvalList(reach), q)
	if err != nil {
		return nil, err
	}
	order, err := approvalFields.order(q.Sort)
	if err != nil {
		return nil, err
	}
	query := s.db.NewSelect().ColumnExpr(approvalColumns).TableExpr("(?) AS r", page).
		Join("JOIN requests AS q ON q.id = r.request_id")
	for _, term := range order {
		query = query.OrderExpr(term)
	}
	return query, nil
}

func (s *Store) countApprovalsQuery(reach policy.Reach, where filter.Expr) (*bun.SelectQuery, error) {
	if reach.All && where == nil {
		return s.countersQuery(reach, nil, "coalesce(sum(c.items), 0)"), nil
	}
	return s.matches(s.approvalList(reach), where)
}

// SummarizeApprovals counts the items within reach.
func (s *Store) SummarizeApprovals(ctx context.Context, reach policy.Reach) (sum lifecycle.ApprovalSummary, err error) {
	defer s.done(ctx, "SummarizeApprovals", time.Now(), &err)
	query, err := s.summaryQuery(reach)
	if err != nil {
		return lifecycle.ApprovalSummary{}, err
	}
	var status lifecycle.ApprovalStatus
	var n int
	err = s.rows(ctx, query, []any{&n, &status}, func() error {
		switch status {
		case lifecycle.StatusApproved:
			sum.Approved = n
		case lifecycle.StatusRejected:
			sum.Rejected = n
		case lifecycle.StatusPending:
			sum.Pending = n
		case lifecycle.StatusNotReady, lifecycle.StatusCancelled, lifecycle.StatusSkipped:
		}
		return nil
	})
	return sum, err
}

// summaryQuery has all its columns in one index, which it is read from.
func (s *Store) summaryQuery(reach policy.Reach) (*bun.SelectQuery, error) {
	query, err := s.matches(s.approvalList(reach), nil)
	if err != nil {
		return nil, err
	}
	return query.ColumnExpr("r.status").GroupExpr("r.status"), nil
}

// AnnounceDecision keeps what of a decision that is about to be sent does not
// travel with it: the comment, and what the context knows of its sender. A second
// one under the same id changes nothing. KindNotFound if the item is gone.
func (s *Store) AnnounceDecision(ctx context.Context, decision lifecycle.Decision, comment string) (err error) {
	defer s.done(ctx, "AnnounceDecision", time.Now(), &err)
	return exec(ctx, s.db, announceDecision, announcement(ctx, decision, comment)...)
}

// announceDecision takes an announcement. Without a comment it need not wait for
// the disk: the commit of the decision comes later in the log and takes it along. A
// database that breaks down between the two loses what the trail would have told
// beside the approver; a comment it must not lose, since the approver was told
// that it is required.
const announceDecision = `INSERT INTO decision_comments
		(decision_id, item_id, approver_id, verdict, comment, created, client_id, tracking_id, address)
	SELECT ?0::uuid, ?1::uuid, ?2::uuid, ?3, ?4, ?5::timestamptz, ?6, ?7, ?8
	FROM set_config('synchronous_commit', CASE ?4 WHEN '' THEN 'off' ELSE current_setting('synchronous_commit') END, true)
	ON CONFLICT (decision_id) DO NOTHING`

func announcement(ctx context.Context, decision lifecycle.Decision, comment string) []any {
	origin := lifecycle.OriginOf(ctx)
	return []any{
		decision.ID, decision.ItemID, decision.Approver, string(decision.Verdict), comment, now(),
		optional(origin.Client), optional(origin.TrackingID), optional(origin.Address),
	}
}

// Decide stores the decision, in one transaction with all that follows from it:
// the next item becomes PENDING, or the request final, with its record or with
// its account name freed. Whether the approver may decide and whether the item
// can be decided is judged again under the locks. What stands in the way of the
// decision is an outcome, not an error; an error is a fault of the store, and
// the decision may be sent again. The audit trail names the approver, and whom
// AnnounceDecision saw; a signal that is refused is an attempt.
func (s *Store) Decide(ctx context.Context, decision lifecycle.Decision) (result lifecycle.DecisionResult, err error) {
	defer s.done(ctx, "Decide", time.Now(), &err)
	for _, counted := range []bool{false, true} {
		err = s.inTx(ctx, func(tx bun.Tx) error {
			result, err = decide(ctx, tx, decision, counted)
			return err
		})
		if !errors.Is(err, errNotCounted) {
			break
		}
	}
	if err == nil {
		return result, nil
	}
	if lifecycle.KindOf(err) == lifecycle.KindNotFound {
		return lifecycle.DecisionResult{Outcome: lifecycle.DecisionGone}, nil
	}
	return lifecycle.DecisionResult{}, err
}

// errNotCounted ends a transaction whose decision makes the request final though
// the counters are not locked; they can't be any more, since they come before the
// request. It is begun anew with them.
var errNotCounted = errors.New("store: a decision is final without the counters")

// decide is Decide within a transaction. counted has it lock the counters in any
// case.
func decide(ctx context.Context, tx bun.Tx, decision lifecycle.Decision, counted bool) (result lifecycle.DecisionResult, err error) {
	locked, source, err := lockForDecision(ctx, tx, decision, counted)
	if err != nil {
		return result, err
	}
	q, err := lockRequest(ctx, tx, decision.RequestID)
	if err != nil {
		return result, err
	}
	d, err := loadDeciding(ctx, tx, decision, q.kind)
	if err != nil {
		return result, err
	}
	ctx = lifecycle.WithOrigin(ctx, d.origin)
	effect, done := d.judge(decision, q)
	if done {
		return d.result, d.auditRefused(ctx, tx, decision)
	}
	q.decided = decision.ItemID
	return d.store(ctx, tx, decision, q, source, effect, locked)
}

// lockForDecision locks the counters where they were asked for, and where the
// decision, if it holds, makes its request final: a rejection does, and an approval
// of the last item. Both the position of an item and the number of items are
// fixed, so this needs no lock. An approval of another item is final where the
// rest need no decision, which takes the lock of the request to tell.
func lockForDecision(ctx context.Context, tx bun.Tx, decision lifecycle.Decision, counted bool) (locked bool, source lifecycle.ID, err error) {
	var last bool
	found, err := row(ctx, tx, []any{&source, &last}, `SELECT r.source_id,
			i.position = (SELECT max(n.position) FROM approval_items AS n WHERE n.request_id = r.id)
		FROM requests AS r JOIN approval_items AS i ON i.request_id = r.id
		WHERE r.id = ? AND i.id = ?`, decision.RequestID, decision.ItemID)
	if err != nil {
		return false, source, err
	}
	if !found {
		return false, source, missing()
	}
	if decision.Verdict == lifecycle.VerdictApprove && !last && !counted {
		return false, source, nil
	}
	found, err = lockCounters(ctx, tx, source, forCounting)
	if err == nil && !found {
		err = missing()
	}
	return true, source, err
}

// deciding is a decision at its rows.
type deciding struct {
	request lifecycle.Request
	// position is that of the item in request.Items.
	position int
	since    time.Time
	groups   []lifecycle.ID
	// active is whether the approver is an identity that may still act.
	active bool
	// comment is what the approver left under the decision's id.
	comment string
	// origin is who decides, and how.
	origin lifecycle.Origin
	result lifecycle.DecisionResult
}

// decisionOrigin is who decides, as far as the decision tells.
func decisionOrigin(d lifecycle.Decision, kind lifecycle.RequestKind) lifecycle.Origin {
	if d.Via == lifecycle.ViaSignal {
		return lifecycle.Origin{Channel: lifecycle.ChannelSignal, Operation: string(d.Verdict), Identity: d.Approver}
	}
	approve, reject := policy.Approve, policy.Reject
	if kind == lifecycle.RequestExtension {
		approve, reject = policy.ApproveExtension, policy.RejectExtension
	}
	operation := approve
	if d.Verdict == lifecycle.VerdictReject {
		operation = reject
	}
	return lifecycle.Origin{Channel: lifecycle.ChannelAPI, Operation: string(operation), Identity: d.Approver}
}

// loadDeciding reads the items of a locked request, and what there is to know
// about the approver.
func loadDeciding(ctx context.Context, tx bun.Tx, decision lifecycle.Decision, kind lifecycle.RequestKind) (*deciding, error) {
	d := &deciding{position: -1, origin: decisionOrigin(decision, kind)}
	var (
		item                                 lifecycle.ApprovalItem
		since                                sql.NullTime
		groups                               sql.NullString
		comment, client, trackingID, address sql.NullString
	)
	rows, err := tx.QueryContext(ctx, `SELECT i.id, i.approver_id, i.approver_type, i.status, i.decided_by, i.delegated_from, i.pending_since,
			EXISTS (SELECT 1 FROM identities AS a WHERE a.id = ?0 AND a.active),
			(SELECT string_agg('GOVERNANCE_GROUP ' || w.workgroup_id, ',') FROM workgroup_members AS w WHERE w.identity_id = ?0),
			c.comment, c.client_id, c.tracking_id, c.address
		FROM approval_items AS i LEFT JOIN decision_comments AS c ON c.decision_id = ?1 AND c.item_id = ?2
			AND c.approver_id = ?0 AND c.verdict = ?3
		WHERE i.request_id = ?4 ORDER BY i.position`,
		uuidOf(decision.Approver), uuidOf(decision.ID), uuidOf(decision.ItemID), string(decision.Verdict), decision.RequestID)
	dest := []any{
		&item.ID, &item.Approver.ID, &item.Approver.Type, &item.Status, &item.DecidedBy, &item.OnBehalfOf, &since, &d.active, &groups,
		&comment, &client, &trackingID, &address,
	}
	err = each(rows, err, dest, func() error {
		if item.ID == decision.ItemID {
			d.position, d.since, d.comment = len(d.request.Items), since.Time, comment.String
		}
		d.request.Items = append(d.request.Items, item)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.position < 0 {
		return nil, missing()
	}
	if decision.Via == lifecycle.ViaAPI {
		d.origin.Client, d.origin.TrackingID, d.origin.Address = client.String, trackingID.String, address.String
	}
	member, err := parseReferences(groups.String)
	for _, group := range member {
		d.groups = append(d.groups, group.ID)
	}
	return d, err
}

// judge returns the effect of the decision, or done with the outcome in
// d.result where it has none.
func (d *deciding) judge(decision lifecycle.Decision, q lockedRequest) (effect lifecycle.Effect, done bool) {
	d.request.Status = q.status
	item := d.request.Items[d.position]
	item.Requester, item.SelfApproval = q.requester, q.selfApproval
	d.result = lifecycle.DecisionResult{Status: item.Status, Request: q.status}
	if !d.active || !policy.MayDecide(decision.Approver, item.Approver, d.groups) {
		d.result.Outcome = lifecycle.DecisionForbidden
		return effect, true
	}
	if item.DecidedBy == decision.Approver && item.Status == decision.Verdict.Status() {
		d.result.Outcome = lifecycle.DecisionRepeated
		return effect, true
	}
	if !policy.MayDecideOwn(decision.Approver, item) {
		d.result.Outcome = lifecycle.DecisionOwnRequest
		return effect, true
	}
	effect, err := d.request.Decide(d.position, decision.Verdict)
	if err != nil {
		d.result.Outcome = lifecycle.DecisionNotDecidable
		return effect, true
	}
	if decision.Via == lifecycle.ViaSignal && decision.Verdict == lifecycle.VerdictReject && d.comment == "" {
		d.comment = lifecycle.SignalRejectionComment
	}
	return effect, false
}

// auditRefused writes down that somebody tried to decide by signal who may not.
// The API tells of its own refusals.
func (d *deciding) auditRefused(ctx context.Context, tx bun.Tx, decision lifecycle.Decision) error {
	refused := d.result.Outcome == lifecycle.DecisionForbidden || d.result.Outcome == lifecycle.DecisionOwnRequest
	if !refused || decision.Via != lifecycle.ViaSignal {
		return nil
	}
	return audit(ctx, tx, lifecycle.AuditChange{
		Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectApprovalItem,
		ID: decision.ItemID.String(), Facts: map[string]any{"request": decision.RequestID},
	})
}

// auditDecision is the part of a statement that tells of i, the item that was
// just decided; the comment may tell about the person.
func (d *deciding) auditDecision(ctx context.Context, decision lifecycle.Decision, effect lifecycle.Effect, kind lifecycle.RequestKind) (schema.QueryAppender, error) {
	action := lifecycle.ActionApprove
	if decision.Verdict == lifecycle.VerdictReject {
		action = lifecycle.ActionReject
	}
	next, record := lifecycle.ID{}, lifecycle.ID{}
	if effect.Next >= 0 {
		next = d.request.Items[effect.Next].ID
	}
	if effect.Request == lifecycle.StatusApproved && kind == lifecycle.RequestCreation {
		record = recordOf(decision.RequestID)
	}
	return auditOf(ctx, auditQuery{
		action: action, object: lifecycle.ObjectApprovalItem, id: "i.id", source: "r.source_id",
		facts: "jsonb_strip_nulls(jsonb_build_object('decision', i.decision_id, 'request', r.id, 'onBehalfOf', i.delegated_from, 'next', " + uuidLiteral(next) +
			", 'record', " + uuidLiteral(record) + "))",
		before:   "jsonb_build_object('approvalStatus', 'PENDING', 'comment', '')",
		after:    "jsonb_build_object('approvalStatus', i.status, 'comment', i.comment)",
		subjects: personSubjects + " || i.id::text",
		from:     "i JOIN requests AS r ON r.id = i.request_id",
	})
}

func (d *deciding) store(ctx context.Context, tx bun.Tx, decision lifecycle.Decision, q lockedRequest, source lifecycle.ID, effect lifecycle.Effect, counted bool) (lifecycle.DecisionResult, error) {
	at := later(now(), d.since.Add(-time.Millisecond))
	status := decision.Verdict.Status()
	audited, err := d.auditDecision(ctx, decision, effect, q.kind)
	if err != nil {
		return lifecycle.DecisionResult{}, err
	}
	changed, err := affected(ctx, tx, `WITH i AS (
			UPDATE approval_items SET status = ?, comment = ?, decided_by = ?, decision_id = ?, modified = ?
			WHERE id = ? AND status = 'PENDING' RETURNING *
		), ? SELECT 1 FROM i`,
		string(status), d.comment, decision.Approver, decision.ID, at, decision.ItemID, audited)
	if err := one(changed, err); err != nil {
		return lifecycle.DecisionResult{}, err
	}
	if q.kind == lifecycle.RequestExtension && decision.Verdict == lifecycle.VerdictApprove {
		if err := rejectRecords(ctx, tx, decision); err != nil {
			return lifecycle.DecisionResult{}, err
		}
	}
	d.request.Items[d.position].Status, d.request.Items[d.position].DecidedBy = status, decision.Approver
	outcome, err := d.follow(ctx, tx, q, source, effect, counted, at)
	if err != nil {
		return lifecycle.DecisionResult{}, err
	}
	return lifecycle.DecisionResult{
		Outcome: lifecycle.DecisionStored, Status: status, Waited: at.Sub(d.since), Request: outcome,
	}, nil
}

// follow does what follows from the item's having been decided, by whomever: the
// request becomes final, or the next item PENDING. It returns what the request is
// then. counted is whether the counters are locked; where they have to be and are
// not the error is errNotCounted.
func (d *deciding) follow(ctx context.Context, tx bun.Tx, q lockedRequest, source lifecycle.ID, effect lifecycle.Effect, counted bool, at time.Time) (outcome lifecycle.ApprovalStatus, err error) {
	outcome = effect.Request
	if outcome == lifecycle.StatusPending {
		if outcome, err = d.goOn(ctx, tx, &q, source, effect.Next, at); err != nil {
			return "", err
		}
	}
	if outcome.Final() && !counted {
		return "", errNotCounted
	}
	switch outcome {
	case lifecycle.StatusApproved:
		err = approveRequest(ctx, tx, q, at)
	case lifecycle.StatusRejected:
		err = closeRequest(ctx, tx, source, q, outcome, "", at)
	case lifecycle.StatusCancelled:
		err = closeRequest(ctx, tx, source, q, outcome, lifecycle.ReasonOnlyRequester, at)
	case lifecycle.StatusPending, lifecycle.StatusNotReady, lifecycle.StatusSkipped:
	}
	return outcome, err
}

// goOn makes the item at position PENDING and has it go to whoever is to decide it.
// One whose approver has approved an earlier item is approved at once, and the
// item after it is next. It returns what the request is to be: CANCELLED where
// nobody but its requester is left, APPROVED where no item is.
func (d *deciding) goOn(ctx context.Context, tx bun.Tx, q *lockedRequest, source lifecycle.ID, position int, at time.Time) (lifecycle.ApprovalStatus, error) {
	for ; position < len(d.request.Items); position++ {
		item := &d.request.Items[position]
		if err := makePending(ctx, tx, *q, item.ID, at); err != nil {
			return "", err
		}
		by := d.approvedBefore(item.Approver, position)
		if by.IsZero() {
			done, err := leaveRequester(ctx, tx, source, *q, item.ID, at)
			switch {
			case err != nil:
				return "", err
			case !done.found:
				return lifecycle.StatusCancelled, nil
			}
			if by = d.approvedBefore(done.assigned, position); by.IsZero() {
				_, err := settle(ctx, tx, source, *q, item.ID, at)
				return lifecycle.StatusPending, err
			}
		}
		if err := d.approveAgain(ctx, tx, item, by, at); err != nil {
			return "", err
		}
		q.decided = item.ID
	}
	return lifecycle.StatusApproved, nil
}

// approvedBefore returns the identity that the approver is, if it has approved an
// item before position; zero for a group, which has others to ask.
func (d *deciding) approvedBefore(approver lifecycle.Reference, position int) lifecycle.ID {
	if approver.Type != lifecycle.ReferenceIdentity {
		return lifecycle.ID{}
	}
	for _, earlier := range d.request.Items[:position] {
		// To decide in somebody's place is not to have decided for oneself.
		if earlier.Status == lifecycle.StatusApproved && earlier.DecidedBy == approver.ID && earlier.OnBehalfOf.IsZero() {
			return approver.ID
		}
	}
	return lifecycle.ID{}
}

// approveAgain approves the item, which has just become PENDING, in the name of
// the one who has approved the request before.
func (d *deciding) approveAgain(ctx context.Context, tx bun.Tx, item *lifecycle.ApprovalItem, by lifecycle.ID, at time.Time) error {
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionApprove, object: lifecycle.ObjectApprovalItem, id: "i.id", source: "r.source_id",
		facts:    "jsonb_build_object('decision', i.decision_id, 'request', r.id, 'decidedBy', i.decided_by, 'repeated', true)",
		before:   "jsonb_build_object('approvalStatus', 'PENDING')",
		after:    "jsonb_build_object('approvalStatus', i.status)",
		subjects: personSubjects + " || i.id::text",
		from:     "i JOIN requests AS r ON r.id = i.request_id",
	})
	if err != nil {
		return err
	}
	item.Status, item.DecidedBy = lifecycle.StatusApproved, by
	return one(affected(ctx, tx, `WITH i AS (
			UPDATE approval_items SET status = 'APPROVED', comment = ?, decided_by = ?, decision_id = ?, modified = ?
			WHERE id = ? AND status = 'PENDING' RETURNING *
		), ? SELECT 1 FROM i`,
		lifecycle.RepeatedApprovalComment, by, lifecycle.DecisionID(item.ID, by, lifecycle.VerdictApprove, ""), at, item.ID, audited))
}

// makePending makes the item, the next of the request, PENDING.
func makePending(ctx context.Context, tx bun.Tx, q lockedRequest, next lifecycle.ID, at time.Time) error {
	audited, err := auditOf(ctx, auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectRequest, id: "r.id", source: "r.source_id",
		facts: "jsonb_build_object('item', " + uuidLiteral(q.decided) + ", 'next', " + uuidLiteral(next) + ")", from: "r",
	})
	if err != nil {
		return err
	}
	return one(affected(ctx, tx, `WITH r AS (UPDATE requests SET pending_since = ?2, modified = ?0 WHERE id = ?1 RETURNING *), ?4
		UPDATE approval_items SET status = 'PENDING', pending_since = ?2, assigned_since = ?2, modified = ?2 WHERE id = ?3 AND status = 'NOT_READY'`,
		q.moved(at), q.id, at, next, audited))
}

// PendingApprovals counts the items that wait for a decision, by the stage that their
// request is in; a stage in which none does is left out.
func (s *Store) PendingApprovals(ctx context.Context) (stages []lifecycle.WaitingStage, err error) {
	defer s.done(ctx, "PendingApprovals", time.Now(), &err)
	var stage lifecycle.WaitingStage
	rows, err := s.db.QueryContext(ctx, `SELECT position + 1, count(*), min(pending_since) FROM approval_items
		WHERE status = 'PENDING' GROUP BY position ORDER BY position`)
	err = each(rows, err, []any{&stage.Stage, &stage.Items, &stage.Oldest}, func() error {
		stage.Oldest = stage.Oldest.UTC()
		stages = append(stages, stage)
		return nil
	})
	return stages, err
}
