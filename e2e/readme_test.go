package e2e_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheWalkInTheReadme runs the shell blocks of README.md as they stand,
// but for the address.
func TestTheWalkInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		script.WriteString(block[1])
	}
	require.Contains(t, script.String(), "http://127.0.0.1:8080")
	command := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(script.String(), "http://127.0.0.1:8080", stack.apiURL))
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	text := string(output)
	require.Contains(t, text, `"approvalStatus":"PENDING"`)
	require.Contains(t, text, `"accountName":"william.smith"`)
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	last := lines[len(lines)-1]
	require.Contains(t, last, `"approvalStatus":"REJECTED"`)
	require.Contains(t, last, `"approvalStatus":"CANCELLED"`)
	records := lines[len(lines)-3]
	require.Contains(t, records, `"badge":"A-17"`)
	require.NotContains(t, records, "walter.white")
}
