package store_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// TestBulkWorkLooksItsRowsUp makes plans for the statements of bulk work, as they
// are run, for a source and a job that the statistics know nothing of, in tables
// that are big, and for tables that were never analyzed.
func TestBulkWorkLooksItsRowsUp(t *testing.T) {
	t.Parallel()
	for name, analyze := range map[string]bool{"statistics of others": true, "no statistics": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			var mutex sync.Mutex
			var ran []string
			w.Spy(func(query string) {
				mutex.Lock()
				defer mutex.Unlock()
				ran = append(ran, query)
			})
			for range 20 {
				w.fill(t, storetest.Source(t, w.Store, "Source "+lifecycle.NewID().String(), w.owner.ID).ID, 2_000)
			}
			for range 5 {
				w.stage(t, w.begin(t, plenty), w.rowsOf(numbered("other", 2_000)...)...)
			}
			if analyze {
				_, err := w.admin.ExecContext(t.Context(), "ANALYZE")
				require.NoError(t, err)
			}
			w.source = storetest.Source(t, w.Store, "Unknown", w.owner.ID, w.approvers[0].ID)
			w.fill(t, w.source.ID, 2_000)
			w.request(t, "asked.for")
			rows := w.rowsOf(append(numbered("user.", 2_000), numbered("fresh", 100)...)...)
			rows[3].Doubt = &lifecycle.RowFault{Kind: lifecycle.KindRequired, Message: "missing"}
			job := w.begin(t, 4_000)
			w.stage(t, job, rows...)
			ran = nil
			w.check(t, job)
			_, err := w.PreviewImport(t.Context(), job)
			require.NoError(t, err)
			_, err = w.SealImport(t.Context(), job)
			require.NoError(t, err)
			w.carryOut(t, job, 1_050)
			w.dropBulk(t)
			query, err := w.ExportQuery(t.Context(), w.source.ID)
			require.NoError(t, err)

			explained := map[string]bool{}
			tx, err := w.admin.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback()) }()
			for _, query := range append(ran, query) {
				switch {
				case strings.HasPrefix(query, "SELECT set_config"):
					_, err := tx.ExecContext(t.Context(), query)
					require.NoError(t, err)
					continue
				case strings.Contains(query, "GROUP BY account_name_folded"), strings.Contains(query, "FROM requests AS q"),
					!strings.Contains(query, "import_rows") && !strings.Contains(query, "records AS r"):
					continue // reads all rows of the file, or none
				}
				shape := strings.Join(strings.Fields(query), " ")
				explained[shape[:min(len(shape), 60)]] = true
				requireLookups(t, query, explainIn(t, tx, query))
			}
			require.GreaterOrEqual(t, len(explained), 8, explained)
		})
	}
}

func requireLookups(t *testing.T, query, plan string) {
	t.Helper()
	for _, table := range []string{"records", "account_names", "import_rows"} {
		require.NotContains(t, plan, "Seq Scan on "+table, "%s\n%s", query, plan)
		require.NotContains(t, plan, "Bitmap Heap Scan on "+table, "%s\n%s", query, plan)
	}
	for _, word := range []string{"Materialize", "Hash Join", "Merge Join"} {
		require.NotContains(t, plan, word, "%s\n%s", query, plan)
	}
	lines := strings.Split(plan, "\n")
	for i, line := range lines {
		if strings.Contains(line, "using account_names_pkey") {
			require.Contains(t, lines[i+1], "folded =", "%s\n%s", query, plan)
		}
		if strings.Contains(line, "using import_rows_pkey") {
			require.Contains(t, lines[i+1], "job_id =", "%s\n%s", query, plan)
		}
		if strings.Contains(line, "on records") && strings.Contains(line, "Index") {
			require.Regexp(t, "records_pkey|records_source_created", line, "%s\n%s", query, plan)
		}
	}
	if strings.Contains(query, "ORDER BY r.created") {
		require.NotContains(t, plan, "Sort", "%s\n%s", query, plan)
	}
}

func explainIn(t *testing.T, tx *sql.Tx, query string) string {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), "EXPLAIN "+query)
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
