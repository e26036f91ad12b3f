package serve

import (
	"context"
	"log/slog"

	"go.temporal.io/sdk/interceptor"

	"gatehouse/config"
	"gatehouse/telemetry"
)

// Tracing returns what traces the program of this name, as its settings say, and
// what does so within the client of Temporal.
func Tracing(ctx context.Context, program string, cfg config.Tracing, trackingID func(context.Context) string, log *slog.Logger) (*telemetry.Tracing, []interceptor.ClientInterceptor, error) {
	protocol := cfg.TracesProtocol
	if protocol == "" {
		protocol = cfg.Protocol
	}
	tracing, err := telemetry.NewTracing(ctx, telemetry.TraceOptions{
		Off: !cfg.Wanted(), Program: program, Protocol: protocol, Sampler: cfg.Sampler, Ratio: cfg.SamplerArg,
		TrackingID: trackingID, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	interceptors, err := tracing.Interceptors()
	return tracing, interceptors, err
}
