package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// TestRecordHistoriesOfWhatFallsDue is TestRecordHistories for the steps of an
// approval policy. Time is shortened by the rows: each timer is set for the few
// seconds that are left.
func TestRecordHistoriesOfWhatFallsDue(t *testing.T) {
	dir := os.Getenv(recordVariable)
	if dir == "" {
		t.Skip(recordVariable + " is not set")
	}
	record := func(name string, request object) {
		t.Helper()
		awaitEnd(t, request.id())
		require.Positive(t, eventsOf(t, request, enumspb.EVENT_TYPE_TIMER_STARTED)+eventsOf(t, request, enumspb.EVENT_TYPE_MARKER_RECORDED))
		writeHistory(t, filepath.Join(dir, name+".json"), "request/"+request.id(), "")
	}
	begin := func(parts object, approvers ...string) object {
		t.Helper()
		source := newSource(t, approvers...)
		under(t, source, parts)
		request := ask(t, source)
		awaitRunning(t, request.id())
		return request
	}
	decide := func(alias string, request object, verdict string) {
		t.Helper()
		as(t, alias).post("/non-employee-approvals/"+request.items()[0].id()+"/"+verdict, object{"comment": "x"}).want(200)
	}
	reminders := object{"reminderConfig": reminderAfter(3)}
	timeout := func(result string) object {
		return object{"timeoutConfig": object{"enabled": true, "daysUntilTimeout": 10, "timeoutResult": result}}
	}

	request := begin(reminders, "approver.one")
	age(t, request, "3 days -2 seconds")
	eventually(t, "a reminder", func() bool { return outbox(t, request, "reminder") == 1 })
	age(t, request, "3 days -2 seconds")
	eventually(t, "another", func() bool { return outbox(t, request, "reminder") == 2 })
	decide("approver.one", request, "approve")
	record("reminded", request)

	request = begin(object{"reminderConfig": reminderAfter(3), "escalationConfig": escalationAfter(t, 4)}, "approver.one", "approver.two")
	age(t, request, "4 days -2 seconds")
	eventually(t, "an escalation", func() bool { return outbox(t, request, "escalated") == 2 })
	decide("approver.three", request, "reject")
	record("escalated", request)

	request = begin(timeout("EXPIRED"), "approver.one")
	age(t, request, "10 days -2 seconds")
	record("timed-out", request)

	request = begin(timeout("APPROVED"), "approver.one", "approver.two")
	age(t, request, "10 days -2 seconds")
	eventually(t, "the second is asked", func() bool { return outbox(t, request, "decision_needed") == 2 })
	age(t, request, "10 days -2 seconds")
	record("approved-by-time", request)

	request = begin(object{"fallbackApprover": object{"identityType": "IDENTITY", "identityId": identityID(t, "approver.three")}}, "approver.two")
	t.Cleanup(func() { stack.execute(t, `UPDATE identities SET active = true WHERE alias = 'approver.two'`) })
	stack.execute(t, `UPDATE identities SET active = false WHERE alias = 'approver.two'`)
	stack.signal(t, request.id(), "nudge", "null")
	eventually(t, "the fallback has it", func() bool { return outbox(t, request, "reassigned") == 2 })
	decide("approver.three", request, "approve")
	record("fallen-back", request)
	stack.execute(t, `UPDATE identities SET active = true WHERE alias = 'approver.two'`)

	request = begin(reminders, "approver.one")
	eventually(t, "a timer runs", func() bool { return eventsOf(t, request, enumspb.EVENT_TYPE_TIMER_STARTED) > 0 })
	decide("approver.one", request, "approve")
	record("decided-before-a-timer", request)

	// Both wait for the worker.
	request = begin(timeout("EXPIRED"), "approver.one")
	age(t, request, "10 days -5 seconds")
	eventually(t, "the timer runs", func() bool { return eventsOf(t, request, enumspb.EVENT_TYPE_TIMER_STARTED) > 1 })
	stack.pauseWorker(t)
	stack.signalObject(t, request.id(), "approve", object{
		"itemId": request.items()[0].id(), "approverId": identityID(t, "approver.one"),
	})
	eventually(t, "the timer fires", func() bool { return eventsOf(t, request, enumspb.EVENT_TYPE_TIMER_FIRED) > 0 })
	stack.resumeWorker(t)
	record("decided-as-a-timer-fired", request)
}

// eventsOf counts the events of a type in the history of the request's last run.
func eventsOf(t *testing.T, request object, of enumspb.EventType) (n int) {
	t.Helper()
	events := stack.temporal.GetWorkflowHistory(patience(t), "request/"+request.id(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		if event.GetEventType() == of {
			n++
		}
	}
	return n
}
