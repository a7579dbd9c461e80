"""`devenv logs`."""

from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs

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
    if tail:
        try:
            _show(shell, process, dyno, source, addon, num, follow=True)
        except KeyboardInterrupt:
            return
    else:
        _show(shell, process, dyno, source, addon, num, follow=False)


def tail(shell: Shell, *, process: str | None, dyno: str | None, source: str | None, lines: int) -> None:
    """Follow the log until Ctrl-C."""
    _show(shell, process, dyno, source, False, lines, follow=True)


def _show(
    shell: Shell, process: str | None, dyno: str | None, source: str | None, addon: bool, num: int, *, follow: bool
) -> None:
    from devenv.cli.render import compact
    from devenv.ops import logs as stream

    wish = stream.Wish(process, dyno, source, addon)
    lines = stream.follow(shell.env, wish, num) if follow else stream.recent(shell.env, wish, num)
    shades: dict[str, str] = {}
    for line in lines:
        if shell.json:
            shell.console.out(compact(line))
            continue
        shade = shades.setdefault(line.dyno, COLORS[len(shades) % len(COLORS)])
        head = shell.console.style(f"{line.time} {line.source}[{line.dyno}]:", shade, out=True)
        shell.console.out(f"{head} {line.text}")
