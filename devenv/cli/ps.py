"""`devenv ps` and what changes the formation."""

from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "ps", "devenv ps", "devenv ps --json")
def ps(
    shell: Shell, types: Annotated[list[str] | None, typer.Argument(help="Process types.", metavar="[TYPE]...")] = None
) -> None:
    """List the dynos of the env, its add-ons and the memory they use."""
    from devenv.cli.dynos import show
    from devenv.ops.status import status

    found = status(shell.env)
    if shell.json:
        emit(shell, found)
        return
    dynos = [dyno for dyno in found.dynos if not types or dyno.type in types]
    if types and not dynos:
        raise InputError(f"no {' '.join(types)} dynos on {found.env}", "`devenv ps` lists them all")
    show(shell.console, found, dynos, addons=not types)


@verb(
    app,
    "ps:scale",
    "devenv ps:scale web=2 worker=1",
    "devenv ps:scale web+1",
    "devenv ps:scale web=1:Standard-2X",
)
def scale(
    shell: Shell,
    changes: Annotated[list[str] | None, typer.Argument(help="TYPE=N[:SIZE]", metavar="[TYPE=N[:SIZE]]...")] = None,
) -> None:
    """Change how many dynos of a type run, and their size. Without arguments: show the formation."""
    from devenv.ops.scale import formation, scale

    if not changes:
        rows = formation(shell.env)
        if shell.json:
            _emit(shell, rows)
        else:
            shell.console.out(" ".join(f"{name}={count}:{size}" for name, count, size in sorted(rows)))
        return
    now = scale(shell.env, tuple(changes))
    text = ", ".join(f"{name} at {count}:{size}" for name, count, size in now)
    shell.console.say(f"Scaling dynos... done, now running {text}")
    if shell.json:
        _emit(shell, now)


def _emit(shell: Shell, rows: tuple[tuple[str, int, str], ...]) -> None:
    emit(shell, {name: {"quantity": count, "size": size} for name, count, size in rows})


@verb(app, "ps:type", "devenv ps:type")
def types(shell: Shell) -> None:
    """Show the process types with their sizes and quantities."""
    from devenv.base.console import table
    from devenv.ops.scale import formation

    rows = formation(shell.env)
    if shell.json:
        _emit(shell, rows)
        return
    shell.console.out("=== Process Types\n")
    shell.console.out(table([(name, size, str(count)) for name, count, size in rows], ("type", "size", "qty")))


@verb(app, "ps:restart", "devenv ps:restart", "devenv ps:restart web", "devenv ps:restart web.4711")
def restart(
    shell: Shell, target: Annotated[str | None, typer.Argument(help="A type or a dyno.", metavar="[TYPE|DYNO]")] = None
) -> None:
    """Restart all dynos, those of a type, or one."""
    from devenv.ops.scale import restart as again

    count = again(shell.env, target)
    what = "all dynos" if target is None else f"dyno {target}" if "." in target else f"all {target} dynos"
    shell.console.say(f"Restarting {what} on {shell.env.name}... done ({count})")
    if shell.json:
        emit(shell, {"env": shell.env.name, "restarted": count})


@verb(app, "ps:stop", "devenv ps:stop web.4711", "devenv ps:stop run.1234")
def stop(shell: Shell, target: Annotated[str, typer.Argument(help="A type or a dyno.", metavar="TYPE|DYNO")]) -> None:
    """Stop a one-off dyno; a dyno of the formation is replaced by a fresh one, as on Heroku."""
    from devenv.ops.scale import restart as again

    count = again(shell.env, target)
    shell.console.say(f"Stopping {target} on {shell.env.name}... done")
    if shell.json:
        emit(shell, {"env": shell.env.name, "stopped": count})
