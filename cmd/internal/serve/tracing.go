package serve

import (
	"context"
	"log/slog"

	"gatehouse/config"
	"gatehouse/telemetry"
)

// Tracing returns what traces the program of this name, as its settings say.
func Tracing(ctx context.Context, program string, cfg config.Tracing, trackingID func(context.Context) string, log *slog.Logger) (*telemetry.Tracing, error) {
	protocol := cfg.TracesProtocol
	if protocol == "" {
		protocol = cfg.Protocol
	}
	return telemetry.NewTracing(ctx, telemetry.TraceOptions{
		Off: !cfg.Wanted(), Program: program, Protocol: protocol, Sampler: cfg.Sampler, Ratio: cfg.SamplerArg,
		TrackingID: trackingID, Log: log,
	})
}
