package lifecycle

import (
	"strings"
	"unicode"
)

// AttributeInput is what a client sent of a schema attribute. nil is absent.
type AttributeInput struct {
	Type, TechnicalName, Label *string
	HelpText, Placeholder      *string
	Required                   *bool
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges a custom attribute and returns all the faults
// there are: those found while reading first. type, technicalName and label are
// required; an absent required is false.
//
// A technicalName is a CSV header and a JSON key. It begins with a letter, a
// digit or "_" and goes on with these, ".", "-" and blanks, so that it needs no
// quotes in either and no spreadsheet takes it for a formula.
//
// Kinds: KindRequired, and KindIllegalValue for the rest, a type other than
// TEXT among it.
func (in AttributeInput) Judge() (SchemaAttribute, Faults) {
	j := newJudge(in.Faults)
	a := SchemaAttribute{
		Type:          AttributeType(j.text("type", in.Type, nameRule)),
		TechnicalName: j.text("technicalName", in.TechnicalName, nameRule),
		Label:         j.text("label", in.Label, nameRule),
		HelpText:      j.text("helpText", in.HelpText, textRule{max: MaxDataLength, optional: true, breaks: true}),
		Placeholder:   j.text("placeholder", in.Placeholder, textRule{max: MaxDataLength, optional: true, breaks: true}),
		Required:      in.Required != nil && *in.Required,
	}
	if a.Type != "" && a.Type != AttributeText {
		j.faults.Add(KindIllegalValue, "type", "type must be TEXT")
	}
	if a.TechnicalName != "" && !isTechnicalName(a.TechnicalName) {
		j.faults.Add(KindIllegalValue, "technicalName",
			`technicalName must begin with a letter, a digit or "_" and hold only these, ".", "-" and blanks`)
	}
	return a, j.faults
}

func isTechnicalName(name string) bool {
	for i, r := range name {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '_':
		case i > 0 && (unicode.IsMark(r) || strings.ContainsRune(".- ", r)):
		default:
			return false
		}
	}
	return true
}
