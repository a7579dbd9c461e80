# Lays what was edited since the image was built over it, before anything else starts. $devenv_key: the image's tag.
# What a sync session changes meanwhile it sends again, because the number noted here is older.
if [ -f "/.devenv/$devenv_key/seq" ]; then
  mkdir -p /tmp/.devenv
  read -r devenv_seq < "/.devenv/$devenv_key/seq"
  . "/.devenv/$devenv_key/state.sh"
  # entries without their folders, whose owner and mode are the image's
  (cd "/.devenv/$devenv_key/files" && find . ! -type d -exec sh -c 'tar -cf - "$@" | tar -xof - -C /' sh {} +)
  echo "$devenv_seq" > /tmp/.devenv/seq
fi
