package service

import (
	"context"
	"slices"
	"sync"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// DirectoryStore keeps identities and workgroups as a directory does. Every method
// answers an id that is unknown, or of what was deleted, with KindNotFound; lists
// leave out what was deleted.
type DirectoryStore interface {
	// CreateUser returns the user as stored. KindConflict for an alias, without regard
	// to case, that is taken; KindReferenceNotFound for a manager who does not exist.
	CreateUser(ctx context.Context, user lifecycle.DirectoryUser) (lifecycle.DirectoryUser, error)
	GetUser(ctx context.Context, id lifecycle.ID) (lifecycle.DirectoryUser, error)
	// ListUsers leaves the users' groups empty unless they are asked for.
	ListUsers(ctx context.Context, q filter.Query, groups bool) ([]lifecycle.DirectoryUser, int, error)
	// UpdateUser applies change while the row is locked. What change leaves as it
	// was moves neither Version nor Modified. An error of change ends the
	// transaction and is returned as it is.
	UpdateUser(ctx context.Context, id lifecycle.ID, change func(*lifecycle.DirectoryUser) error) (lifecycle.DirectoryUser, error)
	// DeleteUser deletes if check, under the lock, has nothing against it: the
	// identity leaves its workgroups, its personal access tokens go.
	DeleteUser(ctx context.Context, id lifecycle.ID, check func(lifecycle.DirectoryUser) error) error

	// CreateGroup: KindConflict for a name that is taken, KindReferenceNotFound for
	// a member that does not exist.
	CreateGroup(ctx context.Context, group lifecycle.DirectoryGroup) (lifecycle.DirectoryGroup, error)
	GetGroup(ctx context.Context, id lifecycle.ID, members bool) (lifecycle.DirectoryGroup, error)
	ListGroups(ctx context.Context, q filter.Query, members bool) ([]lifecycle.DirectoryGroup, int, error)
	UpdateGroup(ctx context.Context, id lifecycle.ID, change func(*lifecycle.DirectoryGroup) error) (lifecycle.DirectoryGroup, error)
	DeleteGroup(ctx context.Context, id lifecycle.ID, check func(lifecycle.DirectoryGroup) error) error

	// SearchIdentities and the three after it are for those who look people up.
	SearchIdentities(ctx context.Context, q filter.Query) ([]lifecycle.DirectoryUser, int, error)
	ListWorkgroups(ctx context.Context, q filter.Query) ([]lifecycle.WorkgroupSummary, int, error)
	GetWorkgroup(ctx context.Context, id lifecycle.ID) (lifecycle.WorkgroupSummary, error)
	ListWorkgroupMembers(ctx context.Context, group lifecycle.ID, q filter.Query) ([]lifecycle.DirectoryUser, int, error)

	// OrphanedRequests returns up to limit pending requests that wait for somebody
	// who is gone.
	OrphanedRequests(ctx context.Context, limit int) ([]lifecycle.RequestToCheck, error)
}

// CreateUser makes an identity.
func (s *Service) CreateUser(ctx context.Context, a policy.Actor, in lifecycle.UserInput) (lifecycle.DirectoryUser, error) {
	if err := policy.Enter(policy.ScimCreateUser, a); err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	user, faults := in.Judge(lifecycle.DirectoryUser{})
	if err := faults.Err(); err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	user.ID, user.Version = lifecycle.NewID(), 1
	user.Created = s.now()
	user.Modified = user.Created
	return s.store.CreateUser(ctx, user)
}

// GetUser returns one identity with its groups.
func (s *Service) GetUser(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.DirectoryUser, error) {
	if err := policy.Enter(policy.ScimGetUser, a); err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	return s.store.GetUser(ctx, id)
}

// ListUsers returns a page of the identities and how many match.
func (s *Service) ListUsers(ctx context.Context, a policy.Actor, q filter.Query, groups bool) ([]lifecycle.DirectoryUser, int, error) {
	if err := policy.Enter(policy.ScimListUsers, a); err != nil {
		return nil, 0, err
	}
	return s.store.ListUsers(ctx, q, groups)
}

// UpdateUser makes the identity what input says, given the identity as it is under
// its lock; op is a replacement or a patch. An error of input is returned as it is.
func (s *Service) UpdateUser(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID,
	input func(lifecycle.DirectoryUser) (lifecycle.UserInput, error),
) (lifecycle.DirectoryUser, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	off := false
	user, err := s.store.UpdateUser(ctx, id, func(user *lifecycle.DirectoryUser) error {
		in, err := input(*user)
		if err != nil {
			return err
		}
		judged, faults := in.Judge(*user)
		if err := faults.Err(); err != nil {
			return err
		}
		off = user.Active && !judged.Active
		judged.ID, judged.Created, judged.Version, judged.Modified = user.ID, user.Created, user.Version, user.Modified
		*user = judged
		return nil
	})
	if err == nil && off {
		s.wakeOrphans(ctx)
	}
	return user, err
}

// DeleteUser deletes the identity unless check, given it under its lock, objects.
func (s *Service) DeleteUser(ctx context.Context, a policy.Actor, id lifecycle.ID, check func(lifecycle.DirectoryUser) error) error {
	if err := policy.Enter(policy.ScimDeleteUser, a); err != nil {
		return err
	}
	err := s.store.DeleteUser(ctx, id, check)
	if err == nil {
		s.wakeOrphans(ctx)
	}
	return err
}

// CreateGroup makes a workgroup.
func (s *Service) CreateGroup(ctx context.Context, a policy.Actor, in lifecycle.GroupInput) (lifecycle.DirectoryGroup, error) {
	if err := policy.Enter(policy.ScimCreateGroup, a); err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	group, faults := in.Judge()
	if err := faults.Err(); err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	group.ID, group.Version = lifecycle.NewID(), 1
	group.Created = s.now()
	group.Modified = group.Created
	return s.store.CreateGroup(ctx, group)
}

// GetGroup returns one workgroup, with its members if asked for.
func (s *Service) GetGroup(ctx context.Context, a policy.Actor, id lifecycle.ID, members bool) (lifecycle.DirectoryGroup, error) {
	if err := policy.Enter(policy.ScimGetGroup, a); err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	return s.store.GetGroup(ctx, id, members)
}

// ListGroups returns a page of the workgroups and how many match.
func (s *Service) ListGroups(ctx context.Context, a policy.Actor, q filter.Query, members bool) ([]lifecycle.DirectoryGroup, int, error) {
	if err := policy.Enter(policy.ScimListGroups, a); err != nil {
		return nil, 0, err
	}
	return s.store.ListGroups(ctx, q, members)
}

// UpdateGroup does with a workgroup what UpdateUser does with an identity. Of the
// members that it has, input is given the ids alone.
func (s *Service) UpdateGroup(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID,
	input func(lifecycle.DirectoryGroup) (lifecycle.GroupInput, error),
) (lifecycle.DirectoryGroup, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.DirectoryGroup{}, err
	}
	gone := false
	group, err := s.store.UpdateGroup(ctx, id, func(group *lifecycle.DirectoryGroup) error {
		in, err := input(*group)
		if err != nil {
			return err
		}
		judged, faults := in.Judge()
		if err := faults.Err(); err != nil {
			return err
		}
		gone = anyGone(group.Members, judged.Members)
		group.Name, group.ExternalID, group.Members = judged.Name, judged.ExternalID, judged.Members
		return nil
	})
	if err == nil && gone {
		s.wakeOrphans(ctx)
	}
	return group, err
}

// anyGone reports whether a member of before is none of after.
func anyGone(before, after []lifecycle.GroupMember) bool {
	there := make(map[lifecycle.ID]bool, len(after))
	for _, member := range after {
		there[member.ID] = true
	}
	return slices.ContainsFunc(before, func(member lifecycle.GroupMember) bool { return !there[member.ID] })
}

// DeleteGroup deletes the workgroup unless check, given it under its lock, objects.
func (s *Service) DeleteGroup(ctx context.Context, a policy.Actor, id lifecycle.ID, check func(lifecycle.DirectoryGroup) error) error {
	if err := policy.Enter(policy.ScimDeleteGroup, a); err != nil {
		return err
	}
	err := s.store.DeleteGroup(ctx, id, check)
	if err == nil {
		s.wakeOrphans(ctx)
	}
	return err
}

const (
	// wokenAtOnce is how many requests are woken when somebody goes, or a policy is
	// applied; the sweep finds the rest.
	wokenAtOnce = 50
	// wakers is how many of them at a time.
	wakers = 8
)

// wakeOrphans has the workflows of requests that wait for somebody who is gone
// look at their rows now, so that these do not wait for the sweep. What fails is
// the sweep's.
func (s *Service) wakeOrphans(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.StartTimeout)
	defer cancel()
	orphans, err := s.store.OrphanedRequests(ctx, wokenAtOnce)
	if err != nil {
		s.log.WarnContext(ctx, "requests whose approver is gone are left to the sweep", "error", err)
		return
	}
	s.wake(ctx, orphans)
}

// wake has the workflows of these requests read their rows again, whatever becomes
// of the call that moved them. What fails is the sweep's.
func (s *Service) wake(ctx context.Context, requests []lifecycle.RequestToCheck) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.StartTimeout)
	defer cancel()
	var group sync.WaitGroup
	places := make(chan struct{}, wakers)
	for _, moved := range requests {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if err := s.workflows.NudgeRequest(ctx, moved.RequestID, moved.SourceID); err != nil {
				s.log.WarnContext(ctx, "a request that moved is left to the sweep",
					"request_id", moved.RequestID.String(), "error", err)
			}
		})
	}
	group.Wait()
}

// ListIdentities returns a page of the identities and, where p.Count, how many
// there are. What they may do is not told.
func (s *Service) ListIdentities(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.DirectoryUser, int, error) {
	if err := policy.Enter(policy.ListIdentities, a); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Identities)
	if err != nil {
		return nil, 0, err
	}
	return s.store.SearchIdentities(ctx, q)
}

// GetIdentity returns one identity.
func (s *Service) GetIdentity(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.DirectoryUser, error) {
	if err := policy.Enter(policy.GetIdentity, a); err != nil {
		return lifecycle.DirectoryUser{}, err
	}
	return s.store.GetUser(ctx, id)
}

// ListWorkgroups returns a page of the workgroups and, where p.Count, how many
// there are.
func (s *Service) ListWorkgroups(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.WorkgroupSummary, int, error) {
	if err := policy.Enter(policy.ListWorkgroups, a); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Workgroups)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListWorkgroups(ctx, q)
}

// GetWorkgroup returns one workgroup.
func (s *Service) GetWorkgroup(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.WorkgroupSummary, error) {
	if err := policy.Enter(policy.GetWorkgroup, a); err != nil {
		return lifecycle.WorkgroupSummary{}, err
	}
	return s.store.GetWorkgroup(ctx, id)
}

// ListWorkgroupMembers returns a page of the members of a workgroup and, where
// p.Count, how many there are.
func (s *Service) ListWorkgroupMembers(ctx context.Context, a policy.Actor, id lifecycle.ID, p filter.Params) ([]lifecycle.DirectoryUser, int, error) {
	if err := policy.Enter(policy.ListWorkgroupMembers, a); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.WorkgroupMembers)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListWorkgroupMembers(ctx, id, q)
}
