package devstack

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckPorts(t *testing.T) {
	t.Parallel()
	taken, alsoTaken := listen(t), listen(t)
	free, err := FreePort()
	require.NoError(t, err)
	require.NoError(t, checkPorts([]portUse{{"API", "A", hostPort(free)}}))
	require.NoError(t, checkPort(hostPort(free)), "looking at a port does not take it")

	err = checkPorts([]portUse{
		{"API", "A", Loopback + ":" + taken},
		{"worker", "B", hostPort(free)},
		{"metrics", "C", hostPort(free)},
		{"Web UI", "D", Loopback + ":" + alsoTaken},
		{"gate", "E", "0.0.0.0:8080"},
		{"fence", "F", "8080"},
		{"hedge", "G", "127.0.0.1:http"},
		{"wall", "H", "127.0.0.1:70000"},
	})
	require.Error(t, err)
	require.Equal(t, []string{
		"port " + taken + " for the API is taken: end what listens there or set A to another",
		fmt.Sprintf("port %d is wanted by the worker and by the metrics: set B or C to another", free),
		"port " + alsoTaken + " for the Web UI is taken: end what listens there or set D to another",
		`E: "0.0.0.0" is not a loopback address, and this stack with its known demo secrets listens on loopback only`,
		`F: "8080" is not host:port`,
		`G: "http" is not a port between 1 and 65535`,
		`H: "70000" is not a port between 1 and 65535`,
	}, strings.Split(err.Error(), "\n"))
}

func TestStartNamesEveryTakenPortAndStartsNothing(t *testing.T) {
	t.Parallel()
	api, worker, temporal := listen(t), listen(t), listen(t)
	var port int
	_, err := fmt.Sscan(temporal, &port)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "state")
	_, err = Start(within(t), Options{
		Dir: dir, APIAddress: Loopback + ":" + api, WorkerMetricsAddress: Loopback + ":" + worker, TemporalPort: port,
	})
	require.ErrorContains(t, err, "port "+api+" for the API is taken")
	require.ErrorContains(t, err, "set GATEHOUSE_API_ADDRESS to another")
	require.ErrorContains(t, err, "port "+worker+" for the metrics of the worker is taken")
	require.ErrorContains(t, err, "port "+temporal+" for the Temporal server is taken")
	require.NoDirExists(t, filepath.Join(dir, "bin"))
	require.NoDirExists(t, filepath.Join(dir, "postgres"))
	lock, err := tryLock(filepath.Join(dir, "lock"))
	require.NoError(t, err, "the directory is free again")
	lock.release()
}

func TestStartLooksForPostgresBeforeItBuilds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, claimDir(dir))
	data := filepath.Join(postgresDir(dir), "data")
	require.NoError(t, os.MkdirAll(data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("99\n"), 0o600))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(data, 65534, 65534))
	}
	_, err := Start(within(t), Options{Dir: dir})
	require.ErrorContains(t, err, "the data was written by PostgreSQL 99, which is not installed")
	require.NoDirExists(t, filepath.Join(dir, "bin"))
}

func TestStartRefusesADirectoryInUse(t *testing.T) {
	t.Parallel()
	t.Run("by someone else's files", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600))
		_, err := Start(within(t), Options{Dir: dir})
		require.ErrorContains(t, err, "is not empty and was not made by devstack")
		require.NoFileExists(t, filepath.Join(dir, marker))
	})
	t.Run("by another stack", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, claimDir(dir))
		lock, err := tryLock(filepath.Join(dir, "lock"))
		require.NoError(t, err)
		defer lock.release()
		_, err = Start(within(t), Options{Dir: dir})
		require.ErrorContains(t, err, "a stack runs already in "+dir)
	})
}

func TestOptionsFromEnvNamesEveryBadPort(t *testing.T) {
	t.Setenv(variablePostgresPort, "0")
	t.Setenv(variableTemporalPort, "seven")
	t.Setenv(variableUIPort, "18233")
	o, err := OptionsFromEnv(nil)
	require.EqualError(t, err, `GATEHOUSE_DEV_POSTGRES_PORT: "0" is not a port between 1 and 65535
GATEHOUSE_DEV_TEMPORAL_PORT: "seven" is not a port between 1 and 65535`)
	require.Equal(t, 18233, o.TemporalUIPort)
}

// TestEverySettingIsDocumented holds the table of docs/development.md against
// the variables that stand in the package, and their defaults.
func TestEverySettingIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/development.md")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| .+ \\| (.+) \\| `(GATEHOUSE_[A-Z_]+)` \\|$").FindAllStringSubmatch(string(text), -1) {
		documented[row[2]] = row[1]
	}
	elsewhere := []string{variableDemo, variableMailSecurity, variableHookHTTP, variableHookNetworks, TestDatabaseVariable, TestTemporalVariable} // what the launcher sets
	for _, variable := range elsewhere {
		require.Contains(t, string(text), "`"+variable+"`")
	}
	require.ElementsMatch(t, variablesOfThePackage(t), append(elsewhere, slices.Collect(maps.Keys(documented))...))

	for variable := range documented {
		t.Setenv(variable, "")
	}
	o, err := OptionsFromEnv(nil)
	require.NoError(t, err)
	root, err := ModuleRoot()
	require.NoError(t, err)
	for variable, value := range map[string]string{
		variableAPI: o.APIAddress, variableAPIMetrics: o.APIMetricsAddress, variableWorkerMetrics: o.WorkerMetricsAddress,
		variableTemporalPort: strconv.Itoa(o.TemporalPort), variableUIPort: strconv.Itoa(o.TemporalUIPort),
		variableMailPort: strconv.Itoa(o.MailPort), variableMailUIPort: strconv.Itoa(o.MailUIPort),
		variablePostgresPort: strconv.Itoa(o.PostgresPort), variableDir: strings.TrimPrefix(o.Dir, root+"/"),
		variableNamespace: DefaultNamespace,
	} {
		require.Equal(t, documented[variable], value, variable)
	}
}

// variablesOfThePackage are the names of ours that stand in its code.
func variablesOfThePackage(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`"(GATEHOUSE_[A-Z_]+)"`).FindAllStringSubmatch(string(source), -1) {
			found[name[1]] = true
		}
	}
	return slices.Collect(maps.Keys(found))
}

// A stack of the caller's own servers and of programs that are ready built: what
// is left is the order, the variables and the end.
func TestStackOrder(t *testing.T) {
	t.Parallel()
	bin, dir, said := t.TempDir(), filepath.Join(t.TempDir(), "state"), &transcript{}
	trace := filepath.Join(bin, "trace")
	script := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text), 0o700))
	}
	script("migrate", `echo "migrate $1 $GATEHOUSE_MIGRATION_DATABASE_URL" >>`+trace+"\n")
	script("api", `echo "api" >>`+trace+"; echo 'api: bad setting'; exit 4\n")
	_, err := Start(within(t), Options{
		Dir: dir, BinDir: bin, Log: said,
		DatabaseURL: "postgres://app@db.example/x", MigrationURL: "postgres://owner@db.example/x",
		TemporalAddress: "temporal.example:7233",
	})
	require.ErrorContains(t, err, "api ended before it was ready (exit status 4)")
	require.ErrorContains(t, err, "api: bad setting")
	traced, err := os.ReadFile(trace)
	require.NoError(t, err)
	require.Equal(t, `migrate up postgres://owner@db.example/x
migrate temporal postgres://owner@db.example/x
api
`, string(traced))
	require.Contains(t, said.String(), "using the Postgres that GATEHOUSE_DATABASE_URL names")
	require.Contains(t, said.String(), "using the Temporal that GATEHOUSE_TEMPORAL_ADDRESS names")

	script("migrate", "echo no such table; exit 9\n")
	_, err = Start(within(t), Options{Dir: dir, BinDir: bin, DatabaseURL: "postgres://x", TemporalAddress: "x:1"})
	require.ErrorContains(t, err, "migrate up: exit status 9")
	require.ErrorContains(t, err, "no such table")
}

func TestEnvFileIsPrivateAndReadableByAShell(t *testing.T) {
	t.Parallel()
	s := &Stack{options: Options{
		Dir: t.TempDir(), APIAddress: "127.0.0.1:1", APIMetricsAddress: "127.0.0.1:2", WorkerMetricsAddress: "127.0.0.1:3",
		DatabaseURL: "postgres://app:it's a $secret`@db/x", MigrationURL: "postgres://owner@db/x",
		TemporalAddress: "temporal:7233", Namespace: "default", Demo: true,
	}, apis: []listening{{api: "127.0.0.1:1"}}}
	path := filepath.Join(s.Dir(), "env")
	require.NoError(t, s.writeEnv(path))
	require.NoError(t, s.writeEnv(path), "an older one is replaced")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", `set -eu; . "$1"; echo "$GATEHOUSE_DATABASE_URL"; echo "$GATEHOUSE_DEMO $GATEHOUSE_API_ADDRESS $GATEHOUSE_API_METRICS_ADDRESS $GATEHOUSE_WORKER_METRICS_ADDRESS"; echo "$GATEHOUSE_MIGRATION_DATABASE_URL $GATEHOUSE_TEMPORAL_ADDRESS $GATEHOUSE_TEMPORAL_NAMESPACE $TEMPORAL_ADDRESS"`, "sh", path).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "postgres://app:it's a $secret`@db/x\ntrue 127.0.0.1:1 127.0.0.1:2 127.0.0.1:3\npostgres://owner@db/x temporal:7233 default temporal:7233\n", string(out))
}

func TestTableTellsWhereThingsAre(t *testing.T) {
	t.Parallel()
	s := &Stack{options: Options{
		Dir: "/state", APIAddress: "127.0.0.1:8080", APIMetricsAddress: "127.0.0.1:9464", WorkerMetricsAddress: "127.0.0.1:9465",
		Namespace: "default",
	}, Temporal: &Temporal{port: 7233, uiPort: 8233, binary: "/usr/bin/temporal"}, Postgres: &Postgres{port: 5433}, Mail: &Mail{address: "127.0.0.1:2525", url: "http://127.0.0.1:8025"}}
	table := s.table("/state/env")
	for _, want := range []string{
		"http://127.0.0.1:8080/docs", "http://127.0.0.1:9464/metrics", "http://127.0.0.1:9465/metrics", "127.0.0.1:7233",
		"http://127.0.0.1:8233", "127.0.0.1:5433", "http://127.0.0.1:8025", "127.0.0.1:2525", "/state/log", "/state/env", "/usr/bin/temporal",
		"demo-NAME-secret", "sub.admin", "client_id=demo-admin",
	} {
		require.Contains(t, table, want)
	}
	require.NotRegexp(t, `(?m) $`, table)
	require.NotContains(t, table, "%!")
}

func TestWorthTelling(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		`{"time":"x","level":"INFO","msg":"ready"}`:  false,
		`{"time":"x","level":"DEBUG","msg":"ready"}`: false,
		`time=x level=INFO msg=ready`:                false,
		``:                                           false,
		`{"time":"x","level":"WARN","msg":"slow"}`:   true,
		`time=x level=ERROR msg=broken`:              true,
		`panic: runtime error: index out of range`:   true,
	} {
		require.Equal(t, want, worthTelling(line), line)
	}
}

func TestClean(t *testing.T) {
	t.Run("removes what a stack left", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		t.Setenv(variableDir, dir)
		require.NoError(t, claimDir(dir))
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "postgres", "data"), 0o750))
		require.NoError(t, Clean(within(t), nil))
		require.NoDirExists(t, dir)
		require.NoError(t, Clean(within(t), nil), "nothing to remove is no fault")
	})
	t.Run("leaves alone what is not a stack's", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv(variableDir, dir)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600))
		require.ErrorContains(t, Clean(within(t), nil), "was not made by devstack")
		require.FileExists(t, filepath.Join(dir, "thesis.txt"))
	})
	t.Run("leaves a running stack alone", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv(variableDir, dir)
		require.NoError(t, claimDir(dir))
		lock, err := tryLock(filepath.Join(dir, "lock"))
		require.NoError(t, err)
		defer lock.release()
		require.ErrorContains(t, Clean(within(t), nil), "stop it first")
		require.DirExists(t, dir)
	})
}

func TestReadPin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "go.mod")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(`module gatehouse/tools/x

tool example.com/a/b/v2/cmd/b // the tool

require example.com/a v0.1.0
require (
	example.com/a/b/v2 v2.3.4 // indirect
	example.com/z v9.9.9
)
`)
	found, err := readPin(file)
	require.NoError(t, err)
	require.Equal(t, pin{"example.com/a/b/v2/cmd/b", "v2.3.4"}, found)
	write("module x\n")
	_, err = readPin(file)
	require.ErrorContains(t, err, "has no tool line")
	write("module x\ntool example.com/a\nrequire example.com/b v1.0.0\n")
	_, err = readPin(file)
	require.ErrorContains(t, err, "requires no module that holds example.com/a")

	root, err := ModuleRoot()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, "tools", "*", "go.mod"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		_, err := readPin(file)
		require.NoError(t, err)
	}
}

func TestToolIsBuiltOnceByWhoeverComesFirst(t *testing.T) {
	t.Parallel()
	root, said := t.TempDir(), &transcript{}
	source := filepath.Join(root, "tools", "greet")
	require.NoError(t, os.MkdirAll(source, 0o750))
	for name, text := range map[string]string{
		"go.mod":  "module gatehouse/tools/greet\n\ngo 1.26\n\ntool gatehouse/tools/greet\n",
		"main.go": "package main\n\nfunc main() { println(\"hello\") }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(source, name), []byte(text), 0o600))
	}
	paths := make([]string, 4)
	var group sync.WaitGroup
	for i := range paths {
		group.Go(func() {
			path, err := Tool(within(t), root, "greet", said)
			if err == nil {
				paths[i] = path
			}
		})
	}
	group.Wait()
	for _, path := range paths {
		require.Equal(t, paths[0], path)
	}
	require.Equal(t, 1, strings.Count(said.String(), "building greet src"))
	out, err := exec.CommandContext(t.Context(), paths[0]).CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "hello\n", string(out))

	require.NoError(t, os.WriteFile(filepath.Join(source, "main.go"), []byte("package main\n\nfunc main() { nonsense }\n"), 0o600))
	_, err = Tool(within(t), root, "greet", nil)
	require.ErrorContains(t, err, "undefined: nonsense")
}

func TestExec(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Run("passes the exit code on", func(t *testing.T) {
		t.Setenv(TestDatabaseVariable, "given")
		t.Setenv(TestTemporalVariable, "given")
		code, err := Exec(within(t), []string{"sh", "-c", `test "$` + TestDatabaseVariable + `" = given && exit 7`})
		require.NoError(t, err)
		require.Equal(t, 7, code)
		code, err = Exec(within(t), []string{"sh", "-c", `kill -9 $$`})
		require.NoError(t, err)
		require.Equal(t, 128+int(syscall.SIGKILL), code)
		_, err = Exec(within(t), []string{"no-such-program"})
		require.Error(t, err)
	})
	t.Run("the end of the context ends the command with all that it started", func(t *testing.T) {
		t.Setenv(TestDatabaseVariable, "given")
		t.Setenv(TestTemporalVariable, "given")
		file := filepath.Join(t.TempDir(), "pid")
		ctx, cancel := context.WithCancel(within(t))
		var pid int
		go func() {
			_ = waitUntil(ctx, func() bool {
				raw, err := os.ReadFile(file)
				if err != nil {
					return false
				}
				n, _ := fmt.Sscanln(string(raw), &pid)
				return n == 1
			})
			cancel()
		}()
		code, err := Exec(ctx, []string{"sh", "-c", `sleep 1000 & echo $! >` + file + `; wait`})
		require.NoError(t, err)
		require.NotZero(t, code)
		require.NotZero(t, pid)
		eventually(t, "the grandchild's end", func() bool { return gone(pid) })
	})
	t.Run("removes its directory", func(t *testing.T) {
		entries, err := os.ReadDir(os.TempDir())
		require.NoError(t, err)
		require.Empty(t, entries)
	})
}
