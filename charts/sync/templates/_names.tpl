{{- define "sync.labels" -}}
app.kubernetes.io/name: sync
app.kubernetes.io/part-of: {{ .Values.env }}
app.kubernetes.io/component: sync
app.kubernetes.io/managed-by: {{ .Release.Service }}
devenv.dev/env: {{ .Values.env }}
devenv.dev/kind: sync
{{- end -}}
