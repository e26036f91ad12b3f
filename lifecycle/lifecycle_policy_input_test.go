package lifecycle_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestALifecyclePolicyIsJudgedAndNormalised(t *testing.T) {
	t.Parallel()
	p, faults := lifecycle.LifecyclePolicyInput{
		Warnings: []lifecycle.WarningInput{
			{Days: new(1), To: []string{"OWNER", "MANAGER", "OWNER"}}, {Days: new(365), To: []string{"ACCOUNT_MANAGERS"}},
		},
		Action: new(" REMOVE "), GraceDays: new(14), Approval: new("NONE"),
	}.Judge()
	require.NoError(t, faults.Err())
	require.Equal(t, lifecycle.LifecyclePolicy{
		Warnings: []lifecycle.Warning{
			{Days: 365, To: []lifecycle.WarnedRole{lifecycle.WarnAccountManagers}},
			{Days: 1, To: []lifecycle.WarnedRole{lifecycle.WarnManager, lifecycle.WarnOwner}},
		},
		End:       lifecycle.EndPolicy{Action: lifecycle.EndRemove, GraceDays: 14},
		Extension: lifecycle.ExtensionPolicy{Approval: lifecycle.ExtensionApprovalNone},
	}, p)

	p, faults = lifecycle.LifecyclePolicyInput{Warnings: []lifecycle.WarningInput{}, Approval: new("")}.Judge()
	require.NoError(t, faults.Err())
	want := lifecycle.DefaultLifecyclePolicy()
	want.Warnings = []lifecycle.Warning{}
	require.Equal(t, want, p)
}

func TestEveryFaultOfALifecyclePolicyIsTold(t *testing.T) {
	t.Parallel()
	var read lifecycle.Faults
	read.Add(lifecycle.KindIllegalValue, "end.graceDays", "end.graceDays must be a whole number")
	none := []lifecycle.WarningInput{}
	for _, c := range []struct {
		in   lifecycle.LifecyclePolicyInput
		want []string
	}{
		{lifecycle.LifecyclePolicyInput{}, []string{"warnings is required"}},
		{lifecycle.LifecyclePolicyInput{
			Warnings: []lifecycle.WarningInput{
				{}, {Days: new(366), To: []string{"OWNER", "owner"}}, {Days: new(7), To: []string{"OWNER"}}, {Days: new(7), To: []string{"OWNER"}},
			},
			Action: new("DELETE"), Approval: new("MAYBE"), GraceDays: new(366),
		}, []string{
			`end.action must be NONE, SUSPEND or REMOVE; not "DELETE"`, `extension.approval must be REQUIRED or NONE; not "MAYBE"`,
			"warnings[0].days is required", "warnings[0].to is required", "warnings[1].days must be from 1 to 365",
			`warnings[1].to[1] must be ACCOUNT_MANAGERS, MANAGER or OWNER; not "owner"`, "warnings[3].days is 7, as that of another warning",
			"end.graceDays must be from 0 to 365",
		}},
		{lifecycle.LifecyclePolicyInput{Warnings: make([]lifecycle.WarningInput, 11)}, []string{"warnings must not have more than 10 elements"}},
		{lifecycle.LifecyclePolicyInput{Warnings: none, Action: new("REMOVE")}, []string{"end.graceDays must be from 1 to 365"}},
		{lifecycle.LifecyclePolicyInput{Warnings: none, GraceDays: new(-1)}, []string{"end.graceDays must be from 0 to 365"}},
		{lifecycle.LifecyclePolicyInput{Faults: read, Action: new("REMOVE")}, []string{"end.graceDays must be a whole number", "warnings is required"}},
	} {
		_, faults := c.in.Judge()
		require.Error(t, faults.Err())
		var told []string
		for _, fault := range faults {
			_, text, _ := strings.Cut(fault.Error(), ": ")
			told = append(told, strings.TrimSuffix(text, ";"))
		}
		require.Equal(t, c.want, told)
	}
}

// TestWhatIsJudgedGoodIsALadder: made-up policies that are taken have their rungs in
// order, each once, and within the bounds of the rungs that rows keep.
func TestWhatIsJudgedGoodIsALadder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 28)) //nolint:gosec // the same at every run
	roles := []string{"ACCOUNT_MANAGERS", "MANAGER", "OWNER", "nobody"}
	good := 0
	for range 5_000 {
		in := lifecycle.LifecyclePolicyInput{Warnings: []lifecycle.WarningInput{}, GraceDays: new(random.IntN(370) - 2)}
		for range random.IntN(6) {
			in.Warnings = append(in.Warnings, lifecycle.WarningInput{Days: new(random.IntN(400) - 5), To: roles[random.IntN(3) : 3+random.IntN(20)/19]})
		}
		p, faults := in.Judge()
		if faults.Err() != nil {
			continue
		}
		good++
		last := lifecycle.RungNone
		for _, warning := range p.Warnings {
			require.Less(t, warning.Days, last)
			require.Greater(t, warning.Days, lifecycle.RungEnd)
			require.NotEmpty(t, warning.To)
			last = warning.Days
		}
	}
	require.Greater(t, good, 1_000)
}
