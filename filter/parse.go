package filter

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse/lifecycle"
)

// Bounds of our own on what a client may send, so that neither parsing nor the
// query made from the tree can run away.
const (
	// MaxExpressionLength is the longest filters or sorters parameter, in bytes.
	MaxExpressionLength = 8_192
	// MaxDepth is how deep parentheses and "not" may nest.
	MaxDepth = 50
	// MaxListLength is how many values an "in" may list.
	MaxListLength = 250
)

// Parse reads a filter expression and judges it against the schema. A blank
// expression is no filter: the Expr is nil. Errors are KindBadRequest about
// "filters"; the message names the position, counted in characters from 1, and
// what was expected there.
func Parse(expression string, schema Schema) (Expr, error) {
	if err := checkText("filters", expression); err != nil {
		return nil, err
	}
	p := parser{lexer: lexer{input: expression, position: 1}, schema: schema}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.token.kind == tokenEnd {
		return nil, nil //nolint:nilnil // no filter is a valid answer, and nil says it
	}
	e, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.token.kind != tokenEnd {
		return nil, p.expected(`"and", "or" or the end`)
	}
	return e, nil
}

func checkText(parameter, text string) error {
	if len(text) > MaxExpressionLength {
		return lifecycle.FieldError(lifecycle.KindBadRequest, parameter,
			fmt.Sprintf("%s is longer than %d bytes.", parameter, MaxExpressionLength))
	}
	position := 0
	for i, r := range text {
		position++
		if r == 0 {
			return fault(parameter, position, "expected text, found the character NUL")
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return fault(parameter, position, "expected text in UTF-8")
			}
		}
	}
	return nil
}

func fault(parameter string, position int, what string) error {
	return lifecycle.FieldError(lifecycle.KindBadRequest, parameter,
		fmt.Sprintf("%s, position %d: %s.", parameter, position, what))
}

type parser struct {
	lexer  lexer
	schema Schema
	// token is the one that was read last and not yet used.
	token token
}

func (p *parser) next() (err error) {
	p.token, err = p.lexer.next()
	return err
}

func (p *parser) expected(what string) error {
	return fault("filters", p.token.position, "expected "+what+", found "+p.token.describe())
}

// isWord reports whether the token at hand is this word.
func (p *parser) isWord(word string) bool {
	return p.token.kind == tokenWord && p.token.text == word
}

func (p *parser) expression(depth int) (Expr, error) {
	terms, err := p.list("or", func() (Expr, error) { return p.term(depth) })
	if err != nil || len(terms) > 1 {
		return Or{Terms: terms}, err
	}
	return terms[0], nil
}

func (p *parser) term(depth int) (Expr, error) {
	terms, err := p.list("and", func() (Expr, error) { return p.factor(depth) })
	if err != nil || len(terms) > 1 {
		return And{Terms: terms}, err
	}
	return terms[0], nil
}

// list reads one term or more with the word between them.
func (p *parser) list(word string, read func() (Expr, error)) ([]Expr, error) {
	var terms []Expr
	for {
		term, err := read()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if !p.isWord(word) {
			return terms, nil
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) factor(depth int) (Expr, error) {
	if depth > MaxDepth {
		return nil, fault("filters", p.token.position,
			fmt.Sprintf(`expected at most %d parentheses and "not" inside one another`, MaxDepth))
	}
	switch {
	case p.isWord("not"):
		if err := p.next(); err != nil {
			return nil, err
		}
		term, err := p.factor(depth + 1)
		if err != nil {
			return nil, err
		}
		return Not{Term: term}, nil
	case p.token.kind == tokenOpen:
		if err := p.next(); err != nil {
			return nil, err
		}
		e, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.token.kind != tokenClose {
			return nil, p.expected(`"and", "or" or ")"`)
		}
		return e, p.next()
	case p.isWord(string(Presence)):
		return p.presence()
	default:
		return p.comparison()
	}
}

func (p *parser) presence() (Expr, error) {
	at := p.token.position
	if err := p.next(); err != nil {
		return nil, err
	}
	field, err := p.field()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(field.Ops, Presence) {
		return nil, fault("filters", at, "expected "+operators(field)+` after the field, found "pr" before it`)
	}
	return Present{Field: field}, p.next()
}

func (p *parser) comparison() (Expr, error) {
	field, err := p.field()
	if err != nil {
		return nil, err
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	op := Op(p.token.text)
	if p.token.kind != tokenWord || op == Presence || !slices.Contains(field.Ops, op) {
		return nil, p.expected(operators(field))
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if op == In {
		values, err := p.values(field)
		if err != nil {
			return nil, err
		}
		return Comparison{Field: field, Op: op, Values: values}, p.next()
	}
	value, err := p.value(field, op)
	if err != nil {
		return nil, err
	}
	return Comparison{Field: field, Op: op, Values: []Value{value}}, p.next()
}

// values reads a list up to its closing parenthesis, which stays at hand.
func (p *parser) values(field Field) ([]Value, error) {
	if p.token.kind != tokenOpen {
		return nil, p.expected(`"(" and a list of values`)
	}
	var values []Value
	for {
		if err := p.next(); err != nil {
			return nil, err
		}
		if len(values) == MaxListLength {
			return nil, p.expected(fmt.Sprintf("at most %d values in the list", MaxListLength))
		}
		value, err := p.value(field, In)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if err := p.next(); err != nil {
			return nil, err
		}
		switch p.token.kind {
		case tokenClose:
			return values, nil
		case tokenComma:
		default:
			return nil, p.expected(`"," or ")"`)
		}
	}
}

func (p *parser) field() (Field, error) {
	if p.token.kind == tokenWord {
		if field, ok := p.schema.find(p.token.text); ok && len(field.Ops) > 0 {
			return field, nil
		}
	}
	names := p.schema.filterable()
	if len(names) == 0 {
		return Field{}, p.expected("no filter, since this list has no field to filter by")
	}
	return Field{}, p.expected(oneOf("a field", names))
}

// value judges the token at hand as a value of the field; the token stays.
func (p *parser) value(field Field, op Op) (Value, error) {
	text := p.token.text
	if !p.token.isValue() {
		return Value{}, p.expected(expectation(field.Type))
	}
	if value, ok := field.read(text, op); ok {
		return value, nil
	}
	return Value{}, p.expected(expectation(field.Type))
}

// read takes the text for a value of the field; ok is false if it is none.
func (f Field) read(text string, op Op) (value Value, ok bool) {
	switch f.Type {
	case TypeID, TypeElement:
		id, err := lifecycle.ParseID(text)
		return Value{ID: id}, err == nil
	case TypeTime:
		t, err := lifecycle.ParseInstant(text)
		return Value{Time: t}, err == nil
	case TypeStatus:
		return oneOfThese(statuses, text)
	case TypeState:
		return oneOfThese(states, text)
	case TypeLevel:
		level, ok := lifecycle.ParseLevel(text)
		return Value{Text: string(level)}, ok
	case TypeBool:
		return Value{Bool: strings.EqualFold(text, "true")}, strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case TypeManager:
		value := Value{Text: fold(text, op)}
		if isWhole(op) {
			if id, err := lifecycle.ParseID(value.Text); err == nil {
				value.ID = id
			}
		}
		return value, true
	case TypeExact, TypeClient:
		return Value{Text: normalize(text, op)}, true
	default:
		return Value{Text: fold(text, op)}, true
	}
}

var statuses = []string{
	string(lifecycle.StatusApproved), string(lifecycle.StatusRejected), string(lifecycle.StatusPending),
	string(lifecycle.StatusNotReady), string(lifecycle.StatusCancelled),
}

var states = func() []string {
	var names []string
	for _, state := range lifecycle.LifecycleStates() {
		names = append(names, string(state))
	}
	return names
}()

// oneOfThese finds the value that the text is, without regard to case.
func oneOfThese(values []string, text string) (Value, bool) {
	i := slices.IndexFunc(values, func(s string) bool { return strings.EqualFold(s, text) })
	if i < 0 {
		return Value{}, false
	}
	return Value{Text: values[i]}, true
}

// isWhole: the operator compares with a whole text, not with a part of one.
func isWhole(op Op) bool { return op != Contains && op != StartsWith && op != EndsWith }

// normalize makes a value comparable with stored text. A part of a text may begin
// or end with a blank, a whole one never does.
func normalize(text string, op Op) string {
	if isWhole(op) {
		return lifecycle.Normalize(text)
	}
	return lifecycle.NormalizePart(text)
}

// fold is normalize without regard to case.
func fold(text string, op Op) string { return lifecycle.Fold(normalize(text, op)) }

func expectation(t Type) string {
	switch t {
	case TypeID:
		return "a UUID in double quotes"
	case TypeTime:
		return "a date-time such as 2025-03-24T00:00:00Z"
	case TypeStatus:
		return oneOf("a status in double quotes", statuses)
	case TypeState:
		return oneOf("a state in double quotes", states)
	case TypeBool:
		return "true or false"
	default:
		return "a string in double quotes, a number, true or false"
	}
}

func operators(field Field) string {
	names := make([]string, len(field.Ops))
	for i, op := range field.Ops {
		names[i] = string(op)
	}
	return oneOf("an operator of "+field.Name, names)
}

func oneOf(what string, names []string) string {
	return what + " (" + strings.Join(names, ", ") + ")"
}
