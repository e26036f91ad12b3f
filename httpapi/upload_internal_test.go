package httpapi

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestTheEndOfAFormIsSeenHoweverItArrives(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]bool{
		"--b--": true, "--b--\r\n": true, "--b\r\n\r\nx\r\n--b--\r\nepilogue": true, "preamble\n--b--": true,
		"": false, "--b-": false, "--b\r\n": false, "x--b--": false, "--bb--": false, "--b\r\n\r\nx\r\n--b-": false,
	} {
		for name, reader := range map[string]io.Reader{
			"at once":         strings.NewReader(form),
			"byte by byte":    iotest.OneByteReader(strings.NewReader(form)),
			"in halves":       iotest.HalfReader(strings.NewReader(form)),
			"with its end":    iotest.DataErrReader(strings.NewReader(form)),
			"after much else": io.MultiReader(strings.NewReader(strings.Repeat("y", 10_000)+"\n"), strings.NewReader(form)),
		} {
			end := newFormEnd(reader, "b")
			text, err := io.ReadAll(end)
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(string(text), form))
			require.Equal(t, want, end.seen, "%q %s", form, name)
			require.Less(t, cap(end.last), 3*4096)
		}
	}
}
