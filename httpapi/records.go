package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func recordAnswer(r lifecycle.Record) NonEmployeeRecord {
	answer := NonEmployeeRecord{
		ID: r.ID, SourceID: r.SourceID, AccountName: r.AccountName,
		FirstName: r.FirstName, LastName: r.LastName, Phone: r.Phone, Email: r.Email, Manager: r.Manager.Alias,
		Data: attributesOf(r.Data), StartDate: Timestamp(r.StartDate), EndDate: Timestamp(r.EndDate),
		Created: Timestamp(r.Created), Modified: Timestamp(r.Modified),
	}
	if life := r.Lifecycle; life != nil {
		answer.LifecycleState, answer.LifecycleStateSince = &life.State, timestampOf(life.Since)
		answer.NextWarningDate, answer.EndActionDate = timestampOf(life.NextWarning), timestampOf(life.EndAction)
		answer.EndedDate = timestampOf(life.Ended)
		if life.EndedReason != "" {
			answer.EndedReason = &life.EndedReason
		}
	}
	return answer
}

// ListNonEmployeeRecords answers GET /non-employee-records.
func (h *handlers) ListNonEmployeeRecords(ctx context.Context, r ListNonEmployeeRecordsRequestObject) (ListNonEmployeeRecordsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	records, matches, err := h.service.ListRecords(ctx, c.actor,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count}, p.DetailLevel)
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeRecords200JSONResponse{
		Body:    each(records, recordAnswer),
		Headers: ListNonEmployeeRecords200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreateNonEmployeeRecord answers POST /non-employee-records.
func (h *handlers) CreateNonEmployeeRecord(ctx context.Context, _ CreateNonEmployeeRecordRequestObject) (CreateNonEmployeeRecordResponseObject, error) {
	ctx, c := callOf(ctx)
	record, err := h.service.CreateRecord(ctx, c.actor, c.body.person())
	if err != nil {
		return nil, err
	}
	return CreateNonEmployeeRecord200JSONResponse(recordAnswer(record)), nil
}

// GetNonEmployeeRecord answers GET /non-employee-records/{id}.
func (h *handlers) GetNonEmployeeRecord(ctx context.Context, r GetNonEmployeeRecordRequestObject) (GetNonEmployeeRecordResponseObject, error) {
	ctx, c := callOf(ctx)
	record, err := h.service.GetRecord(ctx, c.actor, r.ID, r.Params.DetailLevel)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeRecord200JSONResponse(recordAnswer(record)), nil
}

// UpdateNonEmployeeRecord answers PUT /non-employee-records/{id}.
func (h *handlers) UpdateNonEmployeeRecord(ctx context.Context, r UpdateNonEmployeeRecordRequestObject) (UpdateNonEmployeeRecordResponseObject, error) {
	ctx, c := callOf(ctx)
	record, err := h.service.PutRecord(ctx, c.actor, r.ID, c.body.person())
	if err != nil {
		return nil, err
	}
	return UpdateNonEmployeeRecord200JSONResponse(recordAnswer(record)), nil
}

// PatchNonEmployeeRecord answers PATCH /non-employee-records/{id}.
func (h *handlers) PatchNonEmployeeRecord(ctx context.Context, r PatchNonEmployeeRecordRequestObject) (PatchNonEmployeeRecordResponseObject, error) {
	ctx, c := callOf(ctx)
	record, err := h.service.PatchRecord(ctx, c.actor, r.ID, c.body.patch())
	if err != nil {
		return nil, err
	}
	return PatchNonEmployeeRecord200JSONResponse(recordAnswer(record)), nil
}

// DeleteNonEmployeeRecord answers DELETE /non-employee-records/{id}.
func (h *handlers) DeleteNonEmployeeRecord(ctx context.Context, r DeleteNonEmployeeRecordRequestObject) (DeleteNonEmployeeRecordResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteRecord(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeRecord204Response{}, nil
}

// DeleteNonEmployeeRecordsInBulk answers POST /non-employee-records/bulk-delete.
func (h *handlers) DeleteNonEmployeeRecordsInBulk(ctx context.Context, _ DeleteNonEmployeeRecordsInBulkRequestObject) (DeleteNonEmployeeRecordsInBulkResponseObject, error) {
	ctx, c := callOf(ctx)
	ids, faults := c.body.ids()
	if err := h.service.DeleteRecords(ctx, c.actor, ids, faults); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeRecordsInBulk204Response{}, nil
}
