package httpapi_test

import (
	"context"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// aPolicy is the organisation's.
var aPolicy = lifecycle.ApprovalPolicyVersion{
	ID: objectID, Version: 2, Created: now,
	Policy: lifecycle.ApprovalPolicy{
		Reminder: lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 2, Schedule: "@every 48h", Max: 5},
		Escalation: lifecycle.EscalationConfig{
			Enabled: true, DaysUntilFirst: 7, Schedule: "@every 72h",
			Chain: []lifecycle.ApproverRule{{Type: lifecycle.ApproverManagerOf}, {Type: lifecycle.ApproverIdentity, ID: person}},
		},
		Timeout:      lifecycle.TimeoutConfig{Enabled: true, Days: 30, Result: lifecycle.TimeoutExpired},
		CronTimezone: lifecycle.CronTimezone{Location: "Europe/Berlin"},
		Fallback:     &lifecycle.ApproverRule{Type: lifecycle.ApproverSourceOwner},
		Calendar:     &lifecycle.WorkCalendar{Workdays: []string{"MONDAY"}, Holidays: []string{"2027-01-01"}},
	},
}

var somebody = lifecycle.NamedReference{Reference: lifecycle.IdentityReference(person), Name: "Jane Doe"}

// aStanding is the second of three stages.
var aStanding = lifecycle.Standing{
	RequestID: objectID, SourceID: sourceID, Requester: person, Status: lifecycle.StatusPending, Stages: 3, Stage: 2,
	Item: objectID, Holder: somebody, Policy: &aPolicy, Owned: true,
	Waiting: lifecycle.Waiting{PendingSince: now, AssignedSince: now, Reminders: 1},
	Coming: []lifecycle.ComingStep{
		{Step: lifecycle.StepEscalation, At: now, To: somebody}, {Step: lifecycle.StepTimeout, At: now, Result: lifecycle.ComingExpired},
	},
}

func (f *fake) GetRequestProgress(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Standing, error) {
	f.id = id
	return aStanding, f.asked(ctx, a)
}

func (f *fake) GetSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) (lifecycle.ApprovalPolicyVersion, error) {
	f.parent = source
	return aPolicy, f.asked(ctx, a)
}

func (f *fake) PutSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
	f.parent, f.policy = source, in
	own := aPolicy
	own.Source = source
	return own, f.asked(ctx, a)
}

func (f *fake) DeleteSourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) error {
	f.parent = source
	return f.asked(ctx, a)
}

func (f *fake) ApplySourcePolicy(ctx context.Context, a policy.Actor, source lifecycle.ID) (int, error) {
	f.parent = source
	return 12, f.asked(ctx, a)
}

func (f *fake) GetDefaultPolicy(ctx context.Context, a policy.Actor) (lifecycle.ApprovalPolicyVersion, error) {
	return aPolicy, f.asked(ctx, a)
}

func (f *fake) PutDefaultPolicy(ctx context.Context, a policy.Actor, in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
	f.policy = in
	return aPolicy, f.asked(ctx, a)
}
