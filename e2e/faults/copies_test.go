package main

import (
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

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"gatehouse/devstack"
)

// copiesAgree holds that several processes of each program are of one mind.
func copiesAgree(t *testing.T, r *rig) {
	t.Helper()
	require.GreaterOrEqual(t, len(r.stack.API), 2)
	for name, test := range map[string]func(*testing.T, *rig){
		"one of many at once has the name":      oneHasTheName,
		"no more sources than there may be":     noMoreSources,
		"many migrate at once":                  manyMigrate,
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
		l, err := devstack.LogIn(context.WithoutCancel(t.Context()), r.http, "http://"+from.Address(), "outsider")
		require.NoError(t, err)
		for _, at := range r.stack.API {
			a := caller{http: r.http, base: "http://" + at.Address(), token: l.AccessToken, tally: r.tally}.
				send(t.Context(), call{method: http.MethodGet, path: "/non-employee-sources?requested-for=me"})
			require.Equal(t, http.StatusOK, a.status, "%s", a.body)
		}
	}
}
