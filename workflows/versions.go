package workflows

import "go.temporal.io/sdk/workflow"

// Each change of what a workflow does is asked for by a predicate of its own here, and
// nowhere else is GetVersion called. The name of a change is in histories: it stays as
// long as one may be replayed that is older, and is never used for another change.

// sweepsBulk is false in histories from before there was bulk work.
func sweepsBulk(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "sweep-bulk", workflow.DefaultVersion, 1) >= 1
}

// sweepsAbsences is false in histories from before there were absences.
func sweepsAbsences(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "sweep-absences", workflow.DefaultVersion, 1) >= 1
}
