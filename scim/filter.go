package scim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	scimfilter "github.com/scim2/filter-parser/v2"

	"gatehouse/filter"
)

const (
	// maxFilter is the longest filter and the longest path, in bytes.
	maxFilter = 4_096
	// maxNesting is how many parentheses, brackets and negations one may have. The
	// parser tries what is in each of them several times over.
	maxNesting = 10
	// maxTerms is how many comparisons one may have.
	maxTerms = 100
)

// parseFilter reads a filter and turns it into what the store makes a query of; nil
// for none.
func (r resource) parseFilter(expression string, schema filter.Schema) (filter.Expr, error) {
	if strings.TrimSpace(expression) == "" {
		return nil, nil //nolint:nilnil // no filter is a valid answer, and nil says it
	}
	if err := boundFilter(expression, invalidFilter); err != nil {
		return nil, err
	}
	parsed, err := scimfilter.ParseFilterNumber([]byte(upperEscapes(strings.TrimSpace(expression))))
	if err != nil {
		return nil, bad(invalidFilter, "The filter can't be read.")
	}
	return translation{r, schema}.expression(parsed, "")
}

// upperEscapes spells the hex digits of escapes (\u00e9) in upper case: the parser
// knows no other.
func upperEscapes(expression string) string {
	const digits = 4
	text := []byte(expression)
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; text[i] == 'u' {
			for j := i + 1; j < len(text) && j <= i+digits; j++ {
				if 'a' <= text[j] && text[j] <= 'f' {
					text[j] -= 'a' - 'A'
				}
			}
		}
	}
	return string(text)
}

// boundFilter keeps the parser from what would take it long.
func boundFilter(expression, scimType string) error {
	nesting := strings.Count(expression, "(") + strings.Count(expression, "[")
	terms := strings.Count(strings.ToLower(expression), " and ") + strings.Count(strings.ToLower(expression), " or ")
	if len(expression) > maxFilter || nesting > maxNesting || terms >= maxTerms {
		return bad(scimType, fmt.Sprintf("An expression may have %d bytes, %d parentheses and brackets and %d comparisons at most.",
			maxFilter, maxNesting, maxTerms))
	}
	return nil
}

// translation turns the tree of a filter into that of package filter.
type translation struct {
	resource resource
	schema   filter.Schema
}

// expression translates e; prefix is the multi-valued attribute that it is about,
// with a dot, within brackets.
func (t translation) expression(e scimfilter.Expression, prefix string) (filter.Expr, error) {
	switch e := e.(type) {
	case *scimfilter.LogicalExpression:
		left, err := t.expression(e.Left, prefix)
		if err != nil {
			return nil, err
		}
		right, err := t.expression(e.Right, prefix)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(string(e.Operator), string(scimfilter.AND)) {
			return filter.And{Terms: []filter.Expr{left, right}}, nil
		}
		return filter.Or{Terms: []filter.Expr{left, right}}, nil
	case *scimfilter.NotExpression:
		term, err := t.expression(e.Expression, prefix)
		return filter.Not{Term: term}, err
	case *scimfilter.ValuePath:
		a, ok := t.resource.attribute(e.AttributePath.AttributeName)
		if !ok || !a.MultiValued || e.AttributePath.SubAttribute != nil || prefix != "" {
			return nil, bad(invalidFilter, "Only an attribute with several values can have brackets.")
		}
		if err := t.ours(e.AttributePath); err != nil {
			return nil, err
		}
		return t.expression(e.ValueFilter, a.Name+".")
	case *scimfilter.AttributeExpression:
		name, err := t.name(e.AttributePath, prefix)
		if err != nil {
			return nil, err
		}
		value := valueText(e.CompareValue)
		if strings.Contains(value, "\x00") {
			return nil, bad(invalidFilter, "A value must not have NUL characters.")
		}
		return t.schema.Compare(name, filter.Op(strings.ToLower(string(e.Operator))), value)
	}
	return nil, bad(invalidFilter, "The filter can't be read.")
}

// ours refuses attributes of another schema.
func (t translation) ours(path scimfilter.AttributePath) error {
	if path.URIPrefix == nil {
		return nil
	}
	if rest, foreign := t.resource.local(*path.URIPrefix); foreign || rest != "" {
		return bad(invalidFilter, "There is no filter by attributes of that schema.")
	}
	return nil
}

// name is the full name of the attribute. Where several values are compared as such
// it is their "value" that is meant.
func (t translation) name(path scimfilter.AttributePath, prefix string) (string, error) {
	if err := t.ours(path); err != nil {
		return "", err
	}
	name := prefix + path.AttributeName
	if sub := path.SubAttributeName(); sub != "" {
		return name + "." + sub, nil
	}
	if a, ok := t.resource.attribute(name); ok && a.MultiValued {
		name += ".value"
	}
	return name, nil
}

// valueText is a value of a filter as text. The parser leaves the escapes of a string
// in it.
func valueText(value any) string {
	switch v := value.(type) {
	case string:
		var unescaped string
		if json.Unmarshal([]byte(`"`+v+`"`), &unescaped) != nil {
			return v
		}
		return unescaped
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}
