package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func sourceAnswer(s lifecycle.Source) NonEmployeeSource {
	return NonEmployeeSource{
		ID: s.ID, SourceID: s.ID, Name: s.Name, Description: s.Description,
		Approvers:       each(s.Approvers, reference),
		AccountManagers: each(s.AccountManagers, reference),
		Created:         Timestamp(s.Created), Modified: Timestamp(s.Modified),
	}
}

func countedAnswer(s lifecycle.CountedSource) NonEmployeeSourceWithNECount {
	a := sourceAnswer(s.Source)
	return NonEmployeeSourceWithNECount{
		ID: a.ID, SourceID: a.SourceID, Name: a.Name, Description: a.Description,
		Approvers: a.Approvers, AccountManagers: a.AccountManagers, Created: a.Created, Modified: a.Modified,
		NonEmployeeCount: s.Records,
	}
}

// ListNonEmployeeSources answers GET /non-employee-sources.
func (h *handlers) ListNonEmployeeSources(ctx context.Context, r ListNonEmployeeSourcesRequestObject) (ListNonEmployeeSourcesResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	sources, matches, err := h.service.ListSources(ctx, c.actor, p.RequestedFor, valueOr(p.NonEmployeeCount, false),
		filter.Params{Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeSources200JSONResponse{
		Body:    each(sources, countedAnswer),
		Headers: ListNonEmployeeSources200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreateNonEmployeeSource answers POST /non-employee-sources.
func (h *handlers) CreateNonEmployeeSource(ctx context.Context, _ CreateNonEmployeeSourceRequestObject) (CreateNonEmployeeSourceResponseObject, error) {
	ctx, c := callOf(ctx)
	source, err := h.service.CreateSource(ctx, c.actor, c.body.source())
	if err != nil {
		return nil, err
	}
	a := sourceAnswer(source)
	return CreateNonEmployeeSource200JSONResponse{
		ID: a.ID, SourceID: a.SourceID, Name: a.Name, Description: a.Description,
		Approvers: a.Approvers, AccountManagers: a.AccountManagers, Created: a.Created, Modified: a.Modified,
	}, nil
}

// GetNonEmployeeSource answers GET /non-employee-sources/{id}.
func (h *handlers) GetNonEmployeeSource(ctx context.Context, r GetNonEmployeeSourceRequestObject) (GetNonEmployeeSourceResponseObject, error) {
	ctx, c := callOf(ctx)
	source, err := h.service.GetSource(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeSource200JSONResponse(sourceAnswer(source)), nil
}

// PatchNonEmployeeSource answers PATCH /non-employee-sources/{id}.
func (h *handlers) PatchNonEmployeeSource(ctx context.Context, r PatchNonEmployeeSourceRequestObject) (PatchNonEmployeeSourceResponseObject, error) {
	ctx, c := callOf(ctx)
	source, err := h.service.PatchSource(ctx, c.actor, r.ID, c.body.patch())
	if err != nil {
		return nil, err
	}
	return PatchNonEmployeeSource200JSONResponse(sourceAnswer(source)), nil
}

// DeleteNonEmployeeSource answers DELETE /non-employee-sources/{id}.
func (h *handlers) DeleteNonEmployeeSource(ctx context.Context, r DeleteNonEmployeeSourceRequestObject) (DeleteNonEmployeeSourceResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteSource(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeSource204Response{}, nil
}
