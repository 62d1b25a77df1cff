{{- /* A field that is not Required is optional: that is not said in each row. Braces in patterns need no escape. */ -}}
{{- define "validation" -}}
{{- $first := true -}}
{{- range .Validation -}}
{{- if not (hasPrefix "Optional" .) -}}
{{- if not $first }}; {{ end -}}
{{- $first = false -}}
{{- if hasPrefix "Required" . }}Required{{ else }}{{ . | replace "|" "\\|" }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if .Default }}{{ if not $first }}; {{ end }}Default: `{{ .Default }}`{{ end -}}
{{- end -}}
