package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

var (
	caller  = lifecycle.MustParseID("11111111-1111-4111-8111-111111111111")
	another = lifecycle.MustParseID("22222222-2222-4222-8222-222222222222")

	allScopes = []string{lifecycle.ScopeRead, lifecycle.ScopeManage}
	allRights = []lifecycle.Right{
		lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete,
	}
)

func user(levels ...lifecycle.Level) policy.Actor {
	return policy.Actor{ClientID: "pat", IdentityID: caller, Levels: levels, Scopes: allScopes}
}

func app(rights ...lifecycle.Right) policy.Actor {
	return policy.Actor{ClientID: "app", Rights: rights, Scopes: allScopes}
}

func scoped(a policy.Actor, scopes ...string) policy.Actor {
	a.Scopes = scopes
	return a
}

// kind is one column of the matrix: an actor with what ties it to the object.
type kind struct {
	name string
	// column indexes the letters of a row; kinds that must fare alike share one.
	column int
	actor  policy.Actor
	rel    policy.Relations
}

// Columns of the matrix.
const (
	colAdmin = iota
	colSubadminHere
	colSubadminElsewhere
	colManagerHere
	colSubadminManages
	colApproverHere
	colRequester
	colOutsider
	colAppCreate
	colAppRead
	colAppUpdate
	colAppDelete
	colAppAll
	columns
)

func kinds() []kind {
	var (
		none     policy.Relations
		group    = policy.Relations{Workgroup: true}
		manager  = policy.Relations{AccountManager: true}
		approver = policy.Relations{Approver: true}
		made     = policy.Relations{Requester: true}
		sub      = lifecycle.LevelSourceSubadmin
	)
	return []kind{
		{"ORG_ADMIN", colAdmin, user(lifecycle.LevelOrgAdmin), none},
		{"SOURCE_ADMIN", colAdmin, user(lifecycle.LevelSourceAdmin), none},
		{"SOURCE_ADMIN who is a subadmin too", colAdmin, user(sub, lifecycle.LevelSourceAdmin), none},
		{"ORG_ADMIN with sp:scopes:all", colAdmin, scoped(user(lifecycle.LevelOrgAdmin), lifecycle.ScopeAll), none},
		{"SOURCE_SUBADMIN in the workgroup", colSubadminHere, user(sub), group},
		{"SOURCE_SUBADMIN elsewhere", colSubadminElsewhere, user(sub), none},
		{"account manager here", colManagerHere, user(), manager},
		{"SOURCE_SUBADMIN elsewhere who manages here", colSubadminManages, user(sub), manager},
		{"account manager elsewhere", colOutsider, user(), none},
		{"approver here", colApproverHere, user(), approver},
		{"approver elsewhere", colOutsider, user(), none},
		{"requester", colRequester, user(), made},
		{"outsider", colOutsider, user(), none},
		{"member of the workgroup without the level", colOutsider, user(), group},
		{"outsider whose token claims rights", colOutsider, policy.Actor{IdentityID: caller, Rights: allRights, Scopes: allScopes}, none},
		{"application with create", colAppCreate, app(lifecycle.RightCreate), none},
		{"application with read", colAppRead, app(lifecycle.RightRead), none},
		{"application with update", colAppUpdate, app(lifecycle.RightUpdate), none},
		{"application with delete", colAppDelete, app(lifecycle.RightDelete), none},
		{"application with all rights", colAppAll, app(allRights...), none},
	}
}

// expected is a row of the matrix.
type expected struct {
	// manage: the scope is manage, not read.
	manage bool
	row    string
}

// matrix is contract §5, written out. One letter for each column:
//
//	A  allowed on the object at hand; if it does not exist, 404
//	a  allowed on the object at hand; if it does not exist, 403 like any other
//	e  enters, but is refused on this object, and told 404 if it does not exist
//	r  enters, but is refused on this object, existing or not
//	-  refused before any object is looked at
var matrix = map[policy.Operation]expected{
	// The columns are those of the constants above.
	"listNonEmployeeSources":                  {false, "A a r a a r r r - A - - A"},
	"getNonEmployeeSource":                    {false, "A a r a a r r r - A - - A"},
	"createNonEmployeeSource":                 {true, "A - - - - - - - A - - - A"},
	"patchNonEmployeeSource":                  {true, "A a r - r - - - - - A - A"},
	"deleteNonEmployeeSource":                 {true, "A a r - r - - - - - - A A"},
	"getNonEmployeeSourceSchemaAttributes":    {false, "A a r a a r r r - A - - A"},
	"getNonEmployeeSchemaAttribute":           {false, "A a r a a r r r - A - - A"},
	"createNonEmployeeSourceSchemaAttributes": {true, "A a r - r - - - A - - - A"},
	"patchNonEmployeeSchemaAttribute":         {true, "A a r - r - - - - - A - A"},
	"deleteNonEmployeeSchemaAttribute":        {true, "A a r - r - - - - - - A A"},
	"deleteNonEmployeeSourceSchemaAttributes": {true, "A a r - r - - - - - - A A"},
	"exportNonEmployeeSourceSchemaTemplate":   {false, "A a r - r - - - - A - - A"},
	"exportNonEmployeeRecords":                {false, "A - - - - - - - - A - - A"},
	"getNonEmployeeBulkUploadStatus":          {false, "A - - - - - - - - A - - A"},
	"importNonEmployeeRecordsInBulk":          {true, "A - - - - - - - A - - - A"},
	"createNonEmployeeRecord":                 {true, "A - - - - - - - A - - - A"},
	"deleteNonEmployeeRecord":                 {true, "A - - - - - - - - - - A A"},
	"deleteNonEmployeeRecordsInBulk":          {true, "A - - - - - - - - - - A A"},
	"getNonEmployeeRecord":                    {false, "A r r a a r r r - A - - A"},
	"listNonEmployeeRecords":                  {false, "A r r a a r r r - A - - A"},
	"updateNonEmployeeRecord":                 {true, "A r r a a r r r - - - - -"},
	"patchNonEmployeeRecord":                  {true, "A r r a a r r r - - - - -"},
	"createNonEmployeeRequest":                {true, "A r r a a r r r A - - - A"},
	"listNonEmployeeRequests":                 {false, "A r r a a r r r - A - - A"},
	"getNonEmployeeRequestSummary":            {false, "A r r a a r r r - A - - A"},
	"getNonEmployeeRequest":                   {false, "A r r a a r a r - A - - A"},
	"deleteNonEmployeeRequest":                {true, "A - - - - - - - - - - A A"},
	"listNonEmployeeApprovals":                {false, "A r r r r a r r - A - - A"},
	"getNonEmployeeApprovalSummary":           {false, "A r r r r a r r - A - - A"},
	"getNonEmployeeApproval":                  {false, "A r r r r a r r - - - - -"},
	"approveNonEmployeeRequest":               {true, "e r r r r a r r - - - - -"},
	"rejectNonEmployeeRequest":                {true, "e r r r r a r r - - - - -"},
}

// extensions are the operations beyond the contract, in the same letters. Of
// bulk work a SOURCE_SUBADMIN sees nothing (contract §5).
var extensions = map[policy.Operation]expected{
	"listNonEmployeeBulkUploadJobs":             {false, "A - - - - - - - - A - - A"},
	"getNonEmployeeBulkUploadJob":               {false, "A - - - - - - - - A - - A"},
	"listNonEmployeeBulkUploadFaults":           {false, "A - - - - - - - - A - - A"},
	"exportNonEmployeeBulkUploadFaults":         {false, "A - - - - - - - - A - - A"},
	"cancelNonEmployeeBulkUploadJob":            {true, "A - - - - - - - A - - - A"},
	"listNonEmployeeExports":                    {false, "A - - - - - - - - A - - A"},
	"listNonEmployeeExportSchedules":            {false, "A - - - - - - - - A - - A"},
	"createNonEmployeeExportSchedule":           {true, "A - - - - - - - - A - - A"},
	"deleteNonEmployeeExportSchedule":           {true, "A - - - - - - - - A - - A"},
	"getNonEmployeeSourceApprovalConfig":        {false, "A a r a a r r r - A - - A"},
	"putNonEmployeeSourceApprovalConfig":        {true, "A a r - r - - - - - A - A"},
	"deleteNonEmployeeSourceApprovalConfig":     {true, "A a r - r - - - - - A - A"},
	"applyNonEmployeeSourceApprovalConfig":      {true, "A a r - r - - - - - A - A"},
	"getNonEmployeeApprovalConfig":              {false, "A A A A A A A A - A - - A"},
	"getNonEmployeeSourceLifecycleConfig":       {false, "A a r a a r r r - A - - A"},
	"putNonEmployeeSourceLifecycleConfig":       {true, "A a r - r - - - - - A - A"},
	"deleteNonEmployeeSourceLifecycleConfig":    {true, "A a r - r - - - - - A - A"},
	"getNonEmployeeLifecycleConfig":             {false, "A A A A A A A A - A - - A"},
	"endNonEmployeeRecord":                      {true, "A r r a a r r r - - - - -"},
	"listIdentities":                            {false, "A A A A A A A A - A - - A"},
	"getIdentity":                               {false, "A A A A A A A A - A - - A"},
	"listWorkgroups":                            {false, "A A A A A A A A - A - - A"},
	"getWorkgroup":                              {false, "A A A A A A A A - A - - A"},
	"listWorkgroupMembers":                      {false, "A A A A A A A A - A - - A"},
	"listNonEmployeeExtensions":                 {false, "A r r a a a a r - A - - A"},
	"createNonEmployeeExtension":                {true, "A r r a a r r r - - A - A"},
	"importNonEmployeeExtension":                {true, "A r r a a r r r - - A - A"},
	"getNonEmployeeExtension":                   {false, "A r r a a a a r - A - - A"},
	"listNonEmployeeExtensionRecords":           {false, "A r r a a a a r - A - - A"},
	"cancelNonEmployeeExtension":                {true, "A r r r r r a r - - A - A"},
	"approveNonEmployeeExtension":               {true, "e r r r r a r r - - - - -"},
	"rejectNonEmployeeExtension":                {true, "e r r r r a r r - - - - -"},
	"reassignNonEmployeeApproval":               {true, "A a r r r a r r - - - - -"},
	"claimNonEmployeeApproval":                  {true, "e r r r r a r r - - - - -"},
	"getNonEmployeeApprovalReassignmentHistory": {false, "A r r r r a r r - - - - -"},
	"getNonEmployeeRequestProgress":             {false, "A r r a a a a r - A - - A"},
}

func TestTheAccessTableIsContractSection5(t *testing.T) {
	t.Parallel()
	require.Len(t, matrix, 32)
	require.Len(t, policy.Rules, 32)
	expectAll(t, matrix)
}

func TestTheExtensionsFollowTheirKinInTheContract(t *testing.T) {
	t.Parallel()
	require.Len(t, policy.Extensions, len(extensions)+len(auditOperations)+len(clientRules)+len(absenceRules))
	for op := range policy.Extensions {
		require.NotContains(t, policy.Rules, op, "an extension is none of the contract's operations")
	}
	expectAll(t, extensions)
}

// TestADirectoryNeedsTheScopeOfItsOwn: no level, right or other scope opens SCIM,
// and who has its scope gets nothing else by it.
func TestADirectoryNeedsTheScopeOfItsOwn(t *testing.T) {
	t.Parallel()
	require.Len(t, policy.Directory, 13)
	for op := range policy.Directory {
		for _, k := range kinds() {
			for _, scopes := range [][]string{k.actor.Scopes, {lifecycle.ScopeAll}, {lifecycle.ScopeRead, lifecycle.ScopeManage, lifecycle.ScopeAll}} {
				expect(t, op, scoped(k.actor, scopes...), k.rel, "-")
			}
			letter := "A"
			if k.actor.IsUser() {
				letter = "-"
			}
			expect(t, op, scoped(k.actor, lifecycle.ScopeSCIM), k.rel, letter)
		}
		expect(t, op, scoped(app(), lifecycle.ScopeSCIM), policy.Relations{}, "A")
	}
	for _, rows := range []map[policy.Operation]expected{matrix, extensions} {
		for op := range rows {
			for _, k := range kinds() {
				expect(t, op, scoped(k.actor, lifecycle.ScopeSCIM), k.rel, "-")
			}
		}
	}
}

// auditOperations are open to levels and scopes, not to rights.
var auditOperations = []policy.Operation{policy.ListAuditEvents, policy.ExportAuditEvents}

// TestWhoReadsTheTrail: an ORG_ADMIN, and an application that was given the scope
// for it by name, whatever rights it has.
func TestWhoReadsTheTrail(t *testing.T) {
	t.Parallel()
	for _, op := range auditOperations {
		for _, k := range kinds() {
			want := policy.ErrForbidden
			if k.actor.IsUser() && slices.Contains(k.actor.Levels, lifecycle.LevelOrgAdmin) {
				want = nil
			}
			expectEnter := func(a policy.Actor, want *lifecycle.Error, what string) {
				t.Helper()
				for _, err := range []error{policy.Enter(op, a), policy.Check(op, a, k.rel)} {
					if want == nil {
						require.NoError(t, err, "%s as %s %s", op, k.name, what)
					} else {
						require.Equal(t, want, err, "%s as %s %s", op, k.name, what)
					}
				}
			}
			expectEnter(k.actor, want, "")
			expectEnter(scoped(k.actor, lifecycle.ScopeRead), want, "with the read scope")
			expectEnter(scoped(k.actor, lifecycle.ScopeAll), want, "with all scopes of the contract")
			expectEnter(scoped(k.actor, lifecycle.ScopeManage), policy.ErrForbidden, "with the manage scope")
			expectEnter(scoped(k.actor), policy.ErrForbidden, "without scopes")
			if !k.actor.IsUser() {
				want = nil
			} else {
				want = policy.ErrForbidden
			}
			expectEnter(scoped(k.actor, lifecycle.ScopeAudit), want, "with the scope of the trail")
		}
	}
	for op := range policy.Rules {
		require.Error(t, policy.Enter(op, scoped(app(allRights...), lifecycle.ScopeAudit)), "%s with the scope of the trail alone", op)
	}
}

func expectAll(t *testing.T, rows map[policy.Operation]expected) {
	t.Helper()
	for op, want := range rows {
		letters := strings.Fields(want.row)
		require.Len(t, letters, columns, op)
		for _, k := range kinds() {
			letter := letters[k.column]
			inRead, inManage := letter, "-"
			if want.manage {
				inRead, inManage = "-", letter
			}
			for _, scopes := range []struct {
				name   string
				scopes []string
				letter string
			}{
				{"with its scopes", k.actor.Scopes, letter},
				{"without scopes", nil, "-"},
				{"with the read scope only", []string{lifecycle.ScopeRead}, inRead},
				{"with the manage scope only", []string{lifecycle.ScopeManage}, inManage},
			} {
				t.Run(string(op)+" by "+k.name+" "+scopes.name, func(t *testing.T) {
					t.Parallel()
					expect(t, op, scoped(k.actor, scopes.scopes...), k.rel, scopes.letter)
				})
			}
		}
	}
}

func expect(t *testing.T, op policy.Operation, a policy.Actor, rel policy.Relations, letter string) {
	t.Helper()
	var enter, check, missing error
	switch letter {
	case "A":
		missing = policy.ErrNotFound
	case "a":
		missing = policy.ErrForbidden
	case "e":
		check, missing = policy.ErrForbidden, policy.ErrNotFound
	case "r":
		check, missing = policy.ErrForbidden, policy.ErrForbidden
	case "-":
		enter, check, missing = policy.ErrForbidden, policy.ErrForbidden, policy.ErrForbidden
	default:
		require.FailNow(t, "no such letter", letter)
	}
	require.Equal(t, enter, policy.Enter(op, a), "Enter")
	require.Equal(t, check, policy.Check(op, a, rel), "Check")
	require.Equal(t, missing, policy.Missing(op, a), "Missing")
}

// TestWhoHasSeveralRelationsMayWhatEachAllows holds every pair of columns of
// plain users and of subadmins, who differ in their relations alone.
func TestWhoHasSeveralRelationsMayWhatEachAllows(t *testing.T) {
	t.Parallel()
	relations := map[int]policy.Relations{
		colOutsider: {}, colManagerHere: {AccountManager: true}, colApproverHere: {Approver: true}, colRequester: {Requester: true},
	}
	ofSubadmins := map[int]policy.Relations{
		colSubadminElsewhere: {}, colSubadminHere: {Workgroup: true}, colSubadminManages: {AccountManager: true},
	}
	for op, want := range matrix {
		letters := strings.Fields(want.row)
		for _, side := range []struct {
			of    map[int]policy.Relations
			actor policy.Actor
		}{{relations, user()}, {ofSubadmins, user(lifecycle.LevelSourceSubadmin)}} {
			for one, a := range side.of {
				for other, b := range side.of {
					both := policy.Relations{
						AccountManager: a.AccountManager || b.AccountManager, Workgroup: a.Workgroup || b.Workgroup,
						Requester: a.Requester || b.Requester, Approver: a.Approver || b.Approver,
					}
					allowed := letters[one] == "a" || letters[other] == "a"
					require.Equal(t, allowed, policy.Check(op, side.actor, both) == nil, "%s with %+v", op, both)
				}
			}
		}
	}
}

// TestWhoHadAnItemMayLearnWhereItWent, and is told so where they claim it, but may
// do nothing more with it.
func TestWhoHadAnItemMayLearnWhereItWent(t *testing.T) {
	t.Parallel()
	may := []policy.Operation{policy.ReassignmentHistory, policy.Claim}
	for op := range policy.Rules {
		require.Equal(t, policy.Check(op, user(), policy.Relations{}), policy.Check(op, user(), policy.Relations{FormerApprover: true}), op)
	}
	for op := range policy.Extensions {
		was, without := policy.Check(op, user(), policy.Relations{FormerApprover: true}), policy.Check(op, user(), policy.Relations{})
		if slices.Contains(may, op) {
			require.NoError(t, was, op)
			require.Equal(t, policy.ErrForbidden, without, op)
		} else {
			require.Equal(t, without, was, op)
		}
	}
}

func TestWhoMadeARequestDecidesWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		item lifecycle.ApprovalItem
		want bool
	}{
		"another's request":             {lifecycle.ApprovalItem{Requester: another}, true},
		"their own request":             {lifecycle.ApprovalItem{Requester: caller}, false},
		"their own, where they may":     {lifecycle.ApprovalItem{Requester: caller, SelfApproval: true}, true},
		"that of an application client": {lifecycle.ApprovalItem{}, true},
	}
	for name, tt := range tests {
		require.Equal(t, tt.want, policy.MayDecideOwn(caller, tt.item), name)
	}
}

func TestAnAdministratorWhoIsTheApproverDecides(t *testing.T) {
	t.Parallel()
	for _, op := range []policy.Operation{policy.Approve, policy.Reject} {
		require.NoError(t, policy.Check(op, user(lifecycle.LevelOrgAdmin), policy.Relations{Approver: true}))
	}
}

func TestAnApplicationHasNoRelations(t *testing.T) {
	t.Parallel()
	everything := policy.Relations{AccountManager: true, Workgroup: true, Requester: true, Approver: true}
	for op := range matrix {
		require.Equal(t, policy.ErrForbidden, policy.Check(op, app(), everything), op)
		withLevels := policy.Actor{Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Scopes: allScopes}
		require.Equal(t, policy.ErrForbidden, policy.Check(op, withLevels, everything), op)
	}
}

func TestAnUnknownOperationIsForbidden(t *testing.T) {
	t.Parallel()
	admin := user(lifecycle.LevelOrgAdmin)
	require.Equal(t, policy.ErrForbidden, policy.Enter("", admin))
	require.Equal(t, policy.ErrForbidden, policy.Check("dropTables", admin, policy.Relations{Approver: true}))
	require.Equal(t, policy.ErrForbidden, policy.Missing("dropTables", admin))
}

func TestOnlyHoldersOfUpdateChangeMoreThanTheEndDate(t *testing.T) {
	t.Parallel()
	require.False(t, policy.MayChangeOnlyEndDate(user(lifecycle.LevelOrgAdmin)))
	require.False(t, policy.MayChangeOnlyEndDate(user(lifecycle.LevelSourceAdmin)))
	require.True(t, policy.MayChangeOnlyEndDate(user(lifecycle.LevelSourceSubadmin)))
	require.True(t, policy.MayChangeOnlyEndDate(user()))
}

func TestMayDecide(t *testing.T) {
	t.Parallel()
	group := lifecycle.Reference{ID: another, Type: lifecycle.ReferenceGovernanceGroup}
	tests := []struct {
		name     string
		identity lifecycle.ID
		approver lifecycle.Reference
		groups   []lifecycle.ID
		want     bool
	}{
		{"the approver", caller, lifecycle.IdentityReference(caller), nil, true},
		{"somebody else", caller, lifecycle.IdentityReference(another), nil, false},
		{"a member of the group", caller, group, []lifecycle.ID{caller, another}, true},
		{"no member of the group", caller, group, []lifecycle.ID{caller}, false},
		{"a member of a group with the approver's id", caller, lifecycle.IdentityReference(another), []lifecycle.ID{another}, false},
		{"an identity with the group's id", another, group, nil, false},
		{"nobody, though the item names nobody", lifecycle.ID{}, lifecycle.IdentityReference(lifecycle.ID{}), nil, false},
		{"nobody, though the group is named", lifecycle.ID{}, group, []lifecycle.ID{another}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, policy.MayDecide(tt.identity, tt.approver, tt.groups))
		})
	}
}

func TestTheScopeFollowsTheMethod(t *testing.T) {
	t.Parallel()
	reads := 0
	for op, want := range matrix {
		scope := lifecycle.ScopeManage
		if !want.manage {
			scope = lifecycle.ScopeRead
			reads++
		}
		require.Equal(t, scope, policy.Rules[op].Scope, op)
	}
	require.Equal(t, 15, reads, "the contract has 15 GET operations")
}
