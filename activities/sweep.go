package activities

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// keepTimeout bounds the noting of what a step of the sweep has done, which is
// done also where the step is cut off: otherwise a batch that takes too long
// would be begun anew for ever.
const keepTimeout = 5 * time.Second

func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
}

// SweepPendingRequests looks after one batch of requests: a workflow whose rows
// moved is told to read them, one that is missing while its request is pending
// is started. What fails for a single request is counted and left for the next
// sweep.
func (a *Activities) SweepPendingRequests(ctx context.Context, in wire.SweepInput) (result wire.SweepResult, err error) {
	defer a.seal(ctx, wire.ActivitySweepPending, lifecycle.ID{}, &err)
	requests, err := a.Store.RequestsToCheck(ctx, in.Batch, a.SweepGrace, a.SweepRecheck)
	if err != nil {
		return result, err
	}
	var (
		mutex sync.Mutex
		group errgroup.Group
		// moved were told to read their rows; what holds one up must not make it come up
		// the sooner. The others were found to be well, or made so.
		moved, done []lifecycle.ID
	)
	group.SetLimit(max(a.SweepConcurrency, 1))
	for _, q := range requests {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			act, err := a.lookAfter(ctx, q)
			mutex.Lock()
			defer mutex.Unlock()
			result.Checked++
			switch {
			case err != nil:
				result.Failed++
			case act == nudged:
				result.Nudged++
			case act == started:
				result.Started++
			}
			switch {
			case err != nil:
			case q.Moved:
				moved = append(moved, q.RequestID)
			default:
				done = append(done, q.RequestID)
			}
			activity.RecordHeartbeat(ctx, len(done)+len(moved))
			return nil
		})
	}
	stopped := group.Wait()
	if err := a.markChecked(ctx, moved, done); err != nil {
		return result, err
	}
	a.swept(result)
	return result, stopped
}

// markChecked notes which requests were looked after.
func (a *Activities) markChecked(ctx context.Context, moved, well []lifecycle.ID) error {
	ctx, cancel := keeping(ctx)
	defer cancel()
	if len(moved) > 0 {
		if err := a.Store.MarkChecked(ctx, moved, 0); err != nil {
			return err
		}
	}
	if len(well) == 0 {
		return nil
	}
	return a.Store.MarkChecked(ctx, well, a.SweepRecheck/recheckSpread)
}

// recheckSpread is which part of SweepRecheck the next look may come sooner by.
const recheckSpread = 4

// act is what the sweep did about one request.
type act uint8

const (
	none act = iota
	nudged
	started
)

func (a *Activities) lookAfter(ctx context.Context, q lifecycle.RequestToCheck) (did act, err error) {
	defer a.seal(ctx, wire.ActivitySweepPending, q.RequestID, &err)
	if q.Moved {
		return nudged, a.Workflows.NudgeRequest(ctx, q.RequestID, q.SourceID)
	}
	running, err := a.Workflows.RequestRunning(ctx, q.RequestID)
	if err != nil || running {
		return none, err
	}
	return started, a.Workflows.StartRequest(ctx, q.RequestID, q.SourceID, 0)
}

// endingsPiece is how many workflows are ended between two heartbeats. The first
// that can't be reached ends the step, so a piece takes little more than one call.
const endingsPiece = 50

// SweepWorkflowEndings ends one batch of the workflows whose requests were
// deleted.
func (a *Activities) SweepWorkflowEndings(ctx context.Context, in wire.SweepInput) (result wire.SweepResult, err error) {
	defer a.seal(ctx, wire.ActivitySweepEndings, lifecycle.ID{}, &err)
	endings, err := a.Store.WorkflowEndings(ctx, in.Batch)
	if err != nil || len(endings) == 0 {
		return result, err
	}
	var ended []lifecycle.ID
	for piece := range slices.Chunk(endings, endingsPiece) {
		done, fault := a.Workflows.CancelRequests(ctx, piece)
		ended = append(ended, done...)
		activity.RecordHeartbeat(ctx, len(ended))
		if fault != nil {
			a.Log.LogAttrs(ctx, slog.LevelWarn, "the sweep could not end every workflow", slog.Any("fault", describe(fault)))
			break
		}
	}
	if len(ended) > 0 {
		ctx, cancel := keeping(ctx)
		defer cancel()
		if err := a.Store.DropWorkflowEndings(ctx, ended); err != nil {
			return result, err
		}
	}
	result = wire.SweepResult{Checked: len(endings), Ended: len(ended), Failed: len(endings) - len(ended)}
	a.swept(result)
	return result, nil
}

func (a *Activities) swept(result wire.SweepResult) {
	observer := a.observer()
	observer.Swept(SweptChecked, result.Checked)
	observer.Swept(SweptStarted, result.Started)
	observer.Swept(SweptNudged, result.Nudged)
	observer.Swept(SweptEnded, result.Ended)
	observer.Swept(SweptFailed, result.Failed)
}
