"""`devenv up`."""

from typing import Annotated

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "up", "devenv up", "devenv up -d", "devenv up --env lamp-experiment")
def up(
    shell: Shell,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Come back when the app is up.")] = False,
    build: Annotated[bool, typer.Option("--build", help="Build the image even when nothing changed.")] = False,
) -> None:
    """Run the app in this folder: cluster, add-ons, image, release phase, processes.

    Without -d (or --json, which implies it) it stays: edits go into the running pods as they are saved, and the logs follow, until Ctrl-C, which
    leaves the app running.
    """
    from devenv.ops.up import up as bring_up

    result = bring_up(shell.env, build_always=build, stays=not detach and not shell.json)
    console = shell.console
    if shell.json:
        emit(shell, result)
    else:
        text = f"v{result.version}" if result.changed else f"v{result.version}, nothing had changed"
        console.say(f"{console.style(result.env, 'bold')} is up ({text}): {', '.join(result.processes)}")
        if result.url:
            console.out(console.style(result.url, "cyan", "bold", out=True))
    if not detach and not shell.json:
        from devenv.cli.attach import follow

        console.say(console.style("Edits are synced, logs follow; Ctrl-C ends this, the app keeps running.", "dim"))
        follow(shell, with_logs=True)
