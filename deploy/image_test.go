// Package deploy_test builds what the Dockerfile builds and runs it as the image
// would, where there is no Docker engine.
package deploy_test

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
	"gatehouse/store/storetest"
	"gatehouse/workflowclient/temporaltest"
)

// imageVariable has the image be built, which takes a minute or two; `make check`
// sets it.
const imageVariable = "GATEHOUSE_TEST_IMAGE"

// patience bounds what should not take long.
const patience = time.Minute

func TestMain(m *testing.M) {
	os.Exit(storetest.Run(temporal{m}))
}

// temporal runs tests with a Temporal.
type temporal struct{ m *testing.M }

func (t temporal) Run() int { return temporaltest.Run(t.m) }

// dockerfile is what the test understands of one.
type dockerfile struct {
	// env and run are of the first stage, from its ENV on; env has the defaults of
	// its arguments as well.
	env, run []string
	// copies are what the last stage takes over: from, to.
	copies [][2]string
	path   string
	// version is what the programs are told to be.
	version string
	user    uint32
	health  []string
}

var runOption = regexp.MustCompile(`--mount=\S+\s+`)

// readDockerfile fails on a line that it does not understand, so that no other
// thing is tested than what is there.
func readDockerfile(t *testing.T, file string) dockerfile {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var d dockerfile
	last := false
	for line := range strings.Lines(string(raw)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		fields := strings.Fields(rest)
		switch {
		case word == "" || word == "#" || word == "EXPOSE" || word == "CMD" || word == "WORKDIR" && rest == "/src":
		case word == "FROM":
			last = rest == "scratch"
			require.True(t, last || strings.HasSuffix(rest, " AS build"), line)
		case !last && word == "ENV":
			// Where a builder keeps what it has built is its own business.
			d.env = append(d.env, slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, "GOCACHE=") })...)
		case !last && word == "ARG" && strings.HasPrefix(rest, "VERSION="):
			d.env = append(d.env, rest)
			d.version = strings.TrimPrefix(rest, "VERSION=")
		case !last && word == "RUN" && len(d.env) > 0:
			d.run = append(d.run, runOption.ReplaceAllString(rest, ""))
		case !last && (word == "RUN" || word == "COPY"):
		case last && word == "COPY" && len(fields) == 3 && fields[0] == "--from=build":
			d.copies = append(d.copies, [2]string{fields[1], fields[2]})
		case last && word == "ENV" && len(fields) == 1:
			d.path = strings.TrimPrefix(rest, "PATH=")
		case last && word == "USER":
			name, _, _ := strings.Cut(rest, ":")
			id, err := strconv.ParseUint(name, 10, 32)
			require.NoError(t, err, "a number, since the image has no names")
			d.user = uint32(id)
		case last && word == "HEALTHCHECK":
			_, command, found := strings.Cut(rest, ` CMD ["`)
			require.True(t, found, line)
			d.health = strings.Split(strings.TrimSuffix(command, `"]`), `", "`)
		default:
			require.Fail(t, "a line that the test does not understand", line)
		}
	}
	require.NotEmpty(t, d.run)
	require.NotEmpty(t, d.copies)
	require.NotEmpty(t, d.version)
	require.NotZero(t, d.user, "root is nobody's user")
	return d
}

// sent is a copy of the checkout with just what the build is sent.
func sent(t *testing.T, root, ignore string) string {
	t.Helper()
	raw, err := os.ReadFile(ignore)
	require.NoError(t, err)
	patterns, err := ignorefile.ReadAll(bytes.NewReader(raw))
	require.NoError(t, err)
	matcher, err := patternmatcher.New(patterns)
	require.NoError(t, err)
	target := t.TempDir()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == ".git" || name == ".tools" || name == ".devstack"):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		if ignored, err := matcher.MatchesOrParentMatches(name); err != nil || ignored {
			return err
		}
		to := filepath.Join(target, name)
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	}))
	return target
}

// image is a directory with what the image holds.
type image struct {
	dockerfile
	root string
}

func build(t *testing.T) image {
	t.Helper()
	root, err := devstack.ModuleRoot()
	require.NoError(t, err)
	d := readDockerfile(t, "Dockerfile")
	source, out := sent(t, root, "Dockerfile.dockerignore"), t.TempDir()
	for _, line := range d.run {
		shell := exec.CommandContext(t.Context(), "/bin/sh", "-c", strings.ReplaceAll(line, " /out/", " "+out+"/"))
		shell.Dir, shell.Env = source, append(os.Environ(), d.env...)
		output, err := shell.CombinedOutput()
		require.NoError(t, err, "%s\n%s", line, output)
	}
	i := image{dockerfile: d, root: t.TempDir()}
	// t.TempDir is for nobody but its owner, and so is what is above it.
	for dir := i.root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	for _, c := range d.copies {
		from := c[0]
		if built, ok := strings.CutPrefix(from, "/out/"); ok {
			from = filepath.Join(out, built)
		}
		files := []string{from}
		if strings.HasSuffix(c[0], "/") {
			files, err = filepath.Glob(filepath.Join(from, "*"))
			require.NoError(t, err)
		}
		for _, file := range files {
			to := filepath.Join(i.root, c[1])
			if strings.HasSuffix(c[1], "/") {
				to = filepath.Join(to, filepath.Base(file))
			}
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
			require.NoError(t, os.WriteFile(to, content, 0o755))
		}
	}
	// A container has a /proc, and a worker reads its own program there.
	require.NoError(t, os.MkdirAll(filepath.Join(i.root, "proc/self"), 0o755))
	require.NoError(t, os.Symlink(filepath.Join(i.path, "worker"), filepath.Join(i.root, "proc/self/exe")))
	return i
}

// command runs a program of the image as its user and with nothing to see but the
// image, in which it can write nowhere. Only root can have it so; for another
// the program runs as it is.
func (i image) command(ctx context.Context, environ []string, name string, args ...string) *exec.Cmd {
	inside := filepath.Join(i.path, name)
	c := exec.CommandContext(ctx, filepath.Join(i.root, inside), args...)
	c.Env = append([]string{"PATH=" + i.path}, environ...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = patience
	if os.Geteuid() == 0 {
		c.Path, c.Dir = inside, "/"
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: i.user, Gid: i.user}}
	}
	return c
}

func TestTheProgramsRunAsTheImageHasThem(t *testing.T) {
	if os.Getenv(imageVariable) == "" {
		t.Skip("make check builds the image's programs")
	}
	i := build(t)
	total := int64(0)
	for _, name := range []string{"api", "worker", "migrate", "admin"} {
		path := filepath.Join(i.root, i.path, name)
		program, err := elf.Open(path)
		require.NoError(t, err)
		for _, segment := range program.Progs {
			require.NotEqual(t, elf.PT_INTERP, segment.Type, "%s is not static", name)
		}
		libraries, err := program.ImportedLibraries()
		require.NoError(t, err)
		require.Empty(t, libraries, name)
		require.NoError(t, program.Close())
		info, err := os.Stat(path)
		require.NoError(t, err)
		total += info.Size()
	}
	t.Logf("the programs have %d MB", total>>20)

	schema, namespace := storetest.EmptySchema(t), temporaltest.NewNamespace(t)
	listeners := map[string]string{"api": port(t), "worker": port(t)}
	environ := []string{
		"GATEHOUSE_DATABASE_URL=" + schema.AppURL, "GATEHOUSE_MIGRATION_DATABASE_URL=" + schema.MigrationURL,
		"GATEHOUSE_TEMPORAL_ADDRESS=" + namespace.Address, "GATEHOUSE_TEMPORAL_NAMESPACE=" + namespace.Name,
		"GATEHOUSE_API_ADDRESS=0.0.0.0:" + port(t),
		"GATEHOUSE_API_METRICS_ADDRESS=0.0.0.0:" + listeners["api"], "GATEHOUSE_WORKER_METRICS_ADDRESS=:" + listeners["worker"],
	}
	for _, args := range [][]string{{"migrate", "up"}, {"migrate", "temporal"}, {"admin", "identity", "list"}} {
		out, err := i.command(t.Context(), environ, args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, "%s\n%s", args, out)
	}
	require.Equal(t, []string{"api", "health"}, i.health)
	for _, name := range []string{"api", "worker"} {
		require.Error(t, i.command(t.Context(), environ, name, "health").Run(), "%s runs not yet", name)
		ctx, stop := context.WithCancel(t.Context())
		var log bytes.Buffer
		program := i.command(ctx, environ, name)
		program.Stderr = &log
		require.NoError(t, program.Start())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = program.Wait() // how it ended is in its state
		}()
		var out []byte
		healthy := false
		for until := time.Now().Add(patience); !healthy && time.Now().Before(until); {
			var err error
			out, err = i.command(t.Context(), environ, name, "health").CombinedOutput()
			healthy = err == nil
		}
		told := metrics(t, listeners[name])
		stop()
		<-ended // it tells that it was told to stop; how it ended is in its state
		require.True(t, healthy, "%s: %s\n%s", name, out, log.String())
		require.Contains(t, told, fmt.Sprintf("version=%q", i.version), name)
		require.Equal(t, 0, program.ProcessState.ExitCode(), log.String())
	}
}

// metrics returns what a program tells at a port, or nothing where none listens.
func metrics(t *testing.T, port string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/metrics", http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	told, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	return string(told)
}

func port(t *testing.T) string {
	t.Helper()
	free, err := devstack.FreePort()
	require.NoError(t, err)
	return fmt.Sprint(free)
}
