package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// recordedRows are enough that an import can be caught under way.
const recordedRows = 15_000

// TestRecordHistoriesOfBulkWork is TestRecordHistories for imports and exports.
// Paths that hang on a moment are recorded by workflows that are started here,
// about something that is gone.
func TestRecordHistoriesOfBulkWork(t *testing.T) {
	dir := os.Getenv(recordVariable)
	if dir == "" {
		t.Skip(recordVariable + " is not set")
	}
	admin := as(t, "admin")
	record := func(name, id string) {
		t.Helper()
		eventually(t, id+" has ended", func() bool { return !runs(t, id) })
		writeHistory(t, filepath.Join(dir, name+".json"), id, "")
	}
	imports := func(source object) string { return "imports/" + source.id() }
	underWay := func(source object) object {
		t.Helper()
		accepted := admin.upload(source, "", sample(t, recordedRows)).want(http.StatusAccepted).object()
		eventually(t, "the import is under way", func() bool {
			return job(t, source, accepted.id()).text("status") == "IN_PROGRESS"
		})
		return accepted
	}
	start := func(id, workflow string, in any) {
		t.Helper()
		_, err := stack.temporal.ExecuteWorkflow(patience(t),
			client.StartWorkflowOptions{ID: id, TaskQueue: wire.QueueBulk}, workflow, in)
		require.NoError(t, err)
	}

	source := newSource(t)
	first := underWay(source)
	second := admin.upload(source, "", csvHeader+csvRow("recorded."+marker)).want(http.StatusAccepted).object()
	awaitJob(t, source, first.id(), "COMPLETED")
	awaitJob(t, source, second.id(), "COMPLETED")
	record("imports-of-two", imports(source))
	record("import-completed", "import/"+first.id())

	response := admin.get("/non-employee-sources/" + source.id() + "/non-employees/download").want(http.StatusOK)
	record("export-written", "export/"+response.header.Get("X-Gatehouse-Job"))

	path := "/non-employee-sources/" + source.id() + "/non-employees/export-schedules"
	schedule := admin.post(path, object{"cron": "0 0 29 2 *", "timeZone": "UTC", "keep": 1}).want(http.StatusOK).object()
	handle := stack.temporal.ScheduleClient().GetHandle(patience(t), "export-schedule/"+schedule.id())
	require.NoError(t, handle.Trigger(patience(t), client.ScheduleTriggerOptions{}))
	var run string
	eventually(t, "the schedule has run", func() bool {
		description, err := handle.Describe(patience(t))
		require.NoError(t, err)
		if recent := description.Info.RecentActions; len(recent) > 0 {
			run = recent[0].StartWorkflowResult.WorkflowID
		}
		return run != ""
	})
	record("scheduled-export", run)
	admin.delete(path + "/" + schedule.id()).want(http.StatusNoContent)

	source = newSource(t)
	stopped := underWay(source)
	admin.post(bulkPath(source, "/jobs/"+stopped.id()+"/cancel"), nil).want(http.StatusOK)
	awaitJob(t, source, stopped.id(), "CANCELLED")
	record("import-stopped", "import/"+stopped.id())

	source = newSource(t)
	terminated := underWay(source)
	require.NoError(t, stack.temporal.TerminateWorkflow(patience(t), "import/"+terminated.id(), "", "a test"))
	awaitJob(t, source, terminated.id(), "COMPLETED")
	record("imports-tried-again", imports(source))

	source = newSource(t)
	gone := underWay(source)
	admin.delete("/non-employee-sources/" + source.id()).want(http.StatusNoContent)
	record("import-gone", "import/"+gone.id())

	stack.killWorker(t)
	stop := stack.startWorkerWith(t, nil)
	source = newSource(t)
	handed := underWay(source)
	stop()
	stack.startWorker(t)
	awaitJob(t, source, handed.id(), "COMPLETED")
	record("import-handed-over", "import/"+handed.id())

	nothing := lifecycle.NewID()
	start(wire.ExportWorkflowID(nothing), wire.WorkflowExport, wire.ExportInput{JobID: nothing, SourceID: nothing})
	record("export-gone", wire.ExportWorkflowID(nothing))
	start(wire.ExportScheduleID(nothing), wire.WorkflowScheduledExport, wire.ScheduledExportInput{ScheduleID: nothing})
	record("scheduled-export-gone", wire.ExportScheduleID(nothing))

	stack.killWorker(t)
	given := lifecycle.NewID()
	start(wire.ExportWorkflowID(given), wire.WorkflowExport, wire.ExportInput{JobID: given, SourceID: nothing})
	require.NoError(t, stack.temporal.CancelWorkflow(patience(t), wire.ExportWorkflowID(given), ""))
	stack.startWorker(t)
	record("export-cancelled", wire.ExportWorkflowID(given))
}

// runs reports whether a workflow of this id runs.
func runs(t *testing.T, id string) bool {
	t.Helper()
	answer, err := stack.temporal.DescribeWorkflowExecution(patience(t), id, "")
	require.NoError(t, err)
	return answer.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}
