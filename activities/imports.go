package activities

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

const (
	// importChunk is how many rows of a file one transaction takes in. It holds
	// the counters of the source for some 60 ms then; larger ones hold them longer
	// and take as long in all. Beside pending requests the store takes fewer.
	importChunk = 2_000
	// DefaultTurn is how long a step applies chunks before it reports. Long
	// turns keep histories short, short ones share the slots fairly.
	DefaultTurn = 2 * time.Second
)

// NextImport answers the import of the source whose turn it is.
func (a *Activities) NextImport(ctx context.Context, in wire.ImportsInput) (next wire.NextImport, err error) {
	defer a.seal(ctx, wire.ActivityNextImport, in.SourceID, &err)
	next.JobID, next.Found, err = a.Bulk.Store.NextImport(ctx, in.SourceID)
	return next, err
}

// ApplyImport takes rows of a file into the source, chunk after chunk, until the
// import has ended, its turn is over or the worker stops, and answers how the
// import stands. An import that is gone is a state, not an error.
func (a *Activities) ApplyImport(ctx context.Context, in wire.ImportInput) (progress wire.ImportProgress, err error) {
	defer a.seal(ctx, wire.ActivityApplyImport, in.JobID, &err)
	turn := a.Bulk.Turn
	if turn == 0 {
		turn = DefaultTurn
	}
	progress = in.Progress
	// An attempt that was broken off may have come further.
	var reported wire.ImportProgress
	if activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &reported) == nil && reported.Done > progress.Done {
		progress = reported
	}
	stopping := activity.GetWorkerStopChannel(ctx)
	for began := time.Now(); ; {
		stored, err := a.Bulk.Store.ApplyImport(ctx, in.JobID, importChunk)
		if err != nil {
			return progress, err
		}
		before := progress
		progress = importProgress(stored)
		a.countRows(before, progress)
		activity.RecordHeartbeat(ctx, progress)
		switch {
		case !progress.Found:
			return progress, nil
		case progress.Status.Ended():
			a.importEnded(ctx, in, progress)
			return progress, nil
		case time.Since(began) >= turn:
			return progress, nil
		}
		select {
		case <-stopping:
			return progress, nil
		case <-ctx.Done():
			return progress, ctx.Err()
		default:
		}
	}
}

func importProgress(p lifecycle.ImportProgress) wire.ImportProgress {
	return wire.ImportProgress{
		Found: p.Found, Status: p.Status, Total: p.Total, Done: p.Done, Created: p.Created,
		Updated: p.Updated, Unchanged: p.Unchanged, Failed: p.Failed, Behind: p.Behind,
	}
}

// countRows counts what an import did between two reports.
func (a *Activities) countRows(before, after wire.ImportProgress) {
	observer := a.Bulk.observer()
	observer.ImportRows(RowsCreated, after.Created-before.Created)
	observer.ImportRows(RowsUpdated, after.Updated-before.Updated)
	observer.ImportRows(RowsUnchanged, after.Unchanged-before.Unchanged)
	observer.ImportRows(RowsFailed, after.Failed-before.Failed)
}

func (a *Activities) importEnded(ctx context.Context, in wire.ImportInput, p wire.ImportProgress) {
	a.Bulk.observer().ImportEnded(strings.ToLower(string(p.Status)), time.Since(in.Began))
	a.Log.LogAttrs(ctx, slog.LevelInfo, "import ended",
		slog.String("import", in.JobID.String()), slog.String("source", in.SourceID.String()),
		slog.String("status", string(p.Status)), slog.Int("total", p.Total), slog.Int("created", p.Created),
		slog.Int("updated", p.Updated), slog.Int("unchanged", p.Unchanged), slog.Int("failed", p.Failed))
}
