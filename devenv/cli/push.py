"""`devenv push`."""

from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "push", "devenv push", "devenv push v1.2", "devenv push --force", "devenv push --canary 10")
def push(
    shell: Shell,
    ref: Annotated[str, typer.Argument(help="A commit, branch or tag; default: the last commit.", metavar="[REF]")] = (
        "HEAD"
    ),
    force: Annotated[bool, typer.Option("--force", "-f", help="Release a commit again that serves already.")] = False,
    canary: Annotated[
        int | None, typer.Option(help="Try it with so many percent of the requests.", metavar="PERCENT", min=1, max=99)
    ] = None,
    strategy: Annotated[
        str, typer.Option(help="rolling, or blue-green: no request before releases:promote.", metavar="NAME")
    ] = "rolling",
) -> None:
    """Build a commit and run it as production would: what `git push heroku main` does.

    Files that are not committed stay out. `git push devenv main` does the same, after `devenv git:remote`.
    """
    from devenv.base import git
    from devenv.ops.candidate import url as candidate_url
    from devenv.ops.push import push as deploy

    git.leave_hook()
    share = _share(canary, strategy)
    result = deploy(shell.env, ref, force=force, share=share)
    if share is not None and result.changed:
        told = f"v{result.version} gets {share} % of the requests; it has an address of its own too: {candidate_url(shell.env)}"
        shell.console.say(told)
        shell.console.say(
            "`devenv releases:watch` counts; `devenv releases:promote` or `devenv releases:abort` ends it."
        )
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


def _share(canary: int | None, strategy: str) -> int | None:
    if strategy not in ("rolling", "blue-green"):
        raise InputError(f"there is no strategy `{strategy}`", "rolling, blue-green, or --canary PERCENT")
    if canary is not None and strategy == "blue-green":
        raise InputError("a canary gets requests at once, a blue-green release none", "use one of the two options")
    return 0 if strategy == "blue-green" else canary
