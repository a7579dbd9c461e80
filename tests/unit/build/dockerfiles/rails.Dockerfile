# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM devenv.local/stack:24

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

RUN \
    --mount=type=cache,target=/var/cache/devenv/npm-root,sharing=locked \
    echo '-----> Installing binaries' \
 && export HOME=/root \
 && echo 'Resolving node version 24.x...' \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error --prefix /opt/node "node-linux-$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')@"24.x > /dev/null \
 && node=/opt/node/node_modules/.bin/node \
 && case "$($node -v)" in v0.*|v4.*) npm=2;; v[56].*) npm=3;; v7.*) npm=4;; v[89].*|v1[0-4].*) npm=6;; v15.*) npm=7;; v1[67].*) npm=8;; v1?.*|v2[0-3].*) npm=10;; *) npm=11;; esac \
 && npm install --cache /var/cache/devenv/npm-root --no-fund --no-audit --no-update-notifier --loglevel error --prefix /opt/node npm@$npm > /dev/null \
 && export PATH=/opt/node/node_modules/.bin:$PATH \
 && hash -r \
 && echo "Using node $(node -v), npm $(npm -v)"

ENV HOME=/app \
    LANG=C.UTF-8 \
    RACK_ENV=production \
    BUNDLE_DEPLOYMENT=1 \
    BUNDLE_PATH=/app/vendor/bundle \
    BUNDLE_BIN=/app/vendor/bundle/bin \
    BUNDLE_WITHOUT=development:test \
    BUNDLE_GLOBAL_PATH_APPENDS_RUBY_SCOPE=1 \
    MALLOC_ARENA_MAX=2 \
    PUMA_PERSISTENT_TIMEOUT=95 \
    RAILS_ENV=production \
    RAILS_SERVE_STATIC_FILES=enabled \
    RAILS_LOG_TO_STDOUT=enabled \
    PATH=/app/bin:/app/vendor/bundle/bin:/opt/node/node_modules/.bin:$PATH

WORKDIR /app

USER 1001

COPY --chown=1001 Gemfile Gemfile.lock ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/bundler,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies using bundler' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export BUNDLE_USER_CACHE=/var/cache/devenv/bundler BUNDLE_JOBS=4 \
 && echo "Running: bundle install" \
 && bundle install \
 && rm -rf vendor/bundle/ruby/*/cache

COPY --chown=1001 . .

RUN \
    --mount=type=secret,id=config,uid=1001 \
    if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export DATABASE_URL="${DATABASE_URL:-postgres://user:pass@127.0.0.1/dbname}" \
 && export SECRET_KEY_BASE="${SECRET_KEY_BASE:-$(ruby -rsecurerandom -e 'print SecureRandom.hex(64)')}" \
 && tasks="$(bundle exec rake -P)" \
 && if grep '^rake assets:precompile$' <<< "$tasks" > /dev/null; then \
      echo '-----> Preparing app for Rails asset pipeline'; echo 'Running: rake assets:precompile'; \
      bundle exec rake assets:precompile; \
    fi
