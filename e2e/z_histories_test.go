package e2e_test

import (
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// personal are the words that stand in every personal value that this run
// sent; all values of these tests hold the marker, the rest are the README's
// and the demo organisation's.
var personal = []string{
	marker, "william", "smith", "walter", "@example.com", "512 555", "welcome", "not this year", "ada admin", "worker.0", "andersson", "nobody.home",
	"jane.doe", "john.roe", "approver.one", "source.admin", "here.manager",
}

var base64Text = regexp.MustCompile(`"[A-Za-z0-9+/]{8,}={0,2}"`)

// decodePayloads puts what payloads hold beside their encoded form.
func decodePayloads(text string) string {
	return base64Text.ReplaceAllStringFunc(text, func(quoted string) string {
		decoded, err := base64.StdEncoding.DecodeString(strings.Trim(quoted, `"`))
		if err != nil {
			return quoted
		}
		return quoted + " " + string(decoded)
	})
}

// TestZHistoriesHoldNoPersonalData reads every history of the whole run,
// failures and memos included. It runs last, as its file sorts last.
func TestZHistoriesHoldNoPersonalData(t *testing.T) {
	histories := stack.histories(t)
	require.Greater(t, len(histories), 50, "the run left histories to read")
	decoded := false
	for id, text := range histories {
		decoded = decoded || strings.Contains(text, `"requestId":"`)
		lower := strings.ToLower(text)
		for _, word := range personal {
			require.NotContains(t, lower, word, id)
		}
	}
	require.True(t, decoded, "payloads are read in clear")
}

// TestZLogsHoldNoPersonalDataAndNoSecrets reads what the programs logged.
func TestZLogsHoldNoPersonalDataAndNoSecrets(t *testing.T) {
	for _, path := range []string{stack.API.LogPath(), stack.Worker.LogPath()} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotEmpty(t, text)
		lower := strings.ToLower(string(text))
		for _, word := range append([]string{"-secret", "eyj"}, personal...) {
			require.NotContains(t, lower, word, "%s holds %q", path, word)
		}
	}
}
