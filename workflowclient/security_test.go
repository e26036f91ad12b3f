package workflowclient_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"gatehouse/devstack"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
)

// authority makes an authority with a certificate for a server and one for a
// client.
func authority(t *testing.T) (a *devstack.Authority, server, client devstack.Certificate) {
	t.Helper()
	a, err := devstack.NewAuthority(t.TempDir())
	require.NoError(t, err)
	server, err = a.Issue("temporal.example")
	require.NoError(t, err)
	client, err = a.Issue("gatehouse")
	require.NoError(t, err)
	return a, server, client
}

// encrypted serves the Temporal at address to those who show a certificate of a's.
func encrypted(t *testing.T, a *devstack.Authority, server devstack.Certificate, address string) string {
	t.Helper()
	listener, err := tls.Listen("tcp", devstack.Loopback+":0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server.Pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Pool(), NextProtos: []string{"h2"},
	})
	require.NoError(t, err)
	var carried sync.WaitGroup
	t.Cleanup(carried.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	carried.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			carried.Go(func() { carry(from, address) })
		}
	})
	return listener.Addr().String()
}

// carry carries bytes both ways until one side ends.
func carry(from net.Conn, address string) {
	defer func() { _ = from.Close() }()
	to, err := (&net.Dialer{}).Dial("tcp", address)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to)
		_ = from.Close()
	})
	_, _ = io.Copy(to, from)
	_ = to.Close()
	back.Wait()
}

func TestTemporalIsReachedByMutualTLS(t *testing.T) {
	t.Parallel()
	namespace := temporaltest.NewNamespace(t)
	a, server, certificate := authority(t)
	_, _, foreign := authority(t)
	address := encrypted(t, a, server, namespace.Address)
	for name, test := range map[string]struct {
		security *workflowclient.TLS
		reached  bool
	}{
		"with all":                  {&workflowclient.TLS{CAFile: a.CAFile, CertFile: certificate.CertFile, KeyFile: certificate.KeyFile}, true},
		"by the certificate's name": {&workflowclient.TLS{CAFile: a.CAFile, CertFile: certificate.CertFile, KeyFile: certificate.KeyFile, ServerName: "temporal.example"}, true},
		"by another name":           {&workflowclient.TLS{CAFile: a.CAFile, CertFile: certificate.CertFile, KeyFile: certificate.KeyFile, ServerName: "temporal.evil"}, false},
		"with nobody's certificate": {&workflowclient.TLS{CAFile: a.CAFile}, false},
		"with a foreign one":        {&workflowclient.TLS{CAFile: a.CAFile, CertFile: foreign.CertFile, KeyFile: foreign.KeyFile}, false},
		"with the system's trust":   {&workflowclient.TLS{CertFile: certificate.CertFile, KeyFile: certificate.KeyFile}, false},
		"unencrypted":               {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{Address: address, Namespace: namespace.Name, TLS: test.security})
			require.NoError(t, err)
			t.Cleanup(c.Close)
			limit := testTimeout
			if !test.reached {
				limit = time.Second
			}
			missing, err := workflowclient.MissingSearchAttributes(within(t, limit), c, namespace.Name)
			if test.reached {
				require.NoError(t, err)
				require.Empty(t, missing)
			} else {
				require.Error(t, err)
			}
		})
	}
}

// connectionAge is after which a frontend ends a connection, so that another is made.
const connectionAge = 200 * time.Millisecond

// frontend is a Temporal that notes who calls it and answers nothing.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	*grpc.Server
	address string

	mu     sync.Mutex
	serial int64
	key    string
}

func newFrontend(t *testing.T, a *devstack.Authority, server devstack.Certificate) *frontend {
	t.Helper()
	f := &frontend{}
	f.Server = grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server.Pair},
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: a.Pool(),
	})), grpc.UnaryInterceptor(f.note), grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: connectionAge}))
	workflowservice.RegisterWorkflowServiceServer(f.Server, f)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", devstack.Loopback+":0")
	require.NoError(t, err)
	f.address = listener.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() { _ = f.Serve(listener) })
	t.Cleanup(func() { f.Stop(); serving.Wait() })
	return f
}

func (f *frontend) note(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key = strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), ",")
	if from, ok := peer.FromContext(ctx); ok {
		if info, ok := from.AuthInfo.(credentials.TLSInfo); ok && len(info.State.PeerCertificates) > 0 {
			f.serial = info.State.PeerCertificates[0].SerialNumber.Int64()
		}
	}
	return next(ctx, request)
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (f *frontend) called() (serial int64, key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.serial, f.key
}

func TestACertificateThatIsReplacedOnDiskIsShownToTheNextConnection(t *testing.T) {
	t.Parallel()
	a, server, first := authority(t)
	temporal := newFrontend(t, a, server)
	c, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{Address: temporal.address, Namespace: "default", TLS: &workflowclient.TLS{
		CAFile: a.CAFile, CertFile: first.CertFile, KeyFile: first.KeyFile,
	}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	call := func() int64 {
		_, _ = c.WorkflowService().DescribeNamespace(within(t, testTimeout), &workflowservice.DescribeNamespaceRequest{})
		serial, _ := temporal.called()
		return serial
	}
	require.Equal(t, first.Serial, call())
	second, err := a.Issue("gatehouse")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return call() == second.Serial }, testTimeout, 50*time.Millisecond)
}

func TestAnAPIKeyIsSentAndReadAnew(t *testing.T) {
	t.Parallel()
	a, server, _ := authority(t)
	temporal := newFrontend(t, a, server)
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("first\n"), 0o600))
	for name, key := range map[string]workflowclient.APIKey{"a value": {Value: "first"}, "a file": {File: file}} {
		c, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{
			Address: temporal.address, Namespace: "default", TLS: &workflowclient.TLS{CAFile: a.CAFile}, APIKey: key,
		})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		call := func() string {
			_, _ = c.WorkflowService().DescribeNamespace(within(t, testTimeout), &workflowservice.DescribeNamespaceRequest{})
			_, key := temporal.called()
			return key
		}
		require.Equal(t, "Bearer first", call(), name)
		if key.File == "" {
			continue
		}
		require.NoError(t, os.WriteFile(file, []byte("second\n"), 0o600))
		require.Equal(t, "Bearer second", call())
	}
}

func TestWhatCanNotSecureAConnectionIsAnErrorOfTheOptions(t *testing.T) {
	t.Parallel()
	a, _, certificate := authority(t)
	_, _, other := authority(t)
	nowhere := filepath.Join(t.TempDir(), "none")
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte(" \n"), 0o600))
	for want, o := range map[string]workflowclient.DialOptions{
		nowhere: {TLS: &workflowclient.TLS{CAFile: nowhere}},
		certificate.KeyFile + " holds no certificate": {TLS: &workflowclient.TLS{CAFile: certificate.KeyFile}},
		"no such file":                        {TLS: &workflowclient.TLS{CertFile: nowhere, KeyFile: certificate.KeyFile}},
		"private key does not match":          {TLS: &workflowclient.TLS{CertFile: certificate.CertFile, KeyFile: other.KeyFile}},
		"an API key must not go":              {APIKey: workflowclient.APIKey{Value: "key"}},
		"the API key: open " + nowhere:        {TLS: &workflowclient.TLS{CAFile: a.CAFile}, APIKey: workflowclient.APIKey{File: nowhere}},
		"the API key: " + empty + " is empty": {TLS: &workflowclient.TLS{CAFile: a.CAFile}, APIKey: workflowclient.APIKey{File: empty}},
	} {
		_, err := workflowclient.Dial(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
}
