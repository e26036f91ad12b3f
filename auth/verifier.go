package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
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

// Verifier tells from a request who calls. Safe for concurrent use.
//
// Checking a signature takes a hundred times as long as looking it up, so a
// token that was found good is remembered by its SHA-256; its times and the
// state of its client are judged at every request nonetheless.
type Verifier struct {
	ring    *KeyRing
	clients Clients
	parser  *jwt.Parser
	now     func() time.Time
	tokens  *lru[[sha256.Size]byte, *verified]
	states  *lru[string, *state]
	lookups singleflight.Group
}

// verified is what a token with a good signature says. It is immutable.
type verified struct {
	clientID   string
	identityID lifecycle.ID
	scopes     []string
	notBefore  time.Time
	expires    time.Time
}

// state is a client with its identity at the time it was asked for; known is
// false for a client that does not exist. It is immutable.
type state struct {
	asked    time.Time
	known    bool
	client   lifecycle.Client
	identity lifecycle.Identity
}

// NewVerifier returns a Verifier of the tokens that an [Issuer] with the same
// ring and settings makes.
func NewVerifier(ring *KeyRing, clients Clients, settings Settings) *Verifier {
	v := &Verifier{
		ring: ring, clients: clients, now: time.Now,
		tokens: newLRU[[sha256.Size]byte, *verified](maxTokens),
		states: newLRU[string, *state](maxStates),
	}
	v.parser = jwt.NewParser(
		jwt.WithValidMethods([]string{algorithm}),
		jwt.WithIssuer(settings.Issuer), jwt.WithAudience(settings.Issuer),
		jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return v.now() }),
	)
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
	current, err := v.stateOf(r.Context(), said.clientID)
	if err != nil {
		return policy.Actor{}, err
	}
	if !current.known || !usable(current.client, current.identity) || current.client.IdentityID != said.identityID {
		return policy.Actor{}, errRevoked
	}
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
		return said, nil
	}
	said, err := v.parse(ctx, token)
	if err != nil {
		return nil, err
	}
	v.tokens.put(sum, said)
	return said, nil
}

func (v *Verifier) parse(ctx context.Context, token string) (*verified, error) {
	var said claims
	_, err := v.parser.ParseWithClaims(token, &said, func(t *jwt.Token) (any, error) {
		return v.keyOf(ctx, t)
	})
	if err != nil {
		return nil, reasonOf(err)
	}
	var identity lifecycle.ID
	if said.IdentityID != "" {
		if identity, err = lifecycle.ParseID(said.IdentityID); err != nil {
			return nil, errClaims
		}
	}
	if !lifecycle.IsClientID(said.ClientID) {
		return nil, errClaims
	}
	return &verified{
		clientID: said.ClientID, identityID: identity, scopes: said.Scope,
		notBefore: said.NotBefore.Time, expires: said.ExpiresAt.Time,
	}, nil
}

// keyOf returns the key that the token names. Errors are lifecycle errors.
func (v *Verifier) keyOf(ctx context.Context, token *jwt.Token) (ed25519.PublicKey, error) {
	name, ok := token.Header["kid"].(string)
	if !ok {
		return nil, errUnknownKey
	}
	key, err := v.ring.publicKey(ctx, name)
	switch {
	case err != nil:
		return nil, errUnavailable.WithCause(err)
	case key == nil:
		return nil, errUnknownKey
	}
	return key, nil
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

// stateOf returns the state of the client, at most StateAge old. Callers that
// ask for one client at the same time share one lookup.
func (v *Verifier) stateOf(ctx context.Context, clientID string) (*state, error) {
	if current, ok := v.states.get(clientID); ok && v.now().Sub(current.asked) < StateAge {
		return current, nil
	}
	result := v.lookups.DoChan(clientID, func() (any, error) {
		// A caller that goes away must not leave its failure to the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		return v.lookUp(ctx, clientID)
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

func (v *Verifier) lookUp(ctx context.Context, clientID string) (*state, error) {
	// The age counts from before the store was asked.
	current := &state{asked: v.now()}
	client, identity, err := v.clients.GetClient(ctx, clientID)
	switch {
	case err == nil:
		current.known, current.client, current.identity = true, client, identity
	case lifecycle.KindOf(err) != lifecycle.KindNotFound:
		return nil, err
	}
	v.states.put(clientID, current)
	return current, nil
}
