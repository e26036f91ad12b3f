// Package temporaltest gives tests a real Temporal: each gets a namespace of its
// own, so that the fixed names of wire, task queues above all, are its own too.
//
// A package that uses it calls [Main] from its TestMain. The server is the one
// that GATEHOUSE_TEST_TEMPORAL_ADDRESS names, or else a private one that is
// started with the first namespace and stopped by Main.
package temporaltest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"gatehouse/devstack"
	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
)

const (
	startTimeout = 10 * time.Minute
	stopTimeout  = time.Minute
	// namespaceTimeout bounds the making of a namespace, which the server's
	// caches show some seconds later.
	namespaceTimeout = time.Minute
	namespacePoll    = 50 * time.Millisecond
	// retention is the shortest that a server takes.
	retention = 24 * time.Hour
)

// server is the one server of this process.
var server struct {
	sync.Mutex
	// owned is true between the begin and the end of Run.
	owned    bool
	address  string
	temporal *devstack.Temporal
}

// Main runs the tests of a package and stops the server, if they started one.
// It does not return.
func Main(m *testing.M) {
	os.Exit(Run(m))
}

// Run is Main for a TestMain that has more to do afterwards; it returns the
// exit code.
func Run(m *testing.M) int {
	server.Lock()
	server.owned = true
	server.Unlock()
	code := m.Run()
	server.Lock()
	defer server.Unlock()
	server.owned = false
	if server.temporal != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := server.temporal.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "temporaltest: stopping Temporal:", err)
			code = max(code, 1)
		}
	}
	server.address, server.temporal = "", nil
	return code
}

// address returns host:port of the server.
func address(t testing.TB) string {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	require.True(t, server.owned, "TestMain must call temporaltest.Main")
	if server.address != "" {
		return server.address
	}
	server.address = os.Getenv(devstack.TestTemporalVariable)
	if server.address == "" {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		temporal, err := devstack.StartTemporal(ctx, devstack.TemporalOptions{Headless: true, Log: os.Stderr})
		require.NoError(t, err, "starting Temporal")
		server.temporal, server.address = temporal, temporal.Address()
	}
	return server.address
}

// Namespace is a namespace of one test with a connection to it.
type Namespace struct {
	Client client.Client
	// Address is host:port of the server.
	Address string
	Name    string
}

// NewNamespace makes a namespace that has what Gatehouse needs of one. The
// connection is closed with the test; the namespace stays as long as the server.
func NewNamespace(t testing.TB) Namespace {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), namespaceTimeout)
	defer cancel()
	n := Namespace{Address: address(t), Name: "test-" + lifecycle.NewID().String()}
	var err error
	n.Client, err = workflowclient.Dial(ctx, workflowclient.DialOptions{Address: n.Address, Namespace: n.Name})
	require.NoError(t, err)
	t.Cleanup(n.Client.Close)
	_, err = n.Client.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: n.Name, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	require.NoError(t, err)
	tick := time.NewTicker(namespacePoll)
	defer tick.Stop()
	for {
		err := workflowclient.EnsureSearchAttributes(ctx, n.Client, n.Name)
		if err == nil {
			return n
		}
		var unknown *serviceerror.NamespaceNotFound
		require.ErrorAs(t, err, &unknown, "%v", err)
		select {
		case <-ctx.Done():
			require.NoError(t, err)
		case <-tick.C:
		}
	}
}
