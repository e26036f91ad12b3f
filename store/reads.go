package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// viewerRelations selects what ties the viewer, $2, to the source s: whether as
// account manager, and whether by its management workgroup.
var viewerRelations = strings.ReplaceAll(managedByIdentity+", "+workgroupOfIdentity, "?0", "$2::uuid")

// lookup reads one object into dest by a text in which $1 is its id and $2 the
// viewer's, NULL for the zero ID; found is false if there is none. See prepared.
func (s *Store) lookup(ctx context.Context, dest []any, query string, id, viewer lifecycle.ID) (found bool, err error) {
	of := any(nil)
	if !viewer.IsZero() {
		of = viewer.String()
	}
	err = s.prepared(ctx, dest, query, func() error { found = true; return nil }, id.String(), of)
	return found, err
}

// prepared reads what query selects into dest, calling read after each row. The
// query is a text that never changes: every connection keeps it prepared, since
// planning it takes several times as long as running it
// (docs/decisions/0007-prepared-lookups.md). It is not for transactions.
func (s *Store) prepared(ctx context.Context, dest []any, query string, read func() error, args ...any) error {
	run := func(args ...any) error {
		return s.onDriver(ctx, func(pg *pgx.Conn) error {
			rows, err := pg.Query(ctx, query, args...)
			if err == nil {
				_, err = pgx.ForEachRow(rows, dest, read)
			}
			return err
		})
	}
	if s.unprepared.Load() {
		return run(args...)
	}
	err := run(append([]any{pgx.QueryExecModeCacheStatement}, args...)...)
	if statementLost(err) {
		s.unprepared.Store(true)
		err = run(args...)
	}
	return err
}

// statementLost: what the connection had prepared is not what the server has. A
// pooler that does not follow prepared statements has changed the session
// (26000, 42P05), or a migration the type of a column (0A000).
func statementLost(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "26000" || pg.Code == "42P05" || pg.Code == "0A000")
}

// rows reads what query selects into dest, calling read after each row. The rows
// come in binary, which is cheaper to make and to read than text; database/sql
// asks for text unless the statement is prepared, so this goes past it.
func (s *Store) rows(ctx context.Context, query schema.QueryAppender, dest []any, read func() error) error {
	text, err := query.AppendQuery(s.db.QueryGen(), nil)
	if err != nil {
		return err
	}
	return s.onDriver(ctx, func(pg *pgx.Conn) error {
		result := pg.PgConn().ExecParams(ctx, string(text), nil, nil, nil, []int16{pgx.BinaryFormatCode})
		_, err := pgx.ForEachRow(pgx.RowsFromResultReader(pg.TypeMap(), result), dest, read)
		return err
	})
}

// onDriver has use do what the driver does better than database/sql, on a
// connection of the pool.
func (s *Store) onDriver(ctx context.Context, use func(*pgx.Conn) error) error {
	conn, err := s.db.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error { return use(pgxConn(driver)) })
}

// pgxConn is the driver's connection behind one of the pool.
func pgxConn(driver any) *pgx.Conn {
	return driver.(*stdlib.Conn).Conn() //nolint:forcetypeassert // Open has made the pool of these
}

// scalar reads the one number that query selects.
func (s *Store) scalar(ctx context.Context, query *bun.SelectQuery) (int, error) {
	var n int
	err := s.rows(ctx, query, []any{&n}, func() error { return nil })
	return n, err
}

// binaryID is an ID that a row in binary is read into without a detour over text.
type binaryID struct{ *lifecycle.ID }

// ScanUUID implements pgtype.UUIDScanner.
func (id binaryID) ScanUUID(v pgtype.UUID) error {
	*id.ID = v.Bytes
	return nil
}
