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

{{/* Has Go collect garbage rather than come to the limit of the container. */}}
{{- define "claviger.env" -}}
- name: GOMEMLIMIT
  valueFrom: {resourceFieldRef: {resource: limits.memory}}
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
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.consoleNamespaces }}
- --console-namespaces={{ join "," . }}
{{- end }}
{{- end }}

{{/* Arguments of those who know connections. */}}
{{- define "claviger.connectionArgs" -}}
{{- if eq .Values.connections.namespace .Release.Namespace -}}
{{- fail "connections.namespace must be another than the release's: the connect role may read every Secret in it" -}}
{{- end -}}
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

{{/* Roles of a ServiceAccount in every watched namespace: (dict "root" $ "component" "manager" "rules" "..."). */}}
{{- define "claviger.tenantRoles" -}}
{{- $root := .root -}}
{{- $more := list $root.Release.Namespace -}}
{{- if eq .component "manager" }}{{ $more = append $more $root.Values.connections.namespace }}{{ end -}}
{{- range concat $root.Values.watchNamespaces $root.Values.consoleNamespaces $more | uniq }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: claviger-{{ $.component }}-tenant
  namespace: {{ . }}
rules:
  {{- $.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: claviger-{{ $.component }}-tenant
  namespace: {{ . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: claviger-{{ $.component }}-tenant
subjects:
  - kind: ServiceAccount
    name: claviger-{{ $.component }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}
{{- end }}

{{/* What the manager may do where tenants are: in all namespaces, or in those that are watched. */}}
{{- define "claviger.managerTenantRules" -}}
- apiGroups: [claviger.dev]
  resources: [clientcredentials, protectedresources]
  verbs: [list, watch]
# A finalizer holds an AccountConnector until its grant has ended.
- apiGroups: [claviger.dev]
  resources: [accountconnectors]
  verbs: [get, list, watch, patch]
- apiGroups: [claviger.dev]
  resources: [clientcredentials/status, protectedresources/status, accountconnectors/status]
  verbs: [patch]
# To own a Secret with blockOwnerDeletion where the API server enforces OwnerReferencesPermissionEnforcement.
- apiGroups: [claviger.dev]
  resources: [clientcredentials/finalizers, accountconnectors/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "claviger.readerTenantRules" -}}
- apiGroups: [claviger.dev]
  resources: [clientcredentials, protectedresources{{ if eq . "connect" }}, accountconnectors{{ end }}]
  verbs: [list, watch]
{{- end }}
