package httpapi_test

import (
	"context"
	"time"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

var (
	anExtension = lifecycle.Extension{
		ID: objectID, Source: lifecycle.SourceSummary{ID: sourceID, Name: "Contractors", Description: "Of the warehouse"},
		Requester: person, EndDate: now.AddDate(1, 0, 0), Comment: "Goes on", Status: lifecycle.StatusPending,
		Created: now, Modified: now, ExtensionCounts: lifecycle.ExtensionCounts{Records: 9, Approved: 4, Rejected: 1, Skipped: 2},
		Items: []lifecycle.ApprovalItem{anItem},
	}
	aPart = lifecycle.ExtensionRecord{
		Number: 1, RecordID: objectID, AccountName: "william.smith", FirstName: "William", LastName: "Smith", Manager: "jane.doe",
		EndDateBefore: now, EndDate: now.AddDate(1, 0, 0), Status: lifecycle.StatusRejected, RejectedBy: person,
	}
)

// extensions is the part of the fake that extensions need.
type extensions struct {
	extension  lifecycle.ExtensionInput
	assignedTo *string
	// fields are the texts beside the file.
	fields map[string]*string
}

func (f *fake) ListExtensions(ctx context.Context, a policy.Actor, requestedFor, assignedTo *string, p filter.Params) ([]lifecycle.Extension, int, error) {
	f.requestedFor, f.assignedTo, f.params = requestedFor, assignedTo, p
	return page(f, anExtension, f.asked(ctx, a))
}

func (f *fake) CreateExtension(ctx context.Context, a policy.Actor, in lifecycle.ExtensionInput) (lifecycle.Extension, error) {
	f.extension = in
	return anExtension, f.asked(ctx, a)
}

func (f *fake) ImportExtension(ctx context.Context, a policy.Actor, source lifecycle.ID, upload service.FormUpload) (lifecycle.Extension, error) {
	f.parent = source
	if err := f.asked(ctx, a); err != nil {
		return lifecycle.Extension{}, err
	}
	if err := f.receive(ctx, upload); err != nil {
		return lifecycle.Extension{}, err
	}
	f.fields = map[string]*string{"endDate": upload.Field("endDate"), "comment": upload.Field("comment")}
	extension := anExtension
	extension.EndDate, extension.Completed, extension.Status = time.Time{}, now, lifecycle.StatusApproved
	return extension, nil
}

func (f *fake) GetExtension(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error) {
	f.id = id
	return anExtension, f.asked(ctx, a)
}

func (f *fake) ListExtensionRecords(ctx context.Context, a policy.Actor, id lifecycle.ID, p filter.Params) ([]lifecycle.ExtensionRecord, int, error) {
	f.id, f.params = id, p
	return page(f, aPart, f.asked(ctx, a))
}

func (f *fake) CancelExtension(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error) {
	f.id = id
	extension := anExtension
	extension.Status, extension.Reason = lifecycle.StatusCancelled, lifecycle.ReasonWithdrawn
	return extension, f.asked(ctx, a)
}

func (f *fake) ApproveExtension(ctx context.Context, a policy.Actor, item lifecycle.ID, in service.DecisionInput) (lifecycle.Extension, error) {
	f.id, f.decision = item, in
	return anExtension, f.asked(ctx, a)
}

func (f *fake) RejectExtension(ctx context.Context, a policy.Actor, item lifecycle.ID, in service.DecisionInput) (lifecycle.Extension, error) {
	f.id, f.decision = item, in
	extension := anExtension
	extension.Status = lifecycle.StatusRejected
	return extension, f.asked(ctx, a)
}
