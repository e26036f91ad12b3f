package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// clientRules are the operations on tokens and clients, and the policy of the
// organisation, in the letters of the matrix. Their columns are ORG_ADMIN, SOURCE_ADMIN, SOURCE_SUBADMIN and anybody
// on another's object, anybody on their own, and an application with all rights.
var clientRules = map[policy.Operation]expected{
	"listPersonalAccessTokens":  {false, "A r r r a -"},
	"createPersonalAccessToken": {true, "r r r r a -"},
	"deletePersonalAccessToken": {true, "A r r r a -"},
	"listOauthClients":          {false, "A - - - - -"},
	"createOauthClient":         {true, "A - - - - -"},
	"getOauthClient":            {false, "A - - - - -"},
	"deleteOauthClient":         {true, "A - - - - -"},

	"putNonEmployeeApprovalConfig":  {true, "A - - - - -"},
	"putNonEmployeeLifecycleConfig": {true, "A - - - - -"},

	"listWebhooks":            {false, "A - - - - -"},
	"createWebhook":           {true, "A - - - - -"},
	"getWebhook":              {false, "A - - - - -"},
	"updateWebhook":           {true, "A - - - - -"},
	"deleteWebhook":           {true, "A - - - - -"},
	"resendWebhookDeliveries": {true, "A - - - - -"},
	"listDeliveries":          {false, "A - - - - -"},
	"resendDelivery":          {true, "A - - - - -"},
}

// absenceRules are the operations on absences, in the same letters and columns.
var absenceRules = map[policy.Operation]expected{
	"listIdentityAbsences":  {false, "A A r r a -"},
	"createIdentityAbsence": {true, "A A r r a -"},
	"getIdentityAbsence":    {false, "A A r r a -"},
	"deleteIdentityAbsence": {true, "A A r r a -"},
}

func TestTokensAreTheirOwnersAndClientsTheAdministrators(t *testing.T) {
	t.Parallel()
	expectPersonal(t, clientRules)
}

func TestAbsencesAreTheirOwnersAndTheAdministrators(t *testing.T) {
	t.Parallel()
	expectPersonal(t, absenceRules)
}

func expectPersonal(t *testing.T, rules map[policy.Operation]expected) {
	t.Helper()
	actors := []struct {
		actor policy.Actor
		rel   policy.Relations
	}{
		{user(lifecycle.LevelOrgAdmin), policy.Relations{}},
		{user(lifecycle.LevelSourceAdmin), policy.Relations{}},
		{user(lifecycle.LevelSourceSubadmin), policy.Relations{Workgroup: true}},
		{user(), policy.Relations{AccountManager: true, Approver: true, Requester: true}},
		{user(), policy.Relations{Own: true}},
		{app(allRights...), policy.Relations{Own: true}},
	}
	for op, want := range rules {
		letters := strings.Fields(want.row)
		require.Len(t, letters, len(actors), op)
		for i, a := range actors {
			right, wrong := lifecycle.ScopeRead, lifecycle.ScopeManage
			if want.manage {
				right, wrong = wrong, right
			}
			expect(t, op, scoped(a.actor, right), a.rel, letters[i])
			expect(t, op, scoped(a.actor, wrong), a.rel, "-")
			expect(t, op, scoped(a.actor), a.rel, "-")
		}
	}
}

func TestWhoseTokensAListShows(t *testing.T) {
	t.Parallel()
	me, mine, theirs, nonsense := policy.Me, caller.String(), another.String(), "nonsense"
	all, own, other := policy.Reach{All: true}, policy.Reach{OwnedBy: caller}, policy.Reach{OwnedBy: another}
	for name, test := range map[string]struct {
		actor policy.Actor
		owner *string
		want  policy.Reach
		kind  lifecycle.Kind
	}{
		"an administrator":               {user(lifecycle.LevelOrgAdmin), nil, all, 0},
		"an administrator, me":           {user(lifecycle.LevelOrgAdmin), &me, own, 0},
		"an administrator, another":      {user(lifecycle.LevelOrgAdmin), &theirs, other, 0},
		"anybody":                        {user(), nil, own, 0},
		"anybody, me":                    {user(), &me, own, 0},
		"anybody, their id":              {user(), &mine, own, 0},
		"anybody, another":               {user(), &theirs, policy.Reach{}, lifecycle.KindForbidden},
		"a source administrator":         {user(lifecycle.LevelSourceAdmin), &theirs, policy.Reach{}, lifecycle.KindForbidden},
		"an application":                 {app(allRights...), nil, policy.Reach{}, lifecycle.KindForbidden},
		"an application, me":             {app(allRights...), &me, policy.Reach{}, lifecycle.KindForbidden},
		"no id":                          {user(), &nonsense, policy.Reach{}, lifecycle.KindBadRequest},
		"without the scope":              {scoped(user(), lifecycle.ScopeManage), nil, policy.Reach{}, lifecycle.KindForbidden},
		"ids are read before the access": {app(), &nonsense, policy.Reach{}, lifecycle.KindBadRequest},
	} {
		got, err := policy.TokenReach(test.actor, test.owner)
		require.Equal(t, test.want, got, name)
		if test.kind == 0 {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, test.kind, lifecycle.KindOf(err), name)
	}
}

func TestATokenIsNotMintedForLevelsThatTheTokenThatAsksHasNot(t *testing.T) {
	t.Parallel()
	admin := lifecycle.Identity{Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}}
	require.True(t, policy.MayMint(user(lifecycle.LevelOrgAdmin), admin))
	require.True(t, policy.MayMint(user(lifecycle.LevelOrgAdmin), lifecycle.Identity{}))
	require.False(t, policy.MayMint(user(), admin))
	require.False(t, policy.MayMint(user(lifecycle.LevelSourceAdmin), admin))
}

func TestWhoseAbsencesAreMeant(t *testing.T) {
	t.Parallel()
	admin := user(lifecycle.LevelSourceAdmin)
	for name, c := range map[string]struct {
		actor     policy.Actor
		reference string
		want      lifecycle.ID
		kind      lifecycle.Kind
	}{
		"me":                             {user(), policy.Me, caller, 0},
		"their own id":                   {user(), caller.String(), caller, 0},
		"another's":                      {user(), another.String(), another, lifecycle.KindForbidden},
		"another's, by an administrator": {admin, another.String(), another, 0},
		"no id":                          {user(), "nonsense", lifecycle.ID{}, lifecycle.KindBadRequest},
		"ids are read before the access": {app(), "nonsense", lifecycle.ID{}, lifecycle.KindBadRequest},
		"an application, me":             {app(allRights...), policy.Me, lifecycle.ID{}, lifecycle.KindForbidden},
		"an application, nobody":         {app(allRights...), lifecycle.ID{}.String(), lifecycle.ID{}, lifecycle.KindForbidden},
		"without the scope":              {scoped(user(), lifecycle.ScopeRead), policy.Me, caller, lifecycle.KindForbidden},
	} {
		got, err := policy.AbsentIdentity(policy.CreateAbsence, c.actor, c.reference)
		require.Equal(t, c.want, got, name)
		if c.kind == 0 {
			require.NoError(t, err, name)
		} else {
			require.Equal(t, c.kind, lifecycle.KindOf(err), name)
		}
	}
}
