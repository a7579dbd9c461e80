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

    Without -d it stays and prints the logs until Ctrl-C, which leaves the app running.
    """
    from devenv.ops.up import up as bring_up

    result = bring_up(shell.env, build_always=build)
    console = shell.console
    if shell.json:
        emit(shell, result)
    else:
        text = f"v{result.version}" if result.changed else f"v{result.version}, nothing had changed"
        console.say(f"{console.style(result.env, 'bold')} is up ({text}): {', '.join(result.processes)}")
        if result.url:
            console.out(console.style(result.url, "cyan", "bold", out=True))
    if not detach and not shell.json:
        from devenv.cli.logs import tail

        console.say(console.style("Logs follow; Ctrl-C ends this view, the app keeps running.", "dim"))
        try:
            tail(shell, process=None, dyno=None, source=None, lines=20)
        except KeyboardInterrupt:
            console.say(f"\n{result.env} keeps running. `devenv down` stops it, `devenv logs -t` shows its logs.")
