package lifecycle_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

const oneDay = 24 * time.Hour

// policyOf has warnings so many days before the end, in their order.
func policyOf(action lifecycle.EndAction, grace int, since time.Time, days ...int) lifecycle.PolicyInForce {
	p := lifecycle.PolicyInForce{EndSince: since}
	for _, d := range days {
		p.Warnings = append(p.Warnings, lifecycle.Warning{Days: d, To: []lifecycle.WarnedRole{lifecycle.WarnOwner}})
	}
	p.End = lifecycle.EndPolicy{Action: action, GraceDays: grace}
	return p
}

func TestTheRungsOfALadder(t *testing.T) {
	t.Parallel()
	at := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	long := at.Add(-100 * oneDay)
	for name, c := range map[string]struct {
		policy lifecycle.PolicyInForce
		told   int
		want   []int
	}{
		"the default":                      {policyOf(lifecycle.EndNone, 0, long, 30, 14, 7, 1), lifecycle.RungNone, []int{30, 14, 7, 1, 0}},
		"half-way":                         {policyOf(lifecycle.EndNone, 0, long, 30, 14, 7, 1), 14, []int{7, 1, 0}},
		"told of a rung that is gone":      {policyOf(lifecycle.EndNone, 0, long, 30, 14, 7, 1), 10, []int{7, 1, 0}},
		"without warnings":                 {policyOf(lifecycle.EndNone, 0, long), lifecycle.RungNone, []int{0}},
		"the end is told":                  {policyOf(lifecycle.EndNone, 0, long, 30), lifecycle.RungEnd, nil},
		"suspending":                       {policyOf(lifecycle.EndSuspend, 5, long, 30), lifecycle.RungNone, []int{30, 0, -1}},
		"suspending after the end":         {policyOf(lifecycle.EndSuspend, 5, long, 30), lifecycle.RungEnd, []int{-1}},
		"suspended":                        {policyOf(lifecycle.EndSuspend, 5, long, 30), lifecycle.RungSuspended, nil},
		"suspending for less than grace":   {policyOf(lifecycle.EndSuspend, 5, at.Add(-5*oneDay+1), 30), lifecycle.RungEnd, nil},
		"suspending for as long as grace":  {policyOf(lifecycle.EndSuspend, 5, at.Add(-5*oneDay), 30), lifecycle.RungEnd, []int{-1}},
		"removing, but not before the end": {policyOf(lifecycle.EndRemove, 5, long, 30), 30, []int{0}},
		"removing":                         {policyOf(lifecycle.EndRemove, 5, long, 30), lifecycle.RungEnd, []int{-2}},
		"removing what was suspended":      {policyOf(lifecycle.EndRemove, 5, long, 30), lifecycle.RungSuspended, []int{-2}},
	} {
		rungs := c.policy.RungsBelow(c.told, at, oneDay)
		var got []int
		for i, rung := range rungs {
			got = append(got, rung.Days)
			if i > 0 {
				require.False(t, rung.Until.After(rungs[i-1].Until), name)
			}
		}
		require.Equal(t, c.want, got, name)
	}
}

// ladderCase makes a policy and a record up.
func ladderCase(random *rand.Rand) (p lifecycle.PolicyInForce, end, at time.Time) {
	at = time.Unix(1_800_000_000, 0).UTC()
	var days []int
	for range random.IntN(lifecycle.MaxWarnings + 1) {
		days = append(days, 1+random.IntN(lifecycle.MaxLifecycleDays))
	}
	slices.Sort(days)
	days = slices.Compact(days)
	slices.Reverse(days)
	actions := []lifecycle.EndAction{lifecycle.EndNone, lifecycle.EndSuspend, lifecycle.EndRemove}
	grace := 1 + random.IntN(20)
	p = policyOf(actions[random.IntN(3)], grace, at.Add(-time.Duration(random.IntN(40*24))*time.Hour), days...)
	return p, at.Add(time.Duration(random.IntN(800*24)-400*24) * time.Hour), at
}

// TestALadderIsGoneDownToItsEnd: whatever the policy and however rarely anybody
// looks, no rung comes twice or after one that is nearer to the end, nothing waits
// for what is reached, and what is due since then was not due before.
func TestALadderIsGoneDownToItsEnd(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 12)) //nolint:gosec // the same at every run
	for range 2_000 {
		p, end, at := ladderCase(random)
		told := lifecycle.RungNone
		for range 400 {
			rungs := p.RungsBelow(told, at, oneDay)
			reached, ok := lifecycle.Reached(rungs, end)
			since, due := p.DueSince(told, end, at, oneDay)
			require.Equal(t, ok, due, "found by its first rung, taken to its last")
			if ok {
				require.Less(t, reached, told)
				require.False(t, since.After(at))
				_, before := p.DueSince(told, end, since.Add(-1), oneDay)
				require.False(t, before, "it is due since then")
				told = reached
				_, again := lifecycle.Reached(p.RungsBelow(told, at, oneDay), end)
				require.True(t, !again || told == lifecycle.RungEnd && p.End.Action == lifecycle.EndRemove)
			}
			if next := p.NextWarning(told, end, at, oneDay); !next.IsZero() {
				require.True(t, next.After(at), "nothing is left that is due")
				require.True(t, next.Before(end))
			}
			at = at.Add(time.Duration(1+random.IntN(200)) * time.Hour)
			if told == lifecycle.RungRemoved {
				break
			}
		}
		want := map[lifecycle.EndAction]int{
			lifecycle.EndNone: lifecycle.RungEnd, lifecycle.EndSuspend: lifecycle.RungSuspended, lifecycle.EndRemove: lifecycle.RungRemoved,
		}[p.End.Action]
		require.Equal(t, want, told)
		require.Zero(t, p.ActionDue(told, end, oneDay))
	}
}

func TestWhoIsToldOfARung(t *testing.T) {
	t.Parallel()
	p := policyOf(lifecycle.EndSuspend, 0, time.Time{}, 30, 7)
	require.Equal(t, []lifecycle.WarnedRole{lifecycle.WarnOwner}, p.Audience(7))
	for _, rung := range []int{lifecycle.RungEnd, lifecycle.RungSuspended, lifecycle.RungRemoved} {
		require.Equal(t, []lifecycle.WarnedRole{lifecycle.WarnAccountManagers, lifecycle.WarnManager}, p.Audience(rung))
	}
}

func TestAdvancesAddUp(t *testing.T) {
	t.Parallel()
	one := lifecycle.Advance{Begun: 1, Warned: 2, Expired: 3, Suspended: 4, Removed: 5}
	require.Equal(t, 15, one.Total())
	require.Equal(t, lifecycle.Advance{Begun: 2, Warned: 4, Expired: 6, Suspended: 8, Removed: 10}, one.Add(one))
}
