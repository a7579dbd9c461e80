# Runs the command as a process group of its own, and again in place when its code has changed (SIGUSR1): SIGTERM, 30 s, SIGKILL, as
# between dynos. While a sync session is attached the container outlives a process that ends, because the next save may mend it; without
# one it ends with the process, and Kubernetes starts it again. $devenv_shell: what runs the command, after $devenv_prepare. $devenv_grace: seconds.
devenv_state=/tmp/.devenv
mkdir -p "$devenv_state"
devenv_group=setsid
command -v setsid > /dev/null || { devenv_group=; set -m; }
devenv_over=
devenv_again=
devenv_child=
devenv_killer=
devenv_delay=1

devenv_attached() { read -r devenv_loop < "$devenv_state/loop" && kill -0 "$devenv_loop"; } 2> /dev/null

# into the output of the session's loop
devenv_tell() { devenv_attached && echo "$*" > "/proc/$devenv_loop/fd/1"; } 2> /dev/null

# without `--`, which dash does not take
devenv_signal() { kill -"$1" "-$devenv_child" || kill -"$1" "$devenv_child"; } 2> /dev/null

devenv_stop() {
  devenv_signal TERM
  [ -z "$devenv_killer" ] || return 0
  # it ends by itself: a shell that has just been forked may miss a signal
  (
    while [ "$devenv_grace" -gt 0 ] && devenv_signal 0; do
      sleep 1
      devenv_grace=$((devenv_grace - 1))
    done
    devenv_signal KILL
  ) &
  devenv_killer=$!
}

trap 'devenv_again=1; [ -z "$devenv_child" ] || devenv_stop' USR1
# a session found edits in here that are not its own
trap 'devenv_over=1; [ -z "$devenv_child" ] || devenv_stop' USR2
# preStop has sent it to every process already
trap 'devenv_over=1' TERM
# from here on it takes signals, and a session may come
echo $$ > "$devenv_state/supervisor"

while :; do
  devenv_again=
  devenv_started=$(date +%s)
  (
    eval "$devenv_prepare"
    # `devenv debug` puts programs of its own before the real ones
    [ ! -d "$devenv_state/debug/bin" ] || PATH=$devenv_state/debug/bin:$PATH
    exec $devenv_group "$devenv_shell" -c "$devenv_command"
  ) &
  devenv_child=$!
  # a signal that came before there was somebody to stop
  [ -z "$devenv_again$devenv_over" ] || devenv_stop
  devenv_tell "up $devenv_child"
  while :; do
    wait "$devenv_child"
    devenv_status=$?
    kill -0 "$devenv_child" 2> /dev/null || break
  done
  # a dyno ends whole: what is left of the group gets the same time
  if kill -0 "-$devenv_child" 2> /dev/null; then
    devenv_stop
    while kill -0 "-$devenv_child" 2> /dev/null; do sleep 0.05; done
  fi
  devenv_child=
  devenv_killer=
  [ -z "$devenv_over" ] || exit "$devenv_status"
  [ $(($(date +%s) - devenv_started)) -lt 60 ] || devenv_delay=1
  if [ -z "$devenv_again" ]; then
    devenv_attached || exit "$devenv_status"
    devenv_tell "exit $devenv_status"
    devenv_left=$devenv_delay
    while [ -z "$devenv_again$devenv_over" ] && [ "$devenv_left" -gt 0 ]; do
      sleep 1 &
      wait $!
      devenv_left=$((devenv_left - 1))
      devenv_attached || exit "$devenv_status"
    done
    [ -z "$devenv_over" ] || exit "$devenv_status"
    [ -n "$devenv_again" ] || devenv_delay=$((devenv_delay < 16 ? devenv_delay * 2 : 30))
  fi
  [ -z "$devenv_again" ] || devenv_delay=1
done
