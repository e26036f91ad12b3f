package auth

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Windows counts requests for all API processes together.
type Windows interface {
	// TakeLease takes up to want requests of those that key may make in a window,
	// limit in all; never more is handed out, however many processes ask. granted
	// is 0 where nothing is left. of is the window that was taken from: slot, or a
	// later one that has begun by another's clock.
	TakeLease(ctx context.Context, key []byte, slot int64, want, limit int) (granted int, of int64, err error)
	// DropRateWindows removes the windows before slot.
	DropRateWindows(ctx context.Context, slot int64) error
}

const (
	// LimitWindow is how long a window is; windows begin with the epoch.
	LimitWindow = 10 * time.Second

	// leaseParts is in how many parts at least a limit is handed out.
	leaseParts = 8
	// leaseTimeout bounds the wait for a lease; a database that takes longer
	// counts as away.
	leaseTimeout = time.Second
	// awayTime is how long a database that was away is not asked again.
	awayTime = time.Second
	// maxWindows bounds the memory of a flood of tokens and addresses.
	maxWindows = 65_536
	// dropInterval is how often old windows are removed.
	dropInterval = time.Minute
	// windowKey is how many bytes of a SHA-256 stand for whom a window counts.
	windowKey = 16
)

// Limiter bounds how many requests are made with one token, or from one
// address, in a window. However many processes there are, never more than the
// limit are let through in a window: each takes leases of some requests at a
// time. While the database is away each process bounds by itself. Safe for
// concurrent use.
type Limiter struct {
	limit   int
	windows Windows
	log     *slog.Logger
	now     func() time.Time
	counts  *lru[[windowKey]byte, *count]
	// away is until when the database is not asked, in nanoseconds of the epoch.
	away atomic.Int64
	// skew is how many windows our clock is ahead of the database's, where that is
	// more than clocks may differ.
	skew atomic.Int64
}

// count is what this process has of one window.
type count struct {
	mu   sync.Mutex
	slot int64
	// left is how many requests of a lease are left.
	left int
	// taken is how many were let through.
	taken int
	// alone is true where the database was away when it was asked.
	alone bool
	// spent is true once nothing is left to lease.
	spent bool
}

// NewLimiter returns a Limiter of limit requests a window; at least 1.
func NewLimiter(limit int, windows Windows, log *slog.Logger) *Limiter {
	return &Limiter{
		limit: limit, windows: windows, log: log, now: time.Now,
		counts: newLRU[[windowKey]byte, *count](maxWindows),
	}
}

// Run removes old windows until ctx ends.
func (l *Limiter) Run(ctx context.Context) {
	every(ctx, dropInterval, func(ctx context.Context) {
		// The one before may still be another's.
		if err := l.windows.DropRateWindows(ctx, slotOf(l.now())-1); err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "old windows of the rate limit could not be removed", "error", err)
		}
	})
}

// Token counts a request with a token, which must have been found good. It
// returns how long to wait, 0 where the request may go on.
func (l *Limiter) Token(r *http.Request) time.Duration {
	token, fault := bearerToken(r.Header.Values("Authorization"))
	if fault != nil {
		return 0
	}
	return l.take(r.Context(), "token "+token)
}

// Address counts a request for a token, or a failed login, from an address. It
// returns how long to wait, 0 where the request may go on. The addresses of one
// IPv6 network of 64 bits count together, since whoever has one has them all.
func (l *Limiter) Address(ctx context.Context, address netip.Addr) time.Duration {
	if address = address.Unmap(); address.Is6() {
		if network, err := address.WithZone("").Prefix(64); err == nil {
			address = network.Addr()
		}
	}
	return l.take(ctx, "address "+address.String())
}

func slotOf(now time.Time) int64 { return now.UnixNano() / int64(LimitWindow) }

func (l *Limiter) take(ctx context.Context, whose string) time.Duration {
	sum := sha256.Sum256([]byte(whose))
	key := [windowKey]byte(sum[:])
	c := l.counts.getOrPut(key, func() *count { return &count{} })
	c.mu.Lock()
	defer c.mu.Unlock()
	now := l.now()
	slot := slotOf(now) - l.skew.Load()
	if c.slot < slot {
		c.slot, c.left, c.taken, c.alone, c.spent = slot, 0, 0, false, false
	}
	if c.left == 0 && !c.spent {
		l.lease(ctx, key[:], slot, c)
	}
	if c.left == 0 {
		return time.Unix(0, (slotOf(now)+1)*int64(LimitWindow)).Sub(now)
	}
	c.left--
	c.taken++
	return 0
}

// lease gets c more requests, or finds it spent.
func (l *Limiter) lease(ctx context.Context, key []byte, slot int64, c *count) {
	if !c.alone && l.now().UnixNano() >= l.away.Load() {
		// A caller that goes away must not leave its failure to the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTimeout)
		defer cancel()
		granted, of, err := l.windows.TakeLease(ctx, key, slot, max(1, l.limit/leaseParts), l.limit)
		if err == nil {
			if of < slot || of > slot+1 {
				// Otherwise what is leased would be taken for that of another window.
				l.skew.Store(slotOf(l.now()) - of)
			}
			c.slot, c.left, c.spent = of, granted, granted == 0
			return
		}
		l.away.Store(l.now().Add(awayTime).UnixNano())
		l.log.WarnContext(ctx, "the rate limit is counted by this process alone", "error", err)
	}
	// What it was granted before is part of what it lets through.
	c.alone, c.spent = true, true
	c.left = max(0, l.limit-c.taken)
}
