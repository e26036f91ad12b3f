package lifecycle_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"gatehouse/lifecycle"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"plain text stays", "Jane Doe", "Jane Doe"},
		{"blanks at both ends go, those within stay", " \t\u00a0Jane  Doe\u2003 ", "Jane  Doe"},
		{"only blanks are nothing", " \r\n\t ", ""},
		{"CRLF becomes LF", "a\r\nb", "a\nb"},
		{"lone CR becomes LF", "a\rb\r\rc", "a\nb\n\nc"},
		{"line ends at the ends go", "\r\na\r\n", "a"},
		{"decomposed letters are composed", "Zoe\u0308", "Zoë"},
		{"Hangul is composed", "\u1112\u1161\u11ab", "한"},
		{"compatibility forms stay", "ﬁ①", "ﬁ①"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, lifecycle.Normalize(tt.in))
		})
	}
}

func TestNormalizePartKeepsBlanks(t *testing.T) {
	t.Parallel()
	require.Equal(t, " van \nZoë ", lifecycle.NormalizePart(" van \r\nZoe\u0308 "))
}

func TestFold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, a, b string }{
		{"ASCII", "William.Smith", "wILLIAM.sMITH"},
		{"letters with marks", "ÉCLAIR", "éclair"},
		{"sharp s", "STRASSE", "straße"},
		{"capital sharp s", "STRAẞE", "strasse"},
		{"final sigma", "ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"Cyrillic", "ИВАН", "иван"},
		{"ligatures", "ﬀ", "FF"},
		{"Kelvin sign", "\u212a", "k"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, lifecycle.Fold(tt.a), lifecycle.Fold(tt.b))
		})
	}
	for _, tt := range [][2]string{{"a", "b"}, {"e", "é"}, {"i", "ı"}, {"o", "0"}, {"a b", "ab"}} {
		require.NotEqual(t, lifecycle.Fold(tt[0]), lifecycle.Fold(tt[1]))
	}
	require.Equal(t, "jane.doe", lifecycle.Fold("jane.doe"))
}

func FuzzNormalizeAndFold(f *testing.F) {
	for _, seed := range []string{
		"", " a ", "a\r\r\nb", "Zoe\u0308", "\u0345", "α\u0345\u0301", "İI", "ŉ", "ΐΰ", "\u1e9e", "Ꭰꭰ", "\xff\xfe",
		"x" + strings.Repeat("\u0301", 40), "\u2000x\u2001", "William.Smith", "[`@Z", "\x7f\x80", "ﬃ", "ᾷ", "\u0085a\u0085",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		normal := lifecycle.Normalize(text)
		require.Equal(t, norm.NFC.String(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimSpace(text))), normal)
		require.Equal(t, normal, lifecycle.Normalize(normal), "Normalize is idempotent")
		require.Equal(t, strings.TrimSpace(normal), normal)
		require.NotContains(t, normal, "\r")
		require.True(t, norm.NFC.IsNormalString(normal))
		folded := lifecycle.Fold(normal)
		require.Equal(t, folded, lifecycle.Fold(folded), "Fold is idempotent")
		if utf8.ValidString(normal) && !strings.ContainsFunc(normal, func(r rune) bool { return unicode.Is(unicode.Cherokee, r) }) {
			require.Equal(t, norm.NFC.String(cases.Fold().String(normal)), folded)
		}
		require.Equal(t, folded, lifecycle.Normalize(folded), "folded text stays normal")
	})
}
