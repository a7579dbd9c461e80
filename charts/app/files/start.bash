# As a dyno starts (heroku.md sections 3.1, 3.7): DYNO, the buildpacks' profile scripts, the app's own, the command.
# $0: process type. $1: command. $2: the dyno's number; by default one from the pod's name, 1 where there is no cksum.
devenv_command=$1
devenv_number=$(printf %s "$HOSTNAME" | cksum 2>/dev/null)
devenv_number=${devenv_number%% *}
export DYNO="$0.${2:-$((${devenv_number:-0} % 9999 + 1))}"
# run by whoever runs the command, right before it: after an edit it is another one
devenv_prepare='for devenv_profile in .profile.d/*.sh; do
  [ ! -f "$devenv_profile" ] || . "$devenv_profile"
done
[ ! -f .profile ] || . ./.profile'
