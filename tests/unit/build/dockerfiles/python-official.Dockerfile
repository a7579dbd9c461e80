# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.
FROM python:3.12.7-bookworm

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

RUN echo '-----> Installing Python 3.12.7' \
 && python3 -m venv /app/.venv

COPY --chown=1001 requirements.txt ./

RUN \
    --mount=type=secret,id=config,uid=1001 \
    --mount=type=cache,target=/var/cache/devenv/pip,sharing=locked,uid=1001,gid=1001 \
    echo '-----> Installing dependencies using pip' \
 && if [ -f /run/secrets/config ]; then . /run/secrets/config; fi \
 && export PIP_CACHE_DIR=/var/cache/devenv/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
 && /app/.venv/bin/pip install -r requirements.txt

COPY --chown=1001 . .
