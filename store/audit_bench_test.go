package store_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// fillTrail writes entries as a change of a record leaves them, settled and not
// sealed.
func fillTrail(t testing.TB, tr *trail, entries int) {
	t.Helper()
	for _, statement := range []string{
		`CREATE TABLE given AS SELECT n, decode(md5(n::text), 'hex') AS salt,
				'{"client": "demo-admin", "address": "192.0.2.' || n % 250 || '"}' AS actor,
				'{"after": {"accountName": "account.' || n || '", "firstName": "First", "lastName": "Last", "phone": "+1 555 ' || n ||
					'", "email": "account.' || n || '@example.org", "startDate": "2026-01-01T00:00:00.000Z", "data": {}}}' AS change
			FROM generate_series(1, $1) AS n`,
		`INSERT INTO audit_entries SELECT n, '2026-01-01'::timestamptz + n * interval '1 second', 'API', 'createNonEmployeeRecord', 'SUCCESS',
				lpad(to_hex(n % 500), 32, '0')::uuid, NULL, md5('t' || n), 'CREATE', 'RECORD', lpad(to_hex(n), 32, '0')::uuid::text,
				lpad(to_hex(n % 50), 32, '0')::uuid, '{}', sha256(salt || convert_to(actor, 'UTF8')), sha256(salt || convert_to(change, 'UTF8'))
			FROM given WHERE n <= $1`,
		`INSERT INTO audit_details SELECT n, actor, salt, change, salt, ARRAY['account.' || n] FROM given WHERE n <= $1`,
		`INSERT INTO audit_tail SELECT n, '3' FROM given WHERE n <= $1`,
	} {
		tr.tamper(t, statement, entries)
	}
	_, err := tr.admin.ExecContext(t.Context(), "DROP TABLE given")
	require.NoError(t, err)
}

// BenchmarkTrail says how long sealing, verifying, listing and exporting take of
// as many entries as GATEHOUSE_BENCH_AUDIT_ENTRIES says, and how much memory
// verifying holds at most.
func BenchmarkTrail(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("GATEHOUSE_BENCH_AUDIT_ENTRIES"))
	if err != nil {
		b.Skip("GATEHOUSE_BENCH_AUDIT_ENTRIES says how many entries there are")
	}
	tr := newTrail(b)
	fillTrail(b, tr, n)
	report := func(name string, do func()) {
		start := time.Now()
		do()
		b.ReportMetric(time.Since(start).Seconds(), name)
	}
	for b.Loop() {
		report("seal-s", func() {
			for sealed := 0; sealed < n; {
				sealing, err := tr.SealAudit(b.Context(), 5_000)
				require.NoError(b, err)
				sealed += sealing.Sealed
			}
		})
		var most uint64
		report("verify-s", func() {
			done := make(chan struct{})
			watching := make(chan struct{})
			go func() {
				defer close(watching)
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-done:
						return
					case <-tick.C:
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						most = max(most, m.HeapInuse)
					}
				}
			}()
			found, err := tr.VerifyAudit(b.Context(), nil, func(f lifecycle.AuditFault) error { b.Error(f); return nil })
			require.NoError(b, err)
			require.Equal(b, int64(n), found.Sealed)
			close(done)
			<-watching
		})
		b.ReportMetric(float64(most>>20), "verify-MiB")
		newest := filter.Query{Sort: []filter.Order{{Field: "occurred", Descending: true}}, Limit: 250}
		report("newest-s", func() {
			_, _, err := tr.ListAuditEvents(b.Context(), newest)
			require.NoError(b, err)
		})
		for name, expression := range map[string]string{
			"object-s":    `objectId eq "00000000-0000-0000-0000-000000000fff"`,
			"identity-s":  `identityId eq "00000000-0000-0000-0000-000000000007"`,
			"tracking-s":  `trackingId eq "none"`,
			"client-s":    `clientId eq "none"`,
			"operation-s": `operation eq "none"`,
		} {
			q := newest
			q.Where, err = filter.Parse(expression, filter.AuditEvents)
			require.NoError(b, err)
			report(name, func() {
				_, _, err := tr.ListAuditEvents(b.Context(), q)
				require.NoError(b, err)
			})
		}
		report("export-s", func() {
			end, err := tr.AuditEnd(b.Context())
			require.NoError(b, err)
			for looked := int64(0); looked < end; {
				_, looked, err = tr.AuditEventsAfter(b.Context(), nil, looked, end)
				require.NoError(b, err)
			}
		})
	}
}
