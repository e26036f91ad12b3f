package workflowclient

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// absenceOptions start the workflow of an absence; see requestOptions.
func absenceOptions(ctx context.Context, absence lifecycle.ID) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       wire.AbsenceWorkflowID(absence),
		TaskQueue:                wire.QueueMaintenance,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "absence " + absence.String(),
		Memo:                     memo(ctx),
	}
}

// WakeAbsence has the workflow of an absence look at its rows, starting it if need
// be. It returns when Temporal has it; KindUnavailable if it did not answer before
// ctx ended.
func (w *Client) WakeAbsence(ctx context.Context, absence lifecycle.ID) error {
	_, err := w.temporal.SignalWithStartWorkflow(ctx, wire.AbsenceWorkflowID(absence), wire.SignalWake, nil,
		absenceOptions(ctx, absence), wire.WorkflowAbsence, wire.AbsenceInput{AbsenceID: absence})
	return unavailable(err)
}
