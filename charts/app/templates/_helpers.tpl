{{- /* What sets the names of a candidate's objects apart from those of the release that serves. */ -}}
{{- define "app.next" -}}
{{- if .Values.candidate }}-next{{ end }}
{{- end -}}

{{- /* Labels of an object: a list of the root context and the component's name. */ -}}
{{- define "app.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Values.app }}
app.kubernetes.io/part-of: {{ $root.Values.env }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end -}}

{{- define "app.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/part-of: {{ $root.Values.env }}
app.kubernetes.io/component: {{ index . 1 }}
devenv.dev/kind: process
{{- end -}}

{{- /* Labels of a pod: root context, process, kind. */ -}}
{{- define "app.podLabels" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
app.kubernetes.io/name: {{ $root.Values.app }}
app.kubernetes.io/part-of: {{ $root.Values.env }}
app.kubernetes.io/component: {{ $process.name }}
devenv.dev/env: {{ $root.Values.env }}
devenv.dev/kind: {{ index . 2 }}
devenv.dev/process: {{ $process.type | quote }}
{{- /* a new release restarts every process, as on Heroku */}}
devenv.dev/release: {{ int $root.Values.release.version | quote }}
{{- end -}}

{{- define "app.releaseNote" -}}
devenv.dev/release: {{ printf "v%d" (int .Values.release.version) | quote }}
devenv.dev/description: {{ .Values.release.description | toJson }}
devenv.dev/mode: {{ .Values.release.mode | quote }}
devenv.dev/commit: {{ .Values.release.commit | quote }}
devenv.dev/created: {{ .Values.release.created | quote }}
{{- end -}}

{{- /* The Secret with the config vars of this release. */ -}}
{{- define "app.config" -}}
app-config-v{{ int .Values.release.version }}
{{- end -}}

{{- /* base64, so that every byte of a value survives */ -}}
{{- define "app.configData" -}}
{{- range $name, $value := .Values.config }}
{{ $name | quote }}: {{ $value | b64enc | quote }}
{{- end }}
{{- end -}}

{{- /* A string that Kubernetes must not read $(NAME) in, neither in args nor in env: it takes $$ for a plain $. */ -}}
{{- define "app.literal" -}}
{{ . | replace "$" "$$" | toJson }}
{{- end -}}

{{- /* How a process starts. After `up` the edits since its image was built come first, and a supervisor stays; a one-off has none. */ -}}
{{- define "app.script" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
{{- $shell := index . 2 -}}
{{- with $process.sync -}}
devenv_key={{ squote . }}
{{ $root.Files.Get "files/overlay.sh" }}
{{- end }}
{{- $root.Files.Get (print "files/start." $shell) }}
{{- if and $process.sync (not $process.number) -}}
devenv_shell={{ ternary "bash" "/bin/sh" (eq $shell "bash") }}
devenv_grace={{ int $root.Values.timeouts.stop }}
{{ $root.Files.Get "files/supervise.sh" }}
{{- else -}}
eval "$devenv_prepare"
exec {{ ternary "bash" "/bin/sh" (eq $shell "bash") }} -c "$devenv_command"
{{- end }}
{{- end -}}

{{- define "app.command" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
{{- if eq $process.shell "bash" }}
command:
  - bash
  - -c
  - |
    {{- regexReplaceAllLiteral "(?m)^ *#.*\n" (include "app.script" (list $root $process "bash")) "" | replace "$" "$$" | trim | nindent 4 }}
  - {{ $process.type | quote }}
  - {{ include "app.literal" $process.command }}
  {{- with $process.number }}
  - {{ . | quote }}
  {{- end }}
{{- else if eq $process.shell "sh" }}
{{- /* args, not command: an image's ENTRYPOINT stays in force */}}
args:
  - /bin/sh
  - -c
  - |
    {{- regexReplaceAllLiteral "(?m)^ *#.*\n" (include "app.script" (list $root $process "sh")) "" | replace "$" "$$" | trim | nindent 4 }}
  - {{ $process.type | quote }}
  - {{ include "app.literal" $process.command }}
  {{- with $process.number }}
  - {{ . | quote }}
  {{- end }}
{{- else if $process.argv }}
args:
  {{- range $process.argv }}
  - {{ include "app.literal" . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Environment that the platform gives; entries of `env` would win over envFrom, so config vars are left out of it. */ -}}
{{- define "app.environment" -}}
{{- $config := (index . 0).Values.config -}}
{{- $process := index . 1 -}}
{{- $own := dict -}}
{{- range $name, $value := $process.env }}
{{- if not (hasKey $config $name) }}{{ $_ := set $own $name $value }}{{ end }}
{{- end }}
{{- if and $process.home (not (hasKey $config "HOME")) }}{{ $_ := set $own "HOME" $process.home }}{{ end }}
{{- /* without a shell nobody can count; the router and the probes go by PORT, so no config var may move it */}}
{{- if eq $process.shell "none" }}{{ $_ := set $own "DYNO" (printf "%s.%s" $process.type ($process.number | default "1")) }}{{ end }}
{{- if $process.port }}{{ $_ := set $own "PORT" (toString (int $process.port)) }}{{ end }}
{{- if $own }}
env:
  {{- range $name, $value := $own }}
  - name: {{ $name | quote }}
    value: {{ include "app.literal" $value }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* What a process and the release phase share of a container: root context, process. */ -}}
{{- define "app.container" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
name: {{ $process.name }}
image: {{ $process.image | quote }}
imagePullPolicy: IfNotPresent
{{- include "app.command" (list $root $process) }}
{{- with $process.home }}
workingDir: {{ . | quote }}
{{- end }}
{{- if $process.sync }}
volumeMounts:
  - name: sync
    mountPath: /.devenv
    readOnly: true
{{- end }}
envFrom:
  - secretRef:
      name: {{ include "app.config" $root }}
{{- include "app.environment" (list $root $process) }}
resources:
  requests:
    cpu: {{ int $process.cpu }}m
    memory: {{ min 64 (int $process.memory) }}Mi
  limits:
    # twice the dyno's size: above the size is R14 and slow, this is R15 and the end
    memory: {{ mul 2 (int $process.memory) }}Mi
securityContext:
  allowPrivilegeEscalation: false
{{- end -}}

{{- define "app.pod" -}}
automountServiceAccountToken: false
# the app's environment holds config vars only, not the addresses of every Service
enableServiceLinks: false
# no process is PID 1: SIGTERM has its default action, orphans are reaped
shareProcessNamespace: true
{{- if .Values.sync }}
volumes:
  - name: sync
    persistentVolumeClaim:
      claimName: sync
{{- end }}
{{- end -}}
