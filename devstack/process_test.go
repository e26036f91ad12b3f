package devstack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program returns a process that plays a role, and what it is told to say.
func program(t *testing.T, role string) (*Process, *transcript) {
	t.Helper()
	dir := t.TempDir()
	said := &transcript{}
	marker := filepath.Join(dir, "ready")
	p := newProcess(spec{
		name:    "program",
		logPath: filepath.Join(dir, "log", "program.log"),
		pidPath: filepath.Join(dir, "program.pid"),
		command: command{path: self(t), args: []string{marker}, env: roleEnviron(role), dir: dir},
		ready:   isReady(marker),
		backoff: backoff{first: 10 * time.Millisecond, limit: time.Second, healthy: time.Minute},
		say:     sayTo(said),
	})
	t.Cleanup(func() { _ = p.Kill() })
	return p, said
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := backoff{first: time.Second, limit: 5 * time.Second, healthy: time.Minute}
	for _, test := range []struct {
		name            string
		last, ran, want time.Duration
	}{
		{"the first death waits the first time", 0, 0, time.Second},
		{"a quick second death waits twice as long", time.Second, time.Second, 2 * time.Second},
		{"the wait has a limit", 4 * time.Second, time.Second, 5 * time.Second},
		{"the limit stays", 5 * time.Second, time.Second, 5 * time.Second},
		{"a long healthy run begins anew", 5 * time.Second, time.Minute, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, b.next(test.last, test.ran))
		})
	}
}

func TestProcess(t *testing.T) {
	t.Parallel()
	t.Run("a process that dies is started again and said so", func(t *testing.T) {
		t.Parallel()
		p, said := program(t, "serves")
		require.NoError(t, p.Start(within(t)))
		first := p.PID()
		require.NotZero(t, first)
		for deaths := 1; deaths <= 3; deaths++ {
			before := p.PID()
			require.NoError(t, p.Signal(syscall.SIGKILL))
			eventually(t, "a new process", func() bool { return p.PID() != 0 && p.PID() != before })
			require.Equal(t, deaths, p.Restarts())
		}
		require.Contains(t, said.String(), "program ended (signal: killed); starting it again in 10ms")
		require.Contains(t, said.String(), "starting it again in 20ms")
		require.Contains(t, said.String(), "starting it again in 40ms")
		last := p.PID()
		require.NoError(t, p.Stop(within(t)))
		require.True(t, gone(first))
		require.True(t, gone(last))
		require.Zero(t, p.PID())
	})
	t.Run("a process that ends before it is ready is an error that quotes its log", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "fails")
		err := p.Start(within(t))
		require.ErrorContains(t, err, "program ended before it was ready (exit status 3)")
		require.ErrorContains(t, err, "the answer is no")
		require.Zero(t, p.PID())
		require.Zero(t, p.Restarts())
	})
	t.Run("a program that is not there is an error", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "serves")
		p.spec.command.path = filepath.Join(t.TempDir(), "nothing")
		require.ErrorContains(t, p.Start(within(t)), "no such file")
	})
	t.Run("a process that does not get ready is ended", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "never ready")
		ctx, cancel := context.WithCancel(within(t))
		go func() {
			_ = waitUntil(ctx, func() bool { return p.PID() != 0 })
			cancel()
		}()
		err := p.Start(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "program did not get ready")
		require.Zero(t, p.PID())
	})
	t.Run("a process that does not heed the signal is killed after its grace", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "deaf")
		p.spec.grace = 50 * time.Millisecond
		require.NoError(t, p.Start(within(t)))
		pid := p.PID()
		require.NoError(t, p.Stop(within(t)))
		require.True(t, gone(pid))
	})
	t.Run("the end of the context cuts the grace short", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "deaf")
		p.spec.grace = time.Hour
		require.NoError(t, p.Start(within(t)))
		pid := p.PID()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, p.Stop(ctx))
		require.True(t, gone(pid))
	})
	t.Run("what a process has started ends with it", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "parent")
		require.NoError(t, p.Start(within(t)))
		var child int
		log, err := os.ReadFile(p.LogPath())
		require.NoError(t, err)
		_, err = fmt.Sscanf(string(log), "child %d", &child)
		require.NoError(t, err)
		require.False(t, gone(child))
		require.NoError(t, p.Stop(within(t)))
		eventually(t, "the child's end", func() bool { return gone(child) })
	})
	t.Run("a killed process stays dead until it is started", func(t *testing.T) {
		t.Parallel()
		p, said := program(t, "serves")
		require.NoError(t, p.Start(within(t)))
		require.ErrorContains(t, p.Start(within(t)), "runs already")
		require.NoError(t, p.Kill())
		require.Zero(t, p.PID())
		require.Error(t, p.Signal(syscall.SIGTERM))
		require.NoError(t, p.Start(within(t)))
		require.NotZero(t, p.PID())
		require.Zero(t, p.Restarts())
		require.Empty(t, said.String())
	})
	t.Run("output goes to the log and line by line to the echo", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "parent")
		lines := make(chan string, 10)
		p.spec.echo = func(line string) { lines <- line }
		require.NoError(t, p.Start(within(t)))
		line := <-lines
		require.Regexp(t, `^child \d+$`, line)
		require.NoError(t, p.Stop(within(t)))
		log, err := os.ReadFile(p.LogPath())
		require.NoError(t, err)
		require.Equal(t, line+"\n", string(log))
	})
	t.Run("a long log is moved aside at the next start", func(t *testing.T) {
		t.Parallel()
		p, _ := program(t, "serves")
		require.NoError(t, os.MkdirAll(filepath.Dir(p.LogPath()), 0o750))
		require.NoError(t, os.WriteFile(p.LogPath(), make([]byte, keepLog+1), 0o600))
		require.NoError(t, p.Start(within(t)))
		info, err := os.Stat(p.LogPath())
		require.NoError(t, err)
		require.Zero(t, info.Size())
		require.FileExists(t, p.LogPath()+".1")
	})
}

func TestEndLeftover(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, role string) (*child, string) {
		t.Helper()
		marker := filepath.Join(t.TempDir(), "ready")
		c, err := startChild(command{path: self(t), args: []string{marker}, env: roleEnviron(role)})
		require.NoError(t, err)
		t.Cleanup(func() { c.end(context.Background(), syscall.SIGKILL, time.Minute) })
		eventually(t, "readiness", func() bool { return isReady(marker)(t.Context(), c.pid) == nil })
		return c, self(t) + " " + marker
	}
	for _, role := range []string{"serves", "deaf"} {
		t.Run("the process that the file names is ended: "+role, func(t *testing.T) {
			t.Parallel()
			c, line := start(t, role)
			path, said := filepath.Join(t.TempDir(), "thing.pid"), &transcript{}
			require.NoError(t, writePID(path, c.pid, line))
			require.NoError(t, endLeftover(within(t), path, syscall.SIGTERM, 100*time.Millisecond, sayTo(said)))
			<-c.done
			require.NoFileExists(t, path)
			require.Contains(t, said.String(), fmt.Sprintf("ending thing (pid %d), left over from an earlier run", c.pid))
		})
	}
	t.Run("a stranger with the same number is left alone", func(t *testing.T) {
		t.Parallel()
		c, line := start(t, "serves")
		path, said := filepath.Join(t.TempDir(), "thing.pid"), &transcript{}
		require.NoError(t, writePID(path, c.pid, line+" --other"))
		require.NoError(t, endLeftover(within(t), path, syscall.SIGKILL, time.Second, sayTo(said)))
		require.False(t, gone(c.pid))
		require.NoFileExists(t, path)
		require.Empty(t, said.String())
	})
	t.Run("without a file there is nothing to end", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, endLeftover(within(t), filepath.Join(t.TempDir(), "thing.pid"), syscall.SIGKILL, time.Second, sayTo(nil)))
	})
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "lock")
	lock, err := tryLock(path)
	require.NoError(t, err)
	_, err = tryLock(path)
	require.ErrorIs(t, err, errLocked)
	require.ErrorContains(t, err, fmt.Sprintf("locked by process %d", os.Getpid()))
	waiting := make(chan struct{})
	taken := make(chan error, 1)
	go func() {
		lock, err := waitLock(t.Context(), path, func() { close(waiting) })
		lock.release()
		taken <- err
	}()
	<-waiting
	lock.release()
	require.NoError(t, <-taken)
}
