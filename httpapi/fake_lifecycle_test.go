package httpapi_test

import (
	"context"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// aLife is that of a record whose end is near; anEndedLife that of one that somebody
// ended.
var (
	aLife = lifecycle.RecordLifecycle{
		State: lifecycle.StateExpiring, Since: now, NextWarning: now.AddDate(0, 0, 7), EndAction: now.AddDate(0, 1, 0),
	}
	anEndedLife = lifecycle.RecordLifecycle{State: lifecycle.StateSuspended, Since: now, Ended: now, EndedReason: "Left early"}
)

// detailed is a record at this level of detail.
func detailed(detail *string) lifecycle.Record {
	record := aRecord
	if detail != nil {
		life := aLife
		if *detail == "ended" {
			life = anEndedLife
		}
		record.Lifecycle = &life
	}
	return record
}

// dates are the policy of the organisation.
var dates = lifecycle.PolicyInForce{LifecyclePolicy: lifecycle.DefaultLifecyclePolicy(), EndSince: now}

func (f *fake) GetSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.PolicyInForce, error) {
	f.parent = source
	return dates, f.asked(ctx, a)
}

func (f *fake) PutSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
	f.parent, f.dates = source, in
	own := dates
	own.Own = true
	return own, f.asked(ctx, a)
}

func (f *fake) DeleteSourceLifecycle(ctx context.Context, a policy.Actor, source lifecycle.ID) error {
	f.parent = source
	return f.asked(ctx, a)
}

func (f *fake) GetDefaultLifecycle(ctx context.Context, a policy.Actor) (lifecycle.PolicyInForce, error) {
	return dates, f.asked(ctx, a)
}

func (f *fake) PutDefaultLifecycle(ctx context.Context, a policy.Actor, in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
	f.dates = in
	return dates, f.asked(ctx, a)
}

func (f *fake) EndRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, reason *string, faults lifecycle.Faults) (lifecycle.Record, error) {
	f.id, f.reason, f.faults = id, reason, faults
	return aRecord, f.asked(ctx, a)
}
