package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"gatehouse/workflows/wire"
)

// copiesAgree holds that several processes of each program are of one mind.
func copiesAgree(t *testing.T, r *rig) {
	t.Helper()
	require.GreaterOrEqual(t, len(r.stack.API), 2)
	for name, test := range map[string]func(*testing.T, *rig){
		"one of many at once has the name":      oneHasTheName,
		"no more sources than there may be":     noMoreSources,
		"many migrate at once":                  manyMigrate,
		"two sweeps at once tell once":          twoSweepsTellOnce,
		"each schedule is there once":           eachScheduleOnce,
		"a token is good at every copy at once": aTokenIsGoodEverywhere,
	} {
		t.Run(name, func(t *testing.T) { test(t, r) })
	}
}

// atOnce makes so many calls at once, spread over all copies, and counts what came of
// them.
func atOnce(t *testing.T, r *rig, alias string, n int, what func(i int) call) map[outcome]int {
	t.Helper()
	answers := make([]answer, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { answers[i] = r.as(alias).send(t.Context(), what(i)) })
	}
	group.Wait()
	came := map[outcome]int{}
	for _, a := range answers {
		require.NotEqual(t, unknown, a.outcome, "%d %s", a.status, a.body)
		came[a.outcome]++
	}
	return came
}

func oneHasTheName(t *testing.T, r *rig) {
	t.Helper()
	body := map[string]string{
		"sourceId": r.sources[0], "accountName": "wanted.by.many", "firstName": "First", "lastName": "Last", "email": "many@example.com",
		"phone": "512", "manager": "john.roe", "startDate": "2027-01-01", "endDate": "2027-12-31",
	}
	came := atOnce(t, r, "jane.doe", 24, func(int) call {
		return call{method: http.MethodPost, path: "/non-employee-requests", body: body}
	})
	require.Equal(t, map[outcome]int{told: 1, refused: 23}, came)
}

func noMoreSources(t *testing.T, r *rig) {
	t.Helper()
	came := atOnce(t, r, "admin", 16, func(i int) call {
		return call{method: http.MethodPost, path: "/non-employee-sources", body: map[string]any{
			"name": fmt.Sprintf("One of many %d", i), "description": "Too many", "owner": map[string]string{"id": r.ids["source.admin"]},
		}}
	})
	free := maxSources - len(r.sources)
	require.Equal(t, map[outcome]int{told: free, refused: 16 - free}, came)
}

// manyMigrate has three processes make the tables of one new database.
func manyMigrate(t *testing.T, r *rig) {
	t.Helper()
	_, err := r.rows.Exec(t.Context(), `CREATE DATABASE fresh OWNER gatehouse_owner`)
	require.NoError(t, err)
	environ := os.Environ()
	for variable, value := range r.stack.Environ() {
		if strings.HasSuffix(variable, "DATABASE_URL") {
			database, err := url.Parse(value)
			require.NoError(t, err)
			database.Path = "/fresh"
			value = database.String()
		}
		environ = append(environ, variable+"="+value)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			migrate := exec.CommandContext(t.Context(), filepath.Join(r.stack.Dir(), "bin", "migrate"), "up")
			migrate.Env = environ
			output, err := migrate.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
	group.Wait()
}

// twoSweepsTellOnce has two sweeps of records whose end is near run at the same time,
// and one of the workers die meanwhile.
func twoSweepsTellOnce(t *testing.T, r *rig) {
	t.Helper()
	const people = 5_000 // some batches
	end := time.Now().UTC().AddDate(0, 0, 5).Format(time.DateOnly)
	var text bytes.Buffer
	text.WriteString("accountName,firstName,lastName,phone,email,manager,startDate,endDate\n")
	for i := range people {
		fmt.Fprintf(&text, "soon.%d,First,Last,512,soon.%d@example.com,john.roe,2026-01-01,%s\n", i, i, end)
	}
	source := r.sources[3]
	a := r.as("admin").send(t.Context(), call{
		method: http.MethodPost, path: "/non-employee-sources/" + source + "/non-employee-bulk-upload", body: file(text.String()),
	})
	require.Equal(t, told, a.outcome, "%d %s", a.status, a.body)
	await := func(what string, want int, query string) {
		t.Helper()
		require.Eventually(t, func() bool {
			var n int
			require.NoError(t, r.rows.QueryRow(t.Context(), query).Scan(&n))
			return n == want
		}, 2*time.Minute, 50*time.Millisecond, what)
	}
	await("all are there", people, `SELECT count(*) FROM records WHERE account_name LIKE 'soon.%'`)
	var sweeps []client.WorkflowRun
	for _, name := range []string{"one", "other"} {
		run, err := r.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			ID: "lifecycle-sweep-" + name, TaskQueue: wire.QueueMaintenance,
		}, wire.WorkflowLifecycleSweep)
		require.NoError(t, err)
		sweeps = append(sweeps, run)
	}
	require.NoError(t, r.stack.Worker[0].Kill())
	await("all are told of", 0, `SELECT count(*) FROM records WHERE account_name LIKE 'soon.%' AND lifecycle_rung > 7`)
	require.NoError(t, r.stack.Worker.Start(t.Context()))
	for _, sweep := range sweeps {
		require.NoError(t, sweep.Get(t.Context(), nil))
	}
	await("each is told of once to each", 0, `SELECT count(*) FROM (
		SELECT r.id FROM records AS r LEFT JOIN notification_records AS x ON x.record_id = r.id
			LEFT JOIN notifications AS n ON n.batch_id = x.batch_id AND n.event = 'expiring'
		WHERE r.account_name LIKE 'soon.%' GROUP BY r.id
		HAVING count(n.id) <> 2 OR count(DISTINCT n.recipient_id) <> 2) AS wrong`)
}

func eachScheduleOnce(t *testing.T, r *rig) {
	t.Helper()
	found := map[string]int{}
	schedules, err := r.temporal.ScheduleClient().List(t.Context(), client.ScheduleListOptions{})
	require.NoError(t, err)
	for schedules.HasNext() {
		schedule, err := schedules.Next()
		require.NoError(t, err)
		found[schedule.ID]++
	}
	require.Equal(t, map[string]int{"gatehouse-sweep": 1, "gatehouse-lifecycle": 1}, found)
}

// aTokenIsGoodEverywhere: what one copy has signed the others take, each asked at its
// own address.
func aTokenIsGoodEverywhere(t *testing.T, r *rig) {
	t.Helper()
	for _, from := range r.stack.API {
		l, err := signIn(context.WithoutCancel(t.Context()), r.http, "http://"+from.Address(), "outsider")
		require.NoError(t, err)
		for _, at := range r.stack.API {
			a := caller{http: r.http, base: "http://" + at.Address(), token: l.AccessToken, tally: r.tally}.
				send(t.Context(), call{method: http.MethodGet, path: "/non-employee-sources?requested-for=me"})
			require.Equal(t, http.StatusOK, a.status, "%s", a.body)
		}
	}
}
