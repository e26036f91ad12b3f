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
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/lifecycle"
)

// Keys keeps the signing keys that all API processes share.
type Keys interface {
	// SigningKeys returns all keys, the newest first.
	SigningKeys(ctx context.Context) ([]lifecycle.SigningKey, error)
	// EnsureSigningKey stores the key if there is none yet, and returns all
	// keys as they are then, the newest first. Of several callers at once all
	// get the same answer.
	EnsureSigningKey(ctx context.Context, key lifecycle.SigningKey) ([]lifecycle.SigningKey, error)
}

// reloadInterval is the least time between two readings of the keys for the
// sake of tokens that name an unknown one, so that forged names can't be turned
// into a load on the store.
const reloadInterval = 10 * time.Second

// KeyRing holds the signing keys of this process: it signs with the newest one
// that there was at the start and knows the others by name. A key that another
// process added later is read when a token names it. A key that was removed is
// known until the process ends. Safe for concurrent use.
type KeyRing struct {
	keys Keys
	now  func() time.Time
	set  atomic.Pointer[keySet]

	mu       sync.Mutex
	reloaded time.Time
	reason   error
}

// keySet is immutable.
type keySet struct {
	signing   ed25519.PrivateKey
	signingID string
	public    map[string]ed25519.PublicKey
	jwks      []byte
}

// LoadKeys reads the signing keys, and makes the first one if there is none.
// Processes that start at the same time agree on one key.
func LoadKeys(ctx context.Context, keys Keys) (*KeyRing, error) {
	stored, err := keys.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	if len(stored) == 0 {
		key, err := newSigningKey(time.Now())
		if err != nil {
			return nil, err
		}
		if stored, err = keys.EnsureSigningKey(ctx, key); err != nil {
			return nil, fmt.Errorf("storing the first signing key: %w", err)
		}
	}
	set, err := newKeySet(stored)
	if err != nil {
		return nil, err
	}
	ring := &KeyRing{keys: keys, now: time.Now}
	ring.set.Store(set)
	return ring, nil
}

func newSigningKey(now time.Time) (lifecycle.SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return lifecycle.SigningKey{}, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return lifecycle.SigningKey{}, fmt.Errorf("encoding a signing key: %w", err)
	}
	return lifecycle.SigningKey{
		KeyID: thumbprint(public), PrivateKey: der, Created: now.UTC().Truncate(time.Millisecond),
	}, nil
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

func newKeySet(stored []lifecycle.SigningKey) (*keySet, error) {
	if len(stored) == 0 {
		return nil, errors.New("there is no signing key")
	}
	set := &keySet{public: make(map[string]ed25519.PublicKey, len(stored))}
	published := struct {
		Keys []jwk `json:"keys"`
	}{}
	for i, key := range stored {
		parsed, err := x509.ParsePKCS8PrivateKey(key.PrivateKey)
		if err != nil {
			// The parser's text may quote what it read.
			return nil, fmt.Errorf("signing key %s can't be read", key.KeyID)
		}
		private, ok := parsed.(ed25519.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("signing key %s is no Ed25519 key", key.KeyID)
		}
		public, ok := private.Public().(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("signing key %s has no public key", key.KeyID)
		}
		if i == 0 {
			set.signing, set.signingID = private, key.KeyID
		}
		set.public[key.KeyID] = public
		published.Keys = append(published.Keys, jwk{
			Curve: "Ed25519", KeyType: "OKP", X: base64.RawURLEncoding.EncodeToString(public),
			KeyID: key.KeyID, Use: "sig", Algorithm: algorithm,
		})
	}
	jwks, err := json.Marshal(published)
	if err != nil {
		return nil, fmt.Errorf("writing the key set: %w", err)
	}
	set.jwks = jwks
	return set, nil
}

// signingKey returns the key to sign with and its name.
func (r *KeyRing) signingKey() (crypto.Signer, string) {
	set := r.set.Load()
	return set.signing, set.signingID
}

// publicKey returns the key of this name, nil if there is none. An unknown
// name makes it read the keys again, at most once in reloadInterval. The error
// is the store's.
func (r *KeyRing) publicKey(ctx context.Context, name string) (ed25519.PublicKey, error) {
	if key := r.set.Load().public[name]; key != nil {
		return key, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if key := r.set.Load().public[name]; key != nil {
		return key, nil
	}
	if now := r.now(); r.reloaded.IsZero() || now.Sub(r.reloaded) >= reloadInterval {
		r.reloaded = now
		r.reason = r.reload(ctx)
	}
	return r.set.Load().public[name], r.reason
}

func (r *KeyRing) reload(ctx context.Context) error {
	// A caller that goes away must not leave its failure to the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	stored, err := r.keys.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading the signing keys: %w", err)
	}
	set, err := newKeySet(stored)
	if err != nil {
		return err
	}
	old := r.set.Load()
	set.signing, set.signingID = old.signing, old.signingID
	maps.Copy(set.public, old.public)
	r.set.Store(set)
	return nil
}

// ServeHTTP answers with the public keys as a JSON Web Key Set (RFC 7517). It
// belongs at [JWKSPath] and needs no token.
func (r *KeyRing) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !onlyGet(w, req) {
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	// A client that has gone is no concern of ours.
	_, _ = w.Write(r.set.Load().jwks)
}
