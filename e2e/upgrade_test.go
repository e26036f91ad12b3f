package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
)

// TestWhatAVersionLeftHalfWayIsFinished restores the rows that released versions left
// behind and has the current programs, with a Temporal that knows nothing of them,
// bring everything to its end from where the rows stand. That the workflows which the
// version left open go on is for the replay of their histories to say.
func TestWhatAVersionLeftHalfWayIsFinished(t *testing.T) {
	versions, err := filepath.Glob(releasedDump("*"))
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	for _, path := range versions {
		version := filepath.Base(filepath.Dir(path))
		t.Run(version, func(t *testing.T) { finishWhatIsHalfWay(t, version) })
	}
}

func finishWhatIsHalfWay(t *testing.T, version string) {
	t.Helper()
	postgres, err := devstack.StartPostgres(patience(t), devstack.PostgresOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop(patience(t))) })
	restoreRelease(t, version, postgres)

	s := another(t, devstack.Options{
		DatabaseURL: postgres.AppURL(), MigrationURL: postgres.MigrationURL(),
	})
	var posted atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posted.Add(1) }))
	t.Cleanup(receiver.Close)
	s.execute(t, "UPDATE webhook_endpoints SET url = $1", receiver.URL)
	// It is looked every ten minutes whether the workflow of a delivery runs.
	s.execute(t, "UPDATE deliveries SET due = now() WHERE status = 'PENDING'")
	// And that of an absence, when there is something to do about it: at its end.
	s.execute(t, "UPDATE absences SET due = now()")

	reminded := s.count(t, "SELECT count(*) FROM notifications WHERE event = 'reminder'")
	require.Equal(t, 1, reminded)
	const (
		// The item of another stage may come to the deputy later.
		delegated = " FROM approval_items AS i JOIN absences AS b ON b.identity_id = i.delegated_from WHERE "
		extended  = `SELECT count(*) FROM extension_records AS e JOIN records AS r ON r.id = e.record_id WHERE r.end_date = `
	)
	deputed := s.text(t, "SELECT coalesce(string_agg(i.id::text, ','), '')"+delegated+"i.status = 'PENDING' AND i.approver_id = b.deputy_id")
	require.NotEmpty(t, deputed, "items that a deputy has")
	require.Equal(t, 1, s.count(t, extended+"e.end_date_before"))
	const absent = `WorkflowType = "AbsenceWorkflow" AND ExecutionStatus = "Running"`
	bySweep(t, "Temporal has the absence", func() bool { return s.countWorkflows(t, absent) == 1 })
	s.approveAll(t)
	bySweep(t, "every import is done", func() bool {
		return s.count(t, "SELECT count(*) FROM import_jobs WHERE status <> 'COMPLETED'") == 0
	})
	require.Equal(t, 3, s.count(t, "SELECT sum(created_rows) FROM import_jobs"))
	bySweep(t, "the export is written", func() bool {
		return s.count(t, "SELECT count(*) FROM export_jobs WHERE status <> 'COMPLETED'") == 0
	})
	bySweep(t, "Temporal has the schedule of exports", func() bool {
		description, err := s.temporal.ScheduleClient().GetHandle(patience(t), "export-schedule/"+s.text(t, "SELECT id::text FROM export_schedules")).Describe(patience(t))
		return err == nil && description.Schedule.Spec != nil
	})
	bySweep(t, "the delivery has arrived", func() bool {
		return posted.Load() > 0 && s.count(t, "SELECT count(*) FROM deliveries WHERE status <> 'DELIVERED'") == 0
	})
	s.requireWhole(t)
	require.Equal(t, reminded, s.count(t, "SELECT count(*) FROM notifications WHERE event = 'reminder'"), "the reminder of before is not sent again")
	require.Equal(t, 1, s.count(t, extended+"e.end_date"), "the record goes on until the extension's end")
	require.Zero(t, s.count(t, "SELECT count(*)"+delegated+"i.id = ANY (string_to_array($1, ',')::uuid[]) AND i.decided_by IS DISTINCT FROM b.deputy_id", deputed),
		"the deputy decided what they had")
	require.Equal(t, 1, s.countWorkflows(t, absent), "the absence is not over")
}

// approveAll approves what waits, each item by whoever has it, until nothing does.
func (s *system) approveAll(t *testing.T) {
	t.Helper()
	const next = `SELECT coalesce(max(i.id::text || ' ' || a.alias || ' ' || r.kind), '') FROM approval_items AS i
		JOIN requests AS r ON r.id = i.request_id JOIN identities AS a ON a.id = i.approver_id WHERE i.status = 'PENDING'`
	for {
		item, rest, found := strings.Cut(s.text(t, next), " ")
		if !found {
			return
		}
		alias, kind, _ := strings.Cut(rest, " ")
		path := "/non-employee-approvals/"
		if kind == "EXTENSION" {
			path = "/non-employee-extension-approvals/"
		}
		as(t, alias).post(path+item+"/approve", object{"comment": "Fine"}).want(200)
	}
}

// requireWhole holds that every request is approved and seen to be so, that each made
// one record, and that the counters say what is there.
func (s *system) requireWhole(t *testing.T) {
	t.Helper()
	eventually(t, "every workflow stands where the rows do", func() bool {
		return s.count(t, "SELECT count(*) FROM requests WHERE workflow_seen_at < modified") == 0
	})
	require.Zero(t, s.count(t, "SELECT count(*) FROM requests WHERE approval_status <> 'APPROVED'"))
	require.Zero(t, s.count(t, `SELECT count(*) FROM requests AS r WHERE r.kind = 'CREATION' AND 1 <> (SELECT count(*) FROM records AS c
		WHERE c.source_id = r.source_id AND c.account_name_folded = r.account_name_folded)`))
	require.Zero(t, s.count(t, `SELECT count(*) FROM source_counters AS c WHERE (c.records, c.pending) IS DISTINCT FROM
		((SELECT count(*) FROM records AS r WHERE r.source_id = c.source_id), 0)`))
	eventually(t, "no workflow of a request runs", func() bool {
		return s.countWorkflows(t, `WorkflowType = "RequestWorkflow" AND ExecutionStatus = "Running"`) == 0
	})
}

// restoreRelease restores the rows of a version as if they had been written a moment
// ago.
func restoreRelease(t *testing.T, version string, postgres *devstack.Postgres) {
	t.Helper()
	dump, err := os.ReadFile(releasedDump(version))
	require.NoError(t, err)
	// As the one who owns the tables, with the privileges that the dump grants.
	connection, err := pgx.Connect(patience(t), postgres.MigrationURL())
	require.NoError(t, err)
	defer func() { require.NoError(t, connection.Close(patience(t))) }()
	_, err = connection.PgConn().Exec(patience(t), string(dump)).ReadAll()
	require.NoError(t, err)
	var late float64
	require.NoError(t, connection.QueryRow(patience(t), `SELECT extract(epoch FROM now() - max(modified)) FROM public.requests`).Scan(&late))
	// What the audit trail says is sealed; the dates of people are far away.
	_, err = connection.PgConn().Exec(patience(t), `DO $$ DECLARE moved record; BEGIN
		FOR moved IN SELECT c.table_name, string_agg(format('%1$I = %1$I + interval ''`+strconv.FormatFloat(late, 'f', 3, 64)+` seconds''', c.column_name), ', ') AS columns
			FROM information_schema.columns AS c WHERE c.table_schema = 'public' AND c.data_type = 'timestamp with time zone'
				AND c.table_name NOT LIKE 'audit%' AND c.column_name NOT IN ('start_date', 'end_date', 'end_date_before')
			GROUP BY c.table_name
		LOOP EXECUTE format('UPDATE public.%I SET %s', moved.table_name, moved.columns); END LOOP;
	END $$`).ReadAll()
	require.NoError(t, err)
}
