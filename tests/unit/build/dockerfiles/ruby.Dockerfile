# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM devenv.local/stack:24

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

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
    PATH=/app/bin:/app/vendor/bundle/bin:$PATH

WORKDIR /app

USER 1001

COPY --chown=1001 Gemfile Gemfile.lock ./

COPY --chown=1001 vendor/cache vendor/cache/

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
