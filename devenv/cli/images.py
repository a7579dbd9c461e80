"""`devenv images` and its kin."""

from typing import Annotated

import typer

from devenv.base.console import table
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "images", "devenv images", "devenv images list --json")
def images(shell: Shell) -> None:
    """List the images devenv uses: official ones, or made here where no image registry can be reached."""
    from devenv.ops.images import listing

    rows = listing(shell.env)
    if shell.json:
        emit(shell, rows)
        return
    shell.console.out(
        table(
            [
                (row.key, row.source, row.state, f"{row.size // 10**6} MB" if row.size else "", row.reference)
                for row in rows
            ],
            ("image", "source", "state", "size", "reference"),
        )
    )


@verb(app, "images:list", "devenv images list")
def list_(shell: Shell) -> None:
    """The same as `devenv images`."""
    images(shell)


@verb(app, "images:build", "devenv images build", "devenv images build postgres stack")
def build(
    shell: Shell,
    keys: Annotated[list[str] | None, typer.Argument(help="Images; default: all.", metavar="[IMAGE]...")] = None,
) -> None:
    """Make the images from package registries. What is there is skipped; Ctrl-C loses only the step under way."""
    from devenv.ops.images import build as make

    done = make(shell.env, tuple(keys or ()))
    if shell.json:
        emit(shell, done)
    else:
        shell.console.say(f"{len(done.made)} made, {len(done.present)} were there ({done.seconds:.0f} s)")
