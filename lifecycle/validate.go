package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// judge collects what is wrong with one input.
type judge struct{ faults Faults }

// newJudge begins with what was found wrong while the input was read. It copies
// that, so that one input can be judged more than once.
func newJudge(found Faults) *judge { return &judge{faults: slices.Clone(found)} }

// missing notes that a required field is absent or empty, unless it is only
// absent because what was sent could not be read.
func (j *judge) missing(field string) {
	if !j.faults.About(field) {
		j.faults.Add(KindRequired, field, field+" is required")
	}
}

// textRule says what a text may be.
type textRule struct {
	// max is the greatest length, in characters.
	max int
	// optional texts may be absent or empty.
	optional bool
	// breaks allows line feeds and tabs.
	breaks bool
}

// text normalises and judges one text. The result is empty if it is absent or
// wrong.
func (j *judge) text(field string, given *string, rule textRule) string {
	text := ""
	if given != nil {
		text = Normalize(*given)
	}
	if text == "" {
		if !rule.optional {
			j.missing(field)
		}
		return ""
	}
	if problem := rule.problem(text); problem != "" {
		j.faults.Add(KindIllegalValue, field, field+" "+problem)
		return ""
	}
	return text
}

// problem says what is wrong with a normalised text, nothing if nothing is.
func (rule textRule) problem(text string) string {
	if len(text) <= rule.max && isPrintableASCII(text) {
		return ""
	}
	if !utf8.ValidString(text) {
		return "must be UTF-8"
	}
	if utf8.RuneCountInString(text) > rule.max {
		return fmt.Sprintf("must not be longer than %d characters", rule.max)
	}
	for _, r := range text {
		switch {
		case !unicode.IsControl(r), rule.breaks && (r == '\n' || r == '\t'):
		case r == '\n' || r == '\t':
			return "must be on one line and have no tabs"
		default:
			return fmt.Sprintf("must not hold the control character U+%04X", r)
		}
	}
	return ""
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// id reads an id that the field must or may name. The nil UUID is an id, one that
// names nothing; it must not pass for none.
func (j *judge) id(field string, given *string, optional bool) ID {
	if given == nil || Normalize(*given) == "" {
		if !optional {
			j.missing(field)
		}
		return ID{}
	}
	id, err := ParseID(Normalize(*given))
	switch {
	case err != nil:
		j.faults.Add(KindBadRequest, field, field+" must be a UUID")
	case id.IsZero():
		j.faults.Add(KindReferenceNotFound, field, field+" names nothing: "+id.String())
	}
	return id
}

// references reads a list of references. limit is the fault of a list with more
// than most of them.
func (j *judge) references(field string, given []ReferenceInput, unique bool, most int, limit func() *Error) []Reference {
	references, faulty := make([]Reference, 0, min(len(given), most)), 0
	for i, in := range given {
		if in.ID == nil {
			continue // told while it was read
		}
		reference, problem, kind := in.judge()
		if problem != "" {
			// What is wrong with so many of them is wrong with the rest.
			if faulty++; faulty <= most {
				j.faults.Add(kind, field, field+"["+strconv.Itoa(i)+"]"+problem)
			}
			continue
		}
		if unique && slices.Contains(references, reference) {
			continue
		}
		if len(references) == most {
			j.faults = append(j.faults, limit())
			break
		}
		references = append(references, reference)
	}
	return references
}

// reference reads one reference, which is required.
func (j *judge) reference(field string, given *ReferenceInput) Reference {
	if given == nil {
		j.missing(field)
		return Reference{}
	}
	if given.ID == nil {
		return Reference{} // told while it was read
	}
	reference, problem, kind := given.judge()
	if problem != "" {
		j.faults.Add(kind, field, field+problem)
	}
	return reference
}

// judge reads one reference, or says what is wrong with it.
func (in ReferenceInput) judge() (reference Reference, problem string, kind Kind) {
	id, err := ParseID(Normalize(*in.ID))
	if err != nil {
		return Reference{}, " must be a UUID", KindBadRequest
	}
	reference = IdentityReference(id)
	if in.Type != nil {
		reference.Type = ReferenceType(*in.Type)
	}
	if reference.Type != ReferenceIdentity && reference.Type != ReferenceGovernanceGroup {
		return Reference{}, ".type must be IDENTITY or GOVERNANCE_GROUP", KindIllegalValue
	}
	return reference, "", 0
}

// JudgeComment returns an approver's comment, normalised; a rejection requires
// one (contract §4). Errors: KindRequired; KindLimit beyond [MaxCommentLength]
// characters; KindIllegalValue for a control character other than line feed
// and tab, or text that is no UTF-8.
func JudgeComment(comment *string, required bool) (string, error) {
	return judgeFreeText("comment", comment, required)
}

func judgeFreeText(field string, given *string, required bool) (string, error) {
	text := ""
	if given != nil {
		text = Normalize(*given)
	}
	switch {
	case text == "" && required:
		return "", FieldError(KindRequired, field, field+" is required.")
	case utf8.RuneCountInString(text) > MaxCommentLength:
		return "", FieldError(KindLimit, field,
			fmt.Sprintf("%s is longer than the limit of %d characters.", field, MaxCommentLength))
	}
	if problem := (textRule{max: MaxCommentLength, breaks: true}).problem(text); problem != "" {
		return "", FieldError(KindIllegalValue, field, field+" "+problem+".")
	}
	return text, nil
}

// shownLength bounds how much of a client's text a fault repeats, in
// characters.
const shownLength = 64

// shown quotes a client's text for a fault, cutting a long one short.
func shown(text string) string {
	if utf8.RuneCountInString(text) > shownLength {
		text = string([]rune(text)[:shownLength]) + "…"
	}
	return strconv.Quote(text)
}
