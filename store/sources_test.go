package store_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// newSource is a source with approvers and account managers of both types.
func (w *world) newSource(t *testing.T, name string) lifecycle.Source {
	t.Helper()
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Workgroup of " + name, Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	grouped := lifecycle.Reference{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}
	now := storetest.Now()
	return lifecycle.Source{
		ID: lifecycle.NewID(), Name: name, Description: `it's "\ %_ ?0`, Owner: w.owner.ID, ManagementWorkgroup: group.ID,
		Approvers:       []lifecycle.Reference{grouped, lifecycle.IdentityReference(w.outsider.ID), lifecycle.IdentityReference(w.owner.ID)},
		AccountManagers: []lifecycle.Reference{lifecycle.IdentityReference(w.outsider.ID), grouped}, Created: now, Modified: now,
	}
}

func (w *world) createSource(t *testing.T, source lifecycle.Source) error {
	t.Helper()
	return w.CreateSource(t.Context(), source, lifecycle.SystemAttributes(source.ID, source.Created), lifecycle.DefaultMaxSources)
}

// requireField holds that err is about this field.
func requireField(t *testing.T, kind lifecycle.Kind, field string, err error) {
	t.Helper()
	requireKind(t, kind, err)
	var known *lifecycle.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, field, known.Field, err.Error())
}

func TestASourceIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	source := w.newSource(t, `Müller's "source" \ %_`)
	require.NoError(t, w.createSource(t, source))
	got, rel, err := w.GetSource(t.Context(), source.ID, w.outsider.ID)
	require.NoError(t, err)
	require.Equal(t, source, got)
	require.Equal(t, policy.Relations{AccountManager: true}, rel)

	w.record(t, "counted")
	zero, one := 0, 1
	list, count, err := w.ListSources(t.Context(), policy.Reach{All: true}, filter.Query{Limit: 10, Count: true}, true)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.CountedSource{{Source: w.source, Records: &one}, {Source: source, Records: &zero}}, list)
	require.Equal(t, 2, count)
	list, _, err = w.ListSources(t.Context(), policy.Reach{All: true}, filter.Query{Limit: 10}, false)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.CountedSource{{Source: w.source}, {Source: source}}, list)

	attributes, err := w.ListAttributes(t.Context(), source.ID)
	require.NoError(t, err)
	require.Len(t, attributes, 8)
	for i, attribute := range attributes {
		require.Equal(t, i, attribute.Position)
		require.True(t, attribute.System)
		got, err := w.GetAttribute(t.Context(), source.ID, attribute.ID)
		require.NoError(t, err)
		require.Equal(t, attribute, got)
		_, err = w.GetAttribute(t.Context(), w.source.ID, attribute.ID)
		requireKind(t, lifecycle.KindNotFound, err)
	}
	w.requireConsistent(t)
}

func TestASourceNamesOnlyWhatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	nobody := lifecycle.NewID()
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Field", Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	asGroup := func(id lifecycle.ID) lifecycle.Reference {
		return lifecycle.Reference{ID: id, Type: lifecycle.ReferenceGovernanceGroup}
	}
	cases := map[string]struct {
		field  string
		change func(*lifecycle.Source)
	}{
		"an unknown owner":                   {"owner", func(s *lifecycle.Source) { s.Owner = nobody }},
		"a workgroup as owner":               {"owner", func(s *lifecycle.Source) { s.Owner = group.ID }},
		"an unknown management workgroup":    {"managementWorkgroup", func(s *lifecycle.Source) { s.ManagementWorkgroup = nobody }},
		"an identity as it":                  {"managementWorkgroup", func(s *lifecycle.Source) { s.ManagementWorkgroup = w.owner.ID }},
		"an unknown approver":                {"approvers", func(s *lifecycle.Source) { s.Approvers[1] = lifecycle.IdentityReference(nobody) }},
		"an unknown workgroup as approver":   {"approvers", func(s *lifecycle.Source) { s.Approvers[0] = asGroup(nobody) }},
		"an identity as workgroup":           {"approvers", func(s *lifecycle.Source) { s.Approvers[0] = asGroup(w.owner.ID) }},
		"a workgroup as identity":            {"approvers", func(s *lifecycle.Source) { s.Approvers[2] = lifecycle.IdentityReference(group.ID) }},
		"an unknown account manager":         {"accountManagers", func(s *lifecycle.Source) { s.AccountManagers[0] = lifecycle.IdentityReference(nobody) }},
		"an unknown workgroup to manage":     {"accountManagers", func(s *lifecycle.Source) { s.AccountManagers[1] = asGroup(nobody) }},
		"a workgroup that manages as person": {"accountManagers", func(s *lifecycle.Source) { s.AccountManagers[0] = lifecycle.IdentityReference(group.ID) }},
	}
	there := w.newSource(t, "There")
	require.NoError(t, w.createSource(t, there))
	for name, c := range cases {
		source := w.newSource(t, name)
		c.change(&source)
		err := w.createSource(t, source)
		requireField(t, lifecycle.KindReferenceNotFound, c.field, err)
		_, _, err = w.GetSource(t.Context(), source.ID, lifecycle.ID{})
		requireKind(t, lifecycle.KindNotFound, err)

		_, err = w.UpdateSource(t.Context(), there.ID, func(s *lifecycle.Source) error { c.change(s); return nil })
		requireField(t, lifecycle.KindReferenceNotFound, c.field, err)
		got, _, err := w.GetSource(t.Context(), there.ID, lifecycle.ID{})
		require.NoError(t, err)
		require.Equal(t, there, got, name)
	}
	t.Run("and all that is wrong is told at once", func(t *testing.T) {
		source := w.newSource(t, "all wrong")
		source.Owner, source.ManagementWorkgroup = nobody, nobody
		source.Approvers[0], source.AccountManagers[0] = asGroup(nobody), lifecycle.IdentityReference(nobody)
		err := w.createSource(t, source)
		requireKind(t, lifecycle.KindReferenceNotFound, err)
		for _, field := range []string{"owner", "managementWorkgroup", "approvers", "accountManagers"} {
			require.ErrorContains(t, err, field+" names no")
		}
	})
	w.requireConsistent(t)
}

func TestASourceNameIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	first := w.newSource(t, "Straße")
	require.NoError(t, w.createSource(t, first))
	for _, name := range []string{"Straße", "STRASSE", "strasse"} {
		second := first
		second.ID, second.Name = lifecycle.NewID(), name
		requireField(t, lifecycle.KindConflict, "name", w.createSource(t, second))
		_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error { s.Name = name; return nil })
		requireField(t, lifecycle.KindConflict, "name", err)
	}
	renamed, err := w.UpdateSource(t.Context(), first.ID, func(s *lifecycle.Source) error { s.Name = "STRASSE"; return nil })
	require.NoError(t, err)
	require.Equal(t, "STRASSE", renamed.Name)
	w.requireConsistent(t)
}

func TestASourceIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	source := w.newSource(t, "Before")
	require.NoError(t, w.createSource(t, source))
	changed, err := w.UpdateSource(t.Context(), source.ID, func(s *lifecycle.Source) error {
		require.Equal(t, source, *s)
		s.ID, s.Created = lifecycle.NewID(), s.Created.AddDate(-1, 0, 0)
		s.Name, s.Description, s.Owner, s.ManagementWorkgroup = "After", "", w.outsider.ID, lifecycle.ID{}
		s.Approvers[0], s.Approvers[2] = s.Approvers[2], s.Approvers[0]
		s.AccountManagers = nil
		return nil
	})
	require.NoError(t, err)
	want := source
	want.Name, want.Description, want.Owner, want.ManagementWorkgroup = "After", "", w.outsider.ID, lifecycle.ID{}
	want.Approvers = []lifecycle.Reference{source.Approvers[2], source.Approvers[1], source.Approvers[0]}
	want.AccountManagers = nil
	require.True(t, changed.Modified.After(source.Modified))
	want.Modified = changed.Modified
	require.Equal(t, want, changed)
	got, _, err := w.GetSource(t.Context(), source.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, want, got)

	own := errors.New("no")
	_, err = w.UpdateSource(t.Context(), source.ID, func(s *lifecycle.Source) error { s.Name = "Never"; return own })
	require.Same(t, own, err)
	_, err = w.UpdateSource(t.Context(), lifecycle.NewID(), func(*lifecycle.Source) error { return own })
	requireKind(t, lifecycle.KindNotFound, err)
	got, _, err = w.GetSource(t.Context(), source.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// TestChangesOfASourceFollowOneAnother has many add a word to it at once.
func TestChangesOfASourceFollowOneAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	failed := make([]error, clients)
	atOnce(func(client int) {
		_, failed[client] = w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
			s.Description += fmt.Sprintf(" <%d>", client)
			return nil
		})
	})
	require.NoError(t, errors.Join(failed...))
	got, _, err := w.GetSource(t.Context(), w.source.ID, lifecycle.ID{})
	require.NoError(t, err)
	for client := range clients {
		require.Contains(t, got.Description, fmt.Sprintf("<%d>", client))
	}
}

func TestADeletedSourceLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.attribute(t, "badge")
	w.record(t, "a")
	pending, rejected := w.request(t, "b"), w.request(t, "c")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(rejected, 0, lifecycle.VerdictReject)))
	require.NoError(t, w.MarkSeen(t.Context(), rejected.ID, lifecycle.ID{}, time.Time{}))
	other := w.newSource(t, "Stays")
	require.NoError(t, w.createSource(t, other))

	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	for table, rows := range map[string]int{
		"sources": 1, "source_counters": 1, "source_approvers": 3, "source_account_managers": 2, "schema_attributes": 8,
		"records": 0, "account_names": 0, "requests": 0, "approval_items": 0, "decision_comments": 0,
	} {
		require.Equal(t, rows, w.number(t, "SELECT count(*) FROM "+table), table)
	}
	endings, err := w.WorkflowEndings(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.ID{pending.ID}, endings, "only what pended has a workflow to end")
	requireKind(t, lifecycle.KindNotFound, w.DeleteSource(t.Context(), w.source.ID))
	again := w.source
	again.ID, again.Approvers = lifecycle.NewID(), nil
	require.NoError(t, w.createSource(t, again), "the name is free again")
	w.requireConsistent(t)
}

// TestABigSourceIsDeletedThoughItTakesLong holds the deletion up for longer than
// a statement may take elsewhere.
func TestABigSourceIsDeletedThoughItTakesLong(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{StatementTimeout: 100 * time.Millisecond})
	record := w.record(t, "held")
	tx, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(t.Context(), "SELECT 1 FROM records WHERE id = $1 FOR UPDATE", record.ID.String())
	require.NoError(t, err)
	deleted := make(chan error, 1)
	go func() { deleted <- w.DeleteSource(t.Context(), w.source.ID) }()
	require.Eventually(t, func() bool {
		return len(deleted) > 0 || w.number(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
			AND query LIKE 'DELETE FROM records WHERE source_id = ''' || $1 || '''' AND now() - query_start > interval '300 milliseconds'`,
			w.source.ID.String()) == 1
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-deleted)
	require.Zero(t, w.number(t, "SELECT count(*) FROM records"))
}

func TestADeletedSourceMakesRoomForAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	second := w.newSource(t, "Second")
	create := func() error { return w.CreateSource(t.Context(), second, nil, 1) }
	err := create()
	requireKind(t, lifecycle.KindLimit, err)
	require.ErrorContains(t, err, "1 sources")
	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	require.NoError(t, create())
	w.requireConsistent(t)
}

func newAttribute(source lifecycle.ID, name string) lifecycle.SchemaAttribute {
	now := storetest.Now()
	return lifecycle.SchemaAttribute{
		ID: lifecycle.NewID(), SourceID: source, Type: lifecycle.AttributeText, TechnicalName: name,
		Label: `it's "a" \ label`, HelpText: "%_", Placeholder: "?0", Required: true, Created: now, Modified: now,
	}
}

func TestAnAttributeIsAddedAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for i, name := range []string{"badge", `it's "odd" \ %_`, "straße"} {
		attribute := newAttribute(w.source.ID, name)
		created, err := w.CreateAttribute(t.Context(), attribute)
		require.NoError(t, err)
		attribute.Position = 8 + i
		require.Equal(t, attribute, created)
		got, err := w.GetAttribute(t.Context(), w.source.ID, attribute.ID)
		require.NoError(t, err)
		require.Equal(t, attribute, got)
		all, err := w.ListAttributes(t.Context(), w.source.ID)
		require.NoError(t, err)
		require.Len(t, all, 9+i)
		require.Equal(t, attribute, all[8+i])
	}
	for _, taken := range []string{"Badge", "STRASSE", "accountName", "ACCOUNTNAME"} {
		_, err := w.CreateAttribute(t.Context(), newAttribute(w.source.ID, taken))
		requireField(t, lifecycle.KindConflict, "technicalName", err)
	}
	other := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	_, err := w.CreateAttribute(t.Context(), newAttribute(other.ID, "badge"))
	require.NoError(t, err, "another source may have it too")
	nowhere := lifecycle.NewID()
	_, err = w.CreateAttribute(t.Context(), newAttribute(nowhere, "badge"))
	requireKind(t, lifecycle.KindNotFound, err)
	_, err = w.ListAttributes(t.Context(), nowhere)
	requireKind(t, lifecycle.KindNotFound, err)
}

// TestASourceHasNoMoreAttributesThanItsLimit has many add one at once.
func TestASourceHasNoMoreAttributesThanItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var added, refused atomic.Int32
	atOnce(func(client int) {
		_, err := w.CreateAttribute(t.Context(), newAttribute(w.source.ID, fmt.Sprintf("attribute%d", client)))
		switch {
		case err == nil:
			added.Add(1)
		case lifecycle.KindOf(err) == lifecycle.KindLimit:
			refused.Add(1)
		}
	})
	require.EqualValues(t, lifecycle.MaxCustomAttributes, added.Load())
	require.EqualValues(t, clients-lifecycle.MaxCustomAttributes, refused.Load())
	all, err := w.ListAttributes(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.Len(t, all, 8+lifecycle.MaxCustomAttributes)
	for i, attribute := range all {
		require.Equal(t, i, attribute.Position)
	}
}

func TestOfAnAttributeOnlyItsWordsChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	before := w.attribute(t, "badge")
	changed, err := w.UpdateAttribute(t.Context(), w.source.ID, before.ID, func(a *lifecycle.SchemaAttribute) error {
		require.Equal(t, before, *a)
		*a = lifecycle.SchemaAttribute{
			ID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Type: lifecycle.AttributeDate, TechnicalName: "other",
			Label: "New", HelpText: "", Placeholder: "it's", Required: true, System: true, Position: 3,
		}
		return nil
	})
	require.NoError(t, err)
	want := before
	want.Label, want.HelpText, want.Placeholder, want.Required = "New", "", "it's", true
	require.True(t, changed.Modified.After(before.Modified))
	want.Modified = changed.Modified
	require.Equal(t, want, changed)
	got, err := w.GetAttribute(t.Context(), w.source.ID, before.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)

	own := errors.New("no")
	_, err = w.UpdateAttribute(t.Context(), w.source.ID, before.ID, func(a *lifecycle.SchemaAttribute) error { a.Label = "Never"; return own })
	require.Same(t, own, err)
	other := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	for _, at := range [][2]lifecycle.ID{{other.ID, before.ID}, {w.source.ID, lifecycle.NewID()}, {lifecycle.NewID(), before.ID}} {
		_, err = w.UpdateAttribute(t.Context(), at[0], at[1], func(*lifecycle.SchemaAttribute) error { return own })
		requireKind(t, lifecycle.KindNotFound, err)
		requireKind(t, lifecycle.KindNotFound, w.DeleteAttribute(t.Context(), at[0], at[1]))
	}
	got, err = w.GetAttribute(t.Context(), w.source.ID, before.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// withValues makes a record and a request that have these values.
func (w *world) withValues(t *testing.T, source lifecycle.ID, name string, data map[string]string) (record, request func() map[string]string) {
	t.Helper()
	r, q := w.newRecord(name+".record"), w.newRequest(name+".request")
	r.SourceID, r.Data, q.Source.ID, q.Data = source, data, source, data
	require.NoError(t, w.CreateRecord(t.Context(), r, plenty))
	_, err := w.AcceptRequest(t.Context(), q, plenty)
	require.NoError(t, err)
	return func() map[string]string {
			got, _, err := w.GetRecord(t.Context(), r.ID, lifecycle.ID{})
			require.NoError(t, err)
			return got.Data
		}, func() map[string]string {
			return w.stored(t, q.ID).Data
		}
}

// TestChangesOfAnAttributeFollowOneAnother has many add a word to it at once.
func TestChangesOfAnAttributeFollowOneAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	attribute := w.attribute(t, "badge")
	failed := make([]error, clients)
	atOnce(func(client int) {
		_, failed[client] = w.UpdateAttribute(t.Context(), w.source.ID, attribute.ID, func(a *lifecycle.SchemaAttribute) error {
			a.HelpText += fmt.Sprintf(" <%d>", client)
			return nil
		})
	})
	require.NoError(t, errors.Join(failed...))
	got, err := w.GetAttribute(t.Context(), w.source.ID, attribute.ID)
	require.NoError(t, err)
	for client := range clients {
		require.Contains(t, got.HelpText, fmt.Sprintf("<%d>", client))
	}
}

// TestStrippingValuesOutlastsTheStatementTimeout makes every statement that
// changes records take longer than a statement may elsewhere.
func TestStrippingValuesOutlastsTheStatementTimeout(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{StatementTimeout: 200 * time.Millisecond})
	one := w.attribute(t, "badge")
	w.attribute(t, "desk")
	record := w.newRecord("will")
	record.Data = map[string]string{"badge": "A-17", "desk": "3"}
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	_, err := w.admin.ExecContext(t.Context(), `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
		AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END'`)
	require.NoError(t, err)
	_, err = w.admin.ExecContext(t.Context(), "CREATE TRIGGER slow AFTER UPDATE ON records FOR EACH STATEMENT EXECUTE FUNCTION slow()")
	require.NoError(t, err)

	require.NoError(t, w.DeleteAttribute(t.Context(), w.source.ID, one.ID))
	got, _, err := w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"desk": "3"}, got.Data)
	require.NoError(t, w.DeleteAttributes(t.Context(), w.source.ID))
	got, _, err = w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Empty(t, got.Data)
}

func TestDeletingAnAttributeStripsItsValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	odd := `it's "odd" \ %_ ?0, {}`
	badge, note, strange := w.attribute(t, "badge"), w.attribute(t, "note"), w.attribute(t, odd)
	other := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	_, err := w.CreateAttribute(t.Context(), newAttribute(other.ID, "badge"))
	require.NoError(t, err)

	all := map[string]string{"badge": "1", "note": "badge", odd: "x"}
	record, request := w.withValues(t, w.source.ID, "full", all)
	bare, bareRequest := w.withValues(t, w.source.ID, "bare", map[string]string{"note": "2"})
	foreign, foreignRequest := w.withValues(t, other.ID, "foreign", map[string]string{"badge": "3"})
	require.Equal(t, all, record())
	require.Equal(t, all, request())

	for _, system := range []int{0, 7} {
		attributes, err := w.ListAttributes(t.Context(), w.source.ID)
		require.NoError(t, err)
		requireKind(t, lifecycle.KindIllegalUpdate, w.DeleteAttribute(t.Context(), w.source.ID, attributes[system].ID))
	}
	require.NoError(t, w.DeleteAttribute(t.Context(), w.source.ID, badge.ID))
	requireKind(t, lifecycle.KindNotFound, w.DeleteAttribute(t.Context(), w.source.ID, badge.ID))
	rest := map[string]string{"note": "badge", odd: "x"}
	require.Equal(t, rest, record())
	require.Equal(t, rest, request())
	require.NoError(t, w.DeleteAttribute(t.Context(), w.source.ID, strange.ID))
	require.Equal(t, map[string]string{"note": "badge"}, record())

	again := w.attribute(t, "BADGE")
	require.Equal(t, note.Position+1, again.Position, "behind the last that is left")
	require.NoError(t, w.DeleteAttributes(t.Context(), w.source.ID))
	for _, data := range []func() map[string]string{record, request, bare, bareRequest} {
		require.Empty(t, data())
	}
	for _, data := range []func() map[string]string{foreign, foreignRequest} {
		require.Equal(t, map[string]string{"badge": "3"}, data(), "another source's")
	}
	attributes, err := w.ListAttributes(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.Len(t, attributes, 8)
	require.NoError(t, w.DeleteAttributes(t.Context(), w.source.ID), "none is no error")
	requireKind(t, lifecycle.KindNotFound, w.DeleteAttributes(t.Context(), lifecycle.NewID()))
	w.requireConsistent(t)
}

// TestNoValueOutlivesItsAttribute writes values while the attribute is deleted.
func TestNoValueOutlivesItsAttribute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	badge := w.attribute(t, "badge")
	existing := w.record(t, "existing")
	failed := make([]error, clients)
	atOnce(func(client int) {
		data := map[string]string{"badge": fmt.Sprint(client)}
		var err error
		switch {
		case client == clients/2:
			err = w.DeleteAttribute(t.Context(), w.source.ID, badge.ID)
		case client%3 == 0:
			record := w.newRecord(fmt.Sprintf("record.%d", client))
			record.Data = data
			err = w.CreateRecord(t.Context(), record, plenty)
		case client%3 == 1:
			request := w.newRequest(fmt.Sprintf("request.%d", client))
			request.Data = data
			_, err = w.AcceptRequest(t.Context(), request, plenty)
		default:
			_, err = w.UpdateRecord(t.Context(), existing.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
				r.Data = data
				return nil
			})
		}
		failed[client] = err
	})
	require.NoError(t, errors.Join(failed...))
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM (SELECT data FROM records UNION ALL SELECT data FROM requests) AS d WHERE data <> '{}'`))
	w.requireConsistent(t)
}
