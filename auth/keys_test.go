package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func keyOfToken(t *testing.T, token string) string {
	t.Helper()
	head, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	require.NoError(t, err)
	var header struct{ Kid string }
	require.NoError(t, json.Unmarshal(head, &header))
	return header.Kid
}

func (b *bundle) published(t *testing.T) []string {
	t.Helper()
	w := httptest.NewRecorder()
	b.ring.ServeHTTP(w, httptest.NewRequest(http.MethodGet, JWKSPath, http.NoBody))
	var set struct{ Keys []struct{ Kid string } }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &set))
	names := []string{}
	for _, key := range set.Keys {
		names = append(names, key.Kid)
	}
	return names
}

// TestAKeyLivesFromItsPublishingToItsLastToken follows two keys through a
// rotation: nobody meets a key that was not published, and no token dies before
// its time.
func TestAKeyLivesFromItsPublishingToItsLastToken(t *testing.T) {
	t.Parallel()
	const age = 48 * time.Hour
	b := newBundle(t)
	first := b.keys[0]
	b.change(func() { b.keys[0].SignsFrom = b.clock.now() })
	keep := func() { require.NoError(t, b.ring.keep(t.Context(), age)) }
	keep()
	require.Equal(t, []string{first.KeyID}, b.published(t))

	b.clock.advance(age - 1)
	keep()
	require.Len(t, b.published(t), 1)
	b.clock.advance(1)
	keep()
	keep()
	names := b.published(t)
	require.Len(t, names, 2, "of many who look one makes the next key")
	second := names[0]
	require.Equal(t, first.KeyID, names[1])

	b.clock.advance(KeyLead - time.Second)
	last := b.token(t, "app")
	require.Equal(t, first.KeyID, keyOfToken(t, last), "a key is published before it signs")
	b.clock.advance(time.Second)
	require.Equal(t, second, keyOfToken(t, b.token(t, "app")))

	b.clock.advance(settings.Lifetime)
	_, err := b.authenticate(last)
	require.NoError(t, err, "a token outlives the time in which its key signed")
	keep()
	require.Len(t, b.published(t), 2)
	b.clock.advance(MaxLifetime + leeway + keyMargin - settings.Lifetime)
	keep()
	require.Len(t, b.published(t), 2)
	b.clock.advance(time.Millisecond)
	keep()
	require.Equal(t, []string{second}, b.published(t))
	require.Greater(t, KeyLead, keySetAge+keyInterval, "whoever keeps the key set knows a key before it signs")
}

func TestAKeyIsChangedByHand(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	// These take the time from the system.
	b.ring.now, b.ring.cache.now = time.Now, time.Now
	first := b.keys[0].KeyID
	keep := func() { require.NoError(t, b.ring.keep(t.Context(), MaxLifetime)) }

	require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(RemoveKey(t.Context(), b.table, first)))
	waiting, err := RotateKey(t.Context(), b.table, false)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(KeyLead), waiting.SignsFrom, time.Minute)
	_, err = RotateKey(t.Context(), b.table, false)
	require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(err), "one waits already")
	require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(RemoveKey(t.Context(), b.table, first)), "the other can't sign yet")

	b.clock.nanos.Store(time.Now().UnixNano())
	old := b.token(t, "app")
	_, err = b.authenticate(old)
	require.NoError(t, err)
	next, err := RotateKey(t.Context(), b.table, true)
	require.NoError(t, err, "what waits does not hold up what must end at once")
	keep()
	require.ElementsMatch(t, []string{waiting.KeyID, next.KeyID, first}, b.published(t))
	require.Equal(t, next.KeyID, keyOfToken(t, b.token(t, "app")))
	require.NoError(t, RemoveKey(t.Context(), b.table, first))
	require.NoError(t, RemoveKey(t.Context(), b.table, waiting.KeyID))
	require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(RemoveKey(t.Context(), b.table, waiting.KeyID)))
	keep()
	require.Equal(t, []string{next.KeyID}, b.published(t))
	_, err = b.authenticate(old)
	requireRefused(t, err, "JWT is signed with an unknown key")
}

func TestTheUseOfAClientIsNoted(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	token := b.token(t, "app")
	require.Equal(t, b.clock.now(), b.clients["app"].LastUsed)
	for range 5 {
		b.clock.advance(StateAge)
		_, err := b.authenticate(token)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, b.uses.Load())
	b.clock.advance(lifecycle.ClientUseGrain - 5*StateAge)
	_, err := b.authenticate(token)
	require.NoError(t, err)
	require.EqualValues(t, 2, b.uses.Load())

	token = b.token(t, "app")
	uses := b.uses.Load()
	b.change(func() {
		c := b.clients["app"]
		c.Active, c.LastUsed = false, time.Time{}
		b.clients["app"] = c
	})
	b.clock.advance(StateAge)
	_, err = b.authenticate(token)
	requireRefused(t, err, "JWT belongs to a client that is unknown or inactive")
	require.Equal(t, uses, b.uses.Load(), "who is refused does not use it")
}

func TestKeysThatComeLaterNeedNoRestart(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	other, err := LoadKeys(t.Context(), b.table)
	require.NoError(t, err)
	other.now = b.clock.now
	key, err := newSigningKey(b.clock.now(), b.clock.now())
	require.NoError(t, err)
	b.change(func() { b.keys = append([]lifecycle.SigningKey{key}, b.keys...) })
	require.NoError(t, other.keep(t.Context(), MaxLifetime))
	_, name := other.signingKey()
	require.Equal(t, key.KeyID, name)
	issuer := NewIssuer(other, b.table, settings, func(context.Context, string) {}, slog.New(slog.DiscardHandler))
	issuer.now = b.clock.now
	w := httptest.NewRecorder()
	issuer.ServeHTTP(w, urlencoded(credentials("app")))
	var answer tokenAnswer
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	_, err = b.authenticate(answer.AccessToken)
	require.NoError(t, err)
}

// TestAFreshKeyIsKnownAtOnce: also to a process that has just read the keys, as
// one that follows them always has.
func TestAFreshKeyIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	keep := func() { require.NoError(t, b.ring.keep(t.Context(), MaxLifetime)) }
	signWith := func(key lifecycle.SigningKey) string {
		set, _, err := newKeySet([]lifecycle.SigningKey{key})
		require.NoError(t, err)
		now := b.clock.now().Unix()
		return sign(t, jwt.SigningMethodEdDSA, key.KeyID, set.signing[0].private, jwt.MapClaims{
			"iss": settings.Issuer, "aud": settings.Issuer, "iat": now, "nbf": now, "exp": now + 60, "client_id": "app",
		})
	}
	for range 3 {
		keep()
		key, err := newSigningKey(b.clock.now(), b.clock.now())
		require.NoError(t, err)
		b.change(func() { b.keys = append([]lifecycle.SigningKey{key}, b.keys...) })
		_, err = b.authenticate(signWith(key))
		require.NoError(t, err)

		// Forged names are looked for no more often for it.
		readings := b.readings.Load()
		forged, err := newSigningKey(b.clock.now(), b.clock.now())
		require.NoError(t, err)
		for range 5 {
			_, err = b.authenticate(signWith(forged))
			requireRefused(t, err, "JWT is signed with an unknown key")
		}
		require.Equal(t, readings, b.readings.Load())
		b.clock.advance(reloadInterval)
	}
}

// TestWhoeverWaitsForKeysMayLeave: a reading that hangs holds nobody beyond the
// end of the request, and is one for all.
func TestWhoeverWaitsForKeysMayLeave(t *testing.T) {
	t.Parallel()
	e := newElsewhere(t, elsewhereFile)
	cache, gate := e.verifier.externals[e.url].cache, make(chan struct{})
	load := cache.load
	cache.load = func(ctx context.Context) (map[string]publicKey, error) {
		<-gate
		return load(ctx)
	}
	token := e.token(t)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err := e.verifier.Authenticate(bearer("Bearer " + token).WithContext(ctx))
		cancel()
		require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
	}
	close(gate)
	_, err := e.authenticate(token)
	require.NoError(t, err)
	require.EqualValues(t, 1, e.calls.Load())
}
