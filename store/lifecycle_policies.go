package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// lifecyclePolicy returns what holds for the source at this moment of the
// transaction; that of the organisation for the zero ID.
func lifecyclePolicy(ctx context.Context, db bun.IDB, source lifecycle.ID) (lifecycle.PolicyInForce, error) {
	var p lifecycle.PolicyInForce
	var stored string
	found, err := row(ctx, db, []any{&stored, &p.EndSince, &p.Own}, `SELECT coalesce(own.policy, org.policy)::text,
			greatest(own.end_since, CASE WHEN own.policy IS NULL THEN org.end_since END), own.policy IS NOT NULL
		FROM lifecycle_policies AS org LEFT JOIN lifecycle_policies AS own ON own.source_id = ?
		WHERE org.source_id IS NULL`, source)
	if err != nil {
		return lifecycle.PolicyInForce{}, err
	}
	if !found {
		return lifecycle.PolicyInForce{}, missing()
	}
	if err := json.Unmarshal([]byte(stored), &p.LifecyclePolicy); err != nil {
		return lifecycle.PolicyInForce{}, fmt.Errorf("store: a lifecycle policy: %w", err)
	}
	p.EndSince = p.EndSince.UTC()
	return p, nil
}
