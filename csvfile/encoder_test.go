package csvfile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func bytesOf(cells ...string) [][]byte {
	all := make([][]byte, len(cells))
	for i, cell := range cells {
		all[i] = []byte(cell)
	}
	return all
}

func TestCellsAreQuotedAndGuardedWhereTheyMustBe(t *testing.T) {
	t.Parallel()
	e := NewEncoder(schema())
	require.Equal(t, systemHeader+",Bâdge,note\n", string(e.AppendHeader(nil)))
	for cell, want := range map[string]string{
		"": "", "plain text": "plain text", "it's": "it's", "a;b": "a;b", "Zoë\u2028": "Zoë\u2028",
		"a,b": `"a,b"`, `5" pipe`: `"5"" pipe"`, `"`: `""""`, "a\nb": "\"a\nb\"", "a\rb": "\"a\rb\"", "\n": "\"\n\"",
		" a": `" a"`, "\u00a0": "\u00a0", "a ": "a ", "a\tb": "a\tb",
		"=1+1": "'=1+1", "=1,1": `"'=1,1"`, `@"`: `"'@"""`, "'=": "''=", "\ta": "\"'\ta\"", "\r": "\"'\r\"",
		"+49 (0) 1": "+49 (0) 1", "+49x": "'+49x", "-1": "'-1",
	} {
		require.Equal(t, "x,"+want+",\n", string(e.AppendRow(nil, bytesOf("x", cell, ""))), "%q", cell)
	}
	require.Equal(t, "before\"\"\n", string(e.AppendRow([]byte("before"), bytesOf(""))), "an empty line is no row")
	require.Equal(t, ",\n", string(e.AppendRow(nil, [][]byte{nil, nil})))
}

func TestTheHeaderIsThatOfTheTemplate(t *testing.T) {
	t.Parallel()
	var template strings.Builder
	require.NoError(t, WriteTemplate(&template, schema()))
	require.Equal(t, template.String(), string(NewEncoder(schema()).AppendHeader(nil)))
}

func TestWritingARowAllocatesNothing(t *testing.T) {
	e, cells := NewEncoder(schema()), sampleCells(t)
	b := make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() { b = e.AppendRow(b[:0], cells) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { b = lifecycle.AppendTime(b[:0], time.Unix(1, 1)) }))
}

// encode is the file of these people, whose attributes are Bâdge and note.
func encode(people ...lifecycle.Person) []byte {
	e := NewEncoder(schema())
	file := e.AppendHeader(nil)
	for _, p := range people {
		file = e.AppendRow(file, bytesOf(p.AccountName, p.FirstName, p.LastName, p.Phone, p.Email, p.Manager.Alias,
			string(lifecycle.AppendTime(nil, p.StartDate)), string(lifecycle.AppendTime(nil, p.EndDate)),
			p.Data["Bâdge"], p.Data["note"]))
	}
	return file
}

// requireRoundTrip holds that what is written is read as what it was.
func requireRoundTrip(t *testing.T, people ...lifecycle.Person) {
	t.Helper()
	file := encode(people...)
	for name, file := range map[string][]byte{
		"as written":                file,
		"CRLF at the ends of lines": bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")),
		"with a mark":               append([]byte(byteOrderMark), file...),
	} {
		got := decode(t, bytes.NewReader(file), schema())
		require.Empty(t, got.faults, name)
		require.Len(t, got.rows, len(people), name)
		for i, row := range got.rows {
			person, faults := row.Input.Judge(schema())
			require.Empty(t, faults, name)
			require.Equal(t, people[i], person, name)
		}
	}
	records, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err, "others can read it")
	for _, cells := range records {
		for _, cell := range cells {
			require.True(t, !isFormula(cell) || cell[0] == '\'', "%q", cell)
		}
	}
}

func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same at every run
	alphabet := []rune("''''==++--@@\"\"\",,\n\n\t;a1 ().\\é\u0301\u0338\ufeff\u2028\u00a0日😀\ufffd\u200b")
	text := func(rule func(string) string) *string {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		text := rule(b.String())
		return &text
	}
	asIs := func(s string) string { return s }
	oneLine := func(s string) string { return strings.NewReplacer("\n", "", "\t", "").Replace(s) }
	emails := []string{"a@b.c", "=a@b.c", "'=a@b.c", "'a@b.c", "+1@b.c", "-@b.c", "zoë@exämple.com"}
	var people []lifecycle.Person
	for range 10_000 {
		start := time.UnixMilli(random.Int64N(253402300799_000)).UTC()
		from, to := lifecycle.FormatTime(start), lifecycle.FormatTime(start.Add(time.Millisecond))
		person, faults := lifecycle.PersonInput{
			AccountName: text(oneLine), FirstName: text(asIs), LastName: text(asIs), Phone: text(asIs),
			Email: &emails[random.IntN(len(emails))], Manager: text(oneLine), StartDate: &from, EndDate: &to,
			Data: map[string]string{"Bâdge": *text(asIs), "note": *text(asIs)},
		}.Judge(schema())
		if len(faults) == 0 {
			people = append(people, person)
		}
	}
	require.Greater(t, len(people), 3_000)
	requireRoundTrip(t, people...)
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("william.smith", "William", "=1+1", "+49 (0) 1", "w@example.com", "jane.doe", int64(0), int64(1), "B-1", "")
	f.Add("'=x", "a\nb", "'", "''-", "+w@example.com", "@jane", int64(1585109501123), int64(86400000), "\"", " \"a\",\r\nb\r")
	f.Add("\ufeffx", "e\u0301", "\u2028", "+", "'=a@b.c", "+1", int64(-62135596799999), int64(1), "=\u0338", "'\tx")
	f.Fuzz(func(t *testing.T, account, first, last, phone, email, manager string, start, length int64, badge, note string) {
		from, to := lifecycle.FormatTime(time.UnixMilli(start)), lifecycle.FormatTime(time.UnixMilli(start+length))
		person, faults := lifecycle.PersonInput{
			AccountName: &account, FirstName: &first, LastName: &last, Phone: &phone, Email: &email, Manager: &manager,
			StartDate: &from, EndDate: &to, Data: map[string]string{"Bâdge": badge, "note": note},
		}.Judge(schema())
		if len(faults) == 0 {
			requireRoundTrip(t, person, person)
		}
	})
}

// sampleCells are those of a common record with two custom attributes.
func sampleCells(t require.TestingT) [][]byte {
	cells := bytesOf("william.smith.000123", "William", "Smith", "+1 512 555-5555", "william.smith.000123@example.com",
		"jane.doe", "2020-03-24T00:00:00.000Z", "2021-03-25T05:00:00.000Z", "B-000123", "Building 7, second floor")
	require.Len(t, cells, len(Columns(schema())))
	return cells
}

func BenchmarkEncoder(b *testing.B) {
	e, cells := NewEncoder(schema()), sampleCells(b)
	buffer := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buffer = e.AppendRow(buffer[:0], cells)
	}
	b.SetBytes(int64(len(buffer)))
}

func BenchmarkDecoder(b *testing.B) {
	for _, judged := range []bool{false, true} {
		for _, attributes := range [][]lifecycle.SchemaAttribute{plainSchema(), schema()} {
			b.Run(fmt.Sprintf("columns=%d/judged=%t", len(attributes), judged), func(b *testing.B) {
				e := NewEncoder(attributes)
				row := e.AppendRow(nil, sampleCells(b)[:len(attributes)])
				d := NewDecoder(io.MultiReader(bytes.NewReader(e.AppendHeader(nil)),
					&endless{text: strings.Repeat(string(row), 10_000)}), attributes)
				faults, err := d.Header()
				require.NoError(b, err)
				require.Empty(b, faults)
				b.SetBytes(int64(len(row)))
				b.ReportAllocs()
				for b.Loop() {
					row, err := d.Next()
					if err != nil || len(row.Faults) > 0 {
						b.Fatal(err, row.Faults)
					}
					if !judged {
						continue
					}
					if _, faults := row.Input.Judge(attributes); len(faults) > 0 {
						b.Fatal(faults)
					}
				}
			})
		}
	}
}
