# As heroku.yml commands start (heroku.md section 4.3): /bin/sh, no profile scripts.
# $0: process type. $1: command. $2: the dyno's number; by default one from the pod's name, 1 where there is no cksum.
devenv_command=$1
devenv_number=$(printf %s "$HOSTNAME" | cksum 2>/dev/null)
devenv_number=${devenv_number%% *}
export DYNO="$0.${2:-$((${devenv_number:-0} % 9999 + 1))}"
devenv_prepare=
