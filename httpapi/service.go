package httpapi

import (
	"context"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

// Service is what the handlers call: one method for each operation, in the
// order and with the errors of contract §5. Errors are lifecycle errors where
// the caller may be told of them; anything else is answered as an internal
// fault. The number that a list returns beside its page is the number of
// matches, meaningful where the parameters ask for a count.
type Service interface {
	ListSources(ctx context.Context, a policy.Actor, requestedFor *string, withCount bool, p filter.Params) ([]lifecycle.CountedSource, int, error)
	CreateSource(ctx context.Context, a policy.Actor, in lifecycle.SourceInput) (lifecycle.Source, error)
	GetSource(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Source, error)
	PatchSource(ctx context.Context, a policy.Actor, id lifecycle.ID, patch service.Patch) (lifecycle.Source, error)
	DeleteSource(ctx context.Context, a policy.Actor, id lifecycle.ID) error

	// ListAttributes takes Limit and Offset of p only.
	ListAttributes(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.SchemaAttribute, error)
	CreateAttribute(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.AttributeInput) (lifecycle.SchemaAttribute, error)
	DeleteAttributes(ctx context.Context, a policy.Actor, source lifecycle.ID) error
	GetAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID) (lifecycle.SchemaAttribute, error)
	PatchAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID, patch service.Patch) (lifecycle.SchemaAttribute, error)
	DeleteAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID) error
	// Template returns the attributes of which the source's CSV template has
	// the columns.
	Template(ctx context.Context, a policy.Actor, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error)

	ImportRecords(ctx context.Context, a policy.Actor, source lifecycle.ID, dryRun bool, upload service.Upload) (service.ImportResult, error)
	// ImportStatus returns the newest import; found is false if there was none.
	ImportStatus(ctx context.Context, a policy.Actor, source lifecycle.ID) (job lifecycle.ImportJob, found bool, err error)
	// Lists of bulk work take Limit, Offset and Count of p only.
	ListImports(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.ImportJob, int, error)
	GetImport(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (lifecycle.ImportJob, error)
	ListImportFaults(ctx context.Context, a policy.Actor, source, job lifecycle.ID, p filter.Params) ([]lifecycle.RowFault, int, error)
	DownloadImportFaults(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (service.FaultsFile, error)
	CancelImport(ctx context.Context, a policy.Actor, source, job lifecycle.ID) (lifecycle.ImportJob, error)

	// Export makes a new export where job is nil.
	Export(ctx context.Context, a policy.Actor, source lifecycle.ID, job *lifecycle.ID) (service.Export, error)
	ListExports(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.ExportJob, int, error)
	ListExportSchedules(ctx context.Context, a policy.Actor, source lifecycle.ID) ([]lifecycle.ExportSchedule, error)
	CreateExportSchedule(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.ScheduleInput) (lifecycle.ExportSchedule, error)
	DeleteExportSchedule(ctx context.Context, a policy.Actor, source, schedule lifecycle.ID) error

	ListRecords(ctx context.Context, a policy.Actor, p filter.Params, detail *string) ([]lifecycle.Record, int, error)
	CreateRecord(ctx context.Context, a policy.Actor, in lifecycle.PersonInput) (lifecycle.Record, error)
	GetRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, detail *string) (lifecycle.Record, error)
	PutRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.PersonInput) (lifecycle.Record, error)
	PatchRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, patch service.Patch) (lifecycle.Record, error)
	DeleteRecord(ctx context.Context, a policy.Actor, id lifecycle.ID) error
	// DeleteRecords takes the ids as they were sent, nil if there were none;
	// faults is what was wrong with the body.
	DeleteRecords(ctx context.Context, a policy.Actor, ids []string, faults lifecycle.Faults) error

	ListRequests(ctx context.Context, a policy.Actor, requestedFor string, p filter.Params) ([]lifecycle.Request, int, error)
	CreateRequest(ctx context.Context, a policy.Actor, in lifecycle.PersonInput) (lifecycle.Request, error)
	GetRequest(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Request, error)
	GetRequestProgress(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Standing, error)
	DeleteRequest(ctx context.Context, a policy.Actor, id lifecycle.ID) error
	SummarizeRequests(ctx context.Context, a policy.Actor, requestedFor string) (lifecycle.RequestSummary, error)

	ListApprovals(ctx context.Context, a policy.Actor, requestedFor *string, p filter.Params) ([]lifecycle.ApprovalItem, int, error)
	// GetApproval leaves Request and Attributes empty where detail is false.
	GetApproval(ctx context.Context, a policy.Actor, id lifecycle.ID, detail bool) (service.ApprovalDetail, error)
	SummarizeApprovals(ctx context.Context, a policy.Actor, requestedFor string) (lifecycle.ApprovalSummary, error)
	Approve(ctx context.Context, a policy.Actor, id lifecycle.ID, in service.DecisionInput) (lifecycle.ApprovalItem, error)
	Reject(ctx context.Context, a policy.Actor, id lifecycle.ID, in service.DecisionInput) (lifecycle.ApprovalItem, error)

	GetSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.ApprovalPolicyVersion, error)
	PutSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error)
	DeleteSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) error
	// ApplySourcePolicy returns how many requests went by another version before.
	ApplySourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) (int, error)
	GetDefaultPolicy(ctx context.Context, a policy.Actor) (lifecycle.ApprovalPolicyVersion, error)
	PutDefaultPolicy(ctx context.Context, a policy.Actor, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error)
	Reassign(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.ReassignInput) (lifecycle.ApprovalItem, error)
	Claim(ctx context.Context, a policy.Actor, id lifecycle.ID, in service.DecisionInput) (lifecycle.ApprovalItem, error)
	ListReassignments(ctx context.Context, a policy.Actor, id lifecycle.ID) ([]lifecycle.Reassignment, error)

	// ListAbsences and the three after it take "me" for the caller's own.
	ListAbsences(ctx context.Context, a policy.Actor, of string, p filter.Params) ([]lifecycle.Absence, int, error)
	CreateAbsence(ctx context.Context, a policy.Actor, of string, in lifecycle.AbsenceInput) (lifecycle.Absence, error)
	GetAbsence(ctx context.Context, a policy.Actor, of string, id lifecycle.ID) (lifecycle.Absence, error)
	DeleteAbsence(ctx context.Context, a policy.Actor, of string, id lifecycle.ID) error

	GetSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.PolicyInForce, error)
	PutSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error)
	DeleteSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID) error
	GetDefaultLifecycle(ctx context.Context, a policy.Actor) (lifecycle.PolicyInForce, error)
	PutDefaultLifecycle(ctx context.Context, a policy.Actor, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error)
	// EndRecord takes what was wrong with the body while it was read.
	EndRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, reason *string, faults lifecycle.Faults) (lifecycle.Record, error)
	ListExtensions(ctx context.Context, a policy.Actor, requestedFor, assignedTo *string, p filter.Params) ([]lifecycle.Extension, int, error)
	CreateExtension(ctx context.Context, a policy.Actor, in lifecycle.ExtensionInput) (lifecycle.Extension, error)
	ImportExtension(ctx context.Context, a policy.Actor, source lifecycle.ID, upload service.FormUpload) (lifecycle.Extension, error)
	GetExtension(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error)
	// ListExtensionRecords takes no Sorters.
	ListExtensionRecords(ctx context.Context, a policy.Actor, id lifecycle.ID, p filter.Params) ([]lifecycle.ExtensionRecord, int, error)
	CancelExtension(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error)
	// ApproveExtension and RejectExtension take the id of an approval item.
	ApproveExtension(ctx context.Context, a policy.Actor, item lifecycle.ID, in service.DecisionInput) (lifecycle.Extension, error)
	RejectExtension(ctx context.Context, a policy.Actor, item lifecycle.ID, in service.DecisionInput) (lifecycle.Extension, error)
	ListWebhooks(ctx context.Context, a policy.Actor) ([]lifecycle.WebhookEndpoint, error)
	// CreateWebhook returns the endpoint with its secret, the others without.
	CreateWebhook(ctx context.Context, a policy.Actor, in lifecycle.WebhookInput) (lifecycle.WebhookEndpoint, error)
	GetWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.WebhookEndpoint, error)
	UpdateWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.WebhookInput) (lifecycle.WebhookEndpoint, error)
	DeleteWebhook(ctx context.Context, a policy.Actor, id lifecycle.ID) error
	// ListDeliveries takes no Filters and no Sorters.
	ListDeliveries(ctx context.Context, a policy.Actor, p filter.Params, narrow service.DeliveryParams) ([]lifecycle.Delivery, int, error)
	ResendDelivery(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Delivery, error)
	// ResendDeliveries returns how many are tried again.
	ResendDeliveries(ctx context.Context, a policy.Actor, endpoint lifecycle.ID) (int, error)

	ListIdentities(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.DirectoryUser, int, error)
	GetIdentity(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.DirectoryUser, error)
	ListWorkgroups(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.WorkgroupSummary, int, error)
	GetWorkgroup(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.WorkgroupSummary, error)
	// ListWorkgroupMembers takes no Filters.
	ListWorkgroupMembers(ctx context.Context, a policy.Actor, id lifecycle.ID, p filter.Params) ([]lifecycle.DirectoryUser, int, error)
	ListAuditEvents(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.AuditEvent, int, error)
	// ExportAuditEvents takes Filters of p only.
	ExportAuditEvents(ctx context.Context, a policy.Actor, format auditfile.Format, p filter.Params) (service.AuditFile, error)
	// Lists of tokens and clients take Limit, Offset and Count of p only.
	ListTokens(ctx context.Context, a policy.Actor, ownerID *string, p filter.Params) ([]lifecycle.OwnedClient, int, error)
	CreateToken(ctx context.Context, a policy.Actor, in lifecycle.TokenInput) (token lifecycle.OwnedClient, secret string, err error)
	DeleteToken(ctx context.Context, a policy.Actor, id string) error
	ListClients(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.OwnedClient, int, error)
	CreateClient(ctx context.Context, a policy.Actor, in lifecycle.ClientInput) (client lifecycle.Client, secret string, err error)
	GetClient(ctx context.Context, a policy.Actor, id string) (lifecycle.Client, error)
	DeleteClient(ctx context.Context, a policy.Actor, id string) error
}

var _ Service = (*service.Service)(nil)
