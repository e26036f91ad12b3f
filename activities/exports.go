package activities

import (
	"context"
	"log/slog"
	"strings"

	"go.temporal.io/sdk/activity"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// WriteExport writes the file of an export. An export that is gone, and one
// that somebody else has begun to write, are outcomes and not errors: trying
// again would take the file away from the other writer.
func (a *Activities) WriteExport(ctx context.Context, in wire.ExportInput) (result wire.ExportResult, err error) {
	defer a.seal(ctx, wire.ActivityWriteExport, in.JobID, &err)
	job, err := a.Bulk.Store.WriteExport(ctx, in.JobID, a.Bulk.ExportRetention, func(rows int) {
		activity.RecordHeartbeat(ctx, rows)
	})
	if err != nil {
		switch kind := lifecycle.KindOf(err); {
		case kind == lifecycle.KindNotFound:
			return wire.ExportResult{}, nil
		case kind == lifecycle.KindIllegalUpdate:
			return wire.ExportResult{Found: true, Superseded: true}, nil
		}
		return result, err
	}
	a.Bulk.observer().ExportEnded(strings.ToLower(string(job.Status)), job.Rows, job.Bytes)
	a.Log.LogAttrs(ctx, slog.LevelInfo, "export written",
		slog.String("export", in.JobID.String()), slog.String("source", in.SourceID.String()),
		slog.Int("rows", job.Rows), slog.Int64("bytes", job.Bytes))
	return wire.ExportResult{Found: true, Rows: job.Rows, Bytes: job.Bytes}, nil
}

// FailExport ends an export that can't be written.
func (a *Activities) FailExport(ctx context.Context, in wire.ExportInput) (err error) {
	defer a.seal(ctx, wire.ActivityFailExport, in.JobID, &err)
	if err = a.Bulk.Store.FailExport(ctx, in.JobID); err != nil {
		if illegalOrGone(err) {
			return nil
		}
		return err
	}
	a.Bulk.observer().ExportEnded(strings.ToLower(string(lifecycle.JobError)), 0, 0)
	return nil
}

// BeginScheduledExport makes the export of one run of a schedule. Where the
// schedule was deleted, Temporal is made to forget it.
func (a *Activities) BeginScheduledExport(ctx context.Context, in wire.ScheduledExport) (begun wire.ScheduledExportBegun, err error) {
	defer a.seal(ctx, wire.ActivityBeginScheduledExport, in.ScheduleID, &err)
	source, err := a.Bulk.Store.BeginScheduledExport(ctx, in.ScheduleID, in.JobID)
	if err == nil {
		return wire.ScheduledExportBegun{Found: true, SourceID: source}, nil
	}
	if lifecycle.KindOf(err) != lifecycle.KindNotFound {
		return begun, err
	}
	return begun, a.Bulk.Workflows.DropExportSchedule(ctx, in.ScheduleID)
}

// PruneScheduledExports removes the exports of a schedule beyond those it keeps.
func (a *Activities) PruneScheduledExports(ctx context.Context, in wire.ScheduledExportInput) (err error) {
	defer a.seal(ctx, wire.ActivityPruneScheduledExports, in.ScheduleID, &err)
	if err = a.Bulk.Store.PruneScheduledExports(ctx, in.ScheduleID); err != nil && illegalOrGone(err) {
		return nil
	}
	return err
}
