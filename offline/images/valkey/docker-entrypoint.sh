#!/bin/sh
# Runs the server when the first argument is an option or a configuration file, never as root; else whatever is asked for.
set -eu
case ${1:-} in
  '' | -* | *.conf) set -- valkey-server "$@" ;;
esac
if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  chown valkey:valkey /data
  exec setpriv --reuid=valkey --regid=valkey --clear-groups -- "$0" "$@"
fi
umask 077
exec "$@"
