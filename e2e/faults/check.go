package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"
)

// violation is something that is not as it must be.
type violation struct{ check, what string }

// checked is one check, with how many objects it looked at.
type checked struct {
	check  string
	looked int
	faults []string
}

// findings is what the checker found.
type findings []checked

func (f findings) violations() (all []violation) {
	for _, c := range f {
		for _, what := range c.faults {
			all = append(all, violation{c.check, what})
		}
	}
	return all
}

// evidence is what the checker holds to one another, as it is when the system is
// quiet.
type evidence struct {
	ledger *ledger
	// approvers is how many each source has.
	approvers map[string]int
	rows      pgx.Tx
	// workflows are the ids of those that are open.
	workflows map[string]bool
	// ended are the workflows of requests that have come to an end, each run with how.
	ended []ended
	// mails and postings count what arrived, by delivery and by event.
	mails, postings map[string]int
}

// ended is how a run of a workflow came to its end.
type ended struct {
	id  string
	how enumspb.WorkflowExecutionStatus
}

// check holds what clients were told to what is there. While pending requests are
// left, decided says so, that is that nobody decided all of them yet.
func (e evidence) check(ctx context.Context) (findings, error) {
	found := findings{e.complaints()}
	for _, look := range []func(context.Context) (findings, error){e.rules, e.requests, e.decisions, e.imports, e.exports, e.open, e.told, e.well} {
		more, err := look(ctx)
		if err != nil {
			return found, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// complaints are what clients found.
func (e evidence) complaints() checked {
	c := checked{check: "what clients saw for themselves"}
	e.ledger.change(func() {
		c.looked = len(e.ledger.asked) + len(e.ledger.decisions) + len(e.ledger.files) + len(e.ledger.exports)
		for _, fault := range e.ledger.faults {
			c.faults = append(c.faults, fault.check+": "+fault.what)
		}
	})
	return c
}

// rules are what holds of the rows whoever asked for what. Each has a query that
// counts what it looks at and one whose rows are violations.
var rules = []struct{ check, looked, faults string }{
	{
		"counters equal the rows", `SELECT count(*) FROM source_counters`,
		`SELECT 'source ' || c.source_id FROM source_counters AS c WHERE
			(c.records, c.pending, c.approved, c.rejected, c.cancelled, c.items) IS DISTINCT FROM (
				(SELECT count(*) FROM records AS r WHERE r.source_id = c.source_id),
				(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'PENDING'),
				(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'APPROVED'),
				(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'REJECTED'),
				(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'CANCELLED'),
				(SELECT count(*) FROM approval_items AS i JOIN requests AS r ON r.id = i.request_id WHERE r.source_id = c.source_id AND r.kind = 'CREATION'))`,
	},
	{
		"names equal their holders", `SELECT count(*) FROM account_names`,
		`SELECT coalesce('name held by ' || n.holder || ', which is not there', 'holder ' || h.id || ' without its name')
			FROM account_names AS n FULL JOIN (
				SELECT source_id, account_name_folded, id FROM records
				UNION ALL SELECT source_id, account_name_folded, id FROM requests WHERE approval_status = 'PENDING' AND kind = 'CREATION'
			) AS h ON (n.source_id, n.folded, n.holder) = (h.source_id, h.account_name_folded, h.id)
			WHERE n.holder IS NULL OR h.id IS NULL`,
	},
	{
		"a pending request has one pending item, those before it approved and those behind it waiting",
		`SELECT count(*) FROM requests WHERE approval_status = 'PENDING'`,
		`SELECT 'request ' || r.id || ': ' || s.statuses FROM requests AS r
			JOIN LATERAL (SELECT string_agg(i.status, ' ' ORDER BY i.position) AS statuses FROM approval_items AS i WHERE i.request_id = r.id) AS s ON true
			WHERE r.approval_status = 'PENDING' AND s.statuses !~ '^(APPROVED )*PENDING( NOT_READY)*$'`,
	},
	{
		"an approved request is approved by all and one record", `SELECT count(*) FROM requests WHERE approval_status = 'APPROVED'`,
		`SELECT 'request ' || r.id FROM requests AS r WHERE r.approval_status = 'APPROVED' AND (
			EXISTS (SELECT FROM approval_items AS i WHERE i.request_id = r.id AND i.status <> 'APPROVED')
			OR 1 <> (SELECT count(*) FROM records AS x WHERE x.source_id = r.source_id AND x.account_name = r.account_name AND x.phone = r.phone))`,
	},
	{
		"a rejected request is rejected once, not decided behind that, and no record",
		`SELECT count(*) FROM requests WHERE approval_status = 'REJECTED'`,
		`SELECT 'request ' || r.id || ': ' || s.statuses FROM requests AS r
			JOIN LATERAL (SELECT string_agg(i.status, ' ' ORDER BY i.position) AS statuses FROM approval_items AS i WHERE i.request_id = r.id) AS s ON true
			WHERE r.approval_status = 'REJECTED' AND (s.statuses !~ '^(APPROVED )*REJECTED( CANCELLED)*$'
			OR EXISTS (SELECT FROM records AS x WHERE x.source_id = r.source_id AND x.phone = r.phone))`,
	},
	{
		"nobody cancels a request", `SELECT count(*) FROM requests`,
		`SELECT 'request ' || id || ': ' || cancellation_reason FROM requests WHERE approval_status = 'CANCELLED'`,
	},
	{
		"a record comes of one request or import", `SELECT count(*) FROM records`,
		`SELECT 'record ' || r.id FROM records AS r WHERE r.account_name LIKE 'asked.%' AND NOT EXISTS (
			SELECT FROM requests AS q WHERE q.source_id = r.source_id AND q.account_name = r.account_name AND q.approval_status = 'APPROVED')`,
	},
	{
		"a request has one entry of its making in the trail", `SELECT count(*) FROM requests`,
		`SELECT 'request ' || r.id || ': ' || count(e.id) FROM requests AS r LEFT JOIN audit_entries AS e
			ON e.object_id = r.id::text AND e.object_type = 'REQUEST' AND e.action = 'CREATE' AND e.outcome = 'SUCCESS'
			GROUP BY r.id HAVING count(e.id) <> 1`,
	},
	{
		"a decided item has one entry of its decision in the trail, any other none", `SELECT count(*) FROM approval_items`,
		`SELECT 'item ' || i.id || ', ' || i.status || ': ' || count(e.id) FROM approval_items AS i LEFT JOIN audit_entries AS e
			ON e.object_id = i.id::text AND e.object_type = 'APPROVAL_ITEM' AND e.action IN ('APPROVE', 'REJECT') AND e.outcome = 'SUCCESS'
			GROUP BY i.id, i.status HAVING count(e.id) <> CASE WHEN i.status IN ('APPROVED', 'REJECTED') THEN 1 ELSE 0 END`,
	},
	{
		"a record that was asked for has one entry of its making in the trail", `SELECT count(*) FROM records WHERE account_name LIKE 'asked.%'`,
		`SELECT 'record ' || r.id || ': ' || count(e.id) FROM records AS r LEFT JOIN audit_entries AS e
			ON e.object_id = r.id::text AND e.object_type = 'RECORD' AND e.action = 'CREATE' AND e.outcome = 'SUCCESS'
			WHERE r.account_name LIKE 'asked.%' GROUP BY r.id HAVING count(e.id) <> 1`,
	},
	{
		"the trail has what imports did, once", `SELECT count(*) FROM import_jobs WHERE status = 'COMPLETED'`,
		`SELECT 'import ' || j.id || ': ' || j.created_rows || ', ' || j.updated_rows || ' changed, ' || coalesce(sum((e.facts::jsonb ->> 'created')::int), 0)
				|| ', ' || coalesce(sum((e.facts::jsonb ->> 'updated')::int), 0) || ' told'
			FROM import_jobs AS j LEFT JOIN audit_entries AS e ON e.object_id = j.id::text AND e.action = 'APPLY' AND e.outcome = 'SUCCESS'
			WHERE j.status = 'COMPLETED' GROUP BY j.id
			HAVING j.created_rows <> coalesce(sum((e.facts::jsonb ->> 'created')::int), 0) OR j.updated_rows <> coalesce(sum((e.facts::jsonb ->> 'updated')::int), 0)`,
	},
	{
		"everybody is told that a request was made and decided, once", `SELECT count(*) FROM requests`,
		`SELECT 'request ' || r.id || ', ' || r.approval_status || ': ' ||
				count(*) FILTER (WHERE n.event = 'request_made') || ' made, ' || count(*) FILTER (WHERE n.event = 'request_decided') || ' decided'
			FROM requests AS r LEFT JOIN notifications AS n ON n.request_id = r.id GROUP BY r.id, r.approval_status
			HAVING count(*) FILTER (WHERE n.event = 'request_made') <> 1
			OR count(*) FILTER (WHERE n.event = 'request_decided') <> CASE WHEN r.approval_status = 'PENDING' THEN 0 ELSE 1 END`,
	},
	{
		"the approver whose turn it is was told so", `SELECT count(*) FROM approval_items WHERE status = 'PENDING'`,
		`SELECT 'item ' || i.id FROM approval_items AS i WHERE i.status = 'PENDING'
			AND 1 <> (SELECT count(*) FROM notifications AS n WHERE n.item_id = i.id AND n.event = 'decision_needed')`,
	},
	{
		"everything that happened went to somebody", `SELECT count(*) FROM notifications`,
		`SELECT 'notification ' || n.id || ', ' || n.event FROM notifications AS n WHERE n.recipient_type = 'IDENTITY'
			AND EXISTS (SELECT FROM identities AS a WHERE a.id = n.recipient_id AND a.active AND a.email <> '')
			AND NOT EXISTS (SELECT FROM deliveries AS d WHERE d.event_id = n.event_id AND d.recipient_id = n.recipient_id)`,
	},
	{
		"nothing is left of uploads and exports that broke off", `SELECT count(*) FROM import_jobs`,
		`SELECT DISTINCT 'rows of upload ' || r.job_id FROM import_rows AS r
			UNION ALL SELECT 'import ' || id || ', ' || status FROM import_jobs WHERE status <> 'COMPLETED'
			UNION ALL SELECT 'export ' || id || ', ' || status FROM export_jobs WHERE status NOT IN ('COMPLETED', 'ERROR')`,
	},
}

func (e evidence) rules(ctx context.Context) (findings, error) {
	var found findings
	for _, rule := range rules {
		c := checked{check: rule.check}
		if err := e.rows.QueryRow(ctx, rule.looked).Scan(&c.looked); err != nil {
			return nil, fmt.Errorf("%s: %w", rule.check, err)
		}
		var err error
		if c.faults, err = texts(ctx, e.rows, rule.faults); err != nil {
			return nil, fmt.Errorf("%s: %w", rule.check, err)
		}
		found = append(found, c)
	}
	return found, nil
}

func texts(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]string, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// requests holds what was answered to who asked to the requests that are there.
func (e evidence) requests(ctx context.Context) (findings, error) {
	type row struct {
		ID, Source, Name, Mark string
		Items                  int
	}
	rows, err := e.rows.Query(ctx, `SELECT r.id::text, r.source_id::text, r.account_name, r.phone,
		(SELECT count(*) FROM approval_items AS i WHERE i.request_id = r.id) FROM requests AS r`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, err
	}
	byMark := map[string][]row{}
	for _, r := range all {
		byMark[r.Mark] = append(byMark[r.Mark], r)
	}
	there := checked{check: "a request that was answered is there, once, and whole"}
	gone := checked{check: "a request that was refused is not there"}
	open := checked{check: "a request that was not answered is there whole or not at all"}
	strange := checked{check: "nobody else asked for anything", looked: len(all)}
	e.ledger.change(func() {
		for _, a := range e.ledger.asked {
			mine := byMark[a.mark]
			delete(byMark, a.mark)
			whole := len(mine) == 1 && mine[0].Source == a.source && mine[0].Name == a.name && mine[0].Items == e.approvers[a.source]
			said := fmt.Sprintf("%s (%s): %v", a.name, a.id, mine)
			switch a.outcome {
			case told:
				there.looked++
				if !whole || mine[0].ID != a.id {
					there.faults = append(there.faults, said)
				}
			case refused:
				gone.looked++
				if len(mine) > 0 {
					gone.faults = append(gone.faults, said)
				}
			default:
				open.looked++
				if len(mine) > 0 && !whole {
					open.faults = append(open.faults, said)
				}
			}
		}
	})
	for _, rows := range byMark {
		strange.faults = append(strange.faults, fmt.Sprint(rows))
	}
	return findings{there, gone, open, strange}, nil
}

// decisions holds what was answered to approvers to the items.
func (e evidence) decisions(ctx context.Context) (findings, error) {
	type row struct{ ID, Status, Comment, By string }
	rows, err := e.rows.Query(ctx, `SELECT id::text, status, comment, coalesce(decided_by::text, '') FROM approval_items`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, err
	}
	items := map[string]row{}
	for _, r := range all {
		items[r.ID] = r
	}
	there := checked{check: "a decision that was answered stands"}
	gone := checked{check: "a decision that was refused was not carried out"}
	open := checked{check: "a decision that was not answered stands whole or not at all"}
	strange := checked{check: "every decision is somebody's, and they were not refused", looked: len(all)}
	e.ledger.change(func() {
		said := map[string]*decision{}
		for _, d := range e.ledger.decisions {
			said[d.comment] = d
			item, mine := items[d.item], items[d.item].Comment == d.comment
			stands := mine && item.By == d.approver && item.Status == verdictStatus[d.verdict]
			said := fmt.Sprintf("%s of item %s, %q: %v", d.verdict, d.item, d.comment, item)
			switch d.outcome {
			case told:
				there.looked++
				if !stands {
					there.faults = append(there.faults, said)
				}
			case refused:
				gone.looked++
				if mine {
					gone.faults = append(gone.faults, said)
				}
			default:
				open.looked++
				if mine && !stands {
					open.faults = append(open.faults, said)
				}
			}
		}
		for _, r := range all {
			if r.By == "" {
				continue
			}
			if d := said[r.Comment]; d == nil || d.item != r.ID {
				strange.faults = append(strange.faults, fmt.Sprintf("item %v", r))
			}
		}
	})
	return findings{there, gone, open, strange}, nil
}

// verdictStatus is what a verdict makes of an item.
var verdictStatus = map[string]string{"approve": "APPROVED", "reject": "REJECTED"}

// imports holds what was answered to uploads to the jobs and the records.
func (e evidence) imports(ctx context.Context) (findings, error) {
	type job struct {
		ID                   string
		Total, Taken, Faulty int
		Source               string
	}
	rows, err := e.rows.Query(ctx, `SELECT id::text, total, created_rows + updated_rows + unchanged_rows, failed_rows, source_id::text
		FROM import_jobs WHERE status = 'COMPLETED'`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[job])
	if err != nil {
		return nil, err
	}
	type group struct {
		Source, File, Mark string
		Rows               int
	}
	rows, err = e.rows.Query(ctx, `SELECT source_id::text, split_part(account_name, '.', 1), phone, count(*) FROM records
		WHERE account_name LIKE 'file%.%' GROUP BY 1, 2, 3`)
	if err != nil {
		return nil, err
	}
	groups, err := pgx.CollectRows(rows, pgx.RowToStructByPos[group])
	if err != nil {
		return nil, err
	}
	jobs := map[string]job{}
	for _, j := range all {
		jobs[j.ID] = j
	}
	shown := map[string][]group{}
	for _, g := range groups {
		shown[g.File] = append(shown[g.File], g)
	}
	accepted := checked{check: "an import that was accepted is complete, and so is each row"}
	counted := checked{check: "there are no more imports than were sent", looked: len(all)}
	files := checked{check: "all rows of a file are there once, in a version that was sent last, or none is"}
	// Which attempt a job is of can't be told; what it is of can.
	type sort struct {
		source string
		total  int
	}
	least, most, are := map[sort]int{}, map[sort]int{}, map[sort]int{}
	for _, j := range all {
		are[sort{j.Source, j.Total}]++
	}
	e.ledger.change(func() {
		for _, f := range e.ledger.files {
			may, none := map[string]bool{}, true
			var last string
			of := sort{f.source, f.rows}
			for _, u := range f.uploads {
				if u.outcome != refused {
					most[of] += 1 + u.open
				}
				if u.open > 0 && u.outcome != refused || u.outcome == unknown {
					may[u.mark] = true
				}
				if u.outcome != told {
					continue
				}
				least[of]++
				accepted.looked++
				none, last = false, u.mark
				if j, ok := jobs[u.job]; !ok || j.Total != f.rows || j.Taken != f.rows || j.Faulty != 0 || j.Source != f.source {
					accepted.faults = append(accepted.faults, fmt.Sprintf("import %s of file %d with %d rows: %v", u.job, f.number, f.rows, j))
				}
			}
			files.looked += f.rows
			found := shown[fmt.Sprintf("file%d", f.number)]
			delete(shown, fmt.Sprintf("file%d", f.number))
			whole := len(found) == 1 && found[0].Rows == f.rows && found[0].Source == f.source && (found[0].Mark == last || may[found[0].Mark])
			mayBeNone := none || f.deleting
			if f.deleted && len(found) > 0 || !whole && (len(found) > 0 || !mayBeNone) {
				files.faults = append(files.faults, fmt.Sprintf("file %d with %d rows, deleted %t: %v", f.number, f.rows, f.deleted, found))
			}
		}
	})
	for _, found := range shown {
		files.faults = append(files.faults, fmt.Sprintf("nobody sent %v", found))
	}
	for of := range least {
		if are[of] >= least[of] {
			continue
		}
		counted.faults = append(counted.faults, fmt.Sprintf("%d imports of %d rows into %s, of at least %d", are[of], of.total, of.source, least[of]))
	}
	for of := range are {
		if are[of] > most[of] {
			counted.faults = append(counted.faults, fmt.Sprintf("%d imports of %d rows into %s, of at most %d", are[of], of.total, of.source, most[of]))
		}
	}
	return findings{accepted, counted, files}, nil
}

// exports holds the files that arrived to the jobs and their chunks.
func (e evidence) exports(ctx context.Context) (findings, error) {
	c := checked{check: "an export that arrived whole is the one that is kept"}
	type kept struct {
		ID, Status string
		Rows       int
		Digest     string
	}
	rows, err := e.rows.Query(ctx, `SELECT j.id::text, j.status, j.rows,
		(SELECT encode(sha256(coalesce(string_agg(c.bytes, ''::bytea ORDER BY c.number), ''::bytea)), 'hex')
			FROM export_chunks AS c WHERE c.job_id = j.id AND c.attempt = j.attempt)
		FROM export_jobs AS j`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
	if err != nil {
		return nil, err
	}
	jobs := map[string]kept{}
	for _, k := range all {
		jobs[k.ID] = k
	}
	e.ledger.change(func() {
		for _, x := range e.ledger.exports {
			c.looked++
			if k := jobs[x.job]; k != (kept{x.job, "COMPLETED", x.rows, x.digest}) {
				c.faults = append(c.faults, fmt.Sprintf("export %s: %v arrived, %v is kept", x.job, *x, k))
			}
		}
	})
	return findings{c}, nil
}

// passing begin the ids of workflows that come and go and wait for nobody.
var passing = []string{"sweep", "lifecycle-sweep"}

func isPassing(id string) bool {
	return slices.ContainsFunc(passing, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}

// open holds the workflows that are open to the rows.
func (e evidence) open(ctx context.Context) (findings, error) {
	pending, err := texts(ctx, e.rows, `SELECT 'request/' || id FROM requests WHERE approval_status = 'PENDING'`)
	if err != nil {
		return nil, err
	}
	stuck := checked{check: "a pending request has an open workflow", looked: len(pending)}
	lost := checked{check: "an open workflow has something to wait for", looked: len(e.workflows)}
	wanted := map[string]bool{}
	for _, id := range pending {
		wanted[id] = true
		if !e.workflows[id] {
			stuck.faults = append(stuck.faults, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.workflows)) {
		if !wanted[id] && !isPassing(id) {
			lost.faults = append(lost.faults, id)
		}
	}
	return findings{stuck, lost}, nil
}

// well holds that no workflow of a request has failed: each is started anew, which
// heals what would be seen of it.
func (e evidence) well(context.Context) (findings, error) {
	c := checked{check: "no workflow of a request fails or is ended", looked: len(e.ended)}
	for _, w := range e.ended {
		if w.how != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED && w.how != enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW {
			c.faults = append(c.faults, w.id+" "+w.how.String())
		}
	}
	return findings{c}, nil
}

// told holds deliveries to what arrived.
func (e evidence) told(ctx context.Context) (findings, error) {
	type delivery struct {
		ID, Event, Channel, Status string
		Attempts, Doubts           int
	}
	rows, err := e.rows.Query(ctx, `SELECT id::text, event_id::text, channel, status, attempts, doubts FROM deliveries`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[delivery])
	if err != nil {
		return nil, err
	}
	mails := checked{check: "a mail is told once, or as often again as it was in doubt"}
	postings := checked{check: "a webhook is told, and no more often than it was tried"}
	strange := checked{check: "nothing arrives that is not a delivery", looked: len(e.mails) + len(e.postings)}
	unknownMails, unknownPostings := maps.Clone(e.mails), maps.Clone(e.postings)
	for _, d := range all {
		arrived, c, most := e.mails[d.ID], &mails, 1+d.Doubts
		if d.Channel == "WEBHOOK" {
			arrived, c, most = e.postings[d.Event], &postings, d.Attempts
			delete(unknownPostings, d.Event)
		}
		delete(unknownMails, d.ID)
		c.looked++
		if d.Status != "DELIVERED" || arrived < 1 || arrived > most {
			c.faults = append(c.faults, fmt.Sprintf("delivery %s, %s, of event %s: %d arrived, %d attempts, %d in doubt", d.ID, d.Status, d.Event, arrived, d.Attempts, d.Doubts))
		}
	}
	for _, ids := range []map[string]int{unknownMails, unknownPostings} {
		strange.faults = append(strange.faults, slices.Sorted(maps.Keys(ids))...)
	}
	return findings{mails, postings, strange}, nil
}
