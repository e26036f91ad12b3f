package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/singleflight"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const (
	// StateAge is the oldest that the state of a client and its identity may be
	// when a token is judged by it.
	StateAge = 10 * time.Second
	// MaxHeader is the longest Authorization header, in bytes.
	MaxHeader = 8 << 10

	// leeway is what clocks of API processes may differ.
	leeway = 5 * time.Second
	// lookupTimeout bounds a lookup that several callers may wait for.
	lookupTimeout = 5 * time.Second
	// The caches are bounded so that a flood of tokens costs time, not memory.
	maxTokens = 16_384
	maxStates = 4_096
)

// Identities looks people up.
type Identities interface {
	// GetIdentity returns the identity, active or not; KindNotFound if there is
	// none.
	GetIdentity(ctx context.Context, id lifecycle.ID) (lifecycle.Identity, error)
	// IdentityByAlias does so by the alias, without regard to case.
	IdentityByAlias(ctx context.Context, alias string) (lifecycle.Identity, error)
	// IdentityByExternalID does so by the directory's own name, to the byte; one
	// that several have is nobody's.
	IdentityByExternalID(ctx context.Context, externalID string) (lifecycle.Identity, error)
}

// Rows is what tokens are judged by.
type Rows interface {
	Clients
	Identities
}

// Verifier tells from a request who calls. Safe for concurrent use.
//
// Tokens of our own issuer and of external ones take one path: the issuer that
// a token names says which keys and claims count, and everything else is the
// same for all.
//
// Checking a signature takes a hundred times as long as looking it up, so a
// token that was found good is remembered by its SHA-256; its times, its key and
// the state of its holder are judged at every request nonetheless.
type Verifier struct {
	own       source
	externals map[string]*external
	// peek reads the issuer of a token that is yet to be judged.
	peek    *jwt.Parser
	rows    Rows
	log     *slog.Logger
	now     func() time.Time
	tokens  *lru[[sha256.Size]byte, *verified]
	states  *lru[holder, *state]
	lookups singleflight.Group
}

// source is an issuer whose tokens are taken.
type source interface {
	keys() *keyCache
	// omitsNames reports whether its tokens may name no key.
	omitsNames() bool
	// parse returns what the token says if its signature, issuer, audience and
	// times are good. Errors are the parser's, or lifecycle errors.
	parse(token string, keyOf jwt.Keyfunc) (*verified, error)
}

// holder is whose state decides about a token.
type holder struct {
	kind holderKind
	// name is the client's id, or the identity's id, alias in small letters or
	// external id.
	name string
}

type holderKind uint8

const (
	byClient holderKind = iota
	byID
	byAlias
	byExternalID
)

// verified is what a token with a good signature says. It is immutable.
type verified struct {
	source source
	// key is what it is signed with, and keyID its name.
	key    publicKey
	keyID  string
	holder holder
	// clientID is the client that got the token.
	clientID string
	// identityID is the one that a token of ours is bound to.
	identityID lifecycle.ID
	scopes     []string
	// levels are those that the token brings; nil for those of the identity's row.
	levels []lifecycle.Level
	// issued and notBefore are zero where the token does not say.
	issued    time.Time
	notBefore time.Time
	expires   time.Time
}

// precedes reports whether the token was issued before its holder was made, to
// the second that tokens tell: it is of one who had the name before.
func (said *verified) precedes(made time.Time) bool {
	return said.issued.Before(made.Truncate(time.Second))
}

// state is a client, an identity, or a client with its identity at the time
// they were asked for; known is false for what does not exist. It is immutable
// but for noted.
type state struct {
	asked    time.Time
	known    bool
	client   lifecycle.Client
	identity lifecycle.Identity
	// noted is true once a use of the client was noted by this state.
	noted atomic.Bool
}

// NewVerifier returns a Verifier of the tokens that an [Issuer] with the same
// ring and settings makes, and of those of external issuers.
func NewVerifier(ring *KeyRing, rows Rows, settings Settings, issuers []ExternalIssuer, log *slog.Logger) *Verifier {
	v := &Verifier{
		rows: rows, log: log, now: time.Now,
		tokens: newLRU[[sha256.Size]byte, *verified](maxTokens),
		states: newLRU[holder, *state](maxStates),
		peek:   jwt.NewParser(), externals: map[string]*external{},
	}
	clock := jwt.WithTimeFunc(func() time.Time { return v.now() })
	v.own = &own{cache: ring.cache, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{algorithm}),
		jwt.WithIssuer(settings.Issuer), jwt.WithAudience(settings.Issuer),
		jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(), clock,
	)}
	client := newProviderClient()
	for _, issuer := range issuers {
		e := &external{ExternalIssuer: issuer, parser: jwt.NewParser(
			jwt.WithValidMethods(issuer.Algorithms),
			jwt.WithIssuer(issuer.Issuer), jwt.WithAudience(issuer.Audiences...),
			jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(), clock,
		)}
		if u, err := url.Parse(issuer.Issuer); err == nil {
			e.host = u.Host
		}
		e.cache = newKeyCache((&provider{issuer: issuer.Issuer, client: client}).load)
		e.cache.maxAge = maxKeyAge
		v.externals[issuer.Issuer] = e
	}
	return v
}

// Authenticate returns who calls, from the one Authorization header, which must
// be "Bearer" and a token. The actor's slices belong to the Verifier: read
// them only.
//
// Errors are lifecycle errors. KindUnauthenticated has as its Message the whole
// text of the contract's 401 body, "JWT validation failed: JWT is expired"
// (contract §3). KindUnavailable says that the token could not be judged.
func (v *Verifier) Authenticate(r *http.Request) (policy.Actor, error) {
	token, fault := bearerToken(r.Header.Values("Authorization"))
	if fault != nil {
		return policy.Actor{}, fault
	}
	said, err := v.verify(r.Context(), token)
	if err != nil {
		return policy.Actor{}, err
	}
	current, err := v.stateOf(r.Context(), said.holder)
	if err != nil {
		return policy.Actor{}, err
	}
	if said.holder.kind != byClient {
		return said.person(current)
	}
	if !current.known || !usable(current.client, current.identity) || current.client.IdentityID != said.identityID {
		return policy.Actor{}, errRevoked
	}
	if said.source == v.own && said.precedes(current.client.Created) {
		return policy.Actor{}, errRevoked
	}
	v.noteUse(r.Context(), current)
	actor := policy.Actor{
		ClientID: said.clientID, IdentityID: said.identityID, Scopes: common(said.scopes, current.client.Scopes),
	}
	if actor.IsUser() {
		actor.Levels = current.identity.Levels
	} else {
		actor.Rights = current.client.Rights
	}
	return actor, nil
}

// person is the actor of a user token of an external issuer.
func (said *verified) person(current *state) (policy.Actor, error) {
	if !current.known || !current.identity.Active {
		return policy.Actor{}, errNobody
	}
	if said.holder.kind == byAlias && foldASCII(current.identity.Alias) != said.holder.name {
		return policy.Actor{}, errNobody
	}
	if !said.issued.IsZero() && said.precedes(current.identity.Created) {
		return policy.Actor{}, errNobody
	}
	actor := policy.Actor{
		ClientID: said.clientID, IdentityID: current.identity.ID, Scopes: said.scopes, Levels: said.levels,
	}
	if said.levels == nil {
		actor.Levels = current.identity.Levels
	}
	return actor, nil
}

func unauthenticated(reason string) *lifecycle.Error {
	return lifecycle.NewError(lifecycle.KindUnauthenticated, "JWT validation failed: "+reason)
}

var (
	errNoToken    = unauthenticated("the request has no Bearer token")
	errManyTokens = unauthenticated("the request has more than one Authorization header")
	errTooLong    = unauthenticated("JWT is too long")
	errMalformed  = unauthenticated("JWT is malformed")
	errSignature  = unauthenticated("JWT signature is invalid")
	errAlgorithm  = unauthenticated("JWT algorithm is not accepted")
	errUnknownKey = unauthenticated("JWT is signed with an unknown key")
	errIssuer     = unauthenticated("JWT has another issuer")
	errAudience   = unauthenticated("JWT is for another audience")
	errExpired    = unauthenticated("JWT is expired")
	errNotYet     = unauthenticated("JWT is not valid yet")
	errClaims     = unauthenticated("JWT lacks a claim or has one that can't be read")
	errRevoked    = unauthenticated("JWT belongs to a client that is unknown or inactive")
	errNobody     = unauthenticated("JWT belongs to an identity that is unknown or inactive")

	errUnavailable = lifecycle.NewError(lifecycle.KindUnavailable, "The access token can't be judged at the moment.")
)

// bearerToken takes the token from the values of the Authorization header. It
// has the characters of a JWT in compact form; no more is known of it.
func bearerToken(headers []string) (string, *lifecycle.Error) {
	switch {
	case len(headers) == 0:
		return "", errNoToken
	case len(headers) > 1:
		return "", errManyTokens
	case len(headers[0]) > MaxHeader:
		return "", errTooLong
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	token = strings.Trim(token, " ")
	if token == "" {
		return "", errNoToken
	}
	for i := range len(token) {
		if !isTokenByte(token[i]) {
			return "", errMalformed
		}
	}
	return token, nil
}

func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// verify returns what the token says if it is good at this moment.
func (v *Verifier) verify(ctx context.Context, token string) (*verified, error) {
	sum := sha256.Sum256([]byte(token))
	if said, ok := v.tokens.get(sum); ok {
		now := v.now()
		// The same comparisons as the parser's.
		if !now.Before(said.expires.Add(leeway)) {
			v.tokens.remove(sum)
			return nil, errExpired
		}
		if now.Before(said.notBefore.Add(-leeway)) {
			return nil, errNotYet
		}
		if key, ok := said.source.keys().known(said.keyID); ok && key.is(said.key) {
			return said, nil
		}
		// Its key was taken back or replaced, or is too old to be trusted.
		v.tokens.remove(sum)
	}
	said, err := v.parse(ctx, token)
	if err != nil {
		return nil, reasonOf(err)
	}
	v.tokens.put(sum, said)
	return said, nil
}

// parse judges the token as the issuer that it names does, and as ours does
// where it names none that is known.
func (v *Verifier) parse(ctx context.Context, token string) (*verified, error) {
	from := v.own
	if len(v.externals) > 0 {
		var named jwt.RegisteredClaims
		if _, _, err := v.peek.ParseUnverified(token, &named); err == nil && v.externals[named.Issuer] != nil {
			from = v.externals[named.Issuer]
		}
	}
	var (
		keyID string
		key   publicKey
	)
	said, err := from.parse(token, func(t *jwt.Token) (_ any, err error) {
		keyID, key, err = keyOf(ctx, from, t)
		return key.key, err
	})
	if err != nil {
		return nil, err
	}
	said.source, said.key, said.keyID = from, key, keyID
	return said, nil
}

// keyOf returns the key that the token names, or the only one that it can be
// signed with where it names none and its issuer may leave that out. Errors are
// lifecycle errors.
func keyOf(ctx context.Context, from source, token *jwt.Token) (string, publicKey, error) {
	keys := from.keys()
	look := func() (string, publicKey, bool) { return keys.single(token.Method) }
	if named, there := token.Header["kid"]; there || !from.omitsNames() {
		name, ok := named.(string)
		if !ok {
			return "", publicKey{}, errUnknownKey
		}
		look = keys.named(name)
	}
	if token.Header["crit"] != nil {
		// What must be understood and is not (RFC 7515 §4.1.11).
		return "", publicKey{}, errMalformed
	}
	name, key, ok, err := keys.find(ctx, look)
	switch {
	case ok && key.algorithm != "" && key.algorithm != token.Method.Alg():
		return "", publicKey{}, errAlgorithm
	case ok:
		return name, key, nil
	case err != nil:
		return "", publicKey{}, errUnavailable.WithCause(err)
	}
	return "", publicKey{}, errUnknownKey
}

// own is our own issuer.
type own struct {
	cache  *keyCache
	parser *jwt.Parser
}

func (o *own) keys() *keyCache { return o.cache }

func (o *own) omitsNames() bool { return false }

// parse implements source.
func (o *own) parse(token string, keyOf jwt.Keyfunc) (*verified, error) {
	var said claims
	if _, err := o.parser.ParseWithClaims(token, &said, keyOf); err != nil {
		return nil, err
	}
	var identity lifecycle.ID
	if said.IdentityID != "" {
		var err error
		if identity, err = lifecycle.ParseID(said.IdentityID); err != nil {
			return nil, errClaims
		}
	}
	if !lifecycle.IsClientID(said.ClientID) {
		return nil, errClaims
	}
	found := &verified{
		holder: holder{byClient, said.ClientID}, clientID: said.ClientID, identityID: identity, scopes: said.Scope,
		notBefore: said.NotBefore.Time, expires: said.ExpiresAt.Time,
	}
	if said.IssuedAt != nil {
		found.issued = said.IssuedAt.Time
	}
	return found, nil
}

// reasonOf turns the parser's error, whose text quotes the token, into ours.
func reasonOf(err error) *lifecycle.Error {
	var ours *lifecycle.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, jwt.ErrTokenMalformed):
		return errMalformed
	case errors.Is(err, jwt.ErrTokenUnverifiable):
		return errAlgorithm
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return errSignature
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return errClaims
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return errIssuer
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return errAudience
	case errors.Is(err, jwt.ErrTokenExpired):
		return errExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return errNotYet
	}
	return errClaims
}

// stateOf returns the state of the holder, at most StateAge old. Callers that
// ask for one at the same time share one lookup.
func (v *Verifier) stateOf(ctx context.Context, of holder) (*state, error) {
	if current, ok := v.states.get(of); ok && v.now().Sub(current.asked) < StateAge {
		return current, nil
	}
	result := v.lookups.DoChan(string(rune('0'+of.kind))+of.name, func() (any, error) {
		// A caller that goes away must not leave its failure to the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		return v.lookUp(ctx, of)
	})
	select {
	case answer := <-result:
		if answer.Err != nil {
			return nil, errUnavailable.WithCause(answer.Err)
		}
		return answer.Val.(*state), nil //nolint:forcetypeassert // lookUp returns nothing else
	case <-ctx.Done():
		return nil, errUnavailable.WithCause(ctx.Err())
	}
}

func (v *Verifier) lookUp(ctx context.Context, of holder) (*state, error) {
	// The age counts from before the store was asked.
	current := &state{asked: v.now()}
	err := v.fill(ctx, of, current)
	switch {
	case err == nil:
		current.known = true
	case lifecycle.KindOf(err) != lifecycle.KindNotFound:
		return nil, err
	}
	v.states.put(of, current)
	return current, nil
}

func (v *Verifier) fill(ctx context.Context, of holder, current *state) (err error) {
	switch of.kind {
	case byAlias:
		current.identity, err = v.rows.IdentityByAlias(ctx, of.name)
	case byExternalID:
		current.identity, err = v.rows.IdentityByExternalID(ctx, of.name)
	case byID:
		var id lifecycle.ID
		if id, err = lifecycle.ParseID(of.name); err == nil {
			current.identity, err = v.rows.GetIdentity(ctx, id)
		}
	default:
		current.client, current.identity, err = v.rows.GetClient(ctx, of.name)
	}
	return err
}

// noteUse keeps that the client is used, of all requests that are judged by one
// state for the first that is admitted.
func (v *Verifier) noteUse(ctx context.Context, current *state) {
	if !current.noted.CompareAndSwap(false, true) {
		return
	}
	// A caller that goes away leaves the use noted nonetheless.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	noteUse(ctx, v.rows, current.client, current.asked, v.log)
}

// noteUse keeps that the client is used, where that is not known yet to
// [lifecycle.ClientUseGrain].
func noteUse(ctx context.Context, clients Clients, client lifecycle.Client, now time.Time, log *slog.Logger) {
	if now.Sub(client.LastUsed) < lifecycle.ClientUseGrain {
		return
	}
	if err := clients.NoteClientUse(ctx, client.ID, now); err != nil {
		log.WarnContext(ctx, "the use of a client could not be noted", "error", err)
	}
}
