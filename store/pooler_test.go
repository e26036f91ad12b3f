package store_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// behindAPooler are the tests that are run a second time, through a PgBouncer in
// transaction mode whose sessions are fewer than the connections. All of them
// are by GATEHOUSE_TEST_POOLER=1 make test TESTS=./store.
var behindAPooler = []string{
	"TestARequestGoesThroughItsApprovers",
	"TestOneVerdictWins",
	"TestNoNameIsTakenTwice",
	"TestASourceTakesNoMoreThanItsLimit",
	"TestAFileBecomesRecords",
	"TestTwoAppliersTakeEveryRowOnce",
	"TestAChunkThatFailsHalfwayIsTakenAgain",
	"TestAnExportSeesOneMoment",
	"TestABigExportComesInPiecesWhileItIsWritten",
	"TestExportsShareFewConnections",
	"TestLeasesAreNeverMoreThanTheLimit",
	"TestEntriesAreSealedInTheirOrder",
	"TestASessionBehindAPoolerIsBounded",
	"TestWhatAPoolerRefusesIsSaid",
}

func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	if os.Getenv(storetest.Pooled) != "" {
		t.Skip("it is what runs the tests behind a pooler")
	}
	storetest.RequirePooler(t)
	names := "^(" + strings.Join(behindAPooler, "|") + ")$"
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run", names, "-test.v") //nolint:gosec // this very program
	again.Env = append(os.Environ(), storetest.Pooled+"=1")
	out, err := again.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, name := range behindAPooler {
		require.Contains(t, string(out), "--- PASS: "+name+" ", "%s", out)
	}
}

// pooled skips a test where nothing comes through a pooler.
func pooled(t *testing.T) {
	t.Helper()
	if os.Getenv(storetest.Pooled) == "" {
		t.Skip("TestBehindAPooler runs it")
	}
}

func TestASessionBehindAPoolerIsBounded(t *testing.T) {
	t.Parallel()
	pooled(t)
	schema := storetest.EmptySchema(t)
	require.NoError(t, store.Migrate(t.Context(), schema.MigrationURL, schema.AppRole))
	admin := schema.Admin(t)
	_, err := admin.ExecContext(t.Context(), `DO $$ BEGIN
		EXECUTE format('ALTER ROLE `+schema.AppRole+` IN DATABASE %I RESET ALL', current_database());
	END $$`)
	require.NoError(t, err)
	require.NoError(t, storetest.Reconnect(t.Context(), schema))
	const bound = 300 * time.Millisecond
	s := schema.Open(t, store.Config{StatementTimeout: bound})
	err = s.Ready(t.Context())
	requireKind(t, lifecycle.KindUnavailable, err)
	require.ErrorContains(t, err, "The database has 0 ms as idle_in_transaction_session_timeout and must have 60000 at most: a pooler")

	for range 2 {
		require.NoError(t, store.BoundSessions(t.Context(), schema.AppURL, bound))
	}
	// The session that the first question went through has what it had.
	require.NoError(t, storetest.Reconnect(t.Context(), schema))
	// On a busy machine it takes the pooler a while to have a session again.
	require.Eventually(t, func() bool { return s.Ready(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	err = store.Translate(s.Exec(t.Context(), "SELECT pg_sleep(60)"))
	requireKind(t, lifecycle.KindUnavailable, err)
	require.ErrorContains(t, err, "took longer than it may")

	stricter := schema.Open(t, store.Config{StatementTimeout: bound - time.Millisecond})
	err = stricter.Ready(t.Context())
	requireKind(t, lifecycle.KindUnavailable, err)
	require.ErrorContains(t, err, "The database has 300 ms as statement_timeout and must have 299 at most")

	require.NoError(t, store.BoundSessions(t.Context(), schema.AppURL, time.Minute))
	require.NoError(t, storetest.Reconnect(t.Context(), schema))
	patient := schema.Open(t, store.Config{StatementTimeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	requireKind(t, lifecycle.KindUnavailable, store.Translate(patient.Exec(ctx, "SELECT pg_sleep(59)")))
	require.Eventually(t, func() bool {
		var n int
		err := admin.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep(59)%'`).Scan(&n)
		return err == nil && n == 0
	}, 20*time.Second, 20*time.Millisecond, "who gives up ends the statement, through the pooler too")
}

func TestWhatAPoolerRefusesIsSaid(t *testing.T) {
	t.Parallel()
	pooled(t)
	schema := storetest.EmptySchema(t)
	at, err := url.Parse(schema.AppURL)
	require.NoError(t, err)
	query := at.Query()
	query.Set("lock_timeout", "1000")
	at.RawQuery = query.Encode()
	schema.AppURL = at.String()
	err = schema.Open(t, store.Config{}).Ready(t.Context())
	requireKind(t, lifecycle.KindUnavailable, err)
	require.ErrorContains(t, err, "ignore_startup_parameters")
}

// BenchmarkLookup says what a pooler costs, run with and without GATEHOUSE_TEST_POOLER.
func BenchmarkLookup(b *testing.B) {
	s := storetest.New(b)
	owner := storetest.Identity(b, s, "jane.doe")
	source := storetest.Source(b, s, "Contractors", owner.ID)
	for b.Loop() {
		_, _, err := s.GetSource(b.Context(), source.ID, owner.ID)
		require.NoError(b, err)
	}
}
