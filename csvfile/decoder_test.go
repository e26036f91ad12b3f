package csvfile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

const systemHeader = "accountName,firstName,lastName,phone,email,manager,startDate,endDate"

// schema has a required custom attribute and an optional one, not in the order
// of their positions.
func schema() []lifecycle.SchemaAttribute {
	return append(lifecycle.SystemAttributes(lifecycle.ID{}, time.Time{}),
		lifecycle.SchemaAttribute{Type: lifecycle.AttributeText, TechnicalName: "note", Position: 9},
		lifecycle.SchemaAttribute{Type: lifecycle.AttributeText, TechnicalName: "Bâdge", Required: true, Position: 8})
}

func plainSchema() []lifecycle.SchemaAttribute {
	return lifecycle.SystemAttributes(lifecycle.ID{}, time.Time{})
}

// decoded is a file as the decoder tells it.
type decoded struct {
	header  string
	columns []string
	faults  []lifecycle.RowFault
	rows    []Row
}

func (d decoded) texts() []string {
	texts := make([]string, 0, len(d.faults))
	for _, fault := range d.faults {
		texts = append(texts, fault.String())
	}
	return texts
}

// decode reads a whole file. The faults of the header and the rows come together.
func decode(t require.TestingT, r io.Reader, attributes []lifecycle.SchemaAttribute) decoded {
	return readAll(t, NewDecoder(r, attributes))
}

func readAll(t require.TestingT, d *Decoder) decoded {
	faults, err := d.Header()
	require.NoError(t, err)
	file := decoded{header: d.HeaderText(), columns: d.Columns(), faults: faults}
	if len(faults) > 0 {
		require.Empty(t, file.header)
		_, err := d.Next()
		require.Equal(t, io.EOF, err, "nothing can be read after a bad header")
		return file
	}
	for {
		row, err := d.Next()
		if err != nil {
			require.Equal(t, io.EOF, err)
			_, err = d.Next()
			require.Equal(t, io.EOF, err)
			return file
		}
		if len(row.Faults) > 0 {
			require.Empty(t, row.Input)
			require.Empty(t, row.Cells)
		}
		for _, fault := range row.Faults {
			require.Equal(t, row.Number, fault.Row)
		}
		file.faults = append(file.faults, row.Faults...)
		file.rows = append(file.rows, row)
	}
}

// personCells are the cells of the eight fields.
func personCells(t require.TestingT, in lifecycle.PersonInput) []string {
	var cells []string
	for _, field := range []*string{
		in.AccountName, in.FirstName, in.LastName, in.Phone, in.Email, in.Manager, in.StartDate, in.EndDate,
	} {
		require.NotNil(t, field)
		cells = append(cells, *field)
	}
	return cells
}

func TestAFileIsReadRowByRow(t *testing.T) {
	t.Parallel()
	file := "\ufeff\r\n ENDdate\t,startDate,Manager,eMail,phone,\"lastName\",firstName,BÂDGE,accountName\r\n" +
		"1,2,3,4,5,6,7,8,9\r\n\r\n\n" +
		"\" a\",,,,,\"x \"\"y\"\"\",\"two\r\nlines, both\",,\"\"\n" +
		"=1+1,'=1+1,+49 (0) 1.2-3,'+49 1,@,''-,'a,-,'"
	got := decode(t, strings.NewReader(file), schema())
	require.Empty(t, got.faults)
	require.Equal(t, " ENDdate\t,startDate,Manager,eMail,phone,\"lastName\",firstName,BÂDGE,accountName", got.header)
	require.Equal(t, []string{"Bâdge"}, got.columns)
	require.Len(t, got.rows, 3)

	require.Equal(t, []string{"9", "7", "6", "5", "4", "3", "2", "1"}, personCells(t, got.rows[0].Input))
	require.Equal(t, map[string]string{"Bâdge": "8"}, got.rows[0].Input.Data)
	require.Equal(t, "1,2,3,4,5,6,7,8,9", got.rows[0].Cells)
	require.Equal(t, []int{1, 3}, []int{got.rows[0].Number, got.rows[0].Line})

	require.Equal(t, []string{"", "two\nlines, both", `x "y"`, "", "", "", "", " a"}, personCells(t, got.rows[1].Input))
	require.Equal(t, map[string]string{"Bâdge": ""}, got.rows[1].Input.Data)
	require.True(t, got.rows[1].Input.HasData)
	require.Equal(t, "\" a\",,,,,\"x \"\"y\"\"\",\"two\r\nlines, both\",,\"\"", got.rows[1].Cells)
	require.Equal(t, []int{2, 6}, []int{got.rows[1].Number, got.rows[1].Line})

	require.Equal(t, []string{"'", "'a", "'-", "@", "+49 1", "+49 (0) 1.2-3", "=1+1", "=1+1"},
		personCells(t, got.rows[2].Input))
	require.Equal(t, "'=1+1,'=1+1,+49 (0) 1.2-3,+49 1,'@,''-,'a,'-,'", got.rows[2].Cells, "formulas are guarded")
	require.Equal(t, []int{3, 8}, []int{got.rows[2].Number, got.rows[2].Line})
}

func TestWhatAFileSaysOfItsFaultsIsLeftOut(t *testing.T) {
	t.Parallel()
	got := decode(t, strings.NewReader("note,#Fault ,"+systemHeader+",\"bâdge\"\n"+
		"=1,\"line 2: =x\n\"\"y\"\"\",a,\"b, \"\"b\"\"\",+1 2,d,e,f,g,h,\n,,,,,,,,,,\n"), schema())
	require.Empty(t, got.faults)
	require.Equal(t, "note,"+systemHeader+",bâdge", got.header)
	require.Equal(t, []string{"Bâdge", "note"}, got.columns)
	require.Equal(t, []string{"a", `b, "b"`, "+1 2", "d", "e", "f", "g", "h"}, personCells(t, got.rows[0].Input))
	require.Equal(t, map[string]string{"note": "=1", "Bâdge": ""}, got.rows[0].Input.Data)
	require.Equal(t, `'=1,a,"b, ""b""",+1 2,d,e,f,g,h,`, got.rows[0].Cells)
	require.Equal(t, ",,,,,,,,,", got.rows[1].Cells)

	got = decode(t, strings.NewReader(systemHeader+",#fault\na,b,c,d,e,f,g,h,x\n"), plainSchema())
	require.Empty(t, got.faults)
	require.Empty(t, got.columns)
	require.False(t, got.rows[0].Input.HasData)
	require.Equal(t, systemHeader, got.header)
	require.Equal(t, "a,b,c,d,e,f,g,h", got.rows[0].Cells)
	for _, name := range []string{FaultColumn, strings.ToUpper(FaultColumn)} {
		kind := string(lifecycle.AttributeText)
		_, faults := lifecycle.AttributeInput{Type: &kind, TechnicalName: &name, Label: &name}.Judge()
		require.Len(t, faults, 1, "no custom attribute has that name")
	}
}

func TestAnAbsentColumnIsAbsent(t *testing.T) {
	t.Parallel()
	got := decode(t, strings.NewReader(systemHeader+"\n1,2,3,4,5,6,7,8\n"), plainSchema())
	require.Empty(t, got.faults)
	require.NotNil(t, got.columns)
	require.Empty(t, got.columns)
	require.Nil(t, got.rows[0].Input.Data)
	require.False(t, got.rows[0].Input.HasData)

	got = decode(t, strings.NewReader(systemHeader+",bâdge\n1,2,3,4,5,6,7,8,\n"), schema())
	require.Empty(t, got.faults)
	require.Equal(t, map[string]string{"Bâdge": ""}, got.rows[0].Input.Data)
	_, faults := got.rows[0].Input.Judge(schema())
	require.Equal(t, "Bâdge", Column(faults[len(faults)-1].Field))
	require.Equal(t, "email", Column("email"))
	require.Equal(t, "data.x", Column("data.data.x"))
}

func TestAttributesMayComeWithoutTheSystemOnes(t *testing.T) {
	t.Parallel()
	got := decode(t, strings.NewReader(systemHeader+",note,Bâdge\n1,2,3,4,5,6,7,8,9,10\n"), schema()[8:])
	require.Empty(t, got.faults)
	require.Equal(t, []string{"Bâdge", "note"}, got.columns)
	require.Equal(t, []string{"line 1, column accountName: the column is missing"},
		decode(t, strings.NewReader("firstName,lastName,phone,email,manager,startDate,endDate\n"), nil).texts())
}

func TestRowsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString(systemHeader + ",Bâdge\n")
	for i := range 300 {
		fmt.Fprintf(&file, "a%d,\"b\n\"\"%d\",,,,,,,%d\n", i, i, i)
	}
	got := decode(t, strings.NewReader(file.String()), schema())
	require.Len(t, got.rows, 300)
	for i, row := range got.rows {
		require.Equal(t, fmt.Sprint("a", i), *row.Input.AccountName)
		require.Equal(t, fmt.Sprintf("b\n\"%d", i), *row.Input.FirstName)
		require.Equal(t, fmt.Sprint(i), row.Input.Data["Bâdge"])
		require.Equal(t, fmt.Sprintf("a%d,\"b\n\"\"%d\",,,,,,,%d", i, i, i), row.Cells)
		require.Equal(t, 2+2*i, row.Line)
	}
}

func utf16le(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)}) //nolint:gosec // its two halves
	}
	return b.String()
}

func utf16be(text string) string { return utf16le(text)[1:] + "\x00" }

func TestEveryBadFileIsToldWithLineAndColumn(t *testing.T) {
	t.Parallel()
	const (
		header = systemHeader + "\n"
		good   = "a,b,c,d,e,f,g,h\n"
		bad    = lifecycle.KindBadRequest
	)
	for _, tt := range []struct {
		name, file string
		kind       lifecycle.Kind
		want       []string
	}{
		{"an empty file", "", lifecycle.KindRequired, []string{"line 1: the file is empty; it must begin with the header"}},
		{"a mark and nothing else", "\ufeff", lifecycle.KindRequired,
			[]string{"line 1: the file is empty; it must begin with the header"}},
		{"blank lines and nothing else", "\n\r\n\n", lifecycle.KindRequired,
			[]string{"line 1: the file is empty; it must begin with the header"}},
		{"a header and nothing else", header, lifecycle.KindRequired, []string{"the file has no rows"}},
		{"a header and blank lines", header + "\r\n\n", lifecycle.KindRequired, []string{"the file has no rows"}},
		{"a header without a line end", systemHeader, lifecycle.KindRequired, []string{"the file has no rows"}},

		{"UTF-16 with a mark", "\xff\xfe" + utf16le(header+good), bad,
			[]string{"line 1: the file looks like UTF-16; it must be CSV in UTF-8"}},
		{"UTF-16 of the other order with a mark", "\xfe\xff" + header, bad,
			[]string{"line 1: the file looks like UTF-16; it must be CSV in UTF-8"}},
		{"UTF-16 without a mark", utf16le(header + good), bad,
			[]string{"line 1: the file looks like UTF-16; it must be CSV in UTF-8"}},
		{"UTF-16 of the other order without a mark", "\x00" + utf16be(header+good), bad,
			[]string{"line 1: the file looks like UTF-16; it must be CSV in UTF-8"}},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", bad,
			[]string{"line 1: the file looks like UTF-32; it must be CSV in UTF-8"}},
		{"UTF-32 of the other order", "\x00\x00\xfe\xff\x00\x00\x00a", bad,
			[]string{"line 1: the file looks like UTF-32; it must be CSV in UTF-8"}},
		{"gzip", "\x1f\x8b\x08\x00\x00", bad,
			[]string{"the file looks like a gzip archive; it must be CSV in UTF-8"}},
		{"ZIP", "PK\x03\x04\x14\x00", bad,
			[]string{"the file looks like a ZIP archive or an Excel workbook; it must be CSV in UTF-8"}},
		{"an old workbook", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bad,
			[]string{"the file looks like an old Excel workbook; it must be CSV in UTF-8"}},
		{"semicolons", strings.ReplaceAll(header+good, ",", ";"), bad,
			[]string{"line 1: the columns must be separated by commas, not by semicolons"}},
		{"tabs", strings.ReplaceAll(header+good, ",", "\t"), bad,
			[]string{"line 1: the columns must be separated by commas, not by tabs"}},

		{"columns are missing", "endDate,PHONE\n" + good, lifecycle.KindRequired, []string{
			"line 1, column accountName: the column is missing", "line 1, column firstName: the column is missing",
			"line 1, column lastName: the column is missing", "line 1, column email: the column is missing",
			"line 1, column manager: the column is missing", "line 1, column startDate: the column is missing",
		}},
		{"columns are unknown", systemHeader + ",Note,\"a\nb\u202e" + strings.Repeat("x", 100) + "\"\n", lifecycle.KindIllegalValue,
			[]string{
				"line 1, column Note: the source has no such column",
				"line 1, column a\ufffdb\ufffd" + strings.Repeat("x", 60) + "…: the source has no such column",
			}},
		{"columns without a name", "\n" + systemHeader + ",, \n", lifecycle.KindIllegalValue,
			[]string{"line 2: column 9 has no name", "line 2: column 10 has no name"}},
		{"columns more than once", systemHeader + ",Email ,EMAIL,\"phone\"\n", lifecycle.KindIllegalValue, []string{
			"line 1, column email: the column is there more than once",
			"line 1, column phone: the column is there more than once",
		}},
		{"faults twice", "#fault," + systemHeader + ", #FAULT\n", lifecycle.KindIllegalValue,
			[]string{"line 1, column #fault: the column is there more than once"}},
		{"a fault that is no UTF-8, and a row without one", "#fault," + systemHeader + "\n\xeb,a,b,c,d,e,f,g,h\n" + good, bad, []string{
			"line 2, column #fault: the cell must be UTF-8, but has the byte 0xEB",
			"line 3: the row has 8 cells, the header has 9 columns",
		}},
		{"more columns than there may be", strings.Repeat("x,", 99_999) + "x\n", lifecycle.KindIllegalValue,
			[]string{"line 1: the header has 100000 columns, a file of the source has at most 8"}},
		{"a header that never ends", strings.Repeat("x,", MaxRow), bad,
			[]string{"line 1: the header is longer than 1 MiB"}},
		{"a header with a NUL", "accountName,first\x00Name\n", bad,
			[]string{"line 1: the header must not hold a NUL byte"}},
		{"a header in Latin-1", "accountName,\"x\nfirstN\xe4me\"\n", bad,
			[]string{"line 2: the header must be UTF-8, but has the byte 0xE4"}},
		{"a header that is not closed", "accountName,\"firstName\n" + good, bad,
			[]string{"line 1: the quote that opens the cell is never closed"}},
		{"a header with a quote", "accountName,first\"Name\n" + good, bad,
			[]string{"line 1: a cell that holds quotes must be in quotes, and those within it doubled"}},

		{"CR ends the lines", strings.ReplaceAll(header+good, "\n", "\r"), bad,
			[]string{"line 1: lines must end with LF or CRLF, not with CR alone"}},
		{"CR ends the lines of a long file", strings.ReplaceAll(header+strings.Repeat(good, 200_000), "\n", "\r"), bad,
			[]string{"line 1: lines must end with LF or CRLF, not with CR alone"}},
		{"CR ends one line", header + good + "a,b,c,d,e,f,g,h\r" + good + "a,b\n", bad, []string{
			"line 3: lines must end with LF or CRLF, not with CR alone",
			"line 4: the row has 2 cells, the header has 8 columns",
		}},
		{"CR behind a quote", header + "a,b,c,d,e,f,g,\"h\"\r", bad,
			[]string{"line 2: lines must end with LF or CRLF, not with CR alone"}},
		{"CR ends the file", header + "a,b,c,d,e,f,g,h\r", bad,
			[]string{"line 2: lines must end with LF or CRLF, not with CR alone"}},
		{"CR before CRLF", header + "a,b,c,d,e,f,g,h\r\r\n", bad,
			[]string{"line 2: lines must end with LF or CRLF, not with CR alone"}},

		{"too few and too many cells", header + "a\n\n\"a\n\",b,c,d,e,f,g,h,\n", bad, []string{
			"line 2: the row has 1 cell, the header has 8 columns",
			"line 4: the row has 9 cells, the header has 8 columns",
		}},
		{"100,000 cells", header + strings.Repeat(",", 99_999) + "\n" + good, bad,
			[]string{"line 2: the row has 100000 cells, the header has 8 columns"}},
		{"NULs", header + good + "a,\"x\n\n\x00\x00\",c,d,e,f,\x00,h\n" + good, bad, []string{
			"line 5, column firstName: the cell must not hold a NUL byte",
			"line 5, column startDate: the cell must not hold a NUL byte",
		}},
		{"Latin-1", header + good + "a,Zo\xeb,\xef\xbf\xbd,\"\r\n\xff\",e,f,g,h\r\n\"a\",M\xfcller,c,d,e,f,g,h\n", bad, []string{
			"line 3, column firstName: the cell must be UTF-8, but has the byte 0xEB",
			"line 4, column phone: the cell must be UTF-8, but has the byte 0xFF",
			"line 5, column firstName: the cell must be UTF-8, but has the byte 0xFC",
		}},
		{"a letter that is cut off", header + "a,b,c,\xe2\x82,e,f,g,h\n", bad,
			[]string{"line 2, column phone: the cell must be UTF-8, but has the byte 0xE2"}},
		{"Latin-1 in a row that is too short", header + "a,\xeb\n", bad, []string{
			"line 2: the row has 2 cells, the header has 8 columns",
			"line 2, column firstName: the cell must be UTF-8, but has the byte 0xEB",
		}},

		{"a quote within a cell", header + "a,5\" pipe,c,d,e,f,g,h\n" + good + "a,b\"\n", bad, []string{
			"line 2, column firstName: a cell that holds quotes must be in quotes, and those within it doubled",
			"line 4, column firstName: a cell that holds quotes must be in quotes, and those within it doubled",
		}},
		{"a quote before a quote", header + "a, \"b\",c,d,e,f,g,h\n", bad, []string{
			"line 2, column firstName: a cell that holds quotes must be in quotes, and those within it doubled",
		}},
		{"a quote within a quoted cell", header + "a,b,\"\n5\" pipe\",d,e,f,g,h\n" + good + "\"a\" ,b\n", bad, []string{
			"line 3, column lastName: the quote that closes the cell must be followed by a comma or the end of the line; " +
				"quotes within a cell are doubled",
			"line 5, column accountName: the quote that closes the cell must be followed by a comma or the end of the line; " +
				"quotes within a cell are doubled",
		}},
		{"a quote that is never closed", header + good + "a,b\nx,\"y\"\"\n,\"\"" + good, bad, []string{
			"line 3: the row has 2 cells, the header has 8 columns",
			"line 4, column firstName: the quote that opens the cell is never closed",
		}},
		{"a quote at line 20,000 that is never closed", header + strings.Repeat(good, 19_998) + "a,b,\"c,d\n" + strings.Repeat(good, 100), bad,
			[]string{"line 20000, column lastName: the quote that opens the cell is never closed"}},
		{"a quote at line 20,000 of a long file that is never closed", header + strings.Repeat(good, 19_998) + "\"a,b\n" +
			strings.Repeat(good, 100_000), bad, []string{
			"line 20000, column accountName: the cell is longer than 1 MiB, or the quote that opens it is never closed",
		}},
		{"a quote at the end", header + "a,\"", bad,
			[]string{"line 2, column firstName: the quote that opens the cell is never closed"}},
		{"a quote that is closed too late", header + "a,b,\"" + strings.Repeat(good, 100_000) + "\"\n" + good, bad, []string{
			"line 2, column lastName: the cell is longer than 1 MiB, or the quote that opens it is never closed",
		}},
		{"a quoted cell of 10 MiB", header + "a,b,\"\n" + strings.Repeat("x", 10<<20) + "\"\n" + good, bad, []string{
			"line 2, column lastName: the cell is longer than 1 MiB, or the quote that opens it is never closed",
		}},
		{"a cell of 10 MiB", header + good + "a,b,c," + strings.Repeat("x", 10<<20) + ",e,f,g,h\n" + good, bad,
			[]string{"line 3, column phone: the row is longer than 1 MiB"}},
		{"a row that is a byte too long", header + strings.Repeat(",", 7) + strings.Repeat("x", MaxRow-7) + "\n", bad,
			[]string{"line 2, column endDate: the row is longer than 1 MiB"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []io.Reader{
				strings.NewReader(tt.file),
				iotest.DataErrReader(strings.NewReader(tt.file)),
				iotest.HalfReader(strings.NewReader(tt.file)),
			} {
				got := decode(t, r, plainSchema())
				require.Equal(t, tt.want, got.texts())
				for _, fault := range got.faults {
					require.Equal(t, tt.kind, fault.Kind)
				}
			}
		})
	}
}

func TestAMissingCustomColumnIsAFaultIfItIsRequired(t *testing.T) {
	t.Parallel()
	got := decode(t, strings.NewReader(systemHeader+",x\n"), schema())
	require.Equal(t, []lifecycle.RowFault{
		{Line: 1, Column: "x", Kind: lifecycle.KindIllegalValue, Message: "the source has no such column"},
		{Line: 1, Column: "Bâdge", Kind: lifecycle.KindRequired, Message: "the column is missing"},
	}, got.faults)
}

func TestTheFaultsOfAHeaderAreBounded(t *testing.T) {
	t.Parallel()
	got := decode(t, strings.NewReader(strings.Repeat(strings.Repeat("x", 10_000)+",", maxHeaderCells-1)+"y\n"), schema())
	require.Len(t, got.faults, maxHeaderCells+9)
	require.Less(t, len(strings.Join(got.texts(), "\n")), 20_000)
}

func TestARowMayBeAsLongAsTheBound(t *testing.T) {
	t.Parallel()
	cell := strings.Repeat("x", MaxRow-8)
	for _, rows := range [][]string{
		{",,,,,,," + cell + "\n", ",,,,,,," + cell + "y"},
		{",,,,,,,\"" + cell[3:] + "\n\"\n", ",,,,,,,\n"},
		{",,,,,,,\"" + cell[3:] + "\r\n\"", ""},
	} {
		got := decode(t, strings.NewReader(systemHeader+"\n"+strings.Join(rows, "")), plainSchema())
		require.Empty(t, got.faults)
		for i, row := range got.rows {
			require.Equal(t, strings.TrimSuffix(rows[i], "\n"), row.Cells)
		}
	}
}

func TestErrorsOfTheReaderComeThrough(t *testing.T) {
	t.Parallel()
	tooLarge := lifecycle.NewError(lifecycle.KindTooLarge, "The file is too large.").WithCause(io.EOF)
	for _, file := range []string{
		"", "accountName,", systemHeader + "\n", systemHeader + "\na,b,c,d,e,f,g,h\na,b",
		systemHeader + "\na,\"b", systemHeader + "\n" + strings.Repeat("x", 2*readAhead),
		systemHeader + "\n\"" + strings.Repeat("x\n", readAhead),
	} {
		d := NewDecoder(io.MultiReader(strings.NewReader(file), iotest.ErrReader(tooLarge)), plainSchema())
		faults, err := d.Header()
		require.Empty(t, faults)
		for rows := 0; err == nil; rows++ {
			require.Less(t, rows, 2)
			var row Row
			row, err = d.Next()
			require.Empty(t, row.Faults, "what was cut off is not judged")
		}
		var got *lifecycle.Error
		require.ErrorAs(t, err, &got)
		require.Same(t, tooLarge, got)
		_, err = d.Next()
		require.Equal(t, lifecycle.KindTooLarge, lifecycle.KindOf(err), "the error stays")
	}
}

// endless is a file that says the same again and again.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

func TestMemoryIsBounded(t *testing.T) {
	for _, file := range []struct{ begin, endless string }{
		{`a,"`, "x\n"}, {`a,"`, `""`}, {`"`, "a,b,c,d,e,f,g,h\n"}, {"", "x"}, {"a,", ","},
	} {
		for _, good := range []int{0, 20_000} {
			d := NewDecoder(io.MultiReader(
				strings.NewReader(systemHeader+"\n"+strings.Repeat("a,b,c,d,e,f,g,h\n", good)+file.begin),
				&endless{text: file.endless}), plainSchema())
			_, err := d.Header()
			require.NoError(t, err)
			for range good {
				_, err = d.Next()
				require.NoError(t, err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			row, err := d.Next()
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			require.Contains(t, row.Faults[0].Message, "is longer than 1 MiB")
			require.Equal(t, good+2, row.Faults[0].Line)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*MaxRow))
			_, err = d.Next()
			require.Equal(t, io.EOF, err)
		}
	}
}

// FuzzDecoder holds the decoder against encoding/csv: where it finds nothing
// wrong, both read the same.
func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{
		"", "1,2,3,4,5,6,7,8,9,10\n", "\"\",\"\"\"\",,,,,,,,\r\n\n", "a,\"b\nc\",,,,,,,,\n,,,,,,,,,", "\"", "a\"b", "a\rb",
		"\x00,\xff,,,,,,,,", "=1,'+2,''@,-,\" +3\",,,,,", ",,,,\",+\",,,,,", "\"a\"b,,,,,,,,,\n\"\r\n\",,,,,,,,,",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	header := systemHeader + ",Bâdge,note\n"
	f.Fuzz(func(t *testing.T, body []byte, headed bool) {
		file := body
		if headed {
			file = append([]byte(header), body...)
		}
		extension := append([]byte("accountName,endDate\n"), body...)
		named := readAll(t, NewExtensionDecoder(bytes.NewReader(extension)))
		require.Equal(t, named, readAll(t, NewExtensionDecoder(iotest.OneByteReader(bytes.NewReader(extension)))))
		for _, row := range named.rows {
			require.Nil(t, row.Input.ID)
			require.Equal(t, len(row.Faults) == 0, row.Input.AccountName != nil && row.Input.EndDate != nil)
		}
		got := decode(t, bytes.NewReader(file), schema())
		again := decode(t, iotest.OneByteReader(bytes.NewReader(file)), schema())
		require.Equal(t, got, again)
		lines := bytes.Count(file, []byte{'\n'}) + 1
		last := 0
		for _, fault := range got.faults {
			require.NotEmpty(t, fault.Message)
			require.NotContains(t, fault.String(), "\n")
			require.LessOrEqual(t, fault.Line, lines)
			require.LessOrEqual(t, last, fault.Line, "faults come by line")
			last = fault.Line
		}
		if !headed || len(got.faults) > 0 {
			return
		}
		reader := csv.NewReader(bytes.NewReader(file))
		_, err := reader.Read()
		require.NoError(t, err)
		for _, row := range got.rows {
			want, err := reader.Read()
			require.NoError(t, err)
			line, _ := reader.FieldPos(0)
			require.Equal(t, line, row.Line)
			cells := append(personCells(t, row.Input), row.Input.Data["Bâdge"], row.Input.Data["note"])
			for i, cell := range cells {
				require.Equal(t, Unguard(want[i]), cell)
			}
			same := decode(t, strings.NewReader(header+row.Cells), schema())
			require.Empty(t, same.faults)
			require.Len(t, same.rows, 1)
			require.Equal(t, row.Input, same.rows[0].Input, "the cells of a row mean the row")
			shown, err := csv.NewReader(strings.NewReader(row.Cells)).Read()
			require.NoError(t, err)
			for _, cell := range shown {
				require.True(t, !isFormula(cell) || cell[0] == '\'', "%q", cell)
			}
		}
		_, err = reader.Read()
		require.Equal(t, io.EOF, err)
	})
}

// TestAFileOfAnExtension names records by one of two columns.
func TestAFileOfAnExtension(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"id\na\n":                        nil,
		"EndDate, ACCOUNTNAME \n1,'=b\n": nil,
		"accountName,#fault\nb,x\n":      nil,
		"endDate\n1\n":                   {"line 1: there must be one of the columns id and accountName"},
		"id,accountName\n1,2\n":          {"line 1: there must be one of the columns id and accountName"},
		"id,email\n1,2\n":                {"line 1, column email: the source has no such column"},
		"id,id\n1,2\n":                   {"line 1, column id: the column is there more than once"},
		"id\n":                           {"the file has no rows"},
		"id,endDate\n1\n":                {"line 2: the row has 1 cell, the header has 2 columns"},
	} {
		got := readAll(t, NewExtensionDecoder(strings.NewReader(file)))
		require.ElementsMatch(t, want, got.texts(), file)
		if want != nil {
			continue
		}
		in := got.rows[0].Input
		require.True(t, in.ID != nil && *in.ID == "a" || *in.AccountName == "b" || *in.AccountName == "=b", file)
	}
}
