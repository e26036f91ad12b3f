package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
)

// roleVariable makes the test binary play the program itself.
const roleVariable = "GATEHOUSE_TEST_PLAYS_DEVSTACK"

const (
	// upTimeout bounds a start, the build of the programs included.
	upTimeout = 10 * time.Minute
	// stepTimeout bounds everything else.
	stepTimeout = 2 * time.Minute
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestUp is the life of `make run`: up, Ctrl-C, and up again on what was kept.
func TestUp(t *testing.T) {
	t.Parallel()
	home := newHome(t)

	first := home.up(t)
	require.Contains(t, first.said(), home.api+"/docs")
	info, err := os.Stat(home.file("env"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds passwords")
	people, fieldOps := home.people(t), home.fieldOps(t)
	require.Equal(t, "5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614", people["jane.doe"], "the same on every machine")
	require.Equal(t, "8f79c642-da6a-5b78-abf3-2016468ad2ab with sub.admin", fieldOps)
	source := home.newSource(t, people)
	home.anotherWorker(t)
	first.killWorker(t)
	first.end(t, syscall.SIGTERM)

	second := home.up(t)
	require.Equal(t, people, home.people(t))
	require.Equal(t, fieldOps, home.fieldOps(t))
	status, body := home.call(t, http.MethodGet, "/v3/non-employee-sources/"+source, home.signIn(t, "admin").Token, "", "")
	require.Equal(t, http.StatusOK, status, "%s", body)
	second.end(t, os.Interrupt)
}

// home is a directory for the state, and the addresses of what runs there.
type home struct {
	dir, api string
	// addresses are all that a stack listens on.
	addresses []string
	environ   []string
}

func newHome(t *testing.T) *home {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-up-") //nolint:usetesting // the database's account can't reach root's t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := &home{dir: dir}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GATEHOUSE_") || strings.HasPrefix(variable, devstack.BinaryVariable+"=") {
			h.environ = append(h.environ, variable)
		}
	}
	taken := map[int]bool{}
	port := func() string {
		for {
			port, err := devstack.FreePort()
			require.NoError(t, err)
			if !taken[port] {
				taken[port] = true
				h.addresses = append(h.addresses, devstack.Loopback+":"+strconv.Itoa(port))
				return strconv.Itoa(port)
			}
		}
	}
	api := devstack.Loopback + ":" + port()
	h.api = "http://" + api
	h.environ = append(h.environ, "GATEHOUSE_DEV_DIR="+dir, "GATEHOUSE_API_ADDRESS="+api,
		"GATEHOUSE_API_METRICS_ADDRESS="+devstack.Loopback+":"+port(), "GATEHOUSE_WORKER_METRICS_ADDRESS="+devstack.Loopback+":"+port(),
		"GATEHOUSE_DEV_TEMPORAL_PORT="+port(), "GATEHOUSE_DEV_TEMPORAL_UI_PORT="+port(), "GATEHOUSE_DEV_POSTGRES_PORT="+port(),
		"GATEHOUSE_DEV_MAIL_PORT="+port(), "GATEHOUSE_DEV_MAIL_UI_PORT="+port())
	return h
}

func (h *home) file(path ...string) string { return filepath.Join(append([]string{h.dir}, path...)...) }

// parts are the processes of a stack in the order of their start.
func (h *home) parts(t *testing.T) []int {
	t.Helper()
	var pids []int
	for _, path := range []string{
		h.file("postgres", "postgres.pid"), h.file("temporal", "temporal.pid"), h.file("run", "api.pid"), h.file("run", "worker.pid"),
	} {
		pids = append(pids, readPID(t, path))
	}
	return pids
}

func readPID(t *testing.T, path string) int {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

// launcher is a running `devstack up`.
type launcher struct {
	home    *home
	command *exec.Cmd
	out     *transcript
	ended   chan struct{}
}

// up runs `devstack up` and waits until it says that all is up.
func (h *home) up(t *testing.T) *launcher {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	l := &launcher{home: h, command: exec.CommandContext(context.WithoutCancel(t.Context()), self, "up"), out: &transcript{}, ended: make(chan struct{})}
	l.command.Env = append([]string{roleVariable + "=1"}, h.environ...)
	l.command.Stdout, l.command.Stderr = l.out, l.out
	require.NoError(t, l.command.Start())
	go func() {
		defer close(l.ended)
		_ = l.command.Wait()
	}()
	t.Cleanup(func() {
		_ = l.command.Process.Kill()
		<-l.ended
	})
	l.await(t, upTimeout, "the stack is up", func() bool { return strings.Contains(l.said(), "Gatehouse is up.") })
	return l
}

func (l *launcher) said() string { return l.out.String() }

// await waits for the condition, in vain if the launcher ends before.
func (l *launcher) await(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	met := func() bool {
		select {
		case <-l.ended:
			return true
		default:
			return condition()
		}
	}
	require.Eventually(t, met, limit, 20*time.Millisecond, "%s: %s", what, l.said())
	require.True(t, condition(), "%s: %s", what, l.said())
}

// killWorker kills the worker, which the launcher starts again and says so.
func (l *launcher) killWorker(t *testing.T) {
	t.Helper()
	require.NoError(t, syscall.Kill(readPID(t, l.home.file("run", "worker.pid")), syscall.SIGKILL))
	l.await(t, stepTimeout, "another worker works", func() bool {
		log, err := os.ReadFile(l.home.file("log", "worker.log"))
		return err == nil && strings.Count(string(log), `"msg":"working"`) == 2
	})
	require.Contains(t, l.said(), "devstack: worker ended (signal: killed); starting it again in 500ms")
}

// end sends the launcher a signal and checks that it stops everything in the
// reverse order and leaves nothing behind.
func (l *launcher) end(t *testing.T, signal os.Signal) {
	t.Helper()
	parts := l.home.parts(t)
	require.NoError(t, l.command.Process.Signal(signal))
	tick, late := time.NewTicker(time.Millisecond), time.After(stepTimeout)
	defer tick.Stop()
	for running := true; running; {
		// Looked at in the order of their start: where one is gone, those that
		// started later were gone before.
		for i, gone := 0, false; i < len(parts); i++ {
			here := syscall.Kill(parts[i], 0) == nil
			require.False(t, gone && here, "part %d of %v outlives one that started before it", i, parts)
			gone = gone || !here
		}
		select {
		case <-l.ended:
			running = false
		case <-tick.C:
		case <-late:
			require.Fail(t, "it does not stop", l.said())
		}
	}
	require.Zero(t, l.command.ProcessState.ExitCode(), l.said())
	require.Contains(t, l.said(), "devstack: stopping; the state stays in "+l.home.dir+"\n")
	require.True(t, strings.HasSuffix(l.said(), "devstack: stopped\n"), l.said())
	for _, leader := range parts {
		require.ErrorIs(t, syscall.Kill(-leader, 0), syscall.ESRCH, "the group of %d", leader)
	}
	for _, address := range l.home.addresses {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		require.NoError(t, err, "nobody listens any more")
		require.NoError(t, listener.Close())
	}
}

// anotherWorker starts a worker by hand, by the line in the file of the
// environment, beside the one that runs.
func (h *home) anotherWorker(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(h.file("env"))
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^# To start another worker: (.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, line)
	documented, err := os.ReadFile("../../docs/development.md")
	require.NoError(t, err)
	require.Contains(t, string(documented), strings.ReplaceAll(line[1], h.dir, ".devstack"))

	out := &transcript{}
	worker := exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", line[1])
	worker.Env, worker.Stdout, worker.Stderr = h.environ, out, out
	worker.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, worker.Start())
	group := -worker.Process.Pid
	t.Cleanup(func() { _ = syscall.Kill(group, syscall.SIGKILL) })
	require.Eventually(t, func() bool { return strings.Contains(out.String(), `"msg":"working"`) }, stepTimeout, 20*time.Millisecond, "%s", out)
	require.NoError(t, syscall.Kill(group, syscall.SIGTERM))
	_ = worker.Wait() // ends with the worker, which holds the output; the shell died of the signal
	require.Contains(t, out.String(), `"msg":"stopping"`)
}

// login is the answer of the token endpoint.
type login struct {
	Token      string `json:"access_token"`
	IdentityID string `json:"identity_id"`
}

func (h *home) signIn(t *testing.T, alias string) login {
	t.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"demo-" + alias}, "client_secret": {"demo-" + alias + "-secret"},
	}
	status, body := h.call(t, http.MethodPost, "/oauth/token", "", "application/x-www-form-urlencoded", form.Encode())
	require.Equal(t, http.StatusOK, status, "%s", body)
	var l login
	require.NoError(t, json.Unmarshal(body, &l))
	return l
}

// people returns the ids of the demo organisation by alias.
func (h *home) people(t *testing.T) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, alias := range []string{
		"admin", "source.admin", "sub.admin", "jane.doe", "john.roe", "approver.one", "approver.two", "approver.three", "outsider",
	} {
		ids[alias] = h.signIn(t, alias).IdentityID
		require.NotEmpty(t, ids[alias], alias)
	}
	require.Empty(t, h.signIn(t, "app").IdentityID)
	return ids
}

// fieldOps describes the workgroup of the demo organisation.
func (h *home) fieldOps(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(h.file("env"))
	require.NoError(t, err)
	address := regexp.MustCompile(`(?m)^export GATEHOUSE_DATABASE_URL='(.*)'$`).FindStringSubmatch(string(text))
	require.NotNil(t, address)
	db, err := sql.Open("pgx", address[1])
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var group string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT g.id || ' with ' || string_agg(i.alias, ' ')
		FROM workgroups g JOIN workgroup_members m ON m.workgroup_id = g.id JOIN identities i ON i.id = m.identity_id
		WHERE g.name = 'field-ops' GROUP BY g.id`).Scan(&group))
	return group
}

// newSource makes a source and returns its id.
func (h *home) newSource(t *testing.T, people map[string]string) string {
	t.Helper()
	status, body := h.call(t, http.MethodPost, "/v3/non-employee-sources", h.signIn(t, "admin").Token, "application/json",
		`{"name": "Kept", "description": "Across a restart", "owner": {"id": "`+people["source.admin"]+`"}}`)
	require.Equal(t, http.StatusOK, status, "%s", body)
	var source struct{ ID string }
	require.NoError(t, json.Unmarshal(body, &source))
	return source.ID
}

func (h *home) call(t *testing.T, method, path, token, contentType, body string) (status int, answer []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, h.api+path, strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	answer, err = io.ReadAll(response.Body)
	require.NoError(t, errors.Join(err, response.Body.Close()))
	return response.StatusCode, answer
}

// transcript keeps what was said.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *transcript) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(data)
}

func (b *transcript) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
