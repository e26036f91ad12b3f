package store

import (
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"gatehouse/lifecycle"
)

// dialect is bun's with one difference: a text that Postgres can't keep, since it
// holds a NUL or is no UTF-8, fails as such (22021). bun would write an error into
// the query, or other characters.
type dialect struct{ *pgdialect.Dialect }

func newDialect() dialect { return dialect{pgdialect.New()} }

// AppendString implements schema.Dialect.
func (d dialect) AppendString(b []byte, s string) []byte {
	if !storable(s) {
		return append(b, `convert_from('\x00', 'UTF8')`...)
	}
	return d.Dialect.AppendString(b, s)
}

// storable reports whether Postgres can keep s.
func storable(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

// idList is a list of ids as an array.
type idList []lifecycle.ID

// AppendQuery implements schema.QueryAppender.
func (l idList) AppendQuery(_ schema.QueryGen, b []byte) ([]byte, error) {
	b = append(b, "'{"...)
	for i, id := range l {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = id.AppendText(b)
	}
	return append(b, "}'::uuid[]"...), nil
}

// tuples are the rows of a VALUES list; there is at least one.
type tuples [][]any

// AppendQuery implements schema.QueryAppender.
func (t tuples) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	for i, tuple := range t {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '(')
		for j, value := range tuple {
			if j > 0 {
				b = append(b, ", "...)
			}
			b = gen.Append(b, value)
		}
		b = append(b, ')')
	}
	return b, nil
}

// texts is a list of texts as an array.
type texts []string

// AppendQuery implements schema.QueryAppender.
func (t texts) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	b = append(b, "ARRAY["...)
	for i, text := range t {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = gen.Append(b, text)
	}
	return append(b, "]::text[]"...), nil
}
