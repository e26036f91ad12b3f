package e2e_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
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
	"gatehouse/lifecycle"
)

// provider is an OIDC provider in a process of its own, which others wrote; see
// tools/oidc-provider. It has a new key after each start.
type provider struct {
	program, port, users string
	process              *exec.Cmd
}

// newProvider prepares a provider that knows these people, whose password is
// "password", on a port that is free.
func newProvider(t *testing.T, admins, others []string) *provider {
	t.Helper()
	root, err := devstack.ModuleRoot()
	require.NoError(t, err)
	program, err := devstack.Tool(t.Context(), root, "oidc-provider", os.Stderr)
	require.NoError(t, err)
	port, err := devstack.FreePort()
	require.NoError(t, err)
	users := object{}
	for i, alias := range append(admins, others...) {
		id := "user-" + alias
		users[id] = object{"ID": id, "Username": alias, "Password": "password", "IsAdmin": i < len(admins)}
	}
	text, err := json.Marshal(users)
	require.NoError(t, err)
	dir := t.TempDir()
	p := &provider{program: program, port: fmt.Sprint(port), users: filepath.Join(dir, "users.json")}
	require.NoError(t, os.WriteFile(p.users, text, 0o600))
	t.Cleanup(p.stop)
	return p
}

func (p *provider) url() string { return "http://" + devstack.Loopback + ":" + p.port }

func (p *provider) start(t *testing.T) {
	t.Helper()
	p.process = exec.CommandContext(context.WithoutCancel(t.Context()), p.program, p.port, p.users)
	p.process.Stdout, p.process.Stderr = &providers, &providers
	require.NoError(t, p.process.Start())
	eventually(t, "the provider answers", func() bool {
		_, _, err := p.get(t, p.url()+"/.well-known/openid-configuration")
		return err == nil
	})
}

func (p *provider) stop() {
	if p.process != nil {
		_ = p.process.Process.Kill()
		_ = p.process.Wait()
		p.process = nil
	}
}

// get makes one call and returns the body, and where the answer leads instead.
func (p *provider) get(t *testing.T, target string) (body []byte, location *url.URL, err error) {
	t.Helper()
	return p.send(t, http.MethodGet, target, "")
}

// send does so with a form.
func (p *provider) send(t *testing.T, method, target, form string) (body []byte, location *url.URL, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form))
	require.NoError(t, err)
	if form != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := &http.Client{
		Timeout: answerTimeout, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusFound {
		location, err = response.Location()
		return nil, location, err
	}
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err = io.ReadAll(response.Body)
	return body, nil, err
}

// signIn has somebody log in as with a browser, by the authorization code flow,
// and returns their access token.
func (p *provider) signIn(t *testing.T, alias, scope string) string {
	t.Helper()
	follow := func(_ []byte, location *url.URL, err error) *url.URL {
		require.NoError(t, err)
		require.NotNil(t, location)
		return location
	}
	const callback = "http://127.0.0.1/callback"
	login := follow(p.get(t, p.url()+"/auth?"+url.Values{
		"client_id": {"web"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {scope},
	}.Encode()))
	granted := follow(p.send(t, http.MethodPost, p.url()+"/login/username", url.Values{
		"id": {login.Query().Get("authRequestID")}, "username": {alias}, "password": {"password"},
	}.Encode()))
	back := follow(p.get(t, granted.String()))
	return p.token(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {callback},
		"client_id": {"web"}, "client_secret": {"secret"},
	})
}

// application returns an access token of the provider's application.
func (p *provider) application(t *testing.T) string {
	t.Helper()
	return p.token(t, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"sid1"}, "client_secret": {"verysecret"}, "scope": {"openid gatehouse.all"},
	})
}

func (p *provider) token(t *testing.T, parameters url.Values) string {
	t.Helper()
	body, _, err := p.send(t, http.MethodPost, p.url()+"/oauth/token", parameters.Encode())
	require.NoError(t, err)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	return answer.AccessToken
}

// key returns the provider's public key and its name.
func (p *provider) key(t *testing.T) (*rsa.PublicKey, string) {
	t.Helper()
	body, _, err := p.get(t, p.url()+"/keys")
	require.NoError(t, err)
	var set struct {
		Keys []struct{ Kid, N string }
	}
	require.NoError(t, json.Unmarshal(body, &set))
	n, err := base64.RawURLEncoding.DecodeString(set.Keys[0].N)
	require.NoError(t, err)
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, set.Keys[0].Kid
}

// issuersFile is the configuration of an API that takes the provider's tokens.
func (p *provider) issuersFile(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(object{"issuers": []object{{
		"issuer": p.url(), "audiences": []string{"web", "sid1"}, "algorithms": []string{"RS256"},
		"identity":    object{"claim": "preferred_username", "by": "alias"},
		"application": object{"claim": "client_id"},
		"levels":      object{"claim": []string{"realm", "groups"}, "values": object{"admins": "ORG_ADMIN"}},
		"scopes":      object{"claim": "scp", "values": object{"gatehouse.all": lifecycle.ScopeAll, "gatehouse.read": lifecycle.ScopeRead}},
	}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "issuers.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// testAnOIDCProviderLogsPeopleIn runs an API with a provider that is away at
// first: its tokens can't be judged until it is there, and are from then on;
// restarted with another key, or away again, it takes nothing with it.
func testAnOIDCProviderLogsPeopleIn(t *testing.T) {
	t.Helper()
	rows := stack.rows(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	leaving := lifecycle.Identity{ID: lifecycle.NewID(), Alias: unique("leaving"), Name: "Leaving", Active: true, Created: now, Modified: now}
	require.NoError(t, rows.CreateIdentity(t.Context(), leaving))
	newClient(t, rows, lifecycle.Client{ID: "sid1", Rights: []lifecycle.Right{lifecycle.RightRead}})
	p := newProvider(t, []string{"outsider", "stranger." + marker}, []string{"admin", "john.roe", leaving.Alias})
	api := stack.startAnotherAPI(t, map[string]string{"GATEHOUSE_OIDC_ISSUERS_FILE": p.issuersFile(t)})
	with := func(token string) caller { return caller{t: t, token: token, mount: prefixed("/v3"), api: api} }

	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	early := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"iss": p.url(), "exp": now.Add(time.Hour).Unix()})
	early.Header["kid"] = "k"
	text, err := early.SignedString(stranger)
	require.NoError(t, err)
	with(text).get("/non-employee-sources").wantUnauthenticated("JWT signature is invalid", "an algorithm that the issuer must not use")
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	early.Method = jwt.SigningMethodRS256
	early.Header["alg"] = "RS256"
	text, err = early.SignedString(foreign)
	require.NoError(t, err)
	refused := with(text).get("/non-employee-sources").want(http.StatusServiceUnavailable)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	as(t, "admin").get("/non-employee-sources").want(http.StatusOK)

	p.start(t)
	raised := p.signIn(t, "outsider", "openid gatehouse.all")
	eventually(t, "the provider's keys are known", func() bool {
		return with(raised).get("/non-employee-sources").status == http.StatusOK
	})
	// Who they are and where they stand is for the provider to say, as far as the
	// configuration lets it.
	source := with(raised).post("/non-employee-sources", object{
		"name": unique("Provided"), "description": "d", "owner": object{"id": identityID(t, "outsider")},
	}).want(http.StatusOK).object()
	with(raised).delete("/non-employee-sources/" + source.id()).want(http.StatusNoContent)
	with(raised).get("/non-employee-approvals?requested-for=me").want(http.StatusOK)
	lowered := p.signIn(t, "admin", "openid gatehouse.all")
	with(lowered).get("/non-employee-sources?requested-for=me").want(http.StatusOK)
	with(lowered).post("/non-employee-sources", object{}).wantRefusal("whose level the provider does not name")
	reading := p.signIn(t, "outsider", "openid gatehouse.read")
	with(reading).get("/non-employee-sources").want(http.StatusOK)
	with(reading).post("/non-employee-sources", object{}).wantRefusal("whose scope is to read")
	without := p.signIn(t, "outsider", "openid")
	with(without).get("/non-employee-sources").wantRefusal("without a scope")
	nobody := p.signIn(t, "stranger."+marker, "openid gatehouse.all")
	with(nobody).get("/non-employee-sources").wantUnauthenticated("JWT belongs to an identity that is unknown or inactive")

	application := p.application(t)
	with(application).get("/non-employee-sources").want(http.StatusOK)
	with(application).post("/non-employee-sources", object{}).wantRefusal("without the right")
	with(application).get("/non-employee-sources?requested-for=me").wantError(http.StatusBadRequest, "400.1 Bad Request Content", "")

	requireForgeriesRefused(t, p, raised, with)

	// Whoever is switched off is out within 10 s, by everything that got them in.
	left := p.signIn(t, leaving.Alias, "openid gatehouse.all")
	with(left).get("/non-employee-sources?requested-for=me").want(http.StatusOK)
	require.NoError(t, rows.SetIdentityActive(t.Context(), leaving.ID, false))
	require.NoError(t, rows.SetClientActive(t.Context(), "sid1", false))
	require.Eventually(t, func() bool {
		return with(left).get("/non-employee-sources?requested-for=me").status == http.StatusUnauthorized &&
			with(application).get("/non-employee-sources").status == http.StatusUnauthorized
	}, auth.StateAge+5*time.Second, 100*time.Millisecond)
	with(application).get("/non-employee-sources").wantUnauthenticated("JWT belongs to a client that is unknown or inactive")

	p.stop()
	with(raised).get("/non-employee-sources").want(http.StatusOK)
	with(lowered).get("/non-employee-sources?requested-for=me").want(http.StatusOK)
	p.start(t)
	again := p.signIn(t, "outsider", "openid gatehouse.all")
	eventually(t, "the provider's new key is known", func() bool {
		return with(again).get("/non-employee-sources").status == http.StatusOK
	})
	with(raised).get("/non-employee-sources").wantUnauthenticated("JWT is signed with an unknown key", "whose key the provider has no more")
	caller{t: t, token: again, mount: prefixed("/v3")}.get("/non-employee-sources").
		wantUnauthenticated("JWT signature is invalid", "where the provider is not configured")
}

// requireForgeriesRefused holds that nothing but the provider's own signature
// opens the API.
func requireForgeriesRefused(t *testing.T, p *provider, good string, with func(string) caller) {
	t.Helper()
	public, name := p.key(t)
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(good, claims)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	sign := func(method jwt.SigningMethod, kid string, key any) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		require.NoError(t, err)
		return text
	}
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	own := newForger(t)
	for what, c := range map[string]struct{ token, reason string }{
		"none":                             {sign(jwt.SigningMethodNone, name, jwt.UnsafeAllowNoneSignatureType), "JWT signature is invalid"},
		"HS256 with the public key":        {sign(jwt.SigningMethodHS256, name, spki), "JWT signature is invalid"},
		"HS256 with the modulus":           {sign(jwt.SigningMethodHS256, name, public.N.Bytes()), "JWT signature is invalid"},
		"another algorithm of the kind":    {sign(jwt.SigningMethodPS256, name, stranger), "JWT signature is invalid"},
		"a stranger's key":                 {sign(jwt.SigningMethodRS256, name, stranger), "JWT signature is invalid"},
		"our own key":                      {sign(jwt.SigningMethodEdDSA, own.header["kid"].(string), own.key), "JWT signature is invalid"},
		"a key that nobody has":            {sign(jwt.SigningMethodRS256, "nobody's", stranger), "JWT is signed with an unknown key"},
		"a changed payload":                {head + "." + payload[:len(payload)-4] + "AAAA." + signature, "JWT signature is invalid"},
		"no signature":                     {head + "." + payload + ".", "JWT signature is invalid"},
		"its issuer, with a token of ours": {own.forge(t, jwt.MapClaims{"iss": p.url()}), "JWT signature is invalid"},
		"huge":                             {good + strings.Repeat("a", 9<<10), "JWT is too long"},
	} {
		got := with(c.token).get("/non-employee-sources")
		if what == "a changed payload" {
			require.Equal(t, http.StatusUnauthorized, got.status, what)
			continue
		}
		got.wantUnauthenticated(c.reason, what)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, with("").api+"/v3/non-employee-sources", http.NoBody)
	require.NoError(t, err)
	request.Header["Authorization"] = []string{"Bearer " + good, "Bearer " + good}
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	with(good).get("/non-employee-sources").want(http.StatusOK)
}
