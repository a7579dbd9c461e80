"""The verbs for a release that is tried beside the one that serves: `push --canary`, `push --strategy blue-green`."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import compact, emit

if TYPE_CHECKING:
    from devenv.ops.candidate import Side

app = verbs()
PERIOD = 2.0  # seconds between two lines of `releases:watch`


@verb(app, "releases:watch", "devenv releases:watch", "devenv releases:watch --once --json")
def watch(
    shell: Shell, once: Annotated[bool, typer.Option("--once", help="The counts since the processes are up.")] = False
) -> None:
    """Count the requests and errors of the release that serves and of the candidate, until Ctrl-C."""
    from devenv.ops.candidate import sides

    first = sides(shell.env)
    if once:
        if shell.json:
            emit(shell, first)
        else:
            _show(shell, first)
        return
    while True:
        time.sleep(PERIOD)
        now = sides(shell.env)
        since = [_since(each, first) for each in now]
        if shell.json:
            shell.console.out(compact(since))
        else:
            _show(shell, since)


def _since(side: "Side", first: "Sequence[Side]") -> "Side":
    """The counts since the watch began; of a pod that is new since, all."""
    for each in first:
        if each.version == side.version and each.requests <= side.requests:
            return replace(side, requests=side.requests - each.requests, errors=max(0, side.errors - each.errors))
    return side


def _show(shell: Shell, sides: "Sequence[Side]") -> None:
    from devenv.base.console import table

    rows = [
        (
            f"v{each.version}",
            "candidate" if each.candidate else "serves",
            f"{each.share} %",
            str(each.pods),
            str(each.requests),
            f"{each.errors} ({100 * each.errors / max(1, each.requests):.1f} %)",
        )
        for each in sides
    ]
    shell.console.out(table(rows, ("Release", "Role", "Share", "Dynos", "Requests", "Errors")))


@verb(app, "releases:promote", "devenv releases:promote")
def promote(shell: Shell) -> None:
    """Make the candidate the release: it gets all requests at once, then every process type follows."""
    from devenv.ops.strategy import promote as go

    done = go(shell.env)
    shell.console.say(f"Promoting the candidate on {shell.env.name}... done, v{done.version}")
    if shell.json:
        emit(shell, done)


@verb(app, "releases:abort", "devenv releases:abort")
def abort(shell: Shell) -> None:
    """End the candidate; the release before it gets all requests again."""
    from devenv.ops.strategy import abort as end

    done = end(shell.env)
    shell.console.say(f"Ending the candidate on {shell.env.name}... done, v{done.version} serves")
    if shell.json:
        emit(shell, done)
