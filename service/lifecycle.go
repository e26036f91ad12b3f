package service

import (
	"context"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// LifecyclePolicyStore keeps what happens about the dates of records, of sources
// and of the organisation, whose source is the zero ID.
type LifecyclePolicyStore interface {
	// GetLifecyclePolicy returns what is in force, which for a source without a
	// policy of its own is the organisation's.
	GetLifecyclePolicy(ctx context.Context, source lifecycle.ID) (lifecycle.PolicyInForce, error)
	// SetLifecyclePolicy sets it, from now on and for every record, and returns what
	// is in force. KindNotFound for a source that there is not.
	SetLifecyclePolicy(ctx context.Context, source lifecycle.ID, policy lifecycle.LifecyclePolicy) (lifecycle.PolicyInForce, error)
	// DropLifecyclePolicy has the source go by the organisation's. KindNotFound for a
	// source that there is not.
	DropLifecyclePolicy(ctx context.Context, source lifecycle.ID) error
}

// GetSourceLifecycle returns the lifecycle policy in force for the source.
func (s *Service) GetSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.PolicyInForce, error) {
	if _, err := s.source(ctx, policy.GetSourceLifecycle, a, source); err != nil {
		return lifecycle.PolicyInForce{}, err
	}
	return s.store.GetLifecyclePolicy(ctx, source)
}

// PutSourceLifecycle gives the source a lifecycle policy of its own.
func (s *Service) PutSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
	if _, err := s.source(ctx, policy.PutSourceLifecycle, a, source); err != nil {
		return lifecycle.PolicyInForce{}, err
	}
	set, err := s.setLifecycle(ctx, source, in)
	return set, goneSince(policy.PutSourceLifecycle, a, err)
}

// DeleteSourceLifecycle has the source go by the organisation's lifecycle policy.
func (s *Service) DeleteSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID) error {
	if _, err := s.source(ctx, policy.DeleteSourceLifecycle, a, source); err != nil {
		return err
	}
	return goneSince(policy.DeleteSourceLifecycle, a, s.store.DropLifecyclePolicy(ctx, source))
}

// GetDefaultLifecycle returns the organisation's lifecycle policy.
func (s *Service) GetDefaultLifecycle(ctx context.Context, a policy.Actor) (lifecycle.PolicyInForce, error) {
	if err := policy.Enter(policy.GetDefaultLifecycle, a); err != nil {
		return lifecycle.PolicyInForce{}, err
	}
	return s.store.GetLifecyclePolicy(ctx, lifecycle.ID{})
}

// PutDefaultLifecycle sets the organisation's lifecycle policy.
func (s *Service) PutDefaultLifecycle(ctx context.Context, a policy.Actor, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
	if err := policy.Enter(policy.PutDefaultLifecycle, a); err != nil {
		return lifecycle.PolicyInForce{}, err
	}
	return s.setLifecycle(ctx, lifecycle.ID{}, in)
}

func (s *Service) setLifecycle(ctx context.Context, source lifecycle.ID, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
	judged, faults := in.Judge()
	if err := faults.Err(); err != nil {
		return lifecycle.PolicyInForce{}, err
	}
	return s.store.SetLifecyclePolicy(ctx, source, judged)
}

// EndRecord ends a record now, for a reason.
func (s *Service) EndRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, reason *string, faults lifecycle.Faults) (lifecycle.Record, error) {
	if _, err := s.record(ctx, policy.EndRecord, a, id); err != nil {
		return lifecycle.Record{}, err
	}
	if err := faults.Err(); err != nil {
		return lifecycle.Record{}, err
	}
	why, err := lifecycle.JudgeEndReason(reason)
	if err != nil {
		return lifecycle.Record{}, err
	}
	record, err := s.store.EndRecord(ctx, id, why)
	return record, goneSince(policy.EndRecord, a, err)
}

// addLifecycles adds to the records where they stand. One that went meanwhile is
// left without.
func (s *Service) addLifecycles(ctx context.Context, records []lifecycle.Record) error {
	ids := make([]lifecycle.ID, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	lives, err := s.store.RecordLifecycles(ctx, ids, s.now())
	if err != nil {
		return err
	}
	for i := range records {
		if life, ok := lives[records[i].ID]; ok {
			records[i].Lifecycle = &life
		}
	}
	return nil
}
