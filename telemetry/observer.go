package telemetry

import (
	"context"
	"time"

	"gatehouse/lifecycle"
)

// storedOutcome is the outcome of a decision that is the verdict; only such a
// one says how long its item had waited.
const storedOutcome = "stored"

// DecisionMade notes what became of a decision, and how long its item had been
// PENDING if the decision is the verdict.
func (m *Metrics) DecisionMade(ctx context.Context, verdict, outcome, via string, waited time.Duration) {
	m.decisions.WithLabelValues(verdict, outcome, via).Inc()
	if outcome == storedOutcome {
		observe(ctx, m.decisionWait.WithLabelValues(verdict), waited.Seconds())
	}
}

// RequestEnded notes a request that came to its final status, in lower case.
func (m *Metrics) RequestEnded(outcome string) { m.requests.WithLabelValues(outcome).Inc() }

// FellDue notes a step that was done on a request because its time had come, so
// long after that.
func (m *Metrics) FellDue(step lifecycle.Step, late time.Duration) {
	m.fallenDue.WithLabelValues(string(step)).Inc()
	m.fallenDueLateness.WithLabelValues(string(step)).Observe(late.Seconds())
}

// SignalRefused notes a signal that changed nothing, with the reason in a word.
func (m *Metrics) SignalRefused(reason string) { m.signalsRefused.WithLabelValues(reason).Inc() }

// Notified notes an event that somebody is told of: "saved", or "nobody" if it
// was told before or concerns nobody.
func (m *Metrics) Notified(event, outcome string) {
	m.notifications.WithLabelValues(event, outcome).Inc()
}

// Delivered notes an attempt at a delivery: "delivered", "failed", "doubtful" or
// "dead", by "mail" or "webhook".
func (m *Metrics) Delivered(channel, outcome string) {
	m.deliveries.WithLabelValues(channel, outcome).Inc()
}

// Swept notes how often the sweep did something, by the word of
// docs/observability.md.
func (m *Metrics) Swept(action string, count int) {
	if count > 0 {
		m.sweepActions.WithLabelValues(action).Add(float64(count))
	}
}

// SweepEnded notes that a sweep, by the word of docs/observability.md, came to its
// end just now.
func (m *Metrics) SweepEnded(sweep string) { m.sweepEnded.WithLabelValues(sweep).SetToCurrentTime() }

// RecordsAdvanced notes records that were taken on in their life, by the word of
// docs/observability.md.
func (m *Metrics) RecordsAdvanced(to string, count int) {
	if count > 0 {
		m.lifecycle.WithLabelValues(to).Add(float64(count))
	}
}

// ImportRows notes rows that an import is done with: "created", "updated",
// "unchanged" or "failed".
func (m *Metrics) ImportRows(outcome string, count int) {
	if count > 0 {
		m.importRows.WithLabelValues(outcome).Add(float64(count))
	}
}

// ImportEnded notes an import that came to its end with this status, in lower
// case, so long after it was taken up.
func (m *Metrics) ImportEnded(status string, took time.Duration) {
	m.imports.WithLabelValues(status).Inc()
	m.importDuration.WithLabelValues(status).Observe(took.Seconds())
}

// ExportEnded notes an export that came to its end with this status, in lower
// case, and the size of its file.
func (m *Metrics) ExportEnded(status string, rows int, bytes int64) {
	m.exports.WithLabelValues(status).Inc()
	m.exportRows.Add(float64(max(rows, 0)))
	m.exportBytes.Add(float64(max(bytes, 0)))
}

// AuditSealed notes entries of the audit trail that were taken into its chain.
func (m *Metrics) AuditSealed(count int) { m.auditSealed.Add(float64(max(count, 0))) }
