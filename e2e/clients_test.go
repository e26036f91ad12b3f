package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/lifecycle"
)

// loginWith gets an access token with a client's id and secret.
func loginWith(t *testing.T, client object, scope ...string) caller {
	t.Helper()
	parameters := url.Values{"client_id": {client.id()}, "client_secret": {client.text("secret")}}
	if len(scope) > 0 {
		parameters.Set("scope", strings.Join(scope, " "))
	}
	status, body := askForToken(t, parameters)
	require.Equal(t, http.StatusOK, status, "%s", body)
	var l login
	require.NoError(t, json.Unmarshal(body, &l))
	return caller{t: t, token: l.AccessToken, mount: prefixed("/v3")}
}

// newPerson makes an identity with a client "demo-ALIAS", and returns the alias.
func newPerson(t *testing.T, levels ...lifecycle.Level) string {
	t.Helper()
	rows, at := stack.rows(t), time.Now().UTC().Truncate(time.Millisecond)
	identity := lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: unique("holder"), Name: "Holder-" + marker, Levels: levels, Active: true, Created: at, Modified: at,
	}
	require.NoError(t, rows.CreateIdentity(t.Context(), identity))
	newClient(t, rows, lifecycle.Client{ID: "demo-" + identity.Alias, IdentityID: identity.ID})
	return identity.Alias
}

// TestWhatHasItsOwn has programs, clients or people of their own for each of the
// tests, and so runs them together: most of their time is spent in waiting.
func TestWhatHasItsOwn(t *testing.T) {
	together(t, map[string]func(*testing.T){
		"rates are limited over all processes":          testRatesAreLimitedOverAllProcesses,
		"an OIDC provider logs people in":               testAnOIDCProviderLogsPeopleIn,
		"the walk while nobody decides":                 testTheWalkWhileNobodyDecides,
		"a token is made, used and revoked":             testATokenIsMadeUsedAndRevoked,
		"ten tokens are all there are":                  testTenTokensAreAllThereAre,
		"nobody mints more than they have":              testNobodyMintsMoreThanTheyHave,
		"an application is made, used and deleted":      testAnApplicationIsMadeUsedAndDeleted,
		"a token ends with its client and its identity": testATokenEndsWithItsClientAndItsIdentity,
	})
}

// testATokenIsMadeUsedAndRevoked follows a personal access token through its
// life, at every mount.
func testATokenIsMadeUsedAndRevoked(t *testing.T) {
	t.Helper()
	alias := newPerson(t)
	me := as(t, alias)
	made := me.post("/personal-access-tokens", object{"name": " Laptop ", "scope": []string{lifecycle.ScopeRead}}).want(200).object()
	require.Equal(t, "Laptop", made.text("name"))
	require.Equal(t, identityID(t, alias), object(made["owner"].(map[string]any)).id())
	require.NotContains(t, made, "lastUsed")
	require.Equal(t, 0, stack.count(t, `SELECT count(*) FROM clients WHERE convert_from(secret_hash, 'UTF8') LIKE '%' || $1 || '%'`, made.text("secret")))

	mine := loginWith(t, made)
	mine.get("/non-employee-sources?requested-for=me").want(200)
	mine.post("/personal-access-tokens", object{"name": "T"}).wantRefusal("to read is not to mint")
	for _, m := range mounts() {
		listed := me.at(m).get("/personal-access-tokens?owner-id=me&count=true").want(200)
		require.Equal(t, "2", listed.header.Get("X-Total-Count"), m.name)
		tokens := listed.list()
		at := slices.IndexFunc(tokens, func(o object) bool { return o.id() == made.id() })
		require.GreaterOrEqual(t, at, 0)
		require.NotContains(t, tokens[at], "secret")
		require.NotEmpty(t, tokens[at].text("lastUsed"))
	}
	other := as(t, newPerson(t))
	other.get("/personal-access-tokens?owner-id=" + identityID(t, alias)).wantRefusal("another's tokens")
	for _, token := range other.get("/personal-access-tokens").want(200).list() {
		require.NotEqual(t, made.id(), token.id())
	}
	other.delete("/personal-access-tokens/" + made.id()).wantRefusal("another's token")
	other.delete("/personal-access-tokens/nothing").wantRefusal("no token")
	as(t, "source.admin").delete("/personal-access-tokens/" + made.id()).wantRefusal("who administers sources")
	as(t, "app").get("/personal-access-tokens").wantRefusal("an application")
	as(t, "admin").delete("/personal-access-tokens/nothing").wantError(404, "404 Not found", "")
	as(t, "admin").delete("/personal-access-tokens/demo-app").wantError(404, "404 Not found", "")
	as(t, "admin").get("/personal-access-tokens?owner-id=" + identityID(t, alias)).want(200)

	me.delete("/personal-access-tokens/" + made.id()).want(204)
	require.Eventually(t, func() bool {
		return mine.get("/non-employee-sources?requested-for=me").status == http.StatusUnauthorized
	}, auth.StateAge+5*time.Second, 100*time.Millisecond, "it dies with its client")
	status, _ := askForToken(t, url.Values{"client_id": {made.id()}, "client_secret": {made.text("secret")}})
	require.Equal(t, http.StatusUnauthorized, status)
}

// testTenTokensAreAllThereAre, also when they are asked for at once.
func testTenTokensAreAllThereAre(t *testing.T) {
	t.Helper()
	me := as(t, newPerson(t))
	const tries = 14
	answers := make([]answer, tries)
	var group sync.WaitGroup
	for i := range tries {
		group.Go(func() { answers[i] = me.post("/personal-access-tokens", object{"name": "T"}) })
	}
	group.Wait()
	made := 0
	for _, a := range answers {
		if a.status == http.StatusOK {
			made++
			continue
		}
		a.wantError(400, "400.1.4 Limit violation", "10 personal access tokens")
	}
	require.Equal(t, lifecycle.MaxPersonalTokens-1, made, "one was there before")
}

// testNobodyMintsMoreThanTheyHave: neither scopes nor rights grow by way of a
// token.
func testNobodyMintsMoreThanTheyHave(t *testing.T) {
	t.Helper()
	admin := as(t, newPerson(t, lifecycle.LevelOrgAdmin))
	managing := loginWith(t, admin.post("/personal-access-tokens", object{"name": "All"}).want(200).object(), lifecycle.ScopeManage)
	managing.get("/personal-access-tokens").wantRefusal("to manage is not to read")
	for _, path := range []string{"/personal-access-tokens", "/oauth-clients"} {
		for _, scope := range []string{lifecycle.ScopeRead, lifecycle.ScopeAll} {
			managing.post(path, object{"name": "More", "scope": []string{scope}}).
				wantError(400, "400.1.3 Illegal value", "scope[0] goes beyond the token that asks")
		}
		made := managing.post(path, object{"name": "Same"}).want(200).object()
		require.Equal(t, []any{lifecycle.ScopeManage}, made["scope"])
		managing.post(path, object{"scope": "x"}).wantError(400, "400.1 Bad Request Content", "name is required")
	}
	everything := object{"name": "App", "rights": []string{string(lifecycle.RightCreate)}}
	for _, who := range []string{"source.admin", "sub.admin", "outsider", "app"} {
		c := as(t, who)
		c.post("/oauth-clients", everything).wantRefusal(who)
		c.post("/oauth-clients", `{`).wantRefusal(who)
		c.get("/oauth-clients").wantRefusal(who)
		c.get("/oauth-clients/demo-app").wantRefusal(who)
		c.delete("/oauth-clients/demo-app").wantRefusal(who)
		c.delete("/oauth-clients/nothing").wantRefusal(who)
	}
}

// testAnApplicationIsMadeUsedAndDeleted at every mount.
func testAnApplicationIsMadeUsedAndDeleted(t *testing.T) {
	t.Helper()
	admin := as(t, "admin")
	made := admin.post("/oauth-clients", object{
		"name": unique("App"), "description": "For a test", "rights": []string{string(lifecycle.RightRead)},
		"grantTypes": []string{"CLIENT_CREDENTIALS"}, "accessType": "OFFLINE", "enabled": true, "accessTokenValiditySeconds": 750,
	}).want(200).object()
	app := loginWith(t, made)
	app.get("/non-employee-sources").want(200)
	app.post("/non-employee-sources", object{}).wantRefusal("without the right")
	for _, m := range mounts() {
		read := admin.at(m).get("/oauth-clients/" + made.id()).want(200).object()
		require.NotEmpty(t, read.text("lastUsed"), m.name)
		delete(read, "lastUsed")
		read["secret"] = made.text("secret")
		require.Equal(t, made, read, m.name)
	}
	listed := admin.get("/oauth-clients?limit=1&count=true").want(200)
	require.Len(t, listed.list(), 1)
	require.NotEqual(t, "1", listed.header.Get("X-Total-Count"))
	require.NotContains(t, string(listed.body), "secret")
	admin.get("/oauth-clients/demo-admin").wantError(404, "404 Not found", "")
	admin.delete("/oauth-clients/demo-admin").wantError(404, "404 Not found", "")
	admin.get("/oauth-clients/"+url.PathEscape("a b")).wantError(400, "400.1 Bad Request Content", "id must have")

	admin.delete("/oauth-clients/" + made.id()).want(204)
	require.Eventually(t, func() bool { return app.get("/non-employee-sources").status == http.StatusUnauthorized },
		auth.StateAge+5*time.Second, 100*time.Millisecond)
	admin.delete("/oauth-clients/"+made.id()).wantError(404, "404 Not found", "")
}
