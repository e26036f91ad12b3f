package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/csvfile"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

// people makes up whatever a record can hold.
type people struct {
	*rand.Rand
	attributes []lifecycle.SchemaAttribute
	manager    lifecycle.Identity
}

// trouble is what CSV, spreadsheets, Unicode, SQL and bun have a use for.
var trouble = []rune("''''==++--@@\"\"\",,\n\n\t;a1 ().\\é\u0301\u0338\ufeff\u2028\u0085\u00a0日😀\ufffd\u200b\r?{}$%#")

// text is one of at most most characters, often such as make trouble.
func (p people) text(most int) string {
	var text strings.Builder
	for range 1 + p.IntN(most) {
		switch p.IntN(4) {
		case 0:
			// A surrogate is written as U+FFFD.
			text.WriteRune(p.Int32N(0x110000))
		case 1:
			text.WriteRune(p.Int32N(0x80))
		default:
			text.WriteRune(trouble[p.IntN(len(trouble))])
		}
	}
	return text.String()
}

func (p people) phone() string {
	if p.IntN(2) == 0 {
		return p.text(6)
	}
	return "+" + fmt.Sprintf("%d (0) %d.%d-%d", p.IntN(100), p.IntN(1000), p.IntN(1000), p.IntN(1000))
}

// date is one of the years 1 to 9999, often the first or the last there is.
func (p people) date() time.Time {
	first := time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC)
	last := time.Date(9999, 12, 31, 23, 59, 59, 998e6, time.UTC)
	switch p.IntN(8) {
	case 0:
		return first
	case 1:
		return last
	}
	return time.UnixMilli(first.UnixMilli() + p.Int64N(last.UnixMilli()-first.UnixMilli())).UTC()
}

// person makes up one who passes the rules; ok is false where it did not turn
// out so.
func (p people) person() (person lifecycle.Person, ok bool) {
	account, first, last, phone, manager := p.text(8), p.text(6), p.text(6), p.phone(), p.manager.Alias
	email := []string{"a@b.c", "=a@b.c", "'=a@b.c", "+1@b.c", "-@b.c", "zoë@exämple.com"}[p.IntN(6)]
	start := p.date()
	from, to := lifecycle.FormatTime(start), lifecycle.FormatTime(start.Add(time.Millisecond))
	data := map[string]string{}
	for _, attribute := range p.attributes {
		if !attribute.System && p.IntN(2) == 0 {
			data[attribute.TechnicalName] = p.text(6)
		}
	}
	person, faults := lifecycle.PersonInput{
		AccountName: &account, FirstName: &first, LastName: &last, Phone: &phone, Email: &email, Manager: &manager,
		StartDate: &from, EndDate: &to, Data: data, HasData: true,
	}.Judge(p.attributes)
	return p.managed(person), len(faults) == 0
}

func (p people) managed(person lifecycle.Person) lifecycle.Person {
	person.Manager = lifecycle.ManagerReference{ID: p.manager.ID, Alias: p.manager.Alias}
	return person
}

// rows reads a file as an upload does.
func (p people) rows(t *testing.T, file []byte) (rows []lifecycle.ImportRow, columns []string) {
	t.Helper()
	decoder := csvfile.NewDecoder(bytes.NewReader(file), p.attributes)
	faults, err := decoder.Header()
	require.NoError(t, err)
	require.Empty(t, faults)
	for {
		row, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return rows, decoder.Columns()
		}
		require.NoError(t, err)
		require.Empty(t, row.Faults)
		person, found := row.Input.Judge(p.attributes)
		require.Empty(t, found, row.Cells)
		rows = append(rows, lifecycle.ImportRow{
			Number: row.Number, Line: row.Line, RecordID: lifecycle.NewID(), Person: p.managed(person), Cells: row.Cells,
		})
	}
}

// TestWhateverARecordHoldsGoesOutAndBackInUnchanged by way of Postgres, and once
// more in the form in which a file of faults has it.
func TestWhateverARecordHoldsGoesOutAndBackInUnchanged(t *testing.T) {
	t.Parallel()
	const records = 400
	w := newWorld(t, 0)
	for _, name := range []string{"note", "0 ü.x-_", "日本 e\u0301", "=we'ird\"?0,\nx"} {
		w.attribute(t, name)
	}
	attributes, err := w.ListAttributes(t.Context(), w.source.ID)
	require.NoError(t, err)
	seed := uint64(time.Now().UnixNano())
	t.Log("the seed is", seed)
	p := people{rand.New(rand.NewPCG(seed, 0)), attributes, w.owner} //nolint:gosec // nothing secret
	for made := 0; made < records; {
		person, ok := p.person()
		if !ok {
			continue
		}
		record := w.newRecord("")
		record.Person = person
		if err := w.CreateRecord(t.Context(), record, plenty); err != nil {
			requireKind(t, lifecycle.KindConflict, err)
			continue // the name is taken
		}
		made++
	}

	job := w.beginExport(t)
	_, err = w.WriteExport(t.Context(), job.ID, keep, ignore)
	require.NoError(t, err)
	_, exported := w.file(t, job.ID)
	rows, columns := p.rows(t, exported)
	require.Len(t, columns, 4)
	file := string(csvfile.NewEncoder(attributes).AppendHeader(nil))
	for _, row := range rows {
		file += row.Cells + "\n"
	}
	again, _ := p.rows(t, []byte(file))
	require.Len(t, again, records)
	for i, row := range again {
		require.Equal(t, rows[i].Person, row.Person)
		require.Equal(t, rows[i].Cells, row.Cells)
	}

	upload := w.begin(t, plenty, columns...)
	w.stage(t, upload, rows...)
	require.Zero(t, w.check(t, upload))
	preview, err := w.PreviewImport(t.Context(), upload)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportCounts{Total: records, Unchanged: records}, preview)
	_, err = w.SealImport(t.Context(), upload)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportProgress{
		Found: true, Status: lifecycle.JobCompleted,
		ImportCounts: lifecycle.ImportCounts{Total: records, Done: records, Unchanged: records},
	}, w.carryOut(t, upload, 150))
}

// asleep are workflows that nothing wakes.
type asleep struct{ service.Workflows }

func (asleep) WakeImports(context.Context, lifecycle.ID) error { return nil }

// upload is a file in memory.
type upload struct{ io.Reader }

func (u upload) Open(context.Context) (io.Reader, error) { return u.Reader, nil }

func (upload) Close() error { return nil }

// TestRowsThatWereRefusedAreMendedAndUploadedAgain: the file of faults goes in as
// it is, but for what was wrong.
func TestRowsThatWereRefusedAreMendedAndUploadedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.attribute(t, "badge")
	s := service.New(w.Store, asleep{}, service.Settings{
		Limits: lifecycle.Limits{Sources: 1, RecordsPerSource: plenty}, StartTimeout: time.Second,
	}, slog.New(slog.DiscardHandler))
	admin := policy.Actor{IdentityID: w.owner.ID, Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Scopes: []string{lifecycle.ScopeAll}}
	take := func(file string) lifecycle.ID {
		result, err := s.ImportRecords(t.Context(), admin, w.source.ID, false, upload{strings.NewReader(file)})
		require.NoError(t, err)
		return result.Job.ID
	}
	faultsOf := func(job lifecycle.ID) string {
		file, err := s.DownloadImportFaults(t.Context(), admin, w.source.ID, job)
		require.NoError(t, err)
		var text strings.Builder
		for {
			piece, err := file.Next(t.Context())
			if errors.Is(err, io.EOF) {
				return text.String()
			}
			require.NoError(t, err)
			text.Write(piece)
		}
	}
	const header = "badge,accountName,firstName,lastName,phone,email,manager,startDate,endDate"
	row := func(account, badge string) string {
		return badge + "," + account + ",\"W, \"\"B\"\"\",S,+1 555,w@example.com,jane.doe,2027-01-01,2027-12-31"
	}
	job := take(header + "\n" + row("free", "1") + "\n" + row("'=taken", "=2") + "\n" + row("too", "") + "\n")
	for _, name := range []string{"=taken", "too"} {
		w.request(t, name)
	}
	require.Equal(t, lifecycle.ImportCounts{Total: 3, Done: 3, Created: 1, Failed: 2}, w.carryOut(t, job, 10).ImportCounts)

	taken := func(line int, name string) string {
		return fmt.Sprintf(`,"line %d, column accountName: Unable to create Non-Employee because the accountName ""%s"" is already being used."`,
			line, name)
	}
	faults := faultsOf(job)
	require.Equal(t, header+",#fault\n"+row("'=taken", "'=2")+taken(3, "=taken")+"\n"+row("too", "")+taken(4, "too")+"\n", faults)

	// Half of it is mended, and one more is taken meanwhile: what a file said of
	// its faults is not said again.
	job = take(strings.Replace(strings.Replace(faults, "'=taken,", "'=mended,", 1), "too,", "another,", 1))
	w.request(t, "another")
	require.Equal(t, lifecycle.ImportCounts{Total: 2, Done: 2, Created: 1, Failed: 1}, w.carryOut(t, job, 10).ImportCounts)
	faults = faultsOf(job)
	require.Equal(t, header+",#fault\n"+row("another", "")+taken(3, "another")+"\n", faults)
	job = take(strings.Replace(faults, "another,", "mended.too,", 1))
	progress := w.carryOut(t, job, 10)
	require.Equal(t, lifecycle.JobCompleted, progress.Status)
	require.Equal(t, lifecycle.ImportCounts{Total: 1, Done: 1, Created: 1}, progress.ImportCounts)
	records := w.records(t)
	require.Len(t, records, 3)
	require.Equal(t, map[string]string{"badge": "=2"}, records["=mended"].Data)
	require.Equal(t, `W, "B"`, records["mended.too"].FirstName)
	w.requireConsistent(t)
}
