{{- define "mosquitto.selector" -}}
app.kubernetes.io/part-of: {{ .Values.env }}
app.kubernetes.io/component: mosquitto
app.kubernetes.io/instance: {{ .Values.name }}
{{- end -}}

{{- define "mosquitto.labels" -}}
app.kubernetes.io/name: mosquitto
{{ include "mosquitto.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
devenv.dev/env: {{ .Values.env }}
devenv.dev/kind: addon
{{- end -}}
