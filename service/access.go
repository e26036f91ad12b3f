package service

import (
	"context"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// admit turns the outcome of looking an object up into the answer of contract
// §5: found and allowed, forbidden, or not found for those who may know.
func admit(op policy.Operation, a policy.Actor, rel policy.Relations, err error) error {
	switch {
	case err == nil:
		return policy.Check(op, a, rel)
	case lifecycle.KindOf(err) == lifecycle.KindNotFound:
		return policy.Missing(op, a)
	default:
		return err
	}
}

// goneSince answers an object that was there when access was checked and is
// gone now as one that never was.
func goneSince(op policy.Operation, a policy.Actor, err error) error {
	if err != nil && lifecycle.KindOf(err) == lifecycle.KindNotFound {
		return policy.Missing(op, a)
	}
	return err
}

// viewer is whose relations to the object decide about op: nobody's where the
// actor holds the right for it anyway, which spares the store the question.
func viewer(op policy.Operation, a policy.Actor) lifecycle.ID {
	if rule, _ := policy.RuleOf(op); a.Holds(rule.Right) {
		return lifecycle.ID{}
	}
	return a.IdentityID
}

// source returns the source if the actor may do op to it.
func (s *Service) source(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID) (lifecycle.Source, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.Source{}, err
	}
	source, rel, err := s.store.GetSource(ctx, id, viewer(op, a))
	return source, admit(op, a, rel, err)
}

// record returns the record if the actor may do op to it.
func (s *Service) record(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID) (lifecycle.Record, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.Record{}, err
	}
	record, rel, err := s.store.GetRecord(ctx, id, viewer(op, a))
	return record, admit(op, a, rel, err)
}

// request returns the request if the actor may do op to it.
func (s *Service) request(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID) (lifecycle.Request, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.Request{}, err
	}
	request, rel, err := s.store.GetRequest(ctx, id, viewer(op, a))
	return request, admit(op, a, rel, err)
}

// approval returns the approval item if the actor may do op to it.
func (s *Service) approval(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID) (lifecycle.ApprovalItem, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	item, rel, err := s.store.GetApproval(ctx, id, viewer(op, a))
	if extension, one := extensionItems[op]; err == nil && one && item.Extension != extension {
		err = policy.ErrNotFound
	}
	return item, admit(op, a, rel, err)
}

// extensionItems says of the operations that know items of one kind alone whether
// these are those of extensions.
var extensionItems = map[policy.Operation]bool{
	policy.GetApproval: false, policy.Approve: false, policy.Reject: false,
	policy.ApproveExtension: true, policy.RejectExtension: true,
}

// extension returns the extension if the actor may do op to it.
func (s *Service) extension(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error) {
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.Extension{}, err
	}
	extension, rel, err := s.store.GetExtension(ctx, id, viewer(op, a))
	return extension, admit(op, a, rel, err)
}

// target is the source that a body names, with its schema.
type target struct {
	source     lifecycle.Source
	attributes []lifecycle.SchemaAttribute
}

// bodySource finds the source that a body names and asks whether the actor may
// do op in it. Who holds no right for op gets the same refusal whether the
// source is malformed, unknown or another's (contract §5); who does is told
// what is wrong with it, as a fault of the body.
func (s *Service) bodySource(ctx context.Context, op policy.Operation, a policy.Actor, in *lifecycle.PersonInput) (target, error) {
	if err := policy.Enter(op, a); err != nil {
		return target{}, err
	}
	rule, _ := policy.RuleOf(op)
	holds := a.Holds(rule.Right)
	text := ""
	if in.SourceID != nil {
		text = lifecycle.Normalize(*in.SourceID)
	}
	if text == "" {
		if !holds {
			return target{}, policy.ErrForbidden
		}
		if !in.Faults.About("sourceId") {
			in.Faults.Add(lifecycle.KindRequired, "sourceId", "sourceId is required")
		}
		return target{}, nil
	}
	id, err := lifecycle.ParseID(text)
	if err != nil {
		if !holds {
			return target{}, policy.ErrForbidden
		}
		in.Faults.Add(lifecycle.KindBadRequest, "sourceId", "sourceId must be a UUID")
		return target{}, nil
	}
	into, err := s.into(ctx, op, a, id)
	if err != nil && lifecycle.KindOf(err) == lifecycle.KindNotFound {
		if !holds {
			return target{}, policy.ErrForbidden
		}
		in.Faults.Add(lifecycle.KindReferenceNotFound, "sourceId", "sourceId names no source")
		return target{}, nil
	}
	return into, err
}

// into returns the source with its schema if the actor may do op in it;
// KindNotFound if there is none.
func (s *Service) into(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID) (target, error) {
	source, rel, err := s.store.GetSource(ctx, id, viewer(op, a))
	if err != nil {
		return target{}, err
	}
	if err := policy.Check(op, a, rel); err != nil {
		return target{}, err
	}
	attributes, err := s.store.ListAttributes(ctx, id)
	return target{source: source, attributes: attributes}, err
}
