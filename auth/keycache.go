package auth

import (
	"context"
	"crypto"
	"sync"
	"sync/atomic"
	"time"
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
	if c.maxAge > 0 && c.now().Sub(last.at) > c.maxAge {
		return publicKey{}, false
	}
	key, ok := last.keys[name]
	return key, ok
}

// find returns the key of this name; ok is false if there is none. An unknown
// name has the keys read again, at most once in reloadInterval; readings by
// [keyCache.reload] don't count, or those who follow the keys would always have
// just looked. The error says that they could not be read, or that ctx ended.
func (c *keyCache) find(ctx context.Context, name string) (key publicKey, ok bool, err error) {
	for {
		if key, ok := c.known(name); ok {
			return key, true, nil
		}
		done, err := c.ask(ctx)
		if done == nil {
			// A reading may have ended meanwhile.
			key, ok := c.known(name)
			return key, ok, err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return publicKey{}, false, ctx.Err()
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
			defer c.mu.Unlock()
			return c.reason
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
