package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// byDirectory are the calls of a directory, and lookups those of who looks people
// up.
var (
	byDirectory = map[policy.Operation]func(context.Context, *Service, policy.Actor) error{
		policy.ScimListUsers: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, _, err := s.ListUsers(ctx, a, filter.Query{}, true)
			return err
		},
		policy.ScimCreateUser: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.CreateUser(ctx, a, lifecycle.UserInput{})
			return err
		},
		policy.ScimGetUser: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.GetUser(ctx, a, lifecycle.NewID())
			return err
		},
		policy.ScimReplaceUser: updateUser(policy.ScimReplaceUser),
		policy.ScimPatchUser:   updateUser(policy.ScimPatchUser),
		policy.ScimDeleteUser: func(ctx context.Context, s *Service, a policy.Actor) error {
			return s.DeleteUser(ctx, a, lifecycle.NewID(), nil)
		},
		policy.ScimListGroups: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, _, err := s.ListGroups(ctx, a, filter.Query{}, true)
			return err
		},
		policy.ScimCreateGroup: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.CreateGroup(ctx, a, lifecycle.GroupInput{})
			return err
		},
		policy.ScimGetGroup: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.GetGroup(ctx, a, lifecycle.NewID(), true)
			return err
		},
		policy.ScimReplaceGroup: updateGroup(policy.ScimReplaceGroup),
		policy.ScimPatchGroup:   updateGroup(policy.ScimPatchGroup),
		policy.ScimDeleteGroup: func(ctx context.Context, s *Service, a policy.Actor) error {
			return s.DeleteGroup(ctx, a, lifecycle.NewID(), nil)
		},
	}
	lookups = map[policy.Operation]func(context.Context, *Service, policy.Actor) error{
		policy.ListIdentities: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, _, err := s.ListIdentities(ctx, a, filter.Params{Filters: new("nonsense")})
			return err
		},
		policy.GetIdentity: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.GetIdentity(ctx, a, lifecycle.NewID())
			return err
		},
		policy.ListWorkgroups: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, _, err := s.ListWorkgroups(ctx, a, filter.Params{Filters: new("nonsense")})
			return err
		},
		policy.GetWorkgroup: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.GetWorkgroup(ctx, a, lifecycle.NewID())
			return err
		},
		policy.GetDefaultLifecycle: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, err := s.GetDefaultLifecycle(ctx, a)
			return err
		},
		policy.ListWorkgroupMembers: func(ctx context.Context, s *Service, a policy.Actor) error {
			_, _, err := s.ListWorkgroupMembers(ctx, a, lifecycle.NewID(), filter.Params{Filters: new("nonsense")})
			return err
		},
	}
)

func updateUser(op policy.Operation) func(context.Context, *Service, policy.Actor) error {
	return func(ctx context.Context, s *Service, a policy.Actor) error {
		_, err := s.UpdateUser(ctx, op, a, lifecycle.NewID(), nil)
		return err
	}
}

func updateGroup(op policy.Operation) func(context.Context, *Service, policy.Actor) error {
	return func(ctx context.Context, s *Service, a policy.Actor) error {
		_, err := s.UpdateGroup(ctx, op, a, lifecycle.NewID(), nil)
		return err
	}
}

// TestWhoMayNotIsRefusedBeforeTheStoreIsAsked: there is none to ask.
func TestWhoMayNotIsRefusedBeforeTheStoreIsAsked(t *testing.T) {
	t.Parallel()
	s := newService(nil, nil)
	everything := app(lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete)
	for op := range policy.Directory {
		if op != policy.ScimDiscover {
			require.Contains(t, byDirectory, op)
		}
	}
	for op, call := range byDirectory {
		for _, actor := range []policy.Actor{outsider, subadmin, everything} {
			require.Equal(t, policy.ErrForbidden, call(t.Context(), s, actor), op)
		}
	}
	for op, call := range lookups {
		for _, actor := range []policy.Actor{app(), app(lifecycle.RightUpdate), {ClientID: "okta", Scopes: []string{lifecycle.ScopeSCIM}}} {
			require.Equal(t, policy.ErrForbidden, call(t.Context(), s, actor), op)
		}
	}
}
