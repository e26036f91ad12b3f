package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"gatehouse/lifecycle"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationTable lists the migrations that were applied.
const migrationTable = "gatehouse_migrations"

// lockPoll is how often a process asks whether another has done migrating. It
// asks rather than waits in the database, where a waiting statement would hold
// up an index that is built concurrently.
const lockPoll = 50 * time.Millisecond

const (
	// lockTimeout is how long a migration waits for a lock, and so how long whoever
	// uses the table may have to wait behind it.
	lockTimeout = "3s"
	// lockRetry is how soon it is tried again.
	lockRetry = time.Second
	// lockNotAvailable is the SQLSTATE of a wait that was too long.
	lockNotAvailable = "55P03"
)

// Migrate brings the schema that url's search path names first to the newest
// version and lets appRole use it, which needs to exist and gets no DDL; an
// empty appRole grants nothing. The role in url owns the schema. However many
// processes call it at once, one works and the others wait for it, until ctx
// ends; so does one that others keep from a table. Its errors are for operators. It
// needs a direct connection: behind a pooler that hands connections around, the lock
// would be left behind.
func Migrate(ctx context.Context, url, appRole string) error {
	conn, err := connConfig(url)
	if err != nil {
		return err
	}
	conn.RuntimeParams["gatehouse.app_role"] = appRole
	conn.RuntimeParams["statement_timeout"] = "0"
	db := stdlib.OpenDB(*conn)
	defer func() { _ = db.Close() }()
	hasty := conn.Copy()
	hasty.RuntimeParams["lock_timeout"] = lockTimeout
	giving := stdlib.OpenDB(*hasty)
	defer func() { _ = giving.Close() }()
	unlock, err := lockMigrations(ctx, db)
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	defer unlock()
	if err := migrateUp(ctx, db, giving); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if err := foldIdentities(ctx, db); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

// migrateUp applies what is lacking. A migration that waits for a table which others
// are at gives way, so that nobody waits behind it for long, and is tried again. Those
// without a transaction wait as long as need be: nobody waits behind them.
func migrateUp(ctx context.Context, waiting, giving *sql.DB) error {
	patient, err := newProvider(waiting)
	if err != nil {
		return err
	}
	hasty, err := newProvider(giving)
	if err != nil {
		return err
	}
	tick := time.NewTicker(lockRetry)
	defer tick.Stop()
	for {
		alone, err := nextIsAlone(ctx, patient)
		if err != nil {
			return err
		}
		next := hasty
		if alone {
			next = patient
		}
		_, err = next.UpByOne(ctx)
		var refused *pgconn.PgError
		switch {
		case err == nil:
			continue
		case errors.Is(err, goose.ErrNoNextVersion):
			return nil
		case !errors.As(err, &refused) || refused.Code != lockNotAvailable:
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-tick.C:
		}
	}
}

// nextIsAlone reports whether the migration that is next runs outside of a transaction.
func nextIsAlone(ctx context.Context, provider *goose.Provider) (bool, error) {
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return false, err
	}
	for _, source := range provider.ListSources() {
		if source.Version > version {
			text, err := fs.ReadFile(migrations, "migrations/"+source.Path)
			return strings.Contains(string(text), "\n-- +goose NO TRANSACTION\n"), err
		}
	}
	return false, nil
}

// foldIdentities fills in the folded columns of identities that were there before
// the columns were (0005), or were made by a program that did not know them yet.
// It is not part of the migration, since the database has no Fold.
func foldIdentities(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var id, name, email string
	folded := map[string][2]string{}
	rows, err := tx.QueryContext(ctx, `SELECT id, name, email FROM identities
		WHERE name_folded = '' AND name <> '' OR email_folded = '' AND email <> '' FOR NO KEY UPDATE`)
	err = each(rows, err, []any{&id, &name, &email}, func() error {
		folded[id] = [2]string{lifecycle.Fold(name), lifecycle.Fold(email)}
		return nil
	})
	if err != nil {
		return err
	}
	for id, texts := range folded {
		_, err := tx.ExecContext(ctx, "UPDATE identities SET name_folded = $1, email_folded = $2 WHERE id = $3", texts[0], texts[1], id)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(migrationTable), goose.WithLogger(goose.NopLogger()),
		goose.WithDisableGlobalRegistry(true))
}

// lockMigrations takes the lock of the schema on a connection of its own; the
// lock goes with the connection, whatever becomes of the process.
func lockMigrations(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	unlock = func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock_all()")
		_ = conn.Close()
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		var locked sql.NullBool
		err := conn.QueryRowContext(ctx,
			"SELECT pg_try_advisory_lock(hashtextextended('gatehouse/migrate/' || current_schema(), 0))").Scan(&locked)
		switch {
		case err != nil:
			unlock()
			return nil, err
		case !locked.Valid:
			unlock()
			return nil, errors.New("the search path names no schema that exists")
		case locked.Bool:
			return unlock, nil
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// newestVersion is the version of the last migration that is built in.
func newestVersion() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// Ready returns nil if the database answers and its schema is at least as new as
// this program needs, else KindUnavailable with a text that says what is
// missing; the text is for operators.
func (s *Store) Ready(ctx context.Context) (err error) {
	defer s.done(ctx, "Ready", time.Now(), &err)
	needed, err := newestVersion()
	if err != nil {
		return err
	}
	var exists bool
	if _, err := row(ctx, s.db, []any{&exists}, "SELECT to_regclass(?) IS NOT NULL", migrationTable); err != nil {
		return refusedByPooler(err)
	}
	if !exists {
		return lifecycle.NewError(lifecycle.KindUnavailable, "The database has no schema yet: the migrations have not run.")
	}
	if err := s.guarded(ctx); err != nil {
		return err
	}
	var version int64
	if _, err := row(ctx, s.db, []any{&version},
		"SELECT coalesce(max(version_id), 0) FROM "+migrationTable+" WHERE is_applied"); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "42501" {
			return lifecycle.NewError(lifecycle.KindUnavailable,
				"The database's schema may not be used by this role: the migrations ran for another.")
		}
		return err
	}
	if version < needed {
		return lifecycle.NewError(lifecycle.KindUnavailable,
			fmt.Sprintf("The database's schema is at version %d, this program needs %d: the migrations have not run.", version, needed))
	}
	return nil
}
