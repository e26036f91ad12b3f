package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// table is clients and keys as the tests want them, faults included. The
// store's own tests hold the store to the same interfaces.
type table struct {
	mu         sync.Mutex
	clients    map[string]lifecycle.Client
	identities map[lifecycle.ID]lifecycle.Identity
	keys       []lifecycle.SigningKey
	fault      error
	lookups    atomic.Int64
	readings   atomic.Int64
	uses       atomic.Int64
	// gate, where set, holds lookups until it is closed.
	gate chan struct{}
}

func (t *table) GetClient(ctx context.Context, id string) (lifecycle.Client, lifecycle.Identity, error) {
	t.lookups.Add(1)
	if t.gate != nil {
		select {
		case <-t.gate:
		case <-ctx.Done():
			return lifecycle.Client{}, lifecycle.Identity{}, ctx.Err()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault != nil {
		return lifecycle.Client{}, lifecycle.Identity{}, t.fault
	}
	client, ok := t.clients[id]
	if !ok {
		return lifecycle.Client{}, lifecycle.Identity{}, lifecycle.NewError(lifecycle.KindNotFound, "no such client")
	}
	return client, t.identities[client.IdentityID], nil
}

func (t *table) SigningKeys(context.Context) ([]lifecycle.SigningKey, error) {
	t.readings.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.keys), t.fault
}

func (t *table) ChangeSigningKeys(_ context.Context, change func([]lifecycle.SigningKey) (lifecycle.SigningKey, []string, error)) ([]lifecycle.SigningKey, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault != nil {
		return nil, t.fault
	}
	added, removed, err := change(slices.Clone(t.keys))
	if err != nil {
		return nil, err
	}
	if added.KeyID != "" {
		t.keys = append(t.keys, added)
	}
	t.keys = slices.DeleteFunc(t.keys, func(k lifecycle.SigningKey) bool { return slices.Contains(removed, k.KeyID) })
	slices.SortFunc(t.keys, func(a, b lifecycle.SigningKey) int { return b.SignsFrom.Compare(a.SignsFrom) })
	return slices.Clone(t.keys), nil
}

func (t *table) NoteClientUse(_ context.Context, id string, at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	client := t.clients[id]
	client.LastUsed = at
	t.clients[id] = client
	t.uses.Add(1)
	return nil
}

func (t *table) GetIdentity(_ context.Context, id lifecycle.ID) (lifecycle.Identity, error) {
	return t.identity(func(i lifecycle.Identity) bool { return i.ID == id })
}

func (t *table) IdentityByAlias(_ context.Context, alias string) (lifecycle.Identity, error) {
	return t.identity(func(i lifecycle.Identity) bool { return lifecycle.Fold(i.Alias) == lifecycle.Fold(alias) })
}

// IdentityByExternalID takes the identity's mail address for its external id.
func (t *table) IdentityByExternalID(_ context.Context, externalID string) (lifecycle.Identity, error) {
	return t.identity(func(i lifecycle.Identity) bool { return i.Email == externalID })
}

func (t *table) identity(is func(lifecycle.Identity) bool) (lifecycle.Identity, error) {
	t.lookups.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fault != nil {
		return lifecycle.Identity{}, t.fault
	}
	for _, identity := range t.identities {
		if is(identity) {
			return identity, nil
		}
	}
	return lifecycle.Identity{}, lifecycle.NewError(lifecycle.KindNotFound, "no such identity")
}

func (t *table) change(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

// clock is a time that tests move.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

var (
	jane     = lifecycle.MustParseID("2c918086-7a7e-4b7b-9c7f-0123456789ab")
	settings = Settings{Issuer: "https://gate.example", Tenant: "acme", Lifetime: time.Hour}
)

const secret = "s3cr3t+with %25 signs:and=colons"

// bundle is issuer and verifier over one table and one clock.
type bundle struct {
	*table
	clock    *clock
	ring     *KeyRing
	issuer   *Issuer
	verifier *Verifier
	log      *bytes.Buffer
	// refused are the clients of refused requests.
	refused []string
}

func newBundle(tb testing.TB) *bundle {
	tb.Helper()
	// The least cost, so that the tests are quick; only one is about cost.
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	require.NoError(tb, err)
	b := &bundle{clock: &clock{}, log: &bytes.Buffer{}, table: &table{
		clients: map[string]lifecycle.Client{
			"jane-pat": {
				ID: "jane-pat", SecretHash: hash, IdentityID: jane, Active: true,
				Scopes: []string{lifecycle.ScopeRead, lifecycle.ScopeManage},
				// A personal token has no rights of its own; these must not count.
				Rights: []lifecycle.Right{lifecycle.RightDelete},
			},
			"app": {
				ID: "app", SecretHash: hash, Active: true, Scopes: []string{lifecycle.ScopeAll},
				Rights: []lifecycle.Right{lifecycle.RightRead, lifecycle.RightCreate},
			},
		},
		identities: map[lifecycle.ID]lifecycle.Identity{
			jane: {ID: jane, Alias: "jane.doe", Email: "00u1", Levels: []lifecycle.Level{lifecycle.LevelSourceAdmin}, Active: true},
		},
	}}
	b.clock.nanos.Store(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixNano())
	b.ring, err = LoadKeys(tb.Context(), b.table)
	require.NoError(tb, err)
	b.ring.now, b.ring.cache.now = b.clock.now, b.clock.now
	log := slog.New(slog.NewTextHandler(b.log, nil))
	b.issuer = NewIssuer(b.ring, b.table, settings, func(_ context.Context, clientID string) { b.refused = append(b.refused, clientID) }, log)
	b.issuer.now = b.clock.now
	b.verifier = NewVerifier(b.ring, b.table, settings, nil, log)
	b.verifier.now = b.clock.now
	return b
}

func form(pairs ...string) url.Values {
	values := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		values.Add(pair[0], pair[1])
	}
	return values
}

func credentials(id string, more ...string) url.Values {
	return form(append([]string{"grant_type", "client_credentials", "client_id", id, "client_secret", secret}, more...)...)
}

func urlencoded(values url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, TokenPath, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

func inQuery(values url.Values) *http.Request {
	return httptest.NewRequest(http.MethodPost, TokenPath+"?"+values.Encode(), http.NoBody)
}

func multiparted(tb testing.TB, values url.Values) *http.Request {
	tb.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, list := range values {
		for _, value := range list {
			require.NoError(tb, w.WriteField(name, value))
		}
	}
	require.NoError(tb, w.Close())
	r := httptest.NewRequest(http.MethodPost, TokenPath, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func basic(id, password string, values url.Values) *http.Request {
	r := urlencoded(values)
	pair := url.QueryEscape(id) + ":" + url.QueryEscape(password)
	r.Header.Set("Authorization", "basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	return r
}

func (b *bundle) post(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.issuer.ServeHTTP(w, r)
	return w
}

func (b *bundle) token(tb testing.TB, id string, more ...string) string {
	tb.Helper()
	w := b.post(urlencoded(credentials(id, more...)))
	require.Equal(tb, http.StatusOK, w.Code, w.Body)
	var answer tokenAnswer
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &answer))
	return answer.AccessToken
}

func bearer(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v3/non-employee-sources", http.NoBody)
	for _, h := range headers {
		r.Header.Add("Authorization", h)
	}
	return r
}

func (b *bundle) authenticate(token string) (policy.Actor, error) {
	return b.verifier.Authenticate(bearer("Bearer " + token))
}

func requireRefused(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *lifecycle.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, lifecycle.KindUnauthenticated, refusal.Kind, err)
	require.Equal(t, "JWT validation failed: "+reason, refusal.Message)
}

func TestATokenIsGivenForEveryFormOfTheParameters(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	grant := form("grant_type", "client_credentials")
	split := inQuery(grant)
	split.Body = io.NopCloser(strings.NewReader(form("client_id", "jane-pat", "client_secret", secret).Encode()))
	split.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, r := range map[string]*http.Request{
		"urlencoded form":            urlencoded(credentials("jane-pat")),
		"multipart form":             multiparted(t, credentials("jane-pat")),
		"query string":               inQuery(credentials("jane-pat")),
		"query string and form":      split,
		"HTTP Basic":                 basic("jane-pat", secret, grant),
		"HTTP Basic and the same id": basic("jane-pat", secret, form("grant_type", "client_credentials", "client_id", "jane-pat")),
		"empty parameters":           urlencoded(credentials("jane-pat", "scope", "", "client_id", "")),
		"a value told twice":         urlencoded(credentials("jane-pat", "client_id", "jane-pat")),
	} {
		w := b.post(r)
		require.Equal(t, http.StatusOK, w.Code, "%s: %s", name, w.Body)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"), name)
		require.Equal(t, "application/json", w.Header().Get("Content-Type"), name)
		var answer map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), name)
		token, ok := answer["access_token"].(string)
		require.True(t, ok, name)
		_, err := b.authenticate(token)
		require.NoError(t, err, name)
		require.NotEmpty(t, answer["jti"])
		delete(answer, "access_token")
		delete(answer, "jti")
		require.Equal(t, map[string]any{
			"token_type": "bearer", "expires_in": 3600.0, "scope": "idn:nelm:read idn:nelm:manage",
			"tenant_id": settings.tenantID(), "org": "acme",
			"identity_id": jane.String(), "user_name": "jane.doe",
		}, answer, name)
	}
}

func TestTheClaimsOfATokenAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for id, want := range map[string]map[string]any{
		"jane-pat": {
			"identity_id": jane.String(), "user_name": "jane.doe", "sub": jane.String(), "client_id": "jane-pat",
			"authorities": []any{"SOURCE_ADMIN"}, "scope": []any{"idn:nelm:read", "idn:nelm:manage"},
		},
		"app": {"sub": "app", "client_id": "app", "scope": []any{"sp:scopes:all"}},
	} {
		parts := strings.Split(b.token(t, id), ".")
		require.Len(t, parts, 3)
		var header, said map[string]any
		for i, target := range []*map[string]any{&header, &said} {
			text, err := base64.RawURLEncoding.DecodeString(parts[i])
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, target))
		}
		require.Equal(t, map[string]any{"alg": "EdDSA", "typ": "JWT", "kid": b.keys[0].KeyID}, header)
		require.NotEmpty(t, said["jti"])
		delete(said, "jti")
		now := float64(b.clock.now().Unix())
		want["tenant_id"], want["org"] = settings.tenantID(), "acme"
		want["iss"], want["aud"] = settings.Issuer, []any{settings.Issuer}
		want["iat"], want["nbf"], want["exp"] = now, now, now+3600
		require.Equal(t, want, said)
	}
}

func TestTokenRequestsAreRefusedAsRFC6749Says(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	grant := form("grant_type", "client_credentials")
	with := func(r *http.Request, change func(*http.Request)) *http.Request {
		change(r)
		return r
	}
	for _, test := range []struct {
		name      string
		request   *http.Request
		status    int
		code      string
		challenge bool
	}{
		{"no parameters", urlencoded(nil), 400, "invalid_request", false},
		{"a contradicting parameter", urlencoded(credentials("app", "client_id", "jane-pat")), 400, "invalid_request", false},
		{"another grant", urlencoded(form("grant_type", "password", "client_id", "app", "client_secret", secret)), 400, "unsupported_grant_type", false},
		{"no client", urlencoded(grant), 401, "invalid_client", false},
		{"no secret", urlencoded(form("grant_type", "client_credentials", "client_id", "app")), 401, "invalid_client", false},
		{"an unknown client", urlencoded(credentials("nobody")), 401, "invalid_client", false},
		{"a client id that can't be", urlencoded(credentials("a\x00b")), 401, "invalid_client", false},
		{"a wrong secret", urlencoded(form("grant_type", "client_credentials", "client_id", "app", "client_secret", "x")), 401, "invalid_client", false},
		{"a wrong secret by Basic", basic("app", "x", grant), 401, "invalid_client", true},
		{"an unknown client by Basic", basic("nobody", secret, grant), 401, "invalid_client", true},
		{"Basic that is no base64", with(urlencoded(grant), func(r *http.Request) { r.Header.Set("Authorization", "Basic ???") }), 401, "invalid_client", true},
		{"Basic without a colon", with(urlencoded(grant), func(r *http.Request) { r.Header.Set("Authorization", "Basic YXBw") }), 401, "invalid_client", true},
		{"Basic with a broken escape", with(urlencoded(grant), func(r *http.Request) { r.SetBasicAuth("app", "%zz") }), 401, "invalid_client", true},
		{"two Authorization headers", with(basic("app", secret, grant), func(r *http.Request) { r.Header.Add("Authorization", "Basic YXBwOng=") }), 400, "invalid_request", false},
		{"two ways of authentication", basic("app", secret, credentials("app")), 400, "invalid_request", false},
		{"two clients", basic("app", secret, form("grant_type", "client_credentials", "client_id", "jane-pat")), 400, "invalid_request", false},
		{"a scope beyond the client's", urlencoded(credentials("jane-pat", "scope", lifecycle.ScopeAll)), 400, "invalid_scope", false},
		{"a scope that is none", urlencoded(credentials("app", "scope", "idn:nelm:read idn:everything")), 400, "invalid_scope", false},
		{"a JSON body", with(urlencoded(credentials("app")), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 400, "invalid_request", false},
		{"a body of no type", with(urlencoded(credentials("app")), func(r *http.Request) { r.Header.Del("Content-Type") }), 400, "invalid_request", false},
		{"a multipart body without a boundary", with(urlencoded(credentials("app")), func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data") }), 400, "invalid_request", false},
		{"a broken query string", httptest.NewRequest(http.MethodPost, TokenPath+"?grant_type=%zz", http.NoBody), 400, "invalid_request", false},
		{"a huge body", urlencoded(credentials("app", "x", strings.Repeat("a", maxForm))), 413, "invalid_request", false},
		{"GET", httptest.NewRequest(http.MethodGet, TokenPath, http.NoBody), 405, "invalid_request", false},
	} {
		w := b.post(test.request)
		require.Equal(t, test.status, w.Code, "%s: %s", test.name, w.Body)
		var body map[string]string
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), test.name)
		require.Equal(t, test.code, body["error"], test.name)
		require.NotEmpty(t, body["error_description"], test.name)
		require.Len(t, body, 2, test.name)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"), test.name)
		require.Equal(t, test.challenge, strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic "), test.name)
	}
	require.Empty(t, b.log.String(), "a client's fault is none of ours")
}

func TestWhoeverIsSwitchedOffGetsNoToken(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*table){
		"client": func(t *table) {
			c := t.clients["jane-pat"]
			c.Active = false
			t.clients["jane-pat"] = c
		},
		"identity": func(t *table) {
			i := t.identities[jane]
			i.Active = false
			t.identities[jane] = i
		},
		"identity gone": func(t *table) { delete(t.identities, jane) },
	} {
		b := newBundle(t)
		b.change(func() { change(b.table) })
		w := b.post(urlencoded(credentials("jane-pat")))
		require.Equal(t, http.StatusUnauthorized, w.Code, name)
		require.Contains(t, w.Body.String(), `"invalid_client"`, name)
	}
}

func TestAStoreThatFailsIsNoRefusal(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	token := b.token(t, "app")
	b.change(func() { b.fault = errors.New("connection to 10.0.0.7 refused") })

	w := b.post(urlencoded(credentials("app")))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "10.0.0.7")
	require.Contains(t, b.log.String(), "10.0.0.7")

	_, err := b.authenticate(token)
	require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
	require.NotContains(t, err.Error(), "10.0.0.7")
	require.ErrorIs(t, err, b.fault)

	b.change(func() { b.fault = nil })
	_, err = b.authenticate(token)
	require.NoError(t, err, "a failure must not be remembered")
}

func TestScopesAreNarrowedAndNeverWidened(t *testing.T) {
	t.Parallel()
	read, manage, all := lifecycle.ScopeRead, lifecycle.ScopeManage, lifecycle.ScopeAll
	for _, test := range []struct {
		token, client, want []string
	}{
		{[]string{read, manage}, []string{read, manage}, []string{read, manage}},
		{[]string{read}, []string{read, manage}, []string{read}},
		{[]string{read}, []string{all}, []string{read}},
		{[]string{all}, []string{read}, []string{read}},
		{[]string{all}, []string{all}, []string{all}},
		{[]string{read, all}, []string{manage, all}, []string{read, all, manage}},
		{[]string{read}, []string{manage}, nil},
		{[]string{all}, nil, nil},
		{[]string{all}, []string{"other"}, nil},
		{[]string{"other"}, []string{all}, nil},
	} {
		require.Equal(t, test.want, common(test.token, test.client), "%v with %v", test.token, test.client)
	}

	b := newBundle(t)
	actor, err := b.authenticate(b.token(t, "app", "scope", " "+read+"  "+read))
	require.NoError(t, err)
	require.Equal(t, []string{read}, actor.Scopes)
}

func TestTheActorIsWhatTheRowsSay(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	user, err := b.authenticate(b.token(t, "jane-pat"))
	require.NoError(t, err)
	require.Equal(t, policy.Actor{
		ClientID: "jane-pat", IdentityID: jane, Levels: []lifecycle.Level{lifecycle.LevelSourceAdmin},
		Scopes: []string{lifecycle.ScopeRead, lifecycle.ScopeManage},
	}, user)
	app, err := b.authenticate(b.token(t, "app"))
	require.NoError(t, err)
	require.Equal(t, policy.Actor{
		ClientID: "app", Rights: []lifecycle.Right{lifecycle.RightRead, lifecycle.RightCreate},
		Scopes: []string{lifecycle.ScopeAll},
	}, app)
}

func TestAChangeOfTheRowsCountsWithinTenSeconds(t *testing.T) {
	t.Parallel()
	deactivate := func(b *bundle) {
		c := b.clients["jane-pat"]
		c.Active = false
		b.clients["jane-pat"] = c
	}
	for name, test := range map[string]struct {
		change func(*bundle)
		refuse bool
	}{
		"client switched off": {deactivate, true},
		"client removed":      {func(b *bundle) { delete(b.clients, "jane-pat") }, true},
		"identity switched off": {func(b *bundle) {
			b.identities[jane] = lifecycle.Identity{ID: jane}
		}, true},
		"client given to somebody else": {func(b *bundle) {
			c := b.clients["jane-pat"]
			c.IdentityID = lifecycle.NewID()
			b.identities[c.IdentityID] = lifecycle.Identity{ID: c.IdentityID, Active: true}
			b.clients["jane-pat"] = c
		}, true},
		"client made an application": {func(b *bundle) {
			c := b.clients["jane-pat"]
			c.IdentityID = lifecycle.ID{}
			b.clients["jane-pat"] = c
		}, true},
		"level and scope taken": {func(b *bundle) {
			b.identities[jane] = lifecycle.Identity{ID: jane, Active: true}
			c := b.clients["jane-pat"]
			c.Scopes = []string{lifecycle.ScopeRead}
			b.clients["jane-pat"] = c
		}, false},
	} {
		b := newBundle(t)
		token := b.token(t, "jane-pat")
		before, err := b.authenticate(token)
		require.NoError(t, err, name)
		b.change(func() { test.change(b) })

		b.clock.advance(StateAge - 1)
		lookups := b.lookups.Load()
		still, err := b.authenticate(token)
		require.NoError(t, err, name)
		require.Equal(t, before, still, name)
		require.Equal(t, lookups, b.lookups.Load(), "%s: the cache is there to spare lookups", name)

		b.clock.advance(1)
		after, err := b.authenticate(token)
		if test.refuse {
			requireRefused(t, err, "JWT belongs to a client that is unknown or inactive")
			continue
		}
		require.NoError(t, err, name)
		require.Empty(t, after.Levels, name)
		require.Equal(t, []string{lifecycle.ScopeRead}, after.Scopes, name)
	}
}

// TestAClientThatIsMadeAnewRevivesNoToken: not those of the one that had its id
// before, while its own are good from the second in which it was made.
func TestAClientThatIsMadeAnewRevivesNoToken(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"app", "jane-pat"} {
		b := newBundle(t)
		made := func(at time.Time) {
			b.change(func() {
				c := b.clients[id]
				c.Created = at
				b.clients[id] = c
			})
		}
		made(b.clock.now().Add(999 * time.Millisecond))
		old := b.token(t, id)
		_, err := b.authenticate(old)
		require.NoError(t, err, "tokens tell seconds")

		b.clock.advance(StateAge)
		made(b.clock.now().Add(2 * time.Second))
		for _, forget := range []bool{false, true} {
			if forget {
				b.verifier.tokens = newLRU[[32]byte, *verified](8)
			}
			_, err = b.authenticate(old)
			requireRefused(t, err, "JWT belongs to a client that is unknown or inactive")
		}
		_, err = b.authenticate(b.token(t, id))
		require.NoError(t, err, "the clock that it was made by may be ahead")
	}
}

func TestATokenIsGoodInItsTimeOnly(t *testing.T) {
	t.Parallel()
	// Once through the parser at every step and once through what it left in
	// the cache: both must judge alike.
	for name, forget := range map[string]bool{"parsed each time": true, "remembered": false} {
		b := newBundle(t)
		token := b.token(t, "app")
		check := func() error {
			if forget {
				b.verifier.tokens = newLRU[[32]byte, *verified](8)
			}
			_, err := b.authenticate(token)
			return err
		}
		require.NoError(t, check(), name)
		b.clock.advance(-leeway)
		require.NoError(t, check(), name)
		b.clock.advance(-time.Second)
		requireRefused(t, check(), "JWT is not valid yet")
		b.clock.advance(time.Second + leeway + settings.Lifetime + leeway - 1)
		require.NoError(t, check(), name)
		b.clock.advance(1)
		requireRefused(t, check(), "JWT is expired")
		require.Zero(t, entries(b.verifier.tokens), name)
	}
}

func TestForgedAndForeignTokensAreRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	good := b.token(t, "app")
	key, name := b.ring.signingKey()
	public, ok := key.Public().(ed25519.PublicKey)
	require.True(t, ok)
	spki, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	other, err := newSigningKey(b.clock.now(), b.clock.now())
	require.NoError(t, err)
	otherPrivate, err := x509.ParsePKCS8PrivateKey(other.PrivateKey)
	require.NoError(t, err)

	now := b.clock.now()
	base := func() jwt.MapClaims {
		return jwt.MapClaims{
			"client_id": "app", "scope": []string{lifecycle.ScopeAll},
			"iss": settings.Issuer, "aud": settings.Issuer,
			"nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		}
	}
	sign := func(method jwt.SigningMethod, kid, key any, change func(jwt.MapClaims)) string {
		said := base()
		if change != nil {
			change(said)
		}
		token := jwt.NewWithClaims(method, said)
		if kid != nil {
			token.Header["kid"] = kid
		}
		text, err := token.SignedString(key)
		require.NoError(t, err)
		return text
	}
	ours := func(change func(jwt.MapClaims)) string { return sign(jwt.SigningMethodEdDSA, name, key, change) }
	set := func(claim string, value any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { c[claim] = value }
	}
	without := func(claim string) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { delete(c, claim) }
	}
	parts := strings.Split(good, ".")

	_, err = b.authenticate(ours(nil))
	require.NoError(t, err, "the forger of this test must be able to make a good token")

	for name, test := range map[string]struct{ token, reason string }{
		"alg none":                     {sign(jwt.SigningMethodNone, name, jwt.UnsafeAllowNoneSignatureType, nil), "JWT signature is invalid"},
		"HS256 keyed with raw public":  {sign(jwt.SigningMethodHS256, name, []byte(public), nil), "JWT signature is invalid"},
		"HS256 keyed with encoded key": {sign(jwt.SigningMethodHS256, name, spki, nil), "JWT signature is invalid"},
		"unknown key":                  {sign(jwt.SigningMethodEdDSA, other.KeyID, otherPrivate, nil), "JWT is signed with an unknown key"},
		"another key under our name":   {sign(jwt.SigningMethodEdDSA, name, otherPrivate, nil), "JWT signature is invalid"},
		"no key name":                  {sign(jwt.SigningMethodEdDSA, nil, key, nil), "JWT is signed with an unknown key"},
		"a key name that is no text":   {sign(jwt.SigningMethodEdDSA, 7, key, nil), "JWT is signed with an unknown key"},
		"another audience":             {ours(set("aud", "https://else.example")), "JWT is for another audience"},
		"no audience":                  {ours(without("aud")), "JWT lacks a claim or has one that can't be read"},
		"another issuer":               {ours(set("iss", "https://else.example")), "JWT has another issuer"},
		"no issuer":                    {ours(without("iss")), "JWT lacks a claim or has one that can't be read"},
		"expired":                      {ours(set("exp", now.Add(-time.Minute).Unix())), "JWT is expired"},
		"no expiry":                    {ours(without("exp")), "JWT lacks a claim or has one that can't be read"},
		"not valid yet":                {ours(set("nbf", now.Add(time.Minute).Unix())), "JWT is not valid yet"},
		"no beginning":                 {ours(without("nbf")), "JWT lacks a claim or has one that can't be read"},
		"no client":                    {ours(without("client_id")), "JWT lacks a claim or has one that can't be read"},
		"an identity that is no id":    {ours(set("identity_id", "jane")), "JWT lacks a claim or has one that can't be read"},
		"an identity the client lacks": {ours(set("identity_id", jane.String())), "JWT belongs to a client that is unknown or inactive"},
		"an unknown client":            {ours(set("client_id", "nobody")), "JWT belongs to a client that is unknown or inactive"},
		"a scope that is no list":      {ours(set("scope", 5)), "JWT is malformed"},
		"another payload":              {parts[0] + "." + strings.Split(ours(set("scope", nil)), ".")[1] + "." + parts[2], "JWT signature is invalid"},
		"no signature":                 {parts[0] + "." + parts[1] + ".", "JWT signature is invalid"},
		"two parts":                    {parts[0] + "." + parts[1], "JWT is malformed"},
		"four parts":                   {good + ".x", "JWT is malformed"},
		"garbage":                      {"garbage", "JWT is malformed"},
		"dots":                         {"..", "JWT is malformed"},
		"a comma":                      {good + "," + good, "JWT is malformed"},
		"a blank within":               {parts[0] + " " + parts[1], "JWT is malformed"},
		"padding":                      {good + "=", "JWT is malformed"},
		"huge":                         {strings.Repeat("a", MaxHeader), "JWT is too long"},
		"an unknown algorithm":         {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"XX1"}`)) + "." + parts[1] + "." + parts[2], "JWT algorithm is not accepted"},
	} {
		_, err := b.authenticate(test.token)
		require.Error(t, err, name)
		var refusal *lifecycle.Error
		require.ErrorAs(t, err, &refusal, name)
		require.Equal(t, lifecycle.KindUnauthenticated, refusal.Kind, name)
		require.Equal(t, "JWT validation failed: "+test.reason, refusal.Message, name)
	}
	require.LessOrEqual(t, entries(b.verifier.tokens), 4, "a token that is refused for itself must not be remembered")
}

func TestThereIsOneBearerHeader(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	token := b.token(t, "app")
	for _, good := range []string{"Bearer " + token, "bearer " + token, "BEARER  " + token} {
		_, err := b.verifier.Authenticate(bearer(good))
		require.NoError(t, err)
	}
	for name, test := range map[string]struct {
		headers []string
		reason  string
	}{
		"none":           {nil, "the request has no Bearer token"},
		"two":            {[]string{"Bearer " + token, "Bearer " + token}, "the request has more than one Authorization header"},
		"empty":          {[]string{""}, "the request has no Bearer token"},
		"scheme alone":   {[]string{"Bearer"}, "the request has no Bearer token"},
		"blanks alone":   {[]string{"Bearer   "}, "the request has no Bearer token"},
		"another scheme": {[]string{"Basic " + token}, "the request has no Bearer token"},
		"no scheme":      {[]string{token}, "the request has no Bearer token"},
	} {
		_, err := b.verifier.Authenticate(bearer(test.headers...))
		require.Error(t, err, name)
		requireRefused(t, err, test.reason)
	}
}

func TestProcessesThatStartAtOnceAgreeOnOneKey(t *testing.T) {
	t.Parallel()
	shared := &table{}
	const processes = 16
	rings := make([]*KeyRing, processes)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range processes {
		wg.Go(func() {
			<-start
			ring, err := LoadKeys(context.Background(), shared)
			if err == nil {
				rings[i] = ring
			}
		})
	}
	close(start)
	wg.Wait()
	for _, ring := range rings {
		require.NotNil(t, ring)
		_, name := ring.signingKey()
		require.Equal(t, shared.keys[0].KeyID, name)
		require.Equal(t, rings[0].set.Load().jwks, ring.set.Load().jwks)
	}
}

func TestAKeyThatCameLaterIsReadWhenATokenNamesIt(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	oldToken := b.token(t, "app")
	key, err := newSigningKey(b.clock.now(), b.clock.now())
	require.NoError(t, err)
	b.change(func() { b.keys = append([]lifecycle.SigningKey{key}, b.keys...) })

	ring, err := LoadKeys(t.Context(), b.table)
	require.NoError(t, err)
	ring.now = b.clock.now
	newer := NewIssuer(ring, b.table, settings, func(context.Context, string) {}, slog.New(slog.DiscardHandler))
	newer.now = b.clock.now
	w := httptest.NewRecorder()
	newer.ServeHTTP(w, urlencoded(credentials("app")))
	var answer tokenAnswer
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))

	_, err = b.authenticate(answer.AccessToken)
	require.NoError(t, err)
	_, err = b.authenticate(oldToken)
	require.NoError(t, err)
}

func TestUnknownKeyNamesDoNotLoadTheStore(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	before := b.readings.Load()
	for range 50 {
		_, _, ok, err := b.ring.cache.find(t.Context(), b.ring.cache.named(lifecycle.NewID().String()))
		require.NoError(t, err)
		require.False(t, ok)
	}
	require.Equal(t, before+1, b.readings.Load())
	b.clock.advance(reloadInterval)
	b.change(func() { b.fault = errors.New("down") })
	_, _, _, err := b.ring.cache.find(t.Context(), b.ring.cache.named("x"))
	require.ErrorIs(t, err, b.fault)
	require.Equal(t, before+2, b.readings.Load())
}

func TestKeysThatCannotBeUsedStopTheStart(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]*table{
		"garbage": {keys: []lifecycle.SigningKey{{KeyID: "k", PrivateKey: []byte("garbage")}}},
		"store":   {fault: errors.New("down")},
	} {
		_, err := LoadKeys(t.Context(), shared)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "garbage")
	}
}

func TestThePublishedKeysVerifyATokenAndHideTheSecret(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	w := httptest.NewRecorder()
	b.ring.ServeHTTP(w, httptest.NewRequest(http.MethodGet, JWKSPath, http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	var published struct {
		Keys []map[string]string `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &published))
	require.Len(t, published.Keys, 1)
	key := published.Keys[0]
	x, err := base64.RawURLEncoding.DecodeString(key["x"])
	require.NoError(t, err)
	_, err = jwt.Parse(b.token(t, "app"), func(token *jwt.Token) (any, error) {
		require.Equal(t, key["kid"], token.Header["kid"])
		return ed25519.PublicKey(x), nil
	}, jwt.WithTimeFunc(b.clock.now))
	require.NoError(t, err)
	delete(key, "x")
	delete(key, "kid")
	require.Equal(t, map[string]string{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}, key)

	w = httptest.NewRecorder()
	b.ring.ServeHTTP(w, httptest.NewRequest(http.MethodPost, JWKSPath, http.NoBody))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// The example of RFC 8037, appendix A.3.
func TestKeysAreNamedByTheirThumbprint(t *testing.T) {
	t.Parallel()
	public, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	require.NoError(t, err)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", thumbprint(public))
}

func TestInfoNeedsNoToken(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	InfoHandler(settings).ServeHTTP(w, httptest.NewRequest(http.MethodGet, InfoPath, http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"tenantId":"`+settings.tenantID()+`","tenantName":"acme","org":"acme",
		"issuer":"https://gate.example","apiEndpoint":"https://gate.example",
		"tokenEndpoint":"https://gate.example/oauth/token","jwksEndpoint":"https://gate.example/oauth/jwks"}`, w.Body.String())
}

func TestARefusalCostsOneComparisonWhateverIsWrong(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	hash, err := HashSecret("right")
	require.NoError(t, err)
	b.clients["costly"] = lifecycle.Client{ID: "costly", SecretHash: hash, Active: true}
	b.clients["hashless"] = lifecycle.Client{ID: "hashless", Active: true}
	var costs []int
	b.issuer.compare = func(hash, secret []byte) error {
		cost, err := bcrypt.Cost(hash)
		require.NoError(t, err)
		costs = append(costs, cost)
		return bcrypt.CompareHashAndPassword(hash, secret)
	}
	ask := func(id, secret string) int {
		return b.post(urlencoded(form("grant_type", "client_credentials", "client_id", id, "client_secret", secret))).Code
	}
	require.Equal(t, http.StatusUnauthorized, ask("costly", "wrong"))
	require.Equal(t, http.StatusUnauthorized, ask("nobody", "wrong"))
	require.Equal(t, http.StatusUnauthorized, ask("hashless", "wrong"))
	require.Equal(t, http.StatusUnauthorized, ask("can't be", "wrong"))
	require.Equal(t, http.StatusUnauthorized, ask("costly", strings.Repeat("x", MaxSecretLength+1)))
	require.Equal(t, http.StatusOK, ask("costly", "right"))
	require.Equal(t, []int{secretCost, secretCost, secretCost, secretCost, secretCost, secretCost}, costs)
}

func TestComparisonsAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for range cap(b.issuer.places) {
		b.issuer.places <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, http.StatusServiceUnavailable, b.post(urlencoded(credentials("app")).WithContext(ctx)).Code)
	<-b.issuer.places
	require.Equal(t, http.StatusOK, b.post(urlencoded(credentials("app"))).Code)
}

func TestSecretsAreMadeAndHashed(t *testing.T) {
	t.Parallel()
	made, hash, err := NewSecret()
	require.NoError(t, err)
	require.Len(t, made, 43)
	require.Equal(t, made, url.QueryEscape(made), "no client should have to escape it")
	require.True(t, matches(hash, made, bcrypt.CompareHashAndPassword))
	require.False(t, matches(hash, made+"x", bcrypt.CompareHashAndPassword))
	again, _, err := NewSecret()
	require.NoError(t, err)
	require.NotEqual(t, made, again)
}

func TestBcryptsBoundIsKept(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", MaxSecretLength)
	hash, err := HashSecret(longest)
	require.NoError(t, err)
	require.True(t, matches(hash, longest, bcrypt.CompareHashAndPassword))
	require.False(t, matches(hash, longest+"y", bcrypt.CompareHashAndPassword), "bcrypt alone would take it")
	for _, bad := range []string{"", longest + "y"} {
		_, err := HashSecret(bad)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
	}
}

func TestCallersAtOnceShareOneLookup(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	token := b.token(t, "app")
	before := b.lookups.Load()
	b.gate = make(chan struct{})
	const callers = 20
	results := make(chan error, callers)
	for range callers {
		go func() {
			_, err := b.authenticate(token)
			results <- err
		}()
	}
	// A caller that goes away gets its answer at once and spoils nothing.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.verifier.Authenticate(bearer("Bearer " + token).WithContext(ctx))
	require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
	require.Eventually(t, func() bool { return b.lookups.Load() > before }, 5*time.Second, time.Millisecond)
	close(b.gate)
	for range callers {
		require.NoError(t, <-results)
	}
	require.Equal(t, before+1, b.lookups.Load())
}

func TestTheCacheKeepsWhatWasUsedLast(t *testing.T) {
	t.Parallel()
	c := newLRU[string, int](2)
	c.put("a", 1)
	c.put("b", 2)
	_, _ = c.get("a")
	c.put("c", 3)
	_, ok := c.get("b")
	require.False(t, ok)
	c.put("a", 4)
	got, ok := c.get("a")
	require.True(t, ok)
	require.Equal(t, 4, got)
	c.remove("a")
	c.remove("a")
	_, ok = c.get("a")
	require.False(t, ok)
	require.Equal(t, 1, entries(c))
	require.Len(t, c.entries, 1)
}

func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer a.b.c", "bearer  a.b.c ", "Basic YTpi", "Bearer a b", "Bearer a,b", "Bearer\ta", "Bearer é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, fault := bearerToken([]string{header})
		if fault != nil {
			require.Empty(t, token)
			require.Equal(t, lifecycle.KindUnauthenticated, fault.Kind)
			require.True(t, strings.HasPrefix(fault.Message, "JWT validation failed: "))
			return
		}
		require.LessOrEqual(t, len(header), MaxHeader)
		require.NotEmpty(t, token)
		require.True(t, strings.EqualFold(header[:7], "Bearer "))
		require.Equal(t, token, strings.Trim(header[7:], " "))
		require.NotContains(t, token, " ")
		require.NotContains(t, token, ",")
	})
}

func FuzzTokenRequest(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "grant_type=client_credentials&client_id=a&client_secret=b", "scope=x", "Basic YTpi")
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\na\r\n--x--\r\n", "", "")
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"client_id\"; filename=\"f\"\r\n\r\na\r\n--x--\r\n", "client_id=%00", "Basic")
	f.Add("text/plain", "", ";", "Bearer x")
	f.Fuzz(func(t *testing.T, contentType, body, query, authorization string) {
		r := httptest.NewRequest(http.MethodPost, TokenPath, strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header["Content-Type"] = []string{contentType}
		r.Header["Authorization"] = []string{authorization}
		request, fault := readTokenRequest(httptest.NewRecorder(), r)
		if fault != nil {
			require.Equal(t, tokenRequest{}, request)
			require.GreaterOrEqual(t, fault.status, 400)
			require.NotEmpty(t, fault.Code)
			return
		}
		require.LessOrEqual(t, len(request.clientID+request.clientSecret+request.grantType+request.scope), len(body)+len(query)+len(authorization))
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	all := newBundle(b)
	r := bearer("Bearer " + all.token(b, "jane-pat"))
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := all.verifier.Authenticate(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("remembered, all processors", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := all.verifier.Authenticate(r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	b.Run("first seen", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			all.verifier.tokens = newLRU[[32]byte, *verified](8)
			if _, err := all.verifier.Authenticate(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// entries counts what a cache remembers.
func entries[K comparable, V any](c *lru[K, V]) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}

// TestARefusedClientIsToldOf: by its id, never by what stood in the place of one.
func TestARefusedClientIsToldOf(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	wrong := func(client string) *http.Request {
		return urlencoded(form("grant_type", "client_credentials", "client_id", client, "client_secret", "x"))
	}
	off := b.clients["jane-pat"]
	off.Active = false
	b.clients["jane-pat"] = off
	for _, r := range []*http.Request{
		urlencoded(credentials("app")), wrong("app"), wrong("secret-in-the-wrong-place"), urlencoded(credentials("jane-pat")), urlencoded(form("grant_type", "client_credentials")),
	} {
		b.issuer.ServeHTTP(httptest.NewRecorder(), r)
	}
	require.Equal(t, []string{"app", "", "jane-pat"}, b.refused)
}
