"""`devenv open`."""

from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "open", "devenv open", "devenv open /history")
def open_(
    shell: Shell, path: Annotated[str, typer.Argument(help="A path on the app.", metavar="[PATH]")] = "/"
) -> None:
    """Open the app in the browser; where there is none, print its address."""
    import webbrowser

    shell.env.require()
    if shell.env.status.state != "running":
        raise InputError("the cluster does not run", "`devenv up` starts it")
    url = f"{shell.env.url}/{path.lstrip('/')}"
    if shell.json:
        emit(shell, {"env": shell.env.name, "url": url})
    else:
        shell.console.out(url)
    webbrowser.open(url)
