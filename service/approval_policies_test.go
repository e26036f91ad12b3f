package service

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// policies is a store of one source, whose policies it keeps.
type policies struct {
	rows
	versions []lifecycle.ApprovalPolicyVersion
	// waiting are the requests that go by another version.
	waiting int
	batches []int
}

func (p *policies) ApprovalPolicy(_ context.Context, source lifecycle.ID) (lifecycle.ApprovalPolicyVersion, error) {
	return lifecycle.ApprovalPolicyVersion{Source: source, Policy: lifecycle.DefaultApprovalPolicy()}, nil
}

func (p *policies) SetApprovalPolicy(_ context.Context, version lifecycle.ApprovalPolicyVersion) (lifecycle.ApprovalPolicyVersion, error) {
	p.versions = append(p.versions, version)
	return version, nil
}

func (p *policies) DropApprovalPolicy(context.Context, lifecycle.ID) error { return policy.ErrNotFound }

func (p *policies) ApplyApprovalPolicy(_ context.Context, source lifecycle.ID, limit int) ([]lifecycle.RequestToCheck, error) {
	requests := make([]lifecycle.RequestToCheck, min(limit, p.waiting))
	for i := range requests {
		requests[i] = lifecycle.RequestToCheck{RequestID: lifecycle.NewID(), SourceID: source, Moved: true}
	}
	p.waiting -= len(requests)
	p.batches = append(p.batches, len(requests))
	return requests, nil
}

// nudged notes which requests are to read their rows again.
type nudged struct {
	Workflows
	mu       sync.Mutex
	requests []lifecycle.ID
}

func (n *nudged) NudgeRequest(_ context.Context, request, _ lifecycle.ID) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, request)
	return lifecycle.NewError(lifecycle.KindUnavailable, "Temporal is away.")
}

// aPolicyOf is a policy by which an item goes to these.
func aPolicyOf(chain ...lifecycle.ApproverRuleInput) lifecycle.ApprovalPolicyInput {
	return lifecycle.ApprovalPolicyInput{
		Timeout: lifecycle.TimeoutInput{Enabled: new(true), Days: new(30)},
		Escalation: lifecycle.EscalationInput{
			Enabled: new(true), DaysUntilFirst: new(2), Schedule: new("@every 24h"), Chain: chain,
		},
	}
}

func TestAPolicyNamesWhoeverThereIs(t *testing.T) {
	t.Parallel()
	active, inactive, group := lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()
	store := &policies{rows: rows{
		source: &lifecycle.Source{ID: lifecycle.NewID()},
		identities: map[string]lifecycle.Identity{
			active.String(): {ID: active, Active: true}, inactive.String(): {ID: inactive},
		},
		groups: []lifecycle.ID{group},
	}}
	s := newService(store, nil)
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	rule := func(kind lifecycle.ApproverType, id lifecycle.ID) lifecycle.ApproverRuleInput {
		return lifecycle.ApproverRuleInput{Type: new(string(kind)), ID: new(id.String())}
	}
	put := map[string]func(lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error){
		"source": func(in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
			return s.PutSourcePolicy(t.Context(), admin, store.source.ID, in)
		},
		"organisation": func(in lifecycle.ApprovalPolicyInput) (lifecycle.ApprovalPolicyVersion, error) {
			return s.PutDefaultPolicy(t.Context(), admin, in)
		},
	}
	for of, put := range put {
		bad := aPolicyOf(rule(lifecycle.ApproverIdentity, inactive), rule(lifecycle.ApproverGovernanceGroup, active), rule(lifecycle.ApproverManagerOf, group))
		bad.Timeout.Days = new(91)
		bad.Faults.Add(lifecycle.KindIllegalValue, "nonsense", `"nonsense" is unknown`)
		_, err := put(bad)
		require.EqualError(t, err, "bad_request: "+`"nonsense" is unknown; timeoutConfig.daysUntilTimeout must be from 1 to 90; `+
			"escalationConfig.escalationChain[0].identityId names no active identity: "+inactive.String()+"; "+
			"escalationConfig.escalationChain[1].identityId names no workgroup: "+active.String()+"; "+
			"escalationConfig.escalationChain[2].identityId names no active identity: "+group.String()+";", of)
		require.Empty(t, store.versions)

		good := aPolicyOf(rule(lifecycle.ApproverIdentity, active), rule(lifecycle.ApproverGovernanceGroup, group), rule(lifecycle.ApproverManagerOf, active))
		version, err := put(good)
		require.NoError(t, err, of)
		require.Equal(t, of == "organisation", version.Source.IsZero())
		require.False(t, version.ID.IsZero() || version.Created.IsZero())
		require.Len(t, store.versions, 1)
		store.versions = nil
	}
}

func TestHolidaysComeAsAListAndAsAFile(t *testing.T) {
	t.Parallel()
	store := &policies{rows: rows{source: &lifecycle.Source{ID: lifecycle.NewID()}}}
	s := newService(store, nil)
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	year := s.now().Year()
	file := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20000501\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR\n"
	in := lifecycle.ApprovalPolicyInput{
		Timeout:  lifecycle.TimeoutInput{Enabled: new(true), Days: new(30)},
		Calendar: &lifecycle.WorkCalendarInput{Workdays: []string{"MONDAY"}, Holidays: []string{"2020-02-29"}, ICalendar: &file},
	}
	version, err := s.PutSourcePolicy(t.Context(), admin, store.source.ID, in)
	require.NoError(t, err)
	want := []string{"2020-02-29"}
	for y := year - 1; y <= year+10; y++ {
		want = append(want, fmt.Sprintf("%d-05-01", y))
	}
	require.Equal(t, want, version.Policy.Calendar.Holidays)
	require.Equal(t, []string{"2020-02-29"}, in.Calendar.Holidays, "what was sent stays as it was")

	*in.Calendar.ICalendar = "nonsense"
	in.Calendar.Workdays = nil
	_, err = s.PutSourcePolicy(t.Context(), admin, store.source.ID, in)
	require.EqualError(t, err, "bad_request: calendar.iCalendar must be a VCALENDAR, from its BEGIN to its END; calendar.workdays is required;")
}

func TestAPolicyIsAppliedToAllThatWait(t *testing.T) {
	t.Parallel()
	store := &policies{rows: rows{source: &lifecycle.Source{ID: lifecycle.NewID()}}, waiting: 2*appliedAtOnce + 3}
	reach := &nudged{}
	s := newService(store, reach)
	s.settings.StartTimeout = s.settings.DecisionTimeout
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	applied, err := s.ApplySourcePolicy(t.Context(), admin, store.source.ID)
	require.NoError(t, err)
	require.Equal(t, 2*appliedAtOnce+3, applied)
	require.Equal(t, []int{appliedAtOnce, appliedAtOnce, 3, 0}, store.batches)
	require.Len(t, reach.requests, wokenAtOnce, "the sweep finds the rest")
	require.Len(t, slices.Compact(slices.SortedFunc(slices.Values(reach.requests), func(a, b lifecycle.ID) int { return slices.Compare(a[:], b[:]) })), wokenAtOnce)

	applied, err = s.ApplySourcePolicy(t.Context(), admin, store.source.ID)
	require.NoError(t, err)
	require.Zero(t, applied, "doing it again does nothing")

	require.Equal(t, policy.ErrNotFound, s.DeleteSourcePolicy(t.Context(), admin, store.source.ID), "the source went since")
}
