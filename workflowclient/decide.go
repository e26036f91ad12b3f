package workflowclient

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// maxSendings is how often one decision is sent, under one deadline.
const maxSendings = 3

// decisionPatience is how long a decision waits for its turn. While workflows get
// on slowly, all calls that an API works on would soon be decisions that wait.
const decisionPatience = time.Second

// Decide carries the decision to the workflow, starting it if need be, and
// returns what the workflow stored; DecisionResult.Waited is not filled in. It
// waits until ctx ends; a caller sets a deadline.
//
// KindUnavailable says that no answer came in time, or that too many decisions wait
// already. The decision may still go
// through: Temporal may have it, and the rows may hold it. Sending it again is
// right, and gets the outcome then.
func (w *Client) Decide(ctx context.Context, d lifecycle.Decision) (lifecycle.DecisionResult, error) {
	if err := w.awaitTurn(ctx); err != nil {
		return lifecycle.DecisionResult{}, err
	}
	defer w.endTurn()
	// The id of the Update is that of the decision, so that a client who sends
	// it again while it is under way joins it.
	updateID := d.ID.String()
	for sending := 1; ; sending++ {
		call := lifecycle.NewID()
		result, err := w.send(ctx, d, updateID, call)
		if err == nil && (result.Call == call || accepted(result.Outcome)) {
			return decided(result)
		}
		// Temporal answered with the result of an earlier sending: a refusal that
		// may be out of date, or a failure, or a run that ended in between. None
		// of them is undone by asking again under the same id.
		var failure *temporal.ApplicationError
		if err != nil && (!errors.As(err, &failure) || failure.Type() == lifecycle.KindBadRequest.String()) ||
			sending == maxSendings || ctx.Err() != nil {
			return lifecycle.DecisionResult{}, undecided(err)
		}
		updateID = d.ID.String() + "/" + call.String()
	}
}

// awaitTurn returns once the decision may be sent; endTurn has to follow.
func (w *Client) awaitTurn(ctx context.Context) error {
	if w.deciding == nil || w.deciding.TryAcquire(1) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, decisionPatience)
	defer cancel()
	if err := w.deciding.Acquire(ctx, 1); err != nil {
		return lifecycle.NewError(lifecycle.KindUnavailable, "Too many decisions are under way just now; please try again later.").WithCause(err)
	}
	return nil
}

func (w *Client) endTurn() {
	if w.deciding != nil {
		w.deciding.Release(1)
	}
}

// accepted reports whether the decision is the verdict; that never changes.
func accepted(outcome string) bool {
	return outcome == wire.OutcomeStored || outcome == wire.OutcomeRepeated
}

var outcomes = map[string]lifecycle.DecisionOutcome{
	wire.OutcomeStored:       lifecycle.DecisionStored,
	wire.OutcomeRepeated:     lifecycle.DecisionRepeated,
	wire.OutcomeNotDecidable: lifecycle.DecisionNotDecidable,
	wire.OutcomeForbidden:    lifecycle.DecisionForbidden,
	wire.OutcomeGone:         lifecycle.DecisionGone,
	wire.OutcomeOwnRequest:   lifecycle.DecisionOwnRequest,
}

func decided(r wire.DecisionResult) (lifecycle.DecisionResult, error) {
	outcome, ok := outcomes[r.Outcome]
	if !ok {
		// A newer worker may know outcomes that this process does not.
		return lifecycle.DecisionResult{}, undecided(errors.New("unknown outcome " + r.Outcome))
	}
	return lifecycle.DecisionResult{Outcome: outcome, Status: r.ItemStatus, Request: r.RequestStatus}, nil
}

// send sends the decision once, as an Update with start: a workflow that is not
// there, or has ended, is no special case.
func (w *Client) send(ctx context.Context, d lifecycle.Decision, updateID string, call lifecycle.ID) (wire.DecisionResult, error) {
	start := w.temporal.NewWithStartWorkflowOperation(requestOptions(ctx, d.RequestID), wire.WorkflowRequest,
		wire.RequestInput{RequestID: d.RequestID})
	handle, err := w.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: updateID, WorkflowID: wire.RequestWorkflowID(d.RequestID), UpdateName: wire.UpdateDecide,
			WaitForStage: client.WorkflowUpdateStageCompleted,
			Args: []any{wire.Decision{
				RequestID: d.RequestID, ItemID: d.ItemID, ApproverID: d.Approver, DecisionID: d.ID,
				Verdict: d.Verdict, Via: wire.ViaAPI, Call: call,
			}},
		},
	})
	if err != nil {
		return wire.DecisionResult{}, err
	}
	var result wire.DecisionResult
	err = handle.Get(ctx, &result)
	return result, err
}

// undecided is the error for a decision that got no answer of its own. Only
// what the workflow's validator refuses is certain not to go through.
func undecided(err error) error {
	var failure *temporal.ApplicationError
	if errors.As(err, &failure) && failure.Type() == lifecycle.KindBadRequest.String() {
		return lifecycle.NewError(lifecycle.KindBadRequest, "The decision can't be read.").WithCause(err)
	}
	return lifecycle.NewError(lifecycle.KindUnavailable,
		"No answer about the decision came in time. It may still go through; repeat it to learn its outcome.").WithCause(err)
}
