# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM node:24-bookworm

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

RUN \
    --mount=type=cache,target=/var/cache/devenv/npm-root,sharing=locked \
    echo '-----> Installing binaries' \
 && export HOME=/root \
 && rm -f /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error -g yarn@1 > /dev/null

ENV HOME=/app \
    NODE_ENV=production \
    PATH=/opt/node/node_modules/.bin:$PATH:/app/bin:/app/node_modules/.bin

WORKDIR /app

USER 1001

COPY --chown=1001 package.json yarn.lock ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/yarn,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false \
 && echo 'Installing node modules (yarn.lock)' \
 && yarn install --frozen-lockfile --non-interactive --cache-folder /var/cache/devenv/yarn --production=true

COPY --chown=1001 . .
