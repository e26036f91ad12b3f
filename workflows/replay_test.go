package workflows

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/telemetry"
	"gatehouse/workflows/wire"
)

// recorded are the histories that the code must replay, by their folder under
// historiesDir: those of each released version, of workflows that have ended and of
// some that it left in the midst, and those that were recorded since. Each path that
// a workflow can go has one, recorded on a real server; docs/workflows.md says how.
var recorded = map[string][]string{
	"0.5/ended": {
		"approved-by-one", "approved-by-three", "approved-without-approvers", "approved-by-signal",
		"rejected-first", "rejected-second", "rejected-third", "approver-gone",
		// Those above are from before anything fell due.
		"reminded", "escalated", "timed-out", "approved-by-time", "fallen-back", "decided-before-a-timer", "decided-as-a-timer-fired",
		"request-deleted", "source-deleted", "restarted-in-the-middle", "sweep",
		// "sweep" is from before there was bulk work.
		"sweep-with-bulk",
		// "sweep-with-bulk" is from before there were absences.
		"sweep-with-absences", "absence-began-and-ended", "absence-deleted-early", "absence-taken-back",
		"imports-of-two", "imports-tried-again", "import-completed", "import-handed-over", "import-stopped", "import-gone",
		"lifecycle-sweep",
		"delivery-mailed", "delivery-posted", "delivery-given-up",
		"export-written", "export-gone", "export-cancelled", "scheduled-export", "scheduled-export-gone",
	},
	"0.5/open": {
		"waits-for-the-first", "waits-for-the-second", "waits-for-the-only-one", "waits-for-a-reminder", "was-reminded",
		"waits-for-an-escalation", "with-a-deputy", "extension", "absence", "imports", "import", "export", "delivery",
	},
}

const (
	historiesDir = "testdata/histories"
	releasedDir  = "../store/testdata/released"
)

// TestReleasedHistoriesStayAsTheyAre: what a version left behind is replayed as it was,
// for each version that was released.
func TestReleasedHistoriesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	versions, err := os.ReadDir(releasedDir)
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	for _, version := range versions {
		require.NotEmpty(t, recorded[version.Name()+"/open"], "what %s left open is replayed", version.Name())
		text, err := os.ReadFile(filepath.Join(releasedDir, version.Name(), "histories.sha256"))
		require.NoError(t, err)
		want, is := map[string]string{}, map[string]string{}
		for line := range strings.Lines(string(text)) {
			sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
			want[file] = sum
		}
		root := filepath.Join(historiesDir, version.Name())
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			file, err := filepath.Rel(root, path)
			is[filepath.ToSlash(file)] = fmt.Sprintf("%x", sha256.Sum256(content))
			return err
		}))
		require.Equal(t, want, is, "%s was released", version.Name())
	}
}

func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	tracing, err := telemetry.NewTracing(t.Context(), telemetry.TraceOptions{
		Program: "worker", Sampler: "always_off", Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { tracing.Close(context.Background()) })
	interceptors, err := tracing.Interceptors()
	require.NoError(t, err)
	var traced []interceptor.WorkerInterceptor
	for _, each := range interceptors {
		traced = append(traced, each.(interceptor.WorkerInterceptor))
	}
	require.NotEmpty(t, traced)
	var wanted, found []string
	for folder, paths := range recorded {
		for _, path := range paths {
			wanted = append(wanted, folder+"/"+path)
		}
	}
	require.NoError(t, filepath.WalkDir(historiesDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(historiesDir, strings.TrimSuffix(path, ".json"))
		found = append(found, filepath.ToSlash(relative))
		return err
	}))
	require.ElementsMatch(t, wanted, found, "every history is replayed, and none is missing")
	for _, path := range wanted {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(t, readHistory(t, path)))
			// Traces are in headers, which are none of the commands that have to fit.
			require.NoError(t, replay(t, readHistory(t, path), traced...))
		})
	}
}

// TestOpenHistoriesAreOpen holds that what a version left in the midst of its way
// was: a history that has ended says nothing about what goes on.
func TestOpenHistoriesAreOpen(t *testing.T) {
	t.Parallel()
	for folder, paths := range recorded {
		if !strings.HasSuffix(folder, "/open") {
			continue
		}
		for _, path := range paths {
			history, err := client.HistoryFromJSON(strings.NewReader(readHistory(t, folder+"/"+path)), client.HistoryJSONOptions{})
			require.NoError(t, err)
			last := history.GetEvents()[len(history.GetEvents())-1].GetEventType().String()
			require.False(t, strings.HasPrefix(last, "WorkflowExecution") && last != "WorkflowExecutionSignaled", "%s ends with %s", path, last)
		}
	}
}

// TestAHistoryThatDoesNotFitIsRefused proves that the replay can fail.
func TestAHistoryThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	text := readHistory(t, "0.5/ended/approved-by-one")
	other := strings.ReplaceAll(text, `"Notify"`, `"Another"`)
	require.NotEqual(t, text, other)
	require.Error(t, replay(t, other))
}

func readHistory(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(historiesDir, path+".json"))
	require.NoError(t, err)
	return string(text)
}

// replay runs the workflow of a history against it, under the id that it had:
// a request's workflow knows its request by it.
func replay(t *testing.T, text string, interceptors ...interceptor.WorkerInterceptor) error {
	t.Helper()
	history, err := client.HistoryFromJSON(strings.NewReader(text), client.HistoryJSONOptions{})
	require.NoError(t, err)
	started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{Interceptors: interceptors})
	require.NoError(t, err)
	w := &Workflows{}
	replayer.RegisterWorkflowWithOptions(w.RequestWorkflow, workflow.RegisterOptions{Name: wire.WorkflowRequest})
	replayer.RegisterWorkflowWithOptions(w.SweepWorkflow, workflow.RegisterOptions{Name: wire.WorkflowSweep})
	replayer.RegisterWorkflowWithOptions(w.LifecycleSweepWorkflow, workflow.RegisterOptions{Name: wire.WorkflowLifecycleSweep})
	replayer.RegisterWorkflowWithOptions(w.ImportsWorkflow, workflow.RegisterOptions{Name: wire.WorkflowImports})
	replayer.RegisterWorkflowWithOptions(w.ImportWorkflow, workflow.RegisterOptions{Name: wire.WorkflowImport})
	replayer.RegisterWorkflowWithOptions(w.ExportWorkflow, workflow.RegisterOptions{Name: wire.WorkflowExport})
	replayer.RegisterWorkflowWithOptions(w.ScheduledExportWorkflow, workflow.RegisterOptions{Name: wire.WorkflowScheduledExport})
	replayer.RegisterWorkflowWithOptions(w.AbsenceWorkflow, workflow.RegisterOptions{Name: wire.WorkflowAbsence})
	replayer.RegisterWorkflowWithOptions(w.DeliveryWorkflow, workflow.RegisterOptions{Name: wire.WorkflowDelivery})
	silent := temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	return replayer.ReplayWorkflowHistoryWithOptions(silent, history, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	})
}
