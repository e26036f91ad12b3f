package main

import (
	"context"
	"fmt"
	"time"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// costed is how many requests the cost of one is the mean of.
const costed = 100

// cost tells what a request costs from submission to record, in what bounds a large
// installation: what is written to Postgres, and what Temporal has to keep of it.
// Nothing is compared.
func (r *rig) cost(ctx context.Context) ([]result, error) {
	source, err := r.source(ctx, "Cost", "approver.one")
	if err != nil {
		return nil, err
	}
	if _, err := r.approval(ctx, source); err != nil {
		return nil, err
	}
	before, err := r.written(ctx)
	if err != nil {
		return nil, err
	}
	for range costed {
		if _, err := r.approval(ctx, source); err != nil {
			return nil, err
		}
	}
	// The requesters are told after the answer, and that belongs to it.
	tick := time.NewTicker(toldInterval)
	defer tick.Stop()
	for told := 0; told < costed; {
		if err := r.rows.QueryRow(ctx, `SELECT count(*) FROM requests AS q JOIN notifications AS n ON n.request_id = q.id
			AND n.event = 'request_decided' WHERE q.source_id = $1`, source).Scan(&told); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
	after, err := r.written(ctx)
	if err != nil {
		return nil, err
	}
	var request lifecycle.ID
	if err := r.rows.QueryRow(ctx, `SELECT id::text FROM requests WHERE source_id = $1 ORDER BY created DESC LIMIT 1`, source).Scan(&request); err != nil {
		return nil, err
	}
	workflow, err := r.temporal.DescribeWorkflowExecution(ctx, wire.RequestWorkflowID(request), "")
	if err != nil {
		return nil, err
	}
	kept := workflow.GetWorkflowExecutionInfo()
	told := func(name, unit string, figure float64) result {
		return result{Name: "a request, " + name, Unit: unit, Ours: figure, Bar: "reported", Met: true}
	}
	return []result{
		told("rows written in Postgres", "", (after.rows-before.rows)/costed),
		told("log written by Postgres", "KiB", (after.wal-before.wal)/costed/1024),
		told("state transitions in Temporal", "", float64(kept.GetStateTransitionCount())),
		told("events in its history", "", float64(kept.GetHistoryLength())),
		told("size of its history", "KiB", float64(kept.GetHistorySizeBytes())/1024),
	}, nil
}

// written is what Postgres has written since it was made.
type written struct{ rows, wal float64 }

func (r *rig) written(ctx context.Context) (w written, err error) {
	// What a process has done is in the statistics only after a while.
	if _, err := r.owner.Exec(ctx, `SELECT pg_stat_clear_snapshot()`); err != nil {
		return w, err
	}
	err = r.owner.QueryRow(ctx, `SELECT tup_inserted + tup_updated + tup_deleted, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')
		FROM pg_stat_database WHERE datname = current_database()`).Scan(&w.rows, &w.wal)
	if err != nil {
		return w, fmt.Errorf("the figures of Postgres: %w", err)
	}
	return w, nil
}
