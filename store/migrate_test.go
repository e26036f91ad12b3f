package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestManyMigrateAtOnce(t *testing.T) {
	t.Parallel()
	schema := storetest.EmptySchema(t)
	rows := schema.Open(t, store.Config{})
	require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(rows.Ready(t.Context())))
	failed := make([]error, 8)
	var group sync.WaitGroup
	for i := range failed {
		group.Go(func() {
			failed[i] = store.Migrate(context.WithoutCancel(t.Context()), schema.MigrationURL, schema.AppRole)
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(failed...))
	require.NoError(t, rows.Ready(t.Context()))
}

// TestAMigrationGivesWayToWhoIsAtATable has somebody be at a table for longer than a
// migration waits: others get at it meanwhile, and the migration is done afterwards.
func TestAMigrationGivesWayToWhoIsAtATable(t *testing.T) {
	t.Parallel()
	schema := storetest.EmptySchema(t)
	require.NoError(t, store.MigrateTo(t.Context(), schema.MigrationURL, schema.AppRole, 12))
	db := schema.Admin(t)
	holder, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = holder.ExecContext(t.Context(), "LOCK TABLE requests IN ACCESS SHARE MODE")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- store.Migrate(context.WithoutCancel(t.Context()), schema.MigrationURL, schema.AppRole) }()
	const waits = `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'requests'::regclass AND NOT granted)`
	waiting := func(want bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			var is bool
			require.NoError(t, db.QueryRowContext(t.Context(), waits).Scan(&is))
			return is == want
		}, time.Minute, 10*time.Millisecond)
	}
	waiting(true)
	waiting(false)
	waiting(true)
	require.NoError(t, holder.Rollback())
	require.NoError(t, <-done)
	require.NoError(t, schema.Open(t, store.Config{}).Ready(t.Context()))
}

// TestTheApplicationMayNotChangeTables tries as the application's role.
func TestTheApplicationMayNotChangeTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, statement := range []string{
		"CREATE TABLE mine (id int)", "ALTER TABLE records ADD COLUMN more int", "DROP TABLE records", "TRUNCATE records",
	} {
		var refused *pgconn.PgError
		require.ErrorAs(t, w.Exec(t.Context(), statement), &refused, statement)
		require.Equal(t, "42501", refused.Code, statement)
	}
}
