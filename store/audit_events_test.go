package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// readable is a trail of a few entries that differ in what can be asked for.
type readable struct {
	*trail
	jane, john, anybody lifecycle.Identity
	client              lifecycle.Client
}

func newReadable(t *testing.T) *readable {
	t.Helper()
	r := &readable{trail: newTrail(t)}
	// 1, 2: by nobody in particular.
	r.jane, r.john = storetest.Identity(t, r.Store, "jane.doe"), storetest.Identity(t, r.Store, "john.roe")
	r.client = lifecycle.Client{ID: "janes-laptop", Name: "Laptop", SecretHash: []byte("x"), IdentityID: r.jane.ID, Active: true, Created: storetest.Now()}
	require.NoError(t, r.CreateClient(t.Context(), r.client))
	r.anybody = lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: "any.body", Name: "Any", Email: "any@example.com", Active: true,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	by := func(o lifecycle.Origin, active bool) {
		t.Helper()
		require.NoError(t, r.SetIdentityActive(lifecycle.WithOrigin(t.Context(), o), r.john.ID, active))
	}
	by(lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "one", Identity: r.jane.ID, Client: r.client.ID,
		Address: "192.0.2.7", TrackingID: "0123456789abcdef0123456789abcdef",
	}, false)
	by(lifecycle.Origin{Channel: lifecycle.ChannelAPI, Operation: "two", Identity: r.jane.ID, Client: "janes-phone"}, true)
	by(lifecycle.Origin{Channel: lifecycle.ChannelAPI, Operation: "three", Client: "an-app", Address: "192.0.2.8"}, false)
	by(lifecycle.Origin{Channel: lifecycle.ChannelCommandLine, Operation: "four"}, true)
	return r
}

// operations of the events of the four changes that the filter lets through, by number.
func (r *readable) operations(t *testing.T, expression string) []string {
	t.Helper()
	where, err := filter.Parse(expression, filter.AuditEvents)
	require.NoError(t, err, expression)
	events, count, err := r.ListAuditEvents(t.Context(), filter.Query{
		Where: where, Sort: []filter.Order{{Field: "occurred"}}, Limit: 250, Count: true,
	})
	require.NoError(t, err, expression)
	require.Len(t, events, count, expression)
	listed := []string{}
	var numbers []int64
	for _, e := range events {
		numbers = append(numbers, e.Number)
		if e.Action == lifecycle.ActionUpdate {
			listed = append(listed, e.Operation)
		}
	}
	// The file has the same.
	end, err := r.AuditEnd(t.Context())
	require.NoError(t, err)
	var filed []int64
	for looked := int64(0); looked < end; {
		var page []lifecycle.AuditEvent
		before := looked
		page, looked, err = r.AuditEventsAfter(t.Context(), where, looked, end)
		require.NoError(t, err)
		require.Greater(t, looked, before)
		for _, e := range page {
			filed = append(filed, e.Number)
		}
	}
	require.Equal(t, numbers, filed, expression)
	return listed
}

func TestTheTrailIsAskedForByWhatItHas(t *testing.T) {
	t.Parallel()
	r := newReadable(t)
	jane, john := `"`+r.jane.ID.String()+`"`, `"`+r.john.ID.String()+`"`
	all := []string{"one", "two", "three", "four"}
	for expression, want := range map[string][]string{
		``:                                     all,
		`identityId eq ` + jane:                {"one", "two"},
		`not identityId eq ` + jane:            {"three", "four"},
		`not (not identityId eq ` + jane + `)`: {"one", "two"},
		`not (identityId eq ` + jane + ` or operation eq "four")`: {"three"},
		`pr identityId`:     {"one", "two"},
		`not pr identityId`: {"three", "four"},
		`identityId in (` + jane + `,` + john + `)`:         {"one", "two"},
		`clientId eq "janes-laptop"`:                        {"one"},
		`not clientId eq "janes-laptop"`:                    {"two", "three", "four"},
		`clientId eq "Janes-Laptop"`:                        {},
		`clientId eq "an-app"`:                              {"three"},
		`clientId eq "nobodys"`:                             {},
		`trackingId eq "0123456789abcdef0123456789abcdef"`:  {"one"},
		`pr trackingId`:                                     {"one"},
		`objectId eq ` + john:                               all,
		`objectId eq ` + jane:                               {},
		`objectType eq "IDENTITY"`:                          all,
		`objectType in ("RECORD","REQUEST")`:                {},
		`action eq "CREATE"`:                                {},
		`action in ("CREATE", "UPDATE")`:                    all,
		`outcome eq "SUCCESS"`:                              all,
		`outcome eq "DENIED"`:                               {},
		`channel eq "API"`:                                  {"one", "two", "three"},
		`channel in ("COMMAND_LINE")`:                       {"four"},
		`operation eq "two"`:                                {"two"},
		`operation eq "TWO"`:                                {},
		`sourceId eq ` + jane:                               {},
		`not pr sourceId`:                                   all,
		`occurred gt 2031-01-01`:                            {},
		`occurred le 2131-01-01 and occurred ge 2021-01-01`: all,
		`occurred lt 2021-01-01`:                            {},
	} {
		require.Equal(t, want, r.operations(t, expression), expression)
	}
	for _, expression := range []string{`facts eq "x"`, `number eq 1`, `action co "UP"`, `pr action`, `pr clientId`, `clientId in ("a")`, `identityId eq "jane.doe"`} {
		_, err := filter.Parse(expression, filter.AuditEvents)
		require.Error(t, err, expression)
	}
}

func TestAnEventIsReadWithItsDetailsAndItsPlace(t *testing.T) {
	t.Parallel()
	r := newReadable(t)
	head := r.seal(t, 6)
	where, err := filter.Parse(`operation eq "one"`, filter.AuditEvents)
	require.NoError(t, err)
	read := func() lifecycle.AuditEvent {
		t.Helper()
		events, _, err := r.ListAuditEvents(t.Context(), filter.Query{Where: where, Sort: []filter.Order{{Field: "occurred"}}, Limit: 1})
		require.NoError(t, err)
		require.Len(t, events, 1)
		return events[0]
	}
	e := read()
	require.WithinDuration(t, time.Now(), e.Occurred, time.Minute)
	require.Equal(t, time.UTC, e.Occurred.Location())
	require.Equal(t, []any{"jane.doe", r.jane.ID, lifecycle.ID{}, "", r.john.ID.String(), "{}"}, []any{e.Alias, e.Identity, e.Source, e.Client, e.ID, e.Facts})
	require.JSONEq(t, `{"address":"192.0.2.7","client":"janes-laptop"}`, e.Actor.Text)
	require.JSONEq(t, `{"before":{"active":true},"after":{"active":false}}`, e.Change.Text)
	require.Equal(t, int64(3), e.Seal.Position)
	require.Len(t, e.Seal.Hash, 32)
	require.False(t, e.Erased())
	r.tamper(t, "UPDATE audit_details SET actor = NULL, actor_salt = NULL WHERE entry_id = $1", e.Number)
	require.True(t, read().Erased())

	events, _, err := r.ListAuditEvents(t.Context(), filter.Query{Sort: []filter.Order{{Field: "occurred", Descending: true}}, Limit: 2, Offset: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"three", "two"}, []string{events[0].Operation, events[1].Operation}, "newest first")
	events, _, err = r.ListAuditEvents(t.Context(), filter.Query{Sort: []filter.Order{{Field: "occurred"}}, Limit: 250})
	require.NoError(t, err)
	require.Equal(t, head, events[5].Seal)
	require.Equal(t, "an-app", events[4].Client)
}

// TestAFileOfTheTrailPassesOverGaps, which a restored database may have, and ends
// where it was when it began.
func TestAFileOfTheTrailPassesOverGaps(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 2)
	tr.tamper(t, "SELECT setval('audit_numbers', 9000000000)")
	tr.write(t, 2)
	end, err := tr.AuditEnd(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(9000000002), end)
	tr.write(t, 1)
	var numbers []int64
	steps := 0
	for looked := int64(0); looked < end; steps++ {
		var events []lifecycle.AuditEvent
		events, looked, err = tr.AuditEventsAfter(t.Context(), nil, looked, end)
		require.NoError(t, err)
		for _, e := range events {
			numbers = append(numbers, e.Number)
		}
	}
	require.Equal(t, []int64{1, 2, 9000000001, 9000000002}, numbers)
	require.Equal(t, 2, steps)
	events, looked, err := tr.AuditEventsAfter(t.Context(), nil, 9000000003, 9000000010)
	require.NoError(t, err)
	require.Empty(t, events)
	require.Equal(t, int64(9000000010), looked)
}
