package auth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"gatehouse/lifecycle"
)

// Keys keeps the signing keys that all API processes share.
type Keys interface {
	// SigningKeys returns all keys, those that sign latest first.
	SigningKeys(ctx context.Context) ([]lifecycle.SigningKey, error)
	// ChangeSigningKeys hands all keys to change, adds the one that it returns,
	// unless that is zero, removes those that it names, and returns what there is
	// then, in the order of SigningKeys. Callers follow one another. An error of
	// change ends it and is returned as it is.
	ChangeSigningKeys(ctx context.Context, change func(keys []lifecycle.SigningKey) (added lifecycle.SigningKey, removed []string, err error)) ([]lifecycle.SigningKey, error)
}

const (
	// MaxLifetime is the longest that a token may be good for. Configuration
	// keeps to it, so that it is known when the last token of a key is gone.
	MaxLifetime = 24 * time.Hour
	// KeyLead is how long a new key is published before it signs: longer than
	// whoever verifies our tokens may keep the key set, which is keySetAge.
	KeyLead = 10 * time.Minute

	keySetAge = 5 * time.Minute
	// keyInterval is how often a process reads the keys.
	keyInterval = 10 * time.Second
	// keyMargin is what clocks may differ and readings be late, until a key that
	// was superseded is removed.
	keyMargin = time.Minute
)

// KeyRing holds the signing keys of this process: it signs with the one whose
// time has come last and knows the others by name. [KeyRing.Keep] has it follow
// what happens to the keys; one that a token names and that is not known yet is
// read at once. Safe for concurrent use.
type KeyRing struct {
	keys  Keys
	now   func() time.Time
	cache *keyCache
	set   atomic.Pointer[keySet]
}

// keySet is immutable.
type keySet struct {
	// signing are in the order of SigningKeys.
	signing []signingKey
	jwks    []byte
}

type signingKey struct {
	name    string
	private ed25519.PrivateKey
	from    time.Time
}

// LoadKeys reads the signing keys, and makes the first one if there is none.
// Processes that start at the same time agree on one key.
func LoadKeys(ctx context.Context, keys Keys) (*KeyRing, error) {
	r := &KeyRing{keys: keys, now: time.Now}
	r.cache = newKeyCache(r.load)
	if err := r.cache.reload(ctx); err != nil && !errors.Is(err, errNoKeys) {
		return nil, err
	} else if err == nil {
		return r, nil
	}
	_, err := keys.ChangeSigningKeys(ctx, func(stored []lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
		if len(stored) > 0 {
			return lifecycle.SigningKey{}, nil, nil
		}
		now := time.Now()
		first, err := newSigningKey(now, now)
		return first, nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("storing the first signing key: %w", err)
	}
	return r, r.cache.reload(ctx)
}

func newSigningKey(now, from time.Time) (lifecycle.SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return lifecycle.SigningKey{}, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return lifecycle.SigningKey{}, fmt.Errorf("encoding a signing key: %w", err)
	}
	return lifecycle.SigningKey{
		KeyID: thumbprint(public), PrivateKey: der,
		Created: now.UTC().Truncate(time.Millisecond), SignsFrom: from.UTC().Truncate(time.Millisecond),
	}, nil
}

// RotateKey makes a key that signs KeyLead from now, or at once. Where a key waits
// to sign already the former is KindIllegalUpdate; the latter is not held up by
// it, since whatever leaked may have held that one too.
func RotateKey(ctx context.Context, keys Keys, atOnce bool) (made lifecycle.SigningKey, err error) {
	now := time.Now()
	_, err = keys.ChangeSigningKeys(ctx, func(stored []lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
		from := now.Add(KeyLead)
		if atOnce {
			from = now
		}
		if !atOnce && len(stored) > 0 && stored[0].SignsFrom.After(now) {
			return lifecycle.SigningKey{}, nil, lifecycle.NewError(lifecycle.KindIllegalUpdate,
				"The key "+stored[0].KeyID+" waits to sign already.")
		}
		var err error
		made, err = newSigningKey(now, from)
		return made, nil, err
	})
	return made, err
}

// RemoveKey removes the key, and with it the tokens that it signed. The only key
// whose time has come is KindIllegalUpdate, one that is not there KindNotFound.
func RemoveKey(ctx context.Context, keys Keys, name string) error {
	now := time.Now()
	_, err := keys.ChangeSigningKeys(ctx, func(stored []lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
		at := slices.IndexFunc(stored, func(k lifecycle.SigningKey) bool { return k.KeyID == name })
		if at < 0 {
			return lifecycle.SigningKey{}, nil, lifecycle.NewError(lifecycle.KindNotFound, "There is no such key.")
		}
		if !slices.ContainsFunc(stored, func(k lifecycle.SigningKey) bool { return k.KeyID != name && !k.SignsFrom.After(now) }) {
			return lifecycle.SigningKey{}, nil, lifecycle.NewError(lifecycle.KindIllegalUpdate,
				"It is the only key that can sign: rotate at once first.")
		}
		return lifecycle.SigningKey{}, []string{name}, nil
	})
	return err
}

// upkeep says what is to be done about the keys: a new one once the newest is
// older than age, and the removal of those whose last token is gone.
func upkeep(stored []lifecycle.SigningKey, age time.Duration, now time.Time) (rotate bool, spent []string) {
	if len(stored) == 0 {
		return false, nil
	}
	rotate = now.Sub(stored[0].SignsFrom) >= age
	for i, key := range stored[1:] {
		if now.Sub(stored[i].SignsFrom) > MaxLifetime+leeway+keyMargin {
			spent = append(spent, key.KeyID)
		}
	}
	return rotate, spent
}

// Keep follows the keys until ctx ends: it reads them every 10 s, has a new one
// made once the newest has signed for age, and removes those whose last token is
// gone. Of several processes one does it.
func (r *KeyRing) Keep(ctx context.Context, age time.Duration, log *slog.Logger) {
	every(ctx, keyInterval, func(ctx context.Context) {
		if err := r.keep(ctx, age); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the signing keys could not be looked after", "error", err)
		}
	})
}

func (r *KeyRing) keep(ctx context.Context, age time.Duration) error {
	stored, err := r.keys.SigningKeys(ctx)
	if err != nil {
		return err
	}
	if rotate, spent := upkeep(stored, age, r.now()); rotate || len(spent) > 0 {
		_, err := r.keys.ChangeSigningKeys(ctx, func(stored []lifecycle.SigningKey) (added lifecycle.SigningKey, removed []string, err error) {
			now := r.now()
			rotate, removed := upkeep(stored, age, now)
			if rotate {
				added, err = newSigningKey(now, now.Add(KeyLead))
			}
			return added, removed, err
		})
		if err != nil {
			return err
		}
	}
	return r.cache.reload(ctx)
}

// jwk is an Ed25519 public key as RFC 8037 writes it.
type jwk struct {
	Curve     string `json:"crv"`
	KeyType   string `json:"kty"`
	X         string `json:"x"`
	KeyID     string `json:"kid,omitempty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
}

// thumbprint is that of RFC 7638, so that a key has one name everywhere.
func thumbprint(public ed25519.PublicKey) string {
	// The required members alone, in the order of their names and without
	// blanks: the fields of jwk stand in this order.
	text, err := json.Marshal(jwk{Curve: "Ed25519", KeyType: "OKP", X: base64.RawURLEncoding.EncodeToString(public)})
	if err != nil {
		return "" // text fields can't fail to marshal
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

var errNoKeys = errors.New("there is no signing key")

// load reads the keys for the cache and takes over what they sign with.
func (r *KeyRing) load(ctx context.Context) (map[string]publicKey, error) {
	stored, err := r.keys.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	set, public, err := newKeySet(stored)
	if err != nil {
		return nil, err
	}
	r.set.Store(set)
	return public, nil
}

func newKeySet(stored []lifecycle.SigningKey) (*keySet, map[string]publicKey, error) {
	if len(stored) == 0 {
		return nil, nil, errNoKeys
	}
	set, keys := &keySet{}, make(map[string]publicKey, len(stored))
	published := struct {
		Keys []jwk `json:"keys"`
	}{}
	for _, key := range stored {
		parsed, err := x509.ParsePKCS8PrivateKey(key.PrivateKey)
		if err != nil {
			// The parser's text may quote what it read.
			return nil, nil, fmt.Errorf("signing key %s can't be read", key.KeyID)
		}
		private, ok := parsed.(ed25519.PrivateKey)
		if !ok {
			return nil, nil, fmt.Errorf("signing key %s is no Ed25519 key", key.KeyID)
		}
		public, ok := private.Public().(ed25519.PublicKey)
		if !ok {
			return nil, nil, fmt.Errorf("signing key %s has no public key", key.KeyID)
		}
		set.signing = append(set.signing, signingKey{key.KeyID, private, key.SignsFrom})
		keys[key.KeyID] = publicKey{public, algorithm}
		published.Keys = append(published.Keys, jwk{
			Curve: "Ed25519", KeyType: "OKP", X: base64.RawURLEncoding.EncodeToString(public),
			KeyID: key.KeyID, Use: "sig", Algorithm: algorithm,
		})
	}
	jwks, err := json.Marshal(published)
	if err != nil {
		return nil, nil, fmt.Errorf("writing the key set: %w", err)
	}
	set.jwks = jwks
	return set, keys, nil
}

// signingKey returns the key to sign with and its name: of those whose time has
// come the last, or the first to come.
func (r *KeyRing) signingKey() (crypto.Signer, string) {
	keys, now := r.set.Load().signing, r.now()
	for _, key := range keys {
		if !key.from.After(now) {
			return key.private, key.name
		}
	}
	first := keys[len(keys)-1]
	return first.private, first.name
}

// ServeHTTP answers with the public keys as a JSON Web Key Set (RFC 7517). It
// belongs at [JWKSPath] and needs no token.
func (r *KeyRing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !onlyGet(w, req) {
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(keySetAge/time.Second)))
	// A client that has gone is no concern of ours.
	_, _ = w.Write(r.set.Load().jwks)
}
