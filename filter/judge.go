package filter

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gatehouse/lifecycle"
)

// MaxOffset is the largest offset; the contract's type for it is int32.
const MaxOffset = math.MaxInt32

// Judge checks the parameters against the bounds of contract §2 and the schema
// and fills in what was left out. Errors are KindBadRequest about the first
// parameter that is wrong: filters, sorters, limit or offset.
func (p Params) Judge(schema Schema) (Query, error) {
	q := Query{Limit: DefaultLimit, Count: p.Count != nil && *p.Count}
	var err error
	if p.Filters != nil {
		if q.Where, err = Parse(*p.Filters, schema); err != nil {
			return Query{}, err
		}
	}
	if p.Sorters != nil {
		if q.Sort, err = ParseSorters(*p.Sorters, schema); err != nil {
			return Query{}, err
		}
	}
	if p.Limit != nil {
		if q.Limit, err = bounded("limit", *p.Limit, MaxLimit); err != nil {
			return Query{}, err
		}
	}
	if p.Offset != nil {
		if q.Offset, err = bounded("offset", *p.Offset, MaxOffset); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

func bounded(parameter string, n, most int) (int, error) {
	if n < 0 || n > most {
		return 0, lifecycle.FieldError(lifecycle.KindBadRequest, parameter,
			fmt.Sprintf("%s must be a number from 0 to %d.", parameter, most))
	}
	return n, nil
}

// ParseSorters reads a comma-separated list of sortable fields, "-" before a
// field for descending. A blank list is no order. Errors are KindBadRequest
// about "sorters"; the message names the position, counted in characters from
// 1, and what was expected there. A field that is named twice is an error.
func ParseSorters(sorters string, schema Schema) ([]Order, error) {
	if err := checkText("sorters", sorters); err != nil {
		return nil, err
	}
	if strings.Trim(sorters, blanks) == "" {
		return nil, nil
	}
	var orders []Order
	position := 1
	for item := range strings.SplitSeq(sorters, ",") {
		at := position + len([]rune(item)) - len([]rune(strings.TrimLeft(item, blanks)))
		position += len([]rune(item)) + 1
		name, descending := strings.CutPrefix(strings.Trim(item, blanks), "-")
		field, ok := schema.find(name)
		if !ok || !field.Sortable {
			return nil, fault("sorters", at, sortExpectation(schema)+", found "+shown(name))
		}
		if slices.ContainsFunc(orders, func(o Order) bool { return o.Field == name }) {
			return nil, fault("sorters", at, "expected every field once, found "+shown(name)+" again")
		}
		orders = append(orders, Order{Field: name, Descending: descending})
	}
	return orders, nil
}

func sortExpectation(schema Schema) string {
	if names := schema.sortable(); len(names) > 0 {
		return "expected " + oneOf("a field", names)
	}
	return "expected no sorters, since this list has no field to sort by"
}
