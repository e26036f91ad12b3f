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

// publicKey is a key that verifies.
type publicKey struct {
	key crypto.PublicKey
	// algorithm is the only one that the key is for; empty where the key does not
	// say.
	algorithm string
}

// keyCache knows the keys of one issuer by name. Safe for concurrent use.
type keyCache struct {
	// load reads all keys there are.
	load func(ctx context.Context) (map[string]publicKey, error)
	now  func() time.Time
	keys atomic.Pointer[map[string]publicKey]

	mu     sync.Mutex
	loaded time.Time
	reason error
}

func newKeyCache(load func(context.Context) (map[string]publicKey, error)) *keyCache {
	c := &keyCache{load: load, now: time.Now}
	c.keys.Store(&map[string]publicKey{})
	return c
}

// known returns the key of this name, if it is among those that were read last.
func (c *keyCache) known(name string) (publicKey, bool) {
	key, ok := (*c.keys.Load())[name]
	return key, ok
}

// find returns the key of this name; ok is false if there is none. An unknown
// name has the keys read again, at most once in reloadInterval. The error says
// that they could not be read.
func (c *keyCache) find(ctx context.Context, name string) (key publicKey, ok bool, err error) {
	if key, ok := c.known(name); ok {
		return key, true, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if key, ok := c.known(name); ok {
		return key, true, nil
	}
	if now := c.now(); c.loaded.IsZero() || now.Sub(c.loaded) >= reloadInterval {
		c.refresh(ctx)
	}
	key, ok = c.known(name)
	return key, ok, c.reason
}

// reload reads the keys now. Where that fails, those that are known stay.
func (c *keyCache) reload(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh(ctx)
	return c.reason
}

// refresh expects the lock to be held.
func (c *keyCache) refresh(ctx context.Context) {
	// A caller that goes away must not leave its failure to the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
	defer cancel()
	c.loaded = c.now()
	keys, err := c.load(ctx)
	if c.reason = err; err == nil {
		c.keys.Store(&keys)
	}
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
