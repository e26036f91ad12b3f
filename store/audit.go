package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// auditParts are the parts of a statement that insert an entry, with its details,
// for each row of audited: (action, object_type, object_id, source_id, outcome,
// facts, change, subjects). What a row says of the object is known once it is
// changed, so that the numbers are in the order of the changes. The tail says which
// transaction an entry is of, so that the sealer can tell whether an earlier one is
// still open. Every detail has a salt of its own.
const auditParts = `audit_numbered AS MATERIALIZED (
		SELECT nextval('audit_numbers') AS id, audited.*, uuid_send(gen_random_uuid()) AS actor_salt,
			uuid_send(gen_random_uuid()) AS change_salt
		FROM (?0) AS audited (action, object_type, object_id, source_id, outcome, facts, change, subjects)
	), audit_entry AS (
		INSERT INTO audit_entries (id, occurred, channel, operation, outcome, identity_id, client_id, tracking_id,
			action, object_type, object_id, source_id, facts, actor_digest, change_digest)
		SELECT id, ?1::timestamptz, ?2, ?3, outcome, ?4::uuid, ?5, ?6, action, object_type, object_id, source_id, facts,
			sha256(actor_salt || convert_to(?7::text, 'UTF8')), sha256(change_salt || convert_to(change, 'UTF8'))
		FROM audit_numbered
	), audit_detail AS (
		INSERT INTO audit_details (entry_id, actor, actor_salt, change, change_salt, subjects)
		SELECT id, ?7::text, CASE WHEN ?7::text IS NOT NULL THEN actor_salt END, change,
			CASE WHEN change IS NOT NULL THEN change_salt END, subjects
		FROM audit_numbered WHERE ?7::text IS NOT NULL OR change IS NOT NULL
	), audit_waiting AS (
		INSERT INTO audit_tail (entry_id, txid) SELECT id, pg_current_xact_id() FROM audit_numbered
	)`

// audit inserts an entry for each change, by whom the context says, in the
// transaction that makes the changes: neither is there without the other.
func audit(ctx context.Context, tx bun.Tx, changes ...lifecycle.AuditChange) error {
	if len(changes) == 0 {
		return nil
	}
	parts, err := auditValues(ctx, changes)
	if err != nil {
		return err
	}
	return exec(ctx, tx, "WITH ? SELECT", parts)
}

// SaveAttempt writes down a change that was refused, by whom the context says.
func (s *Store) SaveAttempt(ctx context.Context, attempt lifecycle.AuditChange) (err error) {
	defer s.done(ctx, "SaveAttempt", time.Now(), &err)
	parts, err := auditValues(ctx, []lifecycle.AuditChange{attempt})
	if err != nil {
		return err
	}
	return exec(ctx, s.db, "WITH ? SELECT", parts)
}

// auditValues is audit as a part of a statement, behind its WITH; there is at
// least one change.
func auditValues(ctx context.Context, changes []lifecycle.AuditChange) (schema.QueryAppender, error) {
	values := make(tuples, len(changes))
	for i, change := range changes {
		facts, err := auditFacts(change.Facts)
		if err != nil {
			return nil, err
		}
		changed, err := auditChange(change)
		if err != nil {
			return nil, err
		}
		outcome := change.Outcome
		if outcome == "" {
			outcome = lifecycle.OutcomeSuccess
		}
		values[i] = []any{
			string(change.Action), string(change.Object), change.ID, bun.SafeQuery("?::uuid", uuidOf(change.Source)), string(outcome),
			facts, bun.SafeQuery("?::text", optional(changed)), auditSubjects(change),
		}
	}
	return auditRows(ctx, bun.SafeQuery("VALUES ?", values))
}

// auditOf is auditValues for what the other parts of the statement change: an
// entry for each row of each query.
func auditOf(ctx context.Context, queries ...auditQuery) (schema.QueryAppender, error) {
	selects := make([]string, len(queries))
	for i, query := range queries {
		selects[i] = query.text()
	}
	return auditRows(ctx, bun.Safe(strings.Join(selects, " UNION ALL ")))
}

func auditRows(ctx context.Context, rows schema.QueryAppender) (schema.QueryAppender, error) {
	origin := lifecycle.OriginOf(ctx)
	actor, err := auditActor(origin)
	if err != nil {
		return nil, err
	}
	// What is known of a person's client stands with their details.
	client := optional(origin.Client)
	if !origin.Identity.IsZero() {
		client = nil
	}
	return bun.SafeQuery(auditParts, rows, now(), string(origin.Channel), origin.Operation, uuidOf(origin.Identity), client,
		optional(origin.TrackingID), optional(actor)), nil
}

// auditQuery is an [lifecycle.AuditChange] for each row of from, a part of the
// same statement. Everything but action and object is SQL; what is empty is not
// told.
type auditQuery struct {
	action lifecycle.AuditAction
	object lifecycle.AuditObjectType
	// id is a uuid or a text, source a uuid.
	id, source string
	// facts, before and after are jsonb.
	facts, before, after string
	// subjects are a text[], with names that are folded.
	subjects string
	from     string
}

func (q auditQuery) text() string {
	source, facts, change, subjects := "NULL::uuid", "'{}'", "NULL::text", "NULL::text[]"
	if q.source != "" {
		source = q.source
	}
	if q.facts != "" {
		facts = "(" + q.facts + ")::text"
	}
	if q.subjects != "" {
		subjects = q.subjects
	}
	switch {
	case q.before != "" && q.after != "":
		change = `(SELECT CASE WHEN count(*) > 0 THEN jsonb_build_object(
				'before', jsonb_object_agg(key, was.value), 'after', jsonb_object_agg(key, becomes.value))::text END
			FROM jsonb_each(` + q.before + `) AS was JOIN jsonb_each(` + q.after + `) AS becomes USING (key)
			WHERE was.value <> becomes.value)`
	case q.before != "":
		change = "jsonb_build_object('before', " + q.before + ")::text"
	case q.after != "":
		change = "jsonb_build_object('after', " + q.after + ")::text"
	}
	return fmt.Sprintf("SELECT '%s', '%s', (%s)::text, %s, '%s', %s, %s, %s FROM %s",
		q.action, q.object, q.id, source, lifecycle.OutcomeSuccess, facts, change, subjects, q.from)
}

// uuidLiteral is the id as SQL, NULL for the zero ID.
func uuidLiteral(id lifecycle.ID) string {
	if id.IsZero() {
		return "NULL::uuid"
	}
	return "'" + id.String() + "'::uuid"
}

// auditedPerson is r, a record or request, as the audit trail shows it, and
// personSubjects is whom that tells about. The session's time zone is UTC.
const (
	auditedPerson = `jsonb_build_object('accountName', r.account_name, 'firstName', r.first_name, 'lastName', r.last_name,
		'phone', r.phone, 'email', r.email, 'manager', r.manager_id,
		'startDate', to_char(r.start_date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'endDate', to_char(r.end_date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', r.data)`
	personSubjects = "ARRAY[r.id::text, r.account_name_folded, r.email_folded]"
)

// optional is NULL for an empty text.
func optional(text string) any {
	if text == "" {
		return nil
	}
	return text
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
