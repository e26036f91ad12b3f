package store

import (
	"context"
	"time"

	"gatehouse/lifecycle"
)

// orphans selects the pending requests r that wait for somebody who is gone. It
// begins with the few who are: people who are inactive, and workgroups without an
// active member.
const orphans = `SELECT r.id FROM (
		SELECT a.id, 'IDENTITY' AS type FROM identities AS a WHERE NOT a.active
		UNION ALL SELECT g.id, 'GOVERNANCE_GROUP' FROM workgroups AS g WHERE NOT EXISTS (
			SELECT 1 FROM workgroup_members AS w JOIN identities AS a ON a.id = w.identity_id WHERE w.workgroup_id = g.id AND a.active)
	) AS gone
	JOIN approval_items AS i ON i.approver_id = gone.id AND i.approver_type = gone.type AND i.status = 'PENDING'
	JOIN requests AS r ON r.id = i.request_id
	WHERE r.approval_status = 'PENDING'`

// OrphanedRequests returns up to limit pending requests that wait for somebody who
// is gone, those first that were looked after longest ago.
func (s *Store) OrphanedRequests(ctx context.Context, limit int) (requests []lifecycle.RequestToCheck, err error) {
	defer s.done(ctx, "OrphanedRequests", time.Now(), &err)
	q := lifecycle.RequestToCheck{Moved: true}
	rows, err := s.db.QueryContext(ctx, `SELECT r.id, r.source_id FROM requests AS r WHERE r.id IN (`+orphans+`)
		ORDER BY r.workflow_checked_at, r.id LIMIT ?`, max(0, limit))
	err = each(rows, err, []any{&q.RequestID, &q.SourceID}, func() error { requests = append(requests, q); return nil })
	return requests, err
}

// RequestsToCheck returns up to limit requests whose workflow needs looking
// after: first those whose rows moved without it, pending or final, or whose
// approver is gone, then, in rotation, the pending ones that MarkChecked named
// more than recheck ago. A request that was changed or checked less than settled ago
// is left out. A workflow that was told and does not come after its rows is told
// again in ever longer intervals, each as long as the rows had stood so before:
// what holds it up may last.
func (s *Store) RequestsToCheck(ctx context.Context, limit int, settled, recheck time.Duration) (requests []lifecycle.RequestToCheck, err error) {
	defer s.done(ctx, "RequestsToCheck", time.Now(), &err)
	const due = `r.modified <= ?1 AND r.workflow_checked_at <= ?1 ORDER BY r.workflow_checked_at, r.id LIMIT ?0`
	var q lifecycle.RequestToCheck
	at := now()
	rows, err := s.db.QueryContext(ctx, `WITH moved AS (
			SELECT r.id FROM requests AS r WHERE r.workflow_seen_at < r.modified
				AND r.workflow_checked_at + (r.workflow_checked_at - r.modified) <= ?2 AND `+due+`
		), orphaned AS (`+orphans+` AND `+due+`
		), next AS (
			SELECT r.id FROM requests AS r WHERE r.approval_status = 'PENDING' AND r.workflow_checked_at <= ?3 AND `+due+`
		)
		SELECT r.id, r.source_id, r.id IN (SELECT id FROM moved) OR EXISTS (
				SELECT 1 FROM approval_items AS i WHERE i.request_id = r.id AND i.status = 'PENDING' AND `+deciderGone+`
			) AS moved
		FROM (SELECT id FROM moved UNION SELECT id FROM orphaned UNION SELECT id FROM next) AS chosen
		JOIN requests AS r ON r.id = chosen.id
		ORDER BY moved DESC, r.workflow_checked_at, r.id LIMIT ?0`,
		max(0, limit), at.Add(-settled), at, at.Add(-recheck))
	err = each(rows, err, []any{&q.RequestID, &q.SourceID, &q.Moved}, func() error {
		requests = append(requests, q)
		return nil
	})
	return requests, err
}

// MarkChecked notes that the workflows of these requests were looked after, as if each
// had been up to spread ago, by chance: what was looked at together comes up bit by bit
// then. A request that somebody else holds at this moment is passed over.
func (s *Store) MarkChecked(ctx context.Context, ids []lifecycle.ID, spread time.Duration) (err error) {
	defer s.done(ctx, "MarkChecked", time.Now(), &err)
	return exec(ctx, s.db, `UPDATE requests SET workflow_checked_at = ?0::timestamptz - random() * ?1::float * interval '1 second' WHERE id IN
		(SELECT id FROM requests WHERE id = ANY (?2) FOR UPDATE SKIP LOCKED)`, now(), spread.Seconds(), idList(ids))
}

// WorkflowEndings returns up to limit requests that were deleted and whose
// workflows must end, the oldest first.
func (s *Store) WorkflowEndings(ctx context.Context, limit int) (ids []lifecycle.ID, err error) {
	defer s.done(ctx, "WorkflowEndings", time.Now(), &err)
	var id lifecycle.ID
	rows, err := s.db.QueryContext(ctx,
		"SELECT request_id FROM workflow_endings ORDER BY created, request_id LIMIT ?", max(0, limit))
	err = each(rows, err, []any{&id}, func() error { ids = append(ids, id); return nil })
	return ids, err
}

// DropWorkflowEndings forgets endings that are done; one that is not there is
// no error.
func (s *Store) DropWorkflowEndings(ctx context.Context, ids []lifecycle.ID) (err error) {
	defer s.done(ctx, "DropWorkflowEndings", time.Now(), &err)
	return exec(ctx, s.db, `DELETE FROM workflow_endings WHERE request_id IN
		(SELECT request_id FROM workflow_endings WHERE request_id = ANY (?) FOR UPDATE SKIP LOCKED)`, idList(ids))
}
