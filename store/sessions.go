package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gatehouse/lifecycle"
)

// sessionBound is a setting of a session that ends what takes too long.
type sessionBound struct {
	name   string
	length time.Duration
}

func (b sessionBound) milliseconds() string {
	return strconv.FormatInt(max(1, b.length.Milliseconds()), 10)
}

// sessionBounds are what every session must have. They are sent when a
// connection is opened. A pooler that hands connections around drops them, and
// then those count that BoundSessions has given to the role.
func sessionBounds(statementTimeout time.Duration) []sessionBound {
	bounds := []sessionBound{{"idle_in_transaction_session_timeout", idleTransaction}}
	if statementTimeout > 0 {
		bounds = append(bounds, sessionBound{"statement_timeout", statementTimeout})
	}
	return bounds
}

// guarded returns nil if the session that answers has what the store relies on,
// else KindUnavailable with a text for operators. Behind a pooler another session
// may answer differently until the pooler has connected anew.
func (s *Store) guarded(ctx context.Context) error {
	bounds := sessionBounds(s.statementTimeout)
	query, found := "SELECT current_setting('standard_conforming_strings'), current_setting('timezone')", make([]int64, len(bounds))
	var escaped, zone string
	dest := []any{&escaped, &zone}
	for i, bound := range bounds {
		query += ", (extract(epoch FROM current_setting('" + bound.name + "')::interval) * 1000)::bigint"
		dest = append(dest, &found[i])
	}
	if _, err := row(ctx, s.db, dest, query); err != nil {
		return err
	}
	for i, bound := range bounds {
		if most := max(1, bound.length.Milliseconds()); found[i] == 0 || found[i] > most {
			return lifecycle.NewError(lifecycle.KindUnavailable, fmt.Sprintf(
				"The database has %d ms as %s and must have %d at most: a pooler drops what is asked for. Run the migrations, then have the pooler connect anew.",
				found[i], bound.name, most))
		}
	}
	if escaped != "on" || zone != "UTC" {
		return lifecycle.NewError(lifecycle.KindUnavailable,
			"The database has other standard_conforming_strings or another timezone than was asked for: a pooler drops them.")
	}
	return nil
}

// refusedByPooler makes the refusal of a setting that a connection asks for one
// that says what to do; another error stays as it is.
func refusedByPooler(err error) error {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "08P01" {
		return lifecycle.NewError(lifecycle.KindUnavailable,
			"A pooler refuses the settings of a connection: they must be in its ignore_startup_parameters.").WithCause(err)
	}
	return err
}

// BoundSessions gives the role in url, in the database of url, the bounds of Open
// as its own, so that they hold where a pooler drops what a connection asks for.
// A role may do so itself. It may be called through the pooler, and many times.
// Sessions that are open keep what they have. Its errors are for operators.
func BoundSessions(ctx context.Context, url string, statementTimeout time.Duration) error {
	if err := boundSessions(ctx, url, statementTimeout); err != nil {
		return fmt.Errorf("bounding the sessions of the application's role: %w", err)
	}
	return nil
}

func boundSessions(ctx context.Context, url string, statementTimeout time.Duration) (err error) {
	config, err := connConfig(url)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	bounds := sessionBounds(statementTimeout)
	var settings []string
	var set strings.Builder
	for _, bound := range bounds {
		settings = append(settings, bound.name+"="+bound.milliseconds())
		_, _ = fmt.Fprintf(&set, "EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %%I SET %s = %s', current_database());\n", bound.name, bound.milliseconds())
	}
	var done bool
	if err := conn.QueryRow(ctx, `SELECT coalesce(bool_or(setconfig @> $1), false) FROM pg_db_role_setting
		WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
			AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`, settings).Scan(&done); err != nil || done {
		return err
	}
	// One text, which one session gets whole. That session has begun without the
	// bounds, and so ends itself, or a pooler would go on handing it out.
	_, err = conn.PgConn().Exec(ctx, `BEGIN;
		DO $$ BEGIN
			PERFORM pg_advisory_xact_lock(hashtextextended('gatehouse/sessions', 0));
			`+set.String()+`
		END $$;
		COMMIT;
		SELECT pg_terminate_backend(pg_backend_pid())`).ReadAll()
	if ended, ok := errors.AsType[*pgconn.PgError](err); ok && ended.Code == "57P01" {
		return nil
	}
	return err
}
