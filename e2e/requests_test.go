package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestApproversDecideOneAfterAnother(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two", "approver.three")
	request := ask(t, source)
	require.Equal(t, "PENDING", request.text("approvalStatus"))
	require.Equal(t, []string{"PENDING", "NOT_READY", "NOT_READY"}, request.itemStatuses())
	items := request.items()

	approve(t, "approver.two", items[1]).wantError(400, "400.1.1 Illegal update attempt", "NOT_READY")
	approve(t, "approver.two", items[0]).wantError(403, "403 Forbidden", "")
	approve(t, "admin", items[0]).wantError(403, "403 Forbidden", "")

	require.Equal(t, "APPROVED", approve(t, "approver.one", items[0]).want(200).object().text("approvalStatus"))
	require.Equal(t, []string{"APPROVED", "PENDING", "NOT_READY"}, readRequest(t, request.id()).itemStatuses())
	approve(t, "approver.two", items[1]).want(200)
	require.Empty(t, recordsOf(t, source))
	last := approve(t, "approver.three", items[2]).want(200).object()
	require.Equal(t, "Fine "+marker, last.text("comment"))

	done := readRequest(t, request.id())
	require.Equal(t, "APPROVED", done.text("approvalStatus"))
	require.NotEmpty(t, done.text("completionDate"))
	records := recordsOf(t, source)
	require.Len(t, records, 1)
	require.Equal(t, request.text("accountName"), records[0].text("accountName"))

	repeat := approve(t, "approver.three", items[2]).want(200).object()
	require.Equal(t, last, repeat, "a repeat gets the item as stored")
	as(t, "approver.three").post("/non-employee-approvals/"+items[2].id()+"/reject", object{"comment": "Late"}).
		wantError(400, "400.1.1 Illegal update attempt", "APPROVED")
	awaitEnd(t, request.id())
}

func TestARejectionEndsTheRequest(t *testing.T) {
	for stage, alias := range []string{"approver.one", "approver.two", "approver.three"} {
		source := newSource(t, "approver.one", "approver.two", "approver.three")
		request := ask(t, source)
		want := []string{"CANCELLED", "CANCELLED", "CANCELLED"}
		for i, earlier := range []string{"approver.one", "approver.two", "approver.three"}[:stage] {
			approve(t, earlier, request.items()[i]).want(200)
			want[i] = "APPROVED"
		}
		want[stage] = "REJECTED"
		reject := "/non-employee-approvals/" + request.items()[stage].id() + "/reject"
		as(t, alias).post(reject, object{}).wantError(400, "400.1.0 Required Data Missing Or Empty", "comment")
		as(t, alias).post(reject, object{"comment": strings.Repeat("x", 4001)}).wantError(400, "400.1.4 Limit violation", "4000")
		as(t, alias).post(reject, object{"comment": "No " + marker}).want(200)
		done := readRequest(t, request.id())
		require.Equal(t, "REJECTED", done.text("approvalStatus"))
		require.Equal(t, want, done.itemStatuses())
		require.Empty(t, recordsOf(t, source))

		again := person(source)
		again["accountName"] = request.text("accountName")
		as(t, "jane.doe").post("/non-employee-requests", again).want(200)
		awaitEnd(t, request.id())
	}
}

func TestARequestWithoutApproversIsApprovedAtOnce(t *testing.T) {
	source := newSource(t)
	request := ask(t, source)
	// The answer waits 2 s for that (contract §4), which a busy machine may need.
	eventually(t, "it is approved", func() bool {
		return readRequest(t, request.id()).text("approvalStatus") == "APPROVED"
	})
	require.Len(t, recordsOf(t, source), 1)
}

// TestTwoDecidersAtOnce has the same approver approve and reject in the same
// moment: one verdict is stored, the other is refused.
func TestTwoDecidersAtOnce(t *testing.T) {
	source := newSource(t, "approver.one")
	for range 8 {
		request := ask(t, source)
		item := request.items()[0]
		approver := as(t, "approver.one")
		var group sync.WaitGroup
		statuses := make([]int, 2)
		for i, verdict := range []string{"approve", "reject"} {
			group.Go(func() {
				a, err := approver.try(http.MethodPost, "/non-employee-approvals/"+item.id()+"/"+verdict, object{"comment": "At once " + marker})
				if err == nil {
					statuses[i] = a.status
				}
			})
		}
		group.Wait()
		require.ElementsMatch(t, []int{200, 400}, statuses)
		done := readRequest(t, request.id())
		if statuses[0] == 200 {
			require.Equal(t, "APPROVED", done.text("approvalStatus"))
		} else {
			require.Equal(t, "REJECTED", done.text("approvalStatus"))
		}
	}
}

func TestTheSameDecisionManyTimesAtOnceIsOne(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	approver := as(t, "approver.one")
	var group sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		group.Go(func() {
			a, err := approver.try(http.MethodPost, "/non-employee-approvals/"+request.items()[0].id()+"/approve", object{}, "Idempotency-Key", "k1")
			if err == nil {
				statuses[i] = a.status
			}
		})
	}
	group.Wait()
	for _, status := range statuses {
		require.Equal(t, 200, status)
	}
	require.Len(t, recordsOf(t, source), 1)
}

// TestADecisionIsKnownByItsKey holds what contract §3 says of Idempotency-Key.
func TestADecisionIsKnownByItsKey(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	decide := func(t *testing.T, alias string, item object, verdict, comment, key string) answer {
		t.Helper()
		var headers []string
		if key != "" {
			headers = []string{"Idempotency-Key", key}
		}
		return as(t, alias).post("/non-employee-approvals/"+item.id()+"/"+verdict, object{"comment": comment}, headers...)
	}
	const illegal = "400.1.1 Illegal update attempt"

	t.Run("the same approver's same verdict gets the item as stored, whatever its key", func(t *testing.T) {
		request := ask(t, source)
		item := request.items()[0]
		stored := decide(t, "approver.one", item, "approve", "First "+marker, "key").want(200).object()
		require.Equal(t, "APPROVED", stored.text("approvalStatus"))
		require.Equal(t, "First "+marker, stored.text("comment"))
		for _, key := range []string{"key", "another key", ""} {
			require.Equal(t, stored, decide(t, "approver.one", item, "approve", "Second "+marker, key).want(200).object(), "key %q", key)
		}
		require.Equal(t, []string{"APPROVED", "PENDING"}, readRequest(t, request.id()).itemStatuses())
	})
	t.Run("the other verdict is refused, whatever its key", func(t *testing.T) {
		for verdict, other := range map[string]string{"approve": "reject", "reject": "approve"} {
			item := ask(t, source).items()[0]
			stored := decide(t, "approver.one", item, verdict, "First "+marker, "key").want(200).object()
			for _, key := range []string{"key", "another key", ""} {
				decide(t, "approver.one", item, other, "Second "+marker, key).wantError(400, illegal, stored.text("approvalStatus"))
			}
			require.Equal(t, stored, decide(t, "approver.one", item, verdict, "Third "+marker, "key").want(200).object())
		}
	})
	t.Run("what was refused under a key may be decided under it later", func(t *testing.T) {
		request := ask(t, source)
		first, second := request.items()[0], request.items()[1]
		decide(t, "approver.two", second, "approve", "Early "+marker, "key").wantError(400, illegal, "NOT_READY")
		decide(t, "approver.two", first, "approve", "Not mine "+marker, "key").wantError(403, "403 Forbidden", "")
		decide(t, "approver.one", first, "approve", "Mine "+marker, "key").want(200)
		last := decide(t, "approver.two", second, "approve", "In time "+marker, "key").want(200).object()
		require.Equal(t, "In time "+marker, last.text("comment"))
		require.Equal(t, "APPROVED", readRequest(t, request.id()).text("approvalStatus"))
	})
	t.Run("one key for several items is a decision for each", func(t *testing.T) {
		for range 2 {
			request := ask(t, source)
			decide(t, "approver.one", request.items()[0], "reject", "No "+marker, "key").want(200)
			require.Equal(t, "REJECTED", readRequest(t, request.id()).text("approvalStatus"))
		}
	})
	t.Run("a key that is too long is refused and decides nothing", func(t *testing.T) {
		request := ask(t, source)
		item := request.items()[0]
		decide(t, "approver.one", item, "approve", "Long "+marker, strings.Repeat("k", 256)).
			wantError(400, "400.1 Bad Request Content", "Idempotency-Key")
		require.Equal(t, []string{"PENDING", "NOT_READY"}, readRequest(t, request.id()).itemStatuses())
		decide(t, "approver.one", item, "approve", "Long "+marker, strings.Repeat("k", 255)).want(200)
	})
}

func TestDeletingAPendingRequestEndsItsWorkflow(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	as(t, "admin").delete("/non-employee-requests/" + request.id()).want(204)
	as(t, "admin").get("/non-employee-requests/"+request.id()).wantError(404, "404 Not found", "")
	awaitEnd(t, request.id())
	same := person(source)
	same["accountName"] = request.text("accountName")
	as(t, "jane.doe").post("/non-employee-requests", same).want(200)
}

func TestAnInactiveApproverCancelsTheRequest(t *testing.T) {
	source := newSource(t, "approver.three")
	request := ask(t, source)
	stack.execute(t, `UPDATE identities SET active = false WHERE alias = 'approver.three'`)
	t.Cleanup(func() { stack.execute(t, `UPDATE identities SET active = true WHERE alias = 'approver.three'`) })
	eventually(t, "the sweep cancels the request", func() bool {
		return readRequest(t, request.id()).text("approvalStatus") == "CANCELLED"
	})
	eventually(t, "the requester is told", func() bool {
		return stack.count(t, `SELECT count(*) FROM notifications
			WHERE event = 'request_cancelled' AND reason = 'approver_gone' AND request_id = $1`, request.id()) == 1
	})
	same := person(source)
	same["accountName"] = request.text("accountName")
	as(t, "admin").post("/non-employee-records", same).want(200)
}

// awaitEnd waits until no workflow of the request runs.
func awaitEnd(t *testing.T, request string) {
	t.Helper()
	eventually(t, "the workflow of the request ends", func() bool { return !stack.running(t, request) })
}

// awaitRunning waits until a workflow of the request runs.
func awaitRunning(t *testing.T, request string) {
	t.Helper()
	bySweep(t, "a workflow of the request runs", func() bool { return stack.running(t, request) })
}

func TestWhatOperatorsSeeIsOpaque(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two", "approver.three")
	request := ask(t, source)
	approve(t, "approver.one", request.items()[0]).want(200)
	eventually(t, "the current details show the stage", func() bool {
		return strings.Contains(stack.details(t, request.id()), "approval 2 of 3, waiting since "+time.Now().UTC().Format("2006-"))
	})
	eventually(t, "the search attributes find it", func() bool {
		return stack.countWorkflows(t, `GatehouseKind = "request" AND GatehouseSource = "`+source.id()+
			`" AND GatehouseStatus = "PENDING" AND GatehouseStage = "2/3"`) == 1
	})
}
