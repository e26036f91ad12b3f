package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// chain stands for the database: what waits, and whether it is away.
type chain struct {
	sync.Mutex
	waiting  int
	away     bool
	position int64
	calls    int
	log      bytes.Buffer
}

func (c *chain) seal(_ context.Context, limit int) (lifecycle.Sealing, error) {
	c.Lock()
	defer c.Unlock()
	c.calls++
	if c.away {
		return lifecycle.Sealing{}, lifecycle.NewError(lifecycle.KindUnavailable, "away")
	}
	n := min(limit, c.waiting)
	c.waiting -= n
	c.position += int64(n)
	return lifecycle.Sealing{Sealed: n, Head: lifecycle.ChainHead{Position: c.position, Hash: make([]byte, 32)}}, nil
}

func (c *chain) Write(p []byte) (int, error) {
	c.Lock()
	defer c.Unlock()
	return c.log.Write(p)
}

// look is what the condition of a test may read.
func (c *chain) look(condition func() bool) func() bool {
	return func() bool {
		c.Lock()
		defer c.Unlock()
		return condition()
	}
}

// TestTheSealerGoesOn through a backlog in one go, through a database that is
// away, and tells the end of the chain whenever it has moved.
func TestTheSealerGoesOn(t *testing.T) {
	t.Parallel()
	c := &chain{waiting: 3*sealBatch + 7}
	counted := 0
	s := &sealer{
		seal: c.seal, log: slog.New(slog.NewTextHandler(c, nil)),
		sealed: func(n int) { counted += n }, turn: time.Minute,
	}
	require.NoError(t, s.drain(t.Context()))
	require.Equal(t, 4, c.calls, "a backlog is sealed without a pause")

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.run(ctx, time.Millisecond, time.Millisecond) })
	await := func(condition func() bool) {
		t.Helper()
		require.Eventually(t, c.look(condition), time.Minute, time.Millisecond)
	}
	await(func() bool { return strings.Contains(c.log.String(), "head=15007:00") })
	c.Lock()
	c.away, c.calls, c.waiting = true, 0, 2
	c.Unlock()
	await(func() bool { return c.calls > 1 && strings.Contains(c.log.String(), "the audit trail can't be sealed") })
	c.Lock()
	c.away = false
	c.Unlock()
	await(func() bool { return c.waiting == 0 })
	stop()
	running.Wait()
	require.Equal(t, 3*sealBatch+9, counted)
	require.Equal(t, 1, strings.Count(c.log.String(), "head=15007:"), "what has not moved is not told again")
	require.Equal(t, 1, strings.Count(c.log.String(), "head=15009:"), "nor is it left untold at the end")
}

// TestLoopsDoNotWaitForADatabaseThatIsSilent: a statement that gets no answer is given
// up, and the next turn is taken.
func TestLoopsDoNotWaitForADatabaseThatIsSilent(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(context.Context, *silence){
		"sealer": func(ctx context.Context, s *silence) {
			(&sealer{seal: s.seal, sealed: func(int) {}, turn: time.Millisecond, log: slog.New(slog.DiscardHandler)}).
				run(ctx, time.Millisecond, time.Hour)
		},
		"relay": func(ctx context.Context, s *silence) {
			(&relay{outbox: s, turn: time.Millisecond, log: slog.New(slog.DiscardHandler)}).run(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &silence{asked: make(chan struct{})}
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { run(ctx, s) })
			for range 3 {
				<-s.asked
			}
			stop()
			running.Wait()
		})
	}
}

// silence is a database that never answers.
type silence struct{ asked chan struct{} }

func (s *silence) wait(ctx context.Context) error {
	select {
	case s.asked <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *silence) seal(ctx context.Context, _ int) (lifecycle.Sealing, error) {
	return lifecycle.Sealing{}, s.wait(ctx)
}

func (s *silence) RelayEvents(ctx context.Context, _ int, _ bool) (int, error) { return 0, s.wait(ctx) }

func (s *silence) ClaimDeliveries(ctx context.Context, _ int) ([]lifecycle.Delivery, error) {
	return nil, s.wait(ctx)
}

func (s *silence) MarkDeliveriesStarted(ctx context.Context, _ []lifecycle.ID) error {
	return s.wait(ctx)
}

func (s *silence) DropTold(ctx context.Context, _ int, _ time.Duration) (int, error) {
	return 0, s.wait(ctx)
}
