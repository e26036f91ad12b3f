package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func sourceLite(s lifecycle.SourceSummary) NonEmployeeSourceLite {
	return NonEmployeeSourceLite{ID: s.ID, SourceID: s.ID, Name: s.Name, Description: s.Description}
}

func requestAnswer(r lifecycle.Request) NonEmployeeRequest {
	return NonEmployeeRequest{
		ID: r.ID, SourceID: r.Source.ID, Name: r.Source.Name, Description: r.Source.Description,
		NonEmployeeSource: sourceLite(r.Source),
		AccountName:       r.AccountName, FirstName: r.FirstName, LastName: r.LastName,
		Phone: r.Phone, Email: r.Email, Manager: r.Manager.Alias, Data: attributesOf(r.Data),
		StartDate: Timestamp(r.StartDate), EndDate: Timestamp(r.EndDate),
		ApprovalStatus: r.Status, ApprovalItems: each(r.Items, approvalBase),
		CompletionDate: completion(r),
		Created:        Timestamp(r.Created), Modified: Timestamp(r.Modified),
	}
}

func completion(r lifecycle.Request) *Instant {
	if r.Completed.IsZero() {
		return nil
	}
	at := Timestamp(r.Completed)
	return &at
}

// ListNonEmployeeRequests answers GET /non-employee-requests.
func (h *handlers) ListNonEmployeeRequests(ctx context.Context, r ListNonEmployeeRequestsRequestObject) (ListNonEmployeeRequestsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	requests, matches, err := h.service.ListRequests(ctx, c.actor, p.RequestedFor,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeRequests200JSONResponse{
		Body:    each(requests, requestAnswer),
		Headers: ListNonEmployeeRequests200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreateNonEmployeeRequest answers POST /non-employee-requests.
func (h *handlers) CreateNonEmployeeRequest(ctx context.Context, _ CreateNonEmployeeRequestRequestObject) (CreateNonEmployeeRequestResponseObject, error) {
	ctx, c := callOf(ctx)
	request, err := h.service.CreateRequest(ctx, c.actor, c.body.person())
	if err != nil {
		return nil, err
	}
	return CreateNonEmployeeRequest200JSONResponse(requestAnswer(request)), nil
}

// GetNonEmployeeRequest answers GET /non-employee-requests/{id}.
func (h *handlers) GetNonEmployeeRequest(ctx context.Context, r GetNonEmployeeRequestRequestObject) (GetNonEmployeeRequestResponseObject, error) {
	ctx, c := callOf(ctx)
	request, err := h.service.GetRequest(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeRequest200JSONResponse(requestAnswer(request)), nil
}

// DeleteNonEmployeeRequest answers DELETE /non-employee-requests/{id}.
func (h *handlers) DeleteNonEmployeeRequest(ctx context.Context, r DeleteNonEmployeeRequestRequestObject) (DeleteNonEmployeeRequestResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteRequest(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeRequest204Response{}, nil
}

// GetNonEmployeeRequestSummary answers GET /non-employee-requests/summary/{requested-for}.
func (h *handlers) GetNonEmployeeRequestSummary(ctx context.Context, r GetNonEmployeeRequestSummaryRequestObject) (GetNonEmployeeRequestSummaryResponseObject, error) {
	ctx, c := callOf(ctx)
	sum, err := h.service.SummarizeRequests(ctx, c.actor, r.RequestedFor)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeRequestSummary200JSONResponse{
		Approved: sum.Approved, Rejected: sum.Rejected, Pending: sum.Pending, NonEmployeeCount: sum.Records,
	}, nil
}
