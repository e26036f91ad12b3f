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
	if !source.ManagementWorkgroup.IsZero() {
		exists, err := s.store.WorkgroupExists(ctx, source.ManagementWorkgroup)
		if err != nil {
			return lifecycle.Source{}, err
		}
		if !exists {
			faults.Add(lifecycle.KindReferenceNotFound, "managementWorkgroup", "managementWorkgroup names no workgroup")
		}
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

// sourceFaults checks the identities that source names and before did not.
func sourceFaults(refs *references, source, before lifecycle.Source) (lifecycle.Faults, error) {
	var faults lifecycle.Faults
	unresolved := false
	check := func(id lifecycle.ID, field string) {
		if err := refs.checkIdentity(id, field, &faults); err != nil {
			unresolved = true
		}
	}
	if !source.Owner.IsZero() && source.Owner != before.Owner {
		check(source.Owner, "owner")
	}
	for _, approver := range source.Approvers {
		if !slices.Contains(before.Approvers, approver) {
			check(approver.ID, "approvers")
		}
	}
	for _, manager := range source.AccountManagers {
		if !slices.Contains(before.AccountManagers, manager) {
			check(manager.ID, "accountManagers")
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
	if _, err := s.source(ctx, policy.PatchSource, a, id); err != nil {
		return lifecycle.Source{}, err
	}
	var patched lifecycle.Source
	refs := newReferences()
	err := refs.attempt(ctx, s.store, func() error {
		var err error
		patched, err = s.store.UpdateSource(ctx, id, func(source *lifecycle.Source) error {
			return s.changeSource(refs, source, patch)
		})
		return err
	})
	return patched, err
}

func (s *Service) changeSource(refs *references, source *lifecycle.Source, patch Patch) error {
	doc, err := applyPatch(sourceDocument(*source), patch, illegalUpdate,
		"name", "description", "approvers", "accountManagers")
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
