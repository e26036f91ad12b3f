package e2e_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// under gives the source an approval policy; it is escalated to approver.three.
func under(t *testing.T, source object, parts object) {
	t.Helper()
	policy := object{"timeoutConfig": object{"enabled": true, "daysUntilTimeout": 30, "timeoutResult": "EXPIRED"}}
	maps.Copy(policy, parts)
	as(t, "admin").send(http.MethodPut, "/non-employee-sources/"+source.id()+"/approval-config", policy).want(200)
}

func reminderAfter(days int) object {
	return object{"enabled": true, "daysUntilFirstReminder": days, "reminderCronSchedule": "@every 72h", "maxReminders": 2}
}

func escalationAfter(t *testing.T, days int) object {
	t.Helper()
	return object{
		"enabled": true, "daysUntilFirstEscalation": days, "escalationCronSchedule": "@every 24h",
		"escalationChain": []object{{"identityType": "IDENTITY", "identityId": identityID(t, "approver.three")}},
	}
}

// age has the pending item of the request wait longer by this, an interval of
// Postgres, and its workflow read that.
func age(t *testing.T, request object, by string) {
	t.Helper()
	stack.execute(t, `UPDATE approval_items SET pending_since = pending_since - $2::interval, assigned_since = assigned_since - $2::interval
		WHERE request_id = $1 AND status = 'PENDING'`, request.id(), by)
	stack.signal(t, request.id(), "nudge", "null")
}

// outbox counts the events about the request that people are told, of one type.
func outbox(t *testing.T, request object, event string) int {
	t.Helper()
	return stack.count(t, "SELECT count(*) FROM notifications WHERE request_id = $1 AND event = $2", request.id(), event)
}

// TestWhatFellDueInAnOutageHappensOnce has the workflow of a request be lost while a
// reminder and an escalation fall due.
func TestWhatFellDueInAnOutageHappensOnce(t *testing.T) {
	source := newSource(t, "approver.one")
	under(t, source, object{"reminderConfig": reminderAfter(3), "escalationConfig": escalationAfter(t, 4)})
	request := ask(t, source)
	awaitRunning(t, request.id())
	eventually(t, "the details say what comes next", func() bool {
		return strings.Contains(stack.details(t, request.id()), "; unless somebody decides, the next is the reminder at ")
	})
	stack.terminate(t, request.id())
	stack.execute(t, `UPDATE approval_items SET pending_since = pending_since - interval '4 days', assigned_since = assigned_since - interval '4 days'
		WHERE request_id = $1`, request.id())
	bySweep(t, "the item is another's", func() bool { return outbox(t, request, "escalated") == 2 })
	require.Equal(t, 1, outbox(t, request, "reminder"))
	approve(t, "approver.one", request.items()[0]).want(403)
	approve(t, "approver.three", request.items()[0]).want(200)
	awaitEnd(t, request.id())
	require.Equal(t, "APPROVED", readRequest(t, request.id()).text("approvalStatus"))
	require.Equal(t, 1, outbox(t, request, "reminder"))
}
