"""`devenv sync`: edits go into the running pods."""

from typing import Annotated

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "sync", "devenv sync", "devenv sync --json")
def sync(shell: Shell) -> None:
    """Bring edits into the running pods as they are saved, until Ctrl-C; with --json a line for each batch.

    What `devenv up` does while it stays, without the logs.
    """
    from devenv.cli.attach import follow

    follow(shell, with_logs=False)


@verb(app, "sync:status", "devenv sync:status", "devenv sync:status --json")
def status(shell: Shell) -> None:
    """Tell whether a session is attached, and whether each pod has every edit."""
    from devenv.ops.sync_status import status as found

    result = found(shell.env)
    if shell.json:
        emit(shell, result)
        return
    console = shell.console
    who = f"attached (process {result.session})" if result.session else "not attached: `devenv sync` does it"
    console.out(f"=== {result.env} sync: {who}\n")
    if result.last:
        console.out(
            f"last: {result.last.count} file{'s' * (result.last.count != 1)} in {result.last.seconds * 1000:.0f} ms"
        )
    console.out(f"edited since the image was built: {result.edited} path{'s' * (result.edited != 1)}")
    for pod in result.pods:
        lacks = f"{pod.behind} behind" if pod.behind else "has edits of another work tree"
        state = console.style("has every edit", "green", out=True) if pod.current else lacks
        console.out(f"{pod.name}: {state}")


@verb(app, "sync:why", "devenv sync:why app.py", "devenv sync:why node_modules/x.js --json")
def why(shell: Shell, file: Annotated[str, typer.Argument(help="A file of the app.", metavar="FILE")]) -> None:
    """Tell what a change of FILE does, by which rule, when it was last synced, and what each pod has."""
    from devenv.ops.sync_status import why as found

    result = found(shell.env, file)
    if shell.json:
        emit(shell, result)
        return
    console = shell.console
    console.out(f"=== {result.path}\n")
    for name, text in result.lines():
        console.out(f"{name + ':':<13}{text}")
    for pod, text in result.pods.items():
        console.out(f"{pod + ':':<13}{text}")
