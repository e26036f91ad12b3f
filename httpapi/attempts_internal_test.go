package httpapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheBudgetOfAttempts(t *testing.T) {
	t.Parallel()
	var budget attemptBudget
	minute := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	take := budget.take
	for i := range attemptsPerCaller {
		_, ok := take("one", minute.Add(time.Duration(i)*time.Second))
		require.True(t, ok)
	}
	for range 3 {
		_, ok := take("one", minute.Add(59*time.Second))
		require.False(t, ok)
	}
	unrecorded, ok := take("another", minute.Add(59*time.Second))
	require.True(t, ok, "nobody spends the budget of another")
	require.Equal(t, 3, unrecorded)
	unrecorded, ok = take("one", minute.Add(time.Minute))
	require.True(t, ok)
	require.Zero(t, unrecorded)

	// Many callers have one budget together, and no more is remembered of them.
	for i := range 10 * attemptsPerMinute {
		take(fmt.Sprint(i), minute.Add(time.Hour))
	}
	require.Len(t, budget.of, attemptsPerMinute)
	unrecorded, ok = take("one", minute.Add(2*time.Hour))
	require.True(t, ok)
	require.Equal(t, 9*attemptsPerMinute, unrecorded)
}
