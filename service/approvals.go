package service

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// DecisionInput is what an approver sends with a verdict.
type DecisionInput struct {
	Comment *string
	// Key is the Idempotency-Key header, empty if there was none.
	Key string
	// Rejected are the ids of the records that an approval takes out of an extension,
	// as they were sent.
	Rejected []string
	// Faults are what was wrong with the body while it was read.
	Faults lifecycle.Faults
}

// ApprovalDetail is an approval item with its request and the schema of the
// request's source; both are empty where no detail was asked for.
type ApprovalDetail struct {
	Item       lifecycle.ApprovalItem
	Request    lifecycle.Request
	Attributes []lifecycle.SchemaAttribute
}

// ListApprovals returns a page of the approval items within the actor's reach
// and, where p.Count, how many there are.
func (s *Service) ListApprovals(ctx context.Context, a policy.Actor, requestedFor *string, p filter.Params) ([]lifecycle.ApprovalItem, int, error) {
	reach, err := policy.ListReach(policy.ListApprovals, a, requestedFor)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Approvals)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListApprovals(ctx, reach, q)
}

// SummarizeApprovals counts the approval items assigned to the identity named
// by requestedFor.
func (s *Service) SummarizeApprovals(ctx context.Context, a policy.Actor, requestedFor string) (lifecycle.ApprovalSummary, error) {
	reach, err := policy.ListReach(policy.ApprovalSum, a, &requestedFor)
	if err != nil {
		return lifecycle.ApprovalSummary{}, err
	}
	return s.store.SummarizeApprovals(ctx, reach)
}

// GetApproval returns one approval item, with its request where detail.
func (s *Service) GetApproval(ctx context.Context, a policy.Actor, id lifecycle.ID, detail bool) (ApprovalDetail, error) {
	item, err := s.approval(ctx, policy.GetApproval, a, id)
	if err != nil || !detail {
		return ApprovalDetail{Item: item}, err
	}
	request, _, err := s.store.GetRequest(ctx, item.RequestID, a.IdentityID)
	if err != nil {
		return ApprovalDetail{}, goneSince(policy.GetApproval, a, err)
	}
	attributes, err := s.store.ListAttributes(ctx, request.Source.ID)
	if err != nil {
		return ApprovalDetail{}, goneSince(policy.GetApproval, a, err)
	}
	return ApprovalDetail{Item: item, Request: request, Attributes: attributes}, nil
}

// Approve gives the verdict "approve". The comment is optional (contract §4).
func (s *Service) Approve(ctx context.Context, a policy.Actor, id lifecycle.ID, in DecisionInput) (lifecycle.ApprovalItem, error) {
	return s.decide(ctx, policy.Approve, a, id, lifecycle.VerdictApprove, in)
}

// Reject gives the verdict "reject". The comment is required (contract §4).
func (s *Service) Reject(ctx context.Context, a policy.Actor, id lifecycle.ID, in DecisionInput) (lifecycle.ApprovalItem, error) {
	return s.decide(ctx, policy.Reject, a, id, lifecycle.VerdictReject, in)
}

func (s *Service) decide(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID, verdict lifecycle.Verdict, in DecisionInput) (lifecycle.ApprovalItem, error) {
	item, err := s.approval(ctx, op, a, id)
	if err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	if err := in.Faults.Err(); err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	// A repeat need not say again why.
	if item.Status != lifecycle.StatusPending && len(in.Rejected) == 0 {
		return standing(item, a.IdentityID, verdict)
	}
	if !policy.MayDecideOwn(a.IdentityID, item) {
		return lifecycle.ApprovalItem{}, lifecycle.ErrOwnRequest
	}
	comment, err := lifecycle.JudgeComment(in.Comment, verdict == lifecycle.VerdictReject || len(in.Rejected) > 0)
	if err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	rejected, err := in.rejected()
	if err != nil {
		return lifecycle.ApprovalItem{}, err
	}
	if len(in.Key) > lifecycle.MaxIdempotencyKeyLength {
		return lifecycle.ApprovalItem{}, lifecycle.FieldError(lifecycle.KindBadRequest, "Idempotency-Key",
			"Idempotency-Key must not be longer than 255 bytes.")
	}
	decision := lifecycle.Decision{
		ID:        lifecycle.DecisionID(item.ID, a.IdentityID, verdict, decisionKey(in.Key, rejected)),
		RequestID: item.RequestID,
		ItemID:    item.ID,
		Approver:  a.IdentityID,
		Verdict:   verdict,
		Via:       lifecycle.ViaAPI,
	}
	if len(rejected) > 0 {
		err = s.store.AnnounceExtensionDecision(ctx, decision, comment, rejected)
	} else {
		err = s.store.AnnounceDecision(ctx, decision, comment)
	}
	if err != nil {
		return lifecycle.ApprovalItem{}, goneSince(op, a, err)
	}
	return s.sendDecision(ctx, op, a, decision)
}

// standing answers a decision about an item that can't be decided: the same
// verdict by the same approver is a repeat and gets the item as stored.
func standing(item lifecycle.ApprovalItem, approver lifecycle.ID, verdict lifecycle.Verdict) (lifecycle.ApprovalItem, error) {
	if item.DecidedBy == approver && item.Status == verdict.Status() {
		return item, nil
	}
	return lifecycle.ApprovalItem{}, lifecycle.NotDecidable(item.Status)
}

// sendDecision carries the decision to the workflow and answers what the rows
// then say. Where no answer came in time the rows are asked all the same, since
// the decision may have gone through.
func (s *Service) sendDecision(ctx context.Context, op policy.Operation, a policy.Actor, decision lifecycle.Decision) (lifecycle.ApprovalItem, error) {
	decideCtx, cancel := context.WithTimeout(ctx, s.settings.DecisionTimeout)
	defer cancel()
	result, sendErr := s.workflows.Decide(decideCtx, decision)
	if sendErr != nil && lifecycle.KindOf(sendErr) != lifecycle.KindUnavailable {
		return lifecycle.ApprovalItem{}, sendErr
	}
	switch {
	case sendErr == nil && result.Outcome == lifecycle.DecisionForbidden:
		return lifecycle.ApprovalItem{}, policy.ErrForbidden
	case sendErr == nil && result.Outcome == lifecycle.DecisionOwnRequest:
		return lifecycle.ApprovalItem{}, lifecycle.ErrOwnRequest
	}
	item, _, err := s.store.GetApproval(ctx, decision.ItemID, a.IdentityID)
	if err != nil {
		return lifecycle.ApprovalItem{}, goneSince(op, a, err)
	}
	if sendErr != nil && item.Status == lifecycle.StatusPending {
		return lifecycle.ApprovalItem{}, sendErr
	}
	return standing(item, decision.Approver, decision.Verdict)
}
