package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func exportAnswer(j lifecycle.ExportJob) ExportJob {
	return ExportJob{
		ID: j.ID, SourceID: j.SourceID, ScheduleID: optional(j.ScheduleID),
		Requester: requester(j.Requester), ClientID: j.ClientID,
		Status: j.Status, Rows: j.Rows, Bytes: j.Bytes,
		Created: Timestamp(j.Created), Modified: Timestamp(j.Modified),
		Finished: optional(Timestamp(j.Finished)), Expires: optional(Timestamp(j.Expires)),
	}
}

func scheduleAnswer(s lifecycle.ExportSchedule) ExportSchedule {
	return ExportSchedule{
		ID: s.ID, SourceID: s.SourceID, Cron: s.Cron, Zone: s.Zone, Keep: s.Keep,
		Requester: requester(s.Requester), ClientID: s.ClientID,
		Created: Timestamp(s.Created), Modified: Timestamp(s.Modified),
	}
}

// ExportNonEmployeeRecords answers GET /non-employee-sources/{id}/non-employees/download.
func (h *handlers) ExportNonEmployeeRecords(ctx context.Context, r ExportNonEmployeeRecordsRequestObject) (ExportNonEmployeeRecordsResponseObject, error) {
	unhurried(ctx)
	if r.Params.Job == nil {
		// Nothing is made that can't be sent.
		if err := endsClearly(ctx); err != nil {
			return nil, err
		}
	}
	of, c := callOf(ctx)
	export, err := h.service.Export(of, c.actor, r.ID, r.Params.Job)
	if err != nil {
		return nil, err
	}
	return file{name: export.FileName, media: mediaCSV, job: export.Job.ID, length: export.Length, next: export.Next}.send(ctx)
}

// ListNonEmployeeExports answers GET /non-employee-sources/{id}/non-employees/exports.
func (h *handlers) ListNonEmployeeExports(ctx context.Context, r ListNonEmployeeExportsRequestObject) (ListNonEmployeeExportsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	jobs, matches, err := h.service.ListExports(ctx, c.actor, r.ID,
		filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeExports200JSONResponse{
		Body:    each(jobs, exportAnswer),
		Headers: ListNonEmployeeExports200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// ListNonEmployeeExportSchedules answers GET /non-employee-sources/{id}/non-employees/export-schedules.
func (h *handlers) ListNonEmployeeExportSchedules(ctx context.Context, r ListNonEmployeeExportSchedulesRequestObject) (ListNonEmployeeExportSchedulesResponseObject, error) {
	ctx, c := callOf(ctx)
	schedules, err := h.service.ListExportSchedules(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeExportSchedules200JSONResponse(each(schedules, scheduleAnswer)), nil
}

// CreateNonEmployeeExportSchedule answers POST /non-employee-sources/{id}/non-employees/export-schedules.
func (h *handlers) CreateNonEmployeeExportSchedule(ctx context.Context, r CreateNonEmployeeExportScheduleRequestObject) (CreateNonEmployeeExportScheduleResponseObject, error) {
	ctx, c := callOf(ctx)
	schedule, err := h.service.CreateExportSchedule(ctx, c.actor, r.ID, c.body.schedule())
	if err != nil {
		return nil, err
	}
	return CreateNonEmployeeExportSchedule200JSONResponse(scheduleAnswer(schedule)), nil
}

// DeleteNonEmployeeExportSchedule answers DELETE /non-employee-sources/{id}/non-employees/export-schedules/{scheduleId}.
func (h *handlers) DeleteNonEmployeeExportSchedule(ctx context.Context, r DeleteNonEmployeeExportScheduleRequestObject) (DeleteNonEmployeeExportScheduleResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteExportSchedule(ctx, c.actor, r.ID, r.ScheduleID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeExportSchedule204Response{}, nil
}
