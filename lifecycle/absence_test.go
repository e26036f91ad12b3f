package lifecycle_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// people are as many ids.
func people(n int) []lifecycle.ID {
	ids := make([]lifecycle.ID, n)
	for i := range ids {
		ids[i] = lifecycle.NewID()
	}
	return ids
}

func TestWhoDecidesForWhoIsAway(t *testing.T) {
	t.Parallel()
	p := people(lifecycle.MaxDeputies + 2)
	chain := func(length int) map[lifecycle.ID]lifecycle.ID {
		deputies := map[lifecycle.ID]lifecycle.ID{}
		for i := range length {
			deputies[p[i]] = p[i+1]
		}
		return deputies
	}
	for name, c := range map[string]struct {
		deputies map[lifecycle.ID]lifecycle.ID
		unable   lifecycle.ID
		want     lifecycle.ID
	}{
		"nobody is away":                    {nil, lifecycle.ID{}, p[0]},
		"somebody else is":                  {map[lifecycle.ID]lifecycle.ID{p[1]: p[2]}, lifecycle.ID{}, p[0]},
		"a deputy":                          {chain(1), lifecycle.ID{}, p[1]},
		"the deputy's deputy":               {chain(2), lifecycle.ID{}, p[2]},
		"one on the way may not":            {chain(2), p[1], p[2]},
		"the last may not":                  {chain(2), p[2], p[0]},
		"the only one may not":              {chain(1), p[1], p[0]},
		"as many as there may be":           {chain(lifecycle.MaxDeputies), lifecycle.ID{}, p[lifecycle.MaxDeputies]},
		"one more":                          {chain(lifecycle.MaxDeputies + 1), lifecycle.ID{}, p[0]},
		"each other's":                      {map[lifecycle.ID]lifecycle.ID{p[0]: p[1], p[1]: p[0]}, lifecycle.ID{}, p[0]},
		"a circle behind the first":         {map[lifecycle.ID]lifecycle.ID{p[0]: p[1], p[1]: p[2], p[2]: p[1]}, lifecycle.ID{}, p[0]},
		"a circle of the last with himself": {map[lifecycle.ID]lifecycle.ID{p[0]: p[1], p[1]: p[1]}, lifecycle.ID{}, p[0]},
	} {
		got := lifecycle.DeputyOf(p[0], c.deputies, func(id lifecycle.ID) bool { return id != c.unable })
		require.Equal(t, c.want, got, name)
	}
}

// TestADeputyIsThereAndMayOrItStays holds what must be so of any deputies.
func TestADeputyIsThereAndMayOrItStays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test repeats what it did
		p := people(2 + random.IntN(20))
		deputies, able := map[lifecycle.ID]lifecycle.ID{}, map[lifecycle.ID]bool{}
		for _, person := range p {
			able[person] = random.IntN(4) > 0
			if random.IntN(3) > 0 {
				deputies[person] = p[random.IntN(len(p))]
			}
		}
		got := lifecycle.DeputyOf(p[0], deputies, func(id lifecycle.ID) bool { return able[id] })
		if got != p[0] {
			require.True(t, able[got], "seed %d: who decides may", seed)
			require.NotContains(t, deputies, got, "seed %d: who decides is there", seed)
			steps := 0
			for at := p[0]; at != got; at = deputies[at] {
				steps++
				require.LessOrEqual(t, steps, lifecycle.MaxDeputies, "seed %d: they are on the way", seed)
			}
			continue
		}
		// It stays where the way ends in nobody who may, or in nobody.
		at, steps := p[0], 0
		for deputies[at] != (lifecycle.ID{}) && steps <= lifecycle.MaxDeputies {
			at, steps = deputies[at], steps+1
		}
		ended := deputies[at] == (lifecycle.ID{}) && steps <= lifecycle.MaxDeputies
		require.False(t, at != p[0] && ended && able[at], "seed %d: it went by somebody who could decide", seed)
	}
}

func TestWhenTheItemsOfAnAbsenceAreLookedThrough(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	a := lifecycle.Absence{Start: start, End: start.Add(time.Hour)}
	short := lifecycle.Absence{Start: start, End: start.Add(10 * time.Second)}
	margin := lifecycle.AbsenceMargin
	for name, c := range map[string]struct {
		of           lifecycle.Absence
		looked, want time.Time
	}{
		"never":                      {a, time.Time{}, a.Start},
		"at the beginning":           {a, a.Start, a.Start.Add(margin)},
		"in between":                 {a, a.Start.Add(margin), a.End},
		"at the end":                 {a, a.End, a.End.Add(margin)},
		"after the end":              {a, a.End.Add(margin - 1), a.End.Add(margin)},
		"for the last time":          {a, a.End.Add(margin), time.Time{}},
		"much later":                 {a, a.End.Add(100 * time.Hour), time.Time{}},
		"a short one, never":         {short, time.Time{}, short.Start},
		"a short one, begun":         {short, short.Start, short.End},
		"a short one, at the end":    {short, short.End, short.End.Add(margin)},
		"a short one, after the end": {short, short.End.Add(margin), time.Time{}},
	} {
		require.Equal(t, c.want, c.of.NextLook(c.looked), name)
	}
	require.False(t, a.Begun(start.Add(-1)))
	require.True(t, a.Begun(start))
	require.False(t, a.Over(a.End.Add(-1)))
	require.True(t, a.Over(a.End))
}

func TestAnAbsenceIsJudged(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	self, deputy := lifecycle.NewID(), lifecycle.NewID()
	judge := func(in lifecycle.AbsenceInput) (lifecycle.Absence, error) {
		a, faults := in.Judge(self, now)
		return a, faults.Err()
	}
	got, err := judge(lifecycle.AbsenceInput{Deputy: new(deputy.String()), Start: new("2026-03-05"), End: new("2026-03-19T17:00:00+01:00")})
	require.NoError(t, err)
	require.Equal(t, lifecycle.Absence{
		Identity: self, Deputy: deputy, Start: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 3, 19, 16, 0, 0, 0, time.UTC),
	}, got)
	for name, in := range map[string]lifecycle.AbsenceInput{
		"no start":     {Deputy: new(deputy.String()), End: new("2026-03-19")},
		"a past start": {Deputy: new(deputy.String()), Start: new("2026-03-02"), End: new("2027-03-02T08:00:00Z")},
	} {
		got, err := judge(in)
		require.NoError(t, err, name)
		require.Equal(t, now, got.Start, name)
	}
	for want, in := range map[string]lifecycle.AbsenceInput{
		"required: deputy is required; endDate is required;": {},
		"bad_request: deputy must be a UUID;":                {Deputy: new("x"), End: new("2026-03-19")},
		"illegal_value: deputy must be somebody else;":       {Deputy: new(self.String()), End: new("2026-03-19")},
		"illegal_value: endDate must be after startDate, and to come;": {
			Deputy: new(deputy.String()), Start: new("2026-03-20"), End: new("2026-03-20"),
		},
		"illegal_value: endDate must be at most 1 year after startDate;": {Deputy: new(deputy.String()), End: new("2027-03-02T08:00:00.001Z")},
	} {
		_, err := judge(in)
		require.EqualError(t, err, want)
	}
	_, err = judge(lifecycle.AbsenceInput{Deputy: new(deputy.String()), Start: new("2020-01-01"), End: new("2020-02-01")})
	require.ErrorContains(t, err, "and to come", "an absence that is over is none")
	_, err = judge(lifecycle.AbsenceInput{Deputy: new(deputy.String()), Start: new("soon"), End: new("later")})
	require.ErrorContains(t, err, "startDate must be a date")
	require.ErrorContains(t, err, "endDate must be a date")
}
