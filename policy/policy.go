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
	Reassign             Operation = "reassignNonEmployeeApproval"
	Claim                Operation = "claimNonEmployeeApproval"
	ReassignmentHistory  Operation = "getNonEmployeeApprovalReassignmentHistory"
	ListAbsences         Operation = "listIdentityAbsences"
	CreateAbsence        Operation = "createIdentityAbsence"
	GetAbsence           Operation = "getIdentityAbsence"
	DeleteAbsence        Operation = "deleteIdentityAbsence"
	ListAuditEvents      Operation = "listAuditEvents"
	ExportAuditEvents    Operation = "exportAuditEvents"

	GetRequestProgress Operation = "getNonEmployeeRequestProgress"
	GetSourcePolicy    Operation = "getNonEmployeeSourceApprovalConfig"
	PutSourcePolicy    Operation = "putNonEmployeeSourceApprovalConfig"
	DeleteSourcePolicy Operation = "deleteNonEmployeeSourceApprovalConfig"
	ApplySourcePolicy  Operation = "applyNonEmployeeSourceApprovalConfig"
	GetDefaultPolicy   Operation = "getNonEmployeeApprovalConfig"
	PutDefaultPolicy   Operation = "putNonEmployeeApprovalConfig"

	GetSourceLifecycle    Operation = "getNonEmployeeSourceLifecycleConfig"
	PutSourceLifecycle    Operation = "putNonEmployeeSourceLifecycleConfig"
	DeleteSourceLifecycle Operation = "deleteNonEmployeeSourceLifecycleConfig"
	GetDefaultLifecycle   Operation = "getNonEmployeeLifecycleConfig"
	PutDefaultLifecycle   Operation = "putNonEmployeeLifecycleConfig"
	EndRecord             Operation = "endNonEmployeeRecord"
	ListExtensions        Operation = "listNonEmployeeExtensions"
	CreateExtension       Operation = "createNonEmployeeExtension"
	ImportExtension       Operation = "importNonEmployeeExtension"
	GetExtension          Operation = "getNonEmployeeExtension"
	ListExtensionRecords  Operation = "listNonEmployeeExtensionRecords"
	CancelExtension       Operation = "cancelNonEmployeeExtension"
	ApproveExtension      Operation = "approveNonEmployeeExtension"
	RejectExtension       Operation = "rejectNonEmployeeExtension"
	ListWebhooks          Operation = "listWebhooks"
	CreateWebhook         Operation = "createWebhook"
	GetWebhook            Operation = "getWebhook"
	UpdateWebhook         Operation = "updateWebhook"
	DeleteWebhook         Operation = "deleteWebhook"
	ResendDeliveries      Operation = "resendWebhookDeliveries"
	ListDeliveries        Operation = "listDeliveries"
	ResendDelivery        Operation = "resendDelivery"

	ListIdentities       Operation = "listIdentities"
	GetIdentity          Operation = "getIdentity"
	ListWorkgroups       Operation = "listWorkgroups"
	GetWorkgroup         Operation = "getWorkgroup"
	ListWorkgroupMembers Operation = "listWorkgroupMembers"

	ListTokens   Operation = "listPersonalAccessTokens"
	CreateToken  Operation = "createPersonalAccessToken"
	DeleteToken  Operation = "deletePersonalAccessToken"
	ListClients  Operation = "listOauthClients"
	CreateClient Operation = "createOauthClient"
	GetClient    Operation = "getOauthClient"
	DeleteClient Operation = "deleteOauthClient"
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
	return a.HasLevel(lifecycle.LevelOrgAdmin) || a.HasLevel(lifecycle.LevelSourceAdmin)
}

// HasLevel reports whether the actor is a user of this level.
func (a Actor) HasLevel(level lifecycle.Level) bool {
	return a.IsUser() && level != "" && slices.Contains(a.Levels, level)
}

// IsSubadmin reports whether the actor holds rights on the sources of its
// management workgroups only.
func (a Actor) IsSubadmin() bool {
	return !a.isAdmin() && a.HasLevel(lifecycle.LevelSourceSubadmin)
}

// HoldsScope reports whether the actor's token carries the scope.
func (a Actor) HoldsScope(scope string) bool { return HoldsScope(a.Scopes, scope) }

// HoldsScope reports whether scope is among granted, or contained in one of
// them.
func HoldsScope(granted []string, scope string) bool {
	if slices.Contains(granted, scope) {
		return true
	}
	return (scope == lifecycle.ScopeRead || scope == lifecycle.ScopeManage) &&
		slices.Contains(granted, lifecycle.ScopeAll)
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
	// FormerApprover: the approval item was assigned to the actor once.
	FormerApprover bool
	// Own: the object is the actor's own.
	Own bool
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
	// Level admits users of this level in the place of holders of a right; empty
	// where there is none.
	Level lifecycle.Level
	// SourceArea: a subadmin holds the right on the sources of their workgroups.
	SourceArea bool
	// Relations admit whoever has one of them.
	Relations Relations
	// ApplicationScope is what an application's token must carry in the place of
	// Scope and Right; no other scope holds it. Without a Level beside it no user is
	// admitted.
	ApplicationScope string
}

var (
	manager  = Relations{AccountManager: true}
	approver = Relations{Approver: true}
	own      = Relations{Own: true}
	// concerned are those whom an extension concerns.
	concerned = Relations{AccountManager: true, Requester: true, Approver: true}
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
// have. Those of bulk work go by their nearest of kin in it: who may ask for the status of a
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

	// Where a request stands is also for those whose decision it waits for.
	GetRequestProgress: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: Relations{AccountManager: true, Requester: true, Approver: true}},

	// Who sees a source sees by what its requests wait; who may change a source may
	// change that too. What holds for all sources is the administrator's.
	GetSourcePolicy:    {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true, Relations: manager},
	PutSourcePolicy:    {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	DeleteSourcePolicy: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	ApplySourcePolicy:  {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	GetDefaultPolicy:   {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	PutDefaultPolicy:   {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},

	// The same of what happens about the dates of records. Who may move the end of a
	// record may move it to now.
	GetSourceLifecycle:    {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, SourceArea: true, Relations: manager},
	PutSourceLifecycle:    {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	DeleteSourceLifecycle: {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, SourceArea: true},
	GetDefaultLifecycle:   {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	PutDefaultLifecycle:   {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	EndRecord:             {Scope: lifecycle.ScopeManage, UserOnly: true, Right: lifecycle.RightUpdate, Relations: manager},
	// Whoever may change an end date may ask for many, and who decides sees what is
	// asked for.
	ListExtensions:       {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: concerned},
	CreateExtension:      {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, Relations: manager},
	ImportExtension:      {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, Relations: manager},
	GetExtension:         {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: concerned},
	ListExtensionRecords: {Scope: lifecycle.ScopeRead, Right: lifecycle.RightRead, Relations: concerned},
	CancelExtension:      {Scope: lifecycle.ScopeManage, Right: lifecycle.RightUpdate, Relations: Relations{Requester: true}},
	ApproveExtension:     {Scope: lifecycle.ScopeManage, UserOnly: true, Relations: approver},
	RejectExtension:      {Scope: lifecycle.ScopeManage, UserOnly: true, Relations: approver},
	// What leaves the house, and whether it arrived, is the administrator's.
	ListWebhooks:     {Scope: lifecycle.ScopeRead, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	CreateWebhook:    {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	GetWebhook:       {Scope: lifecycle.ScopeRead, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	UpdateWebhook:    {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	DeleteWebhook:    {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	ResendDeliveries: {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	ListDeliveries:   {Scope: lifecycle.ScopeRead, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	ResendDelivery:   {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	// Who has an item may hand it on, beside those who may change everything in its
	// source. One claim of a group's item wins; the others of the group are told so.
	Reassign:            {Scope: lifecycle.ScopeManage, UserOnly: true, Right: lifecycle.RightUpdate, SourceArea: true, Relations: approver},
	Claim:               {Scope: lifecycle.ScopeManage, UserOnly: true, Relations: Relations{Approver: true, FormerApprover: true}},
	ReassignmentHistory: {Scope: lifecycle.ScopeRead, UserOnly: true, Right: lifecycle.RightRead, Relations: Relations{Approver: true, FormerApprover: true}},

	// When somebody is away is their own business, and that of those who keep things
	// running without them.
	ListAbsences:  {Scope: lifecycle.ScopeRead, UserOnly: true, Right: lifecycle.RightRead, Relations: own},
	CreateAbsence: {Scope: lifecycle.ScopeManage, UserOnly: true, Right: lifecycle.RightCreate, Relations: own},
	GetAbsence:    {Scope: lifecycle.ScopeRead, UserOnly: true, Right: lifecycle.RightRead, Relations: own},
	DeleteAbsence: {Scope: lifecycle.ScopeManage, UserOnly: true, Right: lifecycle.RightDelete, Relations: own},

	// Who reads the trail sees what everybody did.
	ListAuditEvents:   {Scope: lifecycle.ScopeRead, Level: lifecycle.LevelOrgAdmin, ApplicationScope: lifecycle.ScopeAudit},
	ExportAuditEvents: {Scope: lifecycle.ScopeRead, Level: lifecycle.LevelOrgAdmin, ApplicationScope: lifecycle.ScopeAudit},

	// Whoever may name people must be able to find them.
	ListIdentities:       {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	GetIdentity:          {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	ListWorkgroups:       {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	GetWorkgroup:         {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	ListWorkgroupMembers: {Scope: lifecycle.ScopeRead, AnyUser: true, Right: lifecycle.RightRead},
	// Who may get in is for people to say, never for an application: one with
	// rights could make itself another with more.
	ListTokens:   {Scope: lifecycle.ScopeRead, UserOnly: true, Level: lifecycle.LevelOrgAdmin, Relations: own},
	CreateToken:  {Scope: lifecycle.ScopeManage, UserOnly: true, Relations: own},
	DeleteToken:  {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin, Relations: own},
	ListClients:  {Scope: lifecycle.ScopeRead, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	CreateClient: {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	GetClient:    {Scope: lifecycle.ScopeRead, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
	DeleteClient: {Scope: lifecycle.ScopeManage, UserOnly: true, Level: lifecycle.LevelOrgAdmin},
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

// everywhere reports whether the actor may do what the rule is about to every
// object.
func (r Rule) everywhere(a Actor) bool {
	return a.Holds(r.Right) || a.HasLevel(r.Level) || r.forApplication(a) || r.AnyUser && a.IsUser()
}

// personal reports whether the rule is about what belongs to people rather than
// to sources: to read every source is not to read that.
func (r Rule) personal() bool { return r.Level != "" || r.Relations.Own }

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
	case r.forApplication(a):
		return true
	case !a.HoldsScope(r.Scope):
		return false
	case !a.IsUser():
		return !r.UserOnly && r.ApplicationScope == "" && a.Holds(r.Right)
	}
	return r.AnyUser || r.Relations != (Relations{}) || r.everywhere(a) || r.SourceArea && a.IsSubadmin()
}

// forApplication reports whether the actor is an application that has what the
// rule asks of one in the place of scope and right.
func (r Rule) forApplication(a Actor) bool {
	return !a.IsUser() && r.ApplicationScope != "" && slices.Contains(a.Scopes, r.ApplicationScope)
}

// Check decides for one object, whose relations to the actor are rel. It
// includes [Enter].
func Check(op Operation, a Actor, rel Relations) error {
	if err := Enter(op, a); err != nil {
		return err
	}
	rule, _ := RuleOf(op)
	switch {
	case rule.everywhere(a):
		return nil
	case rule.SourceArea && a.IsSubadmin() && rel.Workgroup:
		return nil
	case rule.Relations.AccountManager && rel.AccountManager,
		rule.Relations.Requester && rel.Requester,
		rule.Relations.Approver && rel.Approver,
		rule.Relations.FormerApprover && rel.FormerApprover,
		rule.Relations.Own && rel.Own:
		return nil
	}
	return ErrForbidden
}

// Missing is the answer about an object that does not exist: KindNotFound for
// those who may do it everywhere or, where that hangs on a right, may read
// everything, and so learn nothing they could not know; else the very refusal
// that an object out of reach gets (contract §5).
func Missing(op Operation, a Actor) error {
	if err := Enter(op, a); err != nil {
		return err
	}
	rule, _ := RuleOf(op)
	if rule.everywhere(a) || !rule.personal() && a.Holds(lifecycle.RightRead) {
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

// MayMint reports whether the actor may make a personal access token of its own,
// which has the levels that the identity's row names: not where the token that
// asks has fewer, as one of an external issuer may.
func MayMint(a Actor, identity lifecycle.Identity) bool {
	return !slices.ContainsFunc(identity.Levels, func(level lifecycle.Level) bool { return !a.HasLevel(level) })
}

// MayDecideOwn reports whether the identity may decide the item as far as it hangs
// on who made the request: its requester may where the policy of the request
// says so.
func MayDecideOwn(identity lifecycle.ID, item lifecycle.ApprovalItem) bool {
	return item.SelfApproval || item.Requester.IsZero() || identity != item.Requester
}

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
