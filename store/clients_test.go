package store_test

import (
	"fmt"
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

func TestAClientIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane := storetest.Identity(t, s, "jane", lifecycle.LevelSourceAdmin)
	personal := lifecycle.Client{
		ID: "jane-pat", Name: `Jane's "token"`, SecretHash: []byte("\x00\xff'\\"), IdentityID: jane.ID,
		Scopes: []string{lifecycle.ScopeRead, `it's "one", \ {NULL}`, ""}, Active: true, Created: storetest.Now(),
	}
	application := lifecycle.Client{
		ID: "app", Name: "Application", SecretHash: []byte{}, Rights: []lifecycle.Right{lifecycle.RightRead, lifecycle.RightCreate},
		Scopes: []string{lifecycle.ScopeAll}, Created: storetest.Now(),
	}
	for _, client := range []lifecycle.Client{personal, application} {
		require.NoError(t, s.CreateClient(t.Context(), client))
		requireKind(t, lifecycle.KindConflict, s.CreateClient(t.Context(), client))
	}
	got, identity, err := s.GetClient(t.Context(), "jane-pat")
	require.NoError(t, err)
	require.Equal(t, personal, got)
	require.Equal(t, jane, identity)
	got, identity, err = s.GetClient(t.Context(), "app")
	require.NoError(t, err)
	require.Equal(t, application, got)
	require.Zero(t, identity)

	for _, unknown := range []string{"", "JANE-PAT", "jane", "%"} {
		_, _, err = s.GetClient(t.Context(), unknown)
		requireKind(t, lifecycle.KindNotFound, err)
	}
	unknown := personal
	unknown.ID, unknown.IdentityID = "other", lifecycle.NewID()
	requireKind(t, lifecycle.KindReferenceNotFound, s.CreateClient(t.Context(), unknown))
	requireKind(t, lifecycle.KindReferenceNotFound, s.EnsureClient(t.Context(), unknown))
}

func TestAClientIsChangedAndSwitched(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane := storetest.Identity(t, s, "jane")
	first := lifecycle.Client{
		ID: "c", Name: "First", SecretHash: []byte("1"), IdentityID: jane.ID, Scopes: []string{"a"}, Active: true, Created: storetest.Now(),
	}
	require.NoError(t, s.EnsureClient(t.Context(), first))
	second := lifecycle.Client{
		ID: "c", Name: "Second", SecretHash: []byte("2"), Rights: []lifecycle.Right{lifecycle.RightDelete},
		Scopes: []string{"b"}, Created: first.Created.Add(time.Hour),
	}
	require.NoError(t, s.EnsureClient(t.Context(), second))
	second.Created = first.Created
	got, identity, err := s.GetClient(t.Context(), "c")
	require.NoError(t, err)
	require.Equal(t, second, got)
	require.Zero(t, identity)

	for _, active := range []bool{true, false, false} {
		require.NoError(t, s.SetClientActive(t.Context(), "c", active))
		got, _, err := s.GetClient(t.Context(), "c")
		require.NoError(t, err)
		second.Active = active
		require.Equal(t, second, got)
	}
	requireKind(t, lifecycle.KindNotFound, s.SetClientActive(t.Context(), "C", true))
}

// TestAnIdentityHasAtMostTenTokens has more than ten made at once: ten are, and
// the place of one that is removed is free again.
func TestAnIdentityHasAtMostTenTokens(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane, john := storetest.Identity(t, s, "jane"), storetest.Identity(t, s, "john")
	token := func(owner lifecycle.Identity, n int) lifecycle.Client {
		return lifecycle.Client{
			ID: fmt.Sprintf("%s-%d", owner.Alias, n), Name: "T", SecretHash: []byte("h"), IdentityID: owner.ID,
			Active: n%2 == 0, Created: storetest.Now(),
		}
	}
	const tries = 25
	failed := make([]error, tries)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range tries {
		group.Go(func() {
			<-begin
			failed[i] = s.CreateClient(t.Context(), token(jane, i))
		})
	}
	close(begin)
	group.Wait()
	made := 0
	for _, err := range failed {
		if err == nil {
			made++
			continue
		}
		requireKind(t, lifecycle.KindLimit, err)
	}
	require.Equal(t, lifecycle.MaxPersonalTokens, made)
	tokens, matches, err := s.ListPersonalTokens(t.Context(), policy.Reach{OwnedBy: jane.ID}, filter.Query{Limit: 250, Count: true})
	require.NoError(t, err)
	require.Equal(t, lifecycle.MaxPersonalTokens, matches)
	require.NoError(t, s.CreateClient(t.Context(), token(john, 0)), "others have ten of their own")
	require.NoError(t, s.CreateClient(t.Context(), lifecycle.Client{ID: "app", SecretHash: []byte("h"), Created: storetest.Now()}))

	requireKind(t, lifecycle.KindNotFound, s.DeletePersonalToken(t.Context(), tokens[0].ID, john.ID))
	requireKind(t, lifecycle.KindNotFound, s.DeleteApplication(t.Context(), tokens[0].ID))
	require.NoError(t, s.DeletePersonalToken(t.Context(), tokens[0].ID, jane.ID))
	requireKind(t, lifecycle.KindNotFound, s.DeletePersonalToken(t.Context(), tokens[0].ID, jane.ID))
	require.NoError(t, s.CreateClient(t.Context(), token(jane, tries)))
	requireKind(t, lifecycle.KindLimit, s.CreateClient(t.Context(), token(jane, tries+1)))
}

func TestClientsAreListedWithTheirOwners(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	jane, john := storetest.Identity(t, s, "jane", lifecycle.LevelOrgAdmin), storetest.Identity(t, s, "john")
	at := storetest.Now()
	client := func(id string, owner lifecycle.ID, after time.Duration) lifecycle.Client {
		c := lifecycle.Client{
			ID: id, Name: id, Description: "d " + id, SecretHash: []byte("h"), IdentityID: owner,
			Scopes: []string{lifecycle.ScopeRead}, Active: true, Created: at.Add(after),
		}
		require.NoError(t, s.CreateClient(t.Context(), c))
		return c
	}
	second, first := client("a", jane.ID, time.Second), client("b", jane.ID, 0)
	third := client("c", john.ID, 2*time.Second)
	app, other := client("app", lifecycle.ID{}, 0), client("other", lifecycle.ID{}, time.Second)

	list := func(reach policy.Reach, limit, offset, want int) []lifecycle.OwnedClient {
		tokens, matches, err := s.ListPersonalTokens(t.Context(), reach, filter.Query{Limit: limit, Offset: offset, Count: true})
		require.NoError(t, err)
		require.Equal(t, want, matches)
		return tokens
	}
	require.Equal(t, []lifecycle.OwnedClient{{Client: first, Owner: jane}, {Client: second, Owner: jane}, {Client: third, Owner: john}},
		list(policy.Reach{All: true}, 250, 0, 3))
	require.Equal(t, []lifecycle.OwnedClient{{Client: second, Owner: jane}}, list(policy.Reach{OwnedBy: jane.ID}, 250, 1, 2))
	require.Empty(t, list(policy.Reach{OwnedBy: jane.ID}, 0, 0, 2))
	require.Empty(t, list(policy.Reach{}, 250, 0, 0), "no reach is not every reach")
	apps, matches, err := s.ListApplications(t.Context(), filter.Query{Limit: 1, Offset: 1, Count: true})
	require.NoError(t, err)
	require.Equal(t, 2, matches)
	require.Equal(t, []lifecycle.OwnedClient{{Client: other}}, apps)
	apps, matches, err = s.ListApplications(t.Context(), filter.Query{Limit: 250})
	require.NoError(t, err)
	require.Zero(t, matches)
	require.Equal(t, []lifecycle.OwnedClient{{Client: app}, {Client: other}}, apps)

	require.NoError(t, s.DeleteApplication(t.Context(), "app"))
	requireKind(t, lifecycle.KindNotFound, s.DeleteApplication(t.Context(), "app"))
	requireKind(t, lifecycle.KindNotFound, s.DeletePersonalToken(t.Context(), "other", lifecycle.NewID()))
}

func TestAClientsUseIsKeptToTheHour(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	require.NoError(t, s.CreateClient(t.Context(), lifecycle.Client{ID: "c", SecretHash: []byte("h"), Created: storetest.Now()}))
	lastUsed := func() time.Time {
		client, _, err := s.GetClient(t.Context(), "c")
		require.NoError(t, err)
		return client.LastUsed
	}
	require.Zero(t, lastUsed())
	at := storetest.Now()
	for _, step := range []struct{ used, want time.Duration }{
		{0, 0}, {time.Minute, 0}, {time.Hour - time.Millisecond, 0}, {time.Hour, time.Hour}, {0, time.Hour},
	} {
		require.NoError(t, s.NoteClientUse(t.Context(), "c", at.Add(step.used)))
		require.Equal(t, at.Add(step.want), lastUsed(), step)
	}
	require.NoError(t, s.NoteClientUse(t.Context(), "nobody", at))
}

// TestAnOrganisationBeginsOnce has several begin it at once.
func TestAnOrganisationBeginsOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	// Neither a level without a client nor a client without the level is in the way.
	storetest.Identity(t, s, "waiting", lifecycle.LevelOrgAdmin)
	plain := storetest.Identity(t, s, "plain", lifecycle.LevelSourceAdmin)
	require.NoError(t, s.CreateClient(t.Context(), lifecycle.Client{ID: "plain", SecretHash: []byte("h"), IdentityID: plain.ID, Created: storetest.Now()}))
	const tries = 8
	failed := make([]error, tries)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range tries {
		identity := awkwardIdentity()
		identity.ID, identity.Alias, identity.Levels = lifecycle.NewID(), fmt.Sprintf("first.%d", i), []lifecycle.Level{lifecycle.LevelOrgAdmin}
		group.Go(func() {
			<-begin
			failed[i] = s.InitOrganisation(t.Context(), identity, lifecycle.Client{
				ID: identity.Alias, SecretHash: []byte("h"), IdentityID: identity.ID, Active: true, Created: storetest.Now(),
			})
		})
	}
	close(begin)
	group.Wait()
	made := 0
	for i, err := range failed {
		_, identityErr := s.IdentityByAlias(t.Context(), fmt.Sprintf("FIRST.%d", i))
		if err == nil {
			made++
			require.NoError(t, identityErr)
			continue
		}
		requireKind(t, lifecycle.KindIllegalUpdate, err)
		requireKind(t, lifecycle.KindNotFound, identityErr)
	}
	require.Equal(t, 1, made)
}

// TestWhatBecomesOfClientsIsInTheTrail: each change once, without the secret's
// hash.
func TestWhatBecomesOfClientsIsInTheTrail(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s, db := schema.Open(t, store.Config{}), schema.Admin(t)
	jane := storetest.Identity(t, s, "jane")
	client := lifecycle.Client{ID: "c", Name: "C", SecretHash: []byte("hash"), IdentityID: jane.ID, Scopes: []string{"a"}, Active: true, Created: storetest.Now()}
	require.NoError(t, s.CreateClient(t.Context(), client))
	require.NoError(t, s.SetClientActive(t.Context(), "c", false))
	client.Name = "D"
	require.NoError(t, s.EnsureClient(t.Context(), client))
	require.NoError(t, s.NoteClientUse(t.Context(), "c", storetest.Now()))
	require.NoError(t, s.DeletePersonalToken(t.Context(), "c", jane.ID))
	var told string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT string_agg(e.action || ' ' || d.change, E'\n' ORDER BY e.id)
		FROM audit_entries AS e JOIN audit_details AS d ON d.entry_id = e.id WHERE e.object_type = 'CLIENT' AND e.object_id = 'c'`).Scan(&told))
	state := func(name string) string {
		return `{"active":true,"identity":"` + jane.ID.String() + `","name":"` + name + `","scopes":["a"]}`
	}
	require.Equal(t, `CREATE {"after":`+state("C")+"}\n"+
		`UPDATE {"after":{"active":false},"before":{"active":true}}`+"\n"+
		`UPDATE {"after":{"active":true,"name":"D"},"before":{"active":false,"name":"C"}}`+"\n"+
		`DELETE {"before":`+state("D")+"}", told)
}
