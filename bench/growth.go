package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// What years leave behind: grownSources sources with grownRecords records each,
// grownRequests finished requests and grownEntries entries of the audit trail.
const (
	grownSources  = 50
	grownRecords  = 20_000
	grownRequests = 200_000
	grownEntries  = 1_000_000
	// begunWith is how many finished requests and entries there are before, so that a
	// page of them is full.
	begunWith = 300
	// growthBar is how much longer than on an empty database a call may take.
	growthBar = 1.5
	// grownApprovals and grownExports are how often the slow ones are measured.
	grownApprovals, grownExports = 40, 5
)

// growth measures calls before and after the database has grown. The baseline is
// the same call on a database with one source of that size and little else.
func (r *rig) growth(ctx context.Context, n int) ([]result, error) {
	approvals, err := r.source(ctx, "Growth, approvals", "approver.one")
	if err != nil {
		return nil, err
	}
	source, err := r.source(ctx, "Growth")
	if err != nil {
		return nil, err
	}
	if err := r.grow(ctx, []string{source}, 0, begunWith, 0, begunWith); err != nil {
		return nil, err
	}
	if _, err := r.sealed(ctx); err != nil {
		return nil, err
	}
	before, err := r.everyday(ctx, source, approvals, n)
	if err != nil {
		return nil, err
	}
	others := []string{source}
	for i := range grownSources - 1 {
		other, err := r.source(ctx, fmt.Sprintf("Growth %d", i))
		if err != nil {
			return nil, err
		}
		others = append(others, other)
	}
	if err := r.grow(ctx, others, begunWith, grownRequests, begunWith, grownEntries); err != nil {
		return nil, err
	}
	sealed, err := r.sealed(ctx)
	if err != nil {
		return nil, err
	}
	after, err := r.everyday(ctx, source, approvals, n)
	if err != nil {
		return nil, err
	}
	results := []result{{
		Name: fmt.Sprintf("sealing %d entries of the audit trail", grownEntries), Unit: "s", Ours: sealed.Seconds(), Bar: "reported", Met: true,
	}}
	for i := range before {
		results = append(results, result{
			Name: before[i].name + ", grown (against empty)", Unit: "ms",
			Baseline: before[i].p50, Ours: after[i].p50, Ratio: after[i].p50 / before[i].p50,
			Bar: fmt.Sprintf("at most %gx", growthBar), Met: after[i].p50 <= growthBar*before[i].p50,
		})
	}
	return results, nil
}

type timed struct {
	name string
	p50  float64
}

// everyday measures n of each call that people make all day.
func (r *rig) everyday(ctx context.Context, source, approvals string, n int) ([]timed, error) {
	var record string
	if err := r.rows.QueryRow(ctx, `SELECT id::text FROM records WHERE source_id = $1 ORDER BY id LIMIT 1`, source).Scan(&record); err != nil {
		return nil, err
	}
	of := func(filter string) string { return "&filters=" + url.QueryEscape(filter) }
	calls := []struct {
		name, who, path string
		times           int
	}{
		{"record by id", "admin", "/v3/non-employee-records/" + record, n},
		{"250 records of a source", "admin", "/v3/non-employee-records?limit=250" + of(`sourceId eq "`+source+`"`), n},
		{"250 records of all sources", "admin", "/v3/non-employee-records?limit=250", n},
		{"records of an account name", "admin", "/v3/non-employee-records?limit=250" + of(`accountName eq "acc77"`), n},
		{"250 requests", "approver.one", "/v3/non-employee-requests?requested-for=me&limit=250", n},
		{"summary of requests", "approver.one", "/v3/non-employee-requests/summary/me", n},
		{"250 approvals", "approver.one", "/v3/non-employee-approvals?requested-for=me&limit=250", n},
		{"pending approvals", "approver.one", "/v3/non-employee-approvals?requested-for=me&limit=250" + of(`approvalStatus eq "PENDING"`), n},
		{"summary of approvals", "approver.one", "/v3/non-employee-approvals/summary/me", n},
		{"sources with their counts", "admin", "/v3/non-employee-sources?non-employee-count=true", n},
		{"250 entries of the audit trail", "admin", "/v3/audit-events?limit=250", n},
		{"export of a source", "admin", "/v3/non-employee-sources/" + source + "/non-employees/download", grownExports},
	}
	var found []timed
	for _, call := range calls {
		var took []time.Duration
		for i := range call.times + call.times/10 {
			began := time.Now()
			if _, err := r.getAs(ctx, call.who, call.path); err != nil {
				return nil, err
			}
			if i >= call.times/10 {
				took = append(took, time.Since(began))
			}
		}
		found = append(found, timed{call.name, percentile(took, 0.5)})
	}
	measured, err := drive(ctx, 1, grownApprovals, func(ctx context.Context) (time.Duration, error) { return r.approval(ctx, approvals) })
	return append(found, timed{"approve", percentile(measured.approve, 0.5)}), err
}

// grow makes the records of those sources that have none, spreads finished requests
// over them, and entries of the trail from one number to another, as the programs
// would have left them. One request in
// fifty, as many as a source has, was decided by the one who is measured, and so were the first begunWith; the others
// by as many more.
func (r *rig) grow(ctx context.Context, sources []string, requestsFrom, requestsTo, entriesFrom, entriesTo int) error {
	ids := make([]uuid.UUID, len(sources))
	for i, source := range sources {
		ids[i] = uuid.MustParse(source)
	}
	me, other := uuid.MustParse(r.ids["approver.one"]), uuid.MustParse(r.ids["jane.doe"])
	steps := []struct {
		query string
		args  []any
	}{
		{`INSERT INTO records (id, source_id, account_name, account_name_folded, first_name, first_name_folded,
				last_name, last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, created, modified)
			SELECT gen_random_uuid(), s.id, 'acc' || n, 'acc' || n, 'First' || n % 997, 'first' || n % 997, 'Last' || n % 1009, 'last' || n % 1009,
				'1', 'm' || n, 'm' || n, $3::uuid, now() - interval '1 day', now() + interval '400 days' + n * interval '1 minute', '{}',
				now() - n * interval '1 minute', now() - n * interval '1 minute'
			FROM unnest($1::uuid[]) AS s (id) JOIN source_counters AS c ON c.source_id = s.id AND c.records = 0, generate_series(1, $2::int) AS n`,
			[]any{ids, grownRecords, other}},
		{`INSERT INTO account_names (source_id, folded, holder) SELECT source_id, account_name_folded, id FROM records
			WHERE source_id IN (SELECT source_id FROM source_counters WHERE records = 0) ON CONFLICT DO NOTHING`, nil},
		{`INSERT INTO requests (id, source_id, requester_id, account_name, account_name_folded, first_name, first_name_folded, last_name,
				last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, approval_status, completion_date,
				created, modified, workflow_seen_at, workflow_checked_at)
			SELECT md5('request' || n)::uuid, ($1::uuid[])[1 + n % $2::int], CASE WHEN n % 50 = 0 OR n <= $7::int THEN $5::uuid ELSE $6::uuid END,
				'old' || n, 'old' || n, 'F', 'f', 'L', 'l', '1', 'm', 'm', $6::uuid, now() - interval '1 day', now() + interval '400 days', '{}',
				CASE n % 5 WHEN 0 THEN 'REJECTED' ELSE 'APPROVED' END, at, at - interval '1 hour', at, at, at
			FROM generate_series($3::int + 1, $4::int) AS n, LATERAL (SELECT now() - n * interval '1 minute') AS t (at)`,
			[]any{ids, len(ids), requestsFrom, requestsTo, me, other, begunWith}},
		{`INSERT INTO approval_items (id, request_id, position, approver_id, approver_type, status, decided_by, decision_id, pending_since,
				assigned_since, created, modified)
			SELECT md5('item' || n)::uuid, md5('request' || n)::uuid, 0, by, 'IDENTITY', CASE n % 5 WHEN 0 THEN 'REJECTED' ELSE 'APPROVED' END,
				by, md5('decision' || n)::uuid, at - interval '1 hour', at - interval '1 hour', at - interval '1 hour', at
			FROM generate_series($1::int + 1, $2::int) AS n, LATERAL (SELECT now() - n * interval '1 minute') AS t (at),
				LATERAL (SELECT CASE WHEN n % 50 = 0 OR n <= $4::int THEN $3::uuid ELSE md5('approver' || n % 50)::uuid END) AS b (by)`,
			[]any{requestsFrom, requestsTo, me, begunWith}},
		{`UPDATE source_counters AS c SET
				records = (SELECT count(*) FROM records AS r WHERE r.source_id = c.source_id),
				approved = (SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND approval_status = 'APPROVED'),
				rejected = (SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND approval_status = 'REJECTED'),
				items = (SELECT count(*) FROM approval_items AS i JOIN requests AS r ON r.id = i.request_id WHERE r.source_id = c.source_id)`, nil},
		{`WITH entries AS (
				INSERT INTO audit_entries (id, occurred, channel, operation, outcome, identity_id, tracking_id, action, object_type, object_id,
					source_id, facts)
				SELECT nextval('audit_numbers'), now() - interval '1 day', 'API', 'patchNonEmployeeRecord', 'SUCCESS', $3::uuid, md5('t' || n),
					'UPDATE', 'RECORD', md5('record' || n)::uuid::text, $4::uuid, '{}'
				FROM generate_series($1::int + 1, $2::int) AS n RETURNING id
			) INSERT INTO audit_tail SELECT id, pg_current_xact_id() FROM entries`,
			[]any{entriesFrom, entriesTo, other, ids[0]}},
		{`VACUUM ANALYZE records, account_names, requests, approval_items, audit_entries, audit_tail, source_counters`, nil},
	}
	for _, step := range steps {
		if _, err := r.owner.Exec(ctx, step.query, step.args...); err != nil {
			return fmt.Errorf("%.60s…: %w", step.query, err)
		}
	}
	return nil
}

// sealed waits until the worker has taken all entries of the trail into its chain,
// and returns how long that took.
func (r *rig) sealed(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var left bool
		if err := r.owner.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM audit_tail)`).Scan(&left); err != nil {
			return 0, err
		}
		if !left {
			return time.Since(began), nil
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
