package csvfile

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestTheTemplateIsOneHeaderLine(t *testing.T) {
	t.Parallel()
	attributes := lifecycle.SystemAttributes(lifecycle.NewID(), time.Now())
	attributes = append(attributes,
		lifecycle.SchemaAttribute{TechnicalName: "second", Position: 9},
		lifecycle.SchemaAttribute{TechnicalName: "first", Position: 8})
	var text strings.Builder
	require.NoError(t, WriteTemplate(&text, attributes))
	require.Equal(t, "accountName,firstName,lastName,phone,email,manager,startDate,endDate,first,second", strings.TrimRight(text.String(), "\r\n"))
}

func TestFormulasAreGuardedAndTelephoneNumbersAreNot(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "plain": "plain", "=1+1": "'=1+1", "@x": "'@x", "-5": "'-5", "+x": "'+x", "'=x": "''=x",
		"\tx": "'\tx", "'plain": "'plain", "+1 512 555-5555": "+1 512 555-5555", "+49 (0) 1.2": "+49 (0) 1.2",
	} {
		require.Equal(t, want, Guard(cell), "%q", cell)
		require.Equal(t, cell, Unguard(want), "%q", want)
	}
}

// The words of contract §7.
var (
	formula   = regexp.MustCompile(`^'*[=+\-@\t\r]`)
	guarded   = regexp.MustCompile(`^'+[=+\-@\t\r]`)
	telephone = regexp.MustCompile(`^\+[\d ().-]+$`)
)

func FuzzGuard(f *testing.F) {
	for _, seed := range []string{
		"", "=x", "'", "''=", "+1", "+1a", "-", "\r", "'+1 2", "+", "++", "+1\n", "+\u0661", "+ ().-09", "'\t", "a=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		written, read := cell, cell
		if formula.MatchString(cell) && !telephone.MatchString(cell) {
			written = "'" + cell
		}
		if guarded.MatchString(cell) {
			read = cell[1:]
		}
		require.Equal(t, written, Guard(cell))
		require.Equal(t, read, Unguard(cell))
		require.Equal(t, cell, Unguard(Guard(cell)))
	})
}
