package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// grace is how long the sweep of these tests leaves a request alone.
const grace = time.Minute

// ageRequests moves all that happened to requests into the past.
func (w *world) ageRequests(t *testing.T, by time.Duration) {
	t.Helper()
	w.change(t, `UPDATE requests SET modified = modified - $1::interval,
		workflow_seen_at = workflow_seen_at - $1::interval, workflow_checked_at = workflow_checked_at - $1::interval`, by.String())
}

func (w *world) toCheck(t *testing.T, limit int) []lifecycle.RequestToCheck {
	t.Helper()
	found, err := w.RequestsToCheck(t.Context(), limit, grace, grace)
	require.NoError(t, err)
	return found
}

// seen notes that the workflow stands where the rows of the request do.
func (w *world) seen(t *testing.T, request lifecycle.Request) {
	t.Helper()
	progress, err := w.LoadRequest(t.Context(), request.ID)
	require.NoError(t, err)
	require.NoError(t, w.MarkSeen(t.Context(), request.ID, progress.Pending, progress.Version))
}

func (w *world) moved(request lifecycle.Request, moved bool) lifecycle.RequestToCheck {
	return lifecycle.RequestToCheck{RequestID: request.ID, SourceID: w.source.ID, Moved: moved}
}

func TestTheSweepTakesUpWhatMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "will")
	first, second, end := request.Items[0].ID, request.Items[1].ID, lifecycle.ID{}
	requireSweep := func(moved bool, why string) {
		t.Helper()
		w.ageRequests(t, time.Hour)
		require.Equal(t, []lifecycle.RequestToCheck{w.moved(request, moved)}, w.toCheck(t, 10), why)
	}
	mark := func(item lifecycle.ID) {
		t.Helper()
		require.NoError(t, w.MarkSeen(t.Context(), request.ID, item, time.Time{}))
	}
	require.Empty(t, w.toCheck(t, 10), "it was just made")
	requireSweep(true, "nothing is known of its workflow")
	_, err := w.LoadRequest(t.Context(), request.ID)
	require.NoError(t, err)
	requireSweep(true, "who reads the rows may die before Temporal knows")
	mark(second)
	mark(end)
	requireSweep(true, "it stands elsewhere")
	mark(first)
	requireSweep(false, "")

	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	mark(first)
	mark(end)
	requireSweep(true, "the workflow stands at the item before")
	mark(second)
	requireSweep(false, "")

	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 1, lifecycle.VerdictApprove)))
	require.Empty(t, w.toCheck(t, 10), "it was just decided")
	mark(second)
	requireSweep(true, "the end was not told")
	mark(end)
	w.ageRequests(t, time.Hour)
	require.Empty(t, w.toCheck(t, 10), "it has come to its end")
}

func TestTheSweepTakesUpEveryEndThatWasNotSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	rejected, cancelled, deleted := w.request(t, "rejected"), w.request(t, "cancelled"), w.request(t, "deleted")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(rejected, 0, lifecycle.VerdictReject)))
	require.NoError(t, w.DeleteRequest(t.Context(), deleted.ID))
	_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
		s.Approvers = nil
		return nil
	})
	require.NoError(t, err)
	completed := w.request(t, "completed")
	w.ageRequests(t, time.Hour)
	require.Contains(t, w.toCheck(t, 10), w.moved(completed, true))
	require.NoError(t, w.MarkSeen(t.Context(), completed.ID, lifecycle.ID{}, time.Time{}))
	require.Contains(t, w.toCheck(t, 10), w.moved(completed, true), "that it pends is not where its workflow stays")
	require.NoError(t, w.CompleteRequest(t.Context(), completed.ID))
	w.cancel(t, cancelled)

	w.ageRequests(t, time.Hour)
	require.ElementsMatch(t, []lifecycle.RequestToCheck{w.moved(rejected, true), w.moved(cancelled, true), w.moved(completed, true)}, w.toCheck(t, 10))
	for _, request := range []lifecycle.Request{rejected, cancelled, completed} {
		w.seen(t, request)
	}
	require.Empty(t, w.toCheck(t, 10))
}

// TestASweepOfTheStoreComesToAnEnd repeats batches as a sweep does.
func TestASweepOfTheStoreComesToAnEnd(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *world, []lifecycle.Request) (moved bool){
		"pending": func(t *testing.T, w *world, requests []lifecycle.Request) bool {
			t.Helper()
			for _, request := range requests {
				w.seen(t, request)
			}
			return false
		},
		"moved": func(*testing.T, *world, []lifecycle.Request) bool { return true },
		"decided": func(t *testing.T, w *world, requests []lifecycle.Request) bool {
			t.Helper()
			for _, request := range requests {
				require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictReject)))
			}
			return true
		},
		"without an approver": func(t *testing.T, w *world, requests []lifecycle.Request) bool {
			t.Helper()
			for _, request := range requests {
				w.seen(t, request)
			}
			require.NoError(t, w.SetIdentityActive(t.Context(), w.approvers[0].ID, false))
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			var requests []lifecycle.Request
			for range 7 {
				requests = append(requests, w.request(t, lifecycle.NewID().String()))
			}
			moved := prepare(t, w, requests)
			w.ageRequests(t, time.Hour)
			var want, got []lifecycle.RequestToCheck
			for _, request := range requests {
				want = append(want, w.moved(request, moved))
			}
			for _, size := range []int{3, 3, 1, 0} {
				batch := w.toCheck(t, 3)
				require.Len(t, batch, size)
				got = append(got, batch...)
				var ids []lifecycle.ID
				for _, q := range batch {
					ids = append(ids, q.RequestID)
				}
				require.NoError(t, w.MarkChecked(t.Context(), ids, 0))
			}
			require.ElementsMatch(t, want, got, "each of them once")
		})
	}
}

// TestWhatWasToldInVainIsToldMoreAndMoreRarely checks pending and decided
// requests whose workflow was told of a change an hour ago.
func TestWhatWasToldInVainIsToldMoreAndMoreRarely(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// checked is when the workflow was told, from the change on.
		checked time.Duration
		due     bool
	}{
		"checked before the change":       {checked: -10 * time.Minute, due: true},
		"checked soon after it":           {checked: time.Minute, due: true},
		"checked before half of the time": {checked: 29 * time.Minute, due: true},
		"checked after half of the time":  {checked: 31 * time.Minute},
		"just checked":                    {checked: 59*time.Minute + 30*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			pending, decided := w.request(t, "pending"), w.request(t, "decided")
			require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(decided, 0, lifecycle.VerdictReject)))
			w.ageRequests(t, time.Hour)
			w.change(t, "UPDATE requests SET workflow_checked_at = modified + $1::interval", c.checked.String())
			var want []lifecycle.RequestToCheck
			switch {
			case c.due:
				want = []lifecycle.RequestToCheck{w.moved(pending, true), w.moved(decided, true)}
			case c.checked < time.Hour-grace:
				want = []lifecycle.RequestToCheck{w.moved(pending, false)}
			}
			require.ElementsMatch(t, want, w.toCheck(t, 10), "that the workflow of a pending one is there is looked for always")
		})
	}
}

// TestWhatMovesWhileItIsSeenIsNotSeen has the rows move between the look at them
// and the note.
func TestWhatMovesWhileItIsSeenIsNotSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "will")
	tx, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		"UPDATE requests SET modified = modified + interval '1 second' WHERE id = $1",
		"UPDATE approval_items SET status = 'APPROVED', decided_by = approver_id WHERE request_id = $1 AND position = 0",
	} {
		_, err = tx.ExecContext(t.Context(), statement, request.ID.String())
		require.NoError(t, err)
	}
	marked := make(chan error, 1)
	go func() {
		marked <- w.MarkSeen(context.WithoutCancel(t.Context()), request.ID, request.Items[0].ID, time.Time{})
	}()
	require.Eventually(t, func() bool {
		return w.number(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
			AND query LIKE '%workflow_seen_at = greatest%' AND query LIKE '%' || $1 || '%'`, request.ID.String()) > 0
	}, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, tx.Commit())
	require.NoError(t, <-marked)
	require.Zero(t, w.number(t, "SELECT count(*) FROM requests WHERE workflow_seen_at >= modified"))
}

// TestWorkflowsThatAreWellAreLookedAfterRarely: whatever is pending, a sweep asks
// Temporal about few.
func TestWorkflowsThatAreWellAreLookedAfterRarely(t *testing.T) {
	t.Parallel()
	const recheck = 10 * time.Minute
	w := newWorld(t, 1)
	for i := range 40 {
		w.seen(t, w.request(t, fmt.Sprintf("name.%d", i)))
	}
	due := func() (ids []lifecycle.ID) {
		t.Helper()
		found, err := w.RequestsToCheck(t.Context(), 100, grace, recheck)
		require.NoError(t, err)
		for _, q := range found {
			ids = append(ids, q.RequestID)
		}
		return ids
	}
	w.ageRequests(t, grace)
	first := due()
	require.Len(t, first, 40, "nobody has looked after these")
	require.NoError(t, w.MarkChecked(t.Context(), first, recheck/4))
	w.ageRequests(t, grace)
	require.Empty(t, due(), "they are well")
	w.ageRequests(t, recheck*7/8)
	soon := len(due())
	require.Positive(t, soon)
	require.Less(t, soon, 40, "they come up bit by bit")
	w.change(t, "UPDATE requests SET modified = modified + interval '1 millisecond' WHERE id = $1", first[0])
	require.Contains(t, due(), first[0], "one that moved does at once")
	w.ageRequests(t, recheck/8)
	require.Len(t, due(), 40)
}
