package e2e_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// everyOperation is the access table with the lists and the one operation that
// there is no object for.
func everyOperation() []access {
	all := append(table(), access{
		operation: "createNonEmployeeSource", method: http.MethodPost, path: "/non-employee-sources",
		body:       func(grounds) any { return object{"name": unique("Made"), "description": "d"} },
		everywhere: creators,
	})
	for _, l := range listings() {
		all = append(all, access{
			operation: l.operation, method: http.MethodGet,
			path: strings.Replace(l.path, "{for}", "me", 1) + "?requested-for=me", everywhere: readers,
		})
	}
	for operation, path := range map[string]string{
		"listIdentities": "/identities", "getIdentity": "/identities/{source}", "listWorkgroups": "/workgroups",
		"getWorkgroup": "/workgroups/{source}", "listWorkgroupMembers": "/workgroups/{source}/members",
		"getNonEmployeeApprovalConfig": "/non-employee-approval-config", "getNonEmployeeLifecycleConfig": "/non-employee-lifecycle-config",
		"listNonEmployeeExtensions": "/non-employee-extensions",
	} {
		all = append(all, access{operation: operation, method: http.MethodGet, path: path, everywhere: admins})
	}
	return all
}

// narrowed returns a token of the actor's with these scopes alone.
func narrowed(t *testing.T, actor, scope string) caller {
	t.Helper()
	status, body := askForToken(t, url.Values{
		"client_id": {"demo-" + actor}, "client_secret": {"demo-" + actor + "-secret"}, "scope": {scope},
	})
	require.Equal(t, http.StatusOK, status, "%s", body)
	var l login
	require.NoError(t, json.Unmarshal(body, &l))
	return caller{t: t, token: l.AccessToken, mount: prefixed("/v3")}
}

// TestEveryOperationNeedsItsScope: every GET needs the scope read, everything
// else manage (contract §5); neither stands for the other.
func TestEveryOperationNeedsItsScope(t *testing.T) {
	g, none := fullGrounds(t), noGrounds()
	defer g.drop(t)
	reading, managing := map[string]caller{}, map[string]caller{}
	for _, actor := range []string{"admin", "here.approver"} {
		reading[actor], managing[actor] = narrowed(t, actor, lifecycle.ScopeRead), narrowed(t, actor, lifecycle.ScopeManage)
	}
	operations := map[string]bool{}
	for _, line := range everyOperation() {
		operations[line.operation] = true
		actor := "admin"
		if len(line.everywhere) == 0 {
			actor = "here.approver"
		}
		right, wrong := managing[actor], reading[actor]
		if line.method == http.MethodGet {
			right, wrong = wrong, right
		}
		for _, m := range mounts() {
			line.call(wrong.at(m), g).wantRefusal(line.operation)
			line.call(wrong.at(m), none).wantRefusal(line.operation)
		}
		if line.effect != uses {
			require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, line.call(right, g).status, line.operation)
		}
	}
	require.Len(t, operations, len(policy.Rules)+len(policy.Extensions))
}

// TestUserOperationsTakeNoApplicationToken: five operations need an identity
// (contract §5), and so do ours on an approval item, and no right stands in for one.
func TestUserOperationsTakeNoApplicationToken(t *testing.T) {
	g, none := newGrounds(t, here), noGrounds()
	defer g.drop(t)
	userOnly := []string{
		"getNonEmployeeApproval", "approveNonEmployeeRequest", "rejectNonEmployeeRequest",
		"updateNonEmployeeRecord", "patchNonEmployeeRecord", "endNonEmployeeRecord",
		"reassignNonEmployeeApproval", "claimNonEmployeeApproval", "getNonEmployeeApprovalReassignmentHistory",
		"listIdentityAbsences", "createIdentityAbsence", "getIdentityAbsence", "deleteIdentityAbsence",
	}
	tried := 0
	for _, line := range table() {
		if !slices.Contains(userOnly, line.operation) {
			continue
		}
		tried++
		for _, actor := range actors() {
			if isApp(actor) {
				for _, m := range mounts() {
					line.call(as(t, actor).at(m), g).wantRefusal("%s as %s", line.operation, actor)
					line.call(as(t, actor).at(m), none).wantRefusal("%s as %s", line.operation, actor)
				}
			}
		}
	}
	require.Len(t, userOnly, tried)
}

// forger makes tokens as the API does, and others.
type forger struct {
	key    ed25519.PrivateKey
	header map[string]any
	claims jwt.MapClaims
}

// newForger has the key of the API and the claims of a good token of the
// administrator's.
func newForger(t *testing.T) forger {
	t.Helper()
	good, _, err := jwt.NewParser().ParseUnverified(signIn(t, "admin").AccessToken, jwt.MapClaims{})
	require.NoError(t, err)
	f := forger{header: good.Header, claims: good.Claims.(jwt.MapClaims)}
	keys, err := stack.rows(t).SigningKeys(t.Context())
	require.NoError(t, err)
	parsed, err := x509.ParsePKCS8PrivateKey(keys[0].PrivateKey)
	require.NoError(t, err)
	f.key = parsed.(ed25519.PrivateKey)
	return f
}

// forge signs the claims of the good token with these changes.
func (f forger) forge(t *testing.T, changes jwt.MapClaims) string {
	t.Helper()
	claims := maps.Clone(f.claims)
	maps.Copy(claims, changes)
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header = maps.Clone(f.header)
	signed, err := token.SignedString(f.key)
	require.NoError(t, err)
	return signed
}

// wantUnauthenticated fails the test unless the answer is the 401 of contract
// §3, with this reason.
func (a answer) wantUnauthenticated(reason string, what ...any) {
	a.t.Helper()
	require.Equal(a.t, http.StatusUnauthorized, a.status, what...)
	require.Equal(a.t, object{"error": "JWT validation failed: " + reason}, a.object(), what...)
	require.Equal(a.t, "Bearer", a.header.Get("WWW-Authenticate"), what...)
	require.Equal(a.t, "application/json", a.header.Get("Content-Type"), what...)
}

// fullGrounds are grounds here with all that an operation may be about.
func fullGrounds(t *testing.T) grounds {
	t.Helper()
	g := newGrounds(t, here, (*grounds).addExtension)
	g.addJob(t)
	g.addSchedule(t)
	return g
}

// requireNobodyIn holds that a token opens no operation at any mount, on the
// grounds or on none.
func requireNobodyIn(t *testing.T, g grounds, token, reason string) {
	t.Helper()
	for _, line := range everyOperation() {
		for _, m := range mounts() {
			for _, on := range []grounds{g, noGrounds()} {
				line.call(caller{t: t, mount: m, token: token}, on).wantUnauthenticated(reason, line.operation)
			}
		}
	}
}

// TestNoOperationWithoutAGoodToken: neither without a token nor with one that
// has expired, whatever the ids and the body.
func TestNoOperationWithoutAGoodToken(t *testing.T) {
	g := fullGrounds(t)
	defer g.drop(t)
	requireNobodyIn(t, g, "", "the request has no Bearer token")
	requireNobodyIn(t, g, newForger(t).forge(t, jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), "JWT is expired")
	for _, path := range []string{"/non-employee-records/nonsense", "/non-employee-sources?limit=nonsense"} {
		caller{t: t, mount: prefixed("/v3")}.get(path).wantUnauthenticated("the request has no Bearer token", path)
	}
	admin := as(t, "admin")
	for _, line := range table() {
		if line.method == http.MethodGet && line.success == http.StatusOK {
			line.call(admin, g).want(http.StatusOK)
		}
	}
	require.Equal(t, "PENDING", readRequest(t, g.request.id()).text("approvalStatus"))
}

// TestWhatIsWrongWithATokenIsSaid: every fault of a token is 401 and names it,
// and tells nothing else.
func TestWhatIsWrongWithATokenIsSaid(t *testing.T) {
	f := newForger(t)
	good := f.forge(t, nil)
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	_, stranger, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	foreign, renamed, unnamed := f, f, f
	foreign.key = stranger
	renamed.header = maps.Clone(f.header)
	renamed.header["kid"] = "nobody's"
	unnamed.header = maps.Clone(f.header)
	delete(unnamed.header, "kid")
	unsigned := jwt.NewWithClaims(jwt.SigningMethodNone, f.claims)
	none, err := unsigned.SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	shared := jwt.NewWithClaims(jwt.SigningMethodHS256, f.claims)
	shared.Header["kid"] = f.header["kid"]
	hmac, err := shared.SignedString([]byte(f.key.Public().(ed25519.PublicKey)))
	require.NoError(t, err)
	hour := func(n int) int64 { return time.Now().Add(time.Duration(n) * time.Hour).Unix() }

	call := func(token string, headers ...string) answer {
		return caller{t: t, token: token, mount: prefixed("/v3")}.send(http.MethodGet, "/non-employee-sources", nil, headers...)
	}
	call(good).want(http.StatusOK)
	for name, c := range map[string]struct{ token, reason string }{
		"expired":                                {f.forge(t, jwt.MapClaims{"exp": hour(-1)}), "JWT is expired"},
		"not valid yet":                          {f.forge(t, jwt.MapClaims{"nbf": hour(1)}), "JWT is not valid yet"},
		"without an end":                         {f.forge(t, jwt.MapClaims{"exp": nil}), "JWT lacks a claim or has one that can't be read"},
		"another issuer's":                       {f.forge(t, jwt.MapClaims{"iss": "https://elsewhere.example"}), "JWT has another issuer"},
		"another audience's":                     {f.forge(t, jwt.MapClaims{"aud": "https://elsewhere.example"}), "JWT is for another audience"},
		"an unknown client's":                    {f.forge(t, jwt.MapClaims{"client_id": "nobody"}), "JWT belongs to a client that is unknown or inactive"},
		"with another identity":                  {f.forge(t, jwt.MapClaims{"identity_id": lifecycle.NewID().String()}), "JWT belongs to a client that is unknown or inactive"},
		"as an application":                      {f.forge(t, jwt.MapClaims{"identity_id": nil}), "JWT belongs to a client that is unknown or inactive"},
		"a stranger's key":                       {foreign.forge(t, nil), "JWT signature is invalid"},
		"an unknown key":                         {renamed.forge(t, nil), "JWT is signed with an unknown key"},
		"no key named":                           {unnamed.forge(t, nil), "JWT is signed with an unknown key"},
		"no signature":                           {none, "JWT signature is invalid"},
		"signed with the public key as a secret": {hmac, "JWT signature is invalid"},
		"changed claims":                         {head + "." + payload + "x." + signature, "JWT is malformed"},
		"another's signature":                    {head + "." + payload + "." + strings.Repeat("A", len(signature)), "JWT signature is invalid"},
		"cut off":                                {head + "." + payload, "JWT is malformed"},
		"no JWT":                                 {"nonsense", "JWT is malformed"},
		"characters of no token":                 {"non sense", "JWT is malformed"},
		"too long":                               {strings.Repeat("a", 9<<10), "JWT is too long"},
	} {
		call(c.token).wantUnauthenticated(c.reason, name)
	}
	call("", "Authorization", "Basic ZGVtby1hZG1pbjpkZW1vLWFkbWluLXNlY3JldA==").wantUnauthenticated("the request has no Bearer token")
	call("", "Authorization", "Bearer").wantUnauthenticated("the request has no Bearer token")
}

// testATokenEndsWithItsClientAndItsIdentity: whoever is switched off is out
// soon, however long their token lives.
func testATokenEndsWithItsClientAndItsIdentity(t *testing.T) {
	t.Helper()
	rows := stack.rows(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	leaving := map[string]caller{}
	for alias, off := range map[string]func(identity lifecycle.Identity) error{
		"leaving.client":   func(i lifecycle.Identity) error { return rows.SetClientActive(t.Context(), "demo-"+i.Alias, false) },
		"leaving.identity": func(i lifecycle.Identity) error { return rows.SetIdentityActive(t.Context(), i.ID, false) },
	} {
		identity := lifecycle.Identity{
			ID: lifecycle.NewID(), Alias: alias, Name: "Leaving", Active: true, Created: now, Modified: now,
		}
		require.NoError(t, rows.CreateIdentity(t.Context(), identity))
		newClient(t, rows, lifecycle.Client{ID: "demo-" + alias, IdentityID: identity.ID})
		leaving[alias] = as(t, alias)
		leaving[alias].get("/non-employee-records").want(http.StatusOK)
		require.NoError(t, off(identity))
	}
	g := fullGrounds(t)
	defer g.drop(t)
	for alias, c := range leaving {
		eventually(t, "the token is refused", func() bool {
			return c.get("/non-employee-records").status == http.StatusUnauthorized
		})
		requireNobodyIn(t, g, c.token, "JWT belongs to a client that is unknown or inactive")
		status, body := askForToken(t, url.Values{"client_id": {"demo-" + alias}, "client_secret": {"demo-" + alias + "-secret"}})
		require.Equal(t, http.StatusUnauthorized, status, "%s", body)
	}
}
