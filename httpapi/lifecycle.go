package httpapi

import (
	"context"
	"time"

	"gatehouse/lifecycle"
)

func lifecycleAnswer(p lifecycle.PolicyInForce, source lifecycle.ID) LifecycleConfig {
	return LifecycleConfig{
		Warnings: p.Warnings, End: p.End, Extension: p.Extension,
		Inherited: !p.Own && !source.IsZero(), EndSince: Timestamp(p.EndSince),
	}
}

// timestampOf is nil for the zero time.
func timestampOf(at time.Time) *Timestamp {
	if at.IsZero() {
		return nil
	}
	return new(Timestamp(at))
}

// GetNonEmployeeSourceLifecycleConfig answers GET /non-employee-sources/{id}/lifecycle-config.
func (h *handlers) GetNonEmployeeSourceLifecycleConfig(ctx context.Context, r GetNonEmployeeSourceLifecycleConfigRequestObject) (GetNonEmployeeSourceLifecycleConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	p, err := h.service.GetSourceLifecycle(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeSourceLifecycleConfig200JSONResponse(lifecycleAnswer(p, r.ID)), nil
}

// PutNonEmployeeSourceLifecycleConfig answers PUT /non-employee-sources/{id}/lifecycle-config.
func (h *handlers) PutNonEmployeeSourceLifecycleConfig(ctx context.Context, r PutNonEmployeeSourceLifecycleConfigRequestObject) (PutNonEmployeeSourceLifecycleConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	p, err := h.service.PutSourceLifecycle(ctx, c.actor, r.ID, c.body.lifecyclePolicy())
	if err != nil {
		return nil, err
	}
	return PutNonEmployeeSourceLifecycleConfig200JSONResponse(lifecycleAnswer(p, r.ID)), nil
}

// DeleteNonEmployeeSourceLifecycleConfig answers DELETE /non-employee-sources/{id}/lifecycle-config.
func (h *handlers) DeleteNonEmployeeSourceLifecycleConfig(ctx context.Context, r DeleteNonEmployeeSourceLifecycleConfigRequestObject) (DeleteNonEmployeeSourceLifecycleConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteSourceLifecycle(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeSourceLifecycleConfig204Response{}, nil
}

// GetNonEmployeeLifecycleConfig answers GET /non-employee-lifecycle-config.
func (h *handlers) GetNonEmployeeLifecycleConfig(ctx context.Context, _ GetNonEmployeeLifecycleConfigRequestObject) (GetNonEmployeeLifecycleConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	p, err := h.service.GetDefaultLifecycle(ctx, c.actor)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeLifecycleConfig200JSONResponse(lifecycleAnswer(p, lifecycle.ID{})), nil
}

// PutNonEmployeeLifecycleConfig answers PUT /non-employee-lifecycle-config.
func (h *handlers) PutNonEmployeeLifecycleConfig(ctx context.Context, _ PutNonEmployeeLifecycleConfigRequestObject) (PutNonEmployeeLifecycleConfigResponseObject, error) {
	ctx, c := callOf(ctx)
	p, err := h.service.PutDefaultLifecycle(ctx, c.actor, c.body.lifecyclePolicy())
	if err != nil {
		return nil, err
	}
	return PutNonEmployeeLifecycleConfig200JSONResponse(lifecycleAnswer(p, lifecycle.ID{})), nil
}

// EndNonEmployeeRecord answers POST /non-employee-records/{id}/end.
func (h *handlers) EndNonEmployeeRecord(ctx context.Context, r EndNonEmployeeRecordRequestObject) (EndNonEmployeeRecordResponseObject, error) {
	ctx, c := callOf(ctx)
	reason, faults := c.body.endReason()
	record, err := h.service.EndRecord(ctx, c.actor, r.ID, reason, faults)
	if err != nil {
		return nil, err
	}
	return EndNonEmployeeRecord200JSONResponse(recordAnswer(record)), nil
}
