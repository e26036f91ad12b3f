// Package lifecycle holds the vocabulary and the rules of non-employee
// lifecycle management: sources and their schema attributes, records,
// requests and their approval items, identities, and the judging of what
// clients send.
//
// The package is pure. It does no I/O, reads no clock but where an identifier
// needs one, and imports nothing but the standard library and
// golang.org/x/text, so that an API call, a line of a CSV file and a test are
// judged by the same functions.
package lifecycle
