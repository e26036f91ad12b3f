package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// osUser is the account that a child runs under; nil stands for our own.
type osUser struct {
	name     string
	uid, gid uint32
}

// command says how a child is started.
type command struct {
	path string
	args []string
	// env is the whole environment.
	env  []string
	dir  string
	user *osUser
	// output takes stdout and stderr. An *os.File is handed to the child itself.
	output io.Writer
	// errors takes stderr instead, if set.
	errors io.Writer
	stdin  io.Reader
	// deathSignal is what the kernel sends when the launcher dies.
	deathSignal syscall.Signal
}

// child is one running process, leader of its own group.
type child struct {
	pid int
	// done is closed when the process has ended and what was left of its group
	// was killed.
	done chan struct{}
	// err is how it ended; read it after done.
	err error
}

// startChild starts a process. The goroutine that waits for it holds its
// thread, because the kernel takes the end of the thread that forked for the
// death of the parent.
func startChild(c command) (*child, error) {
	cmd := exec.Command(c.path, c.args...) //nolint:gosec,noctx // the programs of the stack, named by its own code, and ended by a signal of its own
	cmd.Env = c.env
	cmd.Dir = c.dir
	cmd.Stdin = c.stdin
	cmd.Stdout = c.output
	cmd.Stderr = c.output
	if c.errors != nil {
		cmd.Stderr = c.errors
	}
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.user != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.user.uid, Gid: c.user.gid}
	}
	death := c.deathSignal
	if death == 0 {
		death = syscall.SIGKILL
	}
	setDeathSignal(cmd.SysProcAttr, death)

	running := &child{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			running.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		running.err = cmd.Wait()
		_ = syscall.Kill(-running.pid, syscall.SIGKILL)
		close(running.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return running, nil
}

// signal sends to the process alone: its descendants are told by it.
func (c *child) signal(signal syscall.Signal) {
	select {
	case <-c.done: // its number may belong to someone else by now
	default:
		_ = syscall.Kill(c.pid, signal)
	}
}

// end asks the process to stop and kills its group when it takes longer than
// grace or ctx ends. It returns when the process is gone.
func (c *child) end(ctx context.Context, signal syscall.Signal, grace time.Duration) {
	c.signal(signal)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	<-c.done
}

// runCommand runs a command to its end and returns what it printed.
func runCommand(ctx context.Context, c command) (string, error) {
	var out strings.Builder
	if c.output == nil {
		c.output = &out
	}
	running, err := startChild(c)
	if err != nil {
		return "", err
	}
	select {
	case <-running.done:
		return out.String(), running.err
	case <-ctx.Done():
		running.end(ctx, syscall.SIGTERM, 0)
		return out.String(), ctx.Err()
	}
}

// describeEnd says how a process ended.
func describeEnd(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// writePID notes a running process, so that the next start can find it should
// we be killed. The command line tells it from a stranger with the same number.
func writePID(path string, pid int, line string) error {
	return os.WriteFile(path, fmt.Appendf(nil, "%d\n%s\n", pid, line), 0o600)
}

// endLeftover ends the process that a file of writePID names, if it still runs.
func endLeftover(ctx context.Context, path string, signal syscall.Signal, grace time.Duration, say sayFunc) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, line, _ := strings.Cut(strings.TrimSpace(string(raw)), "\n")
	pid, err := strconv.Atoi(first)
	runs := func() bool { return err == nil && pid > 1 && line != "" && commandLine(pid) == line }
	if runs() {
		name := strings.TrimSuffix(filepath.Base(path), ".pid")
		say("ending %s (pid %d), left over from an earlier run", name, pid)
		_ = syscall.Kill(pid, signal)
		limited, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if waitUntil(limited, func() bool { return !runs() }) != nil {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			if err := waitUntil(ctx, func() bool { return !runs() }); err != nil {
				return fmt.Errorf("%s (pid %d), left over from an earlier run, does not end: %w", name, pid, err)
			}
		}
	}
	return os.Remove(path)
}

// waitUntil asks every few milliseconds until the condition holds or ctx ends.
func waitUntil(ctx context.Context, condition func() bool) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if condition() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
