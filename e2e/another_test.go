package e2e_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"gatehouse/devstack"
)

// another starts a stack beside the one of all tests, which has nothing in it but
// the demo organisation, and has this test work on it: every helper means it from
// now on. Such a test runs alone. The programs are those that were built before.
func another(t *testing.T, o devstack.Options) *system {
	t.Helper()
	o.Dir, o.BinDir, o.Demo, o.Log, o.Echo = t.TempDir(), filepath.Join(stack.Dir(), "bin"), true, &launcher, true
	if o.Env == nil {
		o.Env = map[string]string{}
	}
	for name, value := range map[string]string{
		"GATEHOUSE_SWEEP_INTERVAL": "2s", "GATEHOUSE_SWEEP_RECHECK": "2s", "GATEHOUSE_DECISION_TIMEOUT": "20s", "GATEHOUSE_RATE_LIMIT": "0",
	} {
		if _, ok := o.Env[name]; !ok {
			o.Env[name] = value
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startLimit)
	defer cancel()
	started, err := devstack.Start(ctx, o)
	require.NoError(t, err, launcher.String())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, started.Stop(ctx))
	})
	s := &system{Stack: started, apiURL: started.APIURL()}
	url := o.MigrationURL
	if started.Postgres != nil {
		url = started.Postgres.URL()
	}
	s.db, err = sql.Open("pgx", url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	s.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: started.TemporalAddress(), Namespace: started.Namespace(), Logger: log.NewStructuredLogger(nil),
	})
	require.NoError(t, err)
	t.Cleanup(s.temporal.Close)
	use(t, s)
	return s
}

// use has every helper mean this stack until the test ends.
func use(t *testing.T, s *system) {
	t.Helper()
	all, there := stack, peopleAreThere
	stack, peopleAreThere = s, false
	forgetLogins()
	t.Cleanup(func() {
		stack, peopleAreThere = all, there
		forgetLogins()
	})
}

// forgetLogins has everybody log in anew: tokens are one API's.
func forgetLogins() {
	logins.Range(func(alias, _ any) bool { logins.Delete(alias); return true })
}
