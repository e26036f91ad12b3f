package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// elsewhere is an external issuer, whose keys a test hands out.
type elsewhere struct {
	*bundle
	key    *rsa.PrivateKey
	url    string
	calls  atomic.Int64
	public atomic.Pointer[map[string]publicKey]
	fault  atomic.Pointer[error]
}

const elsewhereFile = `{"issuers": [{
	"issuer": "https://id.example/realm", "audiences": ["gatehouse", "https://gate.example"],
	"identity": {"claim": "preferred_username", "by": "alias"},
	"application": {"claim": "azp", "marker": {"claim": "gty", "value": "client-credentials"}},
	"levels": {"claim": ["realm_access", "roles"], "values": {"admins": "ORG_ADMIN", "sources": "SOURCE_ADMIN"}},
	"scopes": {"claim": "scope", "values": {"gate": "sp:scopes:all", "gate.read": "idn:nelm:read"}}
}]}`

func newElsewhere(t *testing.T, file string) *elsewhere {
	t.Helper()
	issuers, err := ParseIssuers([]byte(file), settings.Issuer)
	require.NoError(t, err)
	e := &elsewhere{bundle: newBundle(t), url: issuers[0].Issuer}
	e.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	e.hasKeys(map[string]publicKey{"k1": {&e.key.PublicKey, ""}})
	e.verifier = NewVerifier(e.ring, e.table, settings, issuers, slog.New(slog.NewTextHandler(e.log, nil)))
	e.verifier.now = e.clock.now
	cache := e.verifier.externals[e.url].cache
	cache.now = e.clock.now
	cache.load = func(context.Context) (map[string]publicKey, error) {
		e.calls.Add(1)
		if fault := e.fault.Load(); fault != nil {
			return nil, *fault
		}
		return *e.public.Load(), nil
	}
	return e
}

func (e *elsewhere) hasKeys(keys map[string]publicKey) { e.public.Store(&keys) }

func (e *elsewhere) fails(err error) {
	if err == nil {
		e.fault.Store(nil)
		return
	}
	e.fault.Store(&err)
}

// claims are those of a good token of jane's.
func (e *elsewhere) claims(changes ...any) jwt.MapClaims {
	now := e.clock.now()
	claims := jwt.MapClaims{
		"iss": e.url, "aud": []string{"else", "gatehouse"}, "exp": now.Add(time.Hour).Unix(), "sub": "1",
		"preferred_username": "Jane.Doe", "azp": "browser", "scope": "openid gate other",
		"realm_access": map[string]any{"roles": []string{"sources", "others"}},
	}
	for change := range slices.Chunk(changes, 2) {
		name := change[0].(string)
		if claims[name] = change[1]; change[1] == nil {
			delete(claims, name)
		}
	}
	return claims
}

func sign(t *testing.T, method jwt.SigningMethod, kid any, key any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if kid != nil {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	require.NoError(t, err)
	return text
}

func (e *elsewhere) token(t *testing.T, changes ...any) string {
	t.Helper()
	return sign(t, jwt.SigningMethodRS256, "k1", e.key, e.claims(changes...))
}

func TestATokenFromElsewhereIsReadAsItsMappingSays(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	user, err := e.authenticate(e.token(t))
	require.NoError(t, err)
	require.Equal(t, policy.Actor{
		ClientID: "browser@id.example", IdentityID: jane, Levels: []lifecycle.Level{lifecycle.LevelSourceAdmin},
		Scopes: []string{lifecycle.ScopeAll},
	}, user)

	none, err := e.authenticate(e.token(t, "realm_access", nil, "scope", []string{"gate.read", "gate.read"}, "azp", nil))
	require.NoError(t, err)
	require.Equal(t, "@id.example", none.ClientID)
	require.Empty(t, none.Levels, "the row's levels don't count where the claim is mapped")
	require.Equal(t, []string{lifecycle.ScopeRead}, none.Scopes)

	forged, err := e.authenticate(e.token(t, "scope", "sp:scopes:all"))
	require.NoError(t, err)
	require.Empty(t, forged.Scopes, "where scopes are mapped ours must not pass for theirs")

	app, err := e.authenticate(e.token(t, "gty", "client-credentials", "azp", "app"))
	require.NoError(t, err)
	require.Equal(t, policy.Actor{
		ClientID: "app", Rights: []lifecycle.Right{lifecycle.RightRead, lifecycle.RightCreate}, Scopes: []string{lifecycle.ScopeAll},
	}, app)
	narrow, err := e.authenticate(e.token(t, "gty", "client-credentials", "azp", "app", "scope", "gate.read"))
	require.NoError(t, err)
	require.Equal(t, []string{lifecycle.ScopeRead}, narrow.Scopes)
	_, err = e.authenticate(e.token(t, "gty", "client-credentials", "azp", "jane-pat"))
	requireRefused(t, err, "JWT belongs to a client that is unknown or inactive")
	require.EqualValues(t, 1, e.calls.Load())

	own, err := e.authenticate(e.bundle.token(t, "jane-pat"))
	require.NoError(t, err)
	require.Equal(t, jane, own.IdentityID, "tokens of ours are taken as before")
}

func TestMappingsHaveDefaults(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, `{"issuers": [{"issuer": "https://id.example", "audiences": ["gatehouse"],
		"identity": {"claim": "sub", "by": "id"}, "application": {"claim": "client_id"}, "scopes": {"granted": ["idn:nelm:read"], "claim": "scp"}}]}`)
	user, err := e.authenticate(e.token(t, "sub", jane.String(), "scp", []string{"idn:nelm:manage", "gatehouse"}))
	require.NoError(t, err)
	require.Equal(t, policy.Actor{
		ClientID: "browser@id.example", IdentityID: jane, Levels: []lifecycle.Level{lifecycle.LevelSourceAdmin},
		Scopes: []string{lifecycle.ScopeRead, lifecycle.ScopeManage},
	}, user)
	_, err = e.authenticate(e.token(t, "sub", "jane.doe"))
	requireRefused(t, err, "JWT lacks a claim or has one that can't be read")
	app, err := e.authenticate(e.token(t, "sub", nil, "client_id", "app"))
	require.NoError(t, err)
	require.Equal(t, "app", app.ClientID)
	_, err = e.authenticate(e.token(t, "sub", nil))
	requireRefused(t, err, "JWT lacks a claim or has one that can't be read")
}

func TestAnIdentityIsFoundByWhatTheDirectoryCallsIt(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, `{"issuers": [{"issuer": "https://id.example", "audiences": ["gatehouse"],
		"identity": {"claim": "uid", "by": "externalId"}, "scopes": {"granted": ["sp:scopes:all"]}}]}`)
	user, err := e.authenticate(e.token(t, "uid", "00u1"))
	require.NoError(t, err)
	require.Equal(t, jane, user.IdentityID)
	_, err = e.authenticate(e.token(t, "uid", "00U1"))
	requireRefused(t, err, "JWT belongs to an identity that is unknown or inactive")
}

// TestForgedTokensFromElsewhereAreRefused: the rejections of our own issuer's
// tokens hold for every other's.
func TestForgedTokensFromElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	public, err := x509.MarshalPKIXPublicKey(&e.key.PublicKey)
	require.NoError(t, err)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	own, ownName := e.ring.signingKey()
	e.hasKeys(map[string]publicKey{
		"k1": {&e.key.PublicKey, "RS256"}, "es": {&curve.PublicKey, ""}, "other": {&e.key.PublicKey, "PS256"},
		"k3": {&e.key.PublicKey, ""},
	})
	now := e.clock.now()
	good := e.token(t)
	_, err = e.authenticate(good)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	critical := jwt.NewWithClaims(jwt.SigningMethodRS256, e.claims())
	critical.Header["kid"], critical.Header["crit"] = "k1", []string{"exp"}
	crit, err := critical.SignedString(e.key)
	require.NoError(t, err)
	for name, test := range map[string]struct{ token, reason string }{
		"alg none":                     {sign(t, jwt.SigningMethodNone, "k1", jwt.UnsafeAllowNoneSignatureType, e.claims()), "JWT signature is invalid"},
		"HS256 keyed with encoded key": {sign(t, jwt.SigningMethodHS256, "k1", public, e.claims()), "JWT signature is invalid"},
		"HS256 keyed with the modulus": {sign(t, jwt.SigningMethodHS256, "k1", e.key.N.Bytes(), e.claims()), "JWT signature is invalid"},
		"RS512 where RS256 is due":     {sign(t, jwt.SigningMethodRS512, "k1", e.key, e.claims()), "JWT signature is invalid"},
		"EdDSA where RS256 is due":     {sign(t, jwt.SigningMethodEdDSA, "k1", edwards, e.claims()), "JWT signature is invalid"},
		"RS256 with a key of a curve":  {sign(t, jwt.SigningMethodRS256, "es", stranger, e.claims()), "JWT signature is invalid"},
		"a key for another algorithm":  {sign(t, jwt.SigningMethodRS256, "other", e.key, e.claims()), "JWT algorithm is not accepted"},
		"our own key":                  {sign(t, jwt.SigningMethodEdDSA, ownName, own, e.claims()), "JWT signature is invalid"},
		"a token of theirs as ours":    {sign(t, jwt.SigningMethodRS256, ownName, e.key, e.claims("iss", settings.Issuer, "scope", nil)), "JWT signature is invalid"},
		"a stranger's key":             {sign(t, jwt.SigningMethodRS256, "k1", stranger, e.claims()), "JWT signature is invalid"},
		"unknown key":                  {sign(t, jwt.SigningMethodRS256, "k2", stranger, e.claims()), "JWT is signed with an unknown key"},
		"a key name of another form":   {sign(t, jwt.SigningMethodRS256, 7, e.key, e.claims()), "JWT is signed with an unknown key"},
		"no key name":                  {sign(t, jwt.SigningMethodRS256, nil, e.key, e.claims()), "JWT is signed with an unknown key"},
		"another audience":             {e.token(t, "aud", "else"), "JWT is for another audience"},
		"no audience":                  {e.token(t, "aud", nil), "JWT lacks a claim or has one that can't be read"},
		"another issuer":               {e.token(t, "iss", "https://id.example/other", "scope", nil), "JWT signature is invalid"},
		"no issuer":                    {e.token(t, "iss", nil, "scope", nil), "JWT signature is invalid"},
		"expired":                      {e.token(t, "exp", now.Add(-time.Minute).Unix()), "JWT is expired"},
		"no expiry":                    {e.token(t, "exp", nil), "JWT lacks a claim or has one that can't be read"},
		"not valid yet":                {e.token(t, "nbf", now.Add(time.Minute).Unix()), "JWT is not valid yet"},
		"an expiry that is no number":  {e.token(t, "exp", "soon"), "JWT is malformed"},
		"nobody":                       {e.token(t, "preferred_username", "nobody"), "JWT belongs to an identity that is unknown or inactive"},
		"an identity of another form":  {e.token(t, "preferred_username", 7), "JWT lacks a claim or has one that can't be read"},
		"a client that can't be":       {e.token(t, "gty", "client-credentials", "azp", "a b"), "JWT lacks a claim or has one that can't be read"},
		"an id where an alias is due":  {e.token(t, "preferred_username", jane.String()), "JWT belongs to an identity that is unknown or inactive"},
		"a critical header":            {crit, "JWT is malformed"},
		"another payload":              {parts[0] + "." + strings.Split(e.token(t, "sub", "2"), ".")[1] + "." + parts[2], "JWT signature is invalid"},
		"no signature":                 {parts[0] + "." + parts[1] + ".", "JWT signature is invalid"},
		"huge":                         {good + strings.Repeat("a", MaxHeader), "JWT is too long"},
	} {
		_, err := e.authenticate(test.token)
		var refusal *lifecycle.Error
		require.ErrorAs(t, err, &refusal, name)
		require.Equal(t, lifecycle.KindUnauthenticated, refusal.Kind, name)
		require.Equal(t, "JWT validation failed: "+test.reason, refusal.Message, name)
	}
	_, err = e.verifier.Authenticate(bearer("Bearer "+good, "Bearer "+good))
	requireRefused(t, err, "the request has more than one Authorization header")
}

func TestWhoeverIsSwitchedOffIsOutElsewhereToo(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	token := e.token(t)
	_, err := e.authenticate(token)
	require.NoError(t, err)
	e.change(func() { e.identities[jane] = lifecycle.Identity{ID: jane, Alias: "jane.doe"} })
	e.clock.advance(StateAge - 1)
	_, err = e.authenticate(token)
	require.NoError(t, err)
	e.clock.advance(1)
	_, err = e.authenticate(token)
	requireRefused(t, err, "JWT belongs to an identity that is unknown or inactive")
	e.change(func() { e.identities[jane] = lifecycle.Identity{ID: jane, Alias: "jane.doe", Active: true} })
	e.clock.advance(StateAge)
	_, err = e.authenticate(token)
	require.NoError(t, err)
	e.clock.advance(time.Hour)
	_, err = e.authenticate(token)
	requireRefused(t, err, "JWT is expired")
}

// TestAProviderMayBeAway: what can't be judged is 503, known keys go on working,
// and forged names of keys make few calls.
func TestAProviderMayBeAway(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	token := e.token(t)
	e.fails(errors.New("connection to 10.0.0.9 refused"))
	for range 50 {
		_, err := e.authenticate(token)
		require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
		require.NotContains(t, err.Error(), "10.0.0.9")
	}
	require.EqualValues(t, 1, e.calls.Load())
	e.fails(nil)
	e.clock.advance(reloadInterval)
	_, err := e.authenticate(token)
	require.NoError(t, err)
	require.EqualValues(t, 2, e.calls.Load())

	e.fails(errors.New("down"))
	require.Error(t, e.verifier.externals[e.url].cache.reload(t.Context()))
	_, err = e.authenticate(token)
	require.NoError(t, err, "known keys go on working")
	e.fails(nil)
	e.clock.advance(reloadInterval)
	calls := e.calls.Load()
	for range 50 {
		_, err := e.authenticate(sign(t, jwt.SigningMethodRS256, lifecycle.NewID().String(), e.key, e.claims()))
		requireRefused(t, err, "JWT is signed with an unknown key")
	}
	require.Equal(t, calls+1, e.calls.Load())

	// A key that the provider takes back takes its tokens with it.
	e.hasKeys(map[string]publicKey{"k2": {&e.key.PublicKey, ""}})
	require.NoError(t, e.verifier.externals[e.url].cache.reload(t.Context()))
	_, err = e.authenticate(token)
	requireRefused(t, err, "JWT is signed with an unknown key")
}

// TestKeysOfAProviderGrowOld: what can't be read for a day is trusted no longer,
// and mends with the next reading.
func TestKeysOfAProviderGrowOld(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	token := e.token(t, "exp", e.clock.now().Add(48*time.Hour).Unix())
	_, err := e.authenticate(token)
	require.NoError(t, err)
	e.fails(errors.New("down"))
	e.clock.advance(maxKeyAge)
	_, err = e.authenticate(token)
	require.NoError(t, err)
	e.clock.advance(1)
	for range 2 {
		_, err = e.authenticate(token)
		require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
	}
	e.fails(nil)
	require.NoError(t, e.verifier.externals[e.url].cache.reload(t.Context()))
	_, err = e.authenticate(token)
	require.NoError(t, err)
}

func TestAKeyThatIsReplacedUnderItsNameTakesItsTokensWithIt(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	token := e.token(t)
	_, err := e.authenticate(token)
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	replace := func(key crypto.PublicKey) {
		e.hasKeys(map[string]publicKey{"k1": {key, ""}})
		require.NoError(t, e.verifier.externals[e.url].cache.reload(t.Context()))
	}
	replace(&other.PublicKey)
	_, err = e.authenticate(token)
	requireRefused(t, err, "JWT signature is invalid")
	replace(&rsa.PublicKey{N: e.key.N, E: e.key.E})
	_, err = e.authenticate(token)
	require.NoError(t, err)
}

// TestAProviderOfOneKeyNeedNotNameIt: but which of two it was is not tried out.
func TestAProviderOfOneKeyNeedNotNameIt(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	keys := map[string]publicKey{"a": {&e.key.PublicKey, ""}, "es": {&curve.PublicKey, ""}, "pss": {&e.key.PublicKey, "PS256"}}
	e.hasKeys(keys)
	token := sign(t, jwt.SigningMethodRS256, nil, e.key, e.claims())
	for range 2 {
		_, err := e.authenticate(token)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, e.calls.Load())

	keys = maps.Clone(keys)
	keys["b"] = publicKey{&e.key.PublicKey, "RS256"}
	e.hasKeys(keys)
	require.NoError(t, e.verifier.externals[e.url].cache.reload(t.Context()))
	_, err = e.authenticate(sign(t, jwt.SigningMethodRS256, nil, e.key, e.claims("sub", "2")))
	requireRefused(t, err, "JWT is signed with an unknown key")
}

// TestANameElsewhereIsNotBent: only the case of ASCII letters may differ from an
// alias, and who had it before its identity was made is another.
func TestANameElsewhereIsNotBent(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	made := e.clock.now()
	e.change(func() {
		e.identities[jane] = lifecycle.Identity{ID: jane, Alias: "Kiss", Active: true, Created: made.Add(999 * time.Millisecond)}
	})
	for _, name := range []string{"Kiss", "KISS", "kiss"} {
		_, err := e.authenticate(e.token(t, "preferred_username", name, "iat", made.Unix()))
		require.NoError(t, err, name)
	}
	for _, name := range []string{"\u212aiss", "ki\u017fs", "ki\u00df", " kiss", "kiss ", "kiss\u00a0"} {
		_, err := e.authenticate(e.token(t, "preferred_username", name))
		requireRefused(t, err, "JWT belongs to an identity that is unknown or inactive")
	}
	_, err := e.authenticate(e.token(t, "preferred_username", "kiss", "iat", made.Unix()-1))
	requireRefused(t, err, "JWT belongs to an identity that is unknown or inactive")
}

func TestAFileOfIssuersIsJudgedWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, want string }{
		"no JSON":         {`{"issuers": [`, "unexpected EOF"},
		"another form":    {`[]`, " must not be a JSON array"},
		"none":            {`{"issuers": []}`, "issuers names none"},
		"something more":  {elsewhereFile + "{}", "there is something behind the object"},
		"an unknown name": {`{"issuers": [{"issuer": "https://a.example", "audience": "x"}]}`, `unknown field "audience"`},
		"a wrong type":    {`{"issuers": [{"audiences": "x"}]}`, "issuers.audiences must not be a JSON string"},
		"a wrong claim":   {`{"issuers": [{"identity": {"claim": 7}}]}`, "a claim must be a name, or a list of names"},
		"all at once": {`{"issuers": [{"algorithms": ["HS256", "none"], "identity": {"claim": ["a", ""], "by": "email"}, "application": {"marker": {}},
			"levels": {"claim": "l", "values": {"x": "ADMIN"}}, "scopes": {"values": {"y": "all"}, "granted": ["z"]}}, {"issuer": "https://gate.example", "audiences": ["a"]}]}`,
			`issuers[0].issuer must be an https URL, or an http URL of a loopback address, without query or fragment
issuers[0].audiences must name at least one, and none that is empty
issuers[0].algorithms[0] must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA
issuers[0].algorithms[1] must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA
issuers[0].identity.claim must name a claim
issuers[0].identity.by must be alias, id or externalId
issuers[0].application.claim must name a claim
issuers[0].application.marker.claim must name a claim
issuers[0].levels.values["x"] must be ORG_ADMIN, SOURCE_ADMIN or SOURCE_SUBADMIN
issuers[0].scopes.values needs scopes.claim
issuers[0].scopes.values["y"] must be idn:nelm:read, idn:nelm:manage, sp:scopes:all, gatehouse:audit or gatehouse:scim
issuers[0].scopes.granted[0] must be idn:nelm:read, idn:nelm:manage, sp:scopes:all, gatehouse:audit or gatehouse:scim
issuers[1].identity or application must be there
issuers[1].scopes must be there
issuers[1].issuer is another's, or our own`},
	} {
		_, err := ParseIssuers([]byte(test.file), settings.Issuer)
		require.EqualError(t, err, test.want, name)
	}
	for url, ok := range map[string]bool{
		"https://id.example": true, "https://id.example/realm/": true, "http://127.0.0.1:1": true, "http://[::1]:1": true,
		"http://localhost:1/x": true, "http://id.example": false, "http://localhost.evil.example": false, "ftp://id.example": false,
		"id.example": false, "https://": false, "https://u:p@id.example": false, "https://id.example?q": false, "https://id.example#f": false,
	} {
		require.Equal(t, ok, isProviderURL(url), url)
	}
}

// TestKeysOfAProviderAreTakenWithCare: none that signs as well, none that is too
// weak, and what else there is does no harm.
func TestKeysOfAProviderAreTakenWithCare(t *testing.T) {
	t.Parallel()
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	nameless, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // it is there to be refused
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	set := func(keys ...jose.JSONWebKey) []byte {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		require.NoError(t, err)
		return text
	}
	key := func(kid, use, alg string, key crypto.PublicKey) jose.JSONWebKey {
		return jose.JSONWebKey{KeyID: kid, Use: use, Algorithm: alg, Key: key}
	}
	text := set(
		key("rsa", "sig", "RS256", &strong.PublicKey), key("ec", "", "", &curve.PublicKey), key("ed", "sig", "EdDSA", public),
		key("weak", "sig", "RS256", &weak.PublicKey), key("enc", "enc", "", &strong.PublicKey), key("", "sig", "RS512", &nameless.PublicKey),
		key("secret", "sig", "HS256", []byte("0123456789abcdef0123456789abcdef")), key("private", "sig", "", private), key("rsa-private", "sig", "", strong),
	)
	text = []byte(strings.Replace(string(text), `{"keys":[`, `{"keys":[{"kty":"XX","kid":"strange"},7,`, 1))
	keys, err := parseKeys(text)
	require.NoError(t, err)
	sum, err := (&jose.JSONWebKey{Key: &nameless.PublicKey}).Thumbprint(crypto.SHA256)
	require.NoError(t, err)
	require.Equal(t, map[string]publicKey{
		"rsa": {&strong.PublicKey, "RS256"}, "ec": {&curve.PublicKey, ""}, "ed": {public, "EdDSA"},
		base64.RawURLEncoding.EncodeToString(sum): {&nameless.PublicKey, "RS512"},
	}, keys)
	for name, text := range map[string][]byte{
		"no JSON": []byte("<html>"), "no keys": []byte(`{"keys":[]}`), "no good keys": set(key("weak", "sig", "", &weak.PublicKey)),
		"two of a name": set(key("a", "", "", public), key("a", "", "", &curve.PublicKey)),
		"too many":      []byte(`{"keys":[` + strings.Repeat("{},", maxProviderKeys) + `{}]}`),
	} {
		_, err := parseKeys(text)
		require.Error(t, err, name)
	}
}

func TestAProviderElsewhereHasNoKeysOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		issuer, keys string
		ok           bool
	}{
		{"https://id.example", "https://keys.example/k", true},
		{"https://id.example", "http://127.0.0.1:1/k", false},
		{"https://id.example", "http://localhost:1/k", false},
		{"http://127.0.0.1:1", "http://localhost:2/k", true},
		{"http://127.0.0.1:1", "https://keys.example/k", true},
		{"http://127.0.0.1:1", "http://keys.example/k", false},
	} {
		require.Equal(t, test.ok, (&provider{issuer: test.issuer}).mayHaveKeysAt(test.keys), test)
	}
}

// TestAProviderIsAskedWithBounds runs what a provider may do wrong over HTTP.
func TestAProviderIsAskedWithBounds(t *testing.T) {
	t.Parallel()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	good, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "k", Key: public}}})
	require.NoError(t, err)
	type page struct {
		status int
		body   string
	}
	for name, test := range map[string]struct {
		change map[string]page
		want   string
	}{
		"good":                {nil, ""},
		"another issuer":      {map[string]page{"/.well-known/openid-configuration": {200, `{"issuer":"https://else.example","jwks_uri":"ISSUER/keys"}`}}, "did not match"},
		"keys without TLS":    {map[string]page{"/.well-known/openid-configuration": {200, `{"issuer":"ISSUER","jwks_uri":"http://192.0.2.1/keys"}`}}, "no https URL"},
		"no keys":             {map[string]page{"/.well-known/openid-configuration": {200, `{"issuer":"ISSUER"}`}}, "no https URL"},
		"a redirect":          {map[string]page{"/keys": {302, "/else"}}, "302"},
		"an error":            {map[string]page{"/keys": {500, "boom"}}, "500"},
		"an endless document": {map[string]page{"/.well-known/openid-configuration": {200, `{"issuer":"` + strings.Repeat("x", 2*maxProviderAnswer)}}, "reading the keys"},
		"endless keys":        {map[string]page{"/keys": {200, `{"keys":[` + strings.Repeat("{},", maxProviderAnswer)}}, "no key set"},
	} {
		mux := http.NewServeMux()
		server := httptest.NewServer(mux)
		pages := map[string]page{
			"/.well-known/openid-configuration": {200, `{"issuer":"ISSUER","jwks_uri":"ISSUER/keys"}`}, "/keys": {200, string(good)},
		}
		maps.Copy(pages, test.change)
		for path, page := range pages {
			mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if page.status == http.StatusFound {
					w.Header().Set("Location", page.body)
				}
				w.WriteHeader(page.status)
				_, _ = w.Write([]byte(strings.ReplaceAll(page.body, "ISSUER", server.URL)))
			})
		}
		keys, err := (&provider{issuer: server.URL, client: newProviderClient()}).load(t.Context())
		server.Close()
		if test.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, map[string]publicKey{"k": {public, ""}}, keys)
			continue
		}
		require.ErrorContains(t, err, test.want, name)
		require.LessOrEqual(t, len(err.Error()), maxProviderFault+100, name)
	}
}
