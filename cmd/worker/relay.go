package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/cmd/internal/serve"
	"gatehouse/lifecycle"
)

const (
	// relayEvery is how often it is looked for what is to be told.
	relayEvery = time.Second
	// relayBatch is how many rows of the outbox, and how many deliveries, are taken
	// up at once.
	relayBatch = 200
	// relayConcurrency is how many workflows are started at once.
	relayConcurrency = 8
	// dropEvery is how often what was told long ago is removed, dropBatch how much of
	// it at once, dropTime for how long.
	dropEvery = time.Minute
	dropBatch = 1_000
	dropTime  = 10 * time.Second
	// turnLimit bounds one turn of a loop. A database that is cut off without a word
	// would otherwise be waited for until the network gives the connection up, which
	// may be never; no statement takes as long by itself.
	turnLimit = 30 * time.Second
)

// outbox is what the relay needs of the store.
type outbox interface {
	RelayEvents(ctx context.Context, limit int, mail bool) (relayed int, err error)
	ClaimDeliveries(ctx context.Context, limit int) ([]lifecycle.Delivery, error)
	MarkDeliveriesStarted(ctx context.Context, ids []lifecycle.ID) error
	DropTold(ctx context.Context, limit int, retention time.Duration) (dropped int, err error)
}

// relay makes deliveries of what the outbox collects, and has their workflows run.
// It is a loop of the process, as the sealer is: people don't wait for a sweep.
type relay struct {
	outbox outbox
	// start starts the workflow of a delivery, unless it runs.
	start func(ctx context.Context, delivery lifecycle.ID, channel lifecycle.DeliveryChannel) (started bool, err error)
	// mail is whether there is a mail server.
	mail bool
	// retention is how long what was told is kept.
	retention time.Duration
	// turn bounds one turn.
	turn time.Duration
	log  *slog.Logger
}

// run relays until ctx ends, however often that fails. What has come in by then is
// relayed by whoever runs next.
func (r *relay) run(ctx context.Context) {
	tick := time.NewTicker(relayEvery)
	defer tick.Stop()
	var dropped time.Time
	for {
		_ = serve.Until(ctx, r.drain, func(err error) { r.log.WarnContext(ctx, "events can't be relayed", "error", err) })
		if time.Since(dropped) >= dropEvery {
			dropped = time.Now()
			if err := r.drop(ctx); err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "what was told long ago can't be removed", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// drain makes the deliveries of all that waits and has their workflows run.
func (r *relay) drain(ctx context.Context) error {
	for {
		more, err := r.batch(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// batch makes some deliveries and has some workflows run; more is whether there may
// be more to do.
func (r *relay) batch(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.turn)
	defer cancel()
	relayed, err := r.outbox.RelayEvents(ctx, relayBatch, r.mail)
	if err != nil {
		return false, err
	}
	started, err := r.startAll(ctx)
	return relayed >= relayBatch || started >= relayBatch, err
}

// startAll starts one batch and returns how many deliveries were taken up. Those
// whose start fails are another's in a while.
func (r *relay) startAll(ctx context.Context) (int, error) {
	deliveries, err := r.outbox.ClaimDeliveries(ctx, relayBatch)
	if err != nil || len(deliveries) == 0 {
		return 0, err
	}
	var (
		mutex   sync.Mutex
		running []lifecycle.ID
		// The first fault stops the rest: most likely all would meet it.
		group, groupCtx = errgroup.WithContext(ctx)
	)
	group.SetLimit(relayConcurrency)
	for _, delivery := range deliveries {
		group.Go(func() error {
			if _, err := r.start(groupCtx, delivery.ID, delivery.Channel); err != nil {
				return err
			}
			mutex.Lock()
			defer mutex.Unlock()
			running = append(running, delivery.ID)
			return nil
		})
	}
	fault := group.Wait()
	if len(running) > 0 {
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := r.outbox.MarkDeliveriesStarted(keep, running); err != nil {
			return 0, err
		}
	}
	return len(deliveries), fault
}

// drop removes what was told long ago, for a while.
func (r *relay) drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.turn)
	defer cancel()
	for began := time.Now(); time.Since(began) < dropTime; {
		dropped, err := r.outbox.DropTold(ctx, dropBatch, r.retention)
		if err != nil || dropped == 0 {
			return err
		}
	}
	return nil
}
