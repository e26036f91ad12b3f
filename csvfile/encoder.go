package csvfile

import "gatehouse/lifecycle"

// Encoder writes the file of a source. It appends to buffers of the caller and
// allocates nothing else. It may be used by several goroutines.
type Encoder struct{ columns []string }

// NewEncoder writes files of a source with these attributes, which may come in
// any order, with or without the system ones.
func NewEncoder(attributes []lifecycle.SchemaAttribute) *Encoder {
	return &Encoder{columns: Columns(attributes)}
}

// AppendHeader appends the header, [Columns], with its line end.
func (e *Encoder) AppendHeader(b []byte) []byte {
	return b
}

// AppendRow appends one row with its line end. cells are in the order of
// [Columns], as many as there are columns, nil for what is absent. They are
// written as [Guard] has them, quoted where RFC 4180 needs it.
func (e *Encoder) AppendRow(b []byte, cells [][]byte) []byte {
	return b
}
