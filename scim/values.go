package scim

import (
	"fmt"
	"slices"
	"strings"

	scimfilter "github.com/scim2/filter-parser/v2"
)

// maxEffort is how many values the operations of one PATCH may look at, beside those
// that they name: it is carried out while the object is locked. Two hundred
// operations may go through the members of the largest group.
const maxEffort = 2_000_000

// effort counts the values that were looked at.
type effort int

func (e *effort) spend(n int) error {
	if *e += effort(n); *e > maxEffort {
		return bad(invalidValue, fmt.Sprintf("Operations may look at %d values at most; send fewer of them at a time.", maxEffort))
	}
	return nil
}

// values are those of one attribute while a PATCH is carried out. A directory names
// thousands of members one by one, so they are found by what tells them apart.
type values struct {
	// elements has nil where one was removed, so that the others keep their place.
	elements []any
	// places are where in elements a valueOf is, or was; nil until it is asked for.
	places map[string][]int
	effort *effort
}

// index has places know all elements.
func (v *values) index() error {
	if v.places != nil {
		return nil
	}
	if err := v.effort.spend(len(v.elements)); err != nil {
		return err
	}
	v.places = make(map[string][]int, len(v.elements))
	for i, element := range v.elements {
		if element != nil {
			v.note(i)
		}
	}
	return nil
}

// note has places know the element, if they know any.
func (v *values) note(at int) {
	if v.places != nil {
		value := valueOf(v.elements[at])
		v.places[value] = append(v.places[value], at)
	}
}

// find returns where the elements of that valueOf are, in their order.
func (v *values) find(value string) ([]int, error) {
	if err := v.index(); err != nil {
		return nil, err
	}
	found := v.places[value]
	if err := v.effort.spend(len(found)); err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(at int) bool { return v.elements[at] == nil || valueOf(v.elements[at]) != value })
	slices.Sort(found)
	found = slices.Compact(found)
	v.places[value] = found
	return slices.Clone(found), nil
}

// all returns where elements are.
func (v *values) all() ([]int, error) {
	if err := v.effort.spend(len(v.elements)); err != nil {
		return nil, err
	}
	there := make([]int, 0, len(v.elements))
	for i, element := range v.elements {
		if element != nil {
			there = append(there, i)
		}
	}
	return there, nil
}

func (v *values) add(element any) int {
	v.elements = append(v.elements, element)
	v.note(len(v.elements) - 1)
	return len(v.elements) - 1
}

func (v *values) remove(places []int) {
	for _, at := range places {
		v.elements[at] = nil
	}
}

// replace has the values be these and no others.
func (v *values) replace(elements []any) { v.elements, v.places = elements, nil }

// object is the element there.
func (v *values) object(at int) map[string]any {
	object, _ := v.elements[at].(map[string]any)
	return object
}

// left are the elements that were not removed.
func (v *values) left() []any {
	return slices.DeleteFunc(v.elements, func(element any) bool { return element == nil })
}

// named are the values that brackets choose by nothing else: one "value eq", or
// several that "or" joins.
func named(e scimfilter.Expression) (list []string, only bool) {
	switch e := e.(type) {
	case *scimfilter.LogicalExpression:
		left, ok := named(e.Left)
		right, too := named(e.Right)
		return append(left, right...), ok && too && strings.EqualFold(string(e.Operator), string(scimfilter.OR))
	case *scimfilter.AttributeExpression:
		return []string{valueOf(map[string]any{"value": valueText(e.CompareValue)})},
			strings.EqualFold(e.AttributePath.AttributeName, "value") && strings.EqualFold(string(e.Operator), string(scimfilter.EQ))
	}
	return nil, false
}

// terms is how many comparisons brackets have.
func terms(e scimfilter.Expression) int {
	switch e := e.(type) {
	case *scimfilter.LogicalExpression:
		return terms(e.Left) + terms(e.Right)
	case *scimfilter.NotExpression:
		return terms(e.Expression)
	}
	return 1
}
