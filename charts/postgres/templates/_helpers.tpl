{{- define "postgres.selector" -}}
app.kubernetes.io/part-of: {{ .Values.env }}
app.kubernetes.io/component: postgres
app.kubernetes.io/instance: {{ .Values.name }}
{{- end -}}

{{- define "postgres.labels" -}}
app.kubernetes.io/name: postgres
{{ include "postgres.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
devenv.dev/env: {{ .Values.env }}
devenv.dev/kind: addon
{{- end -}}
