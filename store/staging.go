package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// bulkTimeout bounds a statement that reads all rows of a file. It takes the
// place of Config.StatementTimeout, which is made for answers to clients.
const bulkTimeout = 2 * time.Minute

// Ways to join, for tables whose statistics say nothing: rows that were staged a
// moment ago, and records that an import is just adding. One takes the other back.
var (
	// byIndex looks every row up where it is needed and keeps the order of the
	// rows that it starts from.
	byIndex = []string{
		"enable_nestloop=on", "enable_seqscan=off", "enable_bitmapscan=off", "enable_hashjoin=off",
		"enable_mergejoin=off", "max_parallel_workers_per_gather=0", "jit=off",
	}
	// byHash reads either side once.
	byHash = []string{
		"enable_nestloop=off", "enable_seqscan=on", "enable_bitmapscan=on", "enable_hashjoin=on",
		"enable_mergejoin=on", "jit=off",
	}
)

// tune changes settings, "name=value", until the transaction ends.
func tune(ctx context.Context, tx bun.Tx, settings ...string) error {
	args := make([]any, 0, 2*len(settings))
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		args = append(args, name, value)
	}
	return exec(ctx, tx, "SELECT "+strings.Repeat("set_config(?, ?, true), ", len(settings)-1)+"set_config(?, ?, true)", args...)
}

// bulk is the settings for statements over a whole file.
func bulk(settings []string) []string {
	return append([]string{fmt.Sprintf("statement_timeout=%d", bulkTimeout.Milliseconds()), "work_mem=64MB"}, settings...)
}

// inDriverTx is inTx for what the driver does better than database/sql: fn may
// have driver run something on the connection of the transaction, which must not
// be used otherwise meanwhile.
func (s *Store) inDriverTx(ctx context.Context, options *sql.TxOptions, fn func(tx bun.Tx, driver func(func(*pgx.Conn) error) error) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.RunInTx(ctx, options, func(_ context.Context, tx bun.Tx) error {
		return fn(tx, func(use func(*pgx.Conn) error) error {
			return conn.Raw(func(driver any) error { return use(pgxConn(driver)) })
		})
	})
}

// StageImport adds rows to a job that receives and has its lease last for lease
// from now on. KindUnavailable where the job is gone.
func (s *Store) StageImport(ctx context.Context, job lifecycle.ID, rows []lifecycle.ImportRow, lease time.Duration) (err error) {
	defer s.done(ctx, "StageImport", time.Now(), &err)
	doubts := 0
	for i := range rows {
		if rows[i].Doubt != nil {
			doubts++
		}
	}
	return s.inDriverTx(ctx, nil, func(tx bun.Tx, driver func(func(*pgx.Conn) error) error) error {
		renewed, err := affected(ctx, tx, `UPDATE import_jobs SET lease_until = ?, total = total + ?, doubts = doubts + ?
			WHERE id = ? AND status = 'RECEIVING'`, fromNow(lease), len(rows), doubts, job)
		if err != nil {
			return err
		}
		if renewed == 0 {
			return errUploadGone
		}
		return driver(func(conn *pgx.Conn) error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"import_rows"}, stagedColumns, newStagedRows(job, rows))
			return err
		})
	})
}

var stagedColumns = []string{
	"job_id", "number", "line", "start_date", "end_date", "record_id", "manager_id", "faulty",
	"doubt_kind", "doubt_column", "doubt", "account_name", "account_name_folded", "first_name", "first_name_folded",
	"last_name", "last_name_folded", "phone", "email", "email_folded", "data", "cells",
}

// stagedRows gives the values of stagedColumns. They are pointers to its own
// fields, so that a million rows allocate next to nothing.
type stagedRows struct {
	rows   []lifecycle.ImportRow
	next   int
	values []any

	job, record, manager               pgtype.UUID
	number, line                       pgtype.Int4
	start, end                         pgtype.Timestamptz
	faulty                             pgtype.Bool
	doubtKind, doubtColumn, doubt      pgtype.Text
	account, accountFolded             pgtype.Text
	first, firstFolded, last, lastFold pgtype.Text
	phone, email, emailFolded, cells   pgtype.Text
	data                               jsonText
}

func newStagedRows(job lifecycle.ID, rows []lifecycle.ImportRow) *stagedRows {
	s := &stagedRows{rows: rows, job: pgtype.UUID{Bytes: job, Valid: true}}
	s.values = []any{
		&s.job, &s.number, &s.line, &s.start, &s.end, &s.record, &s.manager, &s.faulty,
		&s.doubtKind, &s.doubtColumn, &s.doubt, &s.account, &s.accountFolded, &s.first, &s.firstFolded,
		&s.last, &s.lastFold, &s.phone, &s.email, &s.emailFolded, &s.data, &s.cells,
	}
	return s
}

// Next implements pgx.CopyFromSource.
func (s *stagedRows) Next() bool {
	if s.next == len(s.rows) {
		return false
	}
	r := &s.rows[s.next]
	s.next++
	p := &r.Person
	s.number = pgtype.Int4{Int32: int32(r.Number), Valid: true} //nolint:gosec // no file has so many rows
	s.line = pgtype.Int4{Int32: int32(r.Line), Valid: true}     //nolint:gosec // nor lines
	s.start = pgtype.Timestamptz{Time: p.StartDate, Valid: !p.StartDate.IsZero()}
	s.end = pgtype.Timestamptz{Time: p.EndDate, Valid: !p.EndDate.IsZero()}
	s.record = pgtype.UUID{Bytes: r.RecordID, Valid: true}
	s.manager = pgtype.UUID{Bytes: p.Manager.ID, Valid: !p.Manager.ID.IsZero()}
	s.faulty = pgtype.Bool{Bool: r.Faulty, Valid: true}
	s.doubtKind, s.doubtColumn, s.doubt = pgtype.Text{}, pgtype.Text{}, pgtype.Text{}
	if d := r.Doubt; d != nil {
		s.doubtKind, s.doubtColumn, s.doubt = textOf(d.Kind.String()), textOf(d.Column), textOf(d.Message)
	}
	s.account, s.accountFolded = textOf(p.AccountName), textOf(lifecycle.Fold(p.AccountName))
	s.first, s.firstFolded = textOf(p.FirstName), textOf(lifecycle.Fold(p.FirstName))
	s.last, s.lastFold = textOf(p.LastName), textOf(lifecycle.Fold(p.LastName))
	s.phone, s.cells = textOf(p.Phone), textOf(r.Cells)
	s.email, s.emailFolded = textOf(p.Email), textOf(lifecycle.Fold(p.Email))
	s.data = appendObject(s.data[:0], p.Data)
	return true
}

// Values implements pgx.CopyFromSource.
func (s *stagedRows) Values() ([]any, error) { return s.values, nil }

// Err implements pgx.CopyFromSource.
func (s *stagedRows) Err() error { return nil }

func textOf(s string) pgtype.Text { return pgtype.Text{String: s, Valid: true} }

// jsonText is JSON on its way into a jsonb column.
type jsonText []byte

// appendObject appends texts by name as a JSON object.
func appendObject(b []byte, texts map[string]string) []byte {
	b = append(b, '{')
	first := true
	for name, text := range texts {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, name), ':')
		b = appendString(b, text)
	}
	return append(b, '}')
}

// appendString appends a JSON string. What is no UTF-8 is left for the database
// to refuse.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// storedData are what a row's cells make of the custom attributes: kept is what
// the row has for those that the source still knows, merged that over what the
// record r has in columns that the file lacks.
func (p *importPlan) storedData() (kept, merged schema.QueryAppender) {
	kept = bun.Safe("i.data")
	if len(p.gone) > 0 {
		kept = bun.SafeQuery("(i.data - ?)", texts(p.gone))
	}
	merged = bun.Safe("r.data")
	if len(p.columns) > 0 {
		merged = bun.SafeQuery("((r.data - ?) || ?)", texts(p.columns), kept)
	}
	return kept, merged
}

// What becomes of a row, see judged. Any other word is what it fails for.
const (
	rowNew       = "new"
	rowChanged   = "changed"
	rowUnchanged = "unchanged"
)

// named joins the rows i with n, the name as the source has it, and r, the
// record of that name. Its arguments are the source and the job. The limits keep
// the planner from joining any other way than row by row.
const named = ` FROM import_rows AS i
	LEFT JOIN LATERAL (SELECT n.holder FROM account_names AS n
		WHERE n.source_id = ? AND n.folded = i.account_name_folded LIMIT 1) AS n ON true
	LEFT JOIN LATERAL (SELECT r.* FROM records AS r WHERE r.id = n.holder LIMIT 1) AS r ON true
	WHERE i.job_id = ?`

// judged is what becomes of a row of named. It fails where its doubt stands or its
// manager is active no more, since it equals no record, where a pending request
// holds the name, and where it was faulty from the first.
func (p *importPlan) judged() schema.QueryAppender {
	return bun.SafeQuery(`CASE
		WHEN i.faulty THEN 'faulty'
		WHEN r.id IS NOT NULL AND ? THEN 'unchanged'
		WHEN i.doubt IS NOT NULL THEN 'doubt'
		WHEN ? THEN 'unmanaged'
		WHEN r.id IS NOT NULL THEN 'changed'
		WHEN n.holder IS NOT NULL THEN 'held'
		ELSE 'new' END`, p.same(), p.unmanaged())
}

// unmanaged: the manager of the row i is inactive.
func (p *importPlan) unmanaged() schema.QueryAppender {
	if len(p.inactive) == 0 {
		return bun.Safe("false")
	}
	return bun.SafeQuery("i.manager_id = ANY (?)", p.inactive)
}

// same: the row i equals the record r (contract §7).
func (p *importPlan) same() schema.QueryAppender {
	_, merged := p.storedData()
	return bun.SafeQuery(`(r.account_name, r.first_name, r.last_name, r.phone, r.email, r.manager_id, r.start_date,
		r.end_date, r.data) IS NOT DISTINCT FROM (i.account_name, i.first_name, i.last_name, i.phone, i.email,
		i.manager_id, i.start_date, i.end_date, ?)`, merged)
}

// Texts of faults that the store finds. heldText is SQL (contract §3).
const (
	limitText = "The limit of %d records and pending requests in a source is reached."
	heldText  = `'Unable to create Non-Employee because the accountName "' || i.account_name || '" is already being used.'`
)

// CheckImport returns what only the whole file and the stored rows can tell of
// the staged rows, which are all of them or those that are enough (see
// BeginImport) of the rows that there are: account names twice in the file
// (contract §7: the fault is about the later line and names both), names that a
// pending request holds, rows in doubt that do not equal their record, more new
// records than the source has room for. KindUnavailable where the job is gone.
func (s *Store) CheckImport(ctx context.Context, job lifecycle.ID, rows int) (faults lifecycle.ImportFaults, err error) {
	defer s.done(ctx, "CheckImport", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		p, found, err := loadImport(ctx, tx, job, "")
		if err != nil {
			return err
		}
		if !found {
			return errUploadGone
		}
		checks := []struct {
			needed   bool
			settings []string
			run      func(context.Context, bun.Tx) (lifecycle.ImportFaults, error)
		}{
			{p.Total > 1, byHash, p.doubles},
			{p.pending > 0, byHash, p.held},
			{p.doubts > 0, byIndex, p.inDoubt},
			{rows == p.Total && rows > p.room(), byIndex, p.tooMany},
		}
		for _, check := range checks {
			if !check.needed {
				continue
			}
			if err := tune(ctx, tx, bulk(check.settings)...); err != nil {
				return err
			}
			found, err := check.run(ctx, tx)
			if err != nil {
				return err
			}
			faults.Merge(found)
		}
		if rows > p.Total {
			faults.Add(lifecycle.RowFault{Kind: lifecycle.KindLimit,
				Message: fmt.Sprintf(limitText+" The file has %d rows.", p.maxPerSource, rows)})
		}
		return nil
	})
	if err != nil {
		return lifecycle.ImportFaults{}, err
	}
	return faults, nil
}

// listFaults reads faults as number, line, column, kind and message, and behind
// these how many there are.
func listFaults(ctx context.Context, tx bun.Tx, query string, args ...any) (faults lifecycle.ImportFaults, err error) {
	var f lifecycle.RowFault
	var kind string
	rows, err := tx.QueryContext(ctx, query, args...)
	err = each(rows, err, []any{&f.Row, &f.Line, &f.Column, &kind, &f.Message, &faults.Total}, func() error {
		f.Kind = lifecycle.ParseKind(kind)
		faults.Listed = append(faults.Listed, f)
		return nil
	})
	return faults, err
}

// doubles are the rows whose name an earlier row has.
func (p *importPlan) doubles(ctx context.Context, tx bun.Tx) (lifecycle.ImportFaults, error) {
	// Hardly any file has one: counting takes half of the time of finding.
	var doubles int
	_, err := row(ctx, tx, []any{&doubles}, `SELECT coalesce(sum(d.rows - 1), 0) FROM (
			SELECT count(*) AS rows FROM import_rows WHERE job_id = ? AND account_name_folded <> ''
			GROUP BY account_name_folded HAVING count(*) > 1
		) AS d`, p.job)
	if err != nil || doubles == 0 {
		return lifecycle.ImportFaults{}, err
	}
	return listFaults(ctx, tx, `SELECT i.number, i.line, 'accountName', ?,
			'accountName "' || i.account_name || '" is in line ' || i.first_line || ' already', ?::bigint
		FROM (
			SELECT number, line, account_name, min(line) OVER (PARTITION BY account_name_folded) AS first_line
			FROM import_rows WHERE job_id = ? AND account_name_folded <> ''
		) AS i WHERE i.line > i.first_line ORDER BY i.number LIMIT ?`,
		lifecycle.KindConflict.String(), doubles, p.job, lifecycle.MaxListedFaults)
}

// held are the rows whose name a pending request holds.
func (p *importPlan) held(ctx context.Context, tx bun.Tx) (lifecycle.ImportFaults, error) {
	return listFaults(ctx, tx, `SELECT i.number, i.line, 'accountName', ?, `+heldText+`, count(*) OVER ()
		FROM requests AS q JOIN import_rows AS i ON i.account_name_folded = q.account_name_folded
		WHERE q.source_id = ? AND q.approval_status = 'PENDING' AND i.job_id = ?
		ORDER BY i.number LIMIT ?`,
		lifecycle.KindConflict.String(), p.source, p.job, lifecycle.MaxListedFaults)
}

// inDoubt are the rows in doubt that equal no record.
func (p *importPlan) inDoubt(ctx context.Context, tx bun.Tx) (lifecycle.ImportFaults, error) {
	return listFaults(ctx, tx, `SELECT i.number, i.line, i.doubt_column, i.doubt_kind, i.doubt, count(*) OVER ()`+
		named+` AND i.doubt IS NOT NULL AND NOT i.faulty AND (r.id IS NULL OR NOT ?)
		ORDER BY i.number LIMIT ?`, p.source, p.job, p.same(), lifecycle.MaxListedFaults)
}

// tooMany is the one fault of a file that makes more records than there is room.
func (p *importPlan) tooMany(ctx context.Context, tx bun.Tx) (faults lifecycle.ImportFaults, err error) {
	var added int
	_, err = row(ctx, tx, []any{&added}, `SELECT count(*) FROM import_rows AS i
		WHERE i.job_id = ? AND (SELECT n.holder FROM account_names AS n
			WHERE n.source_id = ? AND n.folded = i.account_name_folded) IS NULL`, p.job, p.source)
	if over := added - p.room(); err == nil && over > 0 {
		faults.Add(lifecycle.RowFault{Kind: lifecycle.KindLimit, Message: fmt.Sprintf(
			limitText+" The file adds %d records; that is %d too many.", p.maxPerSource, added, over)})
	}
	return faults, err
}

// PreviewImport counts what the staged rows would do just now. KindUnavailable
// where the job is gone.
func (s *Store) PreviewImport(ctx context.Context, job lifecycle.ID) (counts lifecycle.ImportCounts, err error) {
	defer s.done(ctx, "PreviewImport", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		p, found, err := loadImport(ctx, tx, job, "")
		if err != nil {
			return err
		}
		if !found {
			return errUploadGone
		}
		if err := tune(ctx, tx, bulk(byIndex)...); err != nil {
			return err
		}
		var what string
		var n int
		rows, err := tx.QueryContext(ctx, "SELECT ?, count(*)"+named+" GROUP BY 1", p.judged(), p.source, p.job)
		return each(rows, err, []any{&what, &n}, func() error {
			counts.Total += n
			switch what {
			case rowNew:
				counts.Created = min(n, p.room())
				counts.Failed += n - counts.Created
			case rowChanged:
				counts.Updated = n
			case rowUnchanged:
				counts.Unchanged = n
			default:
				counts.Failed += n
			}
			return nil
		})
	})
	if err != nil {
		return lifecycle.ImportCounts{}, err
	}
	return counts, nil
}
