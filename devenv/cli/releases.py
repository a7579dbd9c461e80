"""`devenv releases`."""

from typing import Annotated

import typer

from devenv.base.console import table
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "releases", "devenv releases", "devenv releases -n 50 --json")
def releases(shell: Shell, num: Annotated[int, typer.Option("--num", "-n", help="How many.", min=1)] = 15) -> None:
    """List the env's releases, newest first."""
    from devenv.ops.releases import releases as read
    from devenv.ops.status import ago

    rows = read(shell.env)[:num]
    if shell.json:
        emit(shell, rows)
        return
    if not rows:
        shell.console.out(f"{shell.env.name} has no releases.")
        return
    current = next((row.version for row in rows if row.status == "succeeded"), rows[0].version)
    shell.console.out(f"=== {shell.env.name} Releases - Current: v{current}\n")
    cells = [
        (f"v{row.version}", row.description + (f" {row.status}" if row.status != "succeeded" else ""), ago(row.created))
        for row in rows
    ]
    shell.console.out(table(cells, ("Version", "Description", "When")))
