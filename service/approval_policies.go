package service

import (
	"context"
	"time"

	"gatehouse/calendarfile"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const (
	// holidayYears is for how many years ahead an event that comes again every year
	// is kept.
	holidayYears = 10
	// appliedAtOnce is how many requests take another policy in one transaction.
	appliedAtOnce = 200
)

// ApprovalPolicyStore keeps the approval policies of sources and of the
// organisation, whose source is the zero ID. Every method answers an unknown source
// with KindNotFound.
type ApprovalPolicyStore interface {
	// ApprovalPolicy returns the policy in force, which for a source without one is
	// the organisation's.
	ApprovalPolicy(ctx context.Context, source lifecycle.ID) (lifecycle.ApprovalPolicyVersion, error)
	// SetApprovalPolicy stores a version with the next number, unless its policy is
	// in force already, and returns what is. Errors: KindReferenceNotFound for
	// somebody whom it names and who is not there any more; KindIllegalValue where it
	// approves by time-out and the source has no active owner.
	SetApprovalPolicy(ctx context.Context, version lifecycle.ApprovalPolicyVersion) (lifecycle.ApprovalPolicyVersion, error)
	// DropApprovalPolicy has the source go by the organisation's policy.
	DropApprovalPolicy(ctx context.Context, source lifecycle.ID) error
	// ApplyApprovalPolicy has up to limit pending requests of the source that go by
	// another version take that in force, and returns them.
	ApplyApprovalPolicy(ctx context.Context, source lifecycle.ID, limit int) ([]lifecycle.RequestToCheck, error)
}

// GetSourcePolicy returns the policy in force for the source.
func (s *Service) GetSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.ApprovalPolicyVersion, error) {
	if _, err := s.source(ctx, policy.GetSourcePolicy, a, source); err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	version, err := s.store.ApprovalPolicy(ctx, source)
	return version, goneSince(policy.GetSourcePolicy, a, err)
}

// PutSourcePolicy gives the source a policy of its own, for requests to come.
func (s *Service) PutSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
	if _, err := s.source(ctx, policy.PutSourcePolicy, a, source); err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	version, err := s.setPolicy(ctx, source, in)
	return version, goneSince(policy.PutSourcePolicy, a, err)
}

// GetDefaultPolicy returns the organisation's policy.
func (s *Service) GetDefaultPolicy(ctx context.Context, a policy.Actor) (lifecycle.ApprovalPolicyVersion, error) {
	if err := policy.Enter(policy.GetDefaultPolicy, a); err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	return s.store.ApprovalPolicy(ctx, lifecycle.ID{})
}

// PutDefaultPolicy sets the organisation's policy, for requests to come.
func (s *Service) PutDefaultPolicy(ctx context.Context, a policy.Actor, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
	if err := policy.Enter(policy.PutDefaultPolicy, a); err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	return s.setPolicy(ctx, lifecycle.ID{}, in)
}

// setPolicy judges and stores the policy of a source or, for the zero ID, of the
// organisation.
func (s *Service) setPolicy(ctx context.Context, source lifecycle.ID, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
	now := s.now()
	if in.Calendar != nil && in.Calendar.ICalendar != nil {
		calendar := *in.Calendar
		in.Calendar = &calendar
		// What waits already may have begun last year.
		first := time.Date(now.Year()-1, time.January, 1, 0, 0, 0, 0, time.UTC)
		days, err := calendarfile.Days(*calendar.ICalendar, first, first.AddDate(holidayYears+2, 0, 0))
		calendar.Holidays = append(calendar.Holidays, days...)
		in.Faults = in.Faults.With(err)
	}
	judged, faults := in.Judge(source.IsZero())
	refs := newReferences()
	err := refs.attempt(ctx, s.store, func() error {
		var found lifecycle.Faults
		var unresolved error
		for _, named := range judged.References() {
			if err := refs.check(named.Reference, named.Field, &found); err != nil {
				unresolved = err
			}
		}
		if unresolved != nil {
			return unresolved
		}
		return append(faults, found...).Err()
	})
	if err != nil {
		return lifecycle.ApprovalPolicyVersion{}, err
	}
	return s.store.SetApprovalPolicy(ctx, lifecycle.ApprovalPolicyVersion{
		ID: lifecycle.NewID(), Source: source, Policy: judged, Created: now,
	})
}

// DeleteSourcePolicy has the source go by the organisation's policy, for requests to
// come.
func (s *Service) DeleteSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) error {
	if _, err := s.source(ctx, policy.DeleteSourcePolicy, a, source); err != nil {
		return err
	}
	return goneSince(policy.DeleteSourcePolicy, a, s.store.DropApprovalPolicy(ctx, source))
}

// ApplySourcePolicy has the pending requests of the source go by the policy that is
// in force for it, and returns how many went by another before. Where it is called
// off on its way, some have taken it, and the next call goes on with the rest. The
// sweep finds the workflows that are not told here.
func (s *Service) ApplySourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) (int, error) {
	if _, err := s.source(ctx, policy.ApplySourcePolicy, a, source); err != nil {
		return 0, err
	}
	applied := 0
	var woken []lifecycle.RequestToCheck
	for {
		requests, err := s.store.ApplyApprovalPolicy(ctx, source, appliedAtOnce)
		if err != nil {
			return 0, goneSince(policy.ApplySourcePolicy, a, err)
		}
		if len(requests) == 0 {
			break
		}
		applied += len(requests)
		woken = append(woken, requests[:min(len(requests), wokenAtOnce-len(woken))]...)
	}
	s.wake(ctx, woken)
	return applied, nil
}
