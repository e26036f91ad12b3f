package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// awkwardIdentity has in its texts what quoting may trip over.
func awkwardIdentity() lifecycle.Identity {
	return lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: `Ó'Brien "x" \ %_ ?0`, Name: `'); DROP TABLE identities; --`, Email: `"o\b"@example.com`,
		Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin, lifecycle.LevelSourceSubadmin}, Active: true,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
}

func TestAnIdentityIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	identity := awkwardIdentity()
	require.NoError(t, s.CreateIdentity(t.Context(), identity))
	plainOne := storetest.Identity(t, s, "plain")
	for _, want := range []lifecycle.Identity{identity, plainOne} {
		got, err := s.GetIdentity(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	all, err := s.ListIdentities(t.Context())
	require.NoError(t, err)
	require.Equal(t, []lifecycle.Identity{plainOne, identity}, all, "by alias, ó behind p")

	for name, again := range map[string]func(*lifecycle.Identity){
		"alias":              func(i *lifecycle.Identity) { i.ID = lifecycle.NewID() },
		"alias of its case":  func(i *lifecycle.Identity) { i.ID, i.Alias = lifecycle.NewID(), `ó'bRIEN "X" \ %_ ?0` },
		"id":                 func(i *lifecycle.Identity) { i.Alias = "another" },
		"id, and the switch": func(i *lifecycle.Identity) { i.Alias, i.Active = "another", false },
	} {
		twin := identity
		again(&twin)
		requireKind(t, lifecycle.KindConflict, s.CreateIdentity(t.Context(), twin))
		got, err := s.GetIdentity(t.Context(), identity.ID)
		require.NoError(t, err, name)
		require.Equal(t, identity, got, name)
	}
	_, err = s.GetIdentity(t.Context(), lifecycle.NewID())
	requireKind(t, lifecycle.KindNotFound, err)
}

func TestEnsuringAnIdentityChangesAllButWhenItWasMade(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	first := awkwardIdentity()
	require.NoError(t, s.EnsureIdentity(t.Context(), first))
	second := lifecycle.Identity{
		ID: first.ID, Alias: "other", Name: "Other", Email: "other@example.com",
		Created: first.Created.Add(time.Hour), Modified: first.Modified.Add(time.Hour),
	}
	require.NoError(t, s.EnsureIdentity(t.Context(), second))
	got, err := s.GetIdentity(t.Context(), first.ID)
	require.NoError(t, err)
	second.Created = first.Created
	require.Equal(t, second, got)

	another := storetest.Identity(t, s, "Another")
	second.Alias = "ANOTHER"
	requireKind(t, lifecycle.KindConflict, s.EnsureIdentity(t.Context(), second))
	all, err := s.ListIdentities(t.Context())
	require.NoError(t, err)
	require.Equal(t, []lifecycle.Identity{another, got}, all)
}

func TestAnIdentityIsSwitchedOffAndOn(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	identity, other := storetest.Identity(t, s, "jane"), storetest.Identity(t, s, "john")
	for _, active := range []bool{false, false, true} {
		require.NoError(t, s.SetIdentityActive(t.Context(), identity.ID, active))
		got, err := s.GetIdentity(t.Context(), identity.ID)
		require.NoError(t, err)
		require.Equal(t, active, got.Active)
		require.False(t, got.Modified.Before(identity.Modified))
	}
	got, err := s.GetIdentity(t.Context(), other.ID)
	require.NoError(t, err)
	require.Equal(t, other, got)
	requireKind(t, lifecycle.KindNotFound, s.SetIdentityActive(t.Context(), lifecycle.NewID(), true))
}

func TestReferencesNameIdentitiesByAliasOrID(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane, odd := storetest.Identity(t, s, "Jane.Doe"), awkwardIdentity()
	require.NoError(t, s.CreateIdentity(t.Context(), odd))
	require.NoError(t, s.SetIdentityActive(t.Context(), odd.ID, false))
	odd, err := s.GetIdentity(t.Context(), odd.ID)
	require.NoError(t, err)
	// Somebody's alias is Jane's id, somebody else's an id that nobody has.
	namesake := storetest.Identity(t, s, jane.ID.String())
	nobody := lifecycle.NewID()
	numbered := storetest.Identity(t, s, nobody.String())

	compact := fmt.Sprintf("%X", jane.ID[:])
	want := map[string]lifecycle.Identity{
		"jane.doe": jane, "JANE.DOE": jane, "Jane.Doe": jane, jane.ID.String(): jane, compact: jane,
		odd.Alias: odd, `ó'brien "X" \ %_ ?0`: odd, odd.ID.String(): odd,
		namesake.ID.String(): namesake, nobody.String(): numbered,
	}
	references := []string{
		"", " ", "%", "_", "nobody", "jane.do", "jane\x00", "jane\xff", "'", "\x00", lifecycle.NewID().String(), lifecycle.ID{}.String(),
	}
	for reference := range want {
		references = append(references, reference, reference)
	}
	got, err := s.ResolveIdentities(t.Context(), references)
	require.NoError(t, err)
	require.Equal(t, want, got)

	for _, none := range [][]string{nil, {}, {"\x00"}, {"nobody"}} {
		got, err := s.ResolveIdentities(t.Context(), none)
		require.NoError(t, err)
		require.Empty(t, got)
		require.NotNil(t, got)
	}
}

func TestAWorkgroupIsFoundByNameOrID(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane, john := storetest.Identity(t, s, "jane"), storetest.Identity(t, s, "john")
	group := lifecycle.Workgroup{
		ID: lifecycle.NewID(), Name: `Fïeld "ops" \ %`, Members: []lifecycle.ID{jane.ID, john.ID}, Created: storetest.Now(),
	}
	require.NoError(t, s.CreateWorkgroup(t.Context(), group))
	empty := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Empty", Created: storetest.Now()}
	require.NoError(t, s.CreateWorkgroup(t.Context(), empty))
	// Its name is the other's id, which the id of the other goes before.
	namesake := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: group.ID.String(), Created: storetest.Now()}
	require.NoError(t, s.CreateWorkgroup(t.Context(), namesake))

	for reference, want := range map[string]lifecycle.Workgroup{
		group.Name: group, `FÏELD "OPS" \ %`: group, group.ID.String(): group, fmt.Sprintf("%x", group.ID[:]): group,
		"EMPTY": empty, empty.ID.String(): empty, namesake.ID.String(): namesake,
	} {
		got, err := s.FindWorkgroup(t.Context(), reference)
		require.NoError(t, err, reference)
		require.Equal(t, want, got, reference)
	}
	for _, reference := range []string{"", "%", "no such", lifecycle.NewID().String(), lifecycle.ID{}.String()} {
		_, err := s.FindWorkgroup(t.Context(), reference)
		requireKind(t, lifecycle.KindNotFound, err)
	}
	for id, want := range map[lifecycle.ID]bool{group.ID: true, empty.ID: true, jane.ID: false, {}: false} {
		exists, err := s.WorkgroupExists(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, exists, id)
	}
}

func TestAWorkgroupIsMadeWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane := storetest.Identity(t, s, "jane")
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Field", Created: storetest.Now()}
	require.NoError(t, s.CreateWorkgroup(t.Context(), group))
	for name, c := range map[string]struct {
		change func(*lifecycle.Workgroup)
		kind   lifecycle.Kind
		field  string
	}{
		"another's name": {func(g *lifecycle.Workgroup) { g.Name = "FIELD" }, lifecycle.KindConflict, "name"},
		"another's id":   {func(g *lifecycle.Workgroup) { g.ID = group.ID }, lifecycle.KindConflict, "id"},
		"an unknown member": {
			func(g *lifecycle.Workgroup) { g.Members = []lifecycle.ID{jane.ID, lifecycle.NewID()} },
			lifecycle.KindReferenceNotFound, "members",
		},
	} {
		other := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Other", Members: []lifecycle.ID{jane.ID}, Created: storetest.Now()}
		c.change(&other)
		err := s.CreateWorkgroup(t.Context(), other)
		requireKind(t, c.kind, err)
		var known *lifecycle.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, c.field, known.Field, name)
		_, err = s.FindWorkgroup(t.Context(), "Other")
		requireKind(t, lifecycle.KindNotFound, err)
	}
	got, err := s.FindWorkgroup(t.Context(), "field")
	require.NoError(t, err)
	require.Equal(t, group, got)
}

func TestEnsuringAWorkgroupAddsToIt(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane, john := storetest.Identity(t, s, "jane"), storetest.Identity(t, s, "john")
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Field", Members: []lifecycle.ID{jane.ID}, Created: storetest.Now()}
	require.NoError(t, s.EnsureWorkgroup(t.Context(), group))
	again := lifecycle.Workgroup{ID: group.ID, Name: "Office", Members: []lifecycle.ID{john.ID}, Created: group.Created.Add(time.Hour)}
	require.NoError(t, s.EnsureWorkgroup(t.Context(), again))
	require.NoError(t, s.AddWorkgroupMember(t.Context(), group.ID, jane.ID), "a member already")
	got, err := s.FindWorkgroup(t.Context(), "office")
	require.NoError(t, err)
	require.Equal(t, lifecycle.Workgroup{
		ID: group.ID, Name: "Office", Members: []lifecycle.ID{jane.ID, john.ID}, Created: group.Created,
	}, got)
	_, err = s.FindWorkgroup(t.Context(), "Field")
	requireKind(t, lifecycle.KindNotFound, err)

	requireKind(t, lifecycle.KindReferenceNotFound, s.AddWorkgroupMember(t.Context(), group.ID, lifecycle.NewID()))
	requireKind(t, lifecycle.KindNotFound, s.AddWorkgroupMember(t.Context(), lifecycle.NewID(), jane.ID))
	other := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "OFFICE", Created: storetest.Now()}
	requireKind(t, lifecycle.KindConflict, s.EnsureWorkgroup(t.Context(), other))
}

// TestAnIdentityAnswersToSomebody: a manager who is there, active or not; one who is
// deleted is none.
func TestAnIdentityAnswersToSomebody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	identity := lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: "ford", Name: "Ford", Manager: lifecycle.NewID(), Active: true, Created: storetest.Now(), Modified: storetest.Now(),
	}
	for _, err := range []error{w.CreateIdentity(t.Context(), identity), w.EnsureIdentity(t.Context(), identity)} {
		requireKind(t, lifecycle.KindReferenceNotFound, err)
		require.ErrorContains(t, err, "manager names no user")
	}
	require.NoError(t, w.SetIdentityActive(t.Context(), w.outsider.ID, false))
	identity.Manager = w.outsider.ID
	require.NoError(t, w.CreateIdentity(t.Context(), identity))
	manager := func() lifecycle.ID {
		t.Helper()
		read, err := w.GetIdentity(t.Context(), identity.ID)
		require.NoError(t, err)
		user, err := w.GetUser(t.Context(), identity.ID)
		require.NoError(t, err)
		require.Equal(t, read.Manager, user.Manager)
		require.Equal(t, user.Manager.IsZero(), user.ManagerName == "")
		return read.Manager
	}
	require.Equal(t, w.outsider.ID, manager())
	identity.Manager = w.owner.ID
	require.NoError(t, w.EnsureIdentity(t.Context(), identity))
	require.Equal(t, w.owner.ID, manager())
	found, _, err := w.SearchIdentities(t.Context(), filter.Query{Limit: 10})
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(found, func(u lifecycle.DirectoryUser) bool {
		return u.ID == identity.ID && u.Manager == w.owner.ID && u.ManagerName == w.owner.Name
	}))
	require.NoError(t, w.DeleteUser(t.Context(), w.owner.ID, func(lifecycle.DirectoryUser) error { return nil }))
	require.Zero(t, manager())
	requireKind(t, lifecycle.KindReferenceNotFound, w.EnsureIdentity(t.Context(), identity))
}
