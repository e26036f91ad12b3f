package scim

import (
	"strconv"
	"strings"

	"gatehouse/lifecycle"
)

// What every kept mail address and every member is.
const (
	emailType  = "work"
	memberType = "User"
)

// maxFaults bounds how many faults one list is told of.
const maxFaults = 20

// reader takes attributes out of an object whose names are in lower case, and
// collects what is wrong. Null counts as absent; attributes nobody asks for are let
// go (contract §4).
type reader struct {
	object map[string]any
	// path stands before the names in faults: "name.".
	path   string
	faults *lifecycle.Faults
}

func newReader(object map[string]any) reader {
	return reader{object: object, faults: &lifecycle.Faults{}}
}

func (r reader) fault(name, message string) {
	r.faults.Add(lifecycle.KindIllegalValue, r.path+name, r.path+name+" "+message)
}

func (r reader) text(name string) *string {
	switch v := r.object[strings.ToLower(name)].(type) {
	case nil:
		return nil
	case string:
		return &v
	}
	r.fault(name, "must be a string")
	return nil
}

// boolean takes the strings that Entra ID sends, too.
func (r reader) boolean(name string) *bool {
	value := r.object[strings.ToLower(name)]
	if value == nil {
		return nil
	}
	b, ok := asBool(value)
	if !ok {
		r.fault(name, "must be true or false")
		return nil
	}
	return &b
}

func asBool(value any) (is, ok bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		return strings.EqualFold(v, "true"), strings.EqualFold(v, "true") || strings.EqualFold(v, "false")
	}
	return false, false
}

// within reads a complex attribute.
func (r reader) within(name string) reader {
	inner := reader{path: r.path + name + ".", faults: r.faults}
	value := r.object[strings.ToLower(name)]
	if value == nil {
		return inner
	}
	object, ok := value.(map[string]any)
	if ok {
		object, ok = r.folded(name, object)
	} else {
		r.fault(name, "must be an object")
	}
	if ok {
		inner.object = object
	}
	return inner
}

func (r reader) folded(name string, object map[string]any) (map[string]any, bool) {
	folded, err := foldKeys(object)
	if err != nil {
		r.fault(name, "has an attribute twice")
		return nil, false
	}
	return folded, true
}

// bare reads the "value" of a complex attribute, which may stand there alone.
func (r reader) bare(name string) *string {
	if text, ok := r.object[strings.ToLower(name)].(string); ok {
		return &text
	}
	return r.within(name).text("value")
}

// list reads a multi-valued attribute. A value that is no object is its "value"
// alone, and one that is no list is the only one.
func (r reader) list(name string) []reader {
	value := r.object[strings.ToLower(name)]
	if value == nil {
		return nil
	}
	values, ok := value.([]any)
	if !ok {
		values = []any{value}
	}
	elements, faulty := make([]reader, 0, len(values)), 0
	for i, value := range values {
		at := name + "[" + strconv.Itoa(i) + "]"
		element := reader{path: r.path + at + ".", faults: r.faults}
		switch v := value.(type) {
		case map[string]any:
			element.object, ok = r.folded(at, v)
		case string:
			element.object, ok = map[string]any{"value": v}, true
		default:
			ok = false
			if faulty++; faulty <= maxFaults {
				r.fault(at, "must be an object")
			}
		}
		if ok {
			elements = append(elements, element)
		}
	}
	return elements
}

// readUser reads what was sent of a user.
func readUser(object map[string]any) lifecycle.UserInput {
	r := newReader(object)
	name := r.within("name")
	in := lifecycle.UserInput{
		UserName: r.text("userName"), ExternalID: r.text("externalId"), DisplayName: r.text("displayName"),
		FormattedName: name.text("formatted"), GivenName: name.text("givenName"), FamilyName: name.text("familyName"),
		Language: r.text("preferredLanguage"),
		Active:   r.boolean("active"), Email: readEmail(r.list("emails")), Manager: r.within(schemaEnterprise).bare("manager"),
	}
	for _, role := range r.list("roles") {
		if value := role.text("value"); value != nil && *value != "" {
			in.Roles = append(in.Roles, *value)
		}
	}
	in.Faults = *r.faults
	return in
}

// readEmail picks the one address that is kept: the primary one, else the work's,
// else the first.
func readEmail(emails []reader) *string {
	var chosen *string
	rank := 0
	for _, email := range emails {
		value, primary, kind := email.text("value"), email.boolean("primary"), email.text("type")
		own := 1
		if kind != nil && strings.EqualFold(*kind, emailType) {
			own = 2
		}
		if primary != nil && *primary {
			own = 3
		}
		if value != nil && own > rank {
			chosen, rank = value, own
		}
	}
	return chosen
}

// readGroup reads what was sent of a group.
func readGroup(object map[string]any) lifecycle.GroupInput {
	r := newReader(object)
	in := lifecycle.GroupInput{DisplayName: r.text("displayName"), ExternalID: r.text("externalId")}
	members := r.list("members")
	in.Members = make([]string, 0, len(members))
	for _, member := range members {
		value, kind := member.text("value"), member.text("type")
		switch {
		case kind != nil && !strings.EqualFold(*kind, memberType) && *kind != "":
			if len(*r.faults) < maxFaults {
				member.fault("type", "must be "+memberType+": groups have no groups as members")
			}
		case value == nil:
			if len(*r.faults) < maxFaults {
				member.fault("value", "is required")
			}
		default:
			in.Members = append(in.Members, *value)
		}
	}
	in.Faults = *r.faults
	return in
}
