package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	chart    = "../../deploy/helm/gatehouse"
	settings = "../../docs/configuration.md"
)

func TestTheChartKeepsEveryRule(t *testing.T) {
	if err := check(chart, settings); err != nil {
		t.Fatal(err)
	}
}

// broken copies the chart with one text replaced in one file.
func broken(t *testing.T, file, old, text string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "gatehouse")
	for _, pattern := range []string{"*", "*/*"} {
		paths, err := filepath.Glob(filepath.Join(chart, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				continue
			}
			name, _ := filepath.Rel(chart, path)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if name == file {
				if !strings.Contains(string(raw), old) {
					t.Fatalf("%q is not in %s", old, file)
				}
				raw = []byte(strings.Replace(string(raw), old, text, 1))
			}
			to := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestEveryRuleFindsWhatBreaksIt(t *testing.T) {
	const programs, helpers = "templates/programs.yaml", "templates/_helpers.tpl"
	for _, rule := range []struct{ file, old, text, fault string }{
		{programs, "add (mul 2 $.Values.shutdownSeconds) 10", "add $.Values.shutdownSeconds 10", "Deployment gatehouse-worker: it is killed before it has stopped, which takes up to 40s"},
		{programs, "add $.Values.shutdownSeconds $values.preStopSeconds 10", "add $.Values.shutdownSeconds 5", "with all-values.yaml: Deployment gatehouse-api: it is killed before it has stopped"},
		{programs, "preStop: {sleep: {seconds: {{ $values.preStopSeconds }}}}", "{}", "it stops while balancers still send calls"},
		{programs, "GATEHOUSE_ISSUER", "GATEHOUSE_ISSUERS", "GATEHOUSE_ISSUERS is no setting"},
		{programs, `value: ":9465"`, `value: ":9466"`, "GATEHOUSE_WORKER_METRICS_ADDRESS and the port metrics differ"},
		{programs, "httpGet: {path: /healthz, port: http}", "httpGet: {path: /health, port: http}", "the readiness probe asks for /health"},
		{programs, "httpGet: {path: /readyz, port: metrics}", "httpGet: {path: /readyz, port: admin}", "the readiness probe asks at port admin"},
		{programs, "targetPort: metrics", "targetPort: metric", "Service gatehouse-api-metrics: there is no port metric"},
		{programs, "  clusterIP: None\n", "", "it shows the metrics to clients"},
		{programs, "      {{- include \"gatehouse.placement\" $of | nindent 6 }}\n", "", "its pods may all be on one machine"},
		{programs, "  {{- if not $values.autoscaling.enabled }}\n  replicas: {{ $values.replicas }}\n  {{- end }}", "  replicas: 1", "its replicas are set by both"},
		{programs, "maxSurge: 1", "maxSurges: 1", "unknown field"},
		{programs, "minReplicas: {{ $values.autoscaling.min }}", "minReplicas: 99", "min is more than max"},
		{"templates/service.yaml", "targetPort: http", "targetPort: metrics", "Service gatehouse: it shows the metrics to clients"},
		{"templates/service.yaml", `"part" "api"`, `"part" "apis"`, "Service gatehouse: it selects the pods of 0 deployments"},
		{"templates/service.yaml", "metadata:\n  name: {{ include \"gatehouse.serviceAccount\" . }}", "metadata:\n  annotations: {helm.sh/hook: pre-install}\n  name: {{ include \"gatehouse.serviceAccount\" . }}", "ServiceAccount gatehouse: it is made anew at each upgrade"},
		{helpers, "{{- with .Values.serviceAccount.name }}\nserviceAccountName: {{ . }}\n{{- end }}", "serviceAccountName: {{ include \"gatehouse.serviceAccount\" . }}", "Job gatehouse-migrate: its account gatehouse is not there yet"},
		{"templates/migrate.yaml", `get .Values.settings "GATEHOUSE_WORKER_DEPLOYMENT"`, "false", "Deployment gatehouse-worker: no job has Temporal hand tasks to the build 1.2.3"},
		{"templates/migrate.yaml", "post-install,post-upgrade,post-rollback", "post-install", "Job gatehouse-deployment: it does not go after the pods"},
		{"templates/NOTES.txt", "-api -- admin", " -- admin", "NOTES.txt: "},
		{"templates/NOTES.txt", "kubectl exec -n", "kubectl run -n", "is run in no pod of the chart"},
		{"templates/migrate.yaml", "pre-install,pre-upgrade", "post-install", "Job gatehouse-migrate: it does not go before the pods"},
		{"templates/monitoring.yaml", "  jobLabel: gatehouse/job\n", "", `ServiceMonitor people-gatehouse: the job of people-gatehouse-api-metrics is called ""`},
		{programs, "gatehouse/job: gatehouse-{{ $part }}", "gatehouse/job: {{ $name }}", `the job of people-gatehouse-worker-metrics is called "people-gatehouse-worker"`},
		{"templates/monitoring.yaml", `gatehouse/metrics: "true"`, `gatehouse/metrics: "yes"`, "it finds the metrics of 0 programs of 2"},
		{"templates/monitoring.yaml", "{{- .Files.Get \"alerts.yml\" | nindent 2 }}", "groups: []", "it holds no rules"},
		{helpers, "range list 53 5353", "range list 53", "NetworkPolicy gatehouse-worker: its pods can't ask for names at 5353 by UDP"},
		{helpers, "- {port: {{ . }}, protocol: TCP}", "", "NetworkPolicy gatehouse-jobs: its pods can't ask for names at 53 by TCP"},
		{"templates/migrate.yaml", "values: [migrate, deployment]", "values: [deployment]", "Job gatehouse-migrate: it may call everybody"},
		{helpers, "  runAsNonRoot: true\n", "", "it may run as root"},
		{helpers, "  readOnlyRootFilesystem: true\n", "", "it may write to its files"},
		{helpers, "automountServiceAccountToken: false\n", "", "it has a token of Kubernetes"},
		{helpers, "valueFrom: {secretKeyRef: {name: {{ .Values.database.secret }}, key: {{ .Values.database.urlKey }}}}", `value: "postgres://u:p@h/d"`, "GATEHOUSE_DATABASE_URL is a secret and stands in the pod"},
		{helpers, "{name: temporal-key, mountPath: /etc/gatehouse/temporal-key, readOnly: true}", "{name: temporal-key, mountPath: /etc/gatehouse/key, readOnly: true}", "GATEHOUSE_TEMPORAL_API_KEY_FILE names a file that is not mounted"},
		{helpers, "{name: temporal-ca, secret:", "{name: temporal-cas, secret:", "there is no volume temporal-ca"},
		{helpers, "- {name: files-{{ $i }}, mountPath: {{ $files.mountPath | quote }}, readOnly: true}", "", "GATEHOUSE_TEMPLATES_DIR names a file that is not mounted"},
		{helpers, "- {name: files-{{ $i }}, configMap:", "- {name: others-{{ $i }}, configMap:", "there is no volume files-1"},
		{"ci/all-values.yaml", "configMap: mails", "configMap: mails, secret: mails", "files"},
		{"values.yaml", "limits: {memory: 512Mi}", "limits: {}", "it lacks requests or a limit of memory"},
		{"ci/cloud-values.yaml", "tls: {enabled: true}", "tls: {enabled: false}", "temporal.tls.enabled must be true"},
		{"ci/minimal-values.yaml", "issuer: https://gatehouse.example.com", "issuer: gatehouse", "issuer"},
		{"ci/minimal-values.yaml", "issuer:", "isuer:", "isuer"},
		{"ci/all-values.yaml", "GATEHOUSE_LOG_LEVEL: debug", "GATEHOUSE_SMTP_PASSWORD: hunter2", "GATEHOUSE_SMTP_PASSWORD"},
		{"ci/all-values.yaml", "serviceMonitor: {enabled: true", "serviceMonitor: {enabled: false", "no values give a ServiceMonitor"},
	} {
		err := check(broken(t, rule.file, rule.old, rule.text), settings)
		if err == nil || !strings.Contains(err.Error(), rule.fault) {
			t.Errorf("%s with %q: got %v", rule.file, rule.text, err)
		}
	}
}
