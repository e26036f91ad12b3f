package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// recordVariable names the directory that TestRecordHistories writes to.
const recordVariable = "GATEHOUSE_TEST_RECORD"

// TestRecordHistories writes a history of each path a workflow can take, for
// the replay test of package workflows. It does so only where it is told where
// to; docs/workflows.md says when that is.
func TestRecordHistories(t *testing.T) {
	dir := os.Getenv(recordVariable)
	if dir == "" {
		t.Skip(recordVariable + " is not set")
	}
	three := []string{"approver.one", "approver.two", "approver.three"}
	decide := func(request object, verdicts ...string) {
		t.Helper()
		for i, verdict := range verdicts {
			as(t, three[i]).post("/non-employee-approvals/"+request.items()[i].id()+"/"+verdict, object{"comment": "x"}).want(200)
		}
	}
	record := func(name string, request object) {
		t.Helper()
		awaitEnd(t, request.id())
		writeHistory(t, filepath.Join(dir, name+".json"), "request/"+request.id(), "")
	}

	one, all, none := newSource(t, three[0]), newSource(t, three...), newSource(t)
	request := ask(t, one)
	decide(request, "approve")
	record("approved-by-one", request)

	request = ask(t, all)
	decide(request, "approve", "approve", "approve")
	record("approved-by-three", request)

	record("approved-without-approvers", ask(t, none))

	for stage, name := range []string{"rejected-first", "rejected-second", "rejected-third"} {
		request = ask(t, all)
		verdicts := []string{"approve", "approve", "approve"}[:stage]
		decide(request, append(verdicts, "reject")...)
		record(name, request)
	}

	request = ask(t, all)
	awaitRunning(t, request.id())
	as(t, "admin").delete("/non-employee-requests/" + request.id()).want(204)
	record("request-deleted", request)

	gone := newSource(t, three[0])
	request = ask(t, gone)
	awaitRunning(t, request.id())
	as(t, "admin").delete("/non-employee-sources/" + gone.id()).want(204)
	record("source-deleted", request)

	request = ask(t, all)
	decide(request, "approve")
	stack.terminate(t, request.id())
	as(t, three[1]).post("/non-employee-approvals/"+request.items()[1].id()+"/approve", object{}).want(200)
	as(t, three[2]).post("/non-employee-approvals/"+request.items()[2].id()+"/approve", object{}).want(200)
	record("restarted-in-the-middle", request)

	request = ask(t, one)
	awaitRunning(t, request.id())
	item := request.items()[0].id()
	stack.signal(t, request.id(), "approve", `"not an object"`)
	stack.signalObject(t, request.id(), "reject", object{"itemId": item, "approverId": identityID(t, "outsider")})
	stack.signalObject(t, request.id(), "approve", object{"itemId": item, "approverId": identityID(t, three[0])})
	record("approved-by-signal", request)

	request = ask(t, newSource(t, three[2]))
	awaitRunning(t, request.id())
	stack.execute(t, `UPDATE identities SET active = false WHERE alias = 'approver.three'`)
	t.Cleanup(func() { stack.execute(t, `UPDATE identities SET active = true WHERE alias = 'approver.three'`) })
	eventually(t, "the request is cancelled", func() bool {
		return readRequest(t, request.id()).text("approvalStatus") == "CANCELLED"
	})
	record("approver-gone", request)

	for name, workflow := range map[string]string{"sweep-with-absences": "SweepWorkflow", "lifecycle-sweep": "LifecycleSweepWorkflow"} {
		page, err := stack.temporal.ListWorkflow(patience(t), &workflowservice.ListWorkflowExecutionsRequest{
			PageSize: 1, Query: `WorkflowType = "` + workflow + `" AND ExecutionStatus = "Completed"`,
		})
		require.NoError(t, err)
		require.NotEmpty(t, page.GetExecutions())
		sweep := page.GetExecutions()[0].GetExecution()
		writeHistory(t, filepath.Join(dir, name+".json"), sweep.GetWorkflowId(), sweep.GetRunId())
	}
}

func writeHistory(t *testing.T, path, id, run string) {
	t.Helper()
	var history historypb.History
	events := stack.temporal.GetWorkflowHistory(patience(t), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	text, err := protojson.MarshalOptions{Multiline: true, Indent: " "}.Marshal(&history)
	require.NoError(t, err)
	// A worker's identity names its process and machine, its own queue the machine.
	text = regexp.MustCompile(`"(\d+@[^"]*|[^":/]+:[0-9a-f-]{36})"`).ReplaceAll(text, []byte(`"recorded"`))
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
}
