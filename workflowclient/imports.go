package workflowclient

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// importsOptions start the workflow that takes the imports of a source; see
// requestOptions.
func importsOptions(ctx context.Context, source lifecycle.ID) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       wire.ImportsWorkflowID(source),
		TaskQueue:                wire.QueueBulk,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "imports of source " + source.String(),
		Memo:                     memo(ctx),
	}
}

// WakeImports has the source's waiting imports carried out: it starts their
// workflow, and makes one that runs look once more before it ends. It returns
// when Temporal has it; KindUnavailable if it did not answer before ctx ended.
func (w *Client) WakeImports(ctx context.Context, source lifecycle.ID) error {
	_, err := w.temporal.SignalWithStartWorkflow(ctx, wire.ImportsWorkflowID(source), wire.SignalWake, nil,
		importsOptions(ctx, source), wire.WorkflowImports, wire.ImportsInput{SourceID: source})
	return unavailable(err)
}

// EnsureImports starts the workflow that takes the source's imports, unless it
// runs. Other than [Client.WakeImports] it adds nothing to the history of one
// that runs, so it can be asked for again and again.
func (w *Client) EnsureImports(ctx context.Context, source lifecycle.ID) (started bool, err error) {
	return w.ensure(ctx, importsOptions(ctx, source), wire.WorkflowImports, wire.ImportsInput{SourceID: source})
}
