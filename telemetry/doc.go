// Package telemetry holds what an operator sees of the running programs: logs,
// metrics, traces, and the listener that answers for health and readiness. What there
// is to see stands in docs/observability.md, which a test holds equal to the
// code.
package telemetry
