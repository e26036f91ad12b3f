package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// LifecycleStore takes records on in their life. Any number of callers may do so at
// once: each takes others.
type LifecycleStore interface {
	// BeginRecords takes up to limit records whose time has begun by at out of
	// PLANNED.
	BeginRecords(ctx context.Context, at time.Time, limit int) (begun int, err error)
	// DueRecords returns which records have come to the next rung of their ladder by
	// at, those first of each source that are the nearest to their end.
	DueRecords(ctx context.Context, at time.Time) ([]lifecycle.DueRecords, error)
	// AdvanceRecords takes up to limit of them on, each to the innermost rung that it
	// has come to by at, and tells of it, in one transaction. One that somebody else
	// holds is passed over.
	AdvanceRecords(ctx context.Context, due lifecycle.DueRecords, at time.Time, limit int) (lifecycle.Advance, error)
}

// LifecycleObserver counts what becomes of records, as [Observer] does the rest.
type LifecycleObserver interface {
	// RecordsAdvanced notes what was done with records; to is one of the Records
	// constants.
	RecordsAdvanced(to string, count int)
}

// What is done with records.
const (
	RecordsBegun     = "begun"
	RecordsWarned    = "warned"
	RecordsExpired   = "expired"
	RecordsSuspended = "suspended"
	RecordsRemoved   = "removed"
)

// Lifecycle is what the sweep of records needs.
type Lifecycle struct {
	Store LifecycleStore
	// Observer may be nil.
	Observer LifecycleObserver
	// Turn is how long one step goes on; 0 is [DefaultLifecycleTurn].
	Turn time.Duration
}

// DefaultLifecycleTurn leaves a step that is tried again its time.
const DefaultLifecycleTurn = 30 * time.Second

func (l *Lifecycle) observer() LifecycleObserver {
	if l.Observer == nil {
		return blind{}
	}
	return l.Observer
}

func (blind) RecordsAdvanced(string, int) {}

// SweepLifecycle takes records on, a batch at a time, until none is due or its time
// is over. Records that can't be taken on do not keep those of other sources from
// their turn.
func (a *Activities) SweepLifecycle(ctx context.Context, in wire.SweepInput) (result wire.LifecycleResult, err error) {
	defer a.seal(ctx, wire.ActivitySweepLifecycle, lifecycle.ID{}, &err)
	if a.Lifecycle == nil {
		return result, nil
	}
	turn := a.Lifecycle.Turn
	if turn == 0 {
		turn = DefaultLifecycleTurn
	}
	s := lifecycleSweep{Lifecycle: a.Lifecycle, at: time.Now(), limit: in.Batch, turn: turn}
	err = s.run(ctx)
	observer := a.Lifecycle.observer()
	observer.RecordsAdvanced(RecordsBegun, s.done.Begun)
	observer.RecordsAdvanced(RecordsWarned, s.done.Warned)
	observer.RecordsAdvanced(RecordsExpired, s.done.Expired)
	observer.RecordsAdvanced(RecordsSuspended, s.done.Suspended)
	observer.RecordsAdvanced(RecordsRemoved, s.done.Removed)
	return wire.LifecycleResult{
		Begun: s.done.Begun, Warned: s.done.Warned, Expired: s.done.Expired,
		Suspended: s.done.Suspended, Removed: s.done.Removed, More: s.more,
	}, err
}

// lifecycleSweep is one step of the sweep, as of at.
type lifecycleSweep struct {
	*Lifecycle
	at    time.Time
	limit int
	turn  time.Duration
	done  lifecycle.Advance
	// more is true once the time is over and there may be more.
	more bool
}

func (s *lifecycleSweep) run(ctx context.Context) error {
	begunErr := s.repeat(ctx, func() (lifecycle.Advance, error) {
		begun, err := s.Store.BeginRecords(ctx, s.at, s.limit)
		return lifecycle.Advance{Begun: begun}, err
	})
	due, err := s.Store.DueRecords(ctx, s.at)
	if err != nil {
		return errors.Join(begunErr, err)
	}
	faults := []error{begunErr}
	for _, d := range due {
		faults = append(faults, s.repeat(ctx, func() (lifecycle.Advance, error) {
			return s.Store.AdvanceRecords(ctx, d, s.at, s.limit)
		}))
	}
	return errors.Join(faults...)
}

// repeat takes batches until one is not full or the time of the step is over.
func (s *lifecycleSweep) repeat(ctx context.Context, take func() (lifecycle.Advance, error)) error {
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(s.at) >= s.turn {
			s.more = true
			return nil
		}
		advance, err := take()
		if err != nil {
			return err
		}
		s.done = s.done.Add(advance)
		activity.RecordHeartbeat(ctx, s.done.Total())
		if advance.Total() < s.limit {
			return nil
		}
	}
}
