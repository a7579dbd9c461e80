{{- define "elasticsearch.selector" -}}
app.kubernetes.io/part-of: {{ .Values.env }}
app.kubernetes.io/component: elasticsearch
app.kubernetes.io/instance: {{ .Values.name }}
{{- end -}}

{{- define "elasticsearch.labels" -}}
app.kubernetes.io/name: elasticsearch
{{ include "elasticsearch.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
devenv.dev/env: {{ .Values.env }}
devenv.dev/kind: addon
{{- end -}}
