// Package policy answers one question: may this actor do this to that object?
// The answers stand in two tables: [Rules] is contract §5 and nothing else,
// [Extensions] is what we serve beyond the contract. The package does no I/O:
// the relations of the actor to the object at hand are looked up by the caller
// and handed in.
package policy

import (
	"slices"

	"gatehouse/lifecycle"
)

// Operation is one operation of the API, by its operationId.
type Operation string

// The 32 operations of the contract.
const (
	ListSources   Operation = "listNonEmployeeSources"
	CreateSource  Operation = "createNonEmployeeSource"
	GetSource     Operation = "getNonEmployeeSource"
	PatchSource   Operation = "patchNonEmployeeSource"
	DeleteSource  Operation = "deleteNonEmployeeSource"
	ListSchema    Operation = "getNonEmployeeSourceSchemaAttributes"
	CreateSchema  Operation = "createNonEmployeeSourceSchemaAttributes"
	DeleteSchema  Operation = "deleteNonEmployeeSourceSchemaAttributes"
	GetAttribute  Operation = "getNonEmployeeSchemaAttribute"
	PatchAttr     Operation = "patchNonEmployeeSchemaAttribute"
	DeleteAttr    Operation = "deleteNonEmployeeSchemaAttribute"
	Template      Operation = "exportNonEmployeeSourceSchemaTemplate"
	Export        Operation = "exportNonEmployeeRecords"
	BulkUpload    Operation = "importNonEmployeeRecordsInBulk"
	BulkStatus    Operation = "getNonEmployeeBulkUploadStatus"
	ListRecords   Operation = "listNonEmployeeRecords"
	CreateRecord  Operation = "createNonEmployeeRecord"
	GetRecord     Operation = "getNonEmployeeRecord"
	PutRecord     Operation = "updateNonEmployeeRecord"
	PatchRecord   Operation = "patchNonEmployeeRecord"
	DeleteRecord  Operation = "deleteNonEmployeeRecord"
	BulkDelete    Operation = "deleteNonEmployeeRecordsInBulk"
	ListRequests  Operation = "listNonEmployeeRequests"
	CreateRequest Operation = "createNonEmployeeRequest"
	GetRequest    Operation = "getNonEmployeeRequest"
	DeleteRequest Operation = "deleteNonEmployeeRequest"
	RequestSum    Operation = "getNonEmployeeRequestSummary"
	ListApprovals Operation = "listNonEmployeeApprovals"
	GetApproval   Operation = "getNonEmployeeApproval"
	Approve       Operation = "approveNonEmployeeRequest"
	Reject        Operation = "rejectNonEmployeeRequest"
	ApprovalSum   Operation = "getNonEmployeeApprovalSummary"
)

// Operations that the contract does not have.
const (
	ListImports          Operation = "listNonEmployeeBulkUploadJobs"
	GetImport            Operation = "getNonEmployeeBulkUploadJob"
	ListImportFaults     Operation = "listNonEmployeeBulkUploadFaults"
	DownloadImportFaults Operation = "exportNonEmployeeBulkUploadFaults"
	CancelImport         Operation = "cancelNonEmployeeBulkUploadJob"
	ListExports          Operation = "listNonEmployeeExports"
	ListExportSchedules  Operation = "listNonEmployeeExportSchedules"
	CreateExportSchedule Operation = "createNonEmployeeExportSchedule"
	DeleteExportSchedule Operation = "deleteNonEmployeeExportSchedule"
	ListAuditEvents      Operation = "listAuditEvents"
	ExportAuditEvents    Operation = "exportAuditEvents"

	ListIdentities       Operation = "listIdentities"
	GetIdentity          Operation = "getIdentity"
	ListWorkgroups       Operation = "listWorkgroups"
	GetWorkgroup         Operation = "getWorkgroup"
	ListWorkgroupMembers Operation = "listWorkgroupMembers"
)

// Operations of a directory, by SCIM.
const (
	ScimDiscover     Operation = "scimDiscover"
	ScimListUsers    Operation = "scimListUsers"
	ScimCreateUser   Operation = "scimCreateUser"
	ScimGetUser      Operation = "scimGetUser"
	ScimReplaceUser  Operation = "scimReplaceUser"
	ScimPatchUser    Operation = "scimPatchUser"
	ScimDeleteUser   Operation = "scimDeleteUser"
	ScimListGroups   Operation = "scimListGroups"
	ScimCreateGroup  Operation = "scimCreateGroup"
	ScimGetGroup     Operation = "scimGetGroup"
	ScimReplaceGroup Operation = "scimReplaceGroup"
	ScimPatchGroup   Operation = "scimPatchGroup"
	ScimDeleteGroup  Operation = "scimDeleteGroup"
)

// Actor is who calls: what a verified token says.
type Actor struct {
	// ClientID is the client the token was issued to.
	ClientID string
	// IdentityID is zero for an application token.
	IdentityID lifecycle.ID
	// Levels are the identity's user levels; empty for an application token.
	Levels []lifecycle.Level
	// Rights are those given to an application client; empty for a user token.
	Rights []lifecycle.Right
	// Scopes are the token's scopes.
	Scopes []string
}

// IsUser reports whether the actor has an identity.
func (a Actor) IsUser() bool { return !a.IdentityID.IsZero() }

// Holds reports whether the actor has the right on every object: a user by
// level, an application by what its client was given.
func (a Actor) Holds(right lifecycle.Right) bool {
	if a.IsUser() {
		return right != "" && a.isAdmin()
	}
	return right != "" && slices.Contains(a.Rights, right)
}

func (a Actor) isAdmin() bool {
	return a.IsUser() && (slices.Contains(a.Levels, lifecycle.LevelOrgAdmin) ||
		slices.Contains(a.Levels, lifecycle.LevelSourceAdmin))
}

// IsSubadmin reports whether the actor holds rights on the sources of its
// management workgroups only.
func (a Actor) IsSubadmin() bool {
	return a.IsUser() && !a.isAdmin() && slices.Contains(a.Levels, lifecycle.LevelSourceSubadmin)
}

func (a Actor) hasScope(scope string) bool {
	return slices.Contains(a.Scopes, scope) || slices.Contains(a.Scopes, lifecycle.ScopeAll)
}

// Relations are what ties an actor to the object at hand.
type Relations struct {
	// AccountManager: named as account manager of the object's source, or its owner.
	AccountManager bool
	// Workgroup: member of the source's management workgroup.
	Workgroup bool
	// Requester: made the request.
	Requester bool
	// Approver: the approval item is assigned to the actor.
	Approver bool
}

// Rule is one line of the access table.
type Rule struct {
	// Scope is what the token must carry.
	Scope string
	// UserOnly refuses application tokens.
	UserOnly bool
	// AnyUser admits every user token that has the scope.
	AnyUser bool
	// Right admits its holders; empty where no right does.
	Right lifecycle.Right
	// SourceArea: a subadmin holds the right on the sources of their workgroups.
	SourceArea bool
	// Relations admit whoever has one of them.
	Relations Relations
	// Level is what users must have beside the scope; empty where another ground
	// admits them.
	Level lifecycle.Level
	// ApplicationScope is what an application's token must carry in the place of
	// Scope and Right; no other scope holds it. Without a Level beside it no user is
	// admitted.
	ApplicationScope string
}

var (
	manager  = Relations{AccountManager: true}
	approver = Relations{Approver: true}
)

// Rules is the access table of contract §5. Lists admit any actor with the
// scope who has either the right or an identity; what they then see is for
// the list's own scope to say.
var Rules = map[Operation]Rule{
	ListSources: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true, Relations: manager},
	GetSource:   {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true, Relations: manager},
	// There is no source yet that a workgroup could manage, so of users only
	// ORG_ADMIN and SOURCE_ADMIN get here; the published contract admits
	// applications as well.
	CreateSource: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightCreate},
	PatchSource:  {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	DeleteSource: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightDelete, SourceArea: true},

	ListSchema:   {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true, Relations: manager},
	GetAttribute: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true, Relations: manager},
	CreateSchema: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightCreate, SourceArea: true},
	PatchAttr:    {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	DeleteAttr:   {Scope: lifecycle.ScopeManage, Right: lifecycle.RightDelete, SourceArea: true},
	DeleteSchema: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightDelete, SourceArea: true},

	Template:   {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true},
	Export:     {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	BulkStatus: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	BulkUpload: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightCreate},

	ListRecords:  {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: manager},
	GetRecord:    {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: manager},
	CreateRecord: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightCreate},
	PutRecord:    {Scope: lifecycle.ScopeManage, UserOnly: true, Right: lifecycle.RightUpdate, Relations: manager},
	PatchRecord:  {Scope: lifecycle.ScopeManage, UserOnly: true, Right: lifecycle.RightUpdate, Relations: manager},
	DeleteRecord: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightDelete},
	BulkDelete:   {Scope: lifecycle.ScopeManage, Right: lifecycle.RightDelete},

	ListRequests:  {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: manager},
	RequestSum:    {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: manager},
	CreateRequest: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightCreate, Relations: manager},
	GetRequest:    {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: Relations{AccountManager: true, Requester: true}},
	DeleteRequest: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightDelete},

	ListApprovals: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: approver},
	ApprovalSum:   {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: approver},
	GetApproval:   {Scope: lifecycle.ScopeRead, UserOnly: true, Right: lifecycle.RightRead, Relations: approver},
	Approve:       {Scope: lifecycle.ScopeManage, UserOnly: true, Relations: approver},
	Reject:        {Scope: lifecycle.ScopeManage, UserOnly: true, Relations: approver},
}

// Extensions is the access table of the operations that the contract does not
// have. They go by their nearest of kin in it: who may ask for the status of a
// bulk upload may look at the jobs and their faults, who may upload may cancel,
// and who may export may have it done again and again.
var Extensions = map[Operation]Rule{
	ListImports:          {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	GetImport:            {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	ListImportFaults:     {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	DownloadImportFaults: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	CancelImport:         {Scope: lifecycle.ScopeManage, Right: lifecycle.RightCreate},

	ListExports:          {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	ListExportSchedules:  {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead},
	CreateExportSchedule: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightRead},
	DeleteExportSchedule: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightRead},

	// Who reads the trail sees what everybody did.
	ListAuditEvents:   {Scope: lifecycle.ScopeRead, Level: lifecycle.LevelOrgAdmin, ApplicationScope: lifecycle.ScopeAudit},
	ExportAuditEvents: {Scope: lifecycle.ScopeRead, Level: lifecycle.LevelOrgAdmin, ApplicationScope: lifecycle.ScopeAudit},

	// Whoever may name people must be able to find them.
	ListIdentities:       {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	GetIdentity:          {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	ListWorkgroups:       {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	GetWorkgroup:         {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	ListWorkgroupMembers: {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
}

// Directory is the access table of SCIM: an application with the scope of its own
// may do everything there, and nobody else anything.
var Directory = map[Operation]Rule{
	ScimDiscover:     {ApplicationScope: lifecycle.ScopeSCIM},
	ScimListUsers:    {ApplicationScope: lifecycle.ScopeSCIM},
	ScimCreateUser:   {ApplicationScope: lifecycle.ScopeSCIM},
	ScimGetUser:      {ApplicationScope: lifecycle.ScopeSCIM},
	ScimReplaceUser:  {ApplicationScope: lifecycle.ScopeSCIM},
	ScimPatchUser:    {ApplicationScope: lifecycle.ScopeSCIM},
	ScimDeleteUser:   {ApplicationScope: lifecycle.ScopeSCIM},
	ScimListGroups:   {ApplicationScope: lifecycle.ScopeSCIM},
	ScimCreateGroup:  {ApplicationScope: lifecycle.ScopeSCIM},
	ScimGetGroup:     {ApplicationScope: lifecycle.ScopeSCIM},
	ScimReplaceGroup: {ApplicationScope: lifecycle.ScopeSCIM},
	ScimPatchGroup:   {ApplicationScope: lifecycle.ScopeSCIM},
	ScimDeleteGroup:  {ApplicationScope: lifecycle.ScopeSCIM},
}

// RuleOf returns the line of the table that has it; ok is false for an operation
// that there is not.
func RuleOf(op Operation) (rule Rule, ok bool) {
	for _, table := range []map[Operation]Rule{Rules, Extensions, Directory} {
		if rule, ok = table[op]; ok {
			return rule, true
		}
	}
	return Rule{}, false
}

// ErrForbidden is the one refusal. Its text is the same for every reason, so
// that it tells nothing about what exists (contract §5).
var ErrForbidden = lifecycle.NewError(lifecycle.KindForbidden,
	"The server understood the request but refuses to authorize it.")

// Enter checks what can be judged before any object is looked at: the token's
// scope, its kind, and whether the actor could be admitted at all.
func Enter(op Operation, a Actor) error {
	rule, ok := RuleOf(op)
	if !ok || !rule.admits(a) {
		return ErrForbidden
	}
	return nil
}

// admits reports whether the actor could be admitted to some object.
func (r Rule) admits(a Actor) bool {
	switch {
	case !a.IsUser() && r.ApplicationScope != "":
		return slices.Contains(a.Scopes, r.ApplicationScope)
	case !a.hasScope(r.Scope):
		return false
	case !a.IsUser():
		return !r.UserOnly && a.Holds(r.Right)
	case r.Level != "":
		return slices.Contains(a.Levels, r.Level)
	}
	return r.AnyUser || r.Relations != (Relations{}) || a.Holds(r.Right) || r.SourceArea && a.IsSubadmin()
}

// open: whoever is admitted may see every object.
func (r Rule) open() bool { return r.AnyUser || r.Level != "" || r.ApplicationScope != "" }

// Check decides for one object, whose relations to the actor are rel. It
// includes [Enter].
func Check(op Operation, a Actor, rel Relations) error {
	if err := Enter(op, a); err != nil {
		return err
	}
	rule, _ := RuleOf(op)
	switch {
	case a.Holds(rule.Right), rule.open(): // those whom Enter lets in
		return nil
	case rule.SourceArea && a.IsSubadmin() && rel.Workgroup:
		return nil
	case rule.Relations.AccountManager && rel.AccountManager,
		rule.Relations.Requester && rel.Requester,
		rule.Relations.Approver && rel.Approver:
		return nil
	}
	return ErrForbidden
}

// Missing is the answer about an object that does not exist: KindNotFound for
// those who hold the operation's right everywhere or may read everything, and
// where whoever is admitted may see every object, who so learn nothing they could
// not know; else the very refusal that an object out of reach gets (contract §5).
func Missing(op Operation, a Actor) error {
	if err := Enter(op, a); err != nil {
		return err
	}
	rule, _ := RuleOf(op)
	if a.Holds(rule.Right) || a.Holds(lifecycle.RightRead) || rule.open() {
		return ErrNotFound
	}
	return ErrForbidden
}

// ErrNotFound is the answer for an unknown id in a path.
var ErrNotFound = lifecycle.NewError(lifecycle.KindNotFound,
	"The server did not find a current representation for the target resource.")

// MayChangeOnlyEndDate reports whether an actor admitted to PUT or PATCH of a
// record is bound to its endDate (contract §4).
func MayChangeOnlyEndDate(a Actor) bool { return !a.Holds(lifecycle.RightUpdate) }

// MayDecide reports whether the identity may decide an item assigned to
// approver. The API asks before it sends a decision and the store's transaction
// asks again, so a signal is held to the same answer. groups are the
// workgroups the identity is a member of.
func MayDecide(identity lifecycle.ID, approver lifecycle.Reference, groups []lifecycle.ID) bool {
	if identity.IsZero() {
		return false
	}
	if approver.Type == lifecycle.ReferenceGovernanceGroup {
		return slices.Contains(groups, approver.ID)
	}
	return approver.ID == identity
}
