package httpapi

import (
	"context"

	"gatehouse/lifecycle"
)

func reassignmentAnswer(r lifecycle.Reassignment) ApprovalReassignment {
	return ApprovalReassignment{
		ReassignedFrom: reference(r.From), ReassignedTo: reference(r.To), Reassigner: requester(r.Reassigner),
		ReassignmentDate: Timestamp(r.Created), ReassignmentType: string(r.Type), Comment: optional(r.Comment),
	}
}

// ReassignNonEmployeeApproval answers POST /non-employee-approvals/{id}/reassign.
func (h *handlers) ReassignNonEmployeeApproval(ctx context.Context, r ReassignNonEmployeeApprovalRequestObject) (ReassignNonEmployeeApprovalResponseObject, error) {
	ctx, c := callOf(ctx)
	item, err := h.service.Reassign(ctx, c.actor, r.ID, c.body.reassignment())
	if err != nil {
		return nil, err
	}
	return ReassignNonEmployeeApproval200JSONResponse{
		Body: approvalAnswer(item), Headers: ReassignNonEmployeeApproval200ResponseHeaders{XOnBehalfOf: optional(item.OnBehalfOf)},
	}, nil
}

// ClaimNonEmployeeApproval answers POST /non-employee-approvals/{id}/claim.
func (h *handlers) ClaimNonEmployeeApproval(ctx context.Context, r ClaimNonEmployeeApprovalRequestObject) (ClaimNonEmployeeApprovalResponseObject, error) {
	ctx, c := callOf(ctx)
	item, err := h.service.Claim(ctx, c.actor, r.ID, c.body.decision(nil))
	if err != nil {
		return nil, err
	}
	return ClaimNonEmployeeApproval200JSONResponse{
		Body: approvalAnswer(item), Headers: ClaimNonEmployeeApproval200ResponseHeaders{XOnBehalfOf: optional(item.OnBehalfOf)},
	}, nil
}

// GetNonEmployeeApprovalReassignmentHistory answers GET /non-employee-approvals/{id}/reassignment-history.
func (h *handlers) GetNonEmployeeApprovalReassignmentHistory(ctx context.Context, r GetNonEmployeeApprovalReassignmentHistoryRequestObject) (GetNonEmployeeApprovalReassignmentHistoryResponseObject, error) {
	ctx, c := callOf(ctx)
	moves, err := h.service.ListReassignments(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeApprovalReassignmentHistory200JSONResponse(each(moves, reassignmentAnswer)), nil
}
