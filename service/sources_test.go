package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const nilUUID = "00000000-0000-0000-0000-000000000000"

func grouped(id lifecycle.ID) lifecycle.Reference {
	return lifecycle.Reference{ID: id, Type: lifecycle.ReferenceGovernanceGroup}
}

// people makes identities to be found by their ids.
func people(ids ...lifecycle.ID) map[string]lifecycle.Identity {
	found := map[string]lifecycle.Identity{}
	for _, id := range ids {
		found[id.String()] = lifecycle.Identity{ID: id, Active: true}
	}
	return found
}

func TestTheNilUUIDDoesNotPassForNone(t *testing.T) {
	t.Parallel()
	owner := lifecycle.NewID()
	store := &rows{identities: people(owner)}
	s := newService(store, nil)
	in := lifecycle.SourceInput{Name: new("N"), Description: new("D"), Owner: new(owner.String())}
	for field, change := range map[string]func(*lifecycle.SourceInput){
		"owner":               func(in *lifecycle.SourceInput) { in.Owner = new(nilUUID) },
		"managementWorkgroup": func(in *lifecycle.SourceInput) { in.ManagementWorkgroup = new(nilUUID) },
		"approvers":           func(in *lifecycle.SourceInput) { in.Approvers = []lifecycle.ReferenceInput{{ID: new(nilUUID)}} },
		"accountManagers":     func(in *lifecycle.SourceInput) { in.AccountManagers = []lifecycle.ReferenceInput{{ID: new(nilUUID)}} },
	} {
		changed := in
		change(&changed)
		_, err := s.CreateSource(t.Context(), admin, changed)
		require.Equal(t, lifecycle.KindReferenceNotFound, lifecycle.KindOf(err), field)
		require.ErrorContains(t, err, field+" names n", field)
		require.Nil(t, store.source)
	}
	_, err := s.CreateSource(t.Context(), admin, in)
	require.NoError(t, err)
}

func TestWhatASourceNamesIsToldAtOnce(t *testing.T) {
	t.Parallel()
	owner, group, nobody, nowhere := lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()
	store := &rows{identities: people(owner), groups: []lifecycle.ID{group}}
	s := newService(store, nil)
	in := lifecycle.SourceInput{
		Name: new("N"), Description: new("D"), Owner: new(nobody.String()), ManagementWorkgroup: new(nowhere.String()),
		Approvers: []lifecycle.ReferenceInput{
			{ID: new(group.String()), Type: new("GOVERNANCE_GROUP")}, {ID: new(owner.String()), Type: new("GOVERNANCE_GROUP")},
			{ID: new(group.String())},
		},
		AccountManagers: []lifecycle.ReferenceInput{{ID: new(group.String()), Type: new("GOVERNANCE_GROUP")}, {ID: new(owner.String())}},
	}
	_, err := s.CreateSource(t.Context(), admin, in)
	require.EqualError(t, err, "bad_request: owner names no active identity: "+nobody.String()+"; "+
		"managementWorkgroup names no workgroup: "+nowhere.String()+"; "+
		"approvers names no workgroup: "+owner.String()+"; approvers names no active identity: "+group.String()+"; "+
		"accountManagers must be of the type IDENTITY: "+group.String()+";")

	in.Owner, in.ManagementWorkgroup = new(owner.String()), new(group.String())
	in.Approvers, in.AccountManagers = in.Approvers[:1], in.AccountManagers[1:]
	source, err := s.CreateSource(t.Context(), admin, in)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.Reference{grouped(group)}, source.Approvers)
	require.Equal(t, group, source.ManagementWorkgroup)
}

// TestAPatchChecksWhatItAdds has a source that names what there is no more: that
// stays as it is, type and all, whatever else is patched.
func TestAPatchChecksWhatItAdds(t *testing.T) {
	t.Parallel()
	left, group, manager, approver := lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()
	source := lifecycle.Source{
		ID: lifecycle.NewID(), Name: "N", Description: "D", Owner: left, ManagementWorkgroup: lifecycle.NewID(),
		Approvers:       []lifecycle.Reference{grouped(group), lifecycle.IdentityReference(left)},
		AccountManagers: []lifecycle.Reference{grouped(manager), lifecycle.IdentityReference(left)},
	}
	store := &rows{source: &source, identities: people(approver)}
	s := newService(store, nil)

	patched, err := s.PatchSource(t.Context(), admin, source.ID, setting(t, "description", `"Other"`))
	require.NoError(t, err)
	want := source
	want.Description, want.Modified = "Other", patched.Modified
	require.Equal(t, want, patched)

	list := `[{"id":"` + group.String() + `","type":"GOVERNANCE_GROUP"},"` + approver.String() + `"]`
	patched, err = s.PatchSource(t.Context(), admin, source.ID, setting(t, "approvers", list))
	require.NoError(t, err)
	require.Equal(t, []lifecycle.Reference{grouped(group), lifecycle.IdentityReference(approver)}, patched.Approvers)
	require.Equal(t, []error{nil, nil}, store.changes, "what the patch names is looked up before the source is locked")

	_, err = s.PatchSource(t.Context(), admin, source.ID, setting(t, "approvers", `["`+group.String()+`"]`))
	require.EqualError(t, err, "reference_not_found: approvers names no active identity: "+group.String()+";")
	_, err = s.PatchSource(t.Context(), admin, source.ID, setting(t, "accountManagers", `[{"id":"`+group.String()+`","type":"GOVERNANCE_GROUP"}]`))
	require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
	require.Len(t, store.changes, 2, "a patch that does not hold locks nothing")
}

func TestAPatchOfWhatCanNotBePatchedIsToldSo(t *testing.T) {
	t.Parallel()
	source := lifecycle.Source{ID: lifecycle.NewID(), Name: "N", Description: "D", Owner: lifecycle.NewID()}
	store := &rows{source: &source}
	s := newService(store, nil)
	unreached := func([]byte) ([]byte, error) {
		return nil, lifecycle.NewError(lifecycle.KindBadRequest, "there is nothing at that place")
	}
	for _, member := range []string{"managementWorkgroup", "nonsense", ""} {
		_, err := s.PatchSource(t.Context(), admin, source.ID, Patch{Members: []string{"name", member}, Apply: unreached})
		require.EqualError(t, err, `illegal_update: "`+member+`" can't be changed.`)
	}
	_, err := s.PatchSource(t.Context(), admin, source.ID, setting(t, "owner", `{"id":"`+lifecycle.NewID().String()+`"}`))
	require.Equal(t, illegalUpdate("owner"), err)
	_, err = s.PatchSource(t.Context(), admin, source.ID, setting(t, "owner", `{"id":"`+source.Owner.String()+`"}`))
	require.NoError(t, err, "what is said again is not changed")
	for _, member := range []string{"helpText", "placeholder"} {
		require.Contains(t, attributeDocument(lifecycle.SchemaAttribute{}), member, "an empty one can be replaced")
	}
	record := storedRecord()
	_, err = newService(&rows{record: record, relations: policy.Relations{AccountManager: true}}, nil).
		PatchRecord(t.Context(), outsider, record.ID, Patch{Members: []string{"nonsense"}, Apply: unreached})
	require.Equal(t, policy.ErrForbidden, err)
}
