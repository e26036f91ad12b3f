package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func extensionAnswer(e lifecycle.Extension) Extension {
	return Extension{
		ID: e.ID, NonEmployeeSource: sourceLite(e.Source), Requester: requester(e.Requester),
		EndDate: optional(Timestamp(e.EndDate)), Comment: e.Comment, ApprovalStatus: e.Status, CancellationReason: optional(e.Reason),
		Records: ExtensionCounts{
			Total: e.Records, Pending: e.Pending(), Approved: e.Approved, Rejected: e.Rejected,
			Cancelled: e.Cancelled, Skipped: e.Skipped,
		},
		ApprovalItems: each(e.Items, func(i lifecycle.ApprovalItem) ExtensionApprovalItem {
			return ExtensionApprovalItem{
				ID: i.ID, Approver: reference(i.Approver), ApprovalOrder: i.Order, ApprovalStatus: i.Status,
				Comment: optional(i.Comment), Created: Timestamp(i.Created), Modified: Timestamp(i.Modified),
			}
		}),
		CompletionDate: optional(Timestamp(e.Completed)), Created: Timestamp(e.Created), Modified: Timestamp(e.Modified),
	}
}

func extensionRecordAnswer(r lifecycle.ExtensionRecord) ExtensionRecord {
	return ExtensionRecord{
		RecordID: r.RecordID, AccountName: optional(r.AccountName), FirstName: optional(r.FirstName),
		LastName: optional(r.LastName), Manager: optional(r.Manager),
		EndDateBefore: Timestamp(r.EndDateBefore), EndDate: Timestamp(r.EndDate),
		Status: r.Status, Reason: optional(r.Reason), RejectedBy: requester(r.RejectedBy),
	}
}

// ListNonEmployeeExtensions answers GET /non-employee-extensions.
func (h *handlers) ListNonEmployeeExtensions(ctx context.Context, r ListNonEmployeeExtensionsRequestObject) (ListNonEmployeeExtensionsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	extensions, matches, err := h.service.ListExtensions(ctx, c.actor, p.RequestedFor, p.AssignedTo,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeExtensions200JSONResponse{
		Body:    each(extensions, extensionAnswer),
		Headers: ListNonEmployeeExtensions200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreateNonEmployeeExtension answers POST /non-employee-extensions.
func (h *handlers) CreateNonEmployeeExtension(ctx context.Context, _ CreateNonEmployeeExtensionRequestObject) (CreateNonEmployeeExtensionResponseObject, error) {
	ctx, c := callOf(ctx)
	extension, err := h.service.CreateExtension(ctx, c.actor, c.body.extension())
	if err != nil {
		return nil, err
	}
	return CreateNonEmployeeExtension200JSONResponse(extensionAnswer(extension)), nil
}

// ImportNonEmployeeExtension answers POST /non-employee-sources/{id}/non-employee-extensions/upload.
func (h *handlers) ImportNonEmployeeExtension(ctx context.Context, r ImportNonEmployeeExtensionRequestObject) (ImportNonEmployeeExtensionResponseObject, error) {
	ctx, c := callOf(ctx)
	extension, err := h.service.ImportExtension(ctx, c.actor, r.ID, c.upload)
	if err != nil {
		return nil, err
	}
	c.upload.answering()
	return ImportNonEmployeeExtension200JSONResponse(extensionAnswer(extension)), nil
}

// GetNonEmployeeExtension answers GET /non-employee-extensions/{id}.
func (h *handlers) GetNonEmployeeExtension(ctx context.Context, r GetNonEmployeeExtensionRequestObject) (GetNonEmployeeExtensionResponseObject, error) {
	ctx, c := callOf(ctx)
	extension, err := h.service.GetExtension(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeExtension200JSONResponse(extensionAnswer(extension)), nil
}

// ListNonEmployeeExtensionRecords answers GET /non-employee-extensions/{id}/records.
func (h *handlers) ListNonEmployeeExtensionRecords(ctx context.Context, r ListNonEmployeeExtensionRecordsRequestObject) (ListNonEmployeeExtensionRecordsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	records, matches, err := h.service.ListExtensionRecords(ctx, c.actor, r.ID,
		filter.Params{Filters: p.Filters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeExtensionRecords200JSONResponse{
		Body:    each(records, extensionRecordAnswer),
		Headers: ListNonEmployeeExtensionRecords200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CancelNonEmployeeExtension answers POST /non-employee-extensions/{id}/cancel.
func (h *handlers) CancelNonEmployeeExtension(ctx context.Context, r CancelNonEmployeeExtensionRequestObject) (CancelNonEmployeeExtensionResponseObject, error) {
	ctx, c := callOf(ctx)
	extension, err := h.service.CancelExtension(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return CancelNonEmployeeExtension200JSONResponse(extensionAnswer(extension)), nil
}

// ApproveNonEmployeeExtension answers POST /non-employee-extension-approvals/{id}/approve.
func (h *handlers) ApproveNonEmployeeExtension(ctx context.Context, r ApproveNonEmployeeExtensionRequestObject) (ApproveNonEmployeeExtensionResponseObject, error) {
	ctx, c := callOf(ctx)
	extension, err := h.service.ApproveExtension(ctx, c.actor, r.ID, c.body.extensionDecision(r.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	return ApproveNonEmployeeExtension200JSONResponse(extensionAnswer(extension)), nil
}

// RejectNonEmployeeExtension answers POST /non-employee-extension-approvals/{id}/reject.
func (h *handlers) RejectNonEmployeeExtension(ctx context.Context, r RejectNonEmployeeExtensionRequestObject) (RejectNonEmployeeExtensionResponseObject, error) {
	ctx, c := callOf(ctx)
	extension, err := h.service.RejectExtension(ctx, c.actor, r.ID, c.body.decision(r.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	return RejectNonEmployeeExtension200JSONResponse(extensionAnswer(extension)), nil
}
