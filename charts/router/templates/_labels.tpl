{{- define "router.labels" -}}
app.kubernetes.io/name: router
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: devenv
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "router.restricted" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
