package filter

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/lifecycle"
)

// Expr is a node of a judged filter expression: [And], [Or], [Not],
// [Comparison], [Present] or [Nothing]. Its String is an expression that parses
// to an equal tree, but for Nothing, which [Parse] never makes.
type Expr interface {
	String() string
	sealed()
}

// And holds where all of its terms do; it has two terms or more.
type And struct{ Terms []Expr }

// Or holds where one of its terms does; it has two terms or more.
type Or struct{ Terms []Expr }

// Not holds where its term does not.
type Not struct{ Term Expr }

// Comparison compares a field with one value, or for [In] with at least one.
type Comparison struct {
	Field Field
	// Op is one of Field.Ops, and never Presence.
	Op     Op
	Values []Value
}

// Present holds where the field has a value that is not empty.
type Present struct{ Field Field }

// Nothing holds nowhere.
type Nothing struct{}

// Value is what a field is compared with.
type Value struct {
	// Text is for TypeLevel the level, for TypeExact the text, normalised, and
	// for TypeText and TypeManager the text, normalised and folded as
	// the stored texts it is compared with are (with Contains and StartsWith
	// blanks at its ends are kept), and for TypeStatus and TypeState the value in its
	// canonical form.
	Text string
	// ID is set for TypeID and TypeElement. It is set for TypeManager, beside Text, where the
	// whole value is an id; such a value means the identity with this id or
	// with this alias.
	ID lifecycle.ID
	// Time is set for TypeTime, in UTC, as exact as it was given.
	Time time.Time
	// Bool is set for TypeBool.
	Bool bool
}

func (And) sealed()        {}
func (Or) sealed()         {}
func (Not) sealed()        {}
func (Comparison) sealed() {}
func (Present) sealed()    {}
func (Nothing) sealed()    {}

// String implements [Expr].
func (e And) String() string { return join(e.Terms, " and ") }

// String implements [Expr].
func (e Or) String() string { return join(e.Terms, " or ") }

// String implements [Expr].
func (e Not) String() string { return "not " + operand(e.Term) }

// String implements [Expr].
func (e Present) String() string { return string(Presence) + " " + e.Field.Name }

// String implements [Expr].
func (Nothing) String() string { return "nothing" }

// String implements [Expr].
func (e Comparison) String() string {
	values := make([]string, len(e.Values))
	for i, v := range e.Values {
		values[i] = v.text(e.Field.Type)
	}
	text := strings.Join(values, ", ")
	if e.Op == In {
		text = "(" + text + ")"
	}
	return e.Field.Name + " " + string(e.Op) + " " + text
}

func (v Value) text(t Type) string {
	switch t {
	case TypeID, TypeElement:
		return quote(v.ID.String())
	case TypeBool:
		return strconv.FormatBool(v.Bool)
	case TypeTime:
		return v.Time.Format(time.RFC3339Nano)
	default:
		return quote(v.Text)
	}
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + escaper.Replace(s) + `"` }

func join(terms []Expr, word string) string {
	texts := make([]string, len(terms))
	for i, term := range terms {
		texts[i] = operand(term)
	}
	return strings.Join(texts, word)
}

// operand puts what binds more loosely than "not" into parentheses, so that
// the text shows the tree whatever the precedence.
func operand(e Expr) string {
	switch e.(type) {
	case And, Or:
		return "(" + e.String() + ")"
	default:
		return e.String()
	}
}
