package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// benchRows is how many rows the benchmarks of bulk work move. They take no part
// in an ordinary run of benchmarks.
func benchRows(b *testing.B) int {
	b.Helper()
	rows, err := strconv.Atoi(os.Getenv("GATEHOUSE_BENCH_BULK_ROWS"))
	if err != nil {
		b.Skip("GATEHOUSE_BENCH_BULK_ROWS says how many rows to move")
	}
	return rows
}

// benchRow makes up a row as the use case hands it over.
func benchRow(n int, manager lifecycle.ID) lifecycle.ImportRow {
	text := strconv.Itoa(n)
	start := time.Date(2026, 1, 1+n%300, 0, 0, 0, 0, time.UTC)
	p := lifecycle.Person{
		AccountName: "Account." + text, FirstName: "First " + strconv.Itoa(n%5000), LastName: "Last " + strconv.Itoa(n%7000),
		Phone: "+1 555 " + text, Email: "account." + text + "@example.org",
		Manager: lifecycle.ManagerReference{ID: manager}, StartDate: start, EndDate: start.AddDate(1, 0, 0),
	}
	return lifecycle.ImportRow{
		Number: n, Line: n + 1, RecordID: lifecycle.NewID(), Person: p,
		Cells: strings.Join([]string{
			p.AccountName, p.FirstName, p.LastName, p.Phone, p.Email, "jane.doe",
			lifecycle.FormatTime(p.StartDate), lifecycle.FormatTime(p.EndDate),
		}, ","),
	}
}

// stageBench stages n rows.
func stageBench(b *testing.B, s *store.Store, source lifecycle.Source, manager lifecycle.ID, n int) lifecycle.ID {
	b.Helper()
	const batch = 5_000
	job := lifecycle.ImportJob{ID: lifecycle.NewID(), SourceID: source.ID, Created: storetest.Now()}
	_, err := s.BeginImport(b.Context(), job, nil, "", n, time.Hour)
	require.NoError(b, err)
	rows := make([]lifecycle.ImportRow, 0, batch)
	for i := range n {
		if rows = append(rows, benchRow(i+1, manager)); len(rows) == batch || i == n-1 {
			require.NoError(b, s.StageImport(b.Context(), job.ID, rows, time.Hour))
			rows = rows[:0]
		}
	}
	return job.ID
}

// BenchmarkImport compares a file's way into a source with what plain SQL takes
// for the same: COPY into a table like the staged rows, and one statement for the
// names, one for the records and one for the counters.
func BenchmarkImport(b *testing.B) {
	n := benchRows(b)
	chunk := 2_000
	if text := os.Getenv("GATEHOUSE_BENCH_BULK_CHUNK"); text != "" {
		var err error
		chunk, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	schema := storetest.NewSchema(b)
	s, admin := schema.Open(b, store.Config{}), schema.Admin(b)
	owner := storetest.Identity(b, s, "jane.doe")
	lap := func(b *testing.B, what string, began time.Time) time.Duration {
		b.Helper()
		took := time.Since(began)
		b.ReportMetric(took.Seconds(), what+"-s")
		return took
	}
	carryOut := func(b *testing.B, source lifecycle.Source, file string) {
		b.Helper()
		began := time.Now()
		job := stageBench(b, s, source, owner.ID, n)
		lap(b, file+"-stage", began)
		if file == "changed" {
			_, err := admin.ExecContext(b.Context(), "UPDATE import_rows SET phone = '0' WHERE job_id = $1", job.String())
			require.NoError(b, err)
		}
		began = time.Now()
		faults, err := s.CheckImport(b.Context(), job, n)
		require.NoError(b, err)
		require.Zero(b, faults)
		lap(b, file+"-check", began)
		if file != "new" {
			began = time.Now()
			_, err := s.PreviewImport(b.Context(), job)
			require.NoError(b, err)
			lap(b, file+"-preview", began)
		}
		_, err = s.SealImport(b.Context(), job)
		require.NoError(b, err)
		began = time.Now()
		var longest time.Duration
		for status := lifecycle.JobPending; !status.Ended(); {
			beganChunk := time.Now()
			progress, err := s.ApplyImport(b.Context(), job, chunk)
			require.NoError(b, err)
			longest = max(longest, time.Since(beganChunk))
			status = progress.Status
			require.Zero(b, progress.Failed)
		}
		took := lap(b, file+"-apply", began)
		b.ReportMetric(float64(longest.Milliseconds()), file+"-longest-ms")
		b.ReportMetric(float64(took.Milliseconds())/float64((n+chunk-1)/chunk), file+"-chunk-ms")
	}
	for name, files := range map[string][]string{"new": {"new"}, "again": {"new", "same", "changed"}} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				source := storetest.Source(b, s, "Source "+lifecycle.NewID().String(), owner.ID)
				for _, file := range files {
					carryOut(b, source, file)
				}
				clearBench(b, admin, source.ID)
			}
		})
	}
	b.Run("sql", func(b *testing.B) {
		for range b.N {
			source := storetest.Source(b, s, "Source "+lifecycle.NewID().String(), owner.ID)
			began := time.Now()
			job := stageBench(b, s, source, owner.ID, n)
			lap(b, "copy", began)
			began = time.Now()
			insertBench(b, admin, source.ID, job)
			lap(b, "insert", began)
			clearBench(b, admin, source.ID)
		}
	})
}

// insertBench is what plain SQL does with staged rows.
func insertBench(b *testing.B, db *sql.DB, source, job lifecycle.ID) {
	b.Helper()
	// Outside of the time that is compared with, this is free.
	_, err := db.ExecContext(b.Context(), "ANALYZE import_rows")
	require.NoError(b, err)
	tx, err := db.BeginTx(b.Context(), nil)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`INSERT INTO account_names (source_id, folded, holder)
			SELECT $1, account_name_folded, record_id FROM import_rows WHERE job_id = $2 ON CONFLICT DO NOTHING`,
		"ANALYZE account_names",
		`INSERT INTO records (id, source_id, account_name, account_name_folded, first_name, first_name_folded, last_name,
				last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, created, modified)
			SELECT i.record_id, $1, i.account_name, i.account_name_folded, i.first_name, i.first_name_folded, i.last_name,
				i.last_name_folded, i.phone, i.email, i.email_folded, i.manager_id, i.start_date, i.end_date, i.data, now(), now()
			FROM import_rows AS i JOIN account_names AS n ON n.source_id = $1 AND n.folded = i.account_name_folded
			WHERE i.job_id = $2 AND n.holder = i.record_id`,
		`UPDATE source_counters SET records = (SELECT count(*) FROM records WHERE source_id = $1)
			WHERE source_id = $1 AND $2::uuid IS NOT NULL`,
	} {
		var args []any
		if strings.Contains(statement, "$1") {
			args = []any{source.String(), job.String()}
		}
		_, err := tx.ExecContext(b.Context(), statement, args...)
		require.NoError(b, err)
	}
	require.NoError(b, tx.Commit())
}

// clearBench makes the tables what they were, index pages and all.
func clearBench(b *testing.B, db *sql.DB, source lifecycle.ID) {
	b.Helper()
	for _, statement := range []string{
		"TRUNCATE import_rows, account_names, records",
		fmt.Sprintf("UPDATE source_counters SET records = 0 WHERE source_id = '%s'", source),
		"CHECKPOINT",
	} {
		_, err := db.ExecContext(context.Background(), statement)
		require.NoError(b, err)
	}
}

// BenchmarkExport compares a file's way out of a source with COPY of the same
// columns to the client.
func BenchmarkExport(b *testing.B) {
	n := benchRows(b)
	schema := storetest.NewSchema(b)
	s, admin := schema.Open(b, store.Config{}), schema.Admin(b)
	owner := storetest.Identity(b, s, "jane.doe")
	source := storetest.Source(b, s, "Contractors", owner.ID)
	insertBench(b, admin, source.ID, stageBench(b, s, source, owner.ID, n))
	_, err := admin.ExecContext(b.Context(), "VACUUM ANALYZE")
	require.NoError(b, err)
	b.Run("gatehouse", func(b *testing.B) {
		for range b.N {
			began := time.Now()
			job := lifecycle.ExportJob{ID: lifecycle.NewID(), SourceID: source.ID, Created: storetest.Now()}
			_, err := s.BeginExport(b.Context(), job)
			require.NoError(b, err)
			first := time.Duration(0)
			written, err := s.WriteExport(b.Context(), job.ID, time.Hour, func(int) {
				if first == 0 {
					first = time.Since(began)
				}
			})
			require.NoError(b, err)
			require.Equal(b, n, written.Rows)
			b.SetBytes(written.Bytes)
			b.ReportMetric(float64(first.Milliseconds()), "first-ms")
		}
	})
	b.Run("read", func(b *testing.B) {
		job := lifecycle.ExportJob{ID: lifecycle.NewID(), SourceID: source.ID, Created: storetest.Now()}
		_, err := s.BeginExport(b.Context(), job)
		require.NoError(b, err)
		_, err = s.WriteExport(b.Context(), job.ID, time.Hour, func(int) {})
		require.NoError(b, err)
		for b.Loop() {
			for from := 0; ; from += 4 {
				_, chunks, err := s.ReadExport(b.Context(), job.ID, from, 4)
				require.NoError(b, err)
				if len(chunks) == 0 {
					break
				}
			}
		}
	})
	b.Run("copy", func(b *testing.B) {
		conn, err := pgx.Connect(b.Context(), schema.AppURL)
		require.NoError(b, err)
		defer func() { require.NoError(b, conn.Close(context.Background())) }()
		for b.Loop() {
			_, err := conn.PgConn().CopyTo(b.Context(), io.Discard, `COPY (
				SELECT r.account_name, r.first_name, r.last_name, r.phone, r.email, m.alias, r.start_date, r.end_date
				FROM records AS r JOIN identities AS m ON m.id = r.manager_id
				WHERE r.source_id = '`+source.ID.String()+`') TO STDOUT (FORMAT csv)`)
			require.NoError(b, err)
		}
	})
}
