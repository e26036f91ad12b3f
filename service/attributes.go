package service

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ListAttributes returns the schema attributes of a source: the system ones,
// then the custom ones as they were made.
func (s *Service) ListAttributes(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.SchemaAttribute, error) {
	if _, err := s.source(ctx, policy.ListSchema, a, source); err != nil {
		return nil, err
	}
	q, err := p.Judge(filter.Attributes)
	if err != nil {
		return nil, err
	}
	attributes, err := s.store.ListAttributes(ctx, source)
	if err != nil {
		return nil, goneSince(policy.ListSchema, a, err)
	}
	first := min(q.Offset, len(attributes))
	return attributes[first:min(first+q.Limit, len(attributes))], nil
}

// Template returns the attributes whose names make the header of the source's
// CSV template.
func (s *Service) Template(ctx context.Context, a policy.Actor, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	if _, err := s.source(ctx, policy.Template, a, source); err != nil {
		return nil, err
	}
	attributes, err := s.store.ListAttributes(ctx, source)
	return attributes, goneSince(policy.Template, a, err)
}

// CreateAttribute adds a custom attribute to a source.
func (s *Service) CreateAttribute(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.AttributeInput) (lifecycle.SchemaAttribute, error) {
	if _, err := s.source(ctx, policy.CreateSchema, a, source); err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	attribute, faults := in.Judge()
	if err := faults.Err(); err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	attribute.ID = lifecycle.NewID()
	attribute.SourceID = source
	attribute.Created = s.now()
	attribute.Modified = attribute.Created
	created, err := s.store.CreateAttribute(ctx, attribute)
	if err != nil {
		return lifecycle.SchemaAttribute{}, goneSince(policy.CreateSchema, a, err)
	}
	return created, nil
}

// GetAttribute returns one schema attribute.
func (s *Service) GetAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID) (lifecycle.SchemaAttribute, error) {
	if _, err := s.source(ctx, policy.GetAttribute, a, source); err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	attribute, err := s.store.GetAttribute(ctx, source, id)
	return attribute, s.noAttribute(ctx, policy.GetAttribute, a, source, err)
}

// noAttribute answers that the source has no such attribute: to who may do op to
// the source still, that it is not found; else as if the source had not been
// there before.
func (s *Service) noAttribute(ctx context.Context, op policy.Operation, a policy.Actor, source lifecycle.ID, err error) error {
	if err == nil || lifecycle.KindOf(err) != lifecycle.KindNotFound {
		return err
	}
	if _, err := s.source(ctx, op, a, source); err != nil {
		return err
	}
	return policy.ErrNotFound
}

// PatchAttribute changes label, helpText, placeholder and required; of a
// system attribute, which is required always, the first three (contract §4).
func (s *Service) PatchAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID, patch Patch) (lifecycle.SchemaAttribute, error) {
	if _, err := s.source(ctx, policy.PatchAttr, a, source); err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	patched, err := s.store.UpdateAttribute(ctx, source, id, func(attribute *lifecycle.SchemaAttribute) error {
		allowed := []string{"label", "helpText", "placeholder", "required"}
		if attribute.System {
			allowed = allowed[:3]
		}
		doc, err := applyPatch(attributeDocument(*attribute), patch, patchRules{change: allowed, refuse: illegalUpdate})
		if err != nil {
			return err
		}
		in := doc.Attribute()
		if attribute.System {
			// The judge knows custom attributes; what it would refuse here is fixed anyway.
			custom, name := string(lifecycle.AttributeText), attribute.TechnicalName
			in.Type, in.TechnicalName = &custom, &name
		}
		judged, faults := in.Judge()
		if err := faults.Err(); err != nil {
			return err
		}
		attribute.Label, attribute.HelpText = judged.Label, judged.HelpText
		attribute.Placeholder, attribute.Required = judged.Placeholder, judged.Required
		attribute.Modified = s.now()
		return nil
	})
	return patched, s.noAttribute(ctx, policy.PatchAttr, a, source, err)
}

// DeleteAttribute removes a custom attribute and its values.
func (s *Service) DeleteAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID) error {
	if _, err := s.source(ctx, policy.DeleteAttr, a, source); err != nil {
		return err
	}
	return s.noAttribute(ctx, policy.DeleteAttr, a, source, s.store.DeleteAttribute(ctx, source, id))
}

// DeleteAttributes removes every custom attribute of a source and its values.
func (s *Service) DeleteAttributes(ctx context.Context, a policy.Actor, source lifecycle.ID) error {
	if _, err := s.source(ctx, policy.DeleteSchema, a, source); err != nil {
		return err
	}
	return goneSince(policy.DeleteSchema, a, s.store.DeleteAttributes(ctx, source))
}
