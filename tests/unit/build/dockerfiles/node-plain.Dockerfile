# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM devenv.local/stack:24

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

RUN \
    --mount=type=cache,target=/var/cache/devenv/npm-root,sharing=locked \
    echo '-----> Installing binaries' \
 && export HOME=/root \
 && echo 'Resolving node version >=20 <23...' \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error --prefix /opt/node "node-linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')@"'>=20 <23' > /dev/null \
 && node=/opt/node/node_modules/.bin/node \
 && case "$($node -v)" in v0.*|v4.*) npm=2;; v[56].*) npm=3;; v7.*) npm=4;; v[89].*|v1[0-4].*) npm=6;; v15.*) npm=7;; v1[67].*) npm=8;; v1?.*|v2[0-3].*) npm=10;; *) npm=11;; esac \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error --prefix /opt/node npm@$npm > /dev/null \
 && export PATH=/opt/node/node_modules/.bin:$PATH \
 && hash -r \
 && echo "Using node $(node -v), npm $(npm -v)"

ENV HOME=/app \
    NODE_ENV=production \
    PATH=/opt/node/node_modules/.bin:$PATH:/app/bin:/app/node_modules/.bin

WORKDIR /app

USER 1001

COPY --chown=1001 package.json package-lock.json ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/npm,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false \
 && echo 'Installing node modules (package.json + package-lock.json)' \
 && npm ci --cache /var/cache/devenv/npm --omit=dev

COPY --chown=1001 . .
