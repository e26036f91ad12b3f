package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
	"gatehouse/reconcile"
)

// TestRowsAndTemporalAreBroughtInLine restores the rows to a moment that Temporal has
// left behind, and then has Temporal lose everything. What the rows say holds each
// time, and everything comes to its end.
func TestRowsAndTemporalAreBroughtInLine(t *testing.T) {
	root, err := devstack.ModuleRoot()
	require.NoError(t, err)
	programs := filepath.Join(stack.Dir(), "bin")
	require.NoError(t, devstack.Build(patience(t), root, programs, true, "admin"))
	s := another(t, devstack.Options{})
	three := newSource(t, "approver.one", "approver.two", "approver.three")
	one := newSource(t, "approver.one")
	decided := ask(t, one)
	approve(t, "approver.one", decided.items()[0]).want(200)
	// Rows that have moved within the last minute are left to their workflows. These have
	// not before any workflow reads them.
	s.killWorker(t)
	ahead, over, untouched := ask(t, three), ask(t, one), ask(t, three)
	s.settle(t)
	s.startWorker(t)
	for _, request := range []object{ahead, over, untouched} {
		awaitRunning(t, request.id())
	}
	eventually(t, "every workflow stands where the rows do", func() bool {
		return s.count(t, "SELECT count(*) FROM requests WHERE workflow_seen_at < modified") == 0
	})
	s.awaitTold(t)
	backup := filepath.Join(s.Dir(), "backup.dump")
	s.postgresProgram(t, "pg_dump", "--format=custom", "--file="+backup)

	// What happens from here on will not have happened.
	approve(t, "approver.one", ahead.items()[0]).want(200)
	approve(t, "approver.one", over.items()[0]).want(200)
	awaitEnd(t, over.id())
	undone := ask(t, three)
	awaitRunning(t, undone.id())
	absence := away(t, "approver.three", "outsider")
	schedule := as(t, "admin").post(exportPath(one, "/export-schedules"), weekly).want(200).object()
	handle := s.temporal.ScheduleClient().GetHandle(patience(t), "export-schedule/"+schedule.id())
	bySweep(t, "Temporal has the schedule", func() bool { _, err := handle.Describe(patience(t)); return err == nil })
	eventually(t, "Temporal has the absence", func() bool { return runs(t, "absence/"+absence.id()) })
	s.awaitTold(t)
	s.killAPI(t)
	s.killWorker(t)
	s.postgresProgram(t, "pg_restore", "--clean", "--if-exists", "--exit-on-error", backup)

	want := map[string]string{
		ahead.id(): reconcile.WhyAhead, over.id(): reconcile.WhyLost, undone.id(): reconcile.WhyNoRow,
		absence.id(): reconcile.WhyNoRow, schedule.id(): reconcile.WhyNoRow,
	}
	dry, ended := s.reconcile(t, programs, "--dry-run")
	require.Equal(t, want, dry, "and nothing of what stands where its rows do")
	require.Equal(t, 1, ended)
	require.True(t, runs(t, "request/"+undone.id()), "a dry run changes nothing")
	did, ended := s.reconcile(t, programs)
	require.Equal(t, want, did)
	require.Zero(t, ended)
	require.False(t, runs(t, "request/"+undone.id()))
	again, ended := s.reconcile(t, programs)
	require.Empty(t, again)
	require.Zero(t, ended)

	s.startWorker(t)
	s.startAPI(t)
	for _, request := range []object{ahead, over, untouched} {
		awaitRunning(t, request.id())
	}
	run := s.runOf(t, "request/"+untouched.id())
	// A decision of the very id that the lost one had.
	approve(t, "approver.one", ahead.items()[0]).want(200)
	require.Equal(t, "APPROVED", readRequest(t, ahead.id()).itemStatuses()[0])
	did, ended = s.reconcile(t, programs)
	require.Empty(t, did, "it disturbs nothing that runs")
	require.Zero(t, ended)
	require.Equal(t, run, s.runOf(t, "request/"+untouched.id()))
	require.Equal(t, 3, s.count(t, "SELECT count(*) FROM requests WHERE approval_status = 'PENDING'"), "and that is what runs")

	waiting := ask(t, one)
	awaitRunning(t, waiting.id())
	require.NoError(t, s.Temporal.Pause(patience(t)))
	files, err := filepath.Glob(filepath.Join(s.Dir(), "temporal", "temporal.db*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
	require.NoError(t, s.Temporal.Resume(patience(t)))
	s.settle(t)
	did, ended = s.reconcile(t, programs)
	require.Zero(t, ended)
	for _, request := range []object{ahead, over, untouched, waiting} {
		require.Equal(t, reconcile.WhyMissing, did[request.id()])
	}
	require.NotContains(t, did, decided.id())

	require.Equal(t, "APPROVED", approve(t, "approver.one", decided.items()[0]).want(200).object().text("approvalStatus"),
		"what is decided is decided")
	s.approveAll(t)
	s.requireWhole(t)
	did, ended = s.reconcile(t, programs)
	require.Empty(t, did)
	require.Zero(t, ended)
}

// awaitTold waits until no mail is under way, nor its workflow.
func (s *system) awaitTold(t *testing.T) {
	t.Helper()
	eventually(t, "everybody is told", func() bool {
		return s.count(t, "SELECT count(*) FROM notifications WHERE relayed IS NULL")+s.count(t, "SELECT count(*) FROM deliveries WHERE status = 'PENDING'") == 0 &&
			s.countWorkflows(t, `WorkflowType = "DeliveryWorkflow" AND ExecutionStatus = "Running"`) == 0
	})
}

// settle has the rows of all requests be two minutes older, while no workflow knows
// them.
func (s *system) settle(t *testing.T) {
	t.Helper()
	s.execute(t, `UPDATE requests SET created = created - interval '2 minutes', modified = modified - interval '2 minutes',
		workflow_seen_at = workflow_seen_at - interval '2 minutes' WHERE approval_status = 'PENDING'`)
}

// runOf is the id of the newest run of a workflow.
func (s *system) runOf(t *testing.T, workflow string) string {
	t.Helper()
	described, err := s.temporal.DescribeWorkflow(patience(t), workflow, "")
	require.NoError(t, err)
	return described.WorkflowExecution.RunID
}

// postgresProgram runs a program of the database on it.
func (s *system) postgresProgram(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(patience(t), s.Postgres.Program(name), append(args, "--dbname="+s.Postgres.URL())...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// reconcile runs the command and returns why it did something about what, by the ids,
// and how it ended.
func (s *system) reconcile(t *testing.T, programs string, args ...string) (why map[string]string, code int) {
	t.Helper()
	command := exec.CommandContext(patience(t), filepath.Join(programs, "admin"), append([]string{"reconcile", "--format", "json"}, args...)...)
	command.Env = os.Environ()
	for variable, value := range s.Environ() {
		command.Env = append(command.Env, variable+"="+value)
	}
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	_ = command.Run()
	var report reconcile.Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &report), "%s", faults.String())
	require.Empty(t, report.Faults)
	why = map[string]string{}
	for _, deed := range report.Deeds {
		why[deed.ID.String()] = deed.Why
	}
	return why, command.ProcessState.ExitCode()
}
