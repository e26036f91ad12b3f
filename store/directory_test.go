package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

func unguarded(lifecycle.DirectoryUser) error { return nil }

func unguardedGroup(lifecycle.DirectoryGroup) error { return nil }

// group makes a workgroup of these people.
func (w *world) group(t *testing.T, name string, members ...lifecycle.Identity) lifecycle.Workgroup {
	t.Helper()
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: name, Created: storetest.Now()}
	for _, member := range members {
		group.Members = append(group.Members, member.ID)
	}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	return group
}

// TestWhoWasDeletedIsNamedStillAndNoMore: what names them goes on doing so, and
// nothing new may.
func TestWhoWasDeletedIsNamedStillAndNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	record := w.record(t, "kept")
	require.NoError(t, w.CreateClient(t.Context(), lifecycle.Client{
		ID: "token", IdentityID: w.owner.ID, SecretHash: []byte("hash"), Active: true, Created: storetest.Now(),
	}))
	require.NoError(t, w.DeleteUser(t.Context(), w.owner.ID, unguarded))

	got, _, err := w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, w.owner.Alias, got.Manager.Alias)
	found, err := filter.Params{Filters: new(`manager eq "JANE.doe"`)}.Judge(filter.Records)
	require.NoError(t, err)
	records, _, err := w.ListRecords(t.Context(), policy.Reach{All: true}, found)
	require.NoError(t, err)
	require.Len(t, records, 1)
	source, _, err := w.GetSource(t.Context(), w.source.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, w.owner.ID, source.Owner)
	resolved, err := w.ResolveIdentities(t.Context(), []string{"jane.doe"})
	require.NoError(t, err)
	require.Equal(t, w.owner.ID, resolved["jane.doe"].ID, "an export of theirs goes back in")
	require.False(t, resolved["jane.doe"].Active)

	_, _, err = w.GetClient(t.Context(), "token")
	requireKind(t, lifecycle.KindNotFound, err)
	for name, do := range map[string]func() error{
		"GetIdentity":       func() error { _, err := w.GetIdentity(t.Context(), w.owner.ID); return err },
		"FindIdentity":      func() error { _, err := w.FindIdentity(t.Context(), "jane.doe"); return err },
		"SetIdentityActive": func() error { return w.SetIdentityActive(t.Context(), w.owner.ID, true) },
		"GetUser":           func() error { _, err := w.GetUser(t.Context(), w.owner.ID); return err },
		"DeleteUser":        func() error { return w.DeleteUser(t.Context(), w.owner.ID, unguarded) },
		"UpdateUser": func() error {
			_, err := w.UpdateUser(t.Context(), w.owner.ID, func(*lifecycle.DirectoryUser) error { return nil })
			return err
		},
	} {
		require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(do()), name)
	}
	all, err := w.ListIdentities(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)

	heir := storetest.Identity(t, w.Store, "JANE.DOE")
	resolved, err = w.ResolveIdentities(t.Context(), []string{"jane.doe", w.owner.ID.String()})
	require.NoError(t, err)
	require.Equal(t, heir.ID, resolved["jane.doe"].ID)
	require.Equal(t, w.owner.ID, resolved[w.owner.ID.String()].ID)
	got, _, err = w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, w.owner.ID, got.Manager.ID)

	revived := w.owner
	revived.Alias = "jane.again"
	require.NoError(t, w.EnsureIdentity(t.Context(), revived))
	_, err = w.GetIdentity(t.Context(), w.owner.ID)
	require.NoError(t, err)
}

// TestWhoIsGoneCanNotBeNamedAnew, by a source that did not name them before.
func TestWhoIsGoneCanNotBeNamedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	inactive, deleted := storetest.Identity(t, w.Store, "inactive"), storetest.Identity(t, w.Store, "deleted")
	group := w.group(t, "Gone", w.outsider)
	group2 := lifecycle.Reference{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}
	named := func(s *lifecycle.Source, who lifecycle.ID) map[string]func() {
		return map[string]func(){
			"owner":           func() { s.Owner = who },
			"approvers":       func() { s.Approvers = append(s.Approvers, lifecycle.IdentityReference(who)) },
			"accountManagers": func() { s.AccountManagers = append(s.AccountManagers, lifecycle.IdentityReference(who)) },
		}
	}
	update := func(change func(*lifecycle.Source)) error {
		_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error { change(s); return nil })
		return err
	}
	// While they are there they can be named.
	require.NoError(t, update(func(s *lifecycle.Source) {
		s.Approvers = append(s.Approvers, lifecycle.IdentityReference(inactive.ID), group2)
		s.AccountManagers = append(s.AccountManagers, lifecycle.IdentityReference(deleted.ID))
		s.ManagementWorkgroup = group.ID
	}))
	require.NoError(t, w.SetIdentityActive(t.Context(), inactive.ID, false))
	require.NoError(t, w.DeleteUser(t.Context(), deleted.ID, unguarded))
	require.NoError(t, w.DeleteGroup(t.Context(), group.ID, unguardedGroup))
	require.NoError(t, update(func(s *lifecycle.Source) { s.Description = "What is named already stays" }))

	for _, who := range []lifecycle.ID{inactive.ID, deleted.ID} {
		for field := range named(&lifecycle.Source{}, who) {
			other := lifecycle.Source{
				ID: lifecycle.NewID(), Name: "Other", Description: "x", Owner: w.outsider.ID, Created: storetest.Now(), Modified: storetest.Now(),
			}
			named(&other, who)[field]()
			err := w.CreateSource(t.Context(), other, lifecycle.SystemAttributes(other.ID, other.Created), 50)
			requireKind(t, lifecycle.KindReferenceNotFound, err)
			require.ErrorContains(t, err, field+" names no active identity")
		}
	}
	for field, change := range map[string]func(*lifecycle.Source){
		"managementWorkgroup": func(s *lifecycle.Source) { s.ManagementWorkgroup = group.ID },
		"approvers":           func(s *lifecycle.Source) { s.Approvers = []lifecycle.Reference{group2} },
	} {
		other := lifecycle.Source{ID: lifecycle.NewID(), Name: "Other", Description: "x", Owner: w.outsider.ID, Created: storetest.Now(), Modified: storetest.Now()}
		change(&other)
		err := w.CreateSource(t.Context(), other, lifecycle.SystemAttributes(other.ID, other.Created), 50)
		requireKind(t, lifecycle.KindReferenceNotFound, err)
		require.ErrorContains(t, err, field+" names no workgroup")
	}
	exists, err := w.WorkgroupExists(t.Context(), group.ID)
	require.NoError(t, err)
	require.False(t, exists)
}

// TestRequestsOfWhoIsGoneAreFound, however they went, at once and first.
func TestRequestsOfWhoIsGoneAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// members are in the group that decides; nil has the approver decide alone.
		members int
		gone    func(ctx context.Context, w *world, group lifecycle.ID) error
		// kept is true if somebody can decide still.
		kept bool
	}{
		"made inactive": {0, func(ctx context.Context, w *world, _ lifecycle.ID) error {
			return w.SetIdentityActive(ctx, w.approvers[0].ID, false)
		}, false},
		"deleted": {0, func(ctx context.Context, w *world, _ lifecycle.ID) error {
			return w.DeleteUser(ctx, w.approvers[0].ID, unguarded)
		}, false},
		"the last of a group removed": {1, func(ctx context.Context, w *world, group lifecycle.ID) error {
			return w.RemoveWorkgroupMember(ctx, group, w.approvers[0].ID)
		}, false},
		"one of two removed": {2, func(ctx context.Context, w *world, group lifecycle.ID) error {
			return w.RemoveWorkgroupMember(ctx, group, w.approvers[0].ID)
		}, true},
		"one of two deleted": {2, func(ctx context.Context, w *world, _ lifecycle.ID) error {
			return w.DeleteUser(ctx, w.approvers[0].ID, unguarded)
		}, true},
		"both of two, one each way": {2, func(ctx context.Context, w *world, _ lifecycle.ID) error {
			return errors.Join(w.DeleteUser(ctx, w.approvers[0].ID, unguarded), w.SetIdentityActive(ctx, w.approvers[1].ID, false))
		}, false},
		"the group deleted": {2, func(ctx context.Context, w *world, group lifecycle.ID) error {
			return w.DeleteGroup(ctx, group, unguardedGroup)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			group := w.group(t, "Deciders", w.approvers[:c.members]...)
			_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
				s.Approvers = s.Approvers[:1]
				if c.members > 0 {
					s.Approvers = []lifecycle.Reference{{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}}
				}
				return nil
			})
			require.NoError(t, err)
			request := w.request(t, "waits")
			orphans := func() []lifecycle.RequestToCheck {
				found, err := w.OrphanedRequests(t.Context(), 10)
				require.NoError(t, err)
				return found
			}
			require.Empty(t, orphans())
			require.NoError(t, c.gone(t.Context(), w, group.ID))
			if c.kept {
				require.Empty(t, orphans())
				requireKind(t, lifecycle.KindIllegalUpdate, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
				return
			}
			want := []lifecycle.RequestToCheck{{RequestID: request.ID, SourceID: w.source.ID, Moved: true}}
			require.Equal(t, want, orphans())
			swept, err := w.RequestsToCheck(t.Context(), 10, 0, 0)
			require.NoError(t, err)
			require.Equal(t, want, swept)
			progress, err := w.LoadRequest(t.Context(), request.ID)
			require.NoError(t, err)
			require.True(t, progress.ApproverGone)
			require.NoError(t, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
			require.Empty(t, orphans())
			w.requireConsistent(t)
		})
	}
}

// TestWhoIsNoLiveMemberCanNotDecide: the store asks again, whatever was known when
// the decision was sent.
func TestWhoIsNoLiveMemberCanNotDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	group := w.group(t, "Deciders", w.approvers...)
	_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
		s.Approvers = []lifecycle.Reference{{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}}
		return nil
	})
	require.NoError(t, err)
	request := w.request(t, "waits")
	decide := func(who lifecycle.ID) lifecycle.DecisionOutcome {
		result, err := w.Decide(t.Context(), lifecycle.Decision{
			ID: lifecycle.NewID(), RequestID: request.ID, ItemID: request.Items[0].ID, Approver: who, Verdict: lifecycle.VerdictApprove,
		})
		require.NoError(t, err)
		return result.Outcome
	}
	require.NoError(t, w.RemoveWorkgroupMember(t.Context(), group.ID, w.approvers[0].ID))
	require.NoError(t, w.SetIdentityActive(t.Context(), w.approvers[1].ID, false))
	for _, who := range []lifecycle.ID{w.approvers[0].ID, w.approvers[1].ID, w.outsider.ID, group.ID} {
		require.Equal(t, lifecycle.DecisionForbidden, decide(who))
	}
	require.Equal(t, lifecycle.DecisionStored, decide(w.approvers[2].ID))
	w.requireConsistent(t)
}

var errObjected = errors.New("objected")

func TestWhatIsObjectedToDoesNotHappen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	group := w.group(t, "Group", w.outsider)
	require.ErrorIs(t, w.DeleteUser(t.Context(), w.outsider.ID, func(u lifecycle.DirectoryUser) error {
		require.Equal(t, w.outsider, u.Identity)
		return errObjected
	}), errObjected)
	require.ErrorIs(t, w.DeleteGroup(t.Context(), group.ID, func(lifecycle.DirectoryGroup) error { return errObjected }), errObjected)
	_, err := w.UpdateUser(t.Context(), w.outsider.ID, func(u *lifecycle.DirectoryUser) error { u.Name = "x"; return errObjected })
	require.ErrorIs(t, err, errObjected)
	_, err = w.UpdateGroup(t.Context(), group.ID, func(g *lifecycle.DirectoryGroup) error { g.Members = nil; return errObjected })
	require.ErrorIs(t, err, errObjected)
	user, err := w.GetUser(t.Context(), w.outsider.ID)
	require.NoError(t, err)
	require.Equal(t, w.outsider, user.Identity)
	require.Equal(t, []lifecycle.WorkgroupName{{ID: group.ID, Name: "Group"}}, user.Groups)
}

// TestAMemberWhoIsDeletedMeanwhileIsNoMember: whoever comes second sees what the
// first did.
func TestAMemberWhoIsDeletedMeanwhileIsNoMember(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for range 8 {
		person := storetest.Identity(t, w.Store, lifecycle.NewID().String())
		group := w.group(t, lifecycle.NewID().String())
		var both sync.WaitGroup
		var added, deleted error
		both.Go(func() { added = w.AddWorkgroupMember(t.Context(), group.ID, person.ID) })
		both.Go(func() { deleted = w.DeleteUser(t.Context(), person.ID, unguarded) })
		both.Wait()
		if lifecycle.KindOf(errors.Join(deleted, errObjected)) == lifecycle.KindUnavailable {
			deleted = w.DeleteUser(t.Context(), person.ID, unguarded)
		}
		require.NoError(t, deleted)
		if added != nil {
			require.Contains(t, []lifecycle.Kind{lifecycle.KindReferenceNotFound, lifecycle.KindUnavailable}, lifecycle.KindOf(added))
		}
		require.Zero(t, w.number(t, "SELECT count(*) FROM workgroup_members AS m JOIN identities AS i ON i.id = m.identity_id WHERE i.deleted IS NOT NULL"))
	}
}

// TestATokenIsForWhoIsThere: who is inactive or deleted is given none, nor who is
// being deleted while it is made.
func TestATokenIsForWhoIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	create := func(owner lifecycle.ID) error {
		return w.CreateClient(t.Context(), lifecycle.Client{
			ID: lifecycle.NewID().String(), IdentityID: owner, SecretHash: []byte("hash"), Active: true, Created: storetest.Now(),
		})
	}
	away, gone, going := storetest.Identity(t, w.Store, "away"), storetest.Identity(t, w.Store, "gone"), storetest.Identity(t, w.Store, "going")
	require.NoError(t, w.SetIdentityActive(t.Context(), away.ID, false))
	requireKind(t, lifecycle.KindReferenceNotFound, create(away.ID))
	require.NoError(t, w.SetIdentityActive(t.Context(), away.ID, true))
	require.NoError(t, create(away.ID))
	require.NoError(t, w.DeleteUser(t.Context(), gone.ID, unguarded))
	requireKind(t, lifecycle.KindReferenceNotFound, create(gone.ID))

	created := make(chan error, 1)
	require.NoError(t, w.DeleteUser(t.Context(), going.ID, func(lifecycle.DirectoryUser) error {
		go func() { created <- create(going.ID) }()
		require.Eventually(t, func() bool {
			return w.number(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
				AND query LIKE 'SELECT 1 FROM identities WHERE id = ''' || $1 || '%'`, going.ID.String()) == 1
		}, 30*time.Second, 10*time.Millisecond, "the token waits for the row")
		return nil
	}))
	requireKind(t, lifecycle.KindReferenceNotFound, <-created)
	require.Zero(t, w.number(t, "SELECT count(*) FROM clients AS c JOIN identities AS i ON i.id = c.identity_id WHERE i.deleted IS NOT NULL"))
}

func TestPeopleAndGroupsAreLookedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	admin := storetest.Identity(t, w.Store, "admin", lifecycle.LevelOrgAdmin)
	gone := storetest.Identity(t, w.Store, "gone")
	group := w.group(t, "Field", w.owner, admin, gone)
	w.group(t, "Office")
	require.NoError(t, w.DeleteUser(t.Context(), gone.ID, unguarded))
	search := func(filters, sorters string, limit int) []string {
		q, err := filter.Params{Filters: &filters, Sorters: &sorters, Limit: &limit, Count: new(true)}.Judge(filter.Identities)
		require.NoError(t, err)
		found, count, err := w.SearchIdentities(t.Context(), q)
		require.NoError(t, err)
		var aliases []string
		for _, user := range found {
			aliases = append(aliases, user.Alias)
		}
		if limit == 250 {
			require.Len(t, aliases, count)
		} else {
			require.GreaterOrEqual(t, count, len(aliases))
		}
		return aliases
	}
	require.Equal(t, []string{"admin", "jane.doe", "outsider"}, search("", "alias", 250))
	require.Equal(t, []string{"outsider"}, search("", "-name", 1))
	require.Equal(t, []string{"jane.doe"}, search(`alias sw "JANE"`, "", 250))
	require.Equal(t, []string{"jane.doe", "admin"}, search(`name co "person j" or email eq "ADMIN@example.com"`, "-alias", 250))
	require.Equal(t, []string{"admin"}, search(`id in ("`+admin.ID.String()+`","`+gone.ID.String()+`")`, "", 250))
	require.Empty(t, search(`firstname eq "x" and lastname sw "y"`, "", 250))

	q, err := filter.Params{Sorters: new("-name"), Count: new(true)}.Judge(filter.Workgroups)
	require.NoError(t, err)
	groups, count, err := w.ListWorkgroups(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, 2, count)
	require.Equal(t, []int{0, 2}, []int{groups[0].Members, groups[1].Members})
	one, err := w.GetWorkgroup(t.Context(), group.ID)
	require.NoError(t, err)
	require.Equal(t, groups[1], one)
	q, err = filter.Params{Sorters: new("alias"), Count: new(true)}.Judge(filter.WorkgroupMembers)
	require.NoError(t, err)
	members, count, err := w.ListWorkgroupMembers(t.Context(), group.ID, q)
	require.NoError(t, err)
	require.Equal(t, 2, count)
	require.Equal(t, []string{"admin", "jane.doe"}, []string{members[0].Alias, members[1].Alias})
	_, _, err = w.ListWorkgroupMembers(t.Context(), lifecycle.NewID(), q)
	requireKind(t, lifecycle.KindNotFound, err)
	require.NoError(t, w.DeleteGroup(t.Context(), group.ID, unguardedGroup))
	_, err = w.GetWorkgroup(t.Context(), group.ID)
	requireKind(t, lifecycle.KindNotFound, err)
}

// TestIdentitiesThatWereThereAreFolded has Migrate fill in what the migration can't.
func TestIdentitiesThatWereThereAreFolded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.change(t, "UPDATE identities SET name = 'Ödön', name_folded = '', email = 'STRASSE@x', email_folded = ''")
	require.NoError(t, store.Migrate(t.Context(), w.schema.MigrationURL, w.schema.AppRole))
	require.Equal(t, 2, w.number(t, "SELECT count(*) FROM identities WHERE name_folded = 'ödön' AND email_folded = 'strasse@x'"))
	require.WithinDuration(t, time.Now(), w.owner.Created, time.Hour)
}
