# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM devenv.local/stack:24

SHELL ["/bin/bash", "-eo", "pipefail", "-c"]

RUN getent passwd 1001 > /dev/null || useradd --uid 1001 --home-dir /app --shell /bin/bash app; \
    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown 1001 /app && chmod 755 /app

ENV HOME=/app \
    LANG=C.UTF-8 \
    PYTHONHASHSEED=random \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=true \
    FORWARDED_ALLOW_IPS=* \
    PATH=/app/.venv/bin:$PATH

WORKDIR /app

USER 1001

RUN echo '-----> Installing Python 3.13' \
 && python3 -m venv /app/.venv

COPY --chown=1001 pyproject.toml uv.lock .python-version ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/pip,sharing=locked,uid=1001,gid=1001 \
    --mount=type=cache,target=/var/cache/devenv/uv,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies using uv' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export PIP_CACHE_DIR=/var/cache/devenv/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
 && python3 -m venv /tmp/tool \
 && /tmp/tool/bin/pip install -q uv \
 && export UV_CACHE_DIR=/var/cache/devenv/uv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_PYTHON=/app/.venv/bin/python UV_PROJECT_ENVIRONMENT=/app/.venv \
 && /tmp/tool/bin/uv sync --locked --no-default-groups --no-install-project --color never \
 && rm -rf /tmp/tool

COPY --chown=1001 . .

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/pip,sharing=locked,uid=1001,gid=1001 \
    --mount=type=cache,target=/var/cache/devenv/uv,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing the app as a package' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export PIP_CACHE_DIR=/var/cache/devenv/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
 && python3 -m venv /tmp/tool \
 && /tmp/tool/bin/pip install -q uv \
 && export UV_CACHE_DIR=/var/cache/devenv/uv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_PYTHON=/app/.venv/bin/python UV_PROJECT_ENVIRONMENT=/app/.venv \
 && /tmp/tool/bin/uv sync --locked --no-default-groups --color never \
 && rm -rf /tmp/tool
