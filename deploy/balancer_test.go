package deploy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// directives returns what follows word on the lines of HAProxy's configuration that
// begin with it.
func directives(t *testing.T, word string) []string {
	t.Helper()
	raw, err := os.ReadFile("balancer/haproxy.cfg")
	require.NoError(t, err)
	var found []string
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), word+" "); ok {
			found = append(found, rest)
		}
	}
	return found
}

// TestTheBalancerRepeatsNoCallThatMayHaveBeenCarriedOut: of all that it can try
// again after, a connection that never was is the only thing that says so.
func TestTheBalancerRepeatsNoCallThatMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"conn-failure"}, directives(t, "retry-on"))
}

func TestTheBalancerWaitsForTheSlowestAnswer(t *testing.T) {
	t.Parallel()
	settings, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	bound := regexp.MustCompile("`GATEHOUSE_DECISION_TIMEOUT` \\|.*? to (\\S+) \\|").FindSubmatch(settings)
	require.NotNil(t, bound)
	longest, err := time.ParseDuration(string(bound[1]))
	require.NoError(t, err)
	for _, side := range []string{"timeout server", "timeout client"} {
		set := directives(t, side)
		require.Len(t, set, 1, side)
		limit, err := time.ParseDuration(set[0])
		require.NoError(t, err)
		require.Greater(t, limit, longest, side)
	}
}
