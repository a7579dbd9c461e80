"""`devenv plan`."""

from typing import Annotated

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "plan", "devenv plan", "devenv plan --json", "devenv plan --dockerfile")
def plan(
    shell: Shell,
    dockerfile: Annotated[bool, typer.Option("--dockerfile", help="Print the Dockerfile that would be built.")] = False,
) -> None:
    """Show what `up` would do and why, without touching anything."""
    from devenv.cli.plan_text import show
    from devenv.ops.preview import preview

    found = preview(shell.env)
    if shell.json:
        emit(shell, found)
    elif dockerfile:
        for image in found.images:
            shell.console.out(f"# {image.name}\n{image.dockerfile}")
    else:
        show(shell.console, found)
