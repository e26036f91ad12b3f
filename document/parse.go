package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gatehouse/lifecycle"
)

// MaxDepth is how deep objects and lists may be nested in one another. The
// contract's bodies need three levels.
const MaxDepth = 100

// maxQuoted is how much of a client's own text an error message repeats, in
// characters.
const maxQuoted = 64

// Document is a JSON value that passed the checks of [Parse]. The zero
// Document is the value null.
type Document struct {
	// value is nil, bool, string, json.Number, []any or map[string]any.
	value any
}

// Parse reads exactly one JSON value (RFC 8259). Beyond the grammar it asks
// that the text is UTF-8, that no object has a key twice at any depth (contract
// §4), that no string holds a NUL or half of a surrogate pair, and that nothing
// is nested deeper than [MaxDepth]. Errors are KindBadRequest about no field in
// particular.
func Parse(text []byte) (Document, error) {
	if !utf8.Valid(text) {
		return Document{}, malformed("The body is not valid UTF-8.")
	}
	// Whether the grammar holds is settled here, so that what follows may rely
	// on it.
	var raw json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return Document{}, malformed(fmt.Sprintf("The body is not valid JSON: see byte %d.", syntax.Offset))
		}
		return Document{}, malformed("The body is not valid JSON.")
	}
	if err := checkEscapes(text); err != nil {
		return Document{}, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := read(decoder, 0)
	if err != nil {
		return Document{}, err
	}
	return Document{value: value}, nil
}

func malformed(message string) error {
	return lifecycle.NewError(lifecycle.KindBadRequest, message)
}

// read takes one value from a decoder whose text is known to be valid JSON;
// depth is how many objects and lists are open around it.
func read(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, malformed("The body is not valid JSON.")
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == MaxDepth {
		return nil, malformed(fmt.Sprintf("The body is nested deeper than %d levels.", MaxDepth))
	}
	if delim == '[' {
		return readList(decoder, depth+1)
	}
	return readObject(decoder, depth+1)
}

func readList(decoder *json.Decoder, depth int) (any, error) {
	list := []any{}
	for decoder.More() {
		element, err := read(decoder, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	return list, end(decoder)
}

func readObject(decoder *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, malformed("The body is not valid JSON.")
		}
		if _, twice := object[key]; twice {
			return nil, malformed("The body has the key " + Quote(key) + " twice.")
		}
		if object[key], err = read(decoder, depth); err != nil {
			return nil, err
		}
	}
	return object, end(decoder)
}

func end(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return malformed("The body is not valid JSON.")
	}
	return nil
}

// checkEscapes refuses the escapes that decoding would let through or replace
// without a word. In valid JSON a backslash stands nowhere but in a string.
func checkEscapes(text []byte) error {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		unit := hex4(text[i+1:])
		i += 4
		switch {
		case unit == 0:
			return malformed("The body has a string with a NUL character.")
		case 0xD800 <= unit && unit < 0xDC00:
			if !bytes.HasPrefix(text[i+1:], []byte(`\u`)) {
				return errSurrogate
			}
			if low := hex4(text[i+3:]); low < 0xDC00 || low > 0xDFFF {
				return errSurrogate
			}
			i += 6
		case 0xDC00 <= unit && unit <= 0xDFFF:
			return errSurrogate
		}
	}
	return nil
}

var errSurrogate = malformed("The body has a string with half of a surrogate pair.")

// hex4 reads the four hex digits that the grammar promises.
func hex4(digits []byte) rune {
	var unit rune
	for _, c := range digits[:4] {
		unit <<= 4
		switch {
		case c <= '9':
			unit |= rune(c - '0')
		case c <= 'F':
			unit |= rune(c-'A') + 10
		default:
			unit |= rune(c-'a') + 10
		}
	}
	return unit
}

// Quote puts a client's own text into double quotes for an error message; a
// long one is cut after 64 characters.
func Quote(text string) string {
	runes := 0
	for i := range text {
		if runes == maxQuoted {
			return fmt.Sprintf("%q", text[:i]+"…")
		}
		runes++
	}
	return fmt.Sprintf("%q", text)
}
