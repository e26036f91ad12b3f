package document

import (
	"slices"
	"strconv"

	"gatehouse/lifecycle"
)

// Names of members, as the contract spells them.
const (
	ID                  = "id"
	SourceID            = "sourceId"
	AccountName         = "accountName"
	FirstName           = "firstName"
	LastName            = "lastName"
	Phone               = "phone"
	Email               = "email"
	Manager             = "manager"
	StartDate           = "startDate"
	EndDate             = "endDate"
	Data                = "data"
	Name                = "name"
	Description         = "description"
	Owner               = "owner"
	ManagementWorkgroup = "managementWorkgroup"
	Approvers           = "approvers"
	AccountManagers     = "accountManagers"
	Type                = "type"
	TechnicalName       = "technicalName"
	Label               = "label"
	HelpText            = "helpText"
	Placeholder         = "placeholder"
	Required            = "required"
	Comment             = "comment"
	IDs                 = "ids"
)

// maxFaults bounds how many faults one list, or one data object, is told of;
// what is wrong with the twentieth element is wrong with the rest.
const maxFaults = 20

// reader takes members out of one object and collects what is wrong. Null
// counts as absent; members nobody asks for are ignored (contract §4).
type reader struct {
	object map[string]any
	// path stands before the names in faults: "reminderConfig.".
	path   string
	faults lifecycle.Faults
}

// Object returns the members of the object that the document is; ok is false if
// it is none. Their values are nil, bool, string, json.Number, []any or
// map[string]any. It must not be changed.
func (d Document) Object() (members map[string]any, ok bool) {
	members, ok = d.value.(map[string]any)
	return members, ok
}

func (d Document) reader() *reader {
	object, ok := d.value.(map[string]any)
	r := &reader{object: object}
	if !ok {
		r.faults = append(r.faults, lifecycle.NewError(lifecycle.KindBadRequest, "The body must be a JSON object"))
	}
	return r
}

// fault notes what is wrong with a member; message begins with its name.
func (r *reader) fault(name, message string) {
	r.faults.Add(lifecycle.KindIllegalValue, r.path+name, r.path+message)
}

func (r *reader) text(name string) *string {
	switch v := r.object[name].(type) {
	case nil:
		return nil
	case string:
		return &v
	}
	r.fault(name, name+" must be a string")
	return nil
}

func (r *reader) boolean(name string) *bool {
	switch v := r.object[name].(type) {
	case nil:
		return nil
	case bool:
		return &v
	}
	r.fault(name, name+" must be true or false")
	return nil
}

// claim is what the object says of a read-only member: nothing that is wrong
// with it is a fault, but it may be compared. What is no string is the empty
// one.
func (r *reader) claim(name string) *string {
	value, present := r.object[name]
	if !present || value == nil {
		return nil
	}
	text, _ := value.(string)
	return &text
}

// reference is an id, bare or in an object.
func (r *reader) reference(name string) *string {
	if r.object[name] == nil {
		return nil
	}
	reference, ok := referenceOf(r.object[name])
	if !ok {
		r.fault(name, name+" must be an id or an object with an id")
	}
	return reference.ID
}

func referenceOf(value any) (reference lifecycle.ReferenceInput, ok bool) {
	if object, is := value.(map[string]any); is {
		value = object[ID]
		reference.Type = (&reader{object: object}).claim(Type)
	}
	id, ok := value.(string)
	if ok {
		reference.ID = &id
	}
	return reference, ok
}

// list is nil where the member is absent, and not nil where it is empty. An
// element that take refuses keeps its place.
func list[T any](r *reader, name, element string, take func(any) (T, bool)) []T {
	if r.object[name] == nil {
		return nil
	}
	values, ok := r.object[name].([]any)
	if !ok {
		r.fault(name, name+" must be a list")
		return nil
	}
	elements, faulty := make([]T, len(values)), 0
	for i, value := range values {
		if elements[i], ok = take(value); ok {
			continue
		}
		if faulty++; faulty <= maxFaults {
			r.fault(name, name+"["+strconv.Itoa(i)+"] must be "+element)
		}
	}
	return elements
}

func (r *reader) references(name string) []lifecycle.ReferenceInput {
	return list(r, name, "an id or an object with an id", referenceOf)
}

// data is nil where the member is absent. An attribute that is null counts as
// absent too.
func (r *reader) data() map[string]string {
	switch object := r.object[Data].(type) {
	case nil:
		return nil
	case map[string]any:
		data := make(map[string]string, len(object))
		var faulty []string
		for name, value := range object {
			switch v := value.(type) {
			case nil:
			case string:
				data[name] = v
			default:
				faulty = append(faulty, name)
			}
		}
		slices.Sort(faulty)
		for _, name := range faulty[:min(len(faulty), maxFaults)] {
			r.fault(Data+"."+name, Data+"."+Quote(name)+" must be a string")
		}
		return data
	}
	r.fault(Data, Data+" must be an object of strings")
	return nil
}

// Person reads the fields of a record or request. Members of the wrong JSON
// type are absent from the result and among its Faults, but for the id, which is
// read-only.
func (d Document) Person() lifecycle.PersonInput {
	r := d.reader()
	in := lifecycle.PersonInput{
		ID:          r.claim(ID),
		SourceID:    r.text(SourceID),
		AccountName: r.text(AccountName),
		FirstName:   r.text(FirstName),
		LastName:    r.text(LastName),
		Phone:       r.text(Phone),
		Email:       r.text(Email),
		Manager:     r.text(Manager),
		StartDate:   r.text(StartDate),
		EndDate:     r.text(EndDate),
		Data:        r.data(),
	}
	in.HasData, in.Faults = in.Data != nil, r.faults
	return in
}

// Source reads the fields of a source. The owner, approvers and account
// managers may be ids or objects with an id (contract §4), the latter two with a
// type as well.
func (d Document) Source() lifecycle.SourceInput {
	r := d.reader()
	in := lifecycle.SourceInput{
		Name:                r.text(Name),
		Description:         r.text(Description),
		Owner:               r.reference(Owner),
		ManagementWorkgroup: r.text(ManagementWorkgroup),
		Approvers:           r.references(Approvers),
		AccountManagers:     r.references(AccountManagers),
	}
	in.Faults = r.faults
	return in
}

// Attribute reads the fields of a schema attribute.
func (d Document) Attribute() lifecycle.AttributeInput {
	r := d.reader()
	in := lifecycle.AttributeInput{
		Type:          r.text(Type),
		TechnicalName: r.text(TechnicalName),
		Label:         r.text(Label),
		HelpText:      r.text(HelpText),
		Placeholder:   r.text(Placeholder),
		Required:      r.boolean(Required),
	}
	in.Faults = r.faults
	return in
}

// Comment reads the comment of a decision, nil if there is none.
func (d Document) Comment() (*string, lifecycle.Faults) {
	r := d.reader()
	return r.text(Comment), r.faults
}

// IDs reads the list of a bulk delete; nil if there is none. What is no string is
// the empty one.
func (d Document) IDs() ([]string, lifecycle.Faults) {
	r := d.reader()
	return r.texts(IDs), r.faults
}

// Elements returns one Document for each element of a list; ok is false for a
// value that is no list.
func (d Document) Elements() (elements []Document, ok bool) {
	list, ok := d.value.([]any)
	for _, value := range list {
		elements = append(elements, Document{value: value})
	}
	return elements, ok
}

// Text returns the member of that name; ok is false where d is no object or
// the member is absent, null or no string.
func (d Document) Text(name string) (text string, ok bool) {
	object, _ := d.value.(map[string]any)
	text, ok = object[name].(string)
	return text, ok
}

// Has reports whether d is an object with a member of that name, be it null.
func (d Document) Has(name string) bool {
	object, _ := d.value.(map[string]any)
	_, ok := object[name]
	return ok
}
