package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
	command.Dir = walkDir(t)
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
	turnedDown := slices.IndexFunc(lines, func(line string) bool {
		return strings.Contains(line, `"approvalStatus":"REJECTED"`) && strings.Contains(line, `"approvalItems"`)
	})
	require.Positive(t, turnedDown, text)
	require.Contains(t, lines[turnedDown], `"approvalStatus":"CANCELLED"`)
	records := lines[turnedDown-2]
	require.Contains(t, records, `"badge":"A-17"`)
	require.NotContains(t, records, "walter.white")

	bulk := lines[turnedDown+1:]
	require.Len(t, bulk, 4, text)
	require.Contains(t, bulk[0], `"createdRows":20000`)
	require.Contains(t, bulk[1], `"status":"COMPLETED"`)
	require.Contains(t, bulk[1], `"createdRows":20000`)
	require.Contains(t, bulk[2], "line 3, column email: email must be an e-mail address")
	require.Contains(t, bulk[3], `"unchangedRows":20000`)
}

// walkDir is a directory to walk in that leaves the repository as it is: its
// Makefile is the repository's.
func walkDir(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	makefile := "sample-csv:\n\t@go run -C " + root + " ./cmd/devstack sample $(N) > sample.csv\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600))
	return dir
}
