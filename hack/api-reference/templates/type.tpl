{{- /* Kubernetes' API reference has no Duration: that link leads to what Go parses. */ -}}
{{- define "type" -}}
{{- $duration := "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#duration-v1-meta" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type -}}
## {{ $type.Name }}

{{ $type.Doc | replace "<" "&lt;" }}
{{- if $type.GVK }} Its page: [{{ $type.Name }}](../{{ lower $type.Name }}.md).{{ end }}
{{ if $type.IsAlias }}
Underlying type: {{ markdownRenderTypeLink $type.UnderlyingType }}.
{{ end }}
{{- if $type.Validation }}
Validation: {{ range $i, $rule := $type.Validation }}{{ if $i }}; {{ end }}{{ $rule }}{{ end }}.
{{ end }}
{{- if $type.References }}
Appears in: {{ range $i, $other := $type.SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $other }}{{ end }}.
{{ end }}
{{- if $type.Members }}
| field | type | what it is | validation |
|---|---|---|---|
{{ if $type.GVK -}}
| `apiVersion` | string | `{{ $type.GVK.Group }}/{{ $type.GVK.Version }}` | |
| `kind` | string | `{{ $type.GVK.Kind }}` | |
{{ end -}}
{{ range $type.Members -}}
| `{{ .Name }}` | {{ markdownRenderType .Type | replace $duration "https://pkg.go.dev/time#ParseDuration" }} | {{ template "type_members" . }} | {{ template "validation" . }} |
{{ end -}}
{{ end -}}
{{- if $type.EnumValues }}
| value | what it is |
|---|---|
{{ range $type.EnumValues -}}
| `{{ .Name }}` | {{ .Doc | replace "|" "\\|" | replace "<" "&lt;" | replace "\n" " " }} |
{{ end -}}
{{ end -}}
{{- end -}}
{{- end -}}
