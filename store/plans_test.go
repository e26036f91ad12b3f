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
	bigSources = 50
	bigRecords = 20_000
)

// fill puts bigRecords records into each of bigSources sources.
func fill(t *testing.T, w *world, admin *sql.DB) {
	t.Helper()
	for i := 1; i < bigSources; i++ {
		storetest.Source(t, w.Store, "Source "+lifecycle.NewID().String(), w.owner.ID)
	}
	// Without a log, without the look at what rows refer to, and with the indexes
	// made of all rows at once, this takes a tenth of the time.
	tx, err := admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	indexes := map[string]string{}
	rows, err := tx.QueryContext(t.Context(), `SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = current_schema() AND tablename = 'records' AND indexname <> 'records_pkey'`)
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
	run(`INSERT INTO records (id, source_id, account_name, account_name_folded, first_name, first_name_folded, last_name,
			last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, created, modified)
		SELECT lpad(to_hex(row_number() OVER ()), 32, '0')::uuid, s.id, 'acc' || n, 'acc' || n, 'First' || n % 997, 'first' || n % 997,
			'Last' || n % 1009, 'last' || n % 1009, '1', 'mail' || n || '@example.com', 'mail' || n || '@example.com', s.owner_id,
			now() + n * interval '1 minute', now() + n * interval '1 hour', '{}',
			now() - n * interval '1 second', now() - n * interval '1 second'
		FROM sources AS s CROSS JOIN generate_series(1, $1::int) AS n`, bigRecords)
	for _, definition := range indexes {
		run(definition)
	}
	run("UPDATE source_counters SET records = $1::int", bigRecords)
	run("ANALYZE")
	require.NoError(t, tx.Commit())
}

// TestBigTablesAreNotScanned makes plans for the queries as the store builds
// them, at 50 sources of 20,000 records.
func TestBigTablesAreNotScanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	fill(t, w, w.admin)
	source := w.source.ID.String()
	all := policy.Reach{All: true}
	managed := policy.Reach{ManagedBy: w.owner.ID}
	for _, c := range []struct {
		name             string
		reach            policy.Reach
		filters, sorters string
	}{
		{"the default order", all, "", ""},
		{"one source", all, `sourceId eq "` + source + `"`, ""},
		{"one source of an account manager", managed, `sourceId eq "` + source + `"`, ""},
		{"an account name", all, `accountName eq "acc77"`, ""},
		{"account names", all, `accountName in ("acc77","acc78")`, ""},
		{"the beginning of an account name", all, `accountName sw "acc1999"`, ""},
		{"a first name", all, `firstName eq "first77"`, ""},
		{"the beginning of a last name", all, `lastName sw "last100"`, ""},
		{"a mail address", all, `email eq "mail77@example.com"`, ""},
		{"by created", all, "", "-created"},
		{"by modified", all, "", "modified"},
		{"by account name", all, "", "accountName"},
		{"by end date", all, "", "-endDate"},
		{"one source by account name", all, `sourceId eq "` + source + `"`, "-accountName"},
		{"one source by end date", all, `sourceId eq "` + source + `"`, "endDate"},
		{"one source by another field", all, `sourceId eq "` + source + `"`, "phone"},
		{"a part of a name in one source", all, `sourceId eq "` + source + `" and lastName co "st77"`, ""},
	} {
		params := filter.Params{}
		if c.filters != "" {
			params.Filters = new(c.filters)
		}
		if c.sorters != "" {
			params.Sorters = new(c.sorters)
		}
		q, err := params.Judge(filter.Records)
		require.NoError(t, err, c.name)
		page, _, err := w.Queries("records", c.reach, q)
		require.NoError(t, err, c.name)
		plan := explain(t, w.admin, page)
		require.NotContains(t, plan, "Seq Scan on records", "%s: %s\n%s", c.name, page, plan)
		require.NotContains(t, plan, "Seq Scan on account_names", "%s: %s\n%s", c.name, page, plan)
	}
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
