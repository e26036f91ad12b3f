package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
	"gatehouse/store"
)

// Pooled is the variable that has every schema be a database of its own, which
// the application reaches through a PgBouncer in transaction mode.
const Pooled = "GATEHOUSE_TEST_POOLER"

// poolSize is how many sessions a PgBouncer keeps for one database: fewer than a
// store has connections, so that they change hands.
const poolSize = 4

// pooler is a running PgBouncer.
type pooler struct {
	command *exec.Cmd
	dir     string
	port    int
}

// RequirePooler skips the test where there is no PgBouncer, and none to install.
func RequirePooler(t testing.TB) {
	t.Helper()
	if _, err := pgbouncer(t.Context()); err != nil {
		t.Skip("PgBouncer is not installed:", err)
	}
}

// pgbouncer finds the program; root on Debian and Ubuntu has it installed.
func pgbouncer(ctx context.Context) (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", errors.New("install the package pgbouncer")
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	install := exec.CommandContext(ctx, apt, "install", "-q", "-y", "--no-install-recommends", "pgbouncer") //nolint:gosec // the apt-get of PATH
	// RUNLEVEL keeps the package from starting the server that it installs.
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	if out, err := install.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Errorf("apt-get install pgbouncer: %w: %s", err, lines[len(lines)-1])
	}
	return exec.LookPath("/usr/sbin/pgbouncer")
}

// startPooler starts a PgBouncer before the server at base.
func startPooler(t testing.TB, base string) *pooler {
	t.Helper()
	program, err := pgbouncer(t.Context())
	require.NoError(t, err)
	at, err := url.Parse(base)
	require.NoError(t, err)
	p := &pooler{}
	p.port, err = devstack.FreePort()
	require.NoError(t, err)
	p.dir, err = os.MkdirTemp("", "gatehouse-pgbouncer-") //nolint:usetesting // it serves later tests as well
	require.NoError(t, err)
	// It does not run as root, and reads its files as whom it runs.
	require.NoError(t, os.Chmod(p.dir, 0o755)) //nolint:gosec // the passwords in it are no secrets
	users := filepath.Join(p.dir, "users.txt")
	require.NoError(t, os.WriteFile(users, fmt.Appendf(nil, "%q %q\n", appRole, password), 0o644)) //nolint:gosec // no secret
	settings := filepath.Join(p.dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = %s
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 1000
ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout
`, at.Hostname(), at.Port(), devstack.Loopback, p.port, users, poolSize)
	require.NoError(t, os.WriteFile(settings, []byte(text), 0o644)) //nolint:gosec // no secret
	args := []string{"-q", settings}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	// It lives longer than the test that starts it.
	p.command = exec.Command(program, args...) //nolint:gosec,noctx // see above
	p.command.Stderr = os.Stderr
	require.NoError(t, p.command.Start())
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.address())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, startTimeout, 20*time.Millisecond, "PgBouncer does not listen")
	return p
}

func (p *pooler) address() string { return fmt.Sprintf("%s:%d", devstack.Loopback, p.port) }

// stop ends the pooler and cuts what goes through it.
func (p *pooler) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	_ = p.command.Wait()
	_ = os.RemoveAll(p.dir)
}

// emptyDatabase makes a database without tables whose application comes through a
// pooler, and drops it when the test ends. A pooler keeps no search path, so a
// schema would not do.
func emptyDatabase(t testing.TB, admin *sql.DB, base string) Schema {
	t.Helper()
	server.Lock()
	if server.pooler == nil {
		server.pooler = startPooler(t, base)
	}
	pooled := server.pooler.address()
	server.Unlock()
	name := newName()
	run := func(statements ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stopTimeout)
		defer cancel()
		for _, statement := range statements {
			_, err := admin.ExecContext(ctx, statement)
			require.NoError(t, err)
		}
	}
	run("CREATE DATABASE "+name+" OWNER "+ownerRole+" TEMPLATE template0", "GRANT CONNECT ON DATABASE "+name+" TO "+appRole)
	t.Cleanup(func() { run("DROP DATABASE " + name + " WITH (FORCE)") })
	at := func(host string, user *url.Userinfo) string {
		u, err := url.Parse(base)
		require.NoError(t, err)
		u.Path = "/" + name
		if host != "" {
			u.Host = host
		}
		if user != nil {
			u.User = user
		}
		return u.String()
	}
	schema := Schema{
		Name: "public", AppRole: appRole,
		AdminURL:     at("", nil),
		MigrationURL: at("", url.UserPassword(ownerRole, password)),
		AppURL:       at(pooled, url.UserPassword(appRole, password)),
	}
	ours, err := sql.Open("pgx", schema.AdminURL)
	require.NoError(t, err)
	_, err = ours.ExecContext(t.Context(), "ALTER SCHEMA public OWNER TO "+ownerRole)
	require.NoError(t, errors.Join(err, ours.Close()))
	require.NoError(t, store.BoundSessions(t.Context(), schema.AppURL, statementTimeout))
	return schema
}

// Reconnect has the pooler open new sessions to the database of the schema.
func Reconnect(ctx context.Context, schema Schema) error {
	admin, err := sql.Open("pgx", schema.AdminURL)
	if err != nil {
		return err
	}
	_, err = admin.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1", schema.AppRole)
	return errors.Join(err, admin.Close())
}
