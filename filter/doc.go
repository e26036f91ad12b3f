// Package filter judges the collection parameters of contract §2: the filter
// expression, the sorters, limit and offset. What a list may be filtered and
// sorted by is declared once, in a [Schema]; the parser lets nothing else
// through, so whoever turns the tree into a query meets only fields, operators
// and values that the schema allows.
//
// The grammar, loosest binding first:
//
//	expression = term { "or" term }
//	term       = factor { "and" factor }
//	factor     = "not" factor | "(" expression ")" | comparison | presence
//	comparison = field op value | field "in" "(" value { "," value } ")"
//	presence   = "pr" field
//	value      = quoted string | number | "true" | "false" | date-time
//
// Words are in lower case. A quoted string knows the escapes \" and \\.
package filter
