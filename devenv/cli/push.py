"""`devenv push`."""

from typing import Annotated

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "push", "devenv push", "devenv push v1.2", "devenv push --force")
def push(
    shell: Shell,
    ref: Annotated[str, typer.Argument(help="A commit, branch or tag; default: the last commit.", metavar="[REF]")] = (
        "HEAD"
    ),
    force: Annotated[bool, typer.Option("--force", "-f", help="Release a commit again that serves already.")] = False,
) -> None:
    """Build a commit and run it as production would: what `git push heroku main` does.

    Files that are not committed stay out. `git push devenv main` does the same, after `devenv git:remote`.
    """
    from devenv.base import git
    from devenv.ops.push import push as deploy

    git.leave_hook()
    result = deploy(shell.env, ref, force=force)
    if shell.json:
        emit(shell, result)


@verb(app, "promote", "devenv promote --to lamp-production")
def promote(
    shell: Shell, to: Annotated[str, typer.Option("--to", "-t", help="The env that gets it.", metavar="ENV")]
) -> None:
    """Run what serves in this env in another one too: the same image and process types, with that env's own config.

    The release command runs there.
    """
    from devenv.ops.promote import promote as further

    done = further(shell.env, to)
    if shell.json:
        emit(shell, done)
