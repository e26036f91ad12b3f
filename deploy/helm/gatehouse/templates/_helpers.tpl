{{- define "gatehouse.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "gatehouse.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "gatehouse.name" .) }}
{{- end }}

{{- define "gatehouse.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The labels of an object of a part: dict "root" $ "part" "api". */}}
{{- define "gatehouse.labels" -}}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* What every program reads. The settings stand in the pod, so that a change of
one rolls the pods. */}}
{{- define "gatehouse.environment" -}}
- name: GATEHOUSE_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.database.secret }}, key: {{ .Values.database.urlKey }}}}
- {name: GATEHOUSE_DATABASE_MAX_CONNS, value: {{ .Values.database.maxConns | quote }}}
- {name: GATEHOUSE_TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }}}
- {name: GATEHOUSE_TEMPORAL_NAMESPACE, value: {{ .Values.temporal.namespace | quote }}}
{{- with .Values.temporal }}
{{- if .tls.enabled }}
- {name: GATEHOUSE_TEMPORAL_TLS, value: "true"}
{{- with .tls.serverName }}
- {name: GATEHOUSE_TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }}}
{{- end }}
{{- if .tls.caSecret }}
- {name: GATEHOUSE_TEMPORAL_TLS_CA_FILE, value: /etc/gatehouse/temporal-ca/ca.crt}
{{- end }}
{{- if .tls.clientSecret }}
- {name: GATEHOUSE_TEMPORAL_TLS_CERT_FILE, value: /etc/gatehouse/temporal-client/tls.crt}
- {name: GATEHOUSE_TEMPORAL_TLS_KEY_FILE, value: /etc/gatehouse/temporal-client/tls.key}
{{- end }}
{{- if .apiKeySecret }}
- {name: GATEHOUSE_TEMPORAL_API_KEY_FILE, value: {{ printf "/etc/gatehouse/temporal-key/%s" .apiKeyKey | quote }}}
{{- end }}
{{- else if or .apiKeySecret .tls.caSecret .tls.clientSecret .tls.serverName }}
{{- fail "temporal.tls.enabled must be true where temporal.apiKeySecret, or anything of temporal.tls, is set" }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- range $name, $from := .Values.secretSettings }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $from.secret }}, key: {{ $from.key }}}}
{{- end }}
{{- end }}

{{/* Secrets are mounted whole: a file of one that changes is replaced. */}}
{{- define "gatehouse.mounts" -}}
{{- with .Values.database.tlsSecret }}
- {name: database, mountPath: /etc/gatehouse/database, readOnly: true}
{{- end }}
{{- with .Values.temporal.tls.caSecret }}
- {name: temporal-ca, mountPath: /etc/gatehouse/temporal-ca, readOnly: true}
{{- end }}
{{- with .Values.temporal.tls.clientSecret }}
- {name: temporal-client, mountPath: /etc/gatehouse/temporal-client, readOnly: true}
{{- end }}
{{- with .Values.temporal.apiKeySecret }}
- {name: temporal-key, mountPath: /etc/gatehouse/temporal-key, readOnly: true}
{{- end }}
{{- range $i, $files := .Values.files }}
- {name: files-{{ $i }}, mountPath: {{ $files.mountPath | quote }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "gatehouse.volumes" -}}
{{- with .Values.database.tlsSecret }}
- {name: database, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.temporal.tls.caSecret }}
- {name: temporal-ca, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.temporal.tls.clientSecret }}
- {name: temporal-client, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.temporal.apiKeySecret }}
- {name: temporal-key, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- range $i, $files := .Values.files }}
{{- if hasKey $files "secret" }}
- {name: files-{{ $i }}, secret: {secretName: {{ $files.secret }}, defaultMode: 0440}}
{{- else }}
- {name: files-{{ $i }}, configMap: {name: {{ $files.configMap }}}}
{{- end }}
{{- end }}
{{- end }}

{{- define "gatehouse.container" -}}
image: {{ include "gatehouse.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with include "gatehouse.mounts" . }}
volumeMounts:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "gatehouse.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with include "gatehouse.volumes" . }}
volumes:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The pod of a job but for its containers. One that goes before all else goes
before the account that the chart makes, and needs none. */}}
{{- define "gatehouse.job" -}}
{{- include "gatehouse.pod" . }}
{{- with .Values.serviceAccount.name }}
serviceAccountName: {{ . }}
{{- end }}
restartPolicy: Never
{{- end }}

{{- define "gatehouse.jobEnvironment" -}}
{{- include "gatehouse.environment" . }}
- name: GATEHOUSE_MIGRATION_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.database.secret }}, key: {{ .Values.database.migrationUrlKey }}}}
{{- end }}

{{/* Whom pods may call. Where a policy sees the port of DNS' own pods, that may be
5353. */}}
{{- define "gatehouse.egress" -}}
- ports:
    {{- range list 53 5353 }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
- to: {{- toYaml . | nindent 4 }}
{{- end }}

{{/* Where pods of a part go: dict "root" $ "part" "api" "values" .Values.api. */}}
{{- define "gatehouse.placement" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "gatehouse.selector" $ | nindent 8 }}
  {{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
