package store_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// The size that the plans are made for.
const (
	bigSources  = 50
	bigRecords  = 20_000
	bigRequests = 4_000
	bigPeople   = 500
)

// fill puts bigRecords records and bigRequests requests into each of bigSources
// sources. Of a hundred requests one is pending; each has one approval item.
func fill(t *testing.T, w *world) {
	t.Helper()
	for i := 1; i < bigSources; i++ {
		storetest.Source(t, w.Store, "Source "+lifecycle.NewID().String(), w.owner.ID)
	}
	// Without a log, without the look at what rows refer to, and with the indexes
	// made of all rows at once, this takes a tenth of the time.
	tx, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	indexes := map[string]string{}
	rows, err := tx.QueryContext(t.Context(), `SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = current_schema() AND tablename IN ('records', 'requests', 'approval_items')
			AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name, definition string
		require.NoError(t, rows.Scan(&name, &definition))
		indexes[name] = definition
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	run := func(statement string, args ...any) {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		require.NoError(t, err, statement)
	}
	run("SET LOCAL session_replication_role = replica")
	run("SET LOCAL maintenance_work_mem = '128MB'")
	run("ALTER TABLE records SET UNLOGGED")
	for name := range indexes {
		run("DROP INDEX " + name)
	}
	run(`INSERT INTO identities SELECT lpad(to_hex(n), 32, '0')::uuid, 'person.' || n, 'person.' || n, 'Person ' || n, 'p@example.com',
			'{}', true, now(), now() FROM generate_series(1, $1::int) AS n`, bigPeople)
	const person = `'acc' || n, 'acc' || n, 'First' || n % 997, 'first' || n % 997, 'Last' || n % 1009, 'last' || n % 1009, '1',
		'mail' || n || '@example.com', 'mail' || n || '@example.com', lpad(to_hex(1 + n % $2::int), 32, '0')::uuid,
		now() + n * interval '1 minute', now() + n * interval '1 hour', '{}',
		now() - n * interval '1 second', now() - n * interval '1 second'`
	const columns = `account_name, account_name_folded, first_name, first_name_folded, last_name, last_name_folded, phone,
		email, email_folded, manager_id, start_date, end_date, data, created, modified`
	// Of a hundred one is in each of the states beside ACTIVE.
	run(`INSERT INTO records (id, source_id, lifecycle_state, lifecycle_rung, `+columns+`)
		SELECT lpad(to_hex(row_number() OVER ()), 32, '0')::uuid, s.id,
			(ARRAY['PLANNED', 'EXPIRING', 'EXPIRED', 'SUSPENDED', 'ACTIVE'])[least(1 + n % 100, 5)],
			(ARRAY[366, 30, 0, -1, 366])[least(1 + n % 100, 5)], `+person+`
		FROM sources AS s CROSS JOIN generate_series(1, $1::int) AS n`, bigRecords, bigPeople)
	run(`INSERT INTO requests (id, source_id, approval_status, pending_since, workflow_seen_at, `+columns+`)
		SELECT lpad(to_hex(row_number() OVER ()), 32, '0')::uuid, s.id,
			CASE WHEN n % 100 = 0 THEN 'PENDING' WHEN n % 3 = 0 THEN 'REJECTED' ELSE 'APPROVED' END,
			CASE WHEN n % 100 = 0 THEN now() - n * interval '1 second' END, now(), `+person+`
		FROM sources AS s CROSS JOIN generate_series(1, $1::int) AS n`, bigRequests, bigPeople)
	run(`INSERT INTO approval_items (id, request_id, position, approver_id, approver_type, status, decided_by, created, modified)
		SELECT id, id, 0, manager_id, 'IDENTITY', approval_status, CASE WHEN approval_status <> 'PENDING' THEN manager_id END, created, modified
		FROM requests`)
	for _, definition := range indexes {
		run(definition)
	}
	run("UPDATE source_counters SET records = $1::int", bigRecords)
	run("ANALYZE")
	require.NoError(t, tx.Commit())
}

// TestBigTablesAreNotScanned makes plans for the queries as the store builds
// them, for the page and for the number of matches, at 50 sources of 20,000
// records.
func TestBigTablesAreNotScanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	fill(t, w)
	requireIndexes := func(name, query string) {
		t.Helper()
		plan := explain(t, w.admin, query)
		for _, table := range []string{"records", "requests", "approval_items"} {
			require.NotContains(t, plan, "Seq Scan on "+table, "%s: %s\n%s", name, query, plan)
		}
	}
	inSource := `sourceId eq "` + w.source.ID.String() + `"`
	someday := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	all, managed := policy.Reach{All: true}, policy.Reach{ManagedBy: w.owner.ID}
	assigned := policy.Reach{AssignedTo: lifecycle.MustParseID("00000000-0000-0000-0000-000000000007")}
	for _, c := range []struct {
		kind, name       string
		reach            policy.Reach
		filters, sorters string
	}{
		{"records", "the default order", all, "", ""},
		{"records", "one source", all, inSource, ""},
		{"records", "one source of an account manager", managed, inSource, ""},
		{"records", "an account name", all, `accountName eq "acc77"`, ""},
		{"records", "account names", all, `accountName in ("acc77","acc78")`, ""},
		{"records", "the beginning of an account name", all, `accountName sw "acc1999"`, ""},
		{"records", "a first name", all, `firstName eq "first77"`, ""},
		{"records", "the beginning of a first name", all, `firstName sw "first77"`, ""},
		{"records", "the beginning of a last name", all, `lastName sw "last100"`, ""},
		{"records", "a mail address", all, `email eq "mail77@example.com"`, ""},
		{"records", "the beginning of a mail address", all, `email sw "mail777"`, ""},
		{"records", "a manager", all, `manager eq "person.77"`, ""},
		{"records", "those that start soon", all, `startDate le ` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339), ""},
		{"records", "those that end soon", all, `endDate lt ` + time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339), ""},
		{"records", "new ones", all, `created ge ` + someday, ""},
		{"records", "changed ones", all, `modified gt ` + someday, ""},
		{"records", "those that are about to end", all, `lifecycleState eq "EXPIRING"`, ""},
		{"records", "those whose end has come", all, `lifecycleState in ("EXPIRED","SUSPENDED")`, "-created"},
		{"records", "those of a source in a state", all, inSource + ` and lifecycleState eq "EXPIRED"`, ""},
		{"records", "by created", all, "", "-created"},
		{"records", "by modified", all, "", "modified"},
		{"records", "by account name", all, "", "accountName"},
		{"records", "by end date", all, "", "-endDate"},
		{"records", "one source by account name", all, inSource, "-accountName"},
		{"records", "one source by end date", all, inSource, "endDate"},
		{"records", "one source by another field", all, inSource, "phone"},
		{"records", "a part of a name in one source", all, inSource + ` and lastName co "st77"`, ""},

		{"requests", "the default order", all, "", ""},
		{"requests", "one source", all, inSource, ""},
		{"requests", "one source of an account manager", managed, inSource, ""},
		{"requests", "pending ones", all, `approvalStatus eq "PENDING"`, ""},
		{"requests", "pending ones of a source", all, inSource + ` and approvalStatus eq "PENDING"`, ""},
		{"requests", "an account name", all, `accountName eq "acc77"`, ""},
		{"requests", "the beginning of an account name", all, `accountName sw "acc199"`, ""},
		{"requests", "new ones", all, `created ge ` + someday, ""},
		{"requests", "those that wait long", all, `pendingSince lt ` + someday, "pendingSince"},
		{"requests", "those that wait", all, `pr pendingSince`, "-pendingSince"},
		{"requests", "by how long they wait", all, "", "pendingSince"},
		{"requests", "one source by how long they wait", all, inSource, "pendingSince"},
		{"requests", "by created", all, "", "-created"},
		{"requests", "by account name", all, "", "accountName"},
		{"requests", "one source by another field", all, inSource, "phone"},

		{"approvals", "the default order", all, "", ""},
		{"approvals", "pending ones", all, `approvalStatus eq "PENDING"`, ""},
		{"approvals", "by modified", all, "", "-modified"},
		{"approvals", "an approver's", assigned, "", ""},
		{"approvals", "an approver's pending ones", assigned, `approvalStatus eq "PENDING"`, "-created"},
	} {
		name := c.kind + ": " + c.name
		params := filter.Params{}
		if c.filters != "" {
			params.Filters = new(c.filters)
		}
		if c.sorters != "" {
			params.Sorters = new(c.sorters)
		}
		schema := map[string]filter.Schema{"records": filter.Records, "requests": filter.Requests, "approvals": filter.Approvals}[c.kind]
		q, err := params.Judge(schema)
		require.NoError(t, err, name)
		page, count, err := w.Queries(c.kind, c.reach, q)
		require.NoError(t, err, name)
		requireIndexes(name, page)
		requireIndexes("the number of "+name, count)
	}

	var asked []string
	w.Spy(func(query string) { asked = append(asked, query) })
	_, err := w.RequestsToCheck(t.Context(), 500, time.Minute, time.Minute)
	require.NoError(t, err)
	require.Len(t, asked, 1)
	requireIndexes("the sweep", asked[0])

	summary, err := w.SummaryQuery(assigned)
	require.NoError(t, err)
	// Only what was vacuumed can be read from an index alone.
	w.change(t, "VACUUM approval_items")
	require.Contains(t, explain(t, w.admin, summary), "Index Only Scan using approval_items_assigned", summary)

	asked = nil
	_, err = w.BeginRecords(t.Context(), time.Now(), 100)
	require.NoError(t, err)
	due, err := w.DueRecords(t.Context(), time.Now().AddDate(1, 0, 0))
	require.NoError(t, err)
	require.Len(t, due, 2*bigSources, "ACTIVE and EXPIRING; nothing is done to what has ended")
	for _, d := range due[:2] {
		_, err = w.AdvanceRecords(t.Context(), d, time.Now(), 100)
		require.NoError(t, err)
	}
	swept := 0
	for _, query := range asked {
		if strings.Contains(query, "records") && strings.HasPrefix(query, "WITH") && !strings.Contains(query, "notification_records") {
			swept++
			plan := explain(t, w.admin, query)
			for _, scan := range []string{"Seq Scan on records", "Hash Join", "Merge Join"} {
				require.NotContains(t, plan, scan, "the sweep of records: %s\n%s", query, plan)
			}
			require.Contains(t, plan, "Index", query)
		}
	}
	require.Equal(t, 4, swept)
}

func explain(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+query)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan strings.Builder
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}

// TestAQueryThatTakesTooLongSaysSo holds a lock until the statement times out.
func TestAQueryThatTakesTooLongSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{StatementTimeout: 200 * time.Millisecond})
	tx, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), "LOCK TABLE records IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	q, err := filter.Params{}.Judge(filter.Records)
	require.NoError(t, err)
	_, _, err = w.ListRecords(t.Context(), policy.Reach{All: true}, q)
	require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err), "%v", err)
}
