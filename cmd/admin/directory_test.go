package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// TestWorkgroupsAreKept: people come and go, and the list says who many there are.
func TestWorkgroupsAreKept(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	admin := func(args ...string) (string, error) {
		var out strings.Builder
		err := run(t.Context(), args, schema.AppURL, &out)
		return out.String(), err
	}
	require.NoError(t, errorOf(admin("identity", "create", "--alias", "ann", "--name", "Ann")))
	created, err := admin("workgroup", "create", "--name", "Field ops", "--member", "ANN")
	require.NoError(t, err)
	id := strings.TrimSpace(created)
	list := func() string {
		out, err := admin("workgroup", "list")
		require.NoError(t, err)
		return out
	}
	require.Equal(t, id+"\tField ops\t1\n", list())
	for range 2 {
		require.NoError(t, errorOf(admin("workgroup", "remove", "field OPS", "ann")))
	}
	require.Equal(t, id+"\tField ops\t0\n", list())
	require.NoError(t, errorOf(admin("workgroup", "add", id, "ann")))
	require.Equal(t, id+"\tField ops\t1\n", list())
	require.ErrorContains(t, errorOf(admin("workgroup", "remove", "Field ops", "bob")), `there is no identity "bob"`)
	require.Error(t, errorOf(admin("workgroup", "remove", "Other", "ann")))
	require.ErrorContains(t, errorOf(admin("workgroup", "list", "x")), "not expected")
}

func errorOf(_ string, err error) error { return err }

// TestAnIdentityIsMadeWithItsManager, who is named like anybody else.
func TestAnIdentityIsMadeWithItsManager(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	admin := func(args ...string) (string, error) {
		var out strings.Builder
		err := run(t.Context(), append([]string{"identity", "create"}, args...), schema.AppURL, &out)
		return strings.TrimSpace(out.String()), err
	}
	require.ErrorContains(t, errorOf(admin("--alias", "bob", "--name", "Bob", "--manager", "ann")), `there is no identity "ann"`)
	ann, err := admin("--alias", "ann", "--name", "Ann")
	require.NoError(t, err)
	bob, err := admin("--alias", "bob", "--name", "Bob", "--manager", "ANN")
	require.NoError(t, err)
	identity, err := schema.Open(t, store.Config{}).GetIdentity(t.Context(), lifecycle.MustParseID(bob))
	require.NoError(t, err)
	require.Equal(t, ann, identity.Manager.String())
}

// TestADirectoryHasAClientOfItsOwn: its scope goes with nothing else.
func TestADirectoryHasAClientOfItsOwn(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	admin := func(args ...string) error {
		return run(t.Context(), append([]string{"client", "create", "--id", "okta", "--name", "Okta"}, args...), schema.AppURL, &strings.Builder{})
	}
	require.NoError(t, run(t.Context(), []string{"identity", "create", "--alias", "ann", "--name", "Ann"}, schema.AppURL, &strings.Builder{}))
	for _, with := range [][]string{
		{"--identity", "ann"}, {"--right", "idn:nesr:read"}, {"--scope", lifecycle.ScopeAll}, {"--scope", lifecycle.ScopeRead},
	} {
		require.ErrorContains(t, admin(append(with, "--scope", lifecycle.ScopeSCIM)...), "a client of its own")
	}
	require.ErrorContains(t, admin("--scope", "gatehouse:all"), "gatehouse:scim")
	require.ErrorContains(t, admin(), "--right or --scope")
	require.NoError(t, admin("--scope", lifecycle.ScopeSCIM))
	client, identity, err := schema.Open(t, store.Config{}).GetClient(t.Context(), "okta")
	require.NoError(t, err)
	require.Zero(t, identity)
	require.Equal(t, []string{lifecycle.ScopeSCIM}, client.Scopes)
	require.Empty(t, client.Rights)
}
