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
	"gatehouse/store/storetest"
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
	for _, deletedAlone := range []bool{true, false} {
		for _, seen := range []bool{true, false} {
			decided := w.request(t, fmt.Sprintf("decided.%t", seen))
			require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(decided, 0, lifecycle.VerdictReject)))
			if seen {
				require.NoError(t, w.MarkSeen(t.Context(), decided.ID, lifecycle.ID{}, time.Time{}))
			} else {
				want[decided.ID] = true
			}
			if deletedAlone {
				require.NoError(t, w.DeleteRequest(t.Context(), decided.ID))
			}
		}
	}
	alone := w.request(t, "alone")
	want[alone.ID] = true
	require.NoError(t, w.DeleteRequest(t.Context(), alone.ID))
	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	noted, err := w.WorkflowEndings(t.Context(), 10)
	require.NoError(t, err)
	got := map[lifecycle.ID]bool{}
	for _, id := range noted {
		got[id] = true
	}
	require.Equal(t, want, got, "a workflow that is known to have ended needs no end")
	require.NoError(t, w.DropWorkflowEndings(t.Context(), noted))
	left, err := w.WorkflowEndings(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestARequestWithoutApproversIsCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	request := w.request(t, "will")
	requireKind(t, lifecycle.KindIllegalUpdate, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
	require.NoError(t, w.CompleteRequest(t.Context(), request.ID))
	require.Equal(t, lifecycle.StatusApproved, w.stored(t, request.ID).Status)
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM records WHERE account_name = 'will'"))
	w.requireEnded(t, request.ID)
}

func TestARequestThatNobodyCanDecideIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	member := storetest.Identity(t, w.Store, "member")
	group := lifecycle.Workgroup{
		ID: lifecycle.NewID(), Name: "Field", Members: []lifecycle.ID{w.approvers[0].ID, member.ID}, Created: storetest.Now(),
	}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	cancel := func(request lifecycle.Request) error {
		return w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone)
	}
	active := func(is bool, people ...lifecycle.Identity) {
		t.Helper()
		for _, person := range people {
			require.NoError(t, w.SetIdentityActive(t.Context(), person.ID, is))
		}
	}

	request := w.request(t, "will")
	requireKind(t, lifecycle.KindIllegalUpdate, cancel(request))
	requireKind(t, lifecycle.KindIllegalUpdate, w.CompleteRequest(t.Context(), request.ID))
	active(false, w.approvers[1])
	requireKind(t, lifecycle.KindIllegalUpdate, cancel(request))
	active(false, w.approvers[0])
	progress, err := w.LoadRequest(t.Context(), request.ID)
	require.NoError(t, err)
	require.True(t, progress.ApproverGone)
	active(true, w.approvers[0])
	requireKind(t, lifecycle.KindIllegalUpdate, cancel(request))
	require.Equal(t, lifecycle.StatusPending, w.stored(t, request.ID).Status, "the approver came back in time")
	active(false, w.approvers[0])
	require.NoError(t, cancel(request))
	require.Equal(t, lifecycle.StatusCancelled, w.stored(t, request.ID).Status)
	w.requireEnded(t, request.ID)

	_, err = w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
		s.Approvers = []lifecycle.Reference{{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}}
		return nil
	})
	require.NoError(t, err)
	request = w.request(t, "walter")
	requireKind(t, lifecycle.KindIllegalUpdate, cancel(request))
	active(false, member)
	require.NoError(t, cancel(request))
	w.requireConsistent(t)
}

// requireEnded holds that a request that is final can't be ended again, and one
// that is gone is not found.
func (w *world) requireEnded(t *testing.T, id lifecycle.ID) {
	t.Helper()
	ended := w.stored(t, id)
	requireKind(t, lifecycle.KindIllegalUpdate, w.CompleteRequest(t.Context(), id))
	requireKind(t, lifecycle.KindIllegalUpdate, w.CancelRequest(t.Context(), id, lifecycle.ReasonApproverGone))
	require.Equal(t, ended, w.stored(t, id))
	require.NoError(t, w.DeleteRequest(t.Context(), id))
	requireKind(t, lifecycle.KindNotFound, w.CompleteRequest(t.Context(), id))
	requireKind(t, lifecycle.KindNotFound, w.CancelRequest(t.Context(), id, lifecycle.ReasonApproverGone))
	_, err := w.LoadRequest(t.Context(), id)
	requireKind(t, lifecycle.KindNotFound, err)
	require.NoError(t, w.MarkSeen(t.Context(), id, lifecycle.ID{}, time.Time{}))
	w.requireConsistent(t)
}

func TestANotificationIsSavedOnceForWhomItConcerns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	asked := w.newRequest("by an application")
	asked.Requester = lifecycle.ID{}
	unasked, err := w.AcceptRequest(t.Context(), asked, plenty)
	require.NoError(t, err)
	decided, cancelled := w.request(t, "decided"), w.request(t, "cancelled")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(decided, 0, lifecycle.VerdictReject)))
	w.cancel(t, cancelled)
	for _, c := range []struct {
		event         string
		request, item lifecycle.ID
		recipient     lifecycle.ID
		reason        string
	}{
		{event: "decision_needed", request: unasked.ID, item: unasked.Items[0].ID, recipient: w.approvers[0].ID},
		{event: "request_decided", request: unasked.ID},
		{event: "request_decided", request: decided.ID, recipient: w.owner.ID},
		{event: "request_cancelled", request: cancelled.ID, recipient: w.owner.ID, reason: lifecycle.ReasonApproverGone},
	} {
		for turn := range 2 {
			saved, recipient, err := w.SaveNotification(t.Context(), c.event, c.request, c.item, time.Time{})
			require.NoError(t, err)
			require.Equal(t, c.recipient, recipient, c.event)
			require.Equal(t, turn == 0 && !c.recipient.IsZero(), saved, c.event)
		}
		require.Equal(t, 1, w.number(t, "SELECT count(*) FROM notifications WHERE event = $1 AND request_id = $2", c.event, c.request.String()))
		require.Equal(t, 1, w.number(t, `SELECT count(*) FROM notifications WHERE event = $1 AND request_id = $2 AND reason = $3
			AND (recipient_type = 'NOBODY') = $4`, c.event, c.request.String(), c.reason, c.recipient.IsZero()), "other systems are told all the same")
	}
	for _, event := range []string{"decision_needed", "request_decided", "request_cancelled"} {
		_, _, err := w.SaveNotification(t.Context(), event, lifecycle.NewID(), lifecycle.NewID(), time.Time{})
		requireKind(t, lifecycle.KindNotFound, err)
	}
	_, _, err = w.SaveNotification(t.Context(), "party", decided.ID, lifecycle.ID{}, time.Time{})
	requireKind(t, lifecycle.KindInternal, err)
}

func TestACommentIsKeptForItsDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "will")
	first, second := decision(request, 0, lifecycle.VerdictApprove), decision(request, 1, lifecycle.VerdictReject)
	second.ID, second.Via = lifecycle.NewID(), lifecycle.ViaSignal
	other := decision(request, 1, lifecycle.VerdictApprove)
	for _, c := range []struct {
		decision lifecycle.Decision
		comment  string
	}{
		{first, "the first"}, {first, "another under the same id"}, {second, "by signal"}, {other, "never sent"},
	} {
		require.NoError(t, w.AnnounceDecision(t.Context(), c.decision, c.comment))
	}
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, first))
	require.NoError(t, w.AnnounceDecision(t.Context(), first, "after it"))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, second))
	done := w.stored(t, request.ID)
	require.Equal(t, "the first", done.Items[0].Comment)
	require.Equal(t, "by signal", done.Items[1].Comment, "a signal takes up what is there under its id")

	strange := w.request(t, "walter")
	stolen := decision(strange, 0, lifecycle.VerdictApprove)
	stolen.Approver = w.outsider.ID
	require.NoError(t, w.AnnounceDecision(t.Context(), stolen, "of somebody else"))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(strange, 0, lifecycle.VerdictApprove)))
	mine := decision(strange, 0, lifecycle.VerdictApprove)
	mine.ID = stolen.ID
	require.Equal(t, lifecycle.DecisionRepeated, w.decide(t, mine))
	require.Empty(t, w.stored(t, strange.ID).Items[0].Comment, "an id alone takes nobody else's comment")

	gone := decision(strange, 1, lifecycle.VerdictApprove)
	require.NoError(t, w.DeleteRequest(t.Context(), strange.ID))
	requireKind(t, lifecycle.KindNotFound, w.AnnounceDecision(t.Context(), gone, "too late"))
}

// TestTellingNotesHowFarTheWorkflowIs: what is told and what is noted are one
// commit.
func TestTellingNotesHowFarTheWorkflowIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "asked.for")
	seen := func() int { return w.number(t, "SELECT count(*) FROM requests WHERE workflow_seen_at >= modified") }
	_, _, err := w.SaveNotification(t.Context(), "decision_needed", request.ID, request.Items[1].ID, time.Time{})
	require.NoError(t, err)
	require.Zero(t, seen(), "it is not this item that is pending")
	_, _, err = w.SaveNotification(t.Context(), "request_decided", request.ID, lifecycle.ID{}, time.Time{})
	require.NoError(t, err)
	require.Zero(t, seen(), "nor is it decided")
	for range 2 {
		_, _, err = w.SaveNotification(t.Context(), "decision_needed", request.ID, request.Items[0].ID, time.Time{})
		require.NoError(t, err)
		require.Equal(t, 1, seen())
	}
}
