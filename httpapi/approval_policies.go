package httpapi

import (
	"context"

	"gatehouse/lifecycle"
)

// policyAnswer is the policy in force for a source, or for the organisation where
// that is the zero ID.
func policyAnswer(v lifecycle.ApprovalPolicyVersion, source lifecycle.ID) ApprovalConfig {
	p := v.Policy
	return ApprovalConfig{
		ReminderConfig: p.Reminder, EscalationConfig: p.Escalation, TimeoutConfig: p.Timeout, CronTimezone: p.CronTimezone,
		FallbackApprover: p.Fallback, SelfApproval: p.SelfApproval, Calendar: p.Calendar,
		Version: v.Version, Inherited: v.Source != source, Created: Timestamp(v.Created),
	}
}

// GetNonEmployeeSourceApprovalConfig answers GET /non-employee-sources/{id}/approval-config.
func (h *handlers) GetNonEmployeeSourceApprovalConfig(ctx context.Context, r GetNonEmployeeSourceApprovalConfigRequestObject) (GetNonEmployeeSourceApprovalConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	version, err := h.service.GetSourcePolicy(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeSourceApprovalConfig200JSONResponse(policyAnswer(version, r.ID)), nil
}

// PutNonEmployeeSourceApprovalConfig answers PUT /non-employee-sources/{id}/approval-config.
func (h *handlers) PutNonEmployeeSourceApprovalConfig(ctx context.Context, r PutNonEmployeeSourceApprovalConfigRequestObject) (PutNonEmployeeSourceApprovalConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	version, err := h.service.PutSourcePolicy(ctx, c.actor, r.ID, c.body.approvalPolicy())
	if err != nil {
		return nil, err
	}
	return PutNonEmployeeSourceApprovalConfig200JSONResponse(policyAnswer(version, r.ID)), nil
}

// DeleteNonEmployeeSourceApprovalConfig answers DELETE /non-employee-sources/{id}/approval-config.
func (h *handlers) DeleteNonEmployeeSourceApprovalConfig(ctx context.Context, r DeleteNonEmployeeSourceApprovalConfigRequestObject) (DeleteNonEmployeeSourceApprovalConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteSourcePolicy(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeSourceApprovalConfig204Response{}, nil
}

// ApplyNonEmployeeSourceApprovalConfig answers POST /non-employee-sources/{id}/approval-config/apply.
func (h *handlers) ApplyNonEmployeeSourceApprovalConfig(ctx context.Context, r ApplyNonEmployeeSourceApprovalConfigRequestObject) (ApplyNonEmployeeSourceApprovalConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	applied, err := h.service.ApplySourcePolicy(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return ApplyNonEmployeeSourceApprovalConfig200JSONResponse{Applied: applied}, nil
}

// GetNonEmployeeApprovalConfig answers GET /non-employee-approval-config.
func (h *handlers) GetNonEmployeeApprovalConfig(ctx context.Context, _ GetNonEmployeeApprovalConfigRequestObject) (GetNonEmployeeApprovalConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	version, err := h.service.GetDefaultPolicy(ctx, c.actor)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeApprovalConfig200JSONResponse(policyAnswer(version, lifecycle.ID{})), nil
}

// PutNonEmployeeApprovalConfig answers PUT /non-employee-approval-config.
func (h *handlers) PutNonEmployeeApprovalConfig(ctx context.Context, _ PutNonEmployeeApprovalConfigRequestObject) (PutNonEmployeeApprovalConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	version, err := h.service.PutDefaultPolicy(ctx, c.actor, c.body.approvalPolicy())
	if err != nil {
		return nil, err
	}
	return PutNonEmployeeApprovalConfig200JSONResponse(policyAnswer(version, lifecycle.ID{})), nil
}
