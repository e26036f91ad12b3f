package service

import (
	"context"
	"errors"
	"maps"

	"gatehouse/lifecycle"
)

// errUnresolved ends an attempt that met a reference nobody has looked up yet. In
// a transaction that is because others have changed the object since it was
// judged; the store tells its observer so.
var errUnresolved = lifecycle.NewError(lifecycle.KindUnavailable, "The object is being changed by others; try again.")

// maxResolveRounds bounds how often an update is begun anew because it met
// further references. Two are enough unless others keep changing the object.
const maxResolveRounds = 5

// references are the identities and workgroups that a body names, looked up
// outside the transaction that needs them, so that a transaction never waits for
// a second connection.
type references struct {
	known  map[string]lifecycle.Identity
	looked map[string]bool
	wanted []string

	groups       map[lifecycle.ID]bool
	wantedGroups []lifecycle.ID
}

func newReferences() *references {
	return &references{
		known: map[string]lifecycle.Identity{}, looked: map[string]bool{}, groups: map[lifecycle.ID]bool{},
	}
}

// want has the next attempt begin with looking the reference up.
func (r *references) want(reference string) { r.wanted = append(r.wanted, reference) }

// resolve looks up what is wanted and not yet known.
func (r *references) resolve(ctx context.Context, store IdentityStore) error {
	for _, id := range r.wantedGroups {
		exists, err := store.WorkgroupExists(ctx, id)
		if err != nil {
			return err
		}
		r.groups[id] = exists
	}
	r.wantedGroups = nil
	var ask []string
	for _, reference := range r.wanted {
		if !r.looked[reference] {
			r.looked[reference] = true
			ask = append(ask, reference)
		}
	}
	r.wanted = nil
	if len(ask) == 0 {
		return nil
	}
	found, err := store.ResolveIdentities(ctx, ask)
	if err != nil {
		return err
	}
	maps.Copy(r.known, found)
	return nil
}

// find returns the identity that the reference names; ok is false where there
// is none, or one that is not active and so can't be named any more. A
// reference that was not looked up is noted and answered with errUnresolved.
func (r *references) find(reference string) (identity lifecycle.Identity, ok bool, err error) {
	if !r.looked[reference] {
		r.want(reference)
		return lifecycle.Identity{}, false, errUnresolved
	}
	identity, ok = r.known[reference]
	return identity, ok && identity.Active, nil
}

// findGroup is find for a workgroup.
func (r *references) findGroup(id lifecycle.ID) (ok bool, err error) {
	ok, looked := r.groups[id]
	if !looked {
		r.wantedGroups = append(r.wantedGroups, id)
		return false, errUnresolved
	}
	return ok, nil
}

// attempt runs update until it meets no reference that was not looked up.
func (r *references) attempt(ctx context.Context, store IdentityStore, update func() error) error {
	for range maxResolveRounds {
		if err := r.resolve(ctx, store); err != nil {
			return err
		}
		if err := update(); !errors.Is(err, errUnresolved) {
			return err
		}
	}
	return errUnresolved
}

// resolveManager replaces the reference in person by the identity it names.
func (r *references) resolveManager(person *lifecycle.Person, faults *lifecycle.Faults) error {
	reference := person.Manager.Alias
	if reference == "" {
		return nil
	}
	identity, ok, err := r.find(reference)
	if err != nil {
		return err
	}
	if !ok {
		faults.Add(lifecycle.KindReferenceNotFound, "manager", lifecycle.NoActiveManager)
		return nil
	}
	person.Manager = lifecycle.ManagerReference{ID: identity.ID, Alias: identity.Alias}
	return nil
}

// check adds a fault if the reference names no active identity, or no workgroup.
func (r *references) check(reference lifecycle.Reference, field string, faults *lifecycle.Faults) error {
	var ok bool
	var err error
	if reference.Type == lifecycle.ReferenceGovernanceGroup {
		ok, err = r.findGroup(reference.ID)
	} else {
		_, ok, err = r.find(reference.ID.String())
	}
	if err != nil {
		return err
	}
	if !ok {
		*faults = append(*faults, lifecycle.NamesNobody(field, reference))
	}
	return nil
}
