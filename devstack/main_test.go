package devstack

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// roleVariable makes the test binary play the part of a program of the stack.
const roleVariable = "GATEHOUSE_TEST_DEVSTACK_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role, os.Args[1:])
		return
	}
	goleak.VerifyTestMain(m)
}

// play is the main of a program that a test starts. Its first argument is the
// file that it makes when it is ready.
func play(role string, args []string) {
	switch role {
	case "fails":
		_, _ = os.Stdout.WriteString("the answer is no\n")
		os.Exit(3)
	case "serves":
		ready(args[0])
		select {}
	case "never ready":
		_, _ = os.Stdout.WriteString("still thinking\n")
		select {}
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		ready(args[0])
		select {}
	case "parent":
		// Deaf to the signal that ends the parent, so that only the group's end ends it.
		child := exec.CommandContext(context.Background(), "/bin/sh", "-c", `trap "" TERM; while :; do sleep 60; done`)
		if err := child.Start(); err != nil {
			panic(err)
		}
		_, _ = fmt.Fprintf(os.Stdout, "child %d\n", child.Process.Pid)
		ready(args[0])
		select {}
	case "launcher":
		// A launcher that is about to be killed.
		p, err := StartPostgres(context.Background(), PostgresOptions{Dir: args[1], Durable: true})
		if err != nil {
			_, _ = fmt.Fprintln(os.Stdout, err)
			os.Exit(1)
		}
		_, _ = fmt.Fprintf(os.Stdout, "pid %d\n", p.PID())
		ready(args[0])
		select {}
	default:
		panic(role)
	}
}

// ready makes the file whole at once.
func ready(path string) {
	if err := os.WriteFile(path+".new", fmt.Appendf(nil, "%d", os.Getpid()), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		panic(err)
	}
}

// isReady is the readiness of a process that calls ready.
func isReady(path string) func(context.Context, int) error {
	return func(_ context.Context, pid int) error {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if string(raw) != strconv.Itoa(pid) {
			return fmt.Errorf("ready is %s", raw)
		}
		return nil
	}
}

// roleEnviron is the environment of a process that plays a role.
func roleEnviron(role string) []string {
	return append(os.Environ(), roleVariable+"="+role)
}

// self is the path of the test binary.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
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

// patience bounds what a test waits for.
const patience = time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.NoError(t, waitUntil(within(t), condition), what)
}

// gone reports whether no process has the number, a zombie not counting.
func gone(pid int) bool { return commandLine(pid) == "" }

// listen holds a loopback port until the test ends.
func listen(t *testing.T) (port string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", Loopback+":0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()[strings.LastIndex(listener.Addr().String(), ":")+1:]
}
