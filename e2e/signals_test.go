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
