package filter

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/lifecycle"
)

// What SCIM (RFC 7644 §3.4.2.2) may be asked for. Its expressions have a grammar
// of their own, which package scim reads; here stands what fields and operators
// there are, so that nothing else gets into a query.
var (
	scimTextOps = []Op{
		Equal, NotEqual, Contains, StartsWith, EndsWith, Greater, GreaterEqual, Less, LessEqual, Presence,
	}
	scimTimeOps = []Op{Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, Presence}
	scimIDOps   = []Op{Equal, NotEqual, Presence}
	scimBoolOps = []Op{Equal, NotEqual, Presence}
)

// The schemas of SCIM's lists: attributes of RFC 7643 by their full names. They
// must not be changed.
var (
	Users = Schema{
		{Name: "id", Type: TypeID, Ops: scimIDOps, Sortable: true},
		{Name: "externalId", Type: TypeExact, Ops: scimTextOps, Sortable: true},
		{Name: "userName", Type: TypeText, Ops: scimTextOps, Sortable: true},
		{Name: "displayName", Type: TypeText, Ops: scimTextOps, Sortable: true},
		{Name: "name.formatted", Type: TypeExact, Ops: []Op{Presence}},
		{Name: "name.givenName", Type: TypeText, Ops: scimTextOps, Sortable: true},
		{Name: "name.familyName", Type: TypeText, Ops: scimTextOps, Sortable: true},
		{Name: "emails.value", Type: TypeText, Ops: scimTextOps, Sortable: true},
		{Name: "emails.type", Type: TypeText, Ops: scimTextOps},
		{Name: "emails.primary", Type: TypeBool, Ops: scimBoolOps},
		{Name: "active", Type: TypeBool, Ops: scimBoolOps, Sortable: true},
		{Name: "roles.value", Type: TypeLevel, Ops: []Op{Equal}},
		{Name: "groups.value", Type: TypeElement, Ops: []Op{Equal}},
		{Name: "meta.created", Type: TypeTime, Ops: scimTimeOps, Sortable: true},
		{Name: "meta.lastModified", Type: TypeTime, Ops: scimTimeOps, Sortable: true},
	}

	Groups = Schema{
		{Name: "id", Type: TypeID, Ops: scimIDOps, Sortable: true},
		{Name: "externalId", Type: TypeExact, Ops: scimTextOps, Sortable: true},
		{Name: "displayName", Type: TypeText, Ops: scimTextOps, Sortable: true},
		{Name: "members.value", Type: TypeElement, Ops: []Op{Equal}},
		{Name: "meta.created", Type: TypeTime, Ops: scimTimeOps, Sortable: true},
		{Name: "meta.lastModified", Type: TypeTime, Ops: scimTimeOps, Sortable: true},
	}
)

// Compare judges one comparison, or with [Presence] whether the field has a
// value. Names are compared without regard to case. An id that is none is no
// fault: nothing has it. Errors are KindBadRequest about "filter".
func (s Schema) Compare(name string, op Op, text string) (Expr, error) {
	i := slices.IndexFunc(s, func(f Field) bool { return strings.EqualFold(f.Name, name) })
	if i < 0 {
		return nil, scimFault("there is no filter by the attribute " + shown(name))
	}
	field := s[i]
	switch {
	case !slices.Contains(field.Ops, op):
		return nil, scimFault("expected " + operators(field) + ", found " + shown(string(op)))
	case op == Presence:
		return Present{Field: field}, nil
	}
	value, ok := field.read(text, op)
	switch {
	case ok:
	case field.Type == TypeID || field.Type == TypeElement || field.Type == TypeLevel:
		if op == NotEqual {
			return Not{Term: Nothing{}}, nil
		}
		return Nothing{}, nil
	default:
		return nil, scimFault("expected " + expectation(field.Type) + " for " + field.Name + ", found " + shown(text))
	}
	return Comparison{Field: field, Op: op, Values: []Value{value}}, nil
}

// SortBy is the order by a field; false if there is none by it.
func (s Schema) SortBy(name string, descending bool) (Order, bool) {
	i := slices.IndexFunc(s, func(f Field) bool { return f.Sortable && strings.EqualFold(f.Name, name) })
	if i < 0 {
		return Order{}, false
	}
	return Order{Field: s[i].Name, Descending: descending}, true
}

func scimFault(what string) error {
	return lifecycle.FieldError(lifecycle.KindBadRequest, "filter", fmt.Sprintf("filter: %s.", what))
}
