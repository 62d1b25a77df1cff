{{- define "gvList" -}}
# API reference

Every type and every field of the API, with its schema, as the comments of the code have them. `make api-reference` writes this page.
The page of a kind, which its heading here links to, says more of each field and shows every condition.
Rules that take more than one look at a value (CEL) stand in the CRDs alone: [config/crd/bases](../../config/crd/bases).
{{ range . }}
{{ template "gvDetails" . }}
{{- end }}
{{- end -}}
