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
		sealed: func(n int) { counted += n },
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
