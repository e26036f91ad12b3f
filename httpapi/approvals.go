package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/service"
)

func approvalBase(i lifecycle.ApprovalItem) NonEmployeeApprovalItemBase {
	return NonEmployeeApprovalItemBase{
		ID: i.ID, Approver: reference(i.Approver), AccountName: i.AccountName,
		ApprovalOrder: i.Order, ApprovalStatus: i.Status, Comment: optional(i.Comment),
		Created: Timestamp(i.Created), Modified: Timestamp(i.Modified),
	}
}

func approvalAnswer(i lifecycle.ApprovalItem) NonEmployeeApprovalItem {
	base := approvalBase(i)
	return NonEmployeeApprovalItem{
		ID: base.ID, Approver: base.Approver, AccountName: base.AccountName,
		ApprovalOrder: base.ApprovalOrder, ApprovalStatus: base.ApprovalStatus, Comment: base.Comment,
		Created: base.Created, Modified: base.Modified,
		NonEmployeeRequest: NonEmployeeRequestLite{ID: i.RequestID, Requester: requester(i.Requester)},
	}
}

func approvalDetail(d service.ApprovalDetail, detail bool) NonEmployeeApprovalItemDetail {
	base := approvalBase(d.Item)
	answer := NonEmployeeApprovalItemDetail{
		ID: base.ID, Approver: base.Approver, AccountName: base.AccountName,
		ApprovalOrder: base.ApprovalOrder, ApprovalStatus: base.ApprovalStatus, Comment: base.Comment,
		Created: base.Created, Modified: base.Modified,
		NonEmployeeRequest: NonEmployeeRequestWithoutApprovalItem{
			ID: d.Item.RequestID, Requester: requester(d.Item.Requester),
		},
	}
	if detail {
		answer.NonEmployeeRequest = requestWithoutItems(d.Request, d.Attributes)
	}
	return answer
}

func requestWithoutItems(r lifecycle.Request, attributes []lifecycle.SchemaAttribute) NonEmployeeRequestWithoutApprovalItem {
	data := attributesOf(r.Data)
	start, end := Date(r.StartDate), Date(r.EndDate)
	created, modified := Timestamp(r.Created), Timestamp(r.Modified)
	return NonEmployeeRequestWithoutApprovalItem{
		ID: r.ID, Requester: requester(r.Requester),
		AccountName: &r.AccountName, FirstName: &r.FirstName, LastName: &r.LastName,
		Phone: &r.Phone, Email: &r.Email, Manager: &r.Manager.Alias, Data: &data,
		StartDate: &start, EndDate: &end,
		ApprovalStatus: &r.Status, CompletionDate: completion(r),
		Created: &created, Modified: &modified,
		NonEmployeeSource: &NonEmployeeSourceLiteWithSchemaAttributes{
			ID: r.Source.ID, SourceID: r.Source.ID, Name: r.Source.Name, Description: r.Source.Description,
			SchemaAttributes: each(attributes, attributeAnswer),
		},
	}
}

// ListNonEmployeeApprovals answers GET /non-employee-approvals.
func (h *handlers) ListNonEmployeeApprovals(ctx context.Context, r ListNonEmployeeApprovalsRequestObject) (ListNonEmployeeApprovalsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	items, matches, err := h.service.ListApprovals(ctx, c.actor, p.RequestedFor,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeApprovals200JSONResponse{
		Body:    each(items, approvalAnswer),
		Headers: ListNonEmployeeApprovals200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// GetNonEmployeeApproval answers GET /non-employee-approvals/{id}.
func (h *handlers) GetNonEmployeeApproval(ctx context.Context, r GetNonEmployeeApprovalRequestObject) (GetNonEmployeeApprovalResponseObject, error) {
	ctx, c := callOf(ctx)
	detail := valueOr(r.Params.IncludeDetail, true)
	approval, err := h.service.GetApproval(ctx, c.actor, r.ID, detail)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeApproval200JSONResponse{
		Body: approvalDetail(approval, detail), Headers: GetNonEmployeeApproval200ResponseHeaders{XOnBehalfOf: optional(approval.Item.OnBehalfOf)},
	}, nil
}

// GetNonEmployeeApprovalSummary answers GET /non-employee-approvals/summary/{requested-for}.
func (h *handlers) GetNonEmployeeApprovalSummary(ctx context.Context, r GetNonEmployeeApprovalSummaryRequestObject) (GetNonEmployeeApprovalSummaryResponseObject, error) {
	ctx, c := callOf(ctx)
	sum, err := h.service.SummarizeApprovals(ctx, c.actor, r.RequestedFor)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeApprovalSummary200JSONResponse{
		Approved: sum.Approved, Rejected: sum.Rejected, Pending: sum.Pending,
	}, nil
}

// ApproveNonEmployeeRequest answers POST /non-employee-approvals/{id}/approve.
func (h *handlers) ApproveNonEmployeeRequest(ctx context.Context, r ApproveNonEmployeeRequestRequestObject) (ApproveNonEmployeeRequestResponseObject, error) {
	ctx, c := callOf(ctx)
	item, err := h.service.Approve(ctx, c.actor, r.ID, c.body.decision(r.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	return ApproveNonEmployeeRequest200JSONResponse{
		Body: approvalAnswer(item), Headers: ApproveNonEmployeeRequest200ResponseHeaders{XOnBehalfOf: optional(item.OnBehalfOf)},
	}, nil
}

// RejectNonEmployeeRequest answers POST /non-employee-approvals/{id}/reject.
func (h *handlers) RejectNonEmployeeRequest(ctx context.Context, r RejectNonEmployeeRequestRequestObject) (RejectNonEmployeeRequestResponseObject, error) {
	ctx, c := callOf(ctx)
	item, err := h.service.Reject(ctx, c.actor, r.ID, c.body.decision(r.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	return RejectNonEmployeeRequest200JSONResponse{
		Body: approvalAnswer(item), Headers: RejectNonEmployeeRequest200ResponseHeaders{XOnBehalfOf: optional(item.OnBehalfOf)},
	}, nil
}
