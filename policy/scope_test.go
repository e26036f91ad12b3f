package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

func TestListReach(t *testing.T) {
	t.Parallel()
	var (
		absent  *string
		me      = new("me")
		self    = new(caller.String())
		other   = new("22222222222242228222222222222222")
		nobody  = new("00000000-0000-0000-0000-000000000000")
		garbage = new("jane.doe")
		empty   = new("")

		admin     = user(lifecycle.LevelSourceAdmin)
		sub       = user(lifecycle.LevelSourceSubadmin)
		plain     = user()
		readApp   = app(lifecycle.RightRead)
		createApp = app(lifecycle.RightCreate)

		all        = policy.Reach{All: true}
		managed    = policy.Reach{ManagedBy: caller}
		managedFor = policy.Reach{ManagedBy: another}
		mine       = policy.Reach{AssignedTo: caller}
		theirs     = policy.Reach{AssignedTo: another}
		nothing    = policy.Reach{}
	)
	const forbidden, bad = lifecycle.KindForbidden, lifecycle.KindBadRequest
	type row struct {
		name         string
		actor        policy.Actor
		requestedFor *string
		// managed is the reach in lists of sources, records and requests,
		// assigned that in lists of approvals.
		managed, assigned policy.Reach
		fails             lifecycle.Kind
	}
	rows := []row{
		{"an administrator sees everything", admin, absent, all, all, 0},
		{"an administrator asks for their own", admin, me, managed, mine, 0},
		{"an administrator asks for themselves by id", admin, self, managed, mine, 0},
		{"an administrator asks for another's", admin, other, managedFor, theirs, 0},
		{"an administrator asks for nobody's", admin, nobody, nothing, nothing, 0},
		{"an administrator asks for what is no id", admin, garbage, nothing, nothing, bad},
		{"an administrator asks for the empty id", admin, empty, nothing, nothing, bad},
		{"a plain identity sees their own", plain, absent, managed, mine, 0},
		{"a plain identity asks for their own", plain, me, managed, mine, 0},
		{"a plain identity asks for themselves by id", plain, self, managed, mine, 0},
		{"a plain identity asks for another's", plain, other, nothing, nothing, forbidden},
		{"a plain identity asks for nobody's", plain, nobody, nothing, nothing, forbidden},
		{"a plain identity asks for what is no id", plain, garbage, nothing, nothing, bad},
		{"a subadmin asks for their own", sub, me, managed, mine, 0},
		{"a subadmin asks for another's", sub, other, nothing, nothing, forbidden},
		{"an application with read sees everything", readApp, absent, all, all, 0},
		{"an application with read asks for somebody's", readApp, other, managedFor, theirs, 0},
		{"an application asks for its own", readApp, me, nothing, nothing, bad},
		{"an application without read asks for its own", createApp, me, nothing, nothing, bad},
		{"an application without read", createApp, absent, nothing, nothing, forbidden},
		{"an application without read asks for somebody's", createApp, other, nothing, nothing, forbidden},
		{"an application without read asks for what is no id", createApp, garbage, nothing, nothing, bad},
		{"an application without scopes asks for its own", scoped(readApp), me, nothing, nothing, forbidden},
		{"an administrator without scopes", scoped(admin), absent, nothing, nothing, forbidden},
		{"an administrator without scopes asks for another's", scoped(admin), other, nothing, nothing, forbidden},
		{"an administrator without scopes asks for what is no id", scoped(admin), garbage, nothing, nothing, bad},
		{"an administrator with the manage scope only", scoped(admin, lifecycle.ScopeManage), absent, nothing, nothing, forbidden},
	}
	for _, op := range []policy.Operation{
		policy.ListSources, policy.ListRecords, policy.ListRequests, policy.RequestSum,
		policy.ListApprovals, policy.ApprovalSum,
	} {
		for _, tt := range rows {
			t.Run(string(op)+": "+tt.name, func(t *testing.T) {
				t.Parallel()
				reach, err := policy.ListReach(op, tt.actor, tt.requestedFor)
				if tt.fails != 0 {
					require.Equal(t, tt.fails, lifecycle.KindOf(err), "%v", err)
					require.Equal(t, policy.Reach{}, reach)
					return
				}
				require.NoError(t, err)
				want := tt.managed
				if op == policy.ListApprovals || op == policy.ApprovalSum {
					want = tt.assigned
				}
				require.Equal(t, want, reach)
			})
		}
	}
}

func TestASubadminSeesTheSourcesOfTheirWorkgroups(t *testing.T) {
	t.Parallel()
	sub := user(lifecycle.LevelSourceSubadmin)
	for op, want := range map[policy.Operation]policy.Reach{
		policy.ListSources:   {ManagedBy: caller, WorkgroupOf: caller},
		policy.ListRecords:   {ManagedBy: caller},
		policy.ListApprovals: {AssignedTo: caller},
	} {
		reach, err := policy.ListReach(op, sub, nil)
		require.NoError(t, err, op)
		require.Equal(t, want, reach, op)
	}
}

func TestErrorsAboutRequestedForNameIt(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"me", "jane"} {
		_, err := policy.ListReach(policy.ListRequests, app(lifecycle.RightRead), &value)
		var e *lifecycle.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "requested-for", e.Field)
	}
}

func TestWhoseExtensionsAreListed(t *testing.T) {
	t.Parallel()
	me, other := lifecycle.NewID(), lifecycle.NewID()
	scopes := []string{lifecycle.ScopeRead}
	admin := policy.Actor{IdentityID: me, Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Scopes: scopes}
	somebody := policy.Actor{IdentityID: me, Scopes: scopes}
	reading := policy.Actor{ClientID: "app", Rights: []lifecycle.Right{lifecycle.RightRead}, Scopes: scopes}
	for name, c := range map[string]struct {
		actor                    policy.Actor
		requestedFor, assignedTo *string
		want                     policy.Reach
		kind                     lifecycle.Kind
	}{
		"everything":               {actor: admin, want: policy.Reach{All: true}},
		"an application":           {actor: reading, want: policy.Reach{All: true}},
		"one's own":                {actor: somebody, want: policy.Reach{ManagedBy: me, AssignedTo: me}},
		"managed by me":            {actor: somebody, requestedFor: new("me"), want: policy.Reach{ManagedBy: me}},
		"assigned to me":           {actor: somebody, assignedTo: new(me.String()), want: policy.Reach{AssignedTo: me}},
		"assigned to another":      {actor: admin, assignedTo: new(other.String()), want: policy.Reach{AssignedTo: other}},
		"managed by another":       {actor: admin, requestedFor: new(other.String()), want: policy.Reach{ManagedBy: other}},
		"another's":                {actor: somebody, assignedTo: new(other.String()), kind: lifecycle.KindForbidden},
		"both":                     {actor: admin, requestedFor: new("me"), assignedTo: new("me"), kind: lifecycle.KindBadRequest},
		"nobody's":                 {actor: reading, assignedTo: new("me"), kind: lifecycle.KindBadRequest},
		"no id":                    {actor: somebody, assignedTo: new("you"), kind: lifecycle.KindBadRequest},
		"without a scope":          {actor: policy.Actor{IdentityID: me}, kind: lifecycle.KindForbidden},
		"an application and right": {actor: policy.Actor{ClientID: "app", Scopes: scopes}, kind: lifecycle.KindForbidden},
	} {
		reach, err := policy.ExtensionReach(c.actor, c.requestedFor, c.assignedTo)
		require.Equal(t, c.want, reach, name)
		if c.kind == lifecycle.KindInternal {
			require.NoError(t, err, name)
			continue
		}
		require.Error(t, err, name)
		require.Equal(t, c.kind, lifecycle.KindOf(err), name)
	}
}
