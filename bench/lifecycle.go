package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"gatehouse/workflows/wire"
)

const (
	// lifecycleSources and lifecycleDue say over how many sources the records are
	// spread and how many of them come to a rung at once.
	lifecycleSources = 50
	lifecycleDue     = 20_000
	// lifecycleBar is within what time they are told of, in seconds.
	lifecycleBar = 120
	// lifecyclePatience ends a measurement that leads nowhere.
	lifecyclePatience = 10 * time.Minute
)

// lifecycle measures how long the sweep takes for the records that fall due in the
// same minute among so many, beside the one UPDATE that would write the same
// columns of as many others.
func (r *rig) lifecycle(ctx context.Context, rows int) ([]result, error) {
	if err := r.fillSources(ctx, rows); err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := r.owner.Exec(ctx, `UPDATE records SET lifecycle_state = 'EXPIRING', lifecycle_rung = 30, lifecycle_since = now()
		WHERE phone = 'plain'`); err != nil {
		return nil, err
	}
	baseline := time.Since(began)
	if _, err := r.owner.Exec(ctx, "UPDATE records SET end_date = now() + interval '30 days' WHERE phone = 'due'"); err != nil {
		return nil, err
	}
	began = time.Now()
	if err := r.temporal.ScheduleClient().GetHandle(ctx, wire.ScheduleLifecycle).Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
		return nil, err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for left := lifecycleDue; left > 0; {
		if time.Since(began) > lifecyclePatience {
			return nil, fmt.Errorf("%d records are left that are due", left)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
		if err := r.rows.QueryRow(ctx, `SELECT count(*) FROM records WHERE source_id IN (SELECT id FROM sources)
			AND lifecycle_rung = 366 AND lifecycle_state <> 'PLANNED' AND end_date <= now() + interval '30 days'`).Scan(&left); err != nil {
			return nil, err
		}
	}
	took := time.Since(began)
	var told int
	if err := r.rows.QueryRow(ctx, `SELECT count(DISTINCT b.record_id) FROM notification_records AS b
		JOIN records AS r ON r.id = b.record_id WHERE r.phone = 'due'`).Scan(&told); err != nil {
		return nil, err
	}
	if told != lifecycleDue {
		return nil, fmt.Errorf("%d records are told of and not %d", told, lifecycleDue)
	}
	return []result{{
		Name:     fmt.Sprintf("%d of %d records come to a warning at once (against one UPDATE)", lifecycleDue, rows),
		Baseline: baseline.Seconds(), Ours: took.Seconds(), Unit: "s", Ratio: took.Seconds() / baseline.Seconds(),
		Bar: fmt.Sprintf("<= %d s", lifecycleBar), Met: took.Seconds() <= lifecycleBar,
	}}, nil
}

// fillSources makes rows records in sources of their own. Of two sets of
// lifecycleDue, alike in every source, the phone says which it is.
func (r *rig) fillSources(ctx context.Context, rows int) error {
	each, due := rows/lifecycleSources, lifecycleDue/lifecycleSources
	if each < 2*due {
		return fmt.Errorf("%d rows are too few", rows)
	}
	for i := range lifecycleSources {
		source, err := r.source(ctx, fmt.Sprintf("Dates %d %s", i, uuid.NewString()))
		if err != nil {
			return err
		}
		if _, err := r.owner.Exec(ctx, `INSERT INTO records (id, source_id, account_name, account_name_folded, first_name, first_name_folded,
				last_name, last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, created, modified)
			SELECT gen_random_uuid(), $1, 'acc' || n, 'acc' || n, 'First' || n % 997, 'first' || n % 997, 'Last' || n % 1009, 'last' || n % 1009,
				CASE WHEN n <= $3::int THEN 'due' WHEN n <= 2 * $3::int THEN 'plain' ELSE '1' END, 'm' || n, 'm' || n,
				CASE n % 2 WHEN 0 THEN $4::uuid ELSE $5::uuid END, now() - interval '1 day', now() + interval '100 days' + n * interval '1 minute',
				'{}', now(), now()
			FROM generate_series(1, $2::int) AS n`,
			uuid.MustParse(source), each, due, uuid.MustParse(r.ids["jane.doe"]), uuid.MustParse(r.ids["john.roe"])); err != nil {
			return err
		}
	}
	_, err := r.owner.Exec(ctx, "VACUUM ANALYZE records")
	return err
}
