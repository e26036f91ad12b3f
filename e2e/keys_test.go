package e2e_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/devstack"
)

// admin runs the program admin on the stack's database, as the application's
// role, and returns what it printed.
func (s *system) admin(t *testing.T, line ...string) string {
	t.Helper()
	dir := filepath.Join(s.Dir(), "bin")
	root, err := devstack.ModuleRoot()
	require.NoError(t, err)
	require.NoError(t, devstack.Build(t.Context(), root, dir, false, "admin"))
	program := exec.CommandContext(patience(t), filepath.Join(dir, "admin"), line...)
	program.Env = append(os.Environ(), "GATEHOUSE_DATABASE_URL="+s.Postgres.AppURL())
	var faults bytes.Buffer
	program.Stderr = &faults
	printed, err := program.Output()
	require.NoError(t, err, faults.String())
	return string(printed)
}

// keyOf is the key that an access token is signed with.
func keyOf(t *testing.T, token string) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	require.NoError(t, err)
	return parsed.Header["kid"].(string)
}

// TestKeysAreRotatedWithoutARestart: every running process publishes a new key
// before it signs, takes it up by itself, goes on taking the tokens of the old
// one, and drops these with their key.
func TestKeysAreRotatedWithoutARestart(t *testing.T) {
	another := stack.startAnotherAPI(t, nil)
	apis := []string{stack.apiURL, another}
	at := func(api, token string) answer {
		return caller{t: t, token: token, mount: prefixed("/v3"), api: api}.get("/non-employee-sources?requested-for=me")
	}
	fresh := func(api string) string {
		t.Helper()
		a := caller{t: t, mount: prefixed(""), api: api}.send(http.MethodPost, "/oauth/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {"demo-outsider"}, "client_secret": {"demo-outsider-secret"},
		}.Encode(), "Content-Type", "application/x-www-form-urlencoded").want(http.StatusOK)
		var l login
		require.NoError(t, json.Unmarshal(a.body, &l))
		return l.AccessToken
	}
	old := fresh(apis[0])
	first := keyOf(t, old)

	waiting, _, _ := strings.Cut(stack.admin(t, "key", "rotate"), "\t")
	for _, api := range apis {
		eventually(t, "the key is published", func() bool {
			return strings.Contains(string(caller{t: t, mount: prefixed(""), api: api}.get("/oauth/jwks").want(200).body), waiting)
		})
		require.Equal(t, first, keyOf(t, fresh(api)), "it does not sign yet")
	}
	// Its time comes.
	stack.execute(t, `UPDATE signing_keys SET signs_from = now() WHERE kid = $1`, waiting)
	for _, api := range apis {
		eventually(t, "the key signs", func() bool { return keyOf(t, fresh(api)) == waiting })
	}
	for _, api := range apis {
		at(api, old).want(http.StatusOK)
		at(api, fresh(apis[0])).want(http.StatusOK)
		at(api, fresh(apis[1])).want(http.StatusOK)
	}
	require.Regexp(t, waiting+"\tsigns\t.*\n"+first+"\tverifies\t", stack.admin(t, "key", "list"))

	// The last token of the old key would be gone by now.
	stack.execute(t, `UPDATE signing_keys SET signs_from = signs_from - $1::interval`, (auth.MaxLifetime + 5*time.Minute).String())
	for _, api := range apis {
		eventually(t, "the old key is removed, and with it what it signed", func() bool { return at(api, old).status == http.StatusUnauthorized })
		at(api, old).wantUnauthenticated("JWT is signed with an unknown key")
		require.NotContains(t, string(caller{t: t, mount: prefixed(""), api: api}.get("/oauth/jwks").want(200).body), first)
		at(api, fresh(api)).want(http.StatusOK)
	}
	require.Equal(t, 0, stack.count(t, `SELECT count(*) FROM signing_keys WHERE kid = $1`, first))
	// Tokens that other tests keep are of the old key.
	logins.Clear()
}
