package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// contractStatus is the status of a job in the words that the contract has.
func contractStatus(s lifecycle.JobStatus) lifecycle.JobStatus {
	if s == lifecycle.JobCancelled {
		return lifecycle.JobError
	}
	return s
}

func importAnswer(j lifecycle.ImportJob) ImportJob {
	return ImportJob{
		ID: j.ID, SourceID: j.SourceID, Requester: requester(j.Requester), ClientID: j.ClientID,
		Status: j.Status, Waiting: j.Waiting, CancelRequested: j.CancelRequested,
		Rows: ImportRows{
			Total: j.Total, Done: j.Done,
			Created: j.ImportCounts.Created, Updated: j.Updated, Unchanged: j.Unchanged, Failed: j.Failed,
		},
		Created: Timestamp(j.Created), Modified: Timestamp(j.Modified),
		Started: optional(Timestamp(j.Started)), Finished: optional(Timestamp(j.Finished)),
	}
}

func faultAnswer(f lifecycle.RowFault) ImportFault {
	return ImportFault{
		Row: f.Row, Line: f.Line, Column: optional(f.Column),
		DetailCode: answers[f.Kind].detailCode, Message: f.Message, Cells: f.Cells,
	}
}

// ImportNonEmployeeRecordsInBulk answers POST /non-employee-sources/{id}/non-employee-bulk-upload.
func (h *handlers) ImportNonEmployeeRecordsInBulk(ctx context.Context, r ImportNonEmployeeRecordsInBulkRequestObject) (ImportNonEmployeeRecordsInBulkResponseObject, error) {
	ctx, c := callOf(ctx)
	dryRun := valueOr(r.Params.DryRun, false)
	result, err := h.service.ImportRecords(ctx, c.actor, r.ID, dryRun, c.upload)
	if err != nil {
		return nil, err
	}
	c.upload.answering()
	if dryRun {
		p := result.Preview
		return ImportNonEmployeeRecordsInBulk200JSONResponse{
			Total: p.Total, Created: p.Created, Updated: p.Updated, Unchanged: p.Unchanged,
		}, nil
	}
	return ImportNonEmployeeRecordsInBulk202JSONResponse{
		ID: result.Job.ID, SourceID: result.Job.SourceID, Status: contractStatus(result.Job.Status),
		Created: Timestamp(result.Job.Created), Modified: Timestamp(result.Job.Modified),
	}, nil
}

// GetNonEmployeeBulkUploadStatus answers GET /non-employee-sources/{id}/non-employee-bulk-upload/status.
func (h *handlers) GetNonEmployeeBulkUploadStatus(ctx context.Context, r GetNonEmployeeBulkUploadStatusRequestObject) (GetNonEmployeeBulkUploadStatusResponseObject, error) {
	ctx, c := callOf(ctx)
	job, found, err := h.service.ImportStatus(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	var answer GetNonEmployeeBulkUploadStatus200JSONResponse
	if found {
		status := contractStatus(job.Status)
		answer.Status = &status
	}
	return answer, nil
}

// ListNonEmployeeBulkUploadJobs answers GET /non-employee-sources/{id}/non-employee-bulk-upload/jobs.
func (h *handlers) ListNonEmployeeBulkUploadJobs(ctx context.Context, r ListNonEmployeeBulkUploadJobsRequestObject) (ListNonEmployeeBulkUploadJobsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	jobs, matches, err := h.service.ListImports(ctx, c.actor, r.ID,
		filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeBulkUploadJobs200JSONResponse{
		Body:    each(jobs, importAnswer),
		Headers: ListNonEmployeeBulkUploadJobs200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// GetNonEmployeeBulkUploadJob answers GET /non-employee-sources/{id}/non-employee-bulk-upload/jobs/{jobId}.
func (h *handlers) GetNonEmployeeBulkUploadJob(ctx context.Context, r GetNonEmployeeBulkUploadJobRequestObject) (GetNonEmployeeBulkUploadJobResponseObject, error) {
	ctx, c := callOf(ctx)
	job, err := h.service.GetImport(ctx, c.actor, r.ID, r.JobID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeBulkUploadJob200JSONResponse(importAnswer(job)), nil
}

// ListNonEmployeeBulkUploadFaults answers GET /non-employee-sources/{id}/non-employee-bulk-upload/jobs/{jobId}/faults.
func (h *handlers) ListNonEmployeeBulkUploadFaults(ctx context.Context, r ListNonEmployeeBulkUploadFaultsRequestObject) (ListNonEmployeeBulkUploadFaultsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	faults, matches, err := h.service.ListImportFaults(ctx, c.actor, r.ID, r.JobID,
		filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListNonEmployeeBulkUploadFaults200JSONResponse{
		Body:    each(faults, faultAnswer),
		Headers: ListNonEmployeeBulkUploadFaults200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// ExportNonEmployeeBulkUploadFaults answers GET /non-employee-sources/{id}/non-employee-bulk-upload/jobs/{jobId}/faults/download.
func (h *handlers) ExportNonEmployeeBulkUploadFaults(ctx context.Context, r ExportNonEmployeeBulkUploadFaultsRequestObject) (ExportNonEmployeeBulkUploadFaultsResponseObject, error) {
	unhurried(ctx)
	of, c := callOf(ctx)
	faults, err := h.service.DownloadImportFaults(of, c.actor, r.ID, r.JobID)
	if err != nil {
		return nil, err
	}
	return file{name: faults.FileName, media: mediaCSV, job: r.JobID, length: -1, next: faults.Next}.send(ctx)
}

// CancelNonEmployeeBulkUploadJob answers POST /non-employee-sources/{id}/non-employee-bulk-upload/jobs/{jobId}/cancel.
func (h *handlers) CancelNonEmployeeBulkUploadJob(ctx context.Context, r CancelNonEmployeeBulkUploadJobRequestObject) (CancelNonEmployeeBulkUploadJobResponseObject, error) {
	ctx, c := callOf(ctx)
	job, err := h.service.CancelImport(ctx, c.actor, r.ID, r.JobID)
	if err != nil {
		return nil, err
	}
	return CancelNonEmployeeBulkUploadJob200JSONResponse(importAnswer(job)), nil
}
