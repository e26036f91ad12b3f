package config

import (
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table into docs/configuration.md")

const (
	document = "../docs/configuration.md"
	opening  = "<!-- settings -->\n"
	closing  = "<!-- /settings -->\n"
)

func table() string {
	var order []string
	rows, readers := map[string]setting{}, map[string][]string{}
	for _, program := range []string{"api", "worker", "migrate"} {
		for _, s := range settingsOf(reflect.TypeOf(programs[program])) {
			if _, ok := rows[s.variable]; !ok {
				order = append(order, s.variable)
				rows[s.variable] = s
			}
			readers[s.variable] = append(readers[s.variable], program)
		}
	}
	var b strings.Builder
	b.WriteString("| Variable | Default | Accepted | Meaning | Read by |\n|---|---|---|---|---|\n")
	for _, variable := range order {
		s := rows[variable]
		initial := "`" + s.initial + "`"
		switch {
		case s.required:
			initial = "must be set"
		case s.initial == "":
			initial = "empty"
		}
		cells := []string{"`" + variable + "`", initial, s.expected(), s.doc, strings.Join(readers[variable], ", ")}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}

func TestTheDocumentedSettingsAreTheRealOnes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(text), opening)
	require.True(t, ok, "%s lost its mark %q", document, opening)
	documented, tail, ok := strings.Cut(rest, closing)
	require.True(t, ok, "%s lost its mark %q", document, closing)
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(head+opening+table()+closing+tail), 0o600))
		return
	}
	require.Equal(t, table(), documented, "go test ./config -update writes the table")
}
