# SIGTERM to every process of the dyno (heroku.md section 3.2). The kubelet signals the container's main process itself, right
# after this: it has no parent in here, nor has this script, so both are left out and nobody gets the signal twice.
# $1: seconds for the router to forget this pod.
[ "$1" = 0 ] || sleep "$1"
others=
for process in /proc/[0-9]*; do
  pid=${process#/proc/}
  read -r stat 2>/dev/null < "$process/stat" || continue
  set -- ${stat##*) }
  [ "$2" = 0 ] || others="$others $pid"
done
[ -z "$others" ] || kill -TERM $others 2>/dev/null
exit 0
