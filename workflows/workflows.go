// Package workflows holds the workflows: what a request waits for and what
// follows from each message, and the sweep. They decide nothing themselves: the
// rows do, through the activities, and a run that is lost is made up for by
// another one that reads them.
//
// Code here is replayed from histories, so a change of the order in which it
// does things must be guarded; docs/workflows.md says how, and the tests replay
// the histories under testdata.
package workflows

import (
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
)

// Workflows are the workflow definitions with what they may touch beside their
// history.
type Workflows struct {
	// Observer counts signals that were refused, and is told of sweeps that ended; it
	// may be nil.
	Observer activities.Observer
}

// refused counts a signal, but not when it is replayed.
func (w *Workflows) refused(ctx workflow.Context, reason string) {
	if w.Observer != nil && !workflow.IsReplaying(ctx) {
		w.Observer.SignalRefused(reason)
	}
}

// swept notes the end of a sweep, but not when it is replayed.
func (w *Workflows) swept(ctx workflow.Context, sweep string) {
	if w.Observer != nil && !workflow.IsReplaying(ctx) {
		w.Observer.SweepEnded(sweep)
	}
}
