package csvfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/lifecycle"
)

const (
	// MaxRow is how long one row of a file may be, in bytes with its quotes and
	// line ends; the header too. It bounds the memory of a [Decoder]. The longest
	// record that can be kept is a fifth of that.
	MaxRow = 1 << 20

	// readAhead is how much is read at once, in bytes.
	readAhead = 64 << 10
	// maxHeaderCells is how many columns of a header are looked at. To tell each
	// of more would say less than to tell how many there are.
	maxHeaderCells = 100
	// maxNameLength is how much of the name of an unknown column is told, in
	// characters.
	maxNameLength = 64
)

// Decoder reads the file of a source row by row and holds one row at a time. It
// judges the form of the file: encoding, header, quotes, number of cells. What
// the cells hold is for [lifecycle.PersonInput.Judge].
//
// It does not stand on encoding/csv, which reads a record whole before it can be
// asked anything, however long that is, and takes a CR that ends a line for text.
type Decoder struct {
	in *bufio.Reader
	// columns are those a file may have: those of [Columns], and [FaultColumn]
	// behind them.
	columns []column
	// oneOf is of how many of them, the first ones, a file must have one and no more;
	// 0 for none.
	oneOf int
	// places are the indices in columns of the cells of a row.
	places []int
	header string
	custom []string
	// noted is true if the file has a FaultColumn.
	noted bool
	// lines and rows are how many have been read; lines counts blank ones too.
	lines, rows int
	// long holds what was read of a record that is more than one line, or longer
	// than what is read at once.
	long  []byte
	spans []span
	// end is what Next returns once nothing more can be read.
	end error
}

type column struct {
	name     string
	required bool
	// field is where its cells go; nil for a custom attribute.
	field func(*lifecycle.PersonInput) **string
}

// span is where a cell lies within its record, without the quotes around it.
type span struct {
	start, end int
	// line is the line of the file on which the cell begins.
	line int
	// doubled is true if the cell holds quotes, each of them twice; broken if it
	// goes on over line ends.
	doubled, broken bool
}

// of returns the cell of the record that text is. Tools that give a file other
// line ends do that within cells too; here they are alike, before an apostrophe
// ahead of one can be taken for that of a guard.
func (s span) of(text string) string {
	cell := text[s.start:s.end]
	if s.broken {
		cell = strings.ReplaceAll(cell, "\r\n", "\n")
	}
	if s.doubled {
		cell = strings.ReplaceAll(cell, `""`, `"`)
	}
	return cell
}

// record is one record of the file. Its first cells are in Decoder.spans.
type record struct {
	// raw is the record without its line end, nil at the end of the file. It is
	// valid until the next one is read.
	raw []byte
	// line is where it begins.
	line  int
	cells int
	// faults leave the cells unknown, but for those of single bytes.
	faults []lifecycle.RowFault
}

// Row is one row of a file.
type Row struct {
	// Number and Line are those of [lifecycle.ImportRow]. Both are 0 for a fault
	// of the whole file.
	Number, Line int
	// Input holds the cells of the row, unguarded, to be judged against the
	// attributes of the decoder; what the file has no column for is absent. It
	// is empty if the row has Faults. Input is the row's own: it stays as it is
	// when more rows are read.
	Input lifecycle.PersonInput
	// Cells is the row as one record of RFC 4180 without the line end behind it.
	// It is as it came, but for formulas, which are guarded, since people will
	// look at it: uploaded again it means the same. The cell of a [FaultColumn] is
	// left out. It is empty if the row has Faults.
	Cells string
	// Faults is what is wrong with the form of the row, by line.
	Faults []lifecycle.RowFault
}

// NewDecoder reads a file for a source with these attributes, which may come in
// any order, with or without the system ones. It reads nothing before
// [Decoder.Header].
func NewDecoder(r io.Reader, attributes []lifecycle.SchemaAttribute) *Decoder {
	d := &Decoder{in: bufio.NewReaderSize(r, readAhead), custom: []string{}}
	optional := map[string]bool{}
	for _, attribute := range attributes {
		optional[attribute.TechnicalName] = !attribute.System && !attribute.Required
	}
	for i, name := range Columns(attributes) {
		c := column{name: name, required: !optional[name]}
		if i < len(personFields) {
			c.field = personFields[i]
		}
		d.columns = append(d.columns, c)
	}
	d.columns = append(d.columns, column{name: FaultColumn})
	return d
}

// NewExtensionDecoder reads a file that names records of a source which are to be
// extended, in one of the columns "id" and "accountName", and may give them ends of
// their own in the column "endDate". Rows have these fields in Input.
func NewExtensionDecoder(r io.Reader) *Decoder {
	return &Decoder{
		in: bufio.NewReaderSize(r, readAhead), custom: []string{}, oneOf: 2,
		columns: []column{
			{name: "id", field: func(in *lifecycle.PersonInput) **string { return &in.ID }},
			{name: "accountName", field: func(in *lifecycle.PersonInput) **string { return &in.AccountName }},
			{name: "endDate", field: func(in *lifecycle.PersonInput) **string { return &in.EndDate }},
			{name: FaultColumn},
		},
	}
}

// Header reads the header and must be called once, before [Decoder.Next]. faults
// is everything that is wrong with it, at most some hundred; after faults the
// rest of the file can't be read. err is an error of the reader alone, as it came.
//
// Kinds: KindRequired for a missing column and an empty file, KindIllegalValue
// for a column that is unknown or there twice, KindBadRequest for the rest.
func (d *Decoder) Header() (faults []lifecycle.RowFault, err error) {
	faults, err = d.readHeader()
	switch {
	case err != nil:
		d.end = err
	case len(faults) > 0:
		d.end = io.EOF
	}
	return faults, err
}

// HeaderText is the header as it came, as one record of RFC 4180 without the
// line end behind it; a [FaultColumn] is left out. It is empty if the header has
// faults.
func (d *Decoder) HeaderText() string { return d.header }

// Columns are the technicalNames of the custom attributes that the file has a
// column for, in the order of the schema; never nil.
func (d *Decoder) Columns() []string { return d.custom }

// Next returns the next row, and io.EOF after the last one. Any other error is
// one of the reader, as it came.
//
// Faults of a row leave the rows behind it readable, but for a quote that is not
// closed and a row longer than [MaxRow]: io.EOF follows these. A file without
// rows has one Row that says so (KindRequired). All other faults are
// KindBadRequest.
func (d *Decoder) Next() (Row, error) {
	if d.end != nil {
		return Row{}, d.end
	}
	found, err := d.read(len(d.places))
	switch {
	case err != nil:
		d.end = err
		return Row{}, err
	case found.raw == nil && d.rows > 0:
		d.end = io.EOF
		return Row{}, io.EOF
	case found.raw == nil:
		d.end = io.EOF
		return Row{Faults: []lifecycle.RowFault{{
			Kind: lifecycle.KindRequired, Message: "the file has no rows",
		}}}, nil
	}
	d.rows++
	row := Row{Number: d.rows, Line: found.line, Faults: found.faults}
	if found.cells != len(d.places) && found.cells > 0 {
		row.Faults = append([]lifecycle.RowFault{d.fault(found.line, noCell, fmt.Sprintf(
			"the row has %s, the header has %s", count(found.cells, "cell"), count(len(d.places), "column")))},
			row.Faults...)
	}
	if len(row.Faults) > 0 {
		for i := range row.Faults {
			row.Faults[i].Row = row.Number
		}
		return row, nil
	}
	d.fill(&row, string(found.raw))
	return row, nil
}

// Column is the name of the column that the field of a fault of
// [lifecycle.PersonInput.Judge] came from: "email" for "email", "badge" for
// "data.badge".
func Column(field string) string { return strings.TrimPrefix(field, "data.") }

// fill sets what the row holds. All texts are parts of one, so that a row costs
// few allocations.
func (d *Decoder) fill(row *Row, text string) {
	cells, anew := make([]string, 0, len(d.spans)), d.noted
	if len(d.custom) > 0 {
		row.Input.Data, row.Input.HasData = make(map[string]string, len(d.custom)), true
	}
	for i, at := range d.spans {
		if d.isFaultColumn(d.places[i]) {
			continue
		}
		cell := at.of(text)
		if isFormula(cell) {
			anew = anew || cell[0] != '\''
			cell = Unguard(cell)
		}
		cells = append(cells, cell)
		if field := d.columns[d.places[i]].field; field != nil {
			*field(&row.Input) = &cells[len(cells)-1]
		} else {
			row.Input.Data[d.columns[d.places[i]].name] = cell
		}
	}
	row.Cells = text
	if anew {
		row.Cells = string(appendRecord(nil, cells))
	}
}

// personFields are where the cells of the columns go that every source has, in the
// order of [Columns].
var personFields = []func(*lifecycle.PersonInput) **string{
	func(in *lifecycle.PersonInput) **string { return &in.AccountName },
	func(in *lifecycle.PersonInput) **string { return &in.FirstName },
	func(in *lifecycle.PersonInput) **string { return &in.LastName },
	func(in *lifecycle.PersonInput) **string { return &in.Phone },
	func(in *lifecycle.PersonInput) **string { return &in.Email },
	func(in *lifecycle.PersonInput) **string { return &in.Manager },
	func(in *lifecycle.PersonInput) **string { return &in.StartDate },
	func(in *lifecycle.PersonInput) **string { return &in.EndDate },
}

// isFaultColumn is true for the last of the columns.
func (d *Decoder) isFaultColumn(column int) bool { return column == len(d.columns)-1 }

const byteOrderMark = "\ufeff"

func (d *Decoder) readHeader() ([]lifecycle.RowFault, error) {
	first, err := d.in.Peek(64)
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's error that wraps io.EOF is not the end
		return nil, err
	}
	if what, line := notText(first); what != "" {
		return []lifecycle.RowFault{d.fault(line, noCell, "the file looks like "+what+"; it must be CSV in UTF-8")}, nil
	}
	if bytes.HasPrefix(first, []byte(byteOrderMark)) {
		if _, err := d.in.Discard(len(byteOrderMark)); err != nil {
			return nil, err
		}
	}
	header, err := d.read(maxHeaderCells)
	if err != nil {
		return nil, err
	}
	if header.raw == nil {
		return []lifecycle.RowFault{{
			Line: 1, Kind: lifecycle.KindRequired, Message: "the file is empty; it must begin with the header",
		}}, nil
	}
	if len(header.faults) > 0 {
		return header.faults, nil
	}
	if faults := d.judgeHeader(header); len(faults) > 0 {
		return faults, nil
	}
	d.header = string(header.raw)
	if d.noted {
		d.header = d.withoutFaultColumn(d.header)
	}
	return nil, nil
}

// withoutFaultColumn is the header that text is, written anew.
func (d *Decoder) withoutFaultColumn(text string) string {
	var b []byte
	for i, at := range d.spans {
		if d.isFaultColumn(d.places[i]) {
			continue
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, at.of(text))
	}
	return string(b)
}

// judgeHeader compares the header with the schema.
func (d *Decoder) judgeHeader(header record) (faults []lifecycle.RowFault) {
	add := func(kind lifecycle.Kind, column, message string) {
		faults = append(faults, lifecycle.RowFault{Line: header.line, Column: column, Kind: kind, Message: message})
	}
	if header.cells == 1 {
		for _, separator := range []struct{ text, name string }{{";", "semicolons"}, {"\t", "tabs"}} {
			if bytes.Contains(header.raw, []byte(separator.text)) {
				add(lifecycle.KindBadRequest, "", "the columns must be separated by commas, not by "+separator.name)
				return faults
			}
		}
	}
	if header.cells > maxHeaderCells {
		add(lifecycle.KindIllegalValue, "", fmt.Sprintf("the header has %s, a file of the source has at most %d",
			count(header.cells, "column"), len(d.columns)-1))
		return faults
	}
	byName, times := make(map[string]int, len(d.columns)), make([]int, len(d.columns))
	for i, column := range d.columns {
		byName[lifecycle.Fold(column.name)] = i
	}
	text, places := string(header.raw), make([]int, 0, header.cells)
	for i, at := range d.spans {
		name := lifecycle.Normalize(at.of(text))
		place, known := byName[lifecycle.Fold(name)]
		switch {
		case name == "":
			add(lifecycle.KindIllegalValue, "", fmt.Sprintf("column %d has no name", i+1))
		case !known:
			add(lifecycle.KindIllegalValue, shown(name), "the source has no such column")
		default:
			if times[place]++; times[place] == 2 {
				add(lifecycle.KindIllegalValue, d.columns[place].name, "the column is there more than once")
			}
			places = append(places, place)
		}
	}
	for i, column := range d.columns {
		if times[i] == 0 && column.required {
			add(lifecycle.KindRequired, column.name, "the column is missing")
		}
	}
	if d.oneOf > 0 {
		there := 0
		for i := range d.columns[:d.oneOf] {
			there += min(times[i], 1)
		}
		if there != 1 {
			names := make([]string, d.oneOf)
			for i := range names {
				names[i] = d.columns[i].name
			}
			add(lifecycle.KindRequired, "", "there must be one of the columns "+strings.Join(names, " and "))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	d.places = places
	for i, column := range d.columns {
		switch {
		case times[i] == 0 || column.field != nil:
		case d.isFaultColumn(i):
			d.noted = true
		default:
			d.custom = append(d.custom, column.name)
		}
	}
	return nil
}

// notText says what a file looks like that begins so and is no CSV in UTF-8,
// nothing if it may be. Another encoding is a fault of the first line (contract
// §7); what is no text has no lines.
func notText(first []byte) (what string, line int) {
	for _, form := range []struct {
		magic, what string
		line        int
	}{
		{"\xff\xfe\x00\x00", "UTF-32", 1},
		{"\x00\x00\xfe\xff", "UTF-32", 1},
		{"\xff\xfe", "UTF-16", 1},
		{"\xfe\xff", "UTF-16", 1},
		{"\x1f\x8b", "a gzip archive", 0},
		{"PK\x03\x04", "a ZIP archive or an Excel workbook", 0},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook", 0},
	} {
		if bytes.HasPrefix(first, []byte(form.magic)) {
			return form.what, form.line
		}
	}
	if len(first) < 4 {
		return "", 0
	}
	for _, odd := range []int{0, 1} {
		every := true
		for i := odd; i < len(first); i += 2 {
			every = every && first[i] == 0
		}
		if every {
			return "UTF-16", 1
		}
	}
	return "", 0
}

// read reads the next record and remembers where its first cells are, at most
// keep of them. Blank lines are no records. The error is one of the reader.
//
// What follows a misplaced quote is a guess; taking the next line for a new
// record is the one that goes wrong least.
func (d *Decoder) read(keep int) (record, error) {
	d.spans, d.long = d.spans[:0], d.long[:0]
	var raw []byte
	var err error
	for len(raw) == lineEnd(raw) {
		if raw, err = d.readLine(); err != nil || len(raw) == 0 {
			return record{}, err
		}
	}
	got := record{line: d.lines}
	wrong := func(line, cell int, message string) (record, error) {
		if len(raw) > MaxRow {
			d.end = io.EOF
		}
		return record{raw: raw, line: got.line, faults: []lifecycle.RowFault{d.fault(line, cell, message)}}, nil
	}
	end := len(raw) - lineEnd(raw)
	// Most lines have neither, so that their cells need not be searched for it.
	plain := bytes.IndexByte(raw[:end], '"') < 0 && bytes.IndexByte(raw[:end], '\r') < 0
	for pos := 0; ; pos++ {
		at := span{start: pos, line: d.lines}
		if pos < end && raw[pos] == '"' {
			var message string
			if raw, at, message, err = d.readQuoted(raw, at); err != nil {
				return record{}, err
			}
			if message != "" {
				return wrong(at.line, got.cells, message)
			}
			end, pos = len(raw)-lineEnd(raw), at.end+1
		} else {
			at.end = end
			if next := bytes.IndexByte(raw[pos:end], ','); next >= 0 {
				at.end = pos + next
			}
			pos = at.end
			if !plain {
				cell := raw[at.start:at.end]
				if bytes.IndexByte(cell, '\r') >= 0 {
					return wrong(d.lines, noCell, loneCR)
				}
				if bytes.IndexByte(cell, '"') >= 0 {
					return wrong(d.lines, got.cells, "a cell that holds quotes must be in quotes, and those within it doubled")
				}
			}
		}
		switch {
		case pos >= end && len(raw) > MaxRow:
			return wrong(at.line, got.cells, d.subject()+" is longer than 1 MiB")
		case pos < end && raw[pos] == '\r':
			return wrong(d.lines, noCell, loneCR)
		case pos < end && raw[pos] != ',':
			return wrong(d.lines, got.cells,
				"the quote that closes the cell must be followed by a comma or the end of the line; quotes within a cell are doubled")
		}
		if got.cells++; got.cells <= keep {
			d.spans = append(d.spans, at)
		}
		if pos >= end {
			break
		}
	}
	got.raw = raw[:end]
	if bytes.IndexByte(got.raw, 0) >= 0 || !utf8.Valid(got.raw) {
		got.faults = d.badBytes(got.raw)
	}
	return got, nil
}

// readQuoted finds the end of the cell whose opening quote is at the start of at,
// and reads as many more lines as that takes. message is set if there is none.
func (d *Decoder) readQuoted(raw []byte, at span) (_ []byte, cell span, message string, err error) {
	at.start++
	at.end = at.start
	for {
		next := bytes.IndexByte(raw[at.end:], '"')
		switch {
		case next >= 0:
			at.end += next
			if at.end+1 == len(raw) || raw[at.end+1] != '"' {
				at.broken = d.lines > at.line
				return raw, at, "", nil
			}
			at.doubled = true
			at.end += 2
		case len(raw) > MaxRow:
			return raw, at, "the cell is longer than 1 MiB, or the quote that opens it is never closed", nil
		default:
			if len(d.long) == 0 {
				d.long = append(d.long, raw...)
			}
			at.end = len(raw)
			if raw, err = d.readLine(); err != nil {
				return nil, at, "", err
			}
			if len(raw) == at.end {
				d.end = io.EOF
				return raw, at, "the quote that opens the cell is never closed", nil
			}
		}
	}
}

const loneCR = "lines must end with LF or CRLF, not with CR alone"

// badBytes finds the cells that hold a NUL or are no UTF-8. Those that were not
// remembered are too many for the header anyway.
func (d *Decoder) badBytes(raw []byte) (faults []lifecycle.RowFault) {
	subject := "the cell"
	if d.inHeader() {
		subject = "the header"
	}
	for i, at := range d.spans {
		cell := raw[at.start:at.end]
		for off := 0; off < len(cell); {
			r, size := utf8.DecodeRune(cell[off:])
			message := ""
			switch {
			case r == 0:
				message = " must not hold a NUL byte"
			case r == utf8.RuneError && size == 1:
				message = fmt.Sprintf(" must be UTF-8, but has the byte 0x%02X", cell[off])
			}
			if message != "" {
				faults = append(faults, d.fault(at.line+bytes.Count(cell[:off], []byte{'\n'}), i, subject+message))
				break
			}
			off += size
		}
	}
	return faults
}

// readLine returns the next line of the file with its line end, behind what long
// holds if it holds something; only that at the end of the file, and no more
// than [MaxRow] and what is read at once of a longer one. It is valid until the
// next call.
func (d *Decoder) readLine() ([]byte, error) {
	d.lines++
	for begun := len(d.long); ; {
		piece, err := d.in.ReadSlice('\n')
		if err == nil && len(d.long) == 0 {
			return piece, nil
		}
		d.long = append(d.long, piece...)
		switch {
		case err == nil, err == io.EOF, len(d.long) > MaxRow:
			if len(d.long) == begun {
				d.lines--
			}
			return d.long, nil
		case err != bufio.ErrBufferFull: //nolint:errorlint // only the buffer's own one is no error of the reader
			return nil, err
		}
	}
}

// lineEnd is the length of the line end that raw ends with.
func lineEnd(raw []byte) int {
	switch {
	case bytes.HasSuffix(raw, []byte("\r\n")):
		return 2
	case bytes.HasSuffix(raw, []byte("\n")):
		return 1
	}
	return 0
}

// noCell is for faults that are about no cell.
const noCell = -1

// fault is a fault of form. Before the header is known cells have no column.
func (d *Decoder) fault(line, cell int, message string) lifecycle.RowFault {
	fault := lifecycle.RowFault{Line: line, Kind: lifecycle.KindBadRequest, Message: message}
	if cell >= 0 && cell < len(d.places) {
		fault.Column = d.columns[d.places[cell]].name
	}
	return fault
}

// inHeader is true until the header is known.
func (d *Decoder) inHeader() bool { return len(d.places) == 0 }

func (d *Decoder) subject() string {
	if d.inHeader() {
		return "the header"
	}
	return "the row"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shown is a client's name for a column as a fault tells it: not too long, and
// nothing in it that would end the line.
func shown(name string) string {
	if utf8.RuneCountInString(name) > maxNameLength {
		name = string([]rune(name)[:maxNameLength]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name)
}
