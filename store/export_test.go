package store

import (
	"context"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// Translate is the error map, for its table test.
var Translate = translate

// The tables of the error map.
func MappedConstraints() []string {
	var names []string
	for name := range constraints {
		names = append(names, name)
	}
	return names
}

func MappedStates() []string {
	var names []string
	for state := range states {
		names = append(names, state)
	}
	return names
}

// Queries are the queries of the lists, as the store builds them.
func (s *Store) Queries(kind string, reach policy.Reach, q filter.Query) (page, count string, err error) {
	build := map[string]struct {
		page  func(policy.Reach, filter.Query) (*bun.SelectQuery, error)
		count func(policy.Reach, filter.Expr) (*bun.SelectQuery, error)
	}{
		"records":   {s.recordsQuery, s.countRecordsQuery},
		"requests":  {s.requestsQuery, s.countRequestsQuery},
		"approvals": {s.approvalsQuery, s.countApprovalsQuery},
	}[kind]
	p, err := build.page(reach, q)
	if err != nil {
		return "", "", err
	}
	c, err := build.count(reach, q.Where)
	if err != nil {
		return "", "", err
	}
	return p.String(), c.String(), nil
}

// SummaryQuery is the query of the summary of approvals.
func (s *Store) SummaryQuery(reach policy.Reach) (string, error) {
	query, err := s.summaryQuery(reach)
	if err != nil {
		return "", err
	}
	return query.String(), nil
}

// Format is what the dialect makes of a query and its arguments.
func (s *Store) Format(query string, args ...any) string {
	return s.db.QueryGen().FormatQuery(query, args...)
}

// Select runs a query that selects one text.
func (s *Store) Select(ctx context.Context, query string, args ...any) (text string, err error) {
	err = s.db.QueryRowContext(ctx, query, args...).Scan(&text)
	return text, err
}

// Exec runs a statement as the application's role.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	return exec(ctx, s.db, query, args...)
}

// Spy has every statement that goes through bun told to note.
func (s *Store) Spy(note func(query string)) { s.db = s.db.WithQueryHook(spy(note)) }

type spy func(query string)

func (f spy) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (f spy) AfterQuery(_ context.Context, e *bun.QueryEvent) { f(e.Query) }

// ExportQuery is the query that an export reads its rows by.
func (s *Store) ExportQuery(ctx context.Context, source lifecycle.ID) (string, error) {
	attributes, err := s.ListAttributes(ctx, source)
	return s.recordsOf(source, attributes), err
}

// RecordOf is the id of the record that the request becomes.
var RecordOf = recordOf

// MigrateTo is Migrate up to one version.
func MigrateTo(ctx context.Context, url, appRole string, version int64) error {
	conn, err := connConfig(url)
	if err != nil {
		return err
	}
	conn.RuntimeParams["gatehouse.app_role"] = appRole
	db := stdlib.OpenDB(*conn)
	defer func() { _ = db.Close() }()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}
