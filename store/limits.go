package store

import (
	"context"
	"time"
)

// leaseShare is which part of what is left of a window one lease takes at most,
// so that leases shrink towards its end and little is left with processes that
// have no use for it.
const leaseShare = 4

// windowNow is the window that Postgres' clock is in; windows are as long as
// auth.LimitWindow.
const windowNow = "floor(extract(epoch FROM clock_timestamp()) / 10)::bigint"

// windowIsOver is true of a window before the one that is asked for, and of one
// that no clock which is right can have begun: between two that are there lie two
// at most.
const windowIsOver = "(w.slot < excluded.slot OR w.slot > excluded.slot + 2)"

// TakeLease takes up to want requests of those that key may make in a window,
// limit in all: never more is handed out, however many processes ask. granted
// is 0 where nothing is left. A window later than slot has begun where a process
// whose clock is ahead of the caller's says so; of is the one that was taken
// from. A slot that is more than one off the window by Postgres' clock counts as
// the nearest that is not, so that a wrong clock neither shuts others out nor frees
// them. want and limit are at least 1.
func (s *Store) TakeLease(ctx context.Context, key []byte, slot int64, want, limit int) (granted int, of int64, err error) {
	defer s.done(ctx, "TakeLease", time.Now(), &err)
	first := min(want, max(1, limit/leaseShare))
	of = slot
	// Where no row comes back the window is used up.
	_, err = row(ctx, s.db, []any{&granted, &of}, `INSERT INTO rate_windows AS w (key, slot, used, granted)
			SELECT ?0, least(greatest(?1, at - 1), at + 1), ?2, ?2 FROM (SELECT `+windowNow+` AS at) AS clock
		ON CONFLICT (key) DO UPDATE SET
			slot = CASE WHEN `+windowIsOver+` THEN excluded.slot ELSE w.slot END,
			granted = CASE WHEN `+windowIsOver+` THEN ?2 ELSE greatest(1, least(?3, (?4 - w.used) / ?5)) END,
			used = CASE WHEN `+windowIsOver+` THEN ?2 ELSE w.used + greatest(1, least(?3, (?4 - w.used) / ?5)) END
		WHERE `+windowIsOver+` OR w.used < ?4
		RETURNING granted, slot`, key, slot, first, want, limit, leaseShare)
	return granted, of, err
}

// DropRateWindows removes the windows before slot, but none that has not ended for
// Postgres' clock and those that may be a little behind it.
func (s *Store) DropRateWindows(ctx context.Context, slot int64) (err error) {
	defer s.done(ctx, "DropRateWindows", time.Now(), &err)
	return exec(ctx, s.db, "DELETE FROM rate_windows WHERE slot < least(?, "+windowNow+" - 1)", slot)
}
