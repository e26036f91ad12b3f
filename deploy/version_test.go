package deploy_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// minor is the second number of a release such as 0.6.
func minor(t *testing.T, release string) int {
	t.Helper()
	after, found := strings.CutPrefix(release, "0.")
	require.True(t, found, release)
	number, err := strconv.Atoi(after)
	require.NoError(t, err, release)
	return number
}

// TestImageAndChartAreOfOneRelease: the last one or the one to come.
func TestImageAndChartAreOfOneRelease(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("helm/gatehouse/Chart.yaml")
	require.NoError(t, err)
	var chart struct {
		Version    string `yaml:"version"`
		AppVersion string `yaml:"appVersion"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &chart))
	require.Equal(t, chart.AppVersion, readDockerfile(t, "Dockerfile").version)
	require.True(t, strings.HasPrefix(chart.Version, chart.AppVersion+"."), chart.Version)
	released, err := os.ReadDir("../store/testdata/released")
	require.NoError(t, err)
	last := 0
	for _, entry := range released {
		last = max(last, minor(t, entry.Name()))
	}
	require.Contains(t, []int{last, last + 1}, minor(t, chart.AppVersion))
}
