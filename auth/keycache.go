package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// reloadInterval is the least time between two readings of keys for the sake of
// tokens that name an unknown one, so that forged names can't be turned into a
// load on those who keep the keys.
const reloadInterval = 10 * time.Second

// maxKeyAge is how long the keys of a provider that can't be read are trusted:
// whoever keeps us from it must not keep a key alive that it has taken back.
const maxKeyAge = 24 * time.Hour

// publicKey is a key that verifies.
type publicKey struct {
	key crypto.PublicKey
	// algorithm is the only one that the key is for; empty where the key does not
	// say.
	algorithm string
}

// is reports whether the two are one key. The name says less: what stands under
// it may have been replaced.
func (k publicKey) is(other publicKey) bool {
	key, ok := k.key.(interface {
		Equal(other crypto.PublicKey) bool
	})
	return ok && k.algorithm == other.algorithm && key.Equal(other.key)
}

// fits reports whether a token of this method may be signed with the key.
func (k publicKey) fits(method jwt.SigningMethod) bool {
	if k.algorithm != "" && k.algorithm != method.Alg() {
		return false
	}
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		_, pkcs := method.(*jwt.SigningMethodRSA)
		_, pss := method.(*jwt.SigningMethodRSAPSS)
		return pkcs || pss
	case *ecdsa.PublicKey:
		curve, ok := method.(*jwt.SigningMethodECDSA)
		return ok && curve.CurveBits == key.Curve.Params().BitSize
	case ed25519.PublicKey:
		_, ok := method.(*jwt.SigningMethodEd25519)
		return ok
	}
	return false
}

// keyReading is the keys as they were read. It is immutable.
type keyReading struct {
	keys map[string]publicKey
	at   time.Time
}

// keyCache knows the keys of one issuer by name. Safe for concurrent use.
type keyCache struct {
	// load reads all keys there are.
	load func(ctx context.Context) (map[string]publicKey, error)
	now  func() time.Time
	// maxAge is the oldest that a reading may be; 0 for any age.
	maxAge time.Duration
	last   atomic.Pointer[keyReading]

	// mu is never held while keys are read.
	mu sync.Mutex
	// asked is when keys were last read for the sake of an unknown name.
	asked time.Time
	// reading is closed when the reading that is under way ends; nil without one.
	reading chan struct{}
	reason  error
}

func newKeyCache(load func(context.Context) (map[string]publicKey, error)) *keyCache {
	c := &keyCache{load: load, now: time.Now}
	c.last.Store(&keyReading{})
	return c
}

// known returns the key of this name, if it is among those that were read last
// and not too long ago.
func (c *keyCache) known(name string) (publicKey, bool) {
	last := c.last.Load()
	if c.tooOld(last) {
		return publicKey{}, false
	}
	key, ok := last.keys[name]
	return key, ok
}

func (c *keyCache) tooOld(last *keyReading) bool {
	return c.maxAge > 0 && c.now().Sub(last.at) > c.maxAge
}

// named looks for the key of this name.
func (c *keyCache) named(name string) func() (string, publicKey, bool) {
	return func() (string, publicKey, bool) {
		key, ok := c.known(name)
		return name, key, ok
	}
}

// single returns the one key that fits the method, and its name.
func (c *keyCache) single(method jwt.SigningMethod) (name string, key publicKey, ok bool) {
	last := c.last.Load()
	if c.tooOld(last) {
		return "", publicKey{}, false
	}
	for each, candidate := range last.keys {
		if !candidate.fits(method) {
			continue
		}
		if ok {
			return "", publicKey{}, false
		}
		name, key, ok = each, candidate, true
	}
	return name, key, ok
}

// find returns the key that look finds among those that are known; ok is false
// if there is none. Then the keys are read again, at most once in
// reloadInterval; readings by [keyCache.reload] don't count, or those who follow
// the keys would always have just looked. The error says that they could not be
// read, or that ctx ended.
func (c *keyCache) find(ctx context.Context, look func() (string, publicKey, bool)) (name string, key publicKey, ok bool, err error) {
	for {
		if name, key, ok := look(); ok {
			return name, key, true, nil
		}
		done, err := c.ask(ctx)
		if done == nil {
			// A reading may have ended meanwhile.
			name, key, ok := look()
			return name, key, ok, err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return "", publicKey{}, false, ctx.Err()
		}
	}
}

// ask returns the reading that is under way, or begins one that is due. Where
// there is none to wait for the error is that of the last one.
func (c *keyCache) ask(ctx context.Context) (done <-chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reading != nil {
		return c.reading, nil
	}
	if now := c.now(); c.asked.IsZero() || now.Sub(c.asked) >= reloadInterval {
		c.asked = now
		return c.begin(ctx), nil
	}
	return nil, c.reason
}

// reload reads the keys now. Where that fails, those that are known stay, up to
// maxAge.
func (c *keyCache) reload(ctx context.Context) error {
	for begun := false; ; {
		c.mu.Lock()
		done := c.reading
		switch {
		case done != nil:
		case begun:
			reason := c.reason
			c.mu.Unlock()
			return reason
		default:
			// One that began earlier may have missed what the caller knows of.
			done, begun = c.begin(ctx), true
		}
		c.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin starts a reading. It expects the lock to be held and none to be under
// way.
func (c *keyCache) begin(ctx context.Context) chan struct{} {
	done := make(chan struct{})
	c.reading = done
	go func() {
		// A caller that goes away must not leave its failure to the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		// The age counts from before the keys were asked for.
		at := c.now()
		keys, err := c.load(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.reason = err; err == nil {
			c.last.Store(&keyReading{keys, at})
		}
		c.reading = nil
		close(done)
	}()
	return done
}

// every calls do until ctx ends, pausing so long in between.
func every(ctx context.Context, pause time.Duration, do func(context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do(ctx)
		}
	}
}
