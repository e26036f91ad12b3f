package main

import (
	"context"
	"log/slog"
	"time"

	"gatehouse/cmd/internal/serve"
	"gatehouse/lifecycle"
)

const (
	// sealEvery is how often entries of the audit trail are taken into its chain,
	// where they are within 5 s.
	sealEvery = time.Second
	// sealBatch is how many of them one transaction seals at most.
	sealBatch = 5_000
	// announceEvery is how often the end of the chain is logged, if it has moved.
	announceEvery = 10 * time.Minute
)

// sealer takes the entries of the audit trail into its chain. It is a loop of the
// process and no workflow: docs/decisions/0017-sealing-in-a-loop.md.
type sealer struct {
	seal func(ctx context.Context, limit int) (lifecycle.Sealing, error)
	// sealed is told how many entries came into the chain.
	sealed func(count int)
	// turn bounds the sealing of one batch.
	turn time.Duration
	log  *slog.Logger

	// head is the end of the chain as this process left it, told as it was logged
	// last.
	head, told lifecycle.ChainHead
}

// run seals until ctx ends, however often that fails. What has come in by then is
// sealed by whoever runs next.
func (s *sealer) run(ctx context.Context, every, announce time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	announced := time.Now()
	for {
		_ = serve.Until(ctx, s.drain, func(err error) { s.log.WarnContext(ctx, "the audit trail can't be sealed", "error", err) })
		if time.Since(announced) >= announce {
			announced = time.Now()
			s.announce(ctx)
		}
		select {
		case <-ctx.Done():
			s.announce(ctx)
			return
		case <-tick.C:
		}
	}
}

// drain seals as long as there is a whole batch.
func (s *sealer) drain(ctx context.Context) error {
	for {
		sealing, err := s.batch(ctx)
		if err != nil {
			return err
		}
		if sealing.Sealed > 0 {
			s.head = sealing.Head
			s.sealed(sealing.Sealed)
		}
		if sealing.Sealed < sealBatch {
			return nil
		}
	}
}

func (s *sealer) batch(ctx context.Context) (lifecycle.Sealing, error) {
	ctx, cancel := context.WithTimeout(ctx, s.turn)
	defer cancel()
	return s.seal(ctx, sealBatch)
}

// announce logs the end of the chain, so that it is known outside of the database.
func (s *sealer) announce(ctx context.Context) {
	if s.head.Equal(s.told) {
		return
	}
	s.told = s.head
	s.log.InfoContext(ctx, "the audit trail is sealed up to here", "head", s.head.String())
}
