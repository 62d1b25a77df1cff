{{/* The issuer, named or the token service's own. */}}
{{- define "claviger.issuer" -}}
{{- .Values.issuer | default (printf "https://claviger-token-service.%s.svc" .Release.Namespace) -}}
{{- end }}

{{- define "claviger.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}{{- else -}}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end }}

{{/* Labels of everything of a role: (dict "root" $ "component" "manager"). */}}
{{- define "claviger.labels" -}}
app.kubernetes.io/name: claviger
app.kubernetes.io/component: {{ . }}
{{- end }}

{{/* What all pods have: (dict "root" $ "component" "manager"). */}}
{{- define "claviger.pod" -}}
{{- $values := .root.Values -}}
serviceAccountName: claviger-{{ .component }}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
# Spread over zones and nodes where there are several, and scheduled all the same where there are not.
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "claviger.labels" $.component | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}

{{- define "claviger.podMetadata" -}}
labels:
  {{- include "claviger.labels" .component | nindent 2 }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What all containers have. */}}
{{- define "claviger.container" -}}
image: {{ include "claviger.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Arguments that every role has, with the same values. */}}
{{- define "claviger.args" -}}
- --issuer={{ include "claviger.issuer" . }}
- --max-token-expiry-minutes={{ int .Values.maxTokenExpiryMinutes }}
- --metrics-bind-address=:8080
- --log-level={{ .Values.log.level }}
- --log-format={{ .Values.log.format }}
{{- with .Values.consoleNamespaces }}
- --console-namespaces={{ join "," . }}
{{- end }}
{{- end }}

{{/* Arguments of those who know connections. */}}
{{- define "claviger.connectionArgs" -}}
- --connections-namespace={{ .Values.connections.namespace }}
{{- with .Values.connect.url }}
- --connect-url={{ . }}
{{- end }}
{{- with .Values.connections.egressAllow }}
- --egress-allow={{ join "," . }}
{{- end }}
{{- if .Values.connections.egressAllowHTTP }}
- --egress-allow-http
{{- end }}
{{- if .Values.connections.egressCAConfigMap }}
- --egress-ca-file=/etc/claviger/egress-ca/ca.crt
{{- end }}
{{- end }}

{{/* DNS names of the Service of the connect role, which shares the token service's certificate. */}}
{{- define "claviger.connectNames" -}}
{{- $ns := .Release.Namespace -}}
{{- list "claviger-connect" (printf "claviger-connect.%s" $ns) (printf "claviger-connect.%s.svc" $ns) (printf "claviger-connect.%s.svc.%s" $ns .Values.clusterDomain) | join "," -}}
{{- end }}

{{- define "claviger.probes" -}}
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 2
  failureThreshold: 2
startupProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 1
  failureThreshold: 60
{{- end }}
