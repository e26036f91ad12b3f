package csvfile

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"gatehouse/lifecycle"
)

// FaultColumn is the column that says of a row that could not be taken what was
// wrong with it. A file may have it, so that the row can be mended and uploaded
// again; what it holds is not looked at. No custom attribute can have this name.
const FaultColumn = "#fault"

// Columns returns the header of a source's files: the eight fields that every
// source has, then the custom attributes by technicalName in the order they
// were made (contract §7). attributes may come in any order, with or without
// the system ones.
func Columns(attributes []lifecycle.SchemaAttribute) []string {
	custom := slices.DeleteFunc(slices.Clone(attributes), func(a lifecycle.SchemaAttribute) bool { return a.System })
	slices.SortStableFunc(custom, func(a, b lifecycle.SchemaAttribute) int { return cmp.Compare(a.Position, b.Position) })
	columns := lifecycle.PersonFields()
	for _, attribute := range custom {
		columns = append(columns, attribute.TechnicalName)
	}
	return columns
}

// WriteTemplate writes the header and nothing else: a file to be filled in.
// Errors are those of w.
func WriteTemplate(w io.Writer, attributes []lifecycle.SchemaAttribute) error {
	out := csv.NewWriter(w)
	if err := out.Write(Columns(attributes)); err != nil {
		return fmt.Errorf("csvfile: write the header: %w", err)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("csvfile: write the header: %w", err)
	}
	return nil
}
