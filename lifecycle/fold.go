package lifecycle

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Normalize makes text from any entrance alike before it is judged: CRLF and
// lone CR become LF, blanks at both ends go, the rest is Unicode NFC
// (contract §4).
func Normalize(s string) string {
	// Composing does not make blanks, and leaves none at an end that was trimmed.
	return NormalizePart(strings.TrimSpace(s))
}

// NormalizePart is [Normalize] for a part of a text, such as what a filter
// looks for within one: blanks at its ends are kept.
func NormalizePart(s string) string {
	if isASCII(s) && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	return norm.NFC.String(s)
}

// Fold maps text that differs only in case to one form. It is the one rule by
// which account names, technical names, aliases and filter values compare; its
// result is stored beside the text, so it must never change for text it has
// folded before.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(strings.Map(upperCherokee, cases.Fold().String(s)))
}

// isASCII tells text for which the rules of Unicode need not be asked: the most
// of it, and rows of files are many.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// upperCherokee gives both cases of a Cherokee letter one form. Their folding
// is towards the capital, and the library swaps the two.
func upperCherokee(r rune) rune {
	switch {
	case 0xAB70 <= r && r <= 0xABBF:
		return r - 0xAB70 + 0x13A0
	case 0x13F8 <= r && r <= 0x13FD:
		return r - 8
	}
	return r
}
