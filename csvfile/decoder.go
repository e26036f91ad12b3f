package csvfile

import (
	"io"
	"strings"

	"gatehouse/lifecycle"
)

// MaxRow is how long one row of a file may be, in bytes with its line ends and
// quotes; the header too. It bounds the memory of a [Decoder]. A record that is
// as long as it may be, in every one of its cells, stays well below.
const MaxRow = 1 << 20

// Decoder reads the file of a source row by row and holds one row at a time. It
// judges the form of the file: encoding, header, quotes, number of cells. What
// the cells hold is for [lifecycle.PersonInput.Judge].
type Decoder struct{}

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
	// Cells is the row as one record of RFC 4180 without the line end behind it,
	// as it came but for formulas, which it has guarded: it is shown to people,
	// and means the same when it is uploaded again. It is empty if the row has
	// Faults.
	Cells string
	// Faults is what is wrong with the form of the row, by line.
	Faults []lifecycle.RowFault
}

// NewDecoder reads a file for a source with these attributes, which may come in
// any order, with or without the system ones. It reads nothing before
// [Decoder.Header].
func NewDecoder(r io.Reader, attributes []lifecycle.SchemaAttribute) *Decoder {
	return &Decoder{}
}

// Header reads the header and must be called once, before [Decoder.Next]. faults
// is everything that is wrong with it, bounded; after faults the rest of the
// file can't be read. err is an error of the reader alone, as it came.
//
// Kinds: KindRequired for a missing column and an empty file, KindIllegalValue
// for a column that is unknown or there twice, KindBadRequest for the rest.
func (d *Decoder) Header() (faults []lifecycle.RowFault, err error) {
	return nil, nil
}

// HeaderText is the header as it came, as one record of RFC 4180 without the
// line end behind it; empty if the header has faults.
func (d *Decoder) HeaderText() string { return "" }

// Columns are the technicalNames of the custom attributes that the file has a
// column for, in the order of the schema; never nil.
func (d *Decoder) Columns() []string { return []string{} }

// Next returns the next row, and io.EOF after the last one. Any other error is
// one of the reader, as it came.
//
// Faults of a row leave the rows behind it readable, but for a quote that is not
// closed and a row longer than [MaxRow]: io.EOF follows these. A file without
// rows has one Row that says so (KindRequired). All other faults are
// KindBadRequest.
func (d *Decoder) Next() (Row, error) { return Row{}, io.EOF }

// Column is the name of the column that the field of a fault of
// [lifecycle.PersonInput.Judge] came from: "email" for "email", "badge" for
// "data.badge".
func Column(field string) string { return strings.TrimPrefix(field, "data.") }
