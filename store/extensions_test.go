package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// later is an end that records of the world don't have yet.
func laterEnd() time.Time { return storetest.Now().AddDate(1, 0, 0) }

func (w *world) newExtension(end time.Time) lifecycle.Extension {
	return lifecycle.Extension{
		ID: lifecycle.NewID(), Source: lifecycle.SourceSummary{ID: w.source.ID}, Requester: w.owner.ID,
		EndDate: end, Comment: "The work goes on.", Created: storetest.Now(),
	}
}

// targets names the records by their ids.
func targets(end time.Time, records ...lifecycle.Record) []lifecycle.ExtensionTarget {
	named := make([]lifecycle.ExtensionTarget, len(records))
	for i, r := range records {
		named[i] = lifecycle.ExtensionTarget{RecordID: r.ID, EndDate: end}
	}
	return named
}

// extend asks for end for the records.
func (w *world) extend(t *testing.T, end time.Time, records ...lifecycle.Record) lifecycle.Extension {
	t.Helper()
	e, err := w.AcceptExtension(t.Context(), w.newExtension(end), targets(end, records...), nil)
	require.NoError(t, err)
	return e
}

func (w *world) people(t *testing.T, n int) []lifecycle.Record {
	t.Helper()
	records := make([]lifecycle.Record, n)
	for i := range records {
		records[i] = w.record(t, fmt.Sprintf("person.%d", i))
	}
	return records
}

// extension reads the extension again.
func (w *world) extension(t *testing.T, id lifecycle.ID) lifecycle.Extension {
	t.Helper()
	e, _, err := w.GetExtension(t.Context(), id, lifecycle.ID{})
	require.NoError(t, err)
	return e
}

// extended is the end of the record and what became of it in the extension.
func (w *world) parts(t *testing.T, id lifecycle.ID) []string {
	t.Helper()
	parts, count, err := w.ListExtensionRecords(t.Context(), id, filter.Query{Limit: 250, Count: true})
	require.NoError(t, err)
	require.Len(t, parts, count)
	told := make([]string, count)
	for i, p := range parts {
		told[i] = strings.TrimSpace(string(p.Status) + " " + p.Reason)
	}
	return told
}

func (w *world) end(t *testing.T, record lifecycle.Record) time.Time {
	t.Helper()
	r, _, err := w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	return r.EndDate
}

// extensionDecision is the verdict of the item's own approver.
func extensionDecision(e lifecycle.Extension, position int, verdict lifecycle.Verdict) lifecycle.Decision {
	return decision(lifecycle.Request{ID: e.ID, Items: e.Items}, position, verdict)
}

// TestAnExtensionGoesThroughItsApprovers has the first one take a record out, the
// second one another, and a third record deleted before the end.
func TestAnExtensionGoesThroughItsApprovers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	end := laterEnd()
	records := w.people(t, 5)
	e := w.extend(t, end, records...)
	require.Equal(t, e, w.extension(t, e.ID))
	require.Equal(t, 5, e.Pending())
	require.Len(t, e.Items, 2)
	progress, err := w.LoadRequest(t.Context(), e.ID)
	require.NoError(t, err)
	require.True(t, progress.Extension)
	require.Equal(t, e.Items[0].ID, progress.Pending)

	first := extensionDecision(e, 0, lifecycle.VerdictApprove)
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), first, "Not the first.", []lifecycle.ID{records[0].ID}))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, first))
	stored := w.extension(t, e.ID)
	require.Equal(t, lifecycle.StatusPending, stored.Status)
	require.Equal(t, lifecycle.StatusPending, stored.Items[1].Status)
	require.Equal(t, lifecycle.ExtensionCounts{Records: 5, Rejected: 1}, stored.ExtensionCounts)
	require.Equal(t, records[1].EndDate, w.end(t, records[1]))

	require.NoError(t, w.DeleteRecord(t.Context(), records[2].ID))
	w.change(t, "UPDATE records SET end_date = $1 WHERE id = $2", end.AddDate(0, 0, 1), records[3].ID.String())
	second := extensionDecision(e, 1, lifecycle.VerdictApprove)
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), second, "Nor the second.", []lifecycle.ID{records[0].ID, records[1].ID}))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, second))
	require.Equal(t, lifecycle.DecisionRepeated, w.decide(t, second))
	stored = w.extension(t, e.ID)
	require.Equal(t, lifecycle.StatusApproved, stored.Status)
	require.False(t, stored.Completed.IsZero())
	require.Equal(t, lifecycle.ExtensionCounts{Records: 5, Approved: 1, Rejected: 2, Skipped: 2}, stored.ExtensionCounts)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM requests WHERE pending_since IS NOT NULL"))
	require.Equal(t, []string{"REJECTED", "REJECTED", "SKIPPED deleted", "SKIPPED not_later", "APPROVED"}, w.parts(t, e.ID))
	require.Equal(t, records[0].EndDate, w.end(t, records[0]))
	require.Equal(t, end.AddDate(0, 0, 1), w.end(t, records[3]))
	require.Equal(t, end, w.end(t, records[4]))
	parts, _, err := w.ListExtensionRecords(t.Context(), e.ID, filter.Query{Limit: 250})
	require.NoError(t, err)
	require.Equal(t, w.approvers[0].ID, parts[0].RejectedBy)
	require.Equal(t, "person.4", parts[4].AccountName)
	require.Equal(t, records[4].EndDate, parts[4].EndDateBefore)
	require.Empty(t, parts[2].AccountName)
	w.requireConsistent(t)
}

// TestAnExtensionThatIsNotApproved leaves every record as it is, and free for
// another one.
func TestAnExtensionThatIsNotApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	records := w.people(t, 2)
	end := laterEnd()

	e := w.extend(t, end, records...)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, extensionDecision(e, 0, lifecycle.VerdictReject)))
	require.Equal(t, []string{"REJECTED", "REJECTED"}, w.parts(t, e.ID))
	stored := w.extension(t, e.ID)
	require.Equal(t, lifecycle.StatusRejected, stored.Status)
	require.Equal(t, 2, stored.Rejected)
	require.Equal(t, lifecycle.StatusCancelled, stored.Items[1].Status)

	e = w.extend(t, end, records...)
	require.NoError(t, w.CancelExtension(t.Context(), e.ID))
	requireKind(t, lifecycle.KindIllegalUpdate, w.CancelExtension(t.Context(), e.ID))
	requireKind(t, lifecycle.KindNotFound, w.CancelExtension(t.Context(), lifecycle.NewID()))
	require.Equal(t, []string{"CANCELLED", "CANCELLED"}, w.parts(t, e.ID))
	stored = w.extension(t, e.ID)
	require.Equal(t, lifecycle.StatusCancelled, stored.Status)
	require.Equal(t, lifecycle.ReasonWithdrawn, stored.Reason)

	e = w.extend(t, end, records...)
	w.change(t, "UPDATE identities SET active = false")
	require.NoError(t, w.CancelRequest(t.Context(), e.ID, lifecycle.ReasonApproverGone))
	require.Equal(t, lifecycle.ReasonApproverGone, w.extension(t, e.ID).Reason)
	require.Equal(t, records[0].EndDate, w.end(t, records[0]))
	w.requireConsistent(t)
}

func TestAnExtensionThatNobodyHasToDecideIsCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	records := w.people(t, 3)
	end := laterEnd()
	e := w.extend(t, end, records...)
	require.Empty(t, e.Items)
	require.NoError(t, w.CompleteRequest(t.Context(), e.ID))
	requireKind(t, lifecycle.KindIllegalUpdate, w.CompleteRequest(t.Context(), e.ID))
	require.Equal(t, lifecycle.StatusApproved, w.extension(t, e.ID).Status)
	for _, record := range records {
		require.Equal(t, end, w.end(t, record))
	}
	w.requireConsistent(t)
}

// TestAnExtensionNeedsNoApprovalWhereTheSourceSaysSo, whoever its approvers are.
func TestAnExtensionNeedsNoApprovalWhereTheSourceSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	records := w.people(t, 1)
	free := lifecycle.DefaultLifecyclePolicy()
	free.Extension.Approval = lifecycle.ExtensionApprovalNone
	_, err := w.SetLifecyclePolicy(t.Context(), w.source.ID, free)
	require.NoError(t, err)
	e := w.extend(t, laterEnd(), records...)
	require.Empty(t, e.Items)
	require.NoError(t, w.CompleteRequest(t.Context(), e.ID))
	require.Equal(t, e.EndDate, w.end(t, records[0]))
}

// TestWhoWasEndedIsNotExtended, before the extension was asked for or since.
func TestWhoWasEndedIsNotExtended(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 3)
	_, err := w.EndRecord(t.Context(), records[0].ID, "left")
	require.NoError(t, err)
	e := w.extend(t, laterEnd(), records...)
	_, err = w.EndRecord(t.Context(), records[1].ID, "left")
	require.NoError(t, err)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, extensionDecision(e, 0, lifecycle.VerdictApprove)))
	require.Equal(t, []string{"SKIPPED ended", "SKIPPED ended", "APPROVED"}, w.parts(t, e.ID))
	require.Equal(t, 2, w.number(t, "SELECT count(*) FROM records WHERE lifecycle_state = 'SUSPENDED'"))
}

// TestAnExtendedRecordLeavesTheLadder, so that it is warned about anew.
func TestAnExtendedRecordLeavesTheLadder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	records := w.people(t, 2)
	w.change(t, "UPDATE records SET lifecycle_rung = 7, lifecycle_state = 'EXPIRING'")
	e := w.extend(t, laterEnd(), records...)
	require.NoError(t, w.CompleteRequest(t.Context(), e.ID))
	require.Equal(t, 2, w.number(t, "SELECT count(*) FROM records WHERE lifecycle_rung = 366 AND lifecycle_state = 'ACTIVE'"))
}

// TestAnExtensionTellsEveryoneOnce: who answers for the source is told of all the
// records, another manager of theirs, and nobody twice.
func TestAnExtensionTellsEveryoneOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var records []lifecycle.Record
	for i := range 4 {
		record := w.newRecord(fmt.Sprintf("person.%d", i))
		if i > 1 {
			record.Manager = lifecycle.ManagerReference{ID: w.outsider.ID, Alias: w.outsider.Alias}
		}
		require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
		records = append(records, record)
	}
	e := w.extend(t, laterEnd(), records...)
	require.NoError(t, w.CompleteRequest(t.Context(), e.ID))
	const told = `SELECT count(*) FROM notifications AS n JOIN notification_records AS r ON r.batch_id = n.batch_id
		WHERE n.event = 'extended' AND n.request_id = $1 AND n.recipient_id = $2`
	require.Equal(t, 4, w.number(t, told, e.ID.String(), w.owner.ID.String()))
	require.Equal(t, 2, w.number(t, told, e.ID.String(), w.outsider.ID.String()))
	require.Equal(t, 2, w.number(t, "SELECT count(*) FROM notifications WHERE event = 'extended' AND facts ->> 'endDate' = $1",
		lifecycle.FormatTime(e.EndDate)))

	// Who asked is told of all, once, and of theirs not as a manager besides.
	asked := w.newExtension(laterEnd().AddDate(0, 0, 1))
	asked.Requester = w.outsider.ID
	asked, err := w.AcceptExtension(t.Context(), asked, targets(asked.EndDate, records...), nil)
	require.NoError(t, err)
	require.NoError(t, w.CompleteRequest(t.Context(), asked.ID))
	require.Equal(t, 4, w.number(t, told, asked.ID.String(), w.outsider.ID.String()))
	require.Equal(t, 4, w.number(t, told, asked.ID.String(), w.owner.ID.String()))
	require.Equal(t, 4, w.number(t, "SELECT count(*) FROM notifications WHERE event = 'extended'"))
}

// TestNobodyDecidesTheirOwnExtension: it goes to the owner of the source in their
// place, and to nobody where that is them too.
func TestNobodyDecidesTheirOwnExtension(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 2)
	own := w.newExtension(laterEnd())
	own.Requester = w.approvers[0].ID
	own, err := w.AcceptExtension(t.Context(), own, targets(own.EndDate, records[0]), nil)
	require.NoError(t, err)
	require.Equal(t, w.owner.ID, own.Items[0].Approver.ID)
	require.Equal(t, own, w.extension(t, own.ID))

	w.change(t, "UPDATE source_approvers SET approver_id = $1", w.owner.ID.String())
	nobodys := w.extend(t, laterEnd(), records[1])
	require.Equal(t, lifecycle.StatusCancelled, nobodys.Status)
	require.Equal(t, lifecycle.ReasonOnlyRequester, nobodys.Reason)
	require.Equal(t, []string{"CANCELLED"}, w.parts(t, nobodys.ID))
	w.requireConsistent(t)
}

// TestAnApproverGetsOneMailOfAnExtension, which says of how many records it is.
func TestAnApproverGetsOneMailOfAnExtension(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 3)
	e := w.extend(t, laterEnd(), records...)
	_, _, err := w.SaveNotification(t.Context(), "decision_needed", e.ID, e.Items[0].ID, time.Time{})
	require.NoError(t, err)
	w.relay(t)
	require.Equal(t, []string{"approver.0"}, w.mails(t, lifecycle.EventDecisionNeeded))
	require.Equal(t, []string{"jane.doe"}, w.mails(t, lifecycle.EventRequestMade))
	var delivery lifecycle.ID
	require.NoError(t, w.admin.QueryRowContext(t.Context(), "SELECT id FROM deliveries WHERE event = 'decision_needed'").Scan(&delivery))
	notice, err := w.LoadNotice(t.Context(), delivery)
	require.NoError(t, err)
	require.Equal(t, []any{true, 3, e.EndDate}, []any{notice.Request.Extension, notice.Request.Records, notice.Request.Until})
}

// TestWhatIsWrongWithAnExtensionIsToldAtOnce, and nothing of it is kept.
func TestWhatIsWrongWithAnExtensionIsToldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	end := laterEnd()
	records := w.people(t, 3)
	waiting := w.extend(t, end, records[0])
	nobody := lifecycle.NewID()
	other := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	elsewhere := w.newRecord("elsewhere")
	elsewhere.SourceID = other.ID
	require.NoError(t, w.CreateRecord(t.Context(), elsewhere, plenty))

	_, err := w.AcceptExtension(t.Context(), w.newExtension(end), []lifecycle.ExtensionTarget{
		{Row: 1, Line: 2, RecordID: nobody, EndDate: end},
		{Row: 2, Line: 3, AccountName: "person.1", EndDate: records[1].StartDate},
		{Row: 3, Line: 4, RecordID: elsewhere.ID, EndDate: end},
		{Row: 4, Line: 6, RecordID: records[1].ID, EndDate: end},
		{Row: 5, Line: 7, AccountName: "nobody", EndDate: end},
	}, nil)
	requireKind(t, lifecycle.KindBadRequest, err)
	require.Equal(t, strings.Join([]string{
		"line 2, column id: the source has no such record",
		"line 3, column endDate: endDate must be after startDate, which is " + lifecycle.FormatTime(records[1].StartDate),
		"line 4, column id: the source has no such record",
		"line 6, column id: the record is named on line 3 already",
		"line 7, column accountName: the source has no such record",
	}, "\n"), strings.TrimPrefix(err.Error(), "bad_request: "))

	_, err = w.AcceptExtension(t.Context(), w.newExtension(end), append(targets(end, records...), targets(end, elsewhere)...), nil)
	requireKind(t, lifecycle.KindReferenceNotFound, err)
	require.Contains(t, err.Error(), elsewhere.ID.String())
	_, err = w.AcceptExtension(t.Context(), w.newExtension(end), targets(end, records...), nil)
	requireKind(t, lifecycle.KindConflict, err)
	require.Contains(t, err.Error(), "person.0")
	require.NotContains(t, err.Error(), "person.1")
	_, err = w.AcceptExtension(t.Context(), w.newExtension(end), targets(records[1].EndDate, records[1], records[2]), nil)
	requireKind(t, lifecycle.KindIllegalValue, err)
	nowhere := w.newExtension(end)
	nowhere.Source.ID = nobody
	_, err = w.AcceptExtension(t.Context(), nowhere, targets(end, records[1]), nil)
	requireKind(t, lifecycle.KindReferenceNotFound, err)
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM extension_records"))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM requests"))

	// A record that has the end already is told as skipped.
	w.change(t, "UPDATE records SET end_date = $1 WHERE id = $2", end, records[1].ID.String())
	require.NoError(t, w.CancelExtension(t.Context(), waiting.ID))
	e := w.extend(t, end, records...)
	require.Equal(t, []string{"PENDING", "SKIPPED not_later", "PENDING"}, w.parts(t, e.ID))
	require.Equal(t, 2, e.Pending())
	// It waits for nobody, so another one may have it.
	w.extend(t, end.AddDate(0, 0, 1), records[1])
}

// TestAnExtensionByFilter takes those of the source alone that the filter lets
// through.
func TestAnExtensionByFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 4)
	other := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	elsewhere := w.newRecord("person.elsewhere")
	elsewhere.SourceID = other.ID
	require.NoError(t, w.CreateRecord(t.Context(), elsewhere, plenty))
	q, err := filter.Params{Filters: new(`accountName sw "PERSON." and not accountName eq "person.2"`)}.Judge(filter.Records)
	require.NoError(t, err)
	end := laterEnd()
	e, err := w.AcceptExtension(t.Context(), w.newExtension(end), nil, q.Where)
	require.NoError(t, err)
	require.Equal(t, 3, e.Records)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, extensionDecision(e, 0, lifecycle.VerdictApprove)))
	for i, record := range records {
		require.Equal(t, i != 2, w.end(t, record).Equal(end), record.AccountName)
	}
	require.Equal(t, elsewhere.EndDate, w.end(t, elsewhere))
	q.Where = filter.Nothing{}
	_, err = w.AcceptExtension(t.Context(), w.newExtension(end), nil, q.Where)
	requireKind(t, lifecycle.KindIllegalValue, err)
}

// TestOneExtensionOfARecordWaits has clients ask for the same records in different
// orders at the same moment.
func TestOneExtensionOfARecordWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 3)
	end := laterEnd()
	var accepted, refused atomic.Int32
	var unexpected atomic.Pointer[error]
	atOnce(func(client int) {
		named := []lifecycle.Record{records[client%3], records[(client+1+client%2)%3]}
		if named[0].ID == named[1].ID {
			named = named[:1]
		}
		_, err := w.AcceptExtension(context.WithoutCancel(t.Context()), w.newExtension(end), targets(end, named...), nil)
		switch {
		case err == nil:
			accepted.Add(1)
		case lifecycle.KindOf(err) == lifecycle.KindConflict:
			refused.Add(1)
		default:
			unexpected.Store(&err)
		}
	})
	if err := unexpected.Load(); err != nil {
		t.Fatal(*err)
	}
	require.Positive(t, accepted.Load())
	require.EqualValues(t, clients, accepted.Load()+refused.Load())
	require.Equal(t, 0, w.number(t, "SELECT count(*) - count(DISTINCT record_id) FROM extension_records WHERE status = 'PENDING'"))
}

// TestARecordIsExtendedAsItIsChanged has records change and go while an extension
// of them is approved.
func TestARecordIsExtendedAsItIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for round := range 5 {
		var records []lifecycle.Record
		for i := range 10 {
			records = append(records, w.record(t, fmt.Sprintf("person.%d.%d", round, i)))
		}
		end := laterEnd()
		e := w.extend(t, end, records...)
		var unexpected atomic.Pointer[error]
		atOnce(func(client int) {
			ctx := context.WithoutCancel(t.Context())
			var err error
			switch record := records[client%10]; {
			case client == 17:
				var result lifecycle.DecisionResult
				result, err = w.Decide(ctx, extensionDecision(e, 0, lifecycle.VerdictApprove))
				if err == nil && result.Outcome != lifecycle.DecisionStored {
					err = fmt.Errorf("the outcome %d", result.Outcome)
				}
			case client%10 == 3:
				if err = w.DeleteRecord(ctx, record.ID); err != nil && lifecycle.KindOf(err) == lifecycle.KindNotFound {
					err = nil
				}
			default:
				_, err = w.UpdateRecord(ctx, record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
					r.Phone += "1"
					return nil
				})
			}
			if err != nil && lifecycle.KindOf(err) != lifecycle.KindNotFound {
				unexpected.Store(&err)
			}
		})
		if err := unexpected.Load(); err != nil {
			t.Fatal(*err)
		}
		for i, part := range w.parts(t, e.ID) {
			if i != 3 {
				require.Equal(t, "APPROVED", part)
				require.Equal(t, end, w.end(t, records[i]))
			}
		}
	}
	w.requireConsistent(t)
}

// TestTheContractSeesNoExtensions in any of its lists, counts and objects.
func TestTheContractSeesNoExtensions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	records := w.people(t, 2)
	request := w.request(t, "will")
	e := w.extend(t, laterEnd(), records...)
	all := policy.Reach{All: true}
	for _, reach := range []policy.Reach{all, {ManagedBy: w.owner.ID}} {
		for _, where := range []*string{nil, new(`created ge "2000-01-01"`)} {
			q, err := filter.Params{Filters: where, Count: new(true)}.Judge(filter.Requests)
			require.NoError(t, err)
			requests, count, err := w.ListRequests(t.Context(), reach, q)
			require.NoError(t, err)
			require.Len(t, requests, 1)
			require.Equal(t, 1, count)
		}
		sum, err := w.SummarizeRequests(t.Context(), reach)
		require.NoError(t, err)
		require.Equal(t, lifecycle.RequestSummary{Pending: 1, Records: 2}, sum)
	}
	for _, reach := range []policy.Reach{all, {AssignedTo: w.approvers[0].ID}} {
		q, err := filter.Params{Count: new(true)}.Judge(filter.Approvals)
		require.NoError(t, err)
		items, count, err := w.ListApprovals(t.Context(), reach, q)
		require.NoError(t, err)
		require.Len(t, items, count)
		for _, item := range items {
			require.Equal(t, request.ID, item.RequestID)
			require.False(t, item.Extension)
		}
		sum, err := w.SummarizeApprovals(t.Context(), reach)
		require.NoError(t, err)
		require.Equal(t, 1, sum.Pending)
	}
	_, _, err := w.GetRequest(t.Context(), e.ID, lifecycle.ID{})
	requireKind(t, lifecycle.KindNotFound, err)
	requireKind(t, lifecycle.KindNotFound, w.DeleteRequest(t.Context(), e.ID))
	_, _, err = w.GetExtension(t.Context(), request.ID, lifecycle.ID{})
	requireKind(t, lifecycle.KindNotFound, err)
	requireKind(t, lifecycle.KindNotFound, w.CancelExtension(t.Context(), request.ID))
	item, rel, err := w.GetApproval(t.Context(), e.Items[0].ID, w.approvers[0].ID)
	require.NoError(t, err)
	require.True(t, item.Extension)
	require.True(t, rel.Approver)
	w.requireConsistent(t)

	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM extension_records"))
	endings, err := w.WorkflowEndings(t.Context(), 10)
	require.NoError(t, err)
	require.Contains(t, endings, e.ID)
}

// TestExtensionsAreListedForThoseTheyConcern: who manages the source, who asked and
// who decides.
func TestExtensionsAreListedForThoseTheyConcern(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	records := w.people(t, 3)
	asked := w.newExtension(laterEnd())
	asked.Requester = w.outsider.ID
	first, err := w.AcceptExtension(t.Context(), asked, targets(asked.EndDate, records[0]), nil)
	require.NoError(t, err)
	second := w.extend(t, laterEnd(), records[1:]...)
	for name, c := range map[string]struct {
		reach policy.Reach
		want  []lifecycle.ID
	}{
		"everything":   {policy.Reach{All: true}, []lifecycle.ID{first.ID, second.ID}},
		"manages":      {policy.Reach{ManagedBy: w.owner.ID}, []lifecycle.ID{first.ID, second.ID}},
		"asked":        {policy.Reach{ManagedBy: w.outsider.ID}, []lifecycle.ID{first.ID}},
		"decides last": {policy.Reach{AssignedTo: w.approvers[1].ID}, []lifecycle.ID{first.ID, second.ID}},
		"either":       {policy.Reach{ManagedBy: w.outsider.ID, AssignedTo: w.outsider.ID}, []lifecycle.ID{first.ID}},
		"nobody":       {policy.Reach{}, nil},
	} {
		q, err := filter.Params{Count: new(true), Filters: new(`approvalStatus eq "PENDING"`)}.Judge(filter.Extensions)
		require.NoError(t, err)
		found, count, err := w.ListExtensions(t.Context(), c.reach, q)
		require.NoError(t, err, name)
		var ids []lifecycle.ID
		for _, e := range found {
			ids = append(ids, e.ID)
		}
		require.ElementsMatch(t, c.want, ids, name)
		require.Equal(t, len(c.want), count, name)
	}
	for viewer, want := range map[lifecycle.ID]policy.Relations{
		w.owner.ID: {AccountManager: true}, w.outsider.ID: {Requester: true}, w.approvers[1].ID: {Approver: true}, {}: {},
	} {
		_, rel, err := w.GetExtension(t.Context(), first.ID, viewer)
		require.NoError(t, err)
		require.Equal(t, want, rel)
	}
}

// TestADecisionKeepsTheRecordsItTakesOut: those of the first announcement, and only
// of the decision that was stored.
func TestADecisionKeepsTheRecordsItTakesOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 3)
	e := w.extend(t, laterEnd(), records...)
	d := extensionDecision(e, 0, lifecycle.VerdictApprove)
	err := w.AnnounceExtensionDecision(t.Context(), d, "", []lifecycle.ID{records[0].ID, lifecycle.MustParseID("00000000-0000-4000-8000-000000000001")})
	requireKind(t, lifecycle.KindReferenceNotFound, err)
	require.Contains(t, err.Error(), "00000000-0000-4000-8000-000000000001")
	err = w.AnnounceExtensionDecision(t.Context(), d, "", []lifecycle.ID{records[0].ID, records[1].ID, records[2].ID})
	requireKind(t, lifecycle.KindIllegalValue, err)
	stranger := d
	stranger.ItemID = lifecycle.NewID()
	requireKind(t, lifecycle.KindNotFound, w.AnnounceExtensionDecision(t.Context(), stranger, "", nil))

	abandoned := d
	abandoned.ID = lifecycle.NewID()
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), abandoned, "no", []lifecycle.ID{records[2].ID}))
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), d, "one", []lifecycle.ID{records[0].ID, records[0].ID}))
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), d, "two", []lifecycle.ID{records[1].ID}))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, d))
	require.Equal(t, []string{"REJECTED", "APPROVED", "APPROVED"}, w.parts(t, e.ID))
	require.Equal(t, "one", w.extension(t, e.ID).Items[0].Comment)
	// The same decision again is none; another one comes too late.
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), d, "one", []lifecycle.ID{records[0].ID}))
	requireKind(t, lifecycle.KindIllegalUpdate, w.AnnounceExtensionDecision(t.Context(), abandoned, "", []lifecycle.ID{records[1].ID}))
}

// BenchmarkExtension asks for a later end of all the records of a full source, and
// approves that.
func BenchmarkExtension(b *testing.B) {
	n := benchRows(b)
	schema := storetest.NewSchema(b)
	s := schema.Open(b, store.Config{})
	owner := storetest.Identity(b, s, "jane.doe")
	source := storetest.Source(b, s, "Contractors", owner.ID)
	job := stageBench(b, s, source, owner.ID, n)
	_, err := s.SealImport(b.Context(), job)
	require.NoError(b, err)
	for done := 0; done < n; {
		progress, err := s.ApplyImport(b.Context(), job, 2_000)
		require.NoError(b, err)
		done = progress.Done
	}
	end := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		end = end.AddDate(0, 0, 1)
		e := lifecycle.Extension{
			ID: lifecycle.NewID(), Source: lifecycle.SourceSummary{ID: source.ID}, Requester: owner.ID, EndDate: end, Created: storetest.Now(),
		}
		began := time.Now()
		_, err := s.AcceptExtension(b.Context(), e, nil, nil)
		require.NoError(b, err)
		accepted := time.Now()
		require.NoError(b, s.CompleteRequest(b.Context(), e.ID))
		b.ReportMetric(accepted.Sub(began).Seconds(), "accept-s")
		b.ReportMetric(time.Since(accepted).Seconds(), "apply-s")
	}
}
