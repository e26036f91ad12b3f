package store

import (
	"context"
	"database/sql"
	"time"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

var lookupStanding = `SELECT r.id, r.source_id, r.requester_id, r.approval_status,
		(SELECT count(*) FROM approval_items AS n WHERE n.request_id = r.id),
		i.id, coalesce(i.position + 1, 0), i.approver_id, coalesce(i.approver_type, ''), i.id IS NOT NULL AND ` + deciderGone + `,
		i.pending_since, i.assigned_since, coalesce(i.reminders, 0), coalesce(i.escalations, 0),
		p.id, p.source_id, coalesce(p.version, 0), coalesce(p.policy::text, '{}'), p.created,
		EXISTS (SELECT 1 FROM identities AS o WHERE o.id = s.owner_id AND o.active),
		` + viewerRelations + `, coalesce(r.requester_id = $2::uuid, FALSE), EXISTS (SELECT 1 FROM approval_items AS n
			WHERE n.request_id = r.id AND CASE n.approver_type WHEN 'IDENTITY' THEN n.approver_id = $2::uuid
			ELSE EXISTS (SELECT 1 FROM workgroup_members AS w WHERE w.workgroup_id = n.approver_id AND w.identity_id = $2::uuid) END)
	FROM requests AS r
	JOIN sources AS s ON s.id = r.source_id
	LEFT JOIN approval_items AS i ON i.request_id = r.id AND i.status = 'PENDING' AND r.approval_status = 'PENDING'
	LEFT JOIN approval_policies AS p ON p.id = r.policy_id
	WHERE r.id = $1`

// RequestStanding returns where the request stands, without names and without what is
// coming, and what ties viewer, who may be zero, to it; KindNotFound if there is
// none.
func (s *Store) RequestStanding(ctx context.Context, id, viewer lifecycle.ID) (standing lifecycle.Standing, rel policy.Relations, err error) {
	defer s.done(ctx, "RequestStanding", time.Now(), &err)
	var (
		st                       lifecycle.Standing
		v                        versionRow
		pending, assigned, since sql.NullTime
	)
	found, err := s.lookup(ctx, []any{
		&st.RequestID, &st.SourceID, &st.Requester, &st.Status, &st.Stages,
		&st.Item, &st.Stage, &st.Holder.ID, &st.Holder.Type, &st.HolderGone,
		&pending, &assigned, &st.Waiting.Reminders, &st.Waiting.Escalations,
		&v.version.ID, &v.version.Source, &v.version.Version, &v.policy, &since, &st.Owned,
		&rel.AccountManager, &rel.Workgroup, &rel.Requester, &rel.Approver,
	}, lookupStanding, id, viewer)
	if err != nil {
		return lifecycle.Standing{}, policy.Relations{}, err
	}
	if !found {
		return lifecycle.Standing{}, policy.Relations{}, missing()
	}
	st.Waiting.PendingSince, st.Waiting.AssignedSince = timeOf(pending), timeOf(assigned)
	if !v.version.ID.IsZero() {
		v.version.Created = timeOf(since)
		version, err := v.toVersion()
		if err != nil {
			return lifecycle.Standing{}, policy.Relations{}, err
		}
		st.Policy = &version
	}
	return st, rel, nil
}

// Foresee fills in what is coming for a request that stands so, and the names of all
// whom that is about.
func (s *Store) Foresee(ctx context.Context, st lifecycle.Standing) (foreseen lifecycle.Standing, err error) {
	defer s.done(ctx, "Foresee", time.Now(), &err)
	a := assignment{source: st.SourceID, requester: st.Requester}
	if st.Policy != nil {
		a.selfApproval = st.Policy.Policy.SelfApproval
	}
	st.Coming, err = st.Foresee(s.day, now(), func(rule lifecycle.ApproverRule, holder lifecycle.Reference) (lifecycle.Reference, error) {
		a.holder = holder
		return resolve(ctx, s.db, rule, a)
	})
	if err != nil {
		return lifecycle.Standing{}, err
	}
	named := []*lifecycle.NamedReference{&st.Holder}
	for i := range st.Coming {
		named = append(named, &st.Coming[i].To)
	}
	ids := make(idList, 0, len(named))
	for _, reference := range named {
		if !reference.ID.IsZero() {
			ids = append(ids, reference.ID)
		}
	}
	names := map[lifecycle.Reference]string{}
	var found lifecycle.NamedReference
	rows, err := s.db.QueryContext(ctx, `SELECT id, 'IDENTITY', name FROM identities WHERE id = ANY (?0)
		UNION ALL SELECT id, 'GOVERNANCE_GROUP', name FROM workgroups WHERE id = ANY (?0)`, ids)
	err = each(rows, err, []any{&found.ID, &found.Type, &found.Name}, func() error { names[found.Reference] = found.Name; return nil })
	if err != nil {
		return lifecycle.Standing{}, err
	}
	for _, reference := range named {
		reference.Name = names[reference.Reference]
	}
	return st, nil
}
