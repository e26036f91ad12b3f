package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"

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
