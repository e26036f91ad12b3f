package service

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// setting is a patch that puts a value in the place of a member, or takes the
// member away where the value is empty.
func setting(t *testing.T, member, value string) Patch {
	t.Helper()
	return Patch{Members: []string{member}, Apply: func(text []byte) ([]byte, error) {
		var doc map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &doc))
		if value == "" {
			delete(doc, member)
		} else {
			doc[member] = json.RawMessage(value)
		}
		return json.Marshal(doc)
	}}
}

// TestPutAndPatchAgreeOnWhatDiffers has an account manager, who may change
// endDate only, and an administrator say each member of a record again.
func TestPutAndPatchAgreeOnWhatDiffers(t *testing.T) {
	t.Parallel()
	stored := storedRecord()
	stored.Data = map[string]string{"badge": "A-17"}
	compact := func(id lifecycle.ID) string { return strings.ToUpper(strings.ReplaceAll(id.String(), "-", "")) }
	same := map[string][]string{
		"id":          {`"` + stored.ID.String() + `"`, `" ` + compact(stored.ID) + ` "`},
		"sourceId":    {`"` + stored.SourceID.String() + `"`, `"` + compact(stored.SourceID) + `"`},
		"firstName":   {`"Will"`, `" Will "`},
		"accountName": {`"will\n"`},
		"manager":     {`"jane.doe"`, `" JANE.DOE "`, `"` + stored.Manager.ID.String() + `"`, `"` + compact(stored.Manager.ID) + `"`},
		"startDate":   {`"2027-01-01T00:00:00.000Z"`, `"2027-01-01"`, `"2027-01-01t01:00:00+01:00"`},
		"data":        {`{"badge":"A-17"}`, `{" badge ":"A-17 "}`, `{"badge":"A-17","nope":""}`, `{"badge":"A-17","nope":null}`},
		"endDate":     {`"2028-01-01"`, `"2030-01-01"`},
	}
	other := map[string][]string{
		"id":          {`"` + lifecycle.NewID().String() + `"`, `"x"`, `""`, `7`, `{}`},
		"sourceId":    {`"` + lifecycle.NewID().String() + `"`, `"x"`, `5`},
		"accountName": {`"WILL"`},
		"firstName":   {`"will"`, `5`},
		"manager":     {`"john.roe"`, `"` + lifecycle.NewID().String() + `"`},
		"startDate":   {`"2027-01-02"`, `"x"`},
		"data":        {`{}`, `{"badge":""}`, `{"badge":"A-18"}`, `{"badge":"A-17","more":"x"}`, `{"badge":5}`, `[]`},
	}
	both := func(actor policy.Actor, member, value string, check func(how string, err error)) {
		record := *stored
		s := newService(&rows{record: &record, relations: policy.Relations{AccountManager: true}}, nil)
		_, err := s.PatchRecord(t.Context(), actor, record.ID, setting(t, member, value))
		check("PATCH "+member+" "+value, err)
		record = *stored
		_, err = s.PutRecord(t.Context(), actor, record.ID, put(t, *stored, member, value))
		check("PUT "+member+" "+value, err)
	}
	manager, admin := user(lifecycle.NewID()), user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	for member, values := range same {
		for _, value := range values {
			both(manager, member, value, func(how string, err error) { require.NoError(t, err, how) })
			if !strings.Contains(value, "nope") {
				both(admin, member, value, func(how string, err error) { require.NoError(t, err, how) })
			}
		}
	}
	for member, values := range other {
		for _, value := range values {
			both(manager, member, value, func(how string, err error) { require.Equal(t, policy.ErrForbidden, err, how) })
			if member == "id" || member == "sourceId" {
				both(admin, member, value, func(how string, err error) {
					require.Equal(t, illegalUpdate(member), err, how)
				})
			}
		}
	}
}

// put is the record as a body of PUT, with another value of one member.
func put(t *testing.T, record lifecycle.Record, member, value string) lifecycle.PersonInput {
	t.Helper()
	doc, err := applyPatch(recordDocument(record), setting(t, member, value), patchRules{change: []string{member}})
	require.NoError(t, err)
	return doc.Person()
}

func TestAnAccountManagerTakesNothingAway(t *testing.T) {
	t.Parallel()
	stored := storedRecord()
	stored.Data = map[string]string{"badge": "A-17"}
	store := &rows{record: stored, relations: policy.Relations{AccountManager: true}}
	s := newService(store, nil)
	for member := range recordDocument(*stored) {
		if member != "endDate" {
			for _, value := range []string{"", "null"} {
				_, err := s.PatchRecord(t.Context(), user(lifecycle.NewID()), stored.ID, setting(t, member, value))
				require.Equal(t, policy.ErrForbidden, err, "%s %s", member, value)
			}
		}
	}
	_, err := s.PatchRecord(t.Context(), user(lifecycle.NewID()), stored.ID, setting(t, "endDate", ""))
	require.Equal(t, lifecycle.KindRequired, lifecycle.KindOf(err))
}

// TestPutReplacesTheData holds contract §4: absent data clears it, and for an
// account manager means unchanged.
func TestPutReplacesTheData(t *testing.T) {
	t.Parallel()
	manager, admin := user(lifecycle.NewID()), user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	for _, c := range []struct {
		name     string
		actor    policy.Actor
		data     string
		want     map[string]string
		refusal  error
		required bool
	}{
		{name: "absent, by an administrator", actor: admin, want: map[string]string{}},
		{name: "null, by an administrator", actor: admin, data: `null`, want: map[string]string{}},
		{name: "empty, by an administrator", actor: admin, data: `{}`, want: map[string]string{}},
		{name: "another, by an administrator", actor: admin, data: `{"badge":"B"}`, want: map[string]string{"badge": "B"}},
		{name: "absent, but required", actor: admin, required: true},
		{name: "absent, by an account manager", actor: manager, want: map[string]string{"badge": "A-17"}},
		{name: "absent, but required, by an account manager", actor: manager, required: true, want: map[string]string{"badge": "A-17"}},
		{name: "the same, by an account manager", actor: manager, data: `{"badge":"A-17"}`, want: map[string]string{"badge": "A-17"}},
		{name: "empty, by an account manager", actor: manager, data: `{}`, refusal: policy.ErrForbidden},
		{name: "another, by an account manager", actor: manager, data: `{"badge":"B"}`, refusal: policy.ErrForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stored := storedRecord()
			stored.Data = map[string]string{"badge": "A-17"}
			store := &rows{record: stored, relations: policy.Relations{AccountManager: true}, optional: !c.required}
			record, err := newService(store, nil).PutRecord(t.Context(), c.actor, stored.ID, put(t, *stored, "data", c.data))
			switch {
			case c.refusal != nil:
				require.Equal(t, c.refusal, err)
			case c.want == nil:
				require.ErrorContains(t, err, "data.badge is required")
			default:
				require.NoError(t, err)
				require.Equal(t, c.want, record.Data)
			}
		})
	}
}

// TestAnotherManagerIsLookedUpBeforeTheRecordIsLocked also holds that the store
// is not told of a failure that is none.
func TestAnotherManagerIsLookedUpBeforeTheRecordIsLocked(t *testing.T) {
	t.Parallel()
	john := lifecycle.Identity{ID: lifecycle.NewID(), Alias: "john.roe", Active: true}
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	change := func(store *rows) (byPut, byPatch error) {
		store.optional, store.identities = true, map[string]lifecycle.Identity{"john.roe": john, "JOHN.ROE": john}
		s := newService(store, nil)
		_, byPut = s.PutRecord(t.Context(), admin, store.record.ID, put(t, *store.record, "manager", `" john.roe "`))
		store.record.Manager = lifecycle.ManagerReference{ID: lifecycle.NewID(), Alias: "jane.doe"}
		_, byPatch = s.PatchRecord(t.Context(), admin, store.record.ID, setting(t, "manager", `"JOHN.ROE"`))
		return byPut, byPatch
	}
	store := &rows{record: storedRecord()}
	byPut, byPatch := change(store)
	require.NoError(t, byPut)
	require.NoError(t, byPatch)
	require.Equal(t, john.ID, store.record.Manager.ID)
	require.Equal(t, []error{nil, nil}, store.changes)

	t.Run("unless others change the record meanwhile", func(t *testing.T) {
		t.Parallel()
		stored := storedRecord()
		store := &rows{record: stored, optional: true, identities: map[string]lifecycle.Identity{"jane.doe": {ID: stored.Manager.ID, Alias: "jane.doe", Active: true}}}
		in := put(t, *stored, "manager", `"jane.doe"`)
		store.beforeUpdate = func() { store.record.Manager = lifecycle.ManagerReference{ID: john.ID, Alias: "john.roe"} }
		record, err := newService(store, nil).PutRecord(t.Context(), admin, stored.ID, in)
		require.NoError(t, err)
		require.Equal(t, "jane.doe", record.Manager.Alias)
		require.Len(t, store.changes, 2)
		require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(store.changes[0]))
		require.NoError(t, store.changes[1])
	})
}

func TestIDsOfABodyAreNormalised(t *testing.T) {
	t.Parallel()
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	source := lifecycle.Source{ID: lifecycle.NewID()}
	deleted := &deletions{}
	s := newService(deleted, nil)
	deleted.source = &source
	id := lifecycle.NewID()

	_, err := s.CreateRecord(t.Context(), admin, lifecycle.PersonInput{SourceID: new("\t" + source.ID.String() + " ")})
	require.NotContains(t, err.Error(), "sourceId")
	_, err = s.CreateRecord(t.Context(), admin, lifecycle.PersonInput{SourceID: new(" \n")})
	require.ErrorContains(t, err, "sourceId is required;")

	require.NoError(t, s.DeleteRecords(t.Context(), admin, []string{" " + id.String() + "\n"}, nil))
	require.Equal(t, []lifecycle.ID{id}, deleted.ids)
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(s.DeleteRecords(t.Context(), admin, []string{id.String(), " "}, nil)))
	var faults lifecycle.Faults
	faults.Add(lifecycle.KindIllegalValue, "ids", "ids[1] must be a string")
	require.EqualError(t, s.DeleteRecords(t.Context(), admin, []string{id.String(), ""}, faults), "illegal_value: ids[1] must be a string;")
}

type deletions struct {
	rows
	ids []lifecycle.ID
}

func (d *deletions) DeleteRecords(_ context.Context, ids []lifecycle.ID) error {
	d.ids = ids
	return nil
}

func TestASourceIDThatIsNoTextIsNotAlsoMissing(t *testing.T) {
	t.Parallel()
	in := lifecycle.PersonInput{}
	in.Faults.Add(lifecycle.KindIllegalValue, "sourceId", "sourceId must be a string")
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	_, err := newService(&rows{}, nil).CreateRecord(t.Context(), admin, in)
	require.ErrorContains(t, err, "sourceId must be a string;")
	require.NotContains(t, err.Error(), "sourceId is required")
}

// TestASourceThatGoesWhileItIsAskedAbout holds that who lost sight of an object
// meanwhile is answered as if it had never been there.
func TestASourceThatGoesWhileItIsAskedAbout(t *testing.T) {
	t.Parallel()
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	for name, call := range map[string]func(*Service, policy.Actor, lifecycle.ID) error{
		"PATCH source": func(s *Service, a policy.Actor, id lifecycle.ID) error {
			_, err := s.PatchSource(t.Context(), a, id, setting(t, "name", `"n"`))
			return err
		},
		"list attributes": func(s *Service, a policy.Actor, id lifecycle.ID) error {
			return byID[policy.ListSchema](t.Context(), s, a, id)
		},
		"template": func(s *Service, a policy.Actor, id lifecycle.ID) error {
			return byID[policy.Template](t.Context(), s, a, id)
		},
		"GET attribute": func(s *Service, a policy.Actor, id lifecycle.ID) error {
			return byID[policy.GetAttribute](t.Context(), s, a, id)
		},
		"PATCH attribute": func(s *Service, a policy.Actor, id lifecycle.ID) error {
			return byID[policy.PatchAttr](t.Context(), s, a, id)
		},
		"DELETE attribute": func(s *Service, a policy.Actor, id lifecycle.ID) error {
			return byID[policy.DeleteAttr](t.Context(), s, a, id)
		},
	} {
		going := func() *vanishing {
			return &vanishing{source: lifecycle.Source{ID: lifecycle.NewID(), Name: "N", Description: "D", Owner: lifecycle.NewID()}}
		}
		store := going()
		require.Equal(t, policy.ErrForbidden, call(newService(store, nil), subadmin, store.source.ID), name)
		store = going()
		require.Equal(t, policy.ErrNotFound, call(newService(store, nil), admin, store.source.ID), name)
	}
	t.Run("an attribute that is not there", func(t *testing.T) {
		t.Parallel()
		store := &vanishing{source: lifecycle.Source{ID: lifecycle.NewID()}, stays: true}
		s := newService(store, nil)
		for _, op := range []policy.Operation{policy.GetAttribute, policy.PatchAttr, policy.DeleteAttr} {
			require.Equal(t, policy.ErrNotFound, byID[op](t.Context(), s, subadmin, store.source.ID), op)
		}
	})
}

// vanishing has a source that everybody's workgroup manages, for one look.
type vanishing struct {
	Store
	source lifecycle.Source
	// stays keeps the source; its attributes are gone all the same.
	stays bool
	gone  bool
}

func (v *vanishing) GetSource(context.Context, lifecycle.ID, lifecycle.ID) (lifecycle.Source, policy.Relations, error) {
	if v.gone {
		return lifecycle.Source{}, policy.Relations{}, policy.ErrNotFound
	}
	v.gone = !v.stays
	return v.source, policy.Relations{Workgroup: true}, nil
}

func (v *vanishing) UpdateSource(context.Context, lifecycle.ID, func(*lifecycle.Source) error) (lifecycle.Source, error) {
	return lifecycle.Source{}, policy.ErrNotFound
}

func (v *vanishing) ListAttributes(context.Context, lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	return nil, policy.ErrNotFound
}

func (v *vanishing) GetAttribute(context.Context, lifecycle.ID, lifecycle.ID) (lifecycle.SchemaAttribute, error) {
	return lifecycle.SchemaAttribute{}, policy.ErrNotFound
}

func (v *vanishing) UpdateAttribute(context.Context, lifecycle.ID, lifecycle.ID, func(*lifecycle.SchemaAttribute) error) (lifecycle.SchemaAttribute, error) {
	return lifecycle.SchemaAttribute{}, policy.ErrNotFound
}

func (v *vanishing) DeleteAttribute(context.Context, lifecycle.ID, lifecycle.ID) error {
	return policy.ErrNotFound
}
