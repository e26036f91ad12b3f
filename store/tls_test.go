package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
	"gatehouse/lifecycle"
	"gatehouse/store"
)

// encryptedPostgres starts a server of the test's own, which knows who comes by a
// certificate of a's and lets nobody in without.
func encryptedPostgres(t *testing.T, a *devstack.Authority) *devstack.Postgres {
	t.Helper()
	postgres, err := devstack.StartPostgres(t.Context(), devstack.PostgresOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		require.NoError(t, postgres.Stop(ctx))
	})
	admin, err := sql.Open("pgx", postgres.URL())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	var data string
	require.NoError(t, admin.QueryRowContext(t.Context(), "SHOW data_directory").Scan(&data))
	info, err := os.Stat(data)
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	server, err := a.Issue("postgres.example")
	require.NoError(t, err)
	for name, from := range map[string]string{"ours.crt": server.CertFile, "ours.key": server.KeyFile, "ca.crt": a.CAFile} {
		raw, err := os.ReadFile(from)
		require.NoError(t, err)
		path := filepath.Join(data, name)
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		require.NoError(t, os.Chown(path, int(owner.Uid), int(owner.Gid)))
	}
	access := fmt.Sprintf("hostssl all %s 127.0.0.1/32 cert\nhost all %s 127.0.0.1/32 scram-sha-256\n", devstack.AppRole, devstack.SuperuserRole)
	require.NoError(t, os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(access), 0o600))
	for _, statement := range []string{
		"ALTER SYSTEM SET ssl_cert_file = 'ours.crt'", "ALTER SYSTEM SET ssl_key_file = 'ours.key'",
		"ALTER SYSTEM SET ssl_ca_file = 'ca.crt'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()",
	} {
		_, err := admin.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		var on string
		err := admin.QueryRowContext(t.Context(), "SHOW ssl").Scan(&on)
		return err == nil && on == "on"
	}, 20*time.Second, 20*time.Millisecond)
	return postgres
}

func TestPostgresIsReachedByTLS(t *testing.T) {
	t.Parallel()
	a, err := devstack.NewAuthority(t.TempDir())
	require.NoError(t, err)
	foreign, err := devstack.NewAuthority(t.TempDir())
	require.NoError(t, err)
	postgres := encryptedPostgres(t, a)
	first, err := a.Issue(devstack.AppRole)
	require.NoError(t, err)
	stranger, err := foreign.Issue(devstack.AppRole)
	require.NoError(t, err)
	open := func(mode, ca string, certificate devstack.Certificate) *store.Store {
		t.Helper()
		at, err := url.Parse(postgres.AppURL())
		require.NoError(t, err)
		query := url.Values{"sslmode": {mode}}
		if mode != "disable" {
			query.Set("sslrootcert", ca)
			query.Set("sslcert", certificate.CertFile)
			query.Set("sslkey", certificate.KeyFile)
		}
		at.RawQuery = query.Encode()
		s, err := store.Open(t.Context(), store.Config{URL: at.String(), MaxConns: 2})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
	s := open("verify-full", a.CAFile, first)
	serial := func() string {
		t.Helper()
		text, err := s.Select(t.Context(), "SELECT client_serial::text FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
		require.NoError(t, err)
		return text
	}
	require.Equal(t, fmt.Sprint(first.Serial), serial())
	for _, refused := range map[string]*store.Store{
		"unencrypted":                open("disable", "", first),
		"a server nobody knows":      open("verify-full", foreign.CAFile, first),
		"a client whom nobody knows": open("verify-full", a.CAFile, stranger),
	} {
		requireKind(t, lifecycle.KindUnavailable, refused.Ping(t.Context()))
	}

	second, err := a.Issue(devstack.AppRole)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(first.Serial), serial(), "a connection keeps what it was made with")
	require.Error(t, s.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())"))
	require.Equal(t, fmt.Sprint(second.Serial), serial(), "the next one is made with what is there now")

	require.NoError(t, os.Remove(a.CAFile))
	require.Error(t, s.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())"))
	requireKind(t, lifecycle.KindUnavailable, s.Ping(t.Context()))
}

func TestADatabaseURLOfFilesThatAreNotThereIsRefused(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "none.pem")
	for _, parameters := range []string{"sslmode=verify-full&sslrootcert=" + nowhere, "sslmode=require&sslcert=" + nowhere + "&sslkey=" + nowhere} {
		_, err := store.Open(t.Context(), store.Config{URL: "postgres://u:hunter2@127.0.0.1:1/d?" + parameters})
		require.ErrorContains(t, err, nowhere)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
