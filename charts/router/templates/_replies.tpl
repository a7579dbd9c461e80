{{/*
Envoy's local_reply_config: the first entry of files/pages.yaml that fits decides status, code and text; files/page.html is the frame.
Response flags: envoyproxy.io/docs, "Access logging", %RESPONSE_FLAGS%. Codes: Heroku Dev Center, "Heroku Error Codes".
*/}}
{{- define "router.replies" -}}
{{- $pages := .Files.Get "files/pages.yaml" | fromYaml -}}
body_format:
  text_format_source:
    inline_string: {{ .Files.Get "files/page.html" | toJson }}
  content_type: text/html; charset=utf-8
mappers:
{{- range $pages.pages }}
- filter:
    {{- if .flags }}
    response_flag_filter: {flags: {{ toJson .flags }}}
    {{- else }}
    status_code_filter:
      comparison: {op: EQ, value: {default_value: {{ .answers }}, runtime_key: {{ printf "devenv.page.%v" .answers | quote }}}}
    {{- end }}
  status_code: {{ .status }}
  body:
    inline_string: {{ printf "<p class=\"code\">%s</p>\n<h1>%s</h1>\n%s" .code .title .text | toJson }}
  headers_to_add:
  - {header: {key: cache-control, value: no-store}}
  - {header: {key: x-devenv-error, value: {{ .code | quote }}}}
{{- end }}
{{- end }}
