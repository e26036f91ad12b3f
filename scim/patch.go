package scim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	scimfilter "github.com/scim2/filter-parser/v2"

	"gatehouse/document"
	"gatehouse/lifecycle"
)

const (
	// maxOperations is how many operations one PATCH may have.
	maxOperations = 1_000
	// maxNamed is how many values all of them may name: the largest group can be
	// taken apart and put together again.
	maxNamed = 2 * lifecycle.MaxWorkgroupMembers
)

// The operations of a PATCH (RFC 7644 §3.5.2).
const (
	opAdd     = "add"
	opReplace = "replace"
	opRemove  = "remove"
)

// change is one operation of a PATCH.
type change struct {
	// op is one of the three, whatever case it came in.
	op   string
	path string
	// parsed is the path, where there is one of the resource's own or of an extension,
	// within that.
	parsed *scimfilter.Path
	// value is nil where there is none.
	value any
	// lenient lets go of attributes that can't be written instead of refusing them:
	// those that a value without a path has among others.
	lenient bool
}

// readPatch reads the operations of a body, their paths among them: parsing takes
// long, and what carries them out has the object locked.
func (r resource) readPatch(body map[string]any) ([]change, error) {
	list, ok := body["operations"].([]any)
	switch {
	case !ok || len(list) == 0:
		return nil, bad(invalidSyntax, "Operations must be a list of operations.")
	case len(list) > maxOperations:
		return nil, bad(invalidValue, fmt.Sprintf("Operations may have %d operations at most.", maxOperations))
	}
	count, changes := 0, make([]change, len(list))
	for i, element := range list {
		at := "Operations[" + strconv.Itoa(i) + "]"
		object, ok := element.(map[string]any)
		if !ok {
			return nil, bad(invalidSyntax, at+" must be an object.")
		}
		object, err := foldKeys(object)
		if err != nil {
			return nil, err
		}
		c := &changes[i]
		op, _ := object["op"].(string)
		if c.op = strings.ToLower(op); c.op != opAdd && c.op != opReplace && c.op != opRemove {
			return nil, bad(invalidSyntax, at+".op must be add, replace or remove.")
		}
		if path := object["path"]; path != nil {
			if c.path, ok = path.(string); !ok {
				return nil, bad(invalidPath, at+".path must be a string.")
			}
			c.path = strings.TrimSpace(c.path)
			name, _ := r.local(c.path)
			if _, rest, ok := r.extension(c.path); ok {
				name = rest
			}
			if name != "" {
				parsed, err := r.parsePath(name)
				if err != nil {
					return nil, err
				}
				c.parsed = &parsed
			}
		}
		value, present := object["value"]
		c.value = value
		switch {
		case c.op == opRemove && c.path == "":
			return nil, bad(noTarget, at+" must have a path: it says what to remove.")
		case c.op == opAdd && value == nil, c.op == opReplace && !present:
			return nil, bad(invalidValue, at+" must have a value.")
		}
		if count += valuesIn(value); count > maxNamed {
			return nil, bad(invalidValue, fmt.Sprintf("Operations may name %d values at most.", maxNamed))
		}
	}
	return changes, nil
}

// valuesIn is how many values the lists have that are the value of an operation or
// its attributes, under a schema's name too.
func valuesIn(value any) int {
	switch v := value.(type) {
	case []any:
		return len(v)
	case map[string]any:
		n := 0
		for _, member := range v {
			n += valuesIn(member)
		}
		return n
	}
	return 0
}

// patch carries the operations out, in their order, on an object whose names are in
// lower case at every depth.
func (r resource) patch(object map[string]any, changes []change) error {
	return r.patchWithin(object, changes, new(effort))
}

// patchWithin counts what it looks at.
func (r resource) patchWithin(object map[string]any, changes []change, spent *effort) error {
	p := patching{resource: r, object: object, lists: map[string]*values{}, effort: spent}
	for _, c := range changes {
		if err := p.apply(c); err != nil {
			return err
		}
	}
	for key, list := range p.lists {
		object[key] = list.left()
	}
	return nil
}

// patching is a PATCH that is being carried out.
type patching struct {
	resource
	object map[string]any
	// lists are the attributes with several values that were written, which object
	// gets at the end.
	lists  map[string]*values
	effort *effort
}

func (p *patching) list(key string) *values {
	list := p.lists[key]
	if list == nil {
		elements, _ := p.object[key].([]any)
		list = &values{elements: elements, effort: p.effort}
		p.lists[key] = list
	}
	return list
}

// apply carries out one operation.
func (p *patching) apply(c change) error {
	if extension, rest, ok := p.extension(c.path); ok {
		return p.applyToExtension(extension, rest, c)
	}
	name, foreign := p.local(c.path)
	if foreign {
		return nil
	}
	if name == "" {
		return p.applyAll(c)
	}
	path := c.parsed
	if path == nil {
		parsed, err := p.parsePath(name)
		if err != nil {
			return err
		}
		path = &parsed
	}
	a, ok := p.attribute(path.AttributePath.AttributeName)
	switch {
	case !ok && (c.lenient || p.isUnkept(path.AttributePath.AttributeName)):
		return nil
	case !ok:
		return bad(invalidPath, "There is no attribute "+document.Quote(path.AttributePath.AttributeName)+".")
	case a.Mutability == readOnly && c.lenient:
		return nil
	case a.Mutability == readOnly:
		return bad(mutability, a.Name+" can't be written.")
	}
	sub := path.SubAttributeName()
	if path.ValueExpression == nil {
		sub = path.AttributePath.SubAttributeName()
	}
	if sub != "" {
		inner, ok := find(a.SubAttributes, sub)
		switch {
		case !ok && len(a.SubAttributes) > 0 && rfcSubAttributes[strings.ToLower(sub)], !ok && c.lenient:
			return nil
		case !ok:
			return bad(invalidPath, a.Name+" has no attribute "+document.Quote(sub)+".")
		case inner.Mutability == readOnly && c.lenient:
			return nil
		case inner.Mutability == readOnly:
			return bad(mutability, a.Name+"."+inner.Name+" can't be written.")
		}
		sub = strings.ToLower(inner.Name)
	}
	if path.ValueExpression != nil && !a.MultiValued {
		return bad(invalidPath, a.Name+" has one value: brackets can't choose among them.")
	}
	return target{p, a, sub, path.ValueExpression}.apply(c)
}

// applyToExtension carries out an operation on what an extension has, name within
// it. Attributes of it that are not kept are let go, whatever they are.
func (p *patching) applyToExtension(extension resource, name string, c change) error {
	key := strings.ToLower(extension.schema)
	if name == "" && (c.op == opRemove || c.value == nil) {
		delete(p.object, key)
		return nil
	}
	inner, _ := p.object[key].(map[string]any)
	if inner == nil {
		inner = map[string]any{}
	}
	c.path, c.lenient = name, true
	p.object[key] = inner
	return extension.patchWithin(inner, []change{c}, p.effort)
}

// rfcSubAttributes are those of name, emails, roles and members that RFC 7643 has
// and the service lets go.
var rfcSubAttributes = map[string]bool{
	"middlename": true, "honorificprefix": true, "honorificsuffix": true,
	"display": true, "type": true, "primary": true,
}

// applyAll carries out an operation without a path: its value has the attributes
// that are to be written, by their names or their paths.
func (p *patching) applyAll(c change) error {
	attributes, ok := c.value.(map[string]any)
	switch {
	case c.op == opRemove:
		return bad(noTarget, "The path must say what to remove.")
	case !ok:
		return bad(invalidValue, "The value must be an object of attributes, since there is no path.")
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value, op := attributes[name], c.op
		if value == nil {
			op = opRemove
		}
		one := change{op: op, path: name, value: value, lenient: true}
		switch rest, foreign := p.local(name); {
		case name == "":
		case rest == "" && !foreign:
			// The attributes of a schema, under its name.
			if err := p.applyAll(change{op: c.op, value: value, lenient: true}); err != nil {
				return err
			}
		default:
			if err := p.apply(one); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r resource) parsePath(path string) (scimfilter.Path, error) {
	if err := boundFilter(path, invalidPath); err != nil {
		return scimfilter.Path{}, err
	}
	parsed, err := scimfilter.ParsePathNumber([]byte(upperEscapes(path)))
	if err != nil {
		return scimfilter.Path{}, bad(invalidPath, "The path "+document.Quote(path)+" can't be read.")
	}
	return parsed, nil
}

// target is what a path leads to: an attribute of the object, of which sub, if not
// empty, is a part, and where, if not nil, chooses among several values.
type target struct {
	patching  *patching
	attribute attribute
	sub       string
	where     scimfilter.Expression
}

func (t target) apply(c change) error {
	if c.value == nil && c.op == opReplace {
		c.op = opRemove
	}
	key := strings.ToLower(t.attribute.Name)
	switch {
	case t.attribute.MultiValued:
		return t.applyToList(key, c)
	case t.attribute.Type == kindComplex:
		return t.applyToComplex(key, c)
	case c.op == opRemove && t.attribute.Required:
		return bad(mutability, t.attribute.Name+" is required and can't be removed.")
	case c.op == opRemove:
		delete(t.patching.object, key)
	default:
		t.patching.object[key] = c.value
	}
	return nil
}

// applyToComplex writes an attribute that has parts. Those that a value does not
// name stay.
func (t target) applyToComplex(key string, c change) error {
	parts, _ := t.patching.object[key].(map[string]any)
	if parts == nil {
		parts = map[string]any{}
	}
	switch {
	case t.sub != "" && c.op == opRemove:
		delete(parts, t.sub)
	case t.sub != "":
		parts[t.sub] = c.value
	case c.op == opRemove:
		parts = map[string]any{}
	default:
		given, err := t.partsOf(c.value)
		if err != nil {
			return err
		}
		maps.Copy(parts, given)
	}
	t.patching.object[key] = parts
	return nil
}

// partsOf is the value of an attribute that has parts. Where one of these is its
// "value" it may stand for all of them, and in a list of one, as Entra ID sends a
// manager.
func (t target) partsOf(value any) (map[string]any, error) {
	_, bare := find(t.attribute.SubAttributes, "value")
	if list, ok := value.([]any); ok && bare && len(list) == 1 {
		value = list[0]
	}
	switch v := value.(type) {
	case map[string]any:
		return foldKeys(v)
	case string:
		if bare {
			return map[string]any{"value": v}, nil
		}
	}
	return nil, bad(invalidValue, t.attribute.Name+" must be an object.")
}

// applyToList writes an attribute with several values.
func (t target) applyToList(key string, c change) error {
	list := t.patching.list(key)
	if t.where == nil && t.sub == "" {
		return t.applyToAll(list, c)
	}
	return t.applyToChosen(list, c)
}

// applyToAll adds values, replaces all of them, or removes those that are given, or
// all.
func (t target) applyToAll(list *values, c change) error {
	given, err := elementsOf(t.attribute, c.value)
	switch {
	case err != nil:
		return err
	case c.op == opReplace, c.op == opRemove && c.value == nil:
		list.replace(given)
		return nil
	case c.op == opRemove:
		for _, element := range given {
			places, err := list.find(valueOf(element))
			if err != nil {
				return err
			}
			list.remove(places)
		}
		return nil
	}
	return t.addTo(list, given)
}

// addTo adds values. One that is there already gets what is given of it, and a
// primary one is the only primary one.
func (t target) addTo(list *values, given []any) error {
	primary := slices.ContainsFunc(given, isPrimary)
	if primary {
		places, err := list.all()
		if err != nil {
			return err
		}
		for _, at := range places {
			delete(list.object(at), "primary")
		}
	}
	var last map[string]any
	for _, element := range given {
		if isPrimary(element) {
			delete(last, "primary")
		}
		value, places := valueOf(element), []int(nil)
		if value != "" {
			var err error
			if places, err = list.find(value); err != nil {
				return err
			}
		}
		var at int
		if len(places) == 0 {
			at = list.add(element)
		} else {
			at = places[0]
			maps.Copy(list.object(at), element.(map[string]any)) //nolint:forcetypeassert // elementsOf makes nothing else
		}
		if isPrimary(element) {
			last = list.object(at)
		}
	}
	return nil
}

// choose returns where the values are that the brackets choose, all where there are
// none.
func (t target) choose(list *values) ([]int, error) {
	if t.where == nil {
		return list.all()
	}
	var places []int
	var err error
	if wanted, only := named(t.where); only {
		for _, value := range wanted {
			found, err := list.find(value)
			if err != nil {
				return nil, err
			}
			places = append(places, found...)
		}
		slices.Sort(places)
		places = slices.Compact(places)
	} else if places, err = list.all(); err != nil {
		return nil, err
	}
	if err := list.effort.spend(len(places) * terms(t.where)); err != nil {
		return nil, err
	}
	chosen := places[:0]
	for _, at := range places {
		matches, err := t.matches(t.where, list.object(at))
		if err != nil {
			return nil, err
		}
		if matches {
			chosen = append(chosen, at)
		}
	}
	return chosen, nil
}

// applyToChosen writes the values that the brackets choose, all where there are
// none.
func (t target) applyToChosen(list *values, c change) error {
	chosen, err := t.choose(list)
	if err != nil {
		return err
	}
	whole := len(chosen) == 0 && t.isPrimaryRole()
	if whole {
		if chosen, err = list.all(); err != nil {
			return err
		}
		if len(chosen) > 0 && c.op != opRemove {
			list.remove(chosen[1:])
			chosen = chosen[:1]
			list.object(chosen[0])["primary"] = true
		}
	}
	switch {
	case len(chosen) > 0:
	case c.op == opRemove:
		return nil
	case c.op == opReplace && t.where != nil && !whole:
		return bad(noTarget, "The path chooses no value of "+t.attribute.Name+".")
	default:
		made, err := t.made()
		if err != nil {
			return err
		}
		chosen = append(chosen, list.add(made))
	}
	if c.op == opRemove && t.sub == "" {
		list.remove(chosen)
		return nil
	}
	return t.write(list, chosen, c)
}

// write writes the chosen values, or that part of them.
func (t target) write(list *values, chosen []int, c change) error {
	given := map[string]any{}
	switch {
	case t.attribute.Name == "members" && t.sub == "value":
		return bad(mutability, "members.value can't be changed; add and remove members.")
	case t.sub == "":
		object, ok := c.value.(map[string]any)
		if !ok {
			return bad(invalidValue, "A value of "+t.attribute.Name+" must be an object.")
		}
		var err error
		if given, err = foldKeys(object); err != nil {
			return err
		}
	case c.op != opRemove:
		given[t.sub] = c.value
	}
	if err := list.effort.spend(len(chosen) * (1 + len(given))); err != nil {
		return err
	}
	for _, at := range chosen {
		if c.op == opRemove {
			delete(list.object(at), t.sub)
		}
		maps.Copy(list.object(at), given)
		list.note(at)
	}
	return nil
}

// isPrimaryRole reports whether the brackets ask for the primary role and nothing
// else. Entra ID sends a user's one role so, and means it to take the place of what
// was there. Which of several is the primary one is not kept: where none is marked
// all of them are meant, lest a role stay that the directory took away.
func (t target) isPrimaryRole() bool {
	e, ok := t.where.(*scimfilter.AttributeExpression)
	return ok && t.attribute.Name == "roles" && strings.EqualFold(e.AttributePath.AttributeName, "primary") &&
		strings.EqualFold(string(e.Operator), string(scimfilter.EQ)) && strings.EqualFold(valueText(e.CompareValue), "true")
}

// made is a new value with what the brackets ask of it.
func (t target) made() (map[string]any, error) {
	made := map[string]any{}
	var fill func(e scimfilter.Expression) bool
	fill = func(e scimfilter.Expression) bool {
		switch e := e.(type) {
		case nil:
			return true
		case *scimfilter.LogicalExpression:
			return strings.EqualFold(string(e.Operator), string(scimfilter.AND)) && fill(e.Left) && fill(e.Right)
		case *scimfilter.AttributeExpression:
			made[strings.ToLower(e.AttributePath.AttributeName)] = valueText(e.CompareValue)
			return strings.EqualFold(string(e.Operator), string(scimfilter.EQ))
		}
		return false
	}
	if !fill(t.where) {
		return nil, bad(noTarget, "The path chooses no value of "+t.attribute.Name+".")
	}
	return made, nil
}

// matches reports whether the brackets choose the value.
func (t target) matches(e scimfilter.Expression, object map[string]any) (bool, error) {
	switch e := e.(type) {
	case *scimfilter.LogicalExpression:
		left, err := t.matches(e.Left, object)
		if err != nil {
			return false, err
		}
		right, err := t.matches(e.Right, object)
		if strings.EqualFold(string(e.Operator), string(scimfilter.AND)) {
			return left && right, err
		}
		return left || right, err
	case *scimfilter.NotExpression:
		is, err := t.matches(e.Expression, object)
		return !is, err
	case *scimfilter.AttributeExpression:
		a, ok := find(t.attribute.SubAttributes, e.AttributePath.AttributeName)
		if !ok && !rfcSubAttributes[strings.ToLower(e.AttributePath.AttributeName)] {
			return false, bad(invalidFilter, t.attribute.Name+" has no attribute "+document.Quote(e.AttributePath.AttributeName)+".")
		}
		return compare(e, a, object[strings.ToLower(e.AttributePath.AttributeName)])
	}
	return false, bad(invalidFilter, "The brackets can't be read.")
}

// compare compares a part of a value.
func compare(e *scimfilter.AttributeExpression, a attribute, own any) (bool, error) {
	op := strings.ToLower(string(e.Operator))
	if op == string(scimfilter.PR) {
		return own != nil && own != "", nil
	}
	have, want := plainText(own), valueText(e.CompareValue)
	if !a.CaseExact {
		have, want = strings.ToLower(have), strings.ToLower(want)
	}
	switch scimfilter.CompareOperator(op) { //nolint:exhaustive // the rest is refused
	case scimfilter.EQ:
		return have == want, nil
	case scimfilter.NE:
		return have != want, nil
	case scimfilter.CO:
		return strings.Contains(have, want), nil
	case scimfilter.SW:
		return strings.HasPrefix(have, want), nil
	case scimfilter.EW:
		return strings.HasSuffix(have, want), nil
	}
	return false, bad(invalidFilter, "Brackets can't compare by "+op+".")
}

// plainText is a value of an attribute as text.
func plainText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return valueText(value)
}

// elementsOf is the value of an attribute with several values as a list of objects:
// one value may come alone, and a bare one is its "value".
func elementsOf(a attribute, value any) ([]any, error) {
	if value == nil {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	elements := make([]any, len(list))
	for i, element := range list {
		switch v := element.(type) {
		case map[string]any:
			folded, err := foldKeys(v)
			if err != nil {
				return nil, err
			}
			elements[i] = folded
		case string:
			elements[i] = map[string]any{"value": v}
		default:
			return nil, bad(invalidValue, a.Name+"["+strconv.Itoa(i)+"] must be an object.")
		}
	}
	return elements, nil
}

// valueOf is what tells a value from others; ids and addresses have no case.
func valueOf(element any) string {
	object, _ := element.(map[string]any)
	text, _ := object["value"].(string)
	return strings.ToLower(strings.TrimSpace(text))
}

func isPrimary(element any) bool {
	object, _ := element.(map[string]any)
	is, _ := asBool(object["primary"])
	return is
}

// folded is the value with the names of members in lower case at every depth.
func folded(value any) any {
	switch v := value.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, member := range v {
			object[strings.ToLower(name)] = folded(member)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = folded(element)
		}
		return list
	default:
		return value
	}
}
