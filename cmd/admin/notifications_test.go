package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatPeopleAreToldCanBeLookedAtBefore(t *testing.T) {
	t.Parallel()
	show := func(templates string, args ...string) (string, error) {
		var out bytes.Buffer
		err := preview(args, templates, &out)
		return out.String(), err
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"reminder"}, "Subject: Reminder 2: your decision is needed"},
		{[]string{"reminder", "--lang", "de"}, "Subject: Erinnerung 2"},
		{[]string{"expired", "--format", "html"}, "<!DOCTYPE html>"},
		{[]string{"request_made", "--format", "webhook"}, `"type": "gatehouse.request_made.v1"`},
	} {
		out, err := show("", c.args...)
		require.NoError(t, err)
		require.Contains(t, out, c.says)
	}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "reminder.en.txt"), []byte(`{{define "subject"}}Ours{{end}}{{define "body"}}x{{end}}`), 0o600))
	out, err := show(folder, "reminder")
	require.NoError(t, err)
	require.Contains(t, out, "Subject: Ours")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "expired.en.txt"), []byte("\n{{if}}"), 0o600))
	_, err = show(folder, "reminder")
	require.ErrorContains(t, err, "expired.en.txt:2")
	for _, wrong := range [][]string{{}, {"party"}, {"reminder", "--format", "pdf"}, {"reminder", "--nonsense"}} {
		_, err := show("", wrong...)
		require.Error(t, err)
	}
}
