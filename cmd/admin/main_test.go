package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// shell runs command lines on a database of the test's own.
type shell struct {
	*testing.T
	url string
}

// run returns what a command that succeeds prints.
func (s shell) run(line ...string) string {
	s.Helper()
	var out strings.Builder
	require.NoError(s, run(s.Context(), line, s.url, &out), "%v", line)
	return out.String()
}

// fails holds that a command fails, saying why.
func (s shell) fails(why string, line ...string) {
	s.Helper()
	var out strings.Builder
	require.ErrorContains(s, run(s.Context(), line, s.url, &out), why, "%v", line)
	require.NotContains(s, out.String(), "client_secret=", "%v", line)
}

// secret reads the id and the secret that a command printed.
func (s shell) secret(printed string) (id, secret string) {
	s.Helper()
	lines := strings.Split(printed, "\n")
	require.Len(s, lines, 3)
	id, hasID := strings.CutPrefix(lines[0], "client_id=")
	secret, hasSecret := strings.CutPrefix(lines[1], "client_secret=")
	require.True(s, hasID && hasSecret && len(secret) == 43, printed)
	return id, secret
}

func TestAnOrganisationIsBegunOnce(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	sh := shell{t, schema.AppURL}
	sh.fails("--alias and --name are needed", "init", "--alias", "ada")
	sh.fails("not expected", "init", "--alias", "ada", "--name", "Ada", "secret")
	id, secret := sh.secret(sh.run("init", "--alias", "ada", "--name", "Ada Admin", "--email", "ada@example.com"))
	client, identity, err := schema.Open(t, store.Config{}).GetClient(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, bcrypt.CompareHashAndPassword(client.SecretHash, []byte(secret)))
	require.Equal(t, "ada", identity.Alias)
	require.Equal(t, "[ORG_ADMIN]", fmt.Sprint(identity.Levels))
	require.Equal(t, "[sp:scopes:all]", fmt.Sprint(client.Scopes))
	sh.fails("An ORG_ADMIN has a client already.", "init", "--alias", "eve", "--name", "Eve")
	require.NotContains(t, sh.run("identity", "list"), "eve")
	require.NotContains(t, sh.run("token", "list"), secret)
}

func TestTokensAndClientsAreMadeListedAndRevoked(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	sh := shell{t, schema.AppURL}
	sh.run("identity", "create", "--alias", "jane", "--name", "Jane", "--level", "SOURCE_ADMIN")
	sh.run("identity", "create", "--alias", "john", "--name", "John")
	first, _ := sh.secret(sh.run("token", "create", "--identity", "JANE", "--name", "Laptop", "--scope", "idn:nelm:read"))
	require.Regexp(t, "^[0-9a-f]{32}$", first)
	second, _ := sh.secret(sh.run("token", "create", "--identity", "john", "--name", "T", "--id", "john-t"))
	require.Equal(t, "john-t", second)
	app, _ := sh.secret(sh.run("client", "create", "--id", "app", "--name", "App", "--right", "idn:nesr:read", "--right", "idn:nesr:create"))
	require.Equal(t, "app", app)

	require.Regexp(t, "^"+first+"\tLaptop\tjane\tactive\t\\[idn:nelm:read\\]\t\\S+\tnever\n"+
		"john-t\tT\tjohn\tactive\t\\[sp:scopes:all\\]\t\\S+\tnever\n$", sh.run("token", "list"))
	require.NotContains(t, sh.run("token", "list", "--identity", "jane"), "john-t")
	require.Regexp(t, "^app\tApp\t\\[idn:nesr:read idn:nesr:create\\]\tactive\t", sh.run("client", "list"))

	sh.fails("is an application's", "token", "revoke", "app")
	sh.run("token", "revoke", first)
	sh.fails("not_found", "token", "revoke", first)
	sh.fails("not_found", "client", "delete", "john-t")
	sh.run("client", "revoke", "app")
	require.Contains(t, sh.run("client", "list"), "\tinactive\t")
	sh.run("client", "delete", "app")
	require.Empty(t, sh.run("client", "list"))

	// Secrets are costly to make.
	rows := schema.Open(t, store.Config{})
	john, err := rows.IdentityByAlias(t.Context(), "john")
	require.NoError(t, err)
	for i := range lifecycle.MaxPersonalTokens - 1 {
		require.NoError(t, rows.CreateClient(t.Context(), lifecycle.Client{
			ID: fmt.Sprint(i), SecretHash: []byte("h"), IdentityID: john.ID, Created: now(),
		}))
	}
	sh.fails("10 personal access tokens already", "token", "create", "--identity", "john", "--name", "T")
	sh.fails("--identity is needed", "token", "create", "--name", "T")
	sh.fails("--name is needed", "token", "create", "--identity", "jane")
	sh.fails("--id must be", "token", "create", "--identity", "jane", "--name", "T", "--id", "a b")
	sh.fails(`there is no identity "nobody"`, "token", "create", "--identity", "nobody", "--name", "T")
	sh.fails(`--scope "all": must be`, "token", "create", "--identity", "jane", "--name", "T", "--scope", "all")
	sh.fails(`--right "read": must be`, "client", "create", "--id", "b", "--name", "B", "--right", "read")
	sh.fails("either --identity or --right", "client", "create", "--id", "b", "--name", "B")
	sh.fails("there is no command", "token", "borrow")
	sh.fails("there is no command", "token")
	sh.fails("a command is needed")
	sh.fails("--level", "identity", "create", "--alias", "x", "--name", "X", "--level", "KING")
}

func TestKeysAreRotatedAndRemoved(t *testing.T) {
	t.Parallel()
	sh := shell{t, storetest.NewSchema(t).AppURL}
	require.Empty(t, sh.run("key", "list"))
	name := func(printed string) string { return strings.Split(printed, "\t")[0] }
	first := name(sh.run("key", "rotate", "--now"))
	sh.fails("the only key that can sign", "key", "remove", first)
	second := name(sh.run("key", "rotate", "--now"))
	waiting := name(sh.run("key", "rotate"))
	sh.fails("waits to sign already", "key", "rotate")
	require.Regexp(t, "^"+waiting+"\twaits\t\\S+\n"+second+"\tsigns\t\\S+\n"+first+"\tverifies\t\\S+\n$", sh.run("key", "list"))
	third := name(sh.run("key", "rotate", "--now"))
	require.Regexp(t, "^"+waiting+"\twaits\t\\S+\n"+third+"\tsigns\t\\S+\n"+second+"\tverifies\t", sh.run("key", "list"))
	sh.run("key", "remove", first)
	sh.fails("There is no such key", "key", "remove", first)
	require.NotContains(t, sh.run("key", "list"), first)
}
