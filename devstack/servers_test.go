package devstack

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/9.6/bin"},
		newestFirst([]string{"/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/9.6/bin", "/usr/lib/postgresql/17/bin"}))
}

func TestFindPostgres(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	install := func(name, script string) string {
		dir := filepath.Join(parent, name)
		require.NoError(t, os.Mkdir(dir, 0o750))
		for _, program := range []string{"initdb", "postgres"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
		}
		return dir
	}
	version := func(v string) string { return "echo 'postgres (PostgreSQL) " + v + "'" }
	missing := filepath.Join(parent, "missing")
	old, broken := install("old", version("13.9")), install("broken", "exit 1")
	fifteen, seventeen := install("fifteen", version("15.8 (Debian 15.8-1)")), install("seventeen", version("17beta2"))
	for _, test := range []struct {
		name  string
		dirs  []string
		major int
		want  string
	}{
		{"the first usable one wins", []string{missing, fifteen, seventeen}, 0, fifteen},
		{"what is too old or broken is passed over", []string{old, broken, seventeen, fifteen}, 0, seventeen},
		{"data of one version takes that version", []string{fifteen, seventeen}, 17, seventeen},
		{"no such version is none", []string{fifteen}, 16, ""},
		{"nothing is none", []string{missing, old, broken}, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, ok := findPostgres(within(t), test.dirs, test.major, nil)
			require.Equal(t, test.want != "", ok)
			require.Equal(t, test.want, found.dir)
		})
	}
}

func TestInstallPostgresKeepsThePackageFromMakingACluster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dropIn := filepath.Join(dir, "createcluster.d", "gatehouse-devstack.conf")
	apt, trace := filepath.Join(dir, "apt-get"), filepath.Join(dir, "trace")
	script := fmt.Sprintf("#!/bin/sh\necho \"$@ $DEBIAN_FRONTEND $(cat %s)\" >>%s\n", dropIn, trace)
	require.NoError(t, os.WriteFile(apt, []byte(script), 0o700))
	said := &transcript{}
	require.NoError(t, installPostgres(within(t), apt, dir, sayTo(said)))
	traced, err := os.ReadFile(trace)
	require.NoError(t, err)
	require.Equal(t, `update -q noninteractive create_main_cluster = false
install -q -y --no-install-recommends postgresql noninteractive create_main_cluster = false
`, string(traced))
	require.NoFileExists(t, dropIn)
	require.Equal(t, "devstack: PostgreSQL is not installed: installing the package postgresql (a minute or two)\n", said.String())

	require.NoError(t, os.WriteFile(apt, []byte("#!/bin/sh\necho E: no network; exit 100\n"), 0o700))
	err = installPostgres(within(t), apt, dir, sayTo(nil))
	require.ErrorContains(t, err, "apt-get update: exit status 100")
	require.ErrorContains(t, err, "E: no network")
	require.NoFileExists(t, dropIn)
}

// query runs one statement and returns its only value, as text.
func query(t *testing.T, url, statement string) (string, error) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var value sql.NullString
	err = db.QueryRowContext(within(t), statement).Scan(&value)
	return value.String, err
}

func execute(t *testing.T, url, statement string) error {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(within(t), statement)
	return err
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	p, err := StartPostgres(within(t), PostgresOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Stop(context.Background()) })

	t.Run("the owner may change tables, the application only rows it was granted", func(t *testing.T) {
		require.NoError(t, execute(t, p.MigrationURL(), `CREATE TABLE kept (n int); GRANT SELECT, INSERT ON kept TO gatehouse_app`))
		require.NoError(t, execute(t, p.AppURL(), `INSERT INTO kept VALUES (42)`))
		require.ErrorContains(t, execute(t, p.AppURL(), `CREATE TABLE mine (n int)`), "permission denied for schema public")
		require.ErrorContains(t, execute(t, p.AppURL(), `CREATE SCHEMA mine`), "permission denied for database gatehouse")
		require.ErrorContains(t, execute(t, p.AppURL(), `CREATE TEMPORARY TABLE mine (n int)`), "permission denied")
		require.ErrorContains(t, execute(t, p.AppURL(), `ALTER TABLE kept ADD m int`), "must be owner")
	})
	t.Run("the superuser makes databases", func(t *testing.T) {
		require.NoError(t, execute(t, p.URL(), `CREATE DATABASE another`))
	})
	t.Run("a wrong password is refused", func(t *testing.T) {
		wrong, err := url.Parse(p.URL())
		require.NoError(t, err)
		wrong.User = url.UserPassword(SuperuserRole, "guess")
		_, err = query(t, wrong.String(), `SELECT 1`)
		require.ErrorContains(t, err, "password authentication failed")
	})
	t.Run("it listens on loopback and nowhere else", func(t *testing.T) {
		addresses, err := query(t, p.URL(), `SELECT current_setting('listen_addresses') || '|' || current_setting('unix_socket_directories')`)
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1|", addresses)
	})
	t.Run("a pause cuts connections and keeps the data", func(t *testing.T) {
		before := p.URL()
		require.NoError(t, p.Pause(within(t)))
		_, err := query(t, p.AppURL(), `SELECT 1`)
		require.Error(t, err)
		require.NoError(t, p.Resume(within(t)))
		require.Equal(t, before, p.URL())
		n, err := query(t, p.AppURL(), `SELECT n FROM kept`)
		require.NoError(t, err)
		require.Equal(t, "42", n)
	})
	t.Run("it comes back after a crash", func(t *testing.T) {
		pid := p.PID()
		require.NoError(t, p.Signal(syscall.SIGKILL))
		eventually(t, "a new server", func() bool {
			if p.PID() == pid {
				return false
			}
			_, err := query(t, p.AppURL(), `SELECT n FROM kept`)
			return err == nil
		})
	})
	t.Run("stopping it leaves neither process nor data", func(t *testing.T) {
		pid := p.PID()
		require.NotEmpty(t, p.remove)
		require.NoError(t, p.Stop(within(t)))
		require.True(t, gone(pid))
		for _, path := range p.remove {
			require.NoDirExists(t, path)
		}
	})
}

func TestDurablePostgresOutlivesAKilledLauncher(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "devstack-test-") //nolint:usetesting // the server's account can't reach root's t.TempDir
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })

	marker := filepath.Join(t.TempDir(), "ready")
	var out bytes.Buffer
	launcher := exec.CommandContext(t.Context(), self(t), marker, dir)
	launcher.Env = roleEnviron("launcher")
	launcher.Stdout = &out
	require.NoError(t, launcher.Start())
	eventually(t, "the launcher's server", func() bool {
		_, err := os.Stat(marker)
		return err == nil
	})
	_, err = StartPostgres(within(t), PostgresOptions{Dir: dir, Durable: true})
	require.ErrorContains(t, err, "is in use: locked by process")

	require.NoError(t, launcher.Process.Kill())
	require.Error(t, launcher.Wait())
	var pid int
	_, err = fmt.Sscanf(out.String(), "pid %d", &pid)
	require.NoError(t, err)

	first, err := StartPostgres(within(t), PostgresOptions{Dir: dir, Durable: true})
	require.NoError(t, err)
	require.True(t, gone(pid), "the old server is gone")
	require.NoError(t, execute(t, first.MigrationURL(), `CREATE TABLE kept (n int)`))
	require.NoError(t, first.Stop(within(t)))

	second, err := StartPostgres(within(t), PostgresOptions{Dir: dir, Durable: true})
	require.NoError(t, err)
	require.Equal(t, first.secrets, second.secrets)
	require.NoError(t, execute(t, second.MigrationURL(), `INSERT INTO kept VALUES (1)`))
	require.NoError(t, second.Stop(within(t)))

	t.Run("and lost passwords are made anew", func(t *testing.T) {
		require.NoError(t, os.Remove(filepath.Join(dir, "postgres.secrets.json")))
		third, err := StartPostgres(within(t), PostgresOptions{Dir: dir, Durable: true})
		require.NoError(t, err)
		defer func() { require.NoError(t, third.Stop(within(t))) }()
		require.NotEqual(t, first.secrets, third.secrets)
		n, err := query(t, third.MigrationURL(), `SELECT n FROM kept`)
		require.NoError(t, err)
		require.Equal(t, "1", n)
	})
}

func TestRootsDataLiesElsewhereIfTheServerCantReachIt(t *testing.T) {
	if os.Geteuid() != 0 {
		// Anyone else runs the server as themselves, in a directory of their own.
		p, err := StartPostgres(within(t), PostgresOptions{Dir: t.TempDir(), Durable: true})
		require.NoError(t, err)
		require.NoError(t, p.Stop(within(t)))
		return
	}
	parent := t.TempDir()
	require.NoError(t, os.Chmod(parent, 0o700))
	state := filepath.Join(parent, "state")
	t.Setenv(variableDir, state)
	require.NoError(t, claimDir(state))
	previous := syscall.Umask(0o077)
	said := &transcript{}
	p, err := StartPostgres(within(t), PostgresOptions{Dir: postgresDir(state), Durable: true, Log: said})
	syscall.Umask(previous)
	require.NoError(t, err)
	fallback := postgresFallback(postgresDir(state))
	require.Contains(t, said.String(), "its data is in "+fallback)
	require.NoError(t, execute(t, p.MigrationURL(), `CREATE TABLE kept (n int)`))
	require.NoError(t, p.Stop(within(t)))
	require.DirExists(t, filepath.Join(fallback, "data"))
	require.NoError(t, Clean(within(t), nil))
	require.NoDirExists(t, fallback)
	require.NoDirExists(t, state)
}

// The account that made the data is the one that can read it: the first start
// may have been before the package made the user postgres.
func TestRootsServerRunsAsTheOwnerOfItsData(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server as another")
	}
	dir, err := os.MkdirTemp("", "devstack-test-") //nolint:usetesting // the server's account can't reach root's t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	start := func() *Postgres {
		p, err := StartPostgres(within(t), PostgresOptions{Dir: dir, Durable: true})
		require.NoError(t, err)
		t.Cleanup(func() { _ = p.Stop(context.Background()) })
		return p
	}
	first := start()
	require.NoError(t, execute(t, first.MigrationURL(), `CREATE TABLE kept (n int)`))
	require.NoError(t, first.Stop(within(t)))

	data := filepath.Join(dir, "data")
	stranger := "54321:54321" // an account without a name
	require.NoError(t, exec.CommandContext(t.Context(), "chown", "-R", stranger, data).Run())
	second := start()
	require.NoError(t, execute(t, second.MigrationURL(), `INSERT INTO kept VALUES (1)`))
	require.NoError(t, second.Stop(within(t)))

	require.NoError(t, os.Chown(data, 0, 0))
	_, err = StartPostgres(within(t), PostgresOptions{Dir: dir, Durable: true})
	require.ErrorContains(t, err, "belongs to root, as whom PostgreSQL does not run")
}

func TestTemporalKeepsWorkflowsAcrossARestart(t *testing.T) {
	t.Parallel()
	// The first time, the CLI has to be built.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	server, err := StartTemporal(ctx, TemporalOptions{Dir: filepath.Join(t.TempDir(), "deep"), File: true, Namespace: "elsewhere"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	temporal := func(args ...string) string {
		t.Helper()
		args = append(args, "--address", server.Address(), "--namespace", "elsewhere")
		out, err := exec.CommandContext(within(t), server.Binary(), args...).CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	temporal("workflow", "start", "--type", "Any", "--task-queue", "none", "--workflow-id", "kept",
		"--search-attribute", `GatehouseKind="request"`)
	address := server.Address()
	require.NoError(t, server.Pause(within(t)))
	require.Error(t, TemporalReady(within(t), address, "elsewhere"))
	require.NoError(t, server.Resume(within(t)))
	require.Equal(t, address, server.Address())
	require.Contains(t, temporal("workflow", "describe", "--workflow-id", "kept"), "Namespace             elsewhere")

	err = TemporalReady(within(t), address, "nowhere")
	require.ErrorContains(t, err, "DescribeNamespace")

	pid := server.PID()
	require.NoError(t, server.Stop(within(t)))
	require.True(t, gone(pid))
}

func TestTemporalWithoutADirectoryLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	server, err := StartTemporal(ctx, TemporalOptions{Headless: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	dir := filepath.Dir(server.LogPath())
	require.Equal(t, filepath.Clean(os.TempDir()), filepath.Dir(dir))
	require.True(t, strings.HasPrefix(filepath.Base(dir), temporaryPrefix+"temporal-"))
	require.FileExists(t, filepath.Join(dir, "temporal.lock"), "by which a sweep knows what a killed run left")
	require.NoError(t, server.Stop(within(t)))
	require.NoDirExists(t, dir)
	require.NoFileExists(t, "temporal.lock", "in the working directory")
}

func TestExecProvidesServers(t *testing.T) {
	t.Setenv(TestDatabaseVariable, "")
	t.Setenv(TestTemporalVariable, "")
	dir := t.TempDir()
	file := filepath.Join(dir, "found")
	code, err := Exec(t.Context(), []string{"sh", "-c",
		`"$` + BinaryVariable + `" operator namespace describe -n default --address "$` + TestTemporalVariable + `" >&2 && echo "$` + TestDatabaseVariable + `" >` + file})
	require.NoError(t, err)
	require.Zero(t, code)
	found, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(found), "postgres://postgres:"))
	_, err = query(t, strings.TrimSpace(string(found)), `SELECT 1`)
	require.Error(t, err, "the server ended with the command")
}
