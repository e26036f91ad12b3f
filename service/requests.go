package service

import (
	"context"
	"time"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ListRequests returns a page of the requests within the actor's reach and,
// where p.Count, how many there are. Who asks must say for whom (contract §2).
func (s *Service) ListRequests(ctx context.Context, a policy.Actor, requestedFor string, p filter.Params) ([]lifecycle.Request, int, error) {
	reach, err := policy.ListReach(policy.ListRequests, a, &requestedFor)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Requests)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListRequests(ctx, reach, q)
}

// SummarizeRequests counts the requests and records on the sources that the
// identity named by requestedFor manages.
func (s *Service) SummarizeRequests(ctx context.Context, a policy.Actor, requestedFor string) (lifecycle.RequestSummary, error) {
	reach, err := policy.ListReach(policy.RequestSum, a, &requestedFor)
	if err != nil {
		return lifecycle.RequestSummary{}, err
	}
	return s.store.SummarizeRequests(ctx, reach)
}

// GetRequest returns one request with its approval items.
func (s *Service) GetRequest(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Request, error) {
	return s.request(ctx, policy.GetRequest, a, id)
}

// GetRequestProgress returns where a request stands and what happens to it if nobody
// acts.
func (s *Service) GetRequestProgress(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Standing, error) {
	const op = policy.GetRequestProgress
	if err := policy.Enter(op, a); err != nil {
		return lifecycle.Standing{}, err
	}
	standing, rel, err := s.store.RequestStanding(ctx, id, viewer(op, a))
	if err := admit(op, a, rel, err); err != nil {
		return lifecycle.Standing{}, err
	}
	return s.store.Foresee(ctx, standing)
}

// CreateRequest accepts a request and starts its workflow. Once the request is
// stored it is accepted: where the workflow can't be started now, the sweep
// starts it later. A request that needs no approval is waited for, within
// bounds, and answered as it then stands (contract §4).
func (s *Service) CreateRequest(ctx context.Context, a policy.Actor, in lifecycle.PersonInput) (lifecycle.Request, error) {
	into, err := s.bodySource(ctx, policy.CreateRequest, a, &in)
	if err != nil {
		return lifecycle.Request{}, err
	}
	person, err := s.newPerson(ctx, in, into)
	if err != nil {
		return lifecycle.Request{}, err
	}
	now := s.now()
	request, err := s.store.AcceptRequest(ctx, lifecycle.Request{
		ID:        lifecycle.NewID(),
		Source:    lifecycle.SourceSummary{ID: into.source.ID, Name: into.source.Name, Description: into.source.Description},
		Requester: a.IdentityID,
		Person:    person,
		Status:    lifecycle.StatusPending,
		Created:   now,
		Modified:  now,
	}, s.settings.Limits.RecordsPerSource)
	if err != nil {
		return lifecycle.Request{}, err
	}
	return s.startAccepted(context.WithoutCancel(ctx), request), nil
}

// startAccepted starts the workflow of a request that is stored.
func (s *Service) startAccepted(ctx context.Context, request lifecycle.Request) lifecycle.Request {
	if !s.start(ctx, request.ID, request.Source.ID, len(request.Items)) {
		return request
	}
	stored, _, err := s.store.GetRequest(ctx, request.ID, request.Requester)
	if err != nil {
		return request
	}
	return stored
}

// start starts the workflow of a request that is stored, whatever becomes of the
// call that brought it. One without approval items is waited for, within bounds;
// then it may have changed, and moved is true.
func (s *Service) start(ctx context.Context, request, source lifecycle.ID, items int) (moved bool) {
	deadline := time.Now().Add(s.settings.AutoApprovalWait)
	startCtx, cancel := context.WithTimeout(ctx, s.settings.StartTimeout)
	defer cancel()
	if err := s.workflows.StartRequest(startCtx, request, source, items); err != nil {
		s.log.WarnContext(ctx, "the request is accepted, its workflow is left to the sweep",
			"request_id", request.String(), "error", err)
		return false
	}
	if items > 0 {
		return false
	}
	waitCtx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := s.workflows.AwaitRequest(waitCtx, request); err != nil {
		s.log.InfoContext(ctx, "the request is answered before it was carried out",
			"request_id", request.String(), "error", err)
	}
	return true
}

// DeleteRequest removes a request; a pending one frees its account name and
// its workflow ends afterwards, a decided one leaves its record (contract §4).
func (s *Service) DeleteRequest(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	if _, err := s.request(ctx, policy.DeleteRequest, a, id); err != nil {
		return err
	}
	if err := s.store.DeleteRequest(ctx, id); err != nil {
		return goneSince(policy.DeleteRequest, a, err)
	}
	s.workflows.EndWorkflows()
	return nil
}
