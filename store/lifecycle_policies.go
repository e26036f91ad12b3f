package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// lifecyclePolicy returns what holds for the source at this moment of the
// transaction; what the organisation has for the zero ID.
func lifecyclePolicy(ctx context.Context, db bun.IDB, source lifecycle.ID) (lifecycle.PolicyInForce, error) {
	policies, err := lifecyclePolicies(ctx, db, idList{source})
	return policies[source], err
}

// lifecyclePolicies is lifecyclePolicy for several sources.
func lifecyclePolicies(ctx context.Context, db bun.IDB, sources idList) (map[lifecycle.ID]lifecycle.PolicyInForce, error) {
	var (
		source   lifecycle.ID
		p        lifecycle.PolicyInForce
		stored   string
		policies = make(map[lifecycle.ID]lifecycle.PolicyInForce, len(sources))
	)
	// Where a source went back to the organisation's, that counts from then on.
	rows, err := db.QueryContext(ctx, `SELECT s.id, coalesce(own.policy, org.policy)::text, own.policy IS NOT NULL,
			CASE WHEN own.policy IS NULL THEN greatest(own.end_since, org.end_since) ELSE own.end_since END
		FROM unnest(?) AS s (id) CROSS JOIN lifecycle_policies AS org
		LEFT JOIN lifecycle_policies AS own ON own.source_id = s.id
		WHERE org.source_id IS NULL`, sources)
	err = each(rows, err, []any{&source, &stored, &p.Own, &p.EndSince}, func() error {
		p.EndSince = p.EndSince.UTC()
		p.LifecyclePolicy = lifecycle.LifecyclePolicy{}
		if err := json.Unmarshal([]byte(stored), &p.LifecyclePolicy); err != nil {
			return fmt.Errorf("store: a lifecycle policy: %w", err)
		}
		policies[source] = p
		return nil
	})
	return policies, err
}

// GetLifecyclePolicy returns what holds for the source, or what the organisation
// has for the zero ID. A source that there is not has the organisation's.
func (s *Store) GetLifecyclePolicy(ctx context.Context, source lifecycle.ID) (p lifecycle.PolicyInForce, err error) {
	defer s.done(ctx, "GetLifecyclePolicy", time.Now(), &err)
	return lifecyclePolicy(ctx, s.db, source)
}

// SetLifecyclePolicy makes the policy that of the source, or the organisation's
// for the zero ID, from now on and for every record, and returns what is in force.
// One that is the same changes nothing. KindNotFound for a source that there is not.
func (s *Store) SetLifecyclePolicy(ctx context.Context, source lifecycle.ID, policy lifecycle.LifecyclePolicy) (p lifecycle.PolicyInForce, err error) {
	defer s.done(ctx, "SetLifecyclePolicy", time.Now(), &err)
	return s.changeLifecyclePolicy(ctx, source, &policy)
}

// DropLifecyclePolicy has the source follow the organisation again, from now on.
// A source that does so already is left as it is. KindNotFound for a source that
// there is not.
func (s *Store) DropLifecyclePolicy(ctx context.Context, source lifecycle.ID) (err error) {
	defer s.done(ctx, "DropLifecyclePolicy", time.Now(), &err)
	_, err = s.changeLifecyclePolicy(ctx, source, nil)
	return err
}

// changeLifecyclePolicy writes what the source, or the organisation, has of its
// own, nil for nothing, and returns what is in force then.
func (s *Store) changeLifecyclePolicy(ctx context.Context, source lifecycle.ID, policy *lifecycle.LifecyclePolicy) (p lifecycle.PolicyInForce, err error) {
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := lockLifecyclePolicy(ctx, tx, source); err != nil {
			return err
		}
		if p, err = lifecyclePolicy(ctx, tx, source); err != nil {
			return err
		}
		// What the source follows is not its own: its first one is a change.
		var own *lifecycle.LifecyclePolicy
		if p.Own || source.IsZero() {
			own = &p.LifecyclePolicy
		}
		if reflect.DeepEqual(own, policy) {
			return nil
		}
		if err := writeLifecyclePolicy(ctx, tx, source, own, policy, p); err != nil {
			return err
		}
		p, err = lifecyclePolicy(ctx, tx, source)
		return err
	})
	return p, err
}

// writeLifecyclePolicy puts policy in the place of own; inForce is what held before.
func writeLifecyclePolicy(ctx context.Context, tx bun.Tx, source lifecycle.ID, own, policy *lifecycle.LifecyclePolicy, inForce lifecycle.PolicyInForce) error {
	at := now()
	since, stored := at, any(nil)
	change := lifecycle.AuditChange{
		Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectLifecyclePolicy, ID: source.String(), Source: source,
		Before: auditedDates(own), After: auditedDates(policy),
	}
	switch {
	case policy == nil:
		change.Action = lifecycle.ActionDelete
	case own == nil:
		change.Action = lifecycle.ActionCreate
	}
	if policy != nil {
		text, err := json.Marshal(policy)
		if err != nil {
			return err
		}
		stored = string(text)
		if policy.End == inForce.End {
			since = inForce.EndSince
		}
	}
	audited, err := auditValues(ctx, []lifecycle.AuditChange{change})
	if err != nil {
		return err
	}
	return exec(ctx, tx, `WITH p AS (
			INSERT INTO lifecycle_policies (source_id, policy, end_since, modified) VALUES (?, ?::jsonb, ?, ?)
			ON CONFLICT (coalesce(source_id, '00000000-0000-0000-0000-000000000000'))
			DO UPDATE SET policy = excluded.policy, end_since = excluded.end_since, modified = excluded.modified
		), ? SELECT`, uuidOf(source), stored, since, at, audited)
}

// auditedDates is the policy as the audit trail shows it; nil for none.
func auditedDates(p *lifecycle.LifecyclePolicy) map[string]any {
	if p == nil {
		return nil
	}
	return map[string]any{"warnings": p.Warnings, "end": p.End, "extension": p.Extension}
}

// lockLifecyclePolicy has changes of the policy of the source, or of the
// organisation's, come one after another.
func lockLifecyclePolicy(ctx context.Context, tx bun.Tx, source lifecycle.ID) error {
	if source.IsZero() {
		return exec(ctx, tx, "SELECT 1 FROM lifecycle_policies WHERE source_id IS NULL FOR UPDATE")
	}
	found, err := lockCounters(ctx, tx, source, forCounting)
	if err == nil && !found {
		err = missing()
	}
	return err
}
