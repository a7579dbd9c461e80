# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM devenv.local/stack:24

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

RUN \
    --mount=type=cache,target=/var/cache/devenv/npm-root,sharing=locked \
    echo '-----> Installing binaries' \
 && export HOME=/root \
 && echo 'Resolving node version 22.x...' \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error --prefix /opt/node "node-linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')@"22.x > /dev/null \
 && node=/opt/node/node_modules/.bin/node \
 && case "$($node -v)" in v0.*|v4.*) npm=2;; v[56].*) npm=3;; v7.*) npm=4;; v[89].*|v1[0-4].*) npm=6;; v15.*) npm=7;; v1[67].*) npm=8;; v1?.*|v2[0-3].*) npm=10;; *) npm=11;; esac \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error --prefix /opt/node npm@$npm > /dev/null \
 && export PATH=/opt/node/node_modules/.bin:$PATH \
 && hash -r \
 && echo "Using node $(node -v), npm $(npm -v)"

ENV HOME=/app \
    NODE_ENV=production \
    LANG=C.UTF-8 \
    PYTHONHASHSEED=random \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=true \
    FORWARDED_ALLOW_IPS=* \
    PATH=/app/.venv/bin:/opt/node/node_modules/.bin:$PATH:/app/bin:/app/node_modules/.bin

WORKDIR /app

USER 1001

RUN echo '-----> Installing Python 3.13' \
 && python3 -m venv /app/.venv

COPY --chown=1001 package.json package-lock.json ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/npm,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false \
 && echo 'Installing node modules (package.json + package-lock.json)' \
 && npm ci --cache /var/cache/devenv/npm --include=dev

COPY --chown=1001 requirements.txt ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/pip,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies using pip' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export PIP_CACHE_DIR=/var/cache/devenv/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
 && /app/.venv/bin/pip install -r requirements.txt

COPY --chown=1001 . .

RUN \
    --mount=type=secret,id=config,uid=1001 \
    echo '-----> Build' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false \
 && echo 'Running build' \
 && npm run build ${NODE_BUILD_FLAGS:+-- "$NODE_BUILD_FLAGS"}

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/npm,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Pruning devDependencies' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false \
 && if [ "${NPM_CONFIG_PRODUCTION:-true}" = true ]; then npm prune --omit=dev --ignore-scripts --cache /var/cache/devenv/npm; fi

RUN \
    --mount=type=secret,id=config,uid=1001 \
    echo '-----> Cleanup' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false \
 && npm run heroku-cleanup
