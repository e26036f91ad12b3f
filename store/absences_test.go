package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// away makes an absence that begins now and lasts for an hour.
func (w *world) away(t *testing.T, who, deputy lifecycle.Identity) lifecycle.Absence {
	t.Helper()
	a := lifecycle.Absence{
		ID: lifecycle.NewID(), Identity: who.ID, Deputy: deputy.ID, Start: storetest.Now().Add(-time.Second), Creator: who.ID,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	a.End = a.Start.Add(time.Hour)
	require.NoError(t, w.CreateAbsence(t.Context(), a))
	return a
}

// back ends an absence, without having its items looked through.
func (w *world) back(t *testing.T, a lifecycle.Absence) {
	t.Helper()
	require.NoError(t, w.EndAbsence(t.Context(), a.Identity, a.ID))
}

// settled looks the items through in pieces of one, and returns how many moved and
// when that is due again.
func (w *world) settled(t *testing.T, a lifecycle.Absence) (moved int, due time.Time) {
	t.Helper()
	for pass := (lifecycle.AbsencePass{Absence: a.ID}); ; {
		progress, err := w.SettleAbsence(t.Context(), pass, 1)
		require.NoError(t, err)
		require.True(t, progress.Found)
		for _, q := range progress.Moved {
			require.Equal(t, w.source.ID, q.SourceID)
		}
		moved += len(progress.Moved)
		if !progress.More {
			return moved, progress.Due
		}
		pass = progress.Next
	}
}

// holder is who has the first item of the request.
func (w *world) holder(t *testing.T, request lifecycle.Request) string {
	t.Helper()
	return w.named(t, w.stored(t, request.ID).Items[0].Approver.ID)
}

func TestAnAbsenceMovesItemsAndBringsThemBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	deputy := storetest.Identity(t, w.Store, "deputy")
	open, decided, other := w.request(t, "open"), w.request(t, "decided"), w.request(t, "other")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(other, 0, lifecycle.VerdictApprove)))

	absence := w.away(t, w.approvers[0], deputy)
	moved, due := w.settled(t, absence)
	require.Equal(t, 2, moved)
	require.WithinDuration(t, storetest.Now().Add(lifecycle.AbsenceMargin), due, 10*time.Second)
	moved, _ = w.settled(t, absence)
	require.Zero(t, moved, "doing it again changes nothing")
	item := open.Items[0]
	require.Equal(t, []string{"DELEGATION approver.0 -> deputy by nobody"}, w.route(t, item.ID))
	require.Equal(t, 2, w.told(t, lifecycle.EventDelegated, item.ID))
	got, rel, err := w.GetApproval(t.Context(), item.ID, deputy.ID)
	require.NoError(t, err)
	require.Equal(t, w.approvers[0].ID, got.OnBehalfOf)
	require.True(t, rel.Approver)

	fresh := w.request(t, "fresh")
	require.Equal(t, "deputy", w.named(t, fresh.Items[0].Approver.ID), "new items go there at once")

	before := w.last(t)
	require.Equal(t, lifecycle.DecisionForbidden, w.decide(t, decision(decided, 0, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, by(decided, 0, deputy.ID)))
	require.Equal(t, w.approvers[0].ID.String(), w.trail(t, before)[0].facts["onBehalfOf"])

	w.back(t, absence)
	moved, due = w.settled(t, absence)
	require.Equal(t, 2, moved)
	require.False(t, due.IsZero(), "once more, for what was on its way")
	for _, request := range []lifecycle.Request{open, fresh} {
		require.Equal(t, "approver.0", w.holder(t, request))
	}
	require.Equal(t, []string{"DELEGATION approver.0 -> deputy by nobody", "DELEGATION deputy -> approver.0 by nobody"}, w.route(t, item.ID))
	require.Equal(t, "deputy", w.named(t, w.stored(t, decided.ID).Items[0].DecidedBy), "who decided for whom stays")
	got, _, err = w.GetApproval(t.Context(), decided.Items[0].ID, deputy.ID)
	require.NoError(t, err)
	require.Equal(t, w.approvers[0].ID, got.OnBehalfOf)
	require.Equal(t, "approver.0", w.named(t, w.request(t, "later").Items[0].Approver.ID))

	w.change(t, "UPDATE absences SET starts = starts - interval '2 hours', ends = ends - interval '1 hour'")
	_, due = w.settled(t, absence)
	require.Zero(t, due, "all is done")
	_, due = w.settled(t, absence)
	require.Zero(t, due)
	w.requireConsistent(t)
}

// TestTheNextItemGoesToTheDeputy when it becomes PENDING.
func TestTheNextItemGoesToTheDeputy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	deputy := storetest.Identity(t, w.Store, "deputy")
	request := w.request(t, "will")
	absence := w.away(t, w.approvers[1], deputy)
	moved, _ := w.settled(t, absence)
	require.Zero(t, moved, "nobody waits for them yet")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	require.Equal(t, deputy.ID, w.stored(t, request.ID).Items[1].Approver.ID)
	require.NoError(t, w.reassign(t, w.stored(t, request.ID).Items[1], identityOf(w.outsider)))
	got, _, err := w.GetApproval(t.Context(), request.Items[1].ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Zero(t, got.OnBehalfOf, "whom it was handed to has it in nobody's place")
	w.back(t, absence)
	moved, _ = w.settled(t, absence)
	require.Zero(t, moved, "and keeps it")
	require.Equal(t, []string{"DELEGATION approver.1 -> deputy by nobody", "MANUAL_REASSIGNMENT deputy -> outsider by outsider"},
		w.route(t, request.Items[1].ID))
}

// TestWhoIsHandedAnItemMayBeAway: their deputy gets it at once.
func TestWhoIsHandedAnItemMayBeAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	deputy := storetest.Identity(t, w.Store, "deputy")
	w.away(t, w.outsider, deputy)
	request := w.request(t, "will")
	require.NoError(t, w.reassign(t, request.Items[0], identityOf(w.outsider)))
	require.Equal(t, []string{"MANUAL_REASSIGNMENT approver.0 -> outsider by outsider", "DELEGATION outsider -> deputy by nobody"},
		w.route(t, request.Items[0].ID))
}

// TestDeputiesOfDeputies: each beginning and end moves what it is about, and what
// those before it have moved.
func TestDeputiesOfDeputies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	one, two, three := w.approvers[0], storetest.Identity(t, w.Store, "two"), storetest.Identity(t, w.Store, "three")
	request, own := w.request(t, "will"), w.request(t, "own")
	require.NoError(t, w.reassign(t, own.Items[0], identityOf(two)))
	settle := func(a lifecycle.Absence, want, wantOwn string) {
		t.Helper()
		w.settled(t, a)
		require.Equal(t, []string{want, wantOwn}, []string{w.holder(t, request), w.holder(t, own)})
	}
	first := w.away(t, one, two)
	settle(first, "two", "two")
	second := w.away(t, two, three)
	settle(second, "three", "three")
	circle := w.away(t, three, one)
	settle(circle, "approver.0", "two")
	w.back(t, circle)
	settle(circle, "three", "three")
	w.back(t, second)
	settle(second, "two", "two")
	w.back(t, first)
	settle(first, "approver.0", "two")
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM approval_items WHERE delegated_from IS NOT NULL"))
}

func TestADeputyWhoMadeTheRequestDoesNotGetIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for round, policy := range []func(*lifecycle.ApprovalPolicy){func(*lifecycle.ApprovalPolicy) {}, selfApproving} {
		w.under(t, policy)
		request := w.request(t, fmt.Sprintf("will.%d", round))
		absence := w.away(t, w.approvers[0], w.owner)
		moved, _ := w.settled(t, absence)
		require.Zero(t, moved, "it stays")
		require.Equal(t, "approver.0", w.holder(t, request))
		deputy := storetest.Identity(t, w.Store, fmt.Sprintf("deputy.%d", round))
		next := w.away(t, w.owner, deputy)
		moved, _ = w.settled(t, next)
		require.Positive(t, moved)
		require.Equal(t, deputy.Alias, w.holder(t, request), "the requester is away, and their deputy is not")
		w.back(t, next)
		w.back(t, absence)
		w.settled(t, next)
		w.settled(t, absence)
	}
}

// TestADeputyWhoIsGoneCancelsNothing: the item goes back to whose it is.
func TestADeputyWhoIsGoneCancelsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	deputy := storetest.Identity(t, w.Store, "deputy")
	absence := w.away(t, w.approvers[0], deputy)
	request := w.request(t, "will")
	require.NoError(t, w.SetIdentityActive(t.Context(), deputy.ID, false))
	moved, err := w.FallBack(t.Context(), request.ID)
	require.NoError(t, err)
	require.True(t, moved)
	require.Equal(t, "approver.0", w.holder(t, request))

	require.NoError(t, w.SetIdentityActive(t.Context(), deputy.ID, true))
	w.settled(t, absence)
	require.Equal(t, "deputy", w.holder(t, request))
	require.NoError(t, w.SetIdentityActive(t.Context(), w.approvers[0].ID, false))
	w.back(t, absence)
	items, _ := w.settled(t, absence)
	require.Zero(t, items, "it does not go back to somebody who is gone")
	require.NoError(t, w.SetIdentityActive(t.Context(), deputy.ID, false))
	moved, err = w.FallBack(t.Context(), request.ID)
	require.NoError(t, err)
	require.False(t, moved)
	require.NoError(t, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
}

// TestADeputyDecidesForAnotherApart: what they approved for themselves counts for
// nobody else.
func TestADeputyDecidesForAnotherApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.away(t, w.approvers[1], w.approvers[0])
	request := w.request(t, "will")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	stored := w.stored(t, request.ID)
	require.Equal(t, lifecycle.StatusPending, stored.Items[1].Status)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(stored, 1, lifecycle.VerdictApprove)))
	require.Equal(t, lifecycle.StatusApproved, w.stored(t, request.ID).Status)
}

func TestAnAbsenceThatHasNotBegunMovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	request := w.request(t, "will")
	absence := lifecycle.Absence{
		ID: lifecycle.NewID(), Identity: w.approvers[0].ID, Deputy: w.outsider.ID, Start: storetest.Now().Add(time.Hour),
		End: storetest.Now().Add(2 * time.Hour), Creator: w.owner.ID, Created: storetest.Now(), Modified: storetest.Now(),
	}
	require.NoError(t, w.CreateAbsence(t.Context(), absence))
	moved, due := w.settled(t, absence)
	require.Zero(t, moved)
	require.Equal(t, absence.Start, due)
	require.Equal(t, "approver.0", w.holder(t, request))
	got, err := w.GetAbsence(t.Context(), absence.Identity, absence.ID)
	require.NoError(t, err)
	require.Equal(t, absence, got)
	_, err = w.GetAbsence(t.Context(), w.outsider.ID, absence.ID)
	requireKind(t, lifecycle.KindNotFound, err)

	requireKind(t, lifecycle.KindNotFound, w.EndAbsence(t.Context(), w.outsider.ID, absence.ID))
	require.NoError(t, w.EndAbsence(t.Context(), absence.Identity, absence.ID))
	progress, err := w.SettleAbsence(t.Context(), lifecycle.AbsencePass{Absence: absence.ID}, 10)
	require.NoError(t, err)
	require.Equal(t, lifecycle.AbsenceProgress{}, progress)
	requireKind(t, lifecycle.KindNotFound, w.EndAbsence(t.Context(), absence.Identity, absence.ID))
}

func TestWhichAbsencesThereMayBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	who, start := w.approvers[0], storetest.Now().Add(time.Hour)
	hours := func(from, to int) error {
		return w.CreateAbsence(t.Context(), lifecycle.Absence{
			ID: lifecycle.NewID(), Identity: who.ID, Deputy: w.outsider.ID, Creator: who.ID, Created: start, Modified: start,
			Start: start.Add(time.Duration(from) * time.Hour), End: start.Add(time.Duration(to) * time.Hour),
		})
	}
	require.NoError(t, hours(10, 20))
	for _, span := range [][2]int{{10, 20}, {9, 11}, {19, 21}, {12, 13}, {5, 30}} {
		requireKind(t, lifecycle.KindConflict, hours(span[0], span[1]))
	}
	require.NoError(t, hours(9, 10), "one may follow another")
	require.NoError(t, hours(20, 21))
	for i := range lifecycle.MaxAbsences - 3 {
		require.NoError(t, hours(30+i, 31+i))
	}
	requireKind(t, lifecycle.KindLimit, hours(100, 101))
	page, count, err := w.ListAbsences(t.Context(), who.ID, filter.Query{Limit: 2, Count: true})
	require.NoError(t, err)
	require.Equal(t, lifecycle.MaxAbsences, count)
	require.Len(t, page, 2)
	require.True(t, page[0].Start.After(page[1].Start))
	_, _, err = w.ListAbsences(t.Context(), lifecycle.NewID(), filter.Query{Limit: 2})
	requireKind(t, lifecycle.KindNotFound, err)

	ghost := lifecycle.Absence{ID: lifecycle.NewID(), Identity: lifecycle.NewID(), Deputy: who.ID, Start: start, End: start.Add(time.Hour), Creator: who.ID, Created: start, Modified: start}
	requireKind(t, lifecycle.KindNotFound, w.CreateAbsence(t.Context(), ghost))
	ghost.Identity, ghost.Deputy = w.outsider.ID, lifecycle.NewID()
	requireKind(t, lifecycle.KindReferenceNotFound, w.CreateAbsence(t.Context(), ghost))
	require.NoError(t, w.SetIdentityActive(t.Context(), who.ID, false))
	ghost.Deputy = who.ID
	requireKind(t, lifecycle.KindReferenceNotFound, w.CreateAbsence(t.Context(), ghost))

	over := w.away(t, w.outsider, w.owner)
	w.back(t, over)
	requireKind(t, lifecycle.KindIllegalUpdate, w.EndAbsence(t.Context(), over.Identity, over.ID))
	w.away(t, w.owner, w.outsider)
}

// TestAbsencesMadeAtOnceDoNotOverlap.
func TestAbsencesMadeAtOnceDoNotOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	start := storetest.Now().Add(time.Hour)
	errs := make([]error, clients)
	atOnce(func(client int) {
		errs[client] = w.CreateAbsence(t.Context(), lifecycle.Absence{
			ID: lifecycle.NewID(), Identity: w.owner.ID, Deputy: w.outsider.ID, Creator: w.owner.ID, Created: start, Modified: start,
			Start: start.Add(time.Duration(client) * time.Minute), End: start.Add(time.Duration(client)*time.Minute + time.Hour),
		})
	})
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		requireKind(t, lifecycle.KindConflict, err)
	}
	require.Equal(t, 1, made)
}

// TestWhatIsDueAndWasNotLookedThroughIsWoken, and nothing else.
func TestWhatIsDueAndWasNotLookedThroughIsWoken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	due := w.away(t, w.approvers[0], w.outsider)
	done := w.away(t, w.owner, w.outsider)
	w.settled(t, done)
	woken, err := w.AbsencesToWake(t.Context(), 10, 0)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.ID{due.ID}, woken)
	woken, err = w.AbsencesToWake(t.Context(), 10, time.Minute)
	require.NoError(t, err)
	require.Empty(t, woken)
	w.back(t, done)
	woken, err = w.AbsencesToWake(t.Context(), 10, 0)
	require.NoError(t, err)
	require.ElementsMatch(t, []lifecycle.ID{due.ID, done.ID}, woken, "one that was ended is due at once")
}

// TestAbsencesBeginAndEndWhileItIsDecided has several go through the same items
// at once, while requests are made and decided; nothing is lost or stuck.
func TestAbsencesBeginAndEndWhileItIsDecided(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	deputy := storetest.Identity(t, w.Store, "deputy")
	var requests []lifecycle.Request
	for i := range 20 {
		requests = append(requests, w.request(t, fmt.Sprintf("person.%d", i)))
	}
	absence := w.away(t, w.approvers[0], deputy)
	var group sync.WaitGroup
	for client := range 4 {
		group.Go(func() {
			for i := range requests {
				_, err := w.SettleAbsence(t.Context(), lifecycle.AbsencePass{Absence: absence.ID}, 5)
				if err != nil {
					t.Errorf("settling: %v", err)
				}
				request := requests[(i+5*client)%len(requests)]
				for _, who := range []lifecycle.ID{w.approvers[0].ID, deputy.ID} {
					if _, err := w.Decide(t.Context(), by(request, 0, who)); err != nil {
						t.Errorf("deciding: %v", err)
					}
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM approval_items WHERE position = 0 AND status <> 'APPROVED'"))
	w.back(t, absence)
	w.settled(t, absence)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM approval_items WHERE delegated_from IS NOT NULL AND status = 'PENDING'"))
	w.requireConsistent(t)
}

// TestWhoDecidesAboutAnExtension: the deputy of an approver who is away, and not
// the one who asks.
func TestWhoDecidesAboutAnExtension(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	deputy := storetest.Identity(t, w.Store, "deputy")
	records := w.people(t, 3)
	absence := w.away(t, w.approvers[0], deputy)
	extension := w.extend(t, laterEnd(), records[0])
	require.Equal(t, identityOf(deputy), extension.Items[0].Approver)
	w.back(t, absence)
	moved, _ := w.settled(t, absence)
	require.Equal(t, 1, moved)
	require.Equal(t, identityOf(w.approvers[0]), w.extension(t, extension.ID).Items[0].Approver)

	w.approvedBy(t, identityOf(w.outsider))
	asked := w.newExtension(laterEnd())
	asked.Requester = w.outsider.ID
	own, err := w.AcceptExtension(t.Context(), asked, targets(laterEnd(), records[1]), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"AUTO_REASSIGNMENT outsider -> jane.doe by nobody"}, w.route(t, own.Items[0].ID))
	w.approvedBy(t, identityOf(w.owner))
	nobody := w.extend(t, laterEnd(), records[2])
	require.Equal(t, lifecycle.StatusCancelled, nobody.Status)
	w.requireConsistent(t)
}

// TestADeputyDecidesForThemselvesToo: to have decided for another is not to have
// decided one's own item.
func TestADeputyDecidesForThemselvesToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.settled(t, w.away(t, w.approvers[0], w.approvers[1]))
	request := w.request(t, "will")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, by(request, 0, w.approvers[1].ID)))
	require.Equal(t, lifecycle.StatusPending, w.stored(t, request.ID).Items[1].Status)
}
