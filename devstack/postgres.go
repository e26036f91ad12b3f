package devstack

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The database and the roles of a private cluster. The owner runs migrations;
// the application's role can change rows and nothing else, once migrations have
// granted it that.
const (
	Database      = "gatehouse"
	SuperuserRole = "postgres"
	OwnerRole     = "gatehouse_owner"
	AppRole       = "gatehouse_app"
)

// PostgresOptions say how a private Postgres is run.
type PostgresOptions struct {
	// Dir takes the cluster and its log; it is made if need be. Empty stands
	// for a temporary directory.
	Dir string
	// Port on loopback; 0 stands for a free one.
	Port int
	// Durable keeps every commit and, after Stop, the data. Otherwise fsync is
	// off and Stop removes the data: right for tests, wrong for everything else.
	Durable bool
	// LogPath takes the server's log; empty stands for postgres.log in Dir.
	LogPath string
	// Log is told in one line each what the caller's terminal should see, as
	// that the package is being installed; nil for silence.
	Log io.Writer
}

// Postgres is a running private Postgres.
type Postgres struct {
	*Process
	port int
	// binaries is the directory of PostgreSQL's programs.
	binaries string
	secrets  postgresSecrets
	durable  bool
	// remove is what Stop removes.
	remove []string
	lock   *fileLock
}

// postgresSecrets are the passwords of the roles.
type postgresSecrets struct {
	Superuser string `json:"superuser"`
	Owner     string `json:"owner"`
	App       string `json:"app"`
}

const (
	startPostgresTimeout = 90 * time.Second // recovery after a crash included
	stopPostgresGrace    = 30 * time.Second
)

// StartPostgres starts a private Postgres and returns when it takes
// connections. The first start makes the cluster, the database and the roles;
// later ones find them. PostgreSQL is searched for on PATH, through pg_config
// and in the usual places; on Debian and Ubuntu root has it installed. As root
// the server runs as the user postgres or nobody, and where that user can't
// reach Dir the data lies elsewhere, which Log is told.
//
// A server that an earlier, killed run left behind in Dir is ended first. Only
// one process at a time may have a server in Dir.
func StartPostgres(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	say := sayTo(o.Log)
	var err error
	if o.Dir != "" {
		if o.Dir, err = filepath.Abs(o.Dir); err != nil {
			return nil, err
		}
	}
	binaries, account, err := obtainPostgres(ctx, o.Dir, say)
	if err != nil {
		return nil, err
	}
	p := &Postgres{durable: o.Durable, binaries: binaries.dir}
	dir, err := p.place(ctx, o, account, say)
	if err != nil {
		return nil, err
	}
	p.lock, err = tryLock(filepath.Join(dir, "postgres.lock"))
	if err != nil {
		return nil, fmt.Errorf("Postgres in %s is in use: %w", dir, err)
	}
	cluster := &cluster{binaries: binaries, data: filepath.Join(dir, "data"), account: account, durable: o.Durable}
	if err := p.start(ctx, o, dir, cluster, say); err != nil {
		return nil, errors.Join(err, p.discard())
	}
	return p, nil
}

// place finds a directory that the server's account can reach: the one with the
// data of an earlier start, if there is one.
func (p *Postgres) place(ctx context.Context, o PostgresOptions, account *osUser, say sayFunc) (string, error) {
	if o.Dir != "" {
		if err := makeEnterable(o.Dir); err != nil {
			return "", err
		}
		home, fallback := clusterHome(o.Dir), postgresFallback(o.Dir)
		if home != fallback && canEnter(ctx, o.Dir, account) {
			return o.Dir, nil
		}
		if o.Durable {
			if home == o.Dir {
				return "", fmt.Errorf("user %s can't enter %s any more, where its data is: let them, or remove the data with `make clean-state`", account.name, o.Dir)
			}
			if err := errors.Join(makeEnterable(fallbackRoot), makeEnterable(fallback)); err != nil {
				return "", err
			}
			if !canEnter(ctx, fallback, account) {
				return "", fmt.Errorf("user %s can enter neither %s nor %s", account.name, o.Dir, fallback)
			}
			say("Postgres runs as %s, who can't enter %s: its data is in %s (make clean-state removes it too)", account.name, o.Dir, fallback)
			return fallback, nil
		}
	}
	var faults []error
	for _, parent := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		dir, err := os.MkdirTemp(parent, temporaryPrefix+"postgres-")
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if err := makeEnterable(dir); err != nil {
			return "", err
		}
		if canEnter(ctx, dir, account) {
			p.remove = append(p.remove, dir)
			return dir, nil
		}
		_ = os.Remove(dir)
		faults = append(faults, fmt.Errorf("user %s can't enter %s", account.name, parent))
	}
	return "", errors.Join(faults...)
}

// makeEnterable makes a directory that others may enter, whatever the umask;
// secrets in it have modes of their own. Only root runs the server as another.
func makeEnterable(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	return os.Chmod(dir, info.Mode().Perm()|0o111)
}

// fallbackRoot holds the data of clusters whose own place the server's account
// can't reach.
const fallbackRoot = "/var/lib/gatehouse-devstack"

// postgresFallback is where the data of dir lies if the server's account can't
// reach dir. It follows from dir alone, so that it is found again.
func postgresFallback(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(fallbackRoot, hex.EncodeToString(sum[:6]))
}

// clusterHome is where an earlier start with dir left its data; empty if
// nowhere.
func clusterHome(dir string) string {
	for _, home := range []string{dir, postgresFallback(dir)} {
		if dir != "" && clusterVersion(filepath.Join(home, "data")) != 0 {
			return home
		}
	}
	return ""
}

func (p *Postgres) start(ctx context.Context, o PostgresOptions, dir string, cluster *cluster, say sayFunc) error {
	pidPath := filepath.Join(dir, "postgres.pid")
	if err := endLeftover(ctx, pidPath, syscall.SIGINT, stopPostgresGrace, say); err != nil {
		return err
	}
	var err error
	p.secrets, err = cluster.prepare(ctx, filepath.Join(dir, "postgres.secrets.json"), say)
	if err != nil {
		return err
	}
	if o.LogPath == "" {
		o.LogPath = filepath.Join(dir, "postgres.log")
	}
	if !o.Durable && o.Dir != "" {
		p.remove = append(p.remove, cluster.data, filepath.Join(dir, "postgres.secrets.json"))
	}
	return p.listen(ctx, o, cluster, pidPath, say)
}

// listen starts the server. A free port may be taken by someone else before the
// server has it, so that case is tried again with another.
func (p *Postgres) listen(ctx context.Context, o PostgresOptions, cluster *cluster, pidPath string, say sayFunc) error {
	for attempt := 1; ; attempt++ {
		p.port = o.Port
		if o.Port == 0 {
			port, err := FreePort()
			if err != nil {
				return err
			}
			p.port = port
		}
		p.Process = newProcess(spec{
			name:    "postgres",
			logPath: o.LogPath,
			pidPath: pidPath,
			command: command{
				path: filepath.Join(cluster.binaries.dir, "postgres"),
				args: serverArgs(cluster.data, p.port, o.Durable),
				env:  plainEnviron(), dir: "/", user: cluster.account,
				// Fast shutdown; the smart one would wait for clients.
				deathSignal: syscall.SIGINT,
			},
			ready: func(_ context.Context, pid int) error {
				return postmasterReady(filepath.Join(cluster.data, "postmaster.pid"), pid)
			},
			stopSignal: syscall.SIGINT,
			grace:      stopPostgresGrace,
			say:        say,
		})
		limited, cancel := context.WithTimeout(ctx, startPostgresTimeout)
		err := p.Process.Start(limited)
		cancel()
		if err == nil || o.Port != 0 || attempt == 5 || ctx.Err() != nil || checkPort(hostPort(p.port)) == nil {
			return err
		}
	}
}

// serverArgs are the settings of the server. Two hundred connections, because
// the tests of many packages share one server.
func serverArgs(data string, port int, durable bool) []string {
	settings := []string{
		"listen_addresses=" + Loopback,
		"unix_socket_directories=",
		"max_connections=200",
		"password_encryption=scram-sha-256",
		"log_timezone=UTC",
		"timezone=UTC",
		"log_line_prefix=%m [%p] %u@%d ",
		"log_lock_waits=on",
		"logging_collector=off",
		"log_destination=stderr",
	}
	if !durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum_naptime=10s")
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// Port is the port on loopback.
func (p *Postgres) Port() int { return p.port }

// Program is the path of a program that came with the server, such as pg_dump. Only
// those that make and run a cluster may be linked to elsewhere.
func (p *Postgres) Program(name string) string {
	server, err := filepath.EvalSymlinks(filepath.Join(p.binaries, "postgres"))
	if err != nil {
		return filepath.Join(p.binaries, name)
	}
	return filepath.Join(filepath.Dir(server), name)
}

// URL connects as superuser to the database gatehouse: for the launcher and for
// tests that make databases of their own.
func (p *Postgres) URL() string { return p.url(SuperuserRole, p.secrets.Superuser) }

// MigrationURL connects as the owner of the database gatehouse.
func (p *Postgres) MigrationURL() string { return p.url(OwnerRole, p.secrets.Owner) }

// AppURL connects as the role of the application, which has no DDL.
func (p *Postgres) AppURL() string { return p.url(AppRole, p.secrets.App) }

func (p *Postgres) url(role, password string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password), Host: hostPort(p.port),
		Path: "/" + Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Pause stops the server and keeps its data, as a fault that Resume ends.
func (p *Postgres) Pause(ctx context.Context) error { return p.Process.Stop(ctx) }

// Resume starts the server again after Pause or Kill, on the same port and data.
func (p *Postgres) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPostgresTimeout)
	defer cancel()
	return p.Process.Start(ctx)
}

// Stop stops the server for good. Connections are cut. Unless it is durable its
// data is removed.
func (p *Postgres) Stop(ctx context.Context) error {
	err := p.Process.Stop(ctx)
	return errors.Join(err, p.discard())
}

func (p *Postgres) discard() error {
	var faults []error
	if !p.durable {
		for _, path := range p.remove {
			faults = append(faults, os.RemoveAll(path))
		}
	}
	p.lock.release()
	return errors.Join(faults...)
}

// clusterVersion is the major version that made the cluster; 0 if there is none.
func clusterVersion(data string) int {
	raw, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(strings.TrimSpace(string(raw)))
	return major
}

// postmasterReady reads what the server tells about itself: its number in the
// first line of its file and its state in the eighth.
func postmasterReady(path string, pid int) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var lines []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, strings.TrimSpace(scanner.Text()))
	}
	switch {
	case len(lines) < 8:
		return errors.New("it is starting")
	case lines[0] != strconv.Itoa(pid):
		return fmt.Errorf("%s is of process %s", path, lines[0])
	case lines[7] != "ready":
		return fmt.Errorf("it is %s", lines[7])
	}
	return nil
}

// cluster is a data directory and what works on it.
type cluster struct {
	binaries postgresBinaries
	data     string
	account  *osUser
	durable  bool
}

// prepare makes the cluster, the roles and the database where they are missing
// and returns the passwords. The file of secrets is written last: where it is
// missing, because the first start was cut short, the steps are done again.
func (c *cluster) prepare(ctx context.Context, secretsPath string, say sayFunc) (postgresSecrets, error) {
	var secrets postgresSecrets
	if clusterVersion(c.data) == 0 {
		if err := c.initialize(ctx); err != nil {
			return secrets, err
		}
		_ = os.Remove(secretsPath)
	}
	if err := c.dropStalePID(say); err != nil {
		return secrets, err
	}
	raw, err := os.ReadFile(secretsPath)
	if err == nil {
		if err := json.Unmarshal(raw, &secrets); err != nil {
			return secrets, fmt.Errorf("%s: %w", secretsPath, err)
		}
		return secrets, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return secrets, err
	}
	secrets = postgresSecrets{Superuser: rand.Text(), Owner: rand.Text(), App: rand.Text()}
	if err := c.createRoles(ctx, secrets); err != nil {
		return secrets, err
	}
	raw, err = json.Marshal(secrets)
	if err != nil {
		return secrets, err
	}
	return secrets, os.WriteFile(secretsPath, raw, 0o600)
}

// initialize makes the cluster beside its place and moves it there when it is
// whole.
func (c *cluster) initialize(ctx context.Context) error {
	fresh := c.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := c.own(fresh); err != nil {
		return err
	}
	args := []string{"-D", fresh, "--username=" + SuperuserRole, "--encoding=UTF8", "--locale=C", "--auth=trust"}
	if !c.durable {
		args = append(args, "--no-sync")
	}
	out, err := runCommand(ctx, command{
		path: filepath.Join(c.binaries.dir, "initdb"), args: args,
		env: plainEnviron(), dir: "/", user: c.account,
	})
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, lastLines(out, 8))
	}
	access := filepath.Join(fresh, "pg_hba.conf")
	if err := os.WriteFile(access, []byte("host all all 127.0.0.1/32 scram-sha-256\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, c.data)
}

// own hands a path to the account that the server runs under.
func (c *cluster) own(path string) error {
	if c.account == nil {
		return nil
	}
	return os.Chown(path, int(c.account.uid), int(c.account.gid))
}

// dropStalePID removes the server's own file when the process it names is a
// stranger: the server would take any living process of its user for itself.
func (c *cluster) dropStalePID(say sayFunc) error {
	path := filepath.Join(c.data, "postmaster.pid")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && strings.Contains(commandLine(pid), c.data) {
		return nil // it runs, and will say so
	}
	say("Postgres was not stopped last time; it recovers")
	return os.Remove(path)
}

// createRoles runs the server in single-user mode, where no password is needed
// because nobody else can connect. Each line is one statement.
func (c *cluster) createRoles(ctx context.Context, secrets postgresSecrets) error {
	role := func(name string) string {
		return "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" + name + "') THEN CREATE ROLE " + name + "; END IF; END $$;"
	}
	password := func(name, secret string) string {
		return "ALTER ROLE " + name + " LOGIN PASSWORD '" + secret + "';"
	}
	if err := c.single(ctx, "postgres",
		role(OwnerRole), role(AppRole),
		password(SuperuserRole, secrets.Superuser), password(OwnerRole, secrets.Owner), password(AppRole, secrets.App),
		"CREATE DATABASE "+Database+" OWNER "+OwnerRole+";",
		"REVOKE ALL ON DATABASE "+Database+" FROM PUBLIC;",
		"GRANT CONNECT ON DATABASE "+Database+" TO "+AppRole+";",
	); err != nil {
		return err
	}
	return c.single(ctx, Database,
		"REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
		"ALTER SCHEMA public OWNER TO "+OwnerRole+";")
}

func (c *cluster) single(ctx context.Context, database string, statements ...string) error {
	out, err := runCommand(ctx, command{
		path: filepath.Join(c.binaries.dir, "postgres"),
		args: []string{"--single", "-D", c.data, "-c", "password_encryption=scram-sha-256", "-c", "log_statement=none", "-c", "log_min_error_statement=panic", database},
		env:  plainEnviron(), dir: "/", user: c.account,
		stdin: strings.NewReader(strings.Join(statements, "\n") + "\n"),
	})
	if err != nil {
		return fmt.Errorf("postgres --single: %w\n%s", err, lastLines(out, 8))
	}
	for line := range strings.Lines(out) {
		if (strings.Contains(line, "ERROR:") || strings.Contains(line, "FATAL:")) &&
			!strings.Contains(line, `database "`+Database+`" already exists`) {
			return fmt.Errorf("postgres --single: %s", strings.TrimSpace(line))
		}
	}
	return nil
}
