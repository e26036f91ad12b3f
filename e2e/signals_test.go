package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecidingBySignal(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	request := ask(t, source)
	awaitRunning(t, request.id())
	items := request.items()
	decision := func(item object, alias string) object {
		return object{"itemId": item.id(), "approverId": identityID(t, alias), "decisionId": "7b0e4d2c-58b4-4c4e-9a55-0f6cf6d0a001"}
	}

	refused := stack.metric(t, "gatehouse_signals_refused_total")
	stack.signal(t, request.id(), "approve", `"not an object"`)
	stack.signal(t, request.id(), "approve", `{"itemId": 5}`)
	stack.signal(t, request.id(), "approve", `{"itemId": "x", "approverId": "y"}`)
	stack.signalObject(t, request.id(), "approve", decision(items[0], "approver.two"))
	stack.signalObject(t, request.id(), "approve", decision(items[1], "approver.two"))
	stack.signalObject(t, request.id(), "reject", decision(items[0], "outsider"))
	eventually(t, "six bad signals are counted", func() bool {
		return stack.metric(t, "gatehouse_signals_refused_total") >= refused+6
	})
	require.Equal(t, []string{"PENDING", "NOT_READY"}, readRequest(t, request.id()).itemStatuses())

	stack.signalObject(t, request.id(), "approve", decision(items[0], "approver.one"))
	stack.signalObject(t, request.id(), "approve", decision(items[0], "approver.one"))
	eventually(t, "the signal decides", func() bool {
		return readRequest(t, request.id()).itemStatuses()[0] == "APPROVED"
	})
	stack.signalObject(t, request.id(), "reject", decision(items[1], "approver.two"))
	eventually(t, "the signal rejects", func() bool {
		return readRequest(t, request.id()).text("approvalStatus") == "REJECTED"
	})
	require.Equal(t, "Rejected by signal", readRequest(t, request.id()).items()[1].text("comment"))
	awaitEnd(t, request.id())
	require.Empty(t, recordsOf(t, source))
}

// TestDecidingBySignalCanBeSwitchedOff: the signals then change nothing, which
// is counted and logged, and decisions through the API go on.
func TestDecidingBySignalCanBeSwitchedOff(t *testing.T) {
	source := newSource(t, "approver.one", "approver.two")
	request := ask(t, source)
	awaitRunning(t, request.id())
	items := request.items()
	signal := func(verdict string, item object, alias, decision string) {
		stack.signalObject(t, request.id(), verdict,
			object{"itemId": item.id(), "approverId": identityID(t, alias), "decisionId": decision})
	}
	const off = `gatehouse_signals_refused_total{reason="signals_off"}`
	approval, rejection := "7b0e4d2c-58b4-4c4e-9a55-0f6cf6d0a002", "7b0e4d2c-58b4-4c4e-9a55-0f6cf6d0a003"

	stack.killWorker(t)
	stop := stack.startWorkerWith(t, map[string]string{"GATEHOUSE_SIGNAL_DECISIONS": "false"})
	require.Zero(t, stack.metric(t, off))
	signal("approve", items[0], "approver.one", approval)
	signal("reject", items[0], "approver.one", rejection)
	// Or more than once: a step may run twice.
	eventually(t, "both are counted", func() bool { return stack.metric(t, off) >= 2 })
	require.Equal(t, []string{"PENDING", "NOT_READY"}, readRequest(t, request.id()).itemStatuses())
	log := stack.logs(t, stack.Worker)
	for _, decision := range []string{approval, rejection} {
		require.Regexp(t, `"decision changed nothing".*"decision":"`+decision+`".*"outcome":"signals_off"`, log)
	}
	approve(t, "approver.one", items[0]).want(200)

	// The setting alone kept them from deciding.
	stop()
	stack.startWorker(t)
	signal("reject", items[1], "approver.two", rejection)
	eventually(t, "the signal decides", func() bool {
		return readRequest(t, request.id()).text("approvalStatus") == "REJECTED"
	})
	awaitEnd(t, request.id())
}
