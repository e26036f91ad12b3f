package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
)

// TestTheWalkInTheReadme runs the shell blocks of README.md as they stand,
// but for the address.
func TestTheWalkInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	text := walk(t, blocks(t, string(readme), "sh"), stack.Stack)
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
	require.Contains(t, bulk[0], `"created":20000`)
	require.Contains(t, bulk[1], `"status":"COMPLETED"`)
	require.Contains(t, bulk[1], `"created":20000`)
	require.Contains(t, bulk[2], "line 3, column email: email must be an e-mail address")
	require.Contains(t, bulk[3], `"unchanged":20000`)
}

// testTheWalkWhileNobodyDecides runs the blocks about days that are short, in a
// stack of its own, whose days are.
func testTheWalkWhileNobodyDecides(t *testing.T) {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	short, err := devstack.Start(t.Context(), devstack.Options{
		Dir: t.TempDir(), BinDir: filepath.Join(stack.Dir(), "bin"), Demo: true,
		Env: map[string]string{"GATEHOUSE_POLICY_DAY": "5s", "GATEHOUSE_SWEEP_INTERVAL": "2s"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, short.Stop(context.WithoutCancel(t.Context()))) })
	// The walk before it makes the helpers and the source; the file of people is for
	// the other test.
	before, _, _ := strings.Cut(string(readme), "### A file of 20,000 people")
	text := walk(t, blocks(t, before, "(?:ba)?sh"), short)
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.HasPrefix(line, "{") })
	require.Contains(t, lines[len(lines)-3], `"step":"REMINDER"`, "what happens next")
	require.Contains(t, lines[len(lines)-1], `"approvalStatus":"APPROVED"`)
	require.Contains(t, lines[len(lines)-1], "In the place of approver.one")
}

// blocks are the shell blocks of a text whose language is one of these, behind one
// another.
func blocks(t *testing.T, text, languages string) string {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, block := range regexp.MustCompile("(?s)```"+languages+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		script.WriteString(block[1])
	}
	return script.String()
}

// walk runs the script, but for the addresses, and returns what it printed.
func walk(t *testing.T, script string, on *devstack.Stack) string {
	t.Helper()
	require.Contains(t, script, "http://127.0.0.1:8080")
	script = strings.NewReplacer("http://127.0.0.1:8080", on.APIURL(), "http://127.0.0.1:8025", on.Mail.URL()).Replace(script)
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Dir = walkDir(t)
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
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
