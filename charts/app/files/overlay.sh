# Lays what was edited since the image was built over it, before anything else starts. $devenv_key: the image's tag.
# What a sync session changes meanwhile it sends again, because the number noted here is older.
if [ -f "/.devenv/$devenv_key/seq" ]; then
  mkdir -p /tmp/.devenv
  exec 9< "/.devenv/$devenv_key/seq"
  read -r devenv_seq <&9
  . "/.devenv/$devenv_key/state.sh"
  # entries without their folders, whose owner and mode are the image's
  (cd "/.devenv/$devenv_key/files" && find . ! -type d -exec sh -c 'tar -cf - "$@" | tar -xof - -C /' sh {} +) &&
    echo "$devenv_seq" > /tmp/.devenv/seq
  # a session that begins puts another folder in its place: what was copied meanwhile may not be whole
  [ /dev/fd/9 -ef "/.devenv/$devenv_key/seq" ] || exit 1
  exec 9<&-
fi
