package httpapi

import (
	"context"
	"strings"

	"gatehouse/lifecycle"
)

func standingAnswer(s lifecycle.Standing) RequestProgress {
	answer := RequestProgress{
		ID: s.RequestID, SourceID: s.SourceID, ApprovalStatus: s.Status, Stages: s.Stages, Next: each(s.Coming, comingAnswer),
	}
	if s.Policy != nil {
		answer.PolicyVersion, answer.PolicyInherited = &s.Policy.Version, new(s.Policy.Source.IsZero())
	}
	if s.Stage > 0 {
		w := s.Waiting
		answer.Stage, answer.Waiting = &s.Stage, &RequestWaiting{
			ApprovalItemID: s.Item, Approver: namedReference(s.Holder), ApproverGone: s.HolderGone,
			PendingSince: Timestamp(w.PendingSince), AssignedSince: Timestamp(w.AssignedSince),
			Reminders: w.Reminders, Escalations: w.Escalations,
		}
	}
	return answer
}

func namedReference(r lifecycle.NamedReference) NamedReference {
	return NamedReference{Type: r.Type, ID: r.ID, Name: r.Name}
}

func comingAnswer(c lifecycle.ComingStep) RequestComingStep {
	answer := RequestComingStep{
		Step: RequestComingStepStep(strings.ToUpper(string(c.Step))), At: Timestamp(c.At), Result: optional(RequestComingStepResult(c.Result)),
	}
	if !c.To.ID.IsZero() {
		to := namedReference(c.To)
		answer.To = &to
	}
	return answer
}

// GetNonEmployeeRequestProgress answers GET /non-employee-requests/{id}/progress.
func (h *handlers) GetNonEmployeeRequestProgress(ctx context.Context, r GetNonEmployeeRequestProgressRequestObject) (GetNonEmployeeRequestProgressResponseObject, error) {
	ctx, c := callOf(ctx)
	standing, err := h.service.GetRequestProgress(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeRequestProgress200JSONResponse(standingAnswer(standing)), nil
}
