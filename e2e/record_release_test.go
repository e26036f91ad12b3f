package e2e_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"gatehouse/devstack"
)

// releaseVariable names the version whose state TestRecordRelease records.
const releaseVariable = "GATEHOUSE_TEST_RELEASE"

// openHistories and releasedDump are where a version's state is kept.
func openHistories(version string) string { return filepath.Join(historiesDir, version, "open") }

var historiesDir = filepath.Join("..", "workflows", "testdata", "histories")

func releasedDump(version string) string {
	return filepath.Join("..", "store", "testdata", "released", version, "dump.sql")
}

// TestRecordRelease writes what the programs of this tree leave behind when they are
// stopped in the midst of everything: the history of each workflow that runs, and a
// dump of the rows at that moment. docs/operations.md says when it is to be called.
func TestRecordRelease(t *testing.T) {
	version := os.Getenv(releaseVariable)
	if version == "" {
		t.Skip(releaseVariable + " is not set")
	}
	require.NoDirExists(t, filepath.Dir(releasedDump(version)), "%s is recorded: a release is not changed", version)
	s := another(t, devstack.Options{})
	names := s.leaveHalfWay(t)
	dir := openHistories(version)
	require.NoError(t, os.MkdirAll(dir, 0o750))
	for id, name := range names {
		writeHistory(t, filepath.Join(dir, name+".json"), id, "")
	}
	page, err := s.temporal.ListWorkflow(patience(t), &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 100, Query: `ExecutionStatus = "Running"`,
	})
	require.NoError(t, err)
	for _, execution := range page.GetExecutions() {
		id := execution.GetExecution().GetWorkflowId()
		if !strings.HasPrefix(id, "sweep") && !strings.HasPrefix(id, "lifecycle-sweep") && !strings.HasPrefix(id, "temporal-sys-") {
			require.Contains(t, names, id, "every workflow that runs is recorded")
		}
	}
	released := filepath.Dir(releasedDump(version))
	require.NoError(t, os.MkdirAll(released, 0o750))
	require.NoError(t, os.WriteFile(releasedDump(version), s.dump(t), 0o600))
	// What was recorded since the release before is this one's.
	if recent := filepath.Join(historiesDir, "next"); isThere(recent) {
		require.NoError(t, os.Rename(recent, filepath.Join(historiesDir, version, "ended")))
	}
	for name, of := range map[string][2]string{
		"migrations": {filepath.Join("..", "store", "migrations"), "*.sql"},
		"dump":       {released, "dump.sql"},
		"histories":  {filepath.Join(historiesDir, version), filepath.Join("*", "*.json")},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(released, name+".sha256"), sums(t, of[0], of[1]), 0o600))
	}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sums are the files of a folder that fit the pattern, with their sums, as sha256sum
// writes them there.
func sums(t *testing.T, folder, pattern string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	require.NoError(t, err)
	var lines []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name, err := filepath.Rel(folder, file)
		require.NoError(t, err)
		lines = fmt.Appendf(lines, "%x  %s\n", sha256.Sum256(text), filepath.ToSlash(name))
	}
	return lines
}

// dump is the schema and the rows as SQL that a driver can run. Signing keys are
// left out and those of webhooks blanked: those of a dump that everybody can read sign
// nothing.
func (s *system) dump(t *testing.T) []byte {
	t.Helper()
	s.execute(t, "UPDATE webhook_endpoints SET secret = decode(repeat('00', 32), 'hex')")
	out, err := exec.CommandContext(patience(t), s.Postgres.Program("pg_dump"), "--no-owner", "--inserts", "--rows-per-insert=1000",
		"--exclude-table-data=signing_keys", "--dbname="+s.Postgres.URL()).Output()
	require.NoError(t, err)
	var kept strings.Builder
	for line := range strings.Lines(string(out)) {
		// What is for psql alone, and what names the server.
		if strings.HasPrefix(line, `\`) || strings.HasPrefix(line, "-- Dumped ") {
			continue
		}
		kept.WriteString(line)
	}
	return []byte(kept.String())
}

// leaveHalfWay leaves something of every kind behind in the middle of its way, and
// returns the names of the workflows that run, by their ids.
func (s *system) leaveHalfWay(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	wait := func(request object, name string) object {
		t.Helper()
		awaitRunning(t, request.id())
		eventually(t, "its approver is told", func() bool {
			return s.count(t, "SELECT count(*) FROM requests WHERE id = $1 AND workflow_seen_at >= modified", request.id()) == 1
		})
		names["request/"+request.id()] = name
		return request
	}
	three := newSource(t, "approver.one", "approver.two", "approver.three")
	wait(ask(t, three), "waits-for-the-first")
	second := ask(t, three)
	approve(t, "approver.one", second.items()[0]).want(200)
	wait(second, "waits-for-the-second")

	policed := newSource(t, "approver.one", "approver.two")
	under(t, policed, object{"reminderConfig": reminderAfter(3), "escalationConfig": escalationAfter(t, 20)})
	wait(ask(t, policed), "waits-for-a-reminder")
	reminded := wait(ask(t, policed), "was-reminded")
	age(t, reminded, "3 days")
	eventually(t, "a reminder", func() bool { return outbox(t, reminded, "reminder") == 1 })

	escalated := newSource(t, "approver.one")
	under(t, escalated, object{"escalationConfig": escalationAfter(t, 4)})
	wait(ask(t, escalated), "waits-for-an-escalation")

	absent := newSource(t, "approver.two")
	with := wait(ask(t, absent), "with-a-deputy")
	absence := away(t, "approver.two", "outsider")
	eventually(t, "the deputy has it", func() bool { return waitsFor(t, "outsider", with.items()[0]) })
	names["absence/"+absence.id()] = "absence"
	wait(with, "with-a-deputy")

	record := as(t, "admin").post("/non-employee-records", person(three)).want(200).object()
	wait(as(t, "jane.doe").post("/non-employee-extensions", extensionOf(three, record)).want(200).object(), "extension")

	full := newSource(t)
	held := s.holdRow(t, full, 1)
	first := as(t, "admin").upload(full, "", sample(t, 2)).want(202).object()
	held.await(t)
	as(t, "admin").upload(full, "", csvHeader+csvRow(unique("behind"))).want(202)
	names["imports/"+full.id()], names["import/"+first.id()] = "imports", "import"

	exported := newSource(t)
	as(t, "admin").post("/non-employee-records", person(exported)).want(200)
	as(t, "admin").post(exportPath(exported, "/export-schedules"), weekly).want(200)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	download := heldDownload(ctx, t, exported, 0)
	t.Cleanup(func() { cancel(); <-download.done })
	names["export/"+download.export] = "export"

	// Nobody listens there.
	as(t, "admin").post("/webhooks", object{"url": "http://127.0.0.1:9/told", "events": []string{"request_made"}}).want(200)
	wait(ask(t, newSource(t, "approver.three")), "waits-for-the-only-one")
	const retried = `SELECT coalesce(max(id::text), '') FROM deliveries WHERE channel = 'WEBHOOK' AND status = 'PENDING' AND attempts > 0`
	eventually(t, "a delivery is tried again", func() bool { return s.text(t, retried) != "" })
	names["delivery/"+s.text(t, retried)] = "delivery"
	eventually(t, "the mails are out", func() bool {
		return s.count(t, "SELECT count(*) FROM deliveries WHERE status = 'PENDING' AND channel = 'MAIL'") == 0 &&
			s.count(t, "SELECT count(*) FROM notifications WHERE relayed IS NULL") == 0
	})
	require.Len(t, names, 13, fmt.Sprint(names))
	return names
}
