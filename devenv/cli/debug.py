"""`devenv debug`."""

import json
import time
from typing import Annotated

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import compact

app = verbs()


@verb(app, "debug", "devenv debug web", "devenv debug worker --port 5679")
def debug(
    shell: Shell,
    kind: Annotated[str, typer.Argument(help="A process type.", metavar="TYPE")],
    port: Annotated[int, typer.Option("--port", help="On this machine; default: the debugger's own.", min=0)] = 0,
) -> None:
    """Run a process of TYPE under its debugger (debugpy, node --inspect) until Ctrl-C, its port forwarded.

    Prints the entry for .vscode/launch.json; any editor that attaches to debugpy or Node's inspector will do.
    """
    from devenv.ops.debug import debugged

    console = shell.console
    with debugged(shell.env, kind, port) as found:
        if shell.json:
            console.out(compact(found))
        else:
            console.say(
                f"{console.style(found.dyno, 'bold')} listens on 127.0.0.1:{found.port}. In .vscode/launch.json:\n"
            )
            console.out(json.dumps(found.launch, indent=2))
            console.say("\nCtrl-C ends it.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.say("")
