"""`devenv git:remote`."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()
HELPER = "git-remote-devenv"


@verb(app, "git:remote", "devenv git:remote", "git push devenv main", "devenv git:remote -r staging --env lamp-staging")
def remote(
    shell: Shell,
    name: Annotated[str, typer.Option("--remote", "-r", help="The remote's name.", metavar="NAME")] = "devenv",
) -> None:
    """Add a git remote, so that `git push devenv main` deploys."""
    from devenv.base import git

    env, folder = shell.env, shell.app_dir
    if shell.provider or shell.profile:
        raise InputError(
            "a git remote keeps neither `--provider` nor `--profile`",
            "write `provider: …` and `extends: …` into .devenv/profile.yaml, then `devenv git:remote`",
        )
    if git.git_folder(folder) is None:
        raise InputError(
            f"`{folder}` is not in a git repository", "`git init`, then commit: what is pushed is a commit"
        )
    below = git.prefix(env.runner, folder).strip("/")
    url = "/".join(["devenv:/", env.spec.name, env.name, *([below] if below else [])])
    git.set_remote(env.runner, folder, name, url)
    shell.console.say(f"set git remote {name} to {url}")
    if shutil.which(HELPER) is None:
        bin_folder = Path(sys.executable).parent
        shell.console.warn(f"git does not find `{HELPER}`: put the folder of devenv on your PATH ({bin_folder})")
    if shell.json:
        emit(shell, {"remote": name, "url": url})
