package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// admin carries out a command line as the application's role.
func admin(t *testing.T, schema storetest.Schema, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, schema.AppURL, &out)
	return out.String(), err
}

// seal has the trail sealed at once, as if nobody on the cluster, which other tests
// share, had a transaction open.
func seal(t *testing.T, schema storetest.Schema, s *store.Store) lifecycle.ChainHead {
	t.Helper()
	_, err := schema.Admin(t).ExecContext(t.Context(), "UPDATE audit_tail SET txid = '3'")
	require.NoError(t, err)
	sealing, err := s.SealAudit(t.Context(), 100)
	require.NoError(t, err)
	return sealing.Head
}

func TestTheTrailIsVerifiedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s := schema.Open(t, store.Config{})
	out, err := admin(t, schema, "audit", "verify")
	require.NoError(t, err)
	require.Equal(t, "sealed\t0\nhead\t0:"+strings.Repeat("00", 32)+"\nerased details\t0\nnot sealed yet\t0\nfaults\t0\n", out)

	for _, alias := range []string{"one", "two", "three"} {
		_, err := admin(t, schema, "identity", "create", "--alias", alias, "--name", "The person "+alias)
		require.NoError(t, err)
	}
	head := seal(t, schema, s)
	require.Equal(t, int64(3), head.Position)
	_, err = admin(t, schema, "identity", "deactivate", "one")
	require.NoError(t, err)
	out, err = admin(t, schema, "audit", "verify", "--expect", head.String())
	require.NoError(t, err)
	require.Contains(t, out, "sealed\t3\nhead\t"+head.String()+"\nerased details\t0\nnot sealed yet\t1\tthe oldest since 20")
	require.Contains(t, out, "\nfaults\t0\n")

	_, err = schema.Admin(t).ExecContext(t.Context(), "UPDATE audit_entries SET operation = 'admin identity list' WHERE id = 2")
	require.NoError(t, err)
	out, err = admin(t, schema, "audit", "verify", "--expect", "9:"+strings.Repeat("00", 32))
	require.EqualError(t, err, "the audit trail is not as it was written")
	require.True(t, strings.HasPrefix(out, "fault: position 2, entry 2: the entry, its place or its seal was changed: the hash does not fit\n"+
		"fault: position 3: the chain ends here, but it had a position 9: its end was cut off\n"), out)
	require.Contains(t, out, "faults\t2\n")

	_, err = admin(t, schema, "audit", "verify", "--expect", "nonsense")
	require.ErrorContains(t, err, "--expect: ")
	_, err = admin(t, schema, "audit", "verify", "extra")
	require.EqualError(t, err, `"extra" is not expected`)
}

func TestTheTrailIsExportedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	schema.Open(t, store.Config{})
	for _, alias := range []string{"one", "two"} {
		_, err := admin(t, schema, "identity", "create", "--alias", alias, "--name", "=SUM(A1)")
		require.NoError(t, err)
	}
	_, err := admin(t, schema, "identity", "deactivate", "one")
	require.NoError(t, err)
	out, err := admin(t, schema, "audit", "export")
	require.NoError(t, err)
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 4)
	out, err = admin(t, schema, "audit", "export", "--format", "ndjson", "--filters", `operation eq "admin identity deactivate"`)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(out, "\n"))
	require.Contains(t, out, `"channel":"COMMAND_LINE","operation":"admin identity deactivate","action":"UPDATE"`)
	_, err = admin(t, schema, "audit", "export", "--format", "xml")
	require.EqualError(t, err, "--format: a format is csv or ndjson")
	_, err = admin(t, schema, "audit", "export", "--filters", "nonsense")
	require.ErrorContains(t, err, "filters, position 1")
	require.ErrorIs(t, run(cancelled(t), []string{"audit", "export"}, schema.AppURL, &bytes.Buffer{}), context.Canceled)
}

func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestTheScopeOfTheTrailIsForApplications: a person reads it by their level.
func TestTheScopeOfTheTrailIsForApplications(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s := schema.Open(t, store.Config{})
	storetest.Identity(t, s, "jane.doe", lifecycle.LevelOrgAdmin)
	_, err := admin(t, schema, "client", "create", "--id", "auditor", "--name", "Auditor", "--scope", "gatehouse:audit")
	require.NoError(t, err)
	client, _, err := s.GetClient(t.Context(), "auditor")
	require.NoError(t, err)
	require.Equal(t, []string{lifecycle.ScopeAudit}, client.Scopes)
	require.Empty(t, client.Rights)
	_, err = admin(t, schema, "client", "create", "--id", "jane", "--name", "Jane", "--identity", "jane.doe", "--scope", "gatehouse:audit")
	require.ErrorContains(t, err, "not both")
	_, err = admin(t, schema, "client", "create", "--id", "nobody", "--name", "Nobody")
	require.ErrorContains(t, err, "is needed")
}
