package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestAPersonIsErasedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s := schema.Open(t, store.Config{})
	manager := storetest.Identity(t, s, "jane.doe")
	source := storetest.Source(t, s, "Contractors", manager.ID)
	record := lifecycle.Record{
		ID: lifecycle.NewID(), SourceID: source.ID, Person: storetest.Person("trillian", manager),
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	require.NoError(t, s.CreateRecord(t.Context(), record, 10))
	remove := func(args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		err := erase(t.Context(), args, schema.MigrationURL, &out)
		return out.String(), err
	}
	out, err := remove("--account-name", " Trillian", "--source", source.ID.String(), "--dry-run")
	require.NoError(t, err)
	require.Contains(t, out, "would erase:\n  1\trecords\n  0\trequests")
	_, _, err = s.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.NotContains(t, out, outOfReach)

	out, err = remove("--record", record.ID.String())
	require.NoError(t, err)
	require.Regexp(t, `^erased, as [0-9a-f-]{36}:\n  1\trecords\n`, out)
	require.Contains(t, out, "  1\taudit entries: what was changed\n")
	require.Contains(t, out, outOfReach)
	require.NotContains(t, strings.ToLower(out), "trillian")
	_, _, err = s.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(err))
	out, err = admin(t, schema, "audit", "verify")
	require.NoError(t, err, out)
	require.Contains(t, out, "erased details\t1\n")

	_, err = remove("--email", "nobody@example.org")
	require.ErrorContains(t, err, "Nothing is known of this person.")

	out, err = remove("--identity", "jane.doe")
	require.NoError(t, err)
	require.Contains(t, out, "  1\tidentities, of which the row stays\n")
	require.NotContains(t, out, "jane")
	_, err = remove("--identity", "jane.doe")
	require.EqualError(t, err, `there is no identity "jane.doe"`)
}

// TestAnInterruptedErasureIsFinishedByTheNext, whomever that is about.
func TestAnInterruptedErasureIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	owner, err := store.Open(t.Context(), store.Config{URL: schema.MigrationURL})
	require.NoError(t, err)
	defer func() { require.NoError(t, owner.Close()) }()
	identity := storetest.Identity(t, owner, "jane.doe")
	person, err := owner.FindErased(t.Context(), lifecycle.ErasureTarget{Identity: identity.ID})
	require.NoError(t, err)
	_, err = owner.BeginErasure(t.Context(), person)
	require.NoError(t, err)
	var out bytes.Buffer
	require.Error(t, erase(t.Context(), []string{"--email", "x@example.org"}, schema.MigrationURL, &out))
	require.Contains(t, out.String(), "an interrupted one, erased, as ")
	_, err = owner.FindIdentity(t.Context(), "jane.doe")
	require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(err))
}

func TestWhomToEraseIsSaidInOneWay(t *testing.T) {
	t.Parallel()
	id := lifecycle.NewID().String()
	const oneWay = "one of --record, --request, --account-name, --email and --identity is needed"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, oneWay},
		{[]string{"--dry-run"}, oneWay},
		{[]string{"--source", id}, oneWay},
		{[]string{"--record", id, "--email", "a@example.org"}, oneWay},
		{[]string{"--account-name", "x"}, "--account-name and --source go together"},
		{[]string{"--record", id, "--source", id}, "--account-name and --source go together"},
		{[]string{"--record", "x"}, `invalid value "x" for flag -record: not a UUID`},
		{[]string{"--email", "a@example.org", "extra"}, `"extra" is not expected`},
		{[]string{"--email", "a@example.org"}, ownerVariable + " is not set: only the role that owns the tables may remove what the audit trail tells about people"},
	} {
		require.EqualError(t, erase(t.Context(), tt.args, "", &bytes.Buffer{}), tt.want, tt.args)
	}
}
