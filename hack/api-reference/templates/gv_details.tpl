{{- define "gvDetails" -}}
{{- $gv := . -}}
Group and version: `{{ $gv.GroupVersionString }}`.

| kind | its page |
|---|---|
{{ range $gv.SortedKinds -}}
| [{{ . }}](#{{ lower . }}) | [{{ lower . }}.md](../{{ lower . }}.md) |
{{ end }}
{{ range $gv.SortedKinds -}}
{{ template "type" ($gv.TypeForKind .) }}
{{ end -}}
{{ range $gv.SortedTypes -}}
{{ if not .GVK }}{{ template "type" . }}
{{ end }}{{ end -}}
{{- end -}}
