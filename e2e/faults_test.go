package e2e_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// TestTemporalAway: requests are accepted while Temporal is away, and their
// workflows run and tell the first approver once it is back, with nobody doing
// anything.
func TestTemporalAway(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	stack.hurryAPI(t)
	stack.stopTemporal(t)
	var requests []object
	for range 20 {
		requests = append(requests, ask(t, source))
	}
	approve(t, "approver.one", requests[0].items()[0]).want(http.StatusServiceUnavailable)
	stack.startTemporal(t)
	for _, request := range requests {
		awaitRunning(t, request.id())
		awaitTold(t, "decision_needed", request, request.items()[0])
	}
	decideUntilDone(t, requests[0])
}

// TestDeletingNeedsOnlyPostgres removes a source with 500 pending requests
// while Temporal is away; its workflows end once it is back.
func TestDeletingNeedsOnlyPostgres(t *testing.T) {
	source := newSource(t, "approver.one")
	first := ask(t, source)
	ids := make([]string, 150)
	ids[0] = first.id()
	var asking sync.WaitGroup
	for piece := range slices.Chunk(ids[1:], 50) {
		asking.Go(func() {
			for i := range piece {
				piece[i] = ask(t, source).id()
			}
		})
	}
	asking.Wait()
	stack.stopTemporal(t)
	as(t, "admin").delete("/non-employee-sources/" + source.id()).want(204)
	as(t, "admin").get("/non-employee-requests/" + first.id()).want(404)
	stack.startTemporal(t)
	// Asked one by one: a search finds a workflow only after its first task.
	bySweep(t, "the workflows end", func() bool {
		ids = slices.DeleteFunc(ids, func(id string) bool { return !stack.running(t, id) })
		return len(ids) == 0
	})
	eventually(t, "nothing is left to end", func() bool {
		return stack.count(t, `SELECT count(*) FROM workflow_endings`) == 0
	})
}

// TestWorkerDown: the API answers 503 with Retry-After within bounds, and a
// repeat after the worker is back gives the stored outcome.
func TestWorkerDown(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	path := "/non-employee-approvals/" + request.items()[0].id() + "/approve"
	approver := as(t, "approver.one")
	stack.hurryAPI(t)
	stack.killWorker(t)
	begin := time.Now()
	refused := approver.post(path, object{"comment": "First " + marker}, "Idempotency-Key", "k").want(http.StatusServiceUnavailable)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.Less(t, time.Since(begin), 20*time.Second)
	require.NotContains(t, refused.errorText(), "failed")
	stack.startWorker(t)
	eventually(t, "the repeat gets the outcome", func() bool {
		return approver.post(path, object{"comment": "Second " + marker}, "Idempotency-Key", "k").status == 200
	})
	decideUntilDone(t, request)
	done := readRequest(t, request.id())
	require.Equal(t, "First "+marker, done.items()[0].text("comment"), "one key is one decision, with the comment it came with")
	require.Len(t, recordsOf(t, source), 1)
}

// TestWorkerKilledBetweenApprovals changes nothing in the outcome.
func TestWorkerKilledBetweenApprovals(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	request := ask(t, source)
	approve(t, "approver.one", request.items()[0]).want(200)
	stack.killWorker(t)
	stack.startWorker(t)
	decideUntilDone(t, request)
	require.Len(t, recordsOf(t, source), 1)
}

// commitUnheard has the approver approve the item, in a transaction that commits
// while Temporal stands still: the rows have the verdict, and the workflow task
// can't be answered. The channel gets the status of the API's answer, 0 if there
// is none.
func commitUnheard(t *testing.T, alias string, item object) <-chan int {
	t.Helper()
	held := stack.holdItem(t, item.id())
	answered := approveBlocked(t, alias, item, held)
	stack.pauseTemporal(t)
	held.release()
	eventually(t, "the decision is committed", func() bool {
		return stack.count(t, `SELECT count(*) FROM approval_items WHERE id = $1 AND status = 'APPROVED'`, item.id()) == 1
	})
	return answered
}

// TestWorkerKilledAfterItsCommit: everybody is told once, the first approver
// before the crash, the second one by the run that goes on from the rows.
func TestWorkerKilledAfterItsCommit(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	request := ask(t, source)
	awaitRunning(t, request.id())
	item, next := request.items()[0], request.items()[1]
	// An item that is decided before its approver was told needs no telling any
	// more, so the crash has to wait for it.
	awaitTold(t, "decision_needed", request, item)

	answered := commitUnheard(t, "approver.one", item)
	stack.killWorker(t)
	stack.resumeTemporal(t)
	stack.startWorker(t)
	require.Equal(t, 200, <-answered, "the row is the verdict")

	approve(t, "approver.one", item).want(200)
	awaitTold(t, "decision_needed", request, next)
	decideUntilDone(t, request)
	require.Len(t, recordsOf(t, source), 1)
	require.Equal(t, 1, told(t, "decision_needed", request, item))
	require.Equal(t, 1, told(t, "decision_needed", request, next))
	require.Equal(t, 1, told(t, "request_decided", request, nil))
}

// TestAllKilledAfterACommit: worker, API and Temporal die before the workflow
// task of a decision is answered. Nobody asks again, and Temporal knows of
// nothing that has to be done; the sweep finds that the rows moved.
func TestAllKilledAfterACommit(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	request := ask(t, source)
	item, next := request.items()[0], request.items()[1]
	awaitTold(t, "decision_needed", request, item)
	dieAfter := func(alias string, item object) {
		t.Helper()
		answered := commitUnheard(t, alias, item)
		require.NoError(t, stack.Temporal.Kill())
		stack.killWorker(t)
		stack.killAPI(t)
		require.NotEqual(t, 200, <-answered)
		stack.startTemporal(t)
		stack.startWorker(t)
		stack.startAPI(t)
	}

	dieAfter("approver.one", item)
	bySweep(t, "the next approver is told", func() bool { return told(t, "decision_needed", request, next) == 1 })
	dieAfter("approver.two", next)
	bySweep(t, "the requester is told", func() bool { return told(t, "request_decided", request, nil) == 1 })
	awaitEnd(t, request.id())
	require.Equal(t, "APPROVED", readRequest(t, request.id()).text("approvalStatus"))
	require.Len(t, recordsOf(t, source), 1)
	require.Equal(t, 1, told(t, "decision_needed", request, item))
	require.Equal(t, 1, told(t, "decision_needed", request, next))
	eventually(t, "the sweep leaves it alone", func() bool {
		return stack.count(t, `SELECT count(*) FROM requests WHERE id = $1 AND workflow_seen_at >= modified`, request.id()) == 1
	})
}

// approveBlocked has the approver approve an item whose row is held, and returns
// when the decision waits for it. The channel gets the status of
// the answer, 0 if there is none.
func approveBlocked(t *testing.T, alias string, item object, held *hold) <-chan int {
	t.Helper()
	answered := make(chan int, 1)
	approver := as(t, alias)
	go func() {
		a, err := approver.try(http.MethodPost, "/non-employee-approvals/"+item.id()+"/approve", object{})
		if err != nil {
			answered <- 0
			return
		}
		answered <- a.status
	}()
	held.await(t)
	return answered
}

// TestTheAPIFinishesWhatItHasBegun: told to stop it takes no new calls, answers
// the one that it has, and ends well.
func TestTheAPIFinishesWhatItHasBegun(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	awaitRunning(t, request.id())
	item := request.items()[0]
	stack.killAPI(t)
	end := stack.startWith(t, "api", stack.API[0], nil)

	held := stack.holdItem(t, item.id())
	answered := approveBlocked(t, "approver.one", item, held)
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	eventually(t, "the API takes no calls", func() bool {
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", stack.API[0].Address())
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
	held.release()
	require.Equal(t, 200, <-answered)
	require.NoError(t, <-ended)

	stack.startAPI(t)
	require.Equal(t, "APPROVED", readRequest(t, request.id()).text("approvalStatus"))
}

// TestTheWorkerFinishesWhatItHasBegun: told to stop it carries out the decision
// that it has, and ends well.
func TestTheWorkerFinishesWhatItHasBegun(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	awaitRunning(t, request.id())
	item := request.items()[0]
	awaitTold(t, "decision_needed", request, item)
	stack.killWorker(t)
	end := stack.startWith(t, "worker", stack.Worker[0], nil)

	stops := func() int {
		return strings.Count(stack.logs(t, stack.Worker), `"msg":"stopping"`)
	}
	before := stops()
	held := stack.holdItem(t, item.id())
	answered := approveBlocked(t, "approver.one", item, held)
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	eventually(t, "the worker is stopping", func() bool { return stops() > before })
	held.release()
	require.NoError(t, <-ended)
	require.Equal(t, 1, stack.count(t, `SELECT count(*) FROM approval_items WHERE id = $1 AND status = 'APPROVED'`, item.id()),
		"the verdict is stored before another worker is there")

	stack.startWorker(t)
	require.Equal(t, 200, <-answered)
	decideUntilDone(t, request)
	require.Len(t, recordsOf(t, source), 1)
}

// told counts the notifications of an event; item is nil for one about the
// whole request.
func told(t *testing.T, event string, request, item object) int {
	t.Helper()
	about := item.id()
	if item == nil {
		about = lifecycle.ID{}.String()
	}
	return stack.count(t, `SELECT count(*) FROM notifications WHERE event = $1 AND request_id = $2 AND item_id = $3`,
		event, request.id(), about)
}

func awaitTold(t *testing.T, event string, request, item object) {
	t.Helper()
	eventually(t, event+" is told", func() bool { return told(t, event, request, item) == 1 })
}

// TestAWorkflowTerminatedByHand goes on where the rows are, by the next
// decision and by the sweep.
func TestAWorkflowTerminatedByHand(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	decided, swept := ask(t, source), ask(t, source)
	for _, request := range []object{decided, swept} {
		approve(t, "approver.one", request.items()[0]).want(200)
		stack.terminate(t, request.id())
	}
	approve(t, "approver.two", decided.items()[1]).want(200)
	require.Equal(t, "APPROVED", readRequest(t, decided.id()).text("approvalStatus"))
	awaitRunning(t, swept.id())
	decideUntilDone(t, swept)
	require.Len(t, recordsOf(t, source), 2)
}

// TestTemporalLosesEverything goes on from the rows alone.
func TestTemporalLosesEverything(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	request, swept := ask(t, source), ask(t, source)
	approve(t, "approver.one", request.items()[0]).want(200)
	stack.deleteWorkflow(t, request.id())
	stack.deleteWorkflow(t, swept.id())
	approve(t, "approver.two", request.items()[1]).want(200)
	awaitRunning(t, swept.id())
	decideUntilDone(t, swept)
	require.Len(t, recordsOf(t, source), 2)
}

// TestPostgresAway: the API says so with 503 and heals by itself.
func TestPostgresAway(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	stack.stopPostgres(t)
	as(t, "admin").get("/non-employee-sources").want(http.StatusServiceUnavailable)
	stack.startPostgres(t)
	eventually(t, "the API reads again", func() bool {
		return as(t, "admin").get("/non-employee-requests/"+request.id()).status == 200
	})
	decideUntilDone(t, request)
}

// decideUntilDone has every approver approve, again where the answer was 503,
// and checks that the request ends APPROVED.
func decideUntilDone(t *testing.T, request object) {
	t.Helper()
	aliases := map[string]string{}
	for _, alias := range []string{"approver.one", "approver.two", "approver.three"} {
		aliases[identityID(t, alias)] = alias
	}
	for _, item := range request.items() {
		approver := object(item["approver"].(map[string]any)).id()
		eventually(t, "the decision is taken", func() bool {
			status := approve(t, aliases[approver], item).status
			require.Contains(t, []int{200, http.StatusServiceUnavailable}, status)
			return status == 200
		})
	}
	require.Equal(t, "APPROVED", readRequest(t, request.id()).text("approvalStatus"))
	awaitEnd(t, request.id())
}
