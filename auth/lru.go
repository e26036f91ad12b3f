package auth

import (
	"container/list"
	"sync"
)

// lru keeps the size entries that were used last. Safe for concurrent use.
type lru[K comparable, V any] struct {
	size    int
	mu      sync.Mutex
	entries map[K]*list.Element
	// order has the entry used last at its front.
	order *list.List
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](size int) *lru[K, V] {
	return &lru[K, V]{size: size, entries: make(map[K]*list.Element), order: list.New()}
}

func (c *lru[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*lruEntry[K, V]).value, true //nolint:forcetypeassert // only put fills the list
}

// getOrPut returns the value of the key, made first where there is none.
func (c *lru[K, V]) getOrPut(key K, fresh func() V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.order.MoveToFront(element)
		return element.Value.(*lruEntry[K, V]).value //nolint:forcetypeassert // only put fills the list
	}
	value := fresh()
	c.insert(key, value)
	return value
}

func (c *lru[K, V]) put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		element.Value = &lruEntry[K, V]{key, value}
		c.order.MoveToFront(element)
		return
	}
	c.insert(key, value)
}

// insert expects the lock to be held and the key to be new.
func (c *lru[K, V]) insert(key K, value V) {
	c.entries[key] = c.order.PushFront(&lruEntry[K, V]{key, value})
	if c.order.Len() > c.size {
		c.drop(c.order.Back())
	}
}

func (c *lru[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.drop(element)
	}
}

// drop expects the lock to be held.
func (c *lru[K, V]) drop(element *list.Element) {
	entry := c.order.Remove(element).(*lruEntry[K, V]) //nolint:forcetypeassert // only put fills the list
	delete(c.entries, entry.key)
}
