package service

import (
	"context"
	"slices"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ListSources returns a page of the sources within the actor's reach and,
// where p.Count, how many there are.
func (s *Service) ListSources(ctx context.Context, a policy.Actor, requestedFor *string, withCount bool, p filter.Params) ([]lifecycle.CountedSource, int, error) {
	reach, err := policy.ListReach(policy.ListSources, a, requestedFor)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Sources)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListSources(ctx, reach, q, withCount)
}

// CreateSource makes a source with its eight system attributes.
func (s *Service) CreateSource(ctx context.Context, a policy.Actor, in lifecycle.SourceInput) (lifecycle.Source, error) {
	if err := policy.Enter(policy.CreateSource, a); err != nil {
		return lifecycle.Source{}, err
	}
	source, faults := in.Judge()
	refs := newReferences()
	err := refs.attempt(ctx, s.store, func() error {
		found, err := sourceFaults(refs, source, lifecycle.Source{})
		if err == nil {
			faults = append(faults, found...)
		}
		return err
	})
	if err != nil {
		return lifecycle.Source{}, err
	}
	if err := faults.Err(); err != nil {
		return lifecycle.Source{}, err
	}
	source.ID = lifecycle.NewID()
	source.Created = s.now()
	source.Modified = source.Created
	attributes := lifecycle.SystemAttributes(source.ID, source.Created)
	if err := s.store.CreateSource(ctx, source, attributes, s.settings.Limits.Sources); err != nil {
		return lifecycle.Source{}, err
	}
	return source, nil
}

// sourceFaults checks what source names and before did not.
func sourceFaults(refs *references, source, before lifecycle.Source) (lifecycle.Faults, error) {
	var faults lifecycle.Faults
	unresolved := false
	check := func(reference lifecycle.Reference, field string) {
		if err := refs.check(reference, field, &faults); err != nil {
			unresolved = true
		}
	}
	if !source.Owner.IsZero() && source.Owner != before.Owner {
		check(lifecycle.IdentityReference(source.Owner), "owner")
	}
	if group := source.ManagementWorkgroup; !group.IsZero() && group != before.ManagementWorkgroup {
		check(lifecycle.Reference{ID: group, Type: lifecycle.ReferenceGovernanceGroup}, "managementWorkgroup")
	}
	for _, approver := range source.Approvers {
		if !slices.Contains(before.Approvers, approver) {
			check(approver, "approvers")
		}
	}
	for _, manager := range source.AccountManagers {
		switch {
		case slices.Contains(before.AccountManagers, manager):
		case manager.Type != lifecycle.ReferenceIdentity:
			// What an account manager may do hangs on an identity (contract §5).
			faults.Add(lifecycle.KindIllegalValue, "accountManagers",
				"accountManagers must be of the type IDENTITY: "+manager.ID.String())
		default:
			check(manager, "accountManagers")
		}
	}
	if unresolved {
		return nil, errUnresolved
	}
	return faults, nil
}

// GetSource returns one source.
func (s *Service) GetSource(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Source, error) {
	return s.source(ctx, policy.GetSource, a, id)
}

// PatchSource changes name, description, approvers and accountManagers
// (contract §4); a change of anything else is KindIllegalUpdate.
func (s *Service) PatchSource(ctx context.Context, a policy.Actor, id lifecycle.ID, patch Patch) (lifecycle.Source, error) {
	source, err := s.source(ctx, policy.PatchSource, a, id)
	if err != nil {
		return lifecycle.Source{}, err
	}
	refs := newReferences()
	// Judged as it was read, the source is locked for a patch that holds only, with
	// all that it names looked up.
	err = refs.attempt(ctx, s.store, func() error { return s.changeSource(refs, &source, patch) })
	if err != nil {
		return lifecycle.Source{}, err
	}
	err = refs.attempt(ctx, s.store, func() error {
		var err error
		source, err = s.store.UpdateSource(ctx, id, func(source *lifecycle.Source) error {
			return s.changeSource(refs, source, patch)
		})
		return err
	})
	return source, goneSince(policy.PatchSource, a, err)
}

func (s *Service) changeSource(refs *references, source *lifecycle.Source, patch Patch) error {
	doc, err := applyPatch(sourceDocument(*source), patch, patchRules{
		change: []string{"name", "description", "approvers", "accountManagers"}, refuse: illegalUpdate,
	})
	if err != nil {
		return err
	}
	judged, faults := doc.Source().Judge()
	found, err := sourceFaults(refs, judged, *source)
	if err != nil {
		return err
	}
	if err := append(faults, found...).Err(); err != nil {
		return err
	}
	source.Name, source.Description = judged.Name, judged.Description
	source.Approvers, source.AccountManagers = judged.Approvers, judged.AccountManagers
	source.Modified = s.now()
	return nil
}

// DeleteSource removes the source and everything under it. Its workflows end
// afterwards.
func (s *Service) DeleteSource(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	if _, err := s.source(ctx, policy.DeleteSource, a, id); err != nil {
		return err
	}
	if err := s.store.DeleteSource(ctx, id); err != nil {
		return goneSince(policy.DeleteSource, a, err)
	}
	s.workflows.EndWorkflows()
	return nil
}
