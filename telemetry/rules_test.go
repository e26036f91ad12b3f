package telemetry

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	rulesFile      = "../deploy/prometheus/alerts.yml"
	rulesTestFile  = "../deploy/prometheus/alerts_test.yml"
	dashboardFile  = "../deploy/grafana/dashboards/gatehouse.json"
	datasourceFile = "../deploy/grafana/provisioning/datasources/prometheus.yml"
	runbooks       = "../docs/runbooks"
)

// rule is one rule of Prometheus.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func readRules(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	readYAML(t, rulesFile, &file)
	var rules []rule
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	require.NotEmpty(t, rules)
	return rules
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, into), path)
}

// sdkMetrics are those of the Temporal SDK that queries may name, as its
// documentation lists them, with the ends that TemporalHandler gives them.
var sdkMetrics = []string{
	"temporal_workflow_task_execution_failed_total", "temporal_request_failure_total", "temporal_request_resource_exhausted_total",
	"temporal_workflow_task_schedule_to_start_latency_seconds_bucket", "temporal_activity_schedule_to_start_latency_seconds_bucket",
}

// existing are all names that a query may have.
func existing(t *testing.T) map[string]bool {
	t.Helper()
	families, err := used(t).registry.Gather()
	require.NoError(t, err)
	// up is made by Prometheus.
	names := map[string]bool{"up": true}
	for _, family := range families {
		name := family.GetName()
		names[name] = true
		if family.GetMetric()[0].GetHistogram() != nil {
			names[name+"_bucket"], names[name+"_count"], names[name+"_sum"] = true, true, true
		}
	}
	for _, name := range sdkMetrics {
		names[name] = true
	}
	for _, r := range readRules(t) {
		if r.Record != "" {
			names[r.Record] = true
		}
	}
	return names
}

var (
	// texts and notNames are the parts of a query that hold no metric: selectors,
	// ranges, and labels to group by.
	texts    = regexp.MustCompile(`"[^"]*"`)
	notNames = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]|\b(by|without|on) ?\([^)]*\)`)
	words    = regexp.MustCompile(`[A-Za-z_:][A-Za-z0-9_:]*(\s*\()?`)
	// operators are words that are no names either.
	operators = map[string]bool{"and": true, "or": true, "unless": true}
)

// namesIn returns the metrics that a query names.
func namesIn(query string) []string {
	var names []string
	// Texts first, since they may hold brackets.
	query = texts.ReplaceAllString(query, "")
	for _, word := range words.FindAllString(notNames.ReplaceAllString(query, " "), -1) {
		if !strings.HasSuffix(word, "(") && !operators[word] {
			names = append(names, word)
		}
	}
	return names
}

func TestNamesAreFoundInQueries(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a_total", "b:c", "d"},
		namesIn(`topk(10, sum by (code, le) (rate(a_total{x=~"y|{z}"}[$__rate_interval]))) / b:c > 0 or absent(d{e="f g"}) * 2`))
}

// TestFiguresOfCallsAreOfClients: balancers ask so often that what fails would
// vanish beside it, and what is slow.
func TestFiguresOfCallsAreOfClients(t *testing.T) {
	t.Parallel()
	board, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	queries := []string{strings.ReplaceAll(string(board), `\"`, `"`)}
	for _, r := range readRules(t) {
		queries = append(queries, r.Expr)
	}
	calls := regexp.MustCompile(`gatehouse_http_request_duration_seconds\w*(\{[^}]*\})?`)
	found := calls.FindAllString(strings.Join(queries, "\n"), -1)
	require.NotEmpty(t, found)
	for _, query := range found {
		require.Contains(t, query, `route!~"/healthz|/readyz"`)
	}
}

func TestEveryRuleNamesMetricsThatExist(t *testing.T) {
	t.Parallel()
	names := existing(t)
	for _, r := range readRules(t) {
		found := namesIn(r.Expr)
		require.NotEmpty(t, found, r.Expr)
		for _, name := range found {
			require.True(t, names[name], "%s%s names %s", r.Alert, r.Record, name)
		}
	}
}

// TestEveryAlertHasItsPage: with what whoever is woken needs, and every page its
// alert; and both of its sides are tried.
func TestEveryAlertHasItsPage(t *testing.T) {
	t.Parallel()
	tests, err := os.ReadFile(rulesTestFile)
	require.NoError(t, err)
	var pages []string
	for _, r := range readRules(t) {
		if r.Alert == "" {
			continue
		}
		require.NotEmpty(t, r.For, r.Alert)
		require.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.Equal(t, "docs/runbooks/"+r.Alert+".md", r.Annotations["runbook_url"])
		page := r.Alert + ".md"
		pages = append(pages, page)
		text, err := os.ReadFile(filepath.Join(runbooks, page))
		require.NoError(t, err)
		for _, heading := range []string{
			"# " + r.Alert + "\n", "\n## What it means\n", "\n## How to look\n", "\n## How to mend\n", "\n## How to see that it is over\n",
		} {
			require.Contains(t, string(text), heading, page)
		}
		require.Contains(t, string(tests), "name: "+r.Alert+" fires\n")
		require.Contains(t, string(tests), "name: "+r.Alert+" stays silent\n")
	}
	entries, err := os.ReadDir(runbooks)
	require.NoError(t, err)
	var there []string
	for _, entry := range entries {
		if entry.Name() != "README.md" {
			there = append(there, entry.Name())
		}
	}
	require.ElementsMatch(t, pages, there)
	index, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	require.NoError(t, err)
	for _, page := range pages {
		require.Contains(t, string(index), "("+page+")")
	}
}

func TestTheDashboardNamesMetricsThatExist(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var board struct {
		UID    string
		Panels []struct {
			ID         int
			Title      string
			Type       string
			Datasource struct{ UID string }
			Targets    []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &board))
	var sources struct {
		Datasources []struct{ UID string }
	}
	readYAML(t, datasourceFile, &sources)
	names, ids, shown := existing(t), map[int]bool{}, map[string]bool{}
	for _, panel := range board.Panels {
		require.False(t, ids[panel.ID], panel.Title)
		ids[panel.ID] = true
		if panel.Type == "row" {
			continue
		}
		require.Equal(t, sources.Datasources[0].UID, panel.Datasource.UID, panel.Title)
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			found := namesIn(target.Expr)
			require.NotEmpty(t, found, target.Expr)
			for _, name := range found {
				require.True(t, names[name], "%s names %s", panel.Title, name)
				shown[name] = true
			}
		}
	}
	for _, r := range readRules(t) {
		for _, name := range namesIn(r.Expr) {
			if r.Alert != "" && name != "up" && name != "gatehouse_build_info" && !strings.HasPrefix(name, "gatehouse:") {
				require.True(t, shown[name], "%s alerts on %s, which the dashboard does not show", r.Alert, name)
			}
		}
	}
}
