package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// versionColumns are those of p, a version of an approval policy.
const versionColumns = "p.id, p.source_id, p.version, p.policy, p.created"

type versionRow struct {
	version lifecycle.ApprovalPolicyVersion
	policy  string
}

func (r *versionRow) dest() []any {
	v := &r.version
	return []any{&v.ID, &v.Source, &v.Version, &r.policy, &v.Created}
}

func (r *versionRow) toVersion() (lifecycle.ApprovalPolicyVersion, error) {
	v := r.version
	v.Created = v.Created.UTC()
	if err := json.Unmarshal([]byte(r.policy), &v.Policy); err != nil {
		return lifecycle.ApprovalPolicyVersion{}, fmt.Errorf("a stored approval policy: %w", err)
	}
	return v, nil
}

// ofOwner selects the policies p of the source ?0, or of the organisation where that
// is NULL.
const ofOwner = "p.source_id IS NOT DISTINCT FROM ?0::uuid"

// ApprovalPolicy returns the policy in force for the source, which may be the
// organisation's, or the organisation's for the zero ID. KindNotFound for a source
// that does not exist.
func (s *Store) ApprovalPolicy(ctx context.Context, source lifecycle.ID) (version lifecycle.ApprovalPolicyVersion, err error) {
	defer s.done(ctx, "ApprovalPolicy", time.Now(), &err)
	query := "SELECT " + versionColumns + " FROM approval_policies AS p WHERE p.current AND p.source_id IS NULL"
	if !source.IsZero() {
		query = "SELECT " + versionColumns + " FROM sources AS s JOIN approval_policies AS p ON p.id = " + policyInForce + " WHERE s.id = ?"
	}
	var r versionRow
	found, err := row(ctx, s.db, r.dest(), query, source)
	if err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	if !found {
		return lifecycle.ApprovalPolicyVersion{}, missing()
	}
	return r.toVersion()
}

// SetApprovalPolicy has version.Policy be the policy of version.Source, or of the
// organisation where that is zero, and returns the version that it is: a new one,
// of version's ID and Created, unless it is in force already. Requests that are
// there keep the version that they have. Errors: KindNotFound for a source that does
// not exist; KindReferenceNotFound for somebody whom the policy names and who is not
// there any more; KindIllegalValue where it approves by time-out and the source's
// owner is not active.
func (s *Store) SetApprovalPolicy(ctx context.Context, version lifecycle.ApprovalPolicyVersion) (set lifecycle.ApprovalPolicyVersion, err error) {
	defer s.done(ctx, "SetApprovalPolicy", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		before, number, err := lockPolicy(ctx, tx, version.Source)
		if err != nil {
			return err
		}
		if err := checkPolicy(ctx, tx, version); err != nil {
			return err
		}
		after, err := auditedPolicy(version.Policy)
		if err != nil {
			return err
		}
		change := lifecycle.AuditChange{
			Action: lifecycle.ActionCreate, Object: lifecycle.ObjectApprovalPolicy, ID: version.ID.String(), Source: version.Source, After: after,
		}
		if before != nil {
			change.Action = lifecycle.ActionUpdate
			if change.Before, err = auditedPolicy(before.Policy); err != nil {
				return err
			}
			if alike, err := sameJSON(change.Before, after); err != nil || alike {
				set = *before
				return err
			}
			if err := exec(ctx, tx, "UPDATE approval_policies SET current = false WHERE id = ?", before.ID); err != nil {
				return err
			}
		}
		set = version
		set.Version = number + 1
		change.Facts = map[string]any{"version": set.Version}
		text, err := json.Marshal(set.Policy)
		if err != nil {
			return fmt.Errorf("store: an approval policy: %w", err)
		}
		if err := exec(ctx, tx, "INSERT INTO approval_policies (id, source_id, version, current, policy, created) VALUES ?",
			tuples{{set.ID, set.Source, set.Version, true, string(text), set.Created}}); err != nil {
			return err
		}
		return audit(ctx, tx, change)
	})
	if err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	return set, nil
}

// lockPolicy locks who owns the policy, a source or the organisation, and returns
// the version that is its own now, nil for none, and the number of its last one.
// KindNotFound if there is no such source.
func lockPolicy(ctx context.Context, tx bun.Tx, source lifecycle.ID) (current *lifecycle.ApprovalPolicyVersion, number int, err error) {
	if source.IsZero() {
		err = exec(ctx, tx, "SELECT 1 FROM organisation FOR UPDATE")
	} else {
		err = lockSource(ctx, tx, source)
	}
	if err != nil {
		return nil, 0, err
	}
	if _, err := row(ctx, tx, []any{&number}, "SELECT coalesce(max(p.version), 0) FROM approval_policies AS p WHERE "+ofOwner, uuidOf(source)); err != nil {
		return nil, 0, err
	}
	var r versionRow
	found, err := row(ctx, tx, r.dest(), "SELECT "+versionColumns+" FROM approval_policies AS p WHERE p.current AND "+ofOwner, uuidOf(source))
	if err != nil || !found {
		return nil, number, err
	}
	version, err := r.toVersion()
	return &version, number, err
}

// checkPolicy holds that those whom the policy names are there: identities that are
// active, workgroups that were not deleted.
func checkPolicy(ctx context.Context, tx bun.Tx, version lifecycle.ApprovalPolicyVersion) error {
	named := version.Policy.References()
	references := make([]lifecycle.Reference, len(named))
	for i, reference := range named {
		references[i] = reference.Reference
	}
	there, err := nameable(ctx, tx, references)
	if err != nil {
		return err
	}
	var faults lifecycle.Faults
	for _, reference := range named {
		if !there[reference.Reference] {
			faults = append(faults, lifecycle.NamesNobody(reference.Field, reference.Reference))
		}
	}
	if version.Policy.Timeout.Result == lifecycle.TimeoutApproved {
		var owned bool
		if _, err := row(ctx, tx, []any{&owned}, `SELECT EXISTS (SELECT 1 FROM sources AS s JOIN identities AS o ON o.id = s.owner_id
			WHERE s.id = ? AND o.active)`, version.Source); err != nil {
			return err
		}
		if !owned {
			faults = append(faults, lifecycle.NoOwnerForTimeout())
		}
	}
	return faults.Err()
}

// auditedPolicy is a policy as the audit trail shows it.
func auditedPolicy(policy lifecycle.ApprovalPolicy) (map[string]any, error) {
	text, err := json.Marshal(policy)
	if err != nil {
		return nil, fmt.Errorf("store: an audit detail: %w", err)
	}
	var shown map[string]any
	if err := json.Unmarshal(text, &shown); err != nil {
		return nil, fmt.Errorf("store: an audit detail: %w", err)
	}
	return shown, nil
}

// DropApprovalPolicy has the source go by the organisation's policy again; one that
// does so already is no error. KindNotFound for a source that does not exist.
func (s *Store) DropApprovalPolicy(ctx context.Context, source lifecycle.ID) (err error) {
	defer s.done(ctx, "DropApprovalPolicy", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		before, _, err := lockPolicy(ctx, tx, source)
		if err != nil || before == nil {
			return err
		}
		shown, err := auditedPolicy(before.Policy)
		if err != nil {
			return err
		}
		if err := exec(ctx, tx, "UPDATE approval_policies SET current = false WHERE id = ?", before.ID); err != nil {
			return err
		}
		return audit(ctx, tx, lifecycle.AuditChange{
			Action: lifecycle.ActionDelete, Object: lifecycle.ObjectApprovalPolicy, ID: before.ID.String(), Source: source,
			Before: shown, Facts: map[string]any{"version": before.Version},
		})
	})
}

// ApplyApprovalPolicy has up to limit pending requests of the source go by the
// policy that is in force for it now, and returns them: those that went by another
// version, or by none. Their workflows have to read their rows again. KindNotFound
// for a source that does not exist.
func (s *Store) ApplyApprovalPolicy(ctx context.Context, source lifecycle.ID, limit int) (requests []lifecycle.RequestToCheck, err error) {
	defer s.done(ctx, "ApplyApprovalPolicy", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		// Nobody removes the source, and with it its requests in an order of their own.
		found, err := lockCounters(ctx, tx, source, forUsing)
		if err != nil {
			return err
		}
		if !found {
			return missing()
		}
		audited, err := auditOf(ctx, auditQuery{
			action: lifecycle.ActionUpdate, object: lifecycle.ObjectRequest, id: "r.id", source: "r.source_id",
			facts: "jsonb_build_object('policy', r.policy_id, 'policyBefore', r.before)", from: "r",
		})
		if err != nil {
			return err
		}
		q := lifecycle.RequestToCheck{SourceID: source, Moved: true}
		rows, err := tx.QueryContext(ctx, `WITH in_force AS (
				SELECT `+policyInForce+` AS id FROM sources AS s WHERE s.id = ?0
			), chosen AS (
				SELECT q.id, q.policy_id FROM requests AS q, in_force
				WHERE q.source_id = ?0 AND q.approval_status = 'PENDING' AND q.policy_id IS DISTINCT FROM in_force.id
				ORDER BY q.id LIMIT ?1 FOR NO KEY UPDATE OF q
			), r AS (
				UPDATE requests AS q SET policy_id = in_force.id,
					modified = greatest(?2::timestamptz, q.modified + interval '1 millisecond', q.workflow_seen_at + interval '1 millisecond')
				FROM chosen, in_force WHERE q.id = chosen.id RETURNING q.id, q.source_id, q.policy_id, chosen.policy_id AS before
			), ?3 SELECT id FROM r ORDER BY id`, source, max(0, limit), now(), audited)
		return each(rows, err, []any{&q.RequestID}, func() error { requests = append(requests, q); return nil })
	})
	if err != nil {
		return nil, err
	}
	return requests, nil
}
