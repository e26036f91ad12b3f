package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// insertAudit numbers the entries ?0 in their order and inserts them with their
// details. The tail says which transaction they are of, so that the sealer can
// tell whether an earlier one is still open.
const insertAudit = `WITH given (occurred, channel, operation, outcome, identity_id, client_id, tracking_id, action, object_type,
		object_id, source_id, facts, actor, actor_salt, actor_digest, change, change_salt, change_digest, subjects) AS (VALUES ?0),
	numbered AS MATERIALIZED (SELECT nextval('audit_numbers') AS id, given.* FROM given),
	entry AS (
		INSERT INTO audit_entries (id, occurred, channel, operation, outcome, identity_id, client_id, tracking_id,
			action, object_type, object_id, source_id, facts, actor_digest, change_digest)
		SELECT id, occurred::timestamptz, channel, operation, outcome, identity_id::uuid, client_id, tracking_id,
			action, object_type, object_id, source_id::uuid, facts, actor_digest::bytea, change_digest::bytea FROM numbered
	), detail AS (
		INSERT INTO audit_details (entry_id, actor, actor_salt, change, change_salt, subjects)
		SELECT id, actor, actor_salt::bytea, change, change_salt::bytea, subjects FROM numbered
		WHERE actor IS NOT NULL OR change IS NOT NULL
	)
	INSERT INTO audit_tail (entry_id, txid) SELECT id, pg_current_xact_id() FROM numbered`

// audit inserts an entry for each change, by whom the context says, in the
// transaction that makes the changes: neither is there without the other.
func audit(ctx context.Context, tx bun.Tx, changes ...lifecycle.AuditChange) error {
	if len(changes) == 0 {
		return nil
	}
	origin, at := lifecycle.OriginOf(ctx), now()
	actor, err := auditActor(origin)
	if err != nil {
		return err
	}
	// What is known of a person's client stands with their details.
	client := optional(origin.Client)
	if !origin.Identity.IsZero() {
		client = nil
	}
	values := make(tuples, len(changes))
	for i, change := range changes {
		facts, err := auditFacts(change.Facts)
		if err != nil {
			return err
		}
		changed, err := auditChange(change)
		if err != nil {
			return err
		}
		outcome := change.Outcome
		if outcome == "" {
			outcome = lifecycle.OutcomeSuccess
		}
		by, what := newDetail(actor), newDetail(changed)
		values[i] = []any{
			at, string(origin.Channel), origin.Operation, string(outcome), uuidOf(origin.Identity), client,
			optional(origin.TrackingID), string(change.Action), string(change.Object), change.ID, uuidOf(change.Source), facts,
			by.text, by.salt, by.digest, what.text, what.salt, what.digest, auditSubjects(change),
		}
	}
	return exec(ctx, tx, insertAudit, values)
}

// optional is NULL for an empty text.
func optional(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// newDetails are the columns of a detail, all NULL where there is none.
type newDetails struct{ text, salt, digest any }

func newDetail(text string) newDetails {
	if text == "" {
		return newDetails{}
	}
	salt := make([]byte, 16)
	// Read never fails: the process ends first.
	_, _ = rand.Read(salt)
	return newDetails{text, salt, lifecycle.DetailDigest(salt, text)}
}

// auditActor is what is known of the caller beside the ids: nothing where
// nothing is.
func auditActor(origin lifecycle.Origin) (string, error) {
	known := map[string]any{}
	if origin.Address != "" {
		known["address"] = origin.Address
	}
	if origin.Client != "" && !origin.Identity.IsZero() {
		known["client"] = origin.Client
	}
	if len(known) == 0 {
		return "", nil
	}
	return auditJSON(known)
}

func auditFacts(facts map[string]any) (string, error) {
	if len(facts) == 0 {
		return "{}", nil
	}
	return auditJSON(facts)
}

// auditChange is the object before and after: of one that was changed, only
// what differs.
func auditChange(change lifecycle.AuditChange) (string, error) {
	before, after := change.Before, change.After
	if before != nil && after != nil {
		var err error
		if before, after, err = differing(before, after); err != nil {
			return "", err
		}
	}
	if len(before) == 0 && len(after) == 0 {
		return "", nil
	}
	told := map[string]any{}
	if before != nil {
		told["before"] = before
	}
	if after != nil {
		told["after"] = after
	}
	return auditJSON(told)
}

// differing returns the fields that are not alike in both.
func differing(before, after map[string]any) (was, is map[string]any, err error) {
	was, is = map[string]any{}, map[string]any{}
	for field, value := range before {
		alike, err := sameJSON(value, after[field])
		if err != nil {
			return nil, nil, err
		}
		if !alike {
			was[field] = value
		}
	}
	for field, value := range after {
		alike, err := sameJSON(value, before[field])
		if err != nil {
			return nil, nil, err
		}
		if !alike {
			is[field] = value
		}
	}
	return was, is, nil
}

func sameJSON(a, b any) (bool, error) {
	one, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("store: an audit detail: %w", err)
	}
	other, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("store: an audit detail: %w", err)
	}
	return bytes.Equal(one, other), nil
}

func auditJSON(value map[string]any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("store: an audit detail: %w", err)
	}
	return string(text), nil
}

// auditSubjects are the folded names of those whom the change tells about, and
// the object itself: all of it leads to the details when a person is erased.
func auditSubjects(change lifecycle.AuditChange) texts {
	subjects := texts{change.ID}
	for _, subject := range change.Subjects {
		if subject != "" {
			subjects = append(subjects, lifecycle.Fold(subject))
		}
	}
	return subjects
}
