package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counter is the table of windows as tests want it, faults included. The
// store's own tests hold the store to the same rules.
type counter struct {
	mu    sync.Mutex
	used  map[string]int
	slots map[string]int64
	fault error
	calls atomic.Int64
	drops []int64
}

func (c *counter) TakeLease(_ context.Context, key []byte, slot int64, want, limit int) (int, int64, error) {
	c.calls.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != nil {
		return 0, 0, c.fault
	}
	name := string(key)
	if c.slots[name] < slot {
		c.slots[name], c.used[name] = slot, 0
	}
	granted := min(want, max(1, (limit-c.used[name])/4))
	if c.used[name] >= limit {
		granted = 0
	}
	c.used[name] += granted
	return granted, c.slots[name], nil
}

func (c *counter) DropRateWindows(_ context.Context, slot int64) error {
	c.drops = append(c.drops, slot)
	return nil
}

func (c *counter) fails(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = err
}

func newLimiters(limit, processes int) (limiters []*Limiter, shared *counter, at *clock) {
	shared, at = &counter{used: map[string]int{}, slots: map[string]int64{}}, &clock{}
	at.nanos.Store(time.Date(2031, 5, 6, 7, 8, 10, 0, time.UTC).UnixNano())
	for range processes {
		l := NewLimiter(limit, shared, slog.New(slog.DiscardHandler))
		l.now = at.now
		limiters = append(limiters, l)
	}
	return limiters, shared, at
}

func (l *Limiter) admits(t *testing.T, token string) bool {
	t.Helper()
	wait := l.Token(bearer("Bearer " + token))
	require.LessOrEqual(t, wait, LimitWindow)
	return wait == 0
}

func TestOneProcessLetsExactlyTheLimitThrough(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 3, 100} {
		limiters, shared, at := newLimiters(limit, 1)
		for window := range 3 {
			for i := range limit {
				require.True(t, limiters[0].admits(t, "a"), "%d in window %d", i, window)
			}
			before := shared.calls.Load()
			require.False(t, limiters[0].admits(t, "a"))
			at.advance(LimitWindow - 1)
			require.Equal(t, time.Duration(1), limiters[0].Token(bearer("Bearer a")), "until the window ends")
			require.LessOrEqual(t, shared.calls.Load(), before+1, "who is refused again costs no call")
			at.advance(1)
		}
		require.True(t, limiters[0].admits(t, "b"), "each token counts by itself")
	}
	limiters, shared, _ := newLimiters(100, 1)
	for range 100 {
		limiters[0].admits(t, "a")
	}
	require.Less(t, shared.calls.Load(), int64(25), "most requests cost no call")
}

func TestManyProcessesNeverLetMoreThrough(t *testing.T) {
	t.Parallel()
	const limit, processes = 100, 5
	limiters, _, _ := newLimiters(limit, processes)
	var admitted atomic.Int64
	var group sync.WaitGroup
	for _, l := range limiters {
		for range 4 {
			group.Go(func() {
				for range limit {
					if l.Token(bearer("Bearer a")) == 0 {
						admitted.Add(1)
					}
				}
			})
		}
	}
	group.Wait()
	require.EqualValues(t, limit, admitted.Load(), "and all of them where every process goes on asking")
}

func TestAProcessAloneBoundsByItself(t *testing.T) {
	t.Parallel()
	const limit = 20
	limiters, shared, at := newLimiters(limit, 1)
	l := limiters[0]
	for range 6 {
		require.True(t, l.admits(t, "a"))
	}
	shared.fails(errors.New("down"))
	admitted := 6
	for range 2 * limit {
		if l.admits(t, "a") {
			admitted++
		}
	}
	require.Equal(t, limit, admitted)
	calls := shared.calls.Load()
	for range limit {
		require.True(t, l.admits(t, "b"))
	}
	require.False(t, l.admits(t, "b"))
	require.Equal(t, calls, shared.calls.Load(), "what is away is not asked at each request")

	shared.fails(nil)
	at.advance(LimitWindow)
	for range limit {
		require.True(t, l.admits(t, "a"))
	}
	require.False(t, l.admits(t, "a"))
	require.Greater(t, shared.calls.Load(), calls)
}

func TestAddressesOfOneNetworkCountTogether(t *testing.T) {
	t.Parallel()
	limiters, _, _ := newLimiters(1, 1)
	address := func(text string) bool {
		var a netip.Addr
		if text != "" {
			a = netip.MustParseAddr(text)
		}
		return limiters[0].Address(t.Context(), a) == 0
	}
	require.True(t, address("192.0.2.1"))
	require.False(t, address("192.0.2.1"))
	require.False(t, address("::ffff:192.0.2.1"), "another way of writing it")
	require.True(t, address("192.0.2.2"))
	require.True(t, address("2001:db8:1:2::1"))
	require.False(t, address("2001:db8:1:2:ffff::9"))
	require.False(t, address("2001:db8:1:2::1%eth0"))
	require.True(t, address("2001:db8:1:3::1"))
	require.True(t, address(""))
	require.False(t, address(""))
	require.Zero(t, limiters[0].Token(bearer()), "what is no token is not counted as one")
}

func TestAClockThatIsLateTakesFromTheWindowThatHasBegun(t *testing.T) {
	t.Parallel()
	const limit = 8
	limiters, shared, at := newLimiters(limit, 2)
	late := &clock{}
	late.nanos.Store(at.nanos.Load() - int64(3*time.Second))
	limiters[1].now = late.now
	admitted := 0
	for range 2 * limit {
		for _, l := range limiters {
			if l.admits(t, "a") {
				admitted++
			}
		}
		late.advance(100 * time.Millisecond)
	}
	require.Equal(t, limit, admitted)
	require.Len(t, shared.slots, 1)
}

func TestTheMemoryOfALimiterIsBounded(t *testing.T) {
	t.Parallel()
	limiters, _, _ := newLimiters(1, 1)
	limiters[0].counts = newLRU[[windowKey]byte, *count](2)
	for _, token := range []string{"a", "b", "c", "a"} {
		limiters[0].admits(t, token)
	}
	require.Equal(t, 2, entries(limiters[0].counts))
	require.False(t, limiters[0].admits(t, "a"), "what was forgotten is counted by the table still")
}

func BenchmarkLimiter(b *testing.B) {
	limiters, _, _ := newLimiters(1_000_000_000, 1)
	r := bearer("Bearer a")
	b.ReportAllocs()
	for b.Loop() {
		limiters[0].Token(r)
	}
}
