package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// clients is how many act at once in the tests of what must hold then.
const clients = 50

// decision is the verdict of the item's own approver.
func decision(request lifecycle.Request, position int, verdict lifecycle.Verdict) lifecycle.Decision {
	item := request.Items[position]
	return lifecycle.Decision{
		ID:        lifecycle.DecisionID(item.ID, item.Approver.ID, verdict, ""),
		RequestID: request.ID, ItemID: item.ID, Approver: item.Approver.ID, Verdict: verdict, Via: lifecycle.ViaAPI,
	}
}

func (w *world) decide(t *testing.T, d lifecycle.Decision) lifecycle.DecisionOutcome {
	t.Helper()
	result, err := w.Decide(t.Context(), d)
	require.NoError(t, err)
	return result.Outcome
}

// stored reads the request again.
func (w *world) stored(t *testing.T, id lifecycle.ID) lifecycle.Request {
	t.Helper()
	request, _, err := w.GetRequest(t.Context(), id, lifecycle.ID{})
	require.NoError(t, err)
	return request
}

// atOnce runs do for all clients at the same time.
func atOnce(do func(client int)) {
	var group sync.WaitGroup
	begin := make(chan struct{})
	for client := range clients {
		group.Go(func() {
			<-begin
			do(client)
		})
	}
	close(begin)
	group.Wait()
}

func TestARequestGoesThroughItsApprovers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "will")
	require.Equal(t, lifecycle.DecisionNotDecidable, w.decide(t, decision(request, 1, lifecycle.VerdictApprove)))
	stranger := decision(request, 0, lifecycle.VerdictApprove)
	stranger.Approver = w.outsider.ID
	require.Equal(t, lifecycle.DecisionForbidden, w.decide(t, stranger))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.DecisionRepeated, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.DecisionNotDecidable, w.decide(t, decision(request, 0, lifecycle.VerdictReject)))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM records"))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 1, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.DecisionRepeated, w.decide(t, decision(request, 1, lifecycle.VerdictApprove)))

	done := w.stored(t, request.ID)
	require.Equal(t, lifecycle.StatusApproved, done.Status)
	require.False(t, done.Completed.IsZero())
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM records WHERE account_name = 'will'"))
	w.requireConsistent(t)
}

func TestARejectionFreesTheNameAndCancelsTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	request := w.request(t, "will")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	bySignal := decision(request, 1, lifecycle.VerdictReject)
	bySignal.Via = lifecycle.ViaSignal
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, bySignal))
	done := w.stored(t, request.ID)
	require.Equal(t, lifecycle.StatusRejected, done.Status)
	require.Equal(t, lifecycle.SignalRejectionComment, done.Items[1].Comment)
	require.Equal(t, lifecycle.StatusCancelled, done.Items[2].Status)
	w.request(t, "WILL")
	w.requireConsistent(t)
}

// TestOneVerdictWins has an approver approve and reject at the same moment.
func TestOneVerdictWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for round := range 10 {
		request := w.request(t, fmt.Sprintf("will.%d", round))
		var stored atomic.Int32
		var group sync.WaitGroup
		for _, verdict := range []lifecycle.Verdict{lifecycle.VerdictApprove, lifecycle.VerdictReject} {
			group.Go(func() {
				result, err := w.Decide(context.WithoutCancel(t.Context()), decision(request, 0, verdict))
				if err == nil && result.Outcome == lifecycle.DecisionStored {
					stored.Add(1)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, stored.Load())
	}
	w.requireConsistent(t)
}

// TestNoNameIsTakenTwice has clients take, free and move the same few names as
// records and as requests, in different cases.
func TestNoNameIsTakenTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	names := []string{"will", "WILL", "Straße", "STRASSE", "İstanbul", "ςίγμα", "ΣΊΓΜΑ"}
	var unexpected atomic.Pointer[error]
	atOnce(func(client int) {
		for turn := range 6 {
			name := names[(client+turn)%len(names)]
			var err error
			switch (client + turn) % 4 {
			case 0:
				record := w.newRecord(name)
				if err = w.CreateRecord(t.Context(), record, plenty); err == nil {
					err = w.DeleteRecord(t.Context(), record.ID)
				}
			case 1:
				record := w.newRecord(fmt.Sprintf("own.%d.%d", client, turn))
				if err = w.CreateRecord(t.Context(), record, plenty); err == nil {
					_, err = w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
						r.AccountName = name
						return nil
					})
				}
			case 2:
				var request lifecycle.Request
				if request, err = w.AcceptRequest(t.Context(), w.newRequest(name), plenty); err == nil {
					_, err = w.Decide(t.Context(), decision(request, 0, lifecycle.VerdictApprove))
				}
			default:
				var request lifecycle.Request
				if request, err = w.AcceptRequest(t.Context(), w.newRequest(name), plenty); err == nil {
					err = w.DeleteRequest(t.Context(), request.ID)
				}
			}
			if err != nil && lifecycle.KindOf(err) != lifecycle.KindConflict {
				unexpected.Store(&err)
			}
		}
	})
	if err := unexpected.Load(); err != nil {
		require.NoError(t, *err)
	}
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM (SELECT account_name_folded FROM (
			SELECT source_id, account_name_folded FROM records
			UNION ALL SELECT source_id, account_name_folded FROM requests WHERE approval_status = 'PENDING') AS held
		GROUP BY source_id, account_name_folded HAVING count(*) > 1) AS twice`))
	w.requireConsistent(t)
}

func TestASourceTakesNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	const limit = 20
	var taken, refused atomic.Int32
	atOnce(func(client int) {
		name := fmt.Sprintf("person.%d", client)
		var err error
		if client%2 == 0 {
			err = w.CreateRecord(t.Context(), w.newRecord(name), limit)
		} else {
			_, err = w.AcceptRequest(t.Context(), w.newRequest(name), limit)
		}
		switch {
		case err == nil:
			taken.Add(1)
		case lifecycle.KindOf(err) == lifecycle.KindLimit:
			refused.Add(1)
		}
	})
	require.EqualValues(t, limit, taken.Load())
	require.EqualValues(t, clients-limit, refused.Load())
	require.Equal(t, limit, w.number(t, "SELECT records + pending FROM source_counters WHERE source_id = '"+w.source.ID.String()+"'"))
	w.requireConsistent(t)
}

func TestThereAreNoMoreSourcesThanTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const limit = 10
	var taken, refused atomic.Int32
	atOnce(func(client int) {
		now := time.Now().UTC().Truncate(time.Millisecond)
		source := lifecycle.Source{ID: lifecycle.NewID(), Name: fmt.Sprintf("Source %d", client), Description: "d", Owner: w.owner.ID, Created: now, Modified: now}
		err := w.CreateSource(t.Context(), source, lifecycle.SystemAttributes(source.ID, now), limit)
		switch {
		case err == nil:
			taken.Add(1)
		case lifecycle.KindOf(err) == lifecycle.KindLimit:
			refused.Add(1)
		}
	})
	require.EqualValues(t, limit-1, taken.Load(), "the world has one already")
	require.EqualValues(t, clients-limit+1, refused.Load())
}

// TestDeletingASourceWhileItIsUsed ends with the source gone and nobody stuck.
func TestDeletingASourceWhileItIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	var pending []lifecycle.Request
	for i := range 20 {
		pending = append(pending, w.request(t, fmt.Sprintf("pending.%d", i)))
	}
	var unexpected atomic.Pointer[error]
	atOnce(func(client int) {
		var err error
		switch {
		case client == clients/2:
			err = w.DeleteSource(t.Context(), w.source.ID)
		case client < len(pending):
			_, err = w.Decide(t.Context(), decision(pending[client], 0, lifecycle.VerdictApprove))
		default:
			_, err = w.AcceptRequest(t.Context(), w.newRequest(fmt.Sprintf("late.%d", client)), plenty)
		}
		if err != nil {
			switch lifecycle.KindOf(err) {
			case lifecycle.KindNotFound, lifecycle.KindReferenceNotFound:
			default:
				unexpected.Store(&err)
			}
		}
	})
	if err := unexpected.Load(); err != nil {
		require.NoError(t, *err)
	}
	for _, table := range []string{"sources", "source_counters", "records", "requests", "approval_items", "account_names"} {
		require.Equal(t, 0, w.number(t, "SELECT count(*) FROM "+table), table)
	}
}

// TestEndingsAreNotedAndDropped works as the application's role, whose rights
// it needs.
func TestEndingsAreNotedAndDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	want := map[lifecycle.ID]bool{}
	for i := range 5 {
		want[w.request(t, fmt.Sprintf("will.%d", i)).ID] = true
	}
	decided := w.request(t, "decided")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(decided, 0, lifecycle.VerdictReject)))
	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	noted, err := w.WorkflowEndings(t.Context(), 10)
	require.NoError(t, err)
	got := map[lifecycle.ID]bool{}
	for _, id := range noted {
		got[id] = true
	}
	require.Equal(t, want, got, "only pending requests have a workflow to end")
	require.NoError(t, w.DropWorkflowEndings(t.Context(), noted))
	left, err := w.WorkflowEndings(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestTheSweepTakesUpWhatMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	fresh, seen := w.request(t, "fresh"), w.request(t, "seen")
	_, err := w.LoadRequest(t.Context(), seen.ID)
	require.NoError(t, err)
	pending, err := w.PendingToCheck(t.Context(), 10, 0)
	require.NoError(t, err)
	require.Len(t, pending, 2)
	require.Equal(t, lifecycle.PendingRequest{RequestID: fresh.ID, SourceID: w.source.ID, Moved: true}, pending[0])
	require.False(t, pending[1].Moved)
	require.NoError(t, w.MarkChecked(t.Context(), []lifecycle.ID{fresh.ID, seen.ID}))

	require.NoError(t, w.SetIdentityActive(t.Context(), w.approvers[0].ID, false))
	progress, err := w.LoadRequest(t.Context(), seen.ID)
	require.NoError(t, err)
	require.True(t, progress.ApproverGone)
	require.NoError(t, w.CancelRequest(t.Context(), seen.ID))
	require.Equal(t, lifecycle.StatusCancelled, w.stored(t, seen.ID).Status)
	w.requireConsistent(t)
}
