"""`devenv ps` and what changes the formation."""

from itertools import groupby
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
    from devenv.ops.status import ago, status

    found = status(shell.env)
    if shell.json:
        emit(shell, found)
        return
    out, style = shell.console.out, shell.console.style
    dynos = [dyno for dyno in found.dynos if not types or dyno.type in types]
    if types and not dynos:
        raise InputError(f"no {' '.join(types)} dynos on {found.env}", "`devenv ps` lists them all")
    if not dynos:
        out(f"No dynos on {found.env}" + ("" if found.running else " (it is down: `devenv up` starts it)"))
    for (kind, size, command), group in groupby(dynos, key=lambda dyno: (dyno.type, dyno.size, dyno.command)):
        members = list(group)
        title = (
            "run: one-off processes" if kind == "run" else f"{kind} ({size}): {command or 'the image’s own command'}"
        )
        out(style(f"=== {title} ({len(members)})", "bold", out=True) + "\n")
        for dyno in members:
            color = {"up": "green", "starting": "yellow", "complete": "dim"}.get(dyno.state, "red")
            memory = f"  {dyno.memory}M of {dyno.quota}M" if dyno.memory is not None and dyno.quota else ""
            over = " R14 (Memory quota exceeded)" if dyno.memory and dyno.quota and dyno.memory > dyno.quota else ""
            why = f": {dyno.detail}" if dyno.detail else ""
            tail = f": {dyno.command}" if kind == "run" and dyno.command else ""
            out(
                f"{dyno.name}: {style(dyno.state, color, out=True)} {ago(dyno.since)}{tail}{why}{style(memory, 'dim', out=True)}{style(over, 'red', out=True)}"
            )
        out()
    if found.addons and not types:
        out(style("=== Add-ons", "bold", out=True) + "\n")
        for addon in found.addons:
            state = "up" if addon.ready else "down" if not addon.running else "starting"
            memory = f"  {addon.memory}M" if addon.memory is not None else ""
            out(
                f"{addon.name}: {style(state, 'green' if addon.ready else 'yellow', out=True)}{style(memory, 'dim', out=True)}"
            )
        out()
    where = f"  {found.url}" if found.url and found.running else ""
    mode = {"work-tree": "work tree", "release": "release"}.get(found.mode, "no release yet")
    out(f"v{found.version} ({mode}), {found.memory}M of memory, the whole cluster {found.cluster_memory}M{where}")


@verb(
    app,
    "ps:scale",
    "devenv ps:scale web=2 worker=1",
    "devenv ps:scale web+1",
    "devenv ps:scale web=1:Standard-2X",
    raw=True,
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
            emit(shell, {name: {"quantity": count, "size": size} for name, count, size in rows})
        else:
            shell.console.out(" ".join(f"{name}={count}:{size}" for name, count, size in sorted(rows)))
        return
    now = scale(shell.env, tuple(changes))
    text = ", ".join(f"{name} at {count}:{size}" for name, count, size in now)
    shell.console.say(f"Scaling dynos... done, now running {text}")
    if shell.json:
        emit(shell, {name: {"quantity": count, "size": size} for name, count, size in now})


@verb(app, "ps:type", "devenv ps:type")
def types(shell: Shell) -> None:
    """Show the process types with their sizes and quantities."""
    from devenv.base.console import table
    from devenv.ops.scale import formation

    rows = formation(shell.env)
    if shell.json:
        emit(shell, {name: {"quantity": count, "size": size} for name, count, size in rows})
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


@verb(app, "ps:stop", "devenv ps:stop web.4711", "devenv ps:stop run.1234")
def stop(shell: Shell, target: Annotated[str, typer.Argument(help="A type or a dyno.", metavar="TYPE|DYNO")]) -> None:
    """Stop a one-off dyno; a dyno of the formation is replaced by a fresh one, as on Heroku."""
    from devenv.ops.scale import restart as again

    again(shell.env, target)
    shell.console.say(f"Stopping {target} on {shell.env.name}... done")
