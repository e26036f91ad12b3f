package csvfile

import "gatehouse/lifecycle"

// Encoder writes the file of a source. It appends to buffers of the caller and
// allocates nothing else. Several goroutines may use one.
type Encoder struct{ columns []string }

// NewEncoder writes files of a source with these attributes, which may come in
// any order, with or without the system ones.
func NewEncoder(attributes []lifecycle.SchemaAttribute) *Encoder {
	return &Encoder{columns: Columns(attributes)}
}

// AppendHeader appends the header, [Columns], with its line end.
func (e *Encoder) AppendHeader(b []byte) []byte {
	for i, column := range e.columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, column)
	}
	return append(b, '\n')
}

// AppendRow appends one row with its line end. cells are in the order of
// [Columns] and as many, nil for what is absent; dates are as
// [lifecycle.AppendTime] has them. Each is written as [Guard] returns it, in
// quotes where RFC 4180 needs them.
func (e *Encoder) AppendRow(b []byte, cells [][]byte) []byte {
	return append(appendRecord(b, cells), '\n')
}

func appendRecord[T text](b []byte, cells []T) []byte {
	// A line without anything on it is no row.
	if len(cells) == 1 && len(cells[0]) == 0 {
		return append(b, `""`...)
	}
	for i, cell := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCell(b, cell)
	}
	return b
}

func appendCell[T text](b []byte, cell T) []byte {
	if !isFormula(cell) {
		return appendQuoted(b, cell)
	}
	if !needsQuotes(cell) {
		return append(append(b, '\''), cell...)
	}
	return append(appendDoubled(append(b, `"'`...), cell), '"')
}

// appendQuoted appends a cell that needs no guard.
func appendQuoted[T text](b []byte, cell T) []byte {
	if !needsQuotes(cell) {
		return append(b, cell...)
	}
	return append(appendDoubled(append(b, '"'), cell), '"')
}

func appendDoubled[T text](b []byte, cell T) []byte {
	for i := range len(cell) {
		if cell[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, cell[i])
	}
	return b
}

// quoted are the bytes that only a cell in quotes may hold.
var quoted = [256]bool{'"': true, ',': true, '\n': true, '\r': true}

// needsQuotes is true for a leading blank too, which other readers would drop.
func needsQuotes[T text](cell T) bool {
	if len(cell) > 0 && (cell[0] == ' ' || cell[0] == '\t') {
		return true
	}
	for i := range len(cell) {
		if quoted[cell[i]] {
			return true
		}
	}
	return false
}
