# As heroku.yml commands start (heroku.md section 4.3): /bin/sh, no profile scripts. $0 is the process type, $1 the command.
devenv_number=$(printf %s "$HOSTNAME" | cksum 2>/dev/null)
devenv_number=${devenv_number%% *}
export DYNO="$0.$((${devenv_number:-0} % 9999 + 1))"
exec /bin/sh -c "$1"
