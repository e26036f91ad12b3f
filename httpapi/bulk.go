package httpapi

import (
	"context"

	"gatehouse/policy"
)

// uploadRoute is the one route whose body is no JSON.
const uploadRoute = "/non-employee-sources/:id/non-employee-bulk-upload"

// notAvailable refuses an operation that this version does not carry out, to
// those who might carry it out.
func notAvailable(ctx context.Context, op policy.Operation) error {
	_, c := callOf(ctx)
	if err := policy.Enter(op, c.actor); err != nil {
		return err
	}
	return errNotAvailable
}

// ImportNonEmployeeRecordsInBulk answers POST /non-employee-sources/{id}/non-employee-bulk-upload.
func (h *handlers) ImportNonEmployeeRecordsInBulk(ctx context.Context, _ ImportNonEmployeeRecordsInBulkRequestObject) (ImportNonEmployeeRecordsInBulkResponseObject, error) {
	return nil, notAvailable(ctx, policy.BulkUpload)
}

// GetNonEmployeeBulkUploadStatus answers GET /non-employee-sources/{id}/non-employee-bulk-upload/status.
func (h *handlers) GetNonEmployeeBulkUploadStatus(ctx context.Context, _ GetNonEmployeeBulkUploadStatusRequestObject) (GetNonEmployeeBulkUploadStatusResponseObject, error) {
	return nil, notAvailable(ctx, policy.BulkStatus)
}

// ExportNonEmployeeRecords answers GET /non-employee-sources/{id}/non-employees/download.
func (h *handlers) ExportNonEmployeeRecords(ctx context.Context, _ ExportNonEmployeeRecordsRequestObject) (ExportNonEmployeeRecordsResponseObject, error) {
	return nil, notAvailable(ctx, policy.Export)
}
