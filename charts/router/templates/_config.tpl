{{/*
The controller's configuration file. Envoy's own part stands here as the default and not in an EnvoyProxy object: it is known before the
first Gateway is seen, and one large CRD less is needed.
*/}}
{{- define "router.config" -}}
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: {controllerName: devenv.dev/router}
provider:
  type: Kubernetes
  kubernetes:
    # one replica: an election would only delay the start
    leaderElection: {disable: true}
    # without zones to route by; it also holds up Envoy's start
    proxyTopologyInjector: {disabled: true}
    shutdownManager: {image: {{ .Values.images.controller | quote }}}
extensionApis: {enableEnvoyPatchPolicy: true}
logging: {level: {default: warn}}
envoyProxy:
  concurrency: 1
  # log lines leave at once, not every ten seconds
  extraArgs: [--file-flush-interval-msec, "200"]
  logging: {level: {default: error}}
  shutdown: {drainTimeout: 5s, minDrainDuration: 1s}
  provider:
    type: Kubernetes
    kubernetes:
      envoyService:
        name: router
        type: NodePort
        # a node without an Envoy pod must answer too
        externalTrafficPolicy: Cluster
        patch:
          type: StrategicMerge
          value:
            spec:
              ports:
              - {port: 80, nodePort: {{ .Values.nodePort }}}
      envoyDeployment:
        name: router-envoy
        replicas: 1
        pod:
          labels: {app.kubernetes.io/part-of: devenv, devenv.dev/component: router}
        container:
          image: {{ .Values.images.envoy | quote }}
          resources:
            requests: {cpu: 20m, memory: 64Mi}
            limits: {memory: 256Mi}
        patch:
          type: StrategicMerge
          value:
            spec:
              template:
                spec:
                  containers:
                  # asked every second instead of every ten: a new cluster answers sooner
                  - name: envoy
                    startupProbe: {periodSeconds: 1, failureThreshold: 120}
                  - name: shutdown-manager
                    startupProbe: {periodSeconds: 1, failureThreshold: 120}
  telemetry:
    # which pods Envoy routes to, and how each answers: what a deploy waits for, and what `releases:watch` counts
    metrics: {enablePerEndpointStats: true}
    accessLog:
      settings:
      # one JSON object per request; devenv/plan/router_log.py makes Heroku's line of it
      - type: Route
        sinks:
        - {type: File, file: {path: /dev/stdout}}
        format:
          type: JSON
          json:
            start: "%START_TIME(%Y-%m-%dT%H:%M:%S.%6f)%"
            method: "%REQ(:METHOD)%"
            path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
            host: "%REQ(:AUTHORITY)%"
            request_id: "%REQ(X-REQUEST-ID)%"
            fwd: "%REQ(X-FORWARDED-FOR)%"
            pod: "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
            connect: "%COMMON_DURATION(US_CX_BEG:US_CX_END:ms)%"
            service: "%DURATION%"
            status: "%RESPONSE_CODE%"
            bytes: "%BYTES_SENT%"
            protocol: "%PROTOCOL%"
            tls: "%DOWNSTREAM_TLS_VERSION%"
            flags: "%RESPONSE_FLAGS%"
            details: "%RESPONSE_CODE_DETAILS%"
            failure: "%UPSTREAM_TRANSPORT_FAILURE_REASON%"
            attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"
            route: "%ROUTE_NAME%"
{{- end }}
