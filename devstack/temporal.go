package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"gatehouse/workflows/wire"
)

// DefaultNamespace is the namespace that the development server always has.
const DefaultNamespace = "default"

// TemporalOptions say how a Temporal development server is run.
type TemporalOptions struct {
	// Dir takes the database and the log; it is made if need be. Empty stands for
	// a temporary directory.
	Dir string
	// Port of the gRPC interface on loopback; 0 stands for a free one.
	Port int
	// UIPort of the Web UI on loopback; 0 stands for a free one.
	UIPort int
	// Headless leaves the Web UI out.
	Headless bool
	// File keeps everything in a file in Dir, so that workflows survive Pause,
	// Stop and Kill. Otherwise it is kept in memory.
	File bool
	// Namespace is made if need be; empty stands for DefaultNamespace.
	Namespace string
	// LogPath takes the server's log; empty stands for temporal.log in Dir.
	LogPath string
	// Log is told in one line each what the caller's terminal should see; nil
	// for silence.
	Log io.Writer
}

// Temporal is a running Temporal development server.
type Temporal struct {
	*Process
	port, uiPort int
	namespace    string
	binary       string
	// remove is the temporary directory, which Stop removes.
	remove string
	lock   *fileLock
}

// The development server has one history shard and polls its queues at most 20
// times a second, so that every hop of a workflow waits up to 50 ms. These
// values take that wait away; production clusters with their many shards don't
// have it.
func dynamicConfig() []string {
	return []string{
		"history.transferProcessorMaxPollRPS=2000",
		"history.timerProcessorMaxPollRPS=2000",
		"system.enableActivityEagerExecution=true",
	}
}

const (
	startTemporalTimeout = 60 * time.Second
	stopTemporalGrace    = 15 * time.Second
)

// BinaryVariable names the variable that points to a Temporal CLI to use
// instead of searching for one.
const BinaryVariable = "GATEHOUSE_TEST_TEMPORAL_BIN"

// TemporalBinary finds the Temporal CLI: the one that BinaryVariable names, one
// on PATH, else the one pinned in tools/temporal, which is built the first time;
// that takes some minutes, and log is told so.
func TemporalBinary(ctx context.Context, log io.Writer) (string, error) {
	if path := os.Getenv(BinaryVariable); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return filepath.Abs(path)
	}
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	return Tool(ctx, root, "temporal", log)
}

// StartTemporal starts a Temporal development server and returns when it
// serves: the namespace exists and the search attributes are registered. A
// server that an earlier, killed run left behind in Dir is ended first. Only
// one process at a time may have a server in Dir.
func StartTemporal(ctx context.Context, o TemporalOptions) (*Temporal, error) {
	t := &Temporal{namespace: o.Namespace}
	if t.namespace == "" {
		t.namespace = DefaultNamespace
	}
	var err error
	if t.binary, err = TemporalBinary(ctx, o.Log); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", temporaryPrefix+"temporal-"); err != nil {
			return nil, err
		}
		t.remove = o.Dir
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, err
	}
	if o.LogPath == "" {
		o.LogPath = filepath.Join(o.Dir, "temporal.log")
	}
	if t.lock, err = tryLock(filepath.Join(o.Dir, "temporal.lock")); err != nil {
		return nil, fmt.Errorf("Temporal in %s is in use: %w", o.Dir, err)
	}
	pidPath := filepath.Join(o.Dir, "temporal.pid")
	err = endLeftover(ctx, pidPath, syscall.SIGTERM, stopTemporalGrace, sayTo(o.Log))
	if err == nil {
		err = t.listen(ctx, o, pidPath)
	}
	if err != nil {
		return nil, errors.Join(err, t.discard())
	}
	return t, nil
}

// listen starts the server. A free port may be taken by someone else before the
// server has it, so that case is tried again with others.
func (t *Temporal) listen(ctx context.Context, o TemporalOptions, pidPath string) error {
	for attempt := 1; ; attempt++ {
		t.port, t.uiPort = o.Port, o.UIPort
		for _, port := range []*int{&t.port, &t.uiPort} {
			if *port != 0 {
				continue
			}
			free, err := FreePort()
			if err != nil {
				return err
			}
			*port = free
		}
		if o.Headless {
			t.uiPort = 0
		}
		t.Process = newProcess(spec{
			name:    "temporal",
			logPath: o.LogPath,
			pidPath: pidPath,
			command: command{
				path: t.binary, args: t.serverArgs(o),
				// A home of its own: no configuration of the user reaches it.
				env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.Dir, "TMPDIR=" + os.TempDir(), "TZ=UTC"},
				dir: o.Dir,
			},
			ready: func(ctx context.Context, _ int) error {
				return TemporalReady(ctx, t.Address(), t.namespace)
			},
			grace: stopTemporalGrace,
			say:   sayTo(o.Log),
		})
		limited, cancel := context.WithTimeout(ctx, startTemporalTimeout)
		err := t.Process.Start(limited)
		cancel()
		free := func(port int) bool { return port == 0 || checkPort(hostPort(port)) == nil }
		if err == nil || (o.Port != 0 && o.UIPort != 0) || attempt == 5 || ctx.Err() != nil || (free(t.port) && free(t.uiPort)) {
			return err
		}
	}
}

func (t *Temporal) serverArgs(o TemporalOptions) []string {
	args := []string{
		"server", "start-dev",
		"--ip", Loopback, "--port", strconv.Itoa(t.port),
		"--log-level", "warn", "--color", "never",
	}
	if o.Headless {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-ip", Loopback, "--ui-port", strconv.Itoa(t.uiPort))
	}
	if o.File {
		args = append(args, "--db-filename", filepath.Join(o.Dir, "temporal.db"))
	}
	if t.namespace != DefaultNamespace {
		args = append(args, "--namespace", t.namespace)
	}
	for _, attribute := range wire.SearchAttributes() {
		args = append(args, "--search-attribute", attribute+"=Keyword")
	}
	for _, value := range dynamicConfig() {
		args = append(args, "--dynamic-config-value", value)
	}
	return args
}

// TemporalReady asks the server at address whether it serves, has the namespace
// and knows the search attributes, and says what is missing.
func TemporalReady(ctx context.Context, address, namespace string) error {
	client := grpcClient()
	defer client.CloseIdleConnections()
	answer, err := callGRPC(ctx, client, address, "/grpc.health.v1.Health/Check",
		protoString("temporal.api.workflowservice.v1.WorkflowService"))
	if err != nil {
		return err
	}
	if serving := []byte{1 << 3, 1}; !bytes.Equal(answer, serving) {
		return errors.New("the server at " + address + " does not serve yet")
	}
	if _, err := callGRPC(ctx, client, address, "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace",
		protoString(namespace)); err != nil {
		return err
	}
	answer, err = callGRPC(ctx, client, address, "/temporal.api.operatorservice.v1.OperatorService/ListSearchAttributes",
		protoString(namespace))
	if err != nil {
		return err
	}
	for _, attribute := range wire.SearchAttributes() {
		if !bytes.Contains(answer, protoString(attribute)) {
			return fmt.Errorf("the search attribute %s is not registered in namespace %s", attribute, namespace)
		}
	}
	return nil
}

// Address is host:port of the gRPC interface.
func (t *Temporal) Address() string { return hostPort(t.port) }

// UIURL is the address of the Web UI; empty for a headless server.
func (t *Temporal) UIURL() string {
	if t.uiPort == 0 {
		return ""
	}
	return "http://" + hostPort(t.uiPort)
}

// Namespace is the namespace that the server was asked to have.
func (t *Temporal) Namespace() string { return t.namespace }

// Binary is the Temporal CLI that runs the server; it serves as a client too.
func (t *Temporal) Binary() string { return t.binary }

// Pause stops the server, as a fault that Resume ends. Without File everything
// in it is lost.
func (t *Temporal) Pause(ctx context.Context) error { return t.Process.Stop(ctx) }

// Resume starts the server again after Pause or Kill, on the same ports.
func (t *Temporal) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTemporalTimeout)
	defer cancel()
	return t.Process.Start(ctx)
}

// Stop stops the server for good. A temporary directory is removed.
func (t *Temporal) Stop(ctx context.Context) error {
	err := t.Process.Stop(ctx)
	return errors.Join(err, t.discard())
}

func (t *Temporal) discard() error {
	defer t.lock.release()
	if t.remove == "" {
		return nil
	}
	return os.RemoveAll(t.remove)
}
