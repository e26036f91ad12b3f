package lifecycle_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// pending is when everything of these tests begins.
var pending = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// standingOf is a request whose first item waits by this policy, and holder has it.
func standingOf(p lifecycle.ApprovalPolicy, holder lifecycle.ID) lifecycle.Standing {
	return lifecycle.Standing{
		Stages: 1, Stage: 1, Holder: lifecycle.NamedReference{Reference: lifecycle.IdentityReference(holder)}, Owned: true,
		Waiting: lifecycle.Waiting{PendingSince: pending, AssignedSince: pending},
		Policy:  &lifecycle.ApprovalPolicyVersion{Policy: p},
	}
}

// told is what is coming in short, people by their names.
func told(t *testing.T, coming []lifecycle.ComingStep, names map[lifecycle.ID]string) []string {
	t.Helper()
	var lines []string
	for _, c := range coming {
		line := fmt.Sprintf("%s on day %g", c.Step, c.At.Sub(pending).Hours()/24)
		if !c.To.ID.IsZero() {
			line += " to " + names[c.To.ID]
		}
		if c.Result != "" {
			line += " is " + string(c.Result)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestWhatIsComing(t *testing.T) {
	t.Parallel()
	ann, ben, cleo, owner := lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()
	names := map[lifecycle.ID]string{ann: "ann", ben: "ben", cleo: "cleo", owner: "owner"}
	managers := map[lifecycle.ID]lifecycle.ID{ann: ben, ben: cleo}
	// find knows who answers to whom, and that an IDENTITY is gone.
	find := func(rule lifecycle.ApproverRule, holder lifecycle.Reference) (lifecycle.Reference, error) {
		switch rule.Type { //nolint:exhaustive // the rest is nobody
		case lifecycle.ApproverManagerOf:
			return lifecycle.IdentityReference(managers[holder.ID]), nil
		case lifecycle.ApproverSourceOwner:
			return lifecycle.IdentityReference(owner), nil
		}
		return lifecycle.Reference{}, nil
	}
	manager, gone, source := lifecycle.ApproverRule{Type: lifecycle.ApproverManagerOf},
		lifecycle.ApproverRule{Type: lifecycle.ApproverIdentity, ID: lifecycle.NewID()}, lifecycle.ApproverRule{Type: lifecycle.ApproverSourceOwner}
	p := lifecycle.ApprovalPolicy{
		Reminder: lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 2, Schedule: "@every 48h", Max: 2},
		Timeout:  lifecycle.TimeoutConfig{Enabled: true, Days: 10, Result: lifecycle.TimeoutApproved},
	}
	escalating := func(chain ...lifecycle.ApproverRule) lifecycle.ApprovalPolicy {
		e := p
		e.Escalation = lifecycle.EscalationConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 72h", Chain: chain}
		return e
	}
	falling := func(p lifecycle.ApprovalPolicy, to *lifecycle.ApproverRule) lifecycle.ApprovalPolicy {
		p.Fallback = to
		return p
	}
	for name, c := range map[string]struct {
		policy lifecycle.ApprovalPolicy
		change func(*lifecycle.Standing)
		want   []string
	}{
		"reminders, and the end": {p, nil, []string{"reminder on day 2 to ann", "reminder on day 4 to ann", "timeout on day 10 is APPROVED"}},
		"what was is not told again": {p, func(s *lifecycle.Standing) { s.Waiting.Reminders = 1 },
			[]string{"reminder on day 4 to ann", "timeout on day 10 is APPROVED"}},
		"nobody to answer for it": {p, func(s *lifecycle.Standing) { s.Owned, s.Waiting.Reminders = false, 2 },
			[]string{"timeout on day 10 is EXPIRED"}},
		"the manager, and theirs": {escalating(manager, manager), nil, []string{
			"reminder on day 2 to ann", "escalation on day 3 to ben", "reminder on day 5 to ben", "escalation on day 6 to cleo",
			"reminder on day 8 to cleo", "timeout on day 10 is APPROVED",
		}},
		"who is gone is passed over": {escalating(gone, source), nil, []string{
			"reminder on day 2 to ann", "escalation on day 3 to owner", "reminder on day 5 to owner", "reminder on day 7 to owner", "timeout on day 10 is APPROVED",
		}},
		"nobody at all": {escalating(gone), nil, []string{
			"reminder on day 2 to ann", "escalation on day 3", "reminder on day 4 to ann", "timeout on day 10 is APPROVED",
		}},
		"nobody is left, and none to fall back to": {p, func(s *lifecycle.Standing) { s.HolderGone = true }, []string{"fallback on day 1 is CANCELLED"}},
		"nobody is left but the chain": {falling(escalating(manager), &gone), func(s *lifecycle.Standing) { s.HolderGone = true }, []string{
			"fallback on day 1 to ben", "reminder on day 3 to ben", "reminder on day 5 to ben", "timeout on day 10 is APPROVED",
		}},
		"nobody is left but the fallback": {falling(escalating(manager), &source), func(s *lifecycle.Standing) { s.HolderGone = true }, []string{
			"fallback on day 1 to owner", "escalation on day 3", "reminder on day 3 to owner", "reminder on day 5 to owner", "timeout on day 10 is APPROVED",
		}},
		"no policy":   {p, func(s *lifecycle.Standing) { s.Policy = nil }, nil},
		"none waits":  {p, func(s *lifecycle.Standing) { s.Stage = 0 }, nil},
		"no time-out": {lifecycle.ApprovalPolicy{}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := standingOf(c.policy, ann)
			if c.change != nil {
				c.change(&s)
			}
			coming, err := s.Foresee(day, pending.Add(day), find)
			require.NoError(t, err)
			require.Equal(t, c.want, told(t, coming, names))
		})
	}
	broken := errors.New("broken")
	for _, isGone := range []bool{false, true} {
		s := standingOf(escalating(manager), ann)
		s.HolderGone = isGone
		_, err := s.Foresee(day, pending, func(lifecycle.ApproverRule, lifecycle.Reference) (lifecycle.Reference, error) {
			return lifecycle.Reference{}, broken
		})
		require.Equal(t, broken, err)
	}
}

// TestWhatIsComingIsWhatFallsDue: taken one by one, the steps are those that the
// policy says are next, in their order, and there is an end to them.
func TestWhatIsComingIsWhatFallsDue(t *testing.T) {
	t.Parallel()
	everybody := func(lifecycle.ApproverRule, lifecycle.Reference) (lifecycle.Reference, error) {
		return lifecycle.IdentityReference(lifecycle.NewID()), nil
	}
	p := lifecycle.ApprovalPolicy{
		Reminder:   lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 1, Schedule: "@every 1h", Max: lifecycle.MaxReminders},
		Escalation: lifecycle.EscalationConfig{Enabled: true, DaysUntilFirst: 2, Schedule: "30 7 * * mon-fri", Chain: make([]lifecycle.ApproverRule, lifecycle.MaxEscalations)},
		Timeout:    lifecycle.TimeoutConfig{Enabled: true, Days: 90, Result: lifecycle.TimeoutExpired},
		Calendar:   &lifecycle.WorkCalendar{Workdays: []string{"MONDAY", "WEDNESDAY", "FRIDAY"}, Holidays: []string{"2026-03-09"}},
	}
	s := standingOf(p, lifecycle.NewID())
	coming, err := s.Foresee(day, pending, everybody)
	require.NoError(t, err)
	w := s.Waiting
	for i, c := range coming {
		next := p.Next(w, day)
		require.Equal(t, next.Step, c.Step, i)
		require.Equal(t, next.At, c.At, i)
		if i > 0 {
			require.False(t, c.At.Before(coming[i-1].At), i)
		}
		switch c.Step {
		case lifecycle.StepReminder:
			w.Reminders++
		case lifecycle.StepEscalation:
			w.Escalations++
			w.AssignedSince, w.Reminders = c.At, 0
		case lifecycle.StepTimeout, lifecycle.StepFallback:
			require.Equal(t, len(coming)-1, i, "nothing is behind the end")
		}
	}
	require.Equal(t, lifecycle.ComingExpired, coming[len(coming)-1].Result)
	require.LessOrEqual(t, len(coming), (lifecycle.MaxReminders+1)*(lifecycle.MaxEscalations+1))
	require.Equal(t, lifecycle.MaxEscalations, w.Escalations)
}
