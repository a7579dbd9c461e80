# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM devenv.local/stack:24

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

ENV HOME=/app \
    GOTOOLCHAIN=go1.25.0+auto \
    PATH=/app/bin:$PATH:/usr/local/go/bin

WORKDIR /app

USER 1001

COPY --chown=1001 . .

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/go,sharing=locked,uid=1001,gid=1001 \
    --mount=type=cache,target=/var/cache/devenv/go-build,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Determining packages to install' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export GOPATH=/var/cache/devenv/go GOCACHE=/var/cache/devenv/go-build GOFLAGS="${GOFLAGS:--buildvcs=false}" \
 && packages="${GO_INSTALL_PACKAGE_SPEC:-$(go list -f '{{ if eq .Name "main" }}{{ .ImportPath }}{{ end }}' ./...)}" \
 && if [ -z "$packages" ]; then echo "no main package to install: set GO_INSTALL_PACKAGE_SPEC"; exit 1; fi \
 && echo 'Detected the following main packages to install:' \
 && printf "    %s\n" $packages \
 && echo "-----> Running: go install -v -tags heroku "$packages \
 && mkdir -p bin \
 && GOBIN=/app/bin go install -v -tags heroku $packages 2>&1 | { grep -E '^[^/ ]*[.]|[ :]' || true; } \
 && ls bin | sed 's|^|Installed bin/|'
