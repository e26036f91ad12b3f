package service

import (
	"context"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// Reassign hands an undecided approval item on to somebody else.
func (s *Service) Reassign(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.ReassignInput) (lifecycle.ApprovalItem, error) {
	item, err := s.approval(ctx, policy.Reassign, a, id)
	if err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	to, comment, faults := in.Judge()
	if err := faults.Err(); err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	source, err := s.store.ReassignApproval(ctx, lifecycle.Reassignment{
		ItemID: id, From: item.Approver, To: to, Reassigner: a.IdentityID, Comment: comment,
	})
	return s.moved(ctx, policy.Reassign, a, item, source, err)
}

// Claim makes the item of a group that of the actor, a member of it.
func (s *Service) Claim(ctx context.Context, a policy.Actor, id lifecycle.ID, in DecisionInput) (lifecycle.ApprovalItem, error) {
	item, err := s.approval(ctx, policy.Claim, a, id)
	if err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	if err := in.Faults.Err(); err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	comment, err := lifecycle.JudgeComment(in.Comment, false)
	if err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	source, err := s.store.ClaimApproval(ctx, id, a.IdentityID, comment)
	return s.moved(ctx, policy.Claim, a, item, source, err)
}

// moved has the workflow of an item that went to somebody else look at the rows,
// whatever becomes of the call, and returns the item as it stands. Where the
// workflow can't be reached the sweep tells it.
func (s *Service) moved(ctx context.Context, op policy.Operation, a policy.Actor, item lifecycle.ApprovalItem, source lifecycle.ID, err error) (lifecycle.ApprovalItem, error) {
	if err != nil {
		return lifecycle.ApprovalItem{}, goneSince(op, a, err)
	}
	nudgeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.StartTimeout)
	defer cancel()
	if err := s.workflows.NudgeRequest(nudgeCtx, item.RequestID, source); err != nil {
		s.log.WarnContext(ctx, "the approval item is moved, telling its workflow is left to the sweep",
			"request_id", item.RequestID.String(), "error", err)
	}
	item, _, err = s.store.GetApproval(ctx, item.ID, a.IdentityID)
	return item, goneSince(op, a, err)
}

// ListReassignments returns how the approval item went from one to another, oldest
// first.
func (s *Service) ListReassignments(ctx context.Context, a policy.Actor, id lifecycle.ID) ([]lifecycle.Reassignment, error) {
	if _, err := s.approval(ctx, policy.ReassignmentHistory, a, id); err != nil {
		return nil, err
	}
	return s.store.ListReassignments(ctx, id)
}
