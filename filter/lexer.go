package filter

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenString
	// tokenBare is a value without quotes: a number or a date-time. The words
	// true and false are values too, see isValue.
	tokenBare
	tokenOpen
	tokenClose
	tokenComma
)

type token struct {
	kind tokenKind
	// text is what the token means: of a string what stands between the quotes.
	text string
	// position counts characters from 1.
	position int
}

func (t token) isValue() bool {
	return t.kind == tokenString || t.kind == tokenBare ||
		t.kind == tokenWord && (t.text == "true" || t.text == "false")
}

// shownLength bounds how much of a client's text an error repeats, in
// characters.
const shownLength = 40

// describe names the token for an error, cutting a long one short.
func (t token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return "the string " + shown(t.text)
	default:
		return shown(t.text)
	}
}

func shown(text string) string {
	if utf8.RuneCountInString(text) > shownLength {
		text = string([]rune(text)[:shownLength]) + "…"
	}
	return strconv.Quote(text)
}

// blanks may stand between any two words.
const blanks = " \t\r\n"

type lexer struct {
	// input is what is left, position the number of its first character.
	input    string
	position int
}

// advance takes n bytes from the input.
func (l *lexer) advance(n int) string {
	taken := l.input[:n]
	l.input = l.input[n:]
	l.position += utf8.RuneCountInString(taken)
	return taken
}

func (l *lexer) next() (token, error) {
	l.advance(len(l.input) - len(strings.TrimLeft(l.input, blanks)))
	t := token{position: l.position}
	if l.input == "" {
		return t, nil
	}
	switch c := l.input[0]; {
	case c == '(':
		t.kind = tokenOpen
	case c == ')':
		t.kind = tokenClose
	case c == ',':
		t.kind = tokenComma
	case c == '"':
		return l.quoted(t)
	case isBareByte(c):
		return l.bare(t)
	default:
		r, _ := utf8.DecodeRuneInString(l.input)
		return token{}, fault("filters", t.position, "expected a field, an operator or a value, found "+shown(string(r)))
	}
	t.text = l.advance(1)
	return t, nil
}

func (l *lexer) quoted(t token) (token, error) {
	var text strings.Builder
	for i := 1; i < len(l.input); i++ {
		switch c := l.input[i]; c {
		case '"':
			l.advance(i + 1)
			t.kind, t.text = tokenString, text.String()
			return t, nil
		case '\\':
			i++
			if i == len(l.input) || l.input[i] != '"' && l.input[i] != '\\' {
				l.advance(i)
				return token{}, fault("filters", l.position, `expected \" or \\ after the backslash`)
			}
			text.WriteByte(l.input[i])
		default:
			text.WriteByte(c)
		}
	}
	return token{}, fault("filters", t.position, "expected a closing quote for the string that begins here")
}

// bareValue is a number, or begins as only a date does; the type of the field
// decides whether it is one.
var bareValue = regexp.MustCompile(`^(-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*)$`)

func (l *lexer) bare(t token) (token, error) {
	n := 1
	for n < len(l.input) && isBareByte(l.input[n]) {
		n++
	}
	t.text = l.advance(n)
	switch {
	case isLetter(t.text[0]):
		t.kind = tokenWord
	case bareValue.MatchString(t.text):
		t.kind = tokenBare
	default:
		return token{}, fault("filters", t.position,
			"expected a number, a date-time or text in double quotes, found "+shown(t.text))
	}
	return t, nil
}

func isBareByte(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '+' || c == ':'
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}
