package store

import (
	"context"
	"time"
)

// leaseShare is which part of what is left of a window one lease takes at most,
// so that leases shrink towards its end and little is left with processes that
// have no use for it.
const leaseShare = 4

// TakeLease takes up to want requests of those that key may make in a window,
// limit in all: never more is handed out, however many processes ask. granted
// is 0 where nothing is left. A window later than slot has begun where a process
// whose clock is ahead of the caller's says so; of is the one that was taken
// from. want and limit are at least 1.
func (s *Store) TakeLease(ctx context.Context, key []byte, slot int64, want, limit int) (granted int, of int64, err error) {
	defer s.done("TakeLease", time.Now(), &err)
	first := min(want, max(1, limit/leaseShare))
	of = slot
	// Where no row comes back the window is used up.
	_, err = row(ctx, s.db, []any{&granted, &of}, `INSERT INTO rate_windows AS w (key, slot, used, granted) VALUES (?0, ?1, ?2, ?2)
		ON CONFLICT (key) DO UPDATE SET
			slot = greatest(w.slot, excluded.slot),
			granted = CASE WHEN w.slot < excluded.slot THEN ?2 ELSE greatest(1, least(?3, (?4 - w.used) / ?5)) END,
			used = CASE WHEN w.slot < excluded.slot THEN ?2 ELSE w.used + greatest(1, least(?3, (?4 - w.used) / ?5)) END
		WHERE w.slot < excluded.slot OR w.used < ?4
		RETURNING granted, slot`, key, slot, first, want, limit, leaseShare)
	return granted, of, err
}

// DropRateWindows removes the windows before slot.
func (s *Store) DropRateWindows(ctx context.Context, slot int64) (err error) {
	defer s.done("DropRateWindows", time.Now(), &err)
	return exec(ctx, s.db, "DELETE FROM rate_windows WHERE slot < ?", slot)
}
