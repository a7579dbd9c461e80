# As a dyno starts (heroku.md sections 3.1, 3.7): DYNO, the buildpacks' profile scripts, the app's own, the command.
# $0 is the process type, $1 the command.
devenv_number=$(printf %s "$HOSTNAME" | cksum 2>/dev/null)
devenv_number=${devenv_number%% *}
devenv_command=$1
export DYNO="$0.$((${devenv_number:-0} % 9999 + 1))"
for devenv_profile in .profile.d/*.sh; do
  [ -f "$devenv_profile" ] && . "$devenv_profile"
done
[ -f .profile ] && . ./.profile
exec bash -c "$devenv_command"
