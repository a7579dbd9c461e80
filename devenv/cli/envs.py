"""`devenv envs`."""

from devenv.base.console import table
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "envs", "devenv envs", "devenv envs --json")
def envs(shell: Shell) -> None:
    """List the envs of the cluster."""
    from devenv.ops.clusters import rows

    found = rows(shell.env)
    if shell.json:
        emit(shell, found)
    elif not found:
        shell.console.out("No envs. `devenv up` in an app's folder makes one.")
    else:
        shell.console.out(
            table(
                [(row.name, row.app, row.state, f"v{row.version}", row.url) for row in found],
                ("env", "app", "state", "release", "address"),
            )
        )
