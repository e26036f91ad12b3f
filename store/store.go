// Package store keeps everything in Postgres. It is the only importer of bun
// and of the driver, and the only place that knows SQL.
//
// Rules that must hold under concurrency are rows and constraints, never checks
// that were made before. Every transaction takes its locks in this order, so
// that none waits for another in a circle:
//
//  1. the source
//  2. the source's counters, of several sources by id
//  3. the request, then its approval items; the import
//  4. the record
//  5. account names
//  6. the organisation
//  7. the identity, then its clients
//
// Errors are lifecycle errors; what Postgres says stays inside, since it quotes
// keys.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"golang.org/x/sync/semaphore"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// Observer is told of every operation when it is over: the context of who called
// it, the method's name, how long it took with its waits, and its error. It holds
// no SQL and no values, must not block and is called by many goroutines at once.
type Observer func(ctx context.Context, operation string, took time.Duration, err error)

// Config says which database to use, and how.
type Config struct {
	// URL is a postgres:// URL or a keyword/value string. The role in it needs
	// no right to change the schema.
	URL string
	// MaxConns bounds the connections, open and idle; less than 2 is 2, since an
	// export reads and writes at once.
	MaxConns int
	// StatementTimeout ends a statement that takes longer, KindUnavailable; zero
	// or less is no bound. It is sent when a connection is opened; a pooler may
	// drop it, which Ready finds.
	StatementTimeout time.Duration
	// Day is how long a day of a policy lasts; zero is 24 hours. A shorter one is
	// for demonstrations and tests.
	Day time.Duration
	// Observe may be nil.
	Observe Observer
}

// idleTime is how long an unused connection stays open.
const idleTime = 5 * time.Minute

// idleTransaction is how long a transaction may stay open with nothing asked in
// it. A process that stopped or a host that was lost would otherwise keep its
// locks, and the audit trail from being sealed, until the network gives it up.
const idleTransaction = time.Minute

// Store keeps sources, records, requests and identities. It is safe for
// concurrent use.
type Store struct {
	db      *bun.DB
	observe Observer
	// day is how long a day of a policy lasts.
	day time.Duration
	// statementTimeout is what Ready holds sessions to.
	statementTimeout time.Duration
	// unprepared is true once a lookup has lost its prepared statement.
	unprepared atomic.Bool
	// exports bounds the exports that read, each of which keeps a connection
	// and needs another now and then.
	exports *semaphore.Weighted
}

// Open returns a Store over the database. It makes no connection: a database
// that can't be reached shows in Ping and Ready, so that a process may start
// before its database.
func Open(_ context.Context, config Config) (*Store, error) {
	connect := func() (*pgx.ConnConfig, error) {
		conn, err := connConfig(config.URL)
		if err != nil {
			return nil, err
		}
		for _, bound := range sessionBounds(config.StatementTimeout) {
			conn.RuntimeParams[bound.name] = bound.milliseconds()
		}
		return conn, nil
	}
	conn, err := connect()
	if err != nil {
		return nil, err
	}
	// Read anew, so that certificates and passwords in files can be replaced.
	pool := stdlib.OpenDB(*conn, stdlib.OptionBeforeConnect(func(_ context.Context, conn *pgx.ConnConfig) error {
		fresh, err := connect()
		if err != nil {
			return lifecycle.NewError(lifecycle.KindUnavailable, textUnreachable).WithCause(err)
		}
		*conn = *fresh
		return nil
	}))
	conns := max(2, config.MaxConns)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(idleTime)
	day := config.Day
	if day == 0 {
		day = 24 * time.Hour
	}
	return &Store{
		db: bun.NewDB(pool, newDialect()), observe: config.Observe, day: day,
		statementTimeout: config.StatementTimeout, exports: semaphore.NewWeighted(int64(conns / 2)),
	}, nil
}

// connConfig reads the URL and sets what every connection relies on.
func connConfig(url string) (*pgx.ConnConfig, error) {
	conn, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database URL: %w", err)
	}
	// bun puts the arguments into the text, so preparing would only fill caches;
	// a lookup has itself prepared nonetheless.
	// The extended protocol refuses a second statement in one text.
	conn.DefaultQueryExecMode = pgx.QueryExecModeExec
	// With it off, a backslash in a value would be an escape.
	conn.RuntimeParams["standard_conforming_strings"] = "on"
	conn.RuntimeParams["timezone"] = "UTC"
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = "gatehouse"
	}
	return conn, nil
}

// Close closes all connections; operations under way fail.
func (s *Store) Close() error { return s.db.Close() }

// Stats returns the figures of the connection pool.
func (s *Store) Stats() sql.DBStats { return s.db.Stats() }

// Ping asks the database for a sign of life; KindUnavailable if none comes.
func (s *Store) Ping(ctx context.Context) (err error) {
	defer s.done(ctx, "Ping", time.Now(), &err)
	return s.db.PingContext(ctx)
}

// done ends an operation: it makes the error a lifecycle error and tells the
// observer.
func (s *Store) done(ctx context.Context, operation string, start time.Time, err *error) {
	*err = translate(*err)
	if s.observe != nil {
		s.observe(ctx, operation, time.Since(start), *err)
	}
}

// now is the time as the rows keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// later returns at, moved behind the floors if it is not: clocks of several
// machines differ, and the order of what happened to a row must not.
func later(at time.Time, floors ...time.Time) time.Time {
	for _, floor := range floors {
		if !at.After(floor) {
			at = floor.Add(time.Millisecond)
		}
	}
	return at
}

// inTx runs fn in a transaction, which an error of fn rolls back.
func (s *Store) inTx(ctx context.Context, fn func(tx bun.Tx) error) error {
	return s.db.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return fn(tx) })
}

// affected runs a statement and returns how many rows it changed.
func affected(ctx context.Context, db bun.IDB, query string, args ...any) (int64, error) {
	result, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// exec runs a statement whose number of changed rows does not matter.
func exec(ctx context.Context, db bun.IDB, query string, args ...any) error {
	_, err := db.ExecContext(ctx, query, args...)
	return err
}

// row reads one row into dest; found is false if there is none.
func row(ctx context.Context, db bun.IDB, dest []any, query string, args ...any) (found bool, err error) {
	err = db.QueryRowContext(ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each reads all rows, calling read after each was put into dest.
func each(rows *sql.Rows, err error, dest []any, read func() error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// The modes of a lock on a source's counters.
const (
	// forCounting serialises those who change what is counted.
	forCounting = "NO KEY UPDATE"
	// forUsing keeps the source and its custom attributes as they are; it bars
	// forRemoving, not forCounting.
	forUsing = "KEY SHARE"
	// forRemoving also waits for those who change a record.
	forRemoving = "UPDATE"
)

// lockCounters locks the counters of the source; false if there is no such source.
func lockCounters(ctx context.Context, tx bun.Tx, source lifecycle.ID, mode string) (bool, error) {
	var one int
	return row(ctx, tx, []any{&one},
		"SELECT 1 FROM source_counters WHERE source_id = ? FOR ?", source, bun.Safe(mode))
}

// lockCountersOf locks the counters of the source that holds the row with this
// id in table, and returns the source. The source of a row never changes.
func lockCountersOf(ctx context.Context, tx bun.Tx, table string, id lifecycle.ID, mode string) (lifecycle.ID, bool, error) {
	var source lifecycle.ID
	found, err := row(ctx, tx, []any{&source},
		"SELECT source_id FROM source_counters WHERE source_id = (SELECT source_id FROM ? WHERE id = ?) FOR ?",
		bun.Safe(table), id, bun.Safe(mode))
	return source, found, err
}

// missing is the answer for an id that names nothing.
func missing() error { return policy.ErrNotFound }
