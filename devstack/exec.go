package devstack

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// The variables that tests find the servers by.
const (
	// TestDatabaseVariable names the variable with the URL of a superuser.
	TestDatabaseVariable = "GATEHOUSE_TEST_DATABASE_URL"
	// TestTemporalVariable names the variable with host:port of Temporal.
	TestTemporalVariable = "GATEHOUSE_TEST_TEMPORAL_ADDRESS"
)

const (
	// temporaryPrefix begins the names of all temporary directories of ours.
	temporaryPrefix = "gatehouse-"
	// execGrace is how long the command may take to end after a signal.
	execGrace = 30 * time.Second
)

// Exec runs a command with a Postgres and a Temporal of its own, on free ports
// and in a temporary directory, and returns its exit code. The command finds
// them by TestDatabaseVariable, TestTemporalVariable and BinaryVariable; what is
// already set is left as it is and not started. The end of ctx ends the
// command, with everything that it started.
func Exec(ctx context.Context, args []string) (code int, err error) {
	say := sayTo(os.Stderr)
	program, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	sweepTemporary(ctx, say)
	dir, err := os.MkdirTemp("", temporaryPrefix+"exec-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := makeEnterable(dir); err != nil {
		return 0, err
	}
	lock, err := tryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return 0, err
	}
	defer lock.release()

	environ := os.Environ()
	stop := func(stop func(context.Context) error) {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, stop(limited))
	}
	if os.Getenv(TestTemporalVariable) == "" {
		temporal, err := StartTemporal(ctx, TemporalOptions{Dir: temporalDir(dir), Headless: true, Log: os.Stderr})
		if err != nil {
			return 0, err
		}
		defer stop(temporal.Stop)
		environ = append(environ, TestTemporalVariable+"="+temporal.Address(), BinaryVariable+"="+temporal.Binary())
	}
	if os.Getenv(TestDatabaseVariable) == "" {
		postgres, err := StartPostgres(ctx, PostgresOptions{Dir: postgresDir(dir), Log: os.Stderr})
		if err != nil {
			return 0, err
		}
		defer stop(postgres.Stop)
		environ = append(environ, TestDatabaseVariable+"="+postgres.URL())
	}

	running, err := startChild(command{
		path: program, args: args[1:], env: environ, dir: "",
		output: os.Stdout, errors: os.Stderr,
	})
	if err != nil {
		return 0, err
	}
	select {
	case <-running.done:
	case <-ctx.Done():
		// The whole group: go test does not pass a signal on to the tests.
		_ = syscall.Kill(-running.pid, syscall.SIGINT)
		running.end(context.WithoutCancel(ctx), 0, execGrace)
	}
	return exitCode(running.err)
}

// exitCode is the code that a shell would give.
func exitCode(err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// abandonedAfter is the age under which a temporary directory may still be
// waiting for its owner to lock it.
const abandonedAfter = time.Minute

// sweepTemporary removes the temporary directories of runs that were killed,
// and ends what they left running.
func sweepTemporary(ctx context.Context, say sayFunc) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	for _, dir := range dirs {
		if !ours(dir) {
			continue
		}
		if err := sweep(ctx, dir, say); err != nil {
			say("%s is left: %v", dir, err)
		}
	}
}

// ours reports whether we made the directory: what another user put into a
// shared directory must not tell us which processes to end.
func ours(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || time.Since(info.ModTime()) < abandonedAfter {
		return false
	}
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(status.Uid) == os.Geteuid()
}

// sweep removes a directory that has locks, all of which are free.
func sweep(ctx context.Context, dir string, say sayFunc) error {
	var locks []*fileLock
	defer func() {
		for _, lock := range locks {
			lock.release()
		}
	}()
	for _, name := range []string{"lock", "postgres.lock", "temporal.lock"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		lock, err := tryLock(path)
		if errors.Is(err, errLocked) {
			return nil // its run lives
		}
		if err != nil {
			return err
		}
		locks = append(locks, lock)
	}
	if len(locks) == 0 {
		return nil
	}
	return errors.Join(
		endLeftover(ctx, filepath.Join(dir, "temporal.pid"), syscall.SIGTERM, stopTemporalGrace, say),
		endLeftover(ctx, filepath.Join(dir, "postgres.pid"), syscall.SIGINT, stopPostgresGrace, say),
		endLeftovers(ctx, dir, say),
		os.RemoveAll(dir),
	)
}
