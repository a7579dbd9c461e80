"""`devenv logs`."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import compact

if TYPE_CHECKING:
    from devenv.ops.logs import Line

app = verbs()
COLORS = ("cyan", "yellow", "green", "magenta", "blue")


@verb(app, "logs", "devenv logs", "devenv logs -t", "devenv logs -p worker -n 500", "devenv logs -s heroku -d router")
def logs(
    shell: Shell,
    tail: Annotated[bool, typer.Option("--tail", "-t", help="Go on with new lines.")] = False,
    num: Annotated[int, typer.Option("--num", "-n", help="How many lines.", min=1)] = 100,
    process: Annotated[
        str | None, typer.Option("--process-type", "-p", help="Of one process type.", metavar="TYPE")
    ] = None,
    dyno: Annotated[
        str | None, typer.Option("--dyno-name", "--dyno", "-d", help="Of one dyno, or `router`.", metavar="DYNO")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", "-s", help="app or heroku.", metavar="SOURCE")] = None,
    addon: Annotated[bool, typer.Option("--addon", help="Of the add-ons' stand-ins instead.")] = False,
) -> None:
    """Show the log: the app's lines, the platform's, the router's."""
    if process and dyno:
        raise InputError("--process-type and --dyno-name exclude each other", "give one of them")
    if source not in (None, "app", "heroku"):
        raise InputError(f"`{source}` is not a source of log lines", "use app or heroku")
    from devenv.ops.logs import Wish, follow, recent

    wish = Wish(process, dyno, source, addon)
    if tail:
        with suppress(KeyboardInterrupt):
            show(shell, follow(shell.env, wish, num))
    else:
        show(shell, recent(shell.env, wish, num))


def show(shell: Shell, lines: "Iterable[Line]") -> None:
    """Print lines of the log as they come."""
    shades: dict[str, str] = {}
    for line in lines:
        if shell.json:
            shell.console.out(compact(line))
            continue
        shade = shades.setdefault(line.dyno, COLORS[len(shades) % len(COLORS)])
        head = shell.console.style(f"{line.time} {line.source}[{line.dyno}]:", shade, out=True)
        shell.console.out(f"{head} {line.text}")
