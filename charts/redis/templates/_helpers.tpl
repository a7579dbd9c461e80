{{- define "redis.selector" -}}
app.kubernetes.io/part-of: {{ .Values.env }}
app.kubernetes.io/component: redis
app.kubernetes.io/instance: {{ .Values.name }}
{{- end -}}

{{- define "redis.labels" -}}
app.kubernetes.io/name: redis
{{ include "redis.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
devenv.dev/env: {{ .Values.env }}
devenv.dev/kind: addon
{{- end -}}
