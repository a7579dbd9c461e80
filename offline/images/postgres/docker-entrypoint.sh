#!/bin/bash
# Makes the database cluster at the first start, then runs the server. Reads POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD or
# POSTGRES_PASSWORD_FILE, POSTGRES_INITDB_ARGS, PGDATA.
set -euo pipefail

case ${1:-} in
  '' | -*) set -- postgres "$@" ;;
  postgres) ;;
  *) exec "$@" ;;
esac

if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres "$(dirname "$PGDATA")"
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  password=${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:?POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set}")}
  # built aside and renamed when it is whole: a first start that was cut short leaves nothing half made
  rm -rf "$PGDATA.new"
  # shellcheck disable=SC2086
  initdb --pgdata="$PGDATA.new" --username="$user" --pwfile=<(printf '%s\n' "$password") \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 ${POSTGRES_INITDB_ARGS:-}
  echo "listen_addresses = '*'" >> "$PGDATA.new/postgresql.conf"
  echo 'host all all all scram-sha-256' >> "$PGDATA.new/pg_hba.conf"
  if [ "$database" != postgres ]; then
    printf 'CREATE DATABASE "%s"\n' "${database//\"/\"\"}" | postgres --single -D "$PGDATA.new" postgres > /dev/null
  fi
  mv "$PGDATA.new" "$PGDATA"
fi
# a volume's group may have been given access; the server refuses to start then
chmod 0700 "$PGDATA"
unset POSTGRES_PASSWORD
exec "$@"
