// Package workflowclient reaches the workflows of requests through Temporal: it
// starts, nudges, awaits and ends them and carries decisions to them. It also
// prepares a namespace: search attributes and the schedule of the sweep.
package workflowclient

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// DialOptions say where Temporal is.
type DialOptions struct {
	// Address is host:port of the frontend.
	Address string
	// Namespace must exist.
	Namespace string
	// TLS is nil where the connection is not encrypted.
	TLS *TLS
	// APIKey needs TLS.
	APIKey APIKey
	// Identity names the process in histories and in the Web UI; empty for the
	// SDK's own, process and host.
	Identity string
	// Logger may be nil: then the SDK logs nothing.
	Logger *slog.Logger
	// Metrics may be nil.
	Metrics client.MetricsHandler
	// Interceptors are those of the client, and where they are of workers as well of
	// the workers over it; the first is the outermost. Without any nothing is traced.
	Interceptors []interceptor.ClientInterceptor
}

// How fast a connection that was lost is tried again. The SDK's own bound of
// 10 s would let the first calls after an outage fail on a server that is back.
const (
	reconnectBase      = 100 * time.Millisecond
	reconnectLongest   = time.Second
	connectTimeout     = 3 * time.Second
	systemInfoTimeout  = 3 * time.Second
	keepAliveInterval  = 15 * time.Second
	keepAliveAnswering = 5 * time.Second
)

// Dial returns a client that connects when it is first used, so that a process
// starts, and accepts requests, while Temporal is away. The error is one of the
// options.
func Dial(_ context.Context, o DialOptions) (client.Client, error) {
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	options := client.Options{
		HostPort: o.Address, Namespace: o.Namespace, Identity: o.Identity, MetricsHandler: o.Metrics,
		Logger:       temporallog.NewStructuredLogger(logger),
		Interceptors: o.Interceptors, ContextPropagators: []workflow.ContextPropagator{tracking{}},
		ConnectionOptions: client.ConnectionOptions{
			GetSystemInfoTimeout: systemInfoTimeout,
			KeepAliveTime:        keepAliveInterval,
			KeepAliveTimeout:     keepAliveAnswering,
			// Payloads are a few ids; compressing them costs more than it saves.
			GrpcCompression: &client.GrpcCompressionNone{},
			DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
				Backoff: backoff.Config{
					BaseDelay: reconnectBase, Multiplier: 1.6, Jitter: 0.2, MaxDelay: reconnectLongest,
				},
				MinConnectTimeout: connectTimeout,
			})},
		},
	}
	if err := o.secure(&options); err != nil {
		return nil, fmt.Errorf("the Temporal client: %w", err)
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("the Temporal client: %w", err)
	}
	return c, nil
}
