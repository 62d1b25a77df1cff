{{- define "type_members" -}}
{{- if eq .Name "metadata" -}}
Kubernetes' own: name, namespace, labels, annotations.
{{- else -}}
{{- .Doc | replace "|" "\\|" | replace "<" "&lt;" | replace "\nDefault:" "<br>Default:" | replace "\n" " " -}}
{{- end -}}
{{- end -}}
