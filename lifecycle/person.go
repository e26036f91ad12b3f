package lifecycle

import (
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"time"
)

// PersonFields are the names of the eight fields that every non-employee has,
// in the order of contract §4. They are the technical names of the system
// attributes.
func PersonFields() []string {
	return []string{"accountName", "firstName", "lastName", "phone", "email", "manager", "startDate", "endDate"}
}

// PersonInput is what a client sent of one non-employee: the body of a request
// or record, or a row of a file. nil is absent.
type PersonInput struct {
	// ID and SourceID are for the caller to compare; Judge does not look at
	// them. ID is read-only, so it is here whatever its JSON type was: as a text
	// that is no id.
	ID, SourceID          *string
	AccountName           *string
	FirstName, LastName   *string
	Phone, Email, Manager *string
	StartDate, EndDate    *string
	// Data holds custom attributes by technicalName; Judge takes absent as
	// empty. HasData tells the two apart.
	Data    map[string]string
	HasData bool
	// Faults is what was wrong while the input was read, to be told with the
	// rest. A field named there is not also told to be missing.
	Faults Faults
}

var (
	// Names that are compared, addressed or quoted stand on one line.
	nameRule  = textRule{max: MaxTextLength}
	proseRule = textRule{max: MaxTextLength, breaks: true}
)

// Judge normalises and judges the person against the schema attributes of the
// source, and returns all the faults there are: those found while reading
// first. The person is good only if there are none. All eight fields of
// [PersonFields] are required; of attributes the custom ones are looked at.
//
// Kinds: KindRequired for what is absent or empty, KindIllegalValue for the
// rest: a text that is too long, no UTF-8, or has control characters; an
// address that is not one; an endDate that is not after startDate; data under
// a name that no custom attribute has exactly.
//
// Manager.Alias holds the reference as given, an alias or an id, for the caller
// to resolve. Judging the same person again gives the same person.
func (in PersonInput) Judge(attributes []SchemaAttribute) (Person, Faults) {
	j := newJudge(in.Faults)
	p := Person{
		AccountName: j.text("accountName", in.AccountName, nameRule),
		FirstName:   j.text("firstName", in.FirstName, proseRule),
		LastName:    j.text("lastName", in.LastName, proseRule),
		Phone:       j.text("phone", in.Phone, proseRule),
		Email:       j.email("email", in.Email),
		Manager:     ManagerReference{Alias: j.text("manager", in.Manager, nameRule)},
		StartDate:   j.date("startDate", in.StartDate),
		EndDate:     j.date("endDate", in.EndDate),
	}
	if !p.StartDate.IsZero() && !p.EndDate.IsZero() && !p.EndDate.After(p.StartDate) {
		j.faults.Add(KindIllegalValue, "endDate", "endDate must be after startDate")
	}
	p.Data = j.data(in.Data, attributes)
	return p, j.faults
}

func (j *judge) email(field string, given *string) string {
	text := j.text(field, given, nameRule)
	if text == "" {
		return ""
	}
	if !isAddress(text) {
		j.faults.Add(KindIllegalValue, field, field+" must be an e-mail address such as jane.doe@example.com")
		return ""
	}
	return text
}

// isAddress reports whether text is an e-mail address and nothing else.
func isAddress(text string) bool {
	if isPlainAddress(text) {
		return true
	}
	// An address with a display name, a comment or quotes parses to another text.
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// isPlainAddress spares the parser of package mail addresses of letters, digits,
// "-", "_" and "+", with single dots between them: nearly all there are.
func isPlainAddress(text string) bool {
	at, before := 0, byte('.')
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '+':
		case (c == '.' || c == '@') && before != '.' && before != '@':
		default:
			return false
		}
		if c == '@' {
			at++
		}
		before = c
	}
	return at == 1 && before != '.' && before != '@'
}

func (j *judge) date(field string, given *string) time.Time {
	text := ""
	if given != nil {
		text = Normalize(*given)
	}
	if text == "" {
		j.missing(field)
		return time.Time{}
	}
	t, err := ParseDate(text)
	if err != nil {
		j.faults.Add(KindIllegalValue, field,
			field+" must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z")
	}
	return t
}

// maxUnknown bounds how many unknown names in data are told one by one.
const maxUnknown = 20

func (j *judge) data(given map[string]string, attributes []SchemaAttribute) map[string]string {
	values := given
	if !allKnown(given, attributes) {
		values = j.normalNames(given)
	}
	data, known := make(map[string]string, len(values)), 0
	for _, attribute := range attributes {
		if attribute.System {
			continue
		}
		value, ok := values[attribute.TechnicalName]
		if ok {
			known++
		}
		rule := textRule{max: MaxDataLength, optional: !attribute.Required, breaks: true}
		text := Normalize(value)
		if text == "" && attribute.Required || rule.problem(text) != "" {
			text = j.text("data."+attribute.TechnicalName, &value, rule)
		}
		if text != "" {
			data[attribute.TechnicalName] = text
		}
	}
	if known < len(values) {
		j.unknownNames(values, attributes)
	}
	return data
}

// allKnown reports whether every name is that of a custom attribute as it is, so
// that none can be there twice.
func allKnown(given map[string]string, attributes []SchemaAttribute) bool {
	known := 0
	for _, attribute := range attributes {
		if attribute.System {
			continue
		}
		if _, ok := given[attribute.TechnicalName]; ok {
			known++
		}
	}
	return known == len(given)
}

func (j *judge) normalNames(given map[string]string) map[string]string {
	values := make(map[string]string, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		normal := Normalize(name)
		if _, twice := values[normal]; twice {
			j.faults.Add(KindIllegalValue, "data", "data names "+shown(normal)+" twice")
		}
		values[normal] = given[name]
	}
	return values
}

func (j *judge) unknownNames(values map[string]string, attributes []SchemaAttribute) {
	unknown := maps.Clone(values)
	for _, attribute := range attributes {
		if !attribute.System {
			delete(unknown, attribute.TechnicalName)
		}
	}
	names := slices.Sorted(maps.Keys(unknown))
	for _, name := range names[:min(len(names), maxUnknown)] {
		j.faults.Add(KindIllegalValue, "data", "data has "+shown(name)+", which is no custom attribute of the source")
	}
	if more := len(names) - maxUnknown; more > 0 {
		j.faults.Add(KindIllegalValue, "data", fmt.Sprintf("data has %d more names that are no custom attributes of the source", more))
	}
}
