"""`devenv addons` and its kin."""

from typing import Annotated

import typer

from devenv.base.console import table
from devenv.cli.common import Confirm, Shell, verb, verbs
from devenv.cli.render import brought_by, emit

app = verbs()


@verb(app, "addons", "devenv addons", "devenv addons --json")
def addons(shell: Shell) -> None:
    """List the app's add-ons and what stands in for each."""
    from devenv.ops.preview import preview

    found = preview(shell.env).addons
    if shell.json:
        emit(shell, found)
        return
    if not found:
        shell.console.out(f"No add-ons for app {shell.env.name}.")
        return
    rows = [
        (f"{row.service}\n └─ as {row.attachment}", row.plan or "", row.mode, row.stands_in, row.priority)
        for row in found
    ]
    shell.console.out(table(rows, ("Add-on", "Plan", "Mode", "Here", "Priority")))


@verb(
    app,
    "addons:create",
    "devenv addons:create heroku-redis:mini",
    "devenv addons:create heroku-postgresql:essential-0 --as ANALYTICS -- --version=16",
)
def create(
    shell: Shell,
    service: Annotated[str, typer.Argument(metavar="SERVICE[:PLAN]")],
    options: Annotated[
        list[str] | None, typer.Argument(help="Options of the add-on.", metavar="[-- --NAME=VALUE]...")
    ] = None,
    attachment: Annotated[str | None, typer.Option("--as", help="The attachment's name.", metavar="NAME")] = None,
) -> None:
    """Add an add-on to the env: its stand-in comes up, its config vars are set."""
    from devenv.ops.addon_changes import create as make

    words = [word.removeprefix("--").partition("=") for word in options or []]
    made = make(shell.env, service, attachment, {name: value or "true" for name, _, value in words})
    if shell.json:
        emit(shell, made)
        return
    shell.console.say(f"Creating {service} on {shell.env.name}... free")
    shell.console.say(f"Created {made.name} as {', '.join(made.config)}{brought_by(made.version)}")


@verb(app, "addons:destroy", "devenv addons:destroy heroku-redis")
def destroy(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="The service or the attachment.", metavar="NAME")],
    confirm: Confirm = None,
) -> None:
    """Remove an add-on from the env. Its volume stays until `devenv destroy`."""
    from devenv.ops.addon_changes import destroy as remove

    env = shell.env.name
    shell.confirm(f"this removes {name} from {env}", "removed", env, confirm)
    version = remove(shell.env, name)
    shell.console.say(f"Destroying {name} on {env}... done; its volume stays until `devenv destroy`")
    if shell.json:
        emit(shell, {"name": name, "version": version})


@verb(
    app,
    "addons:mode",
    "devenv addons:mode sentry off",
    "devenv addons:mode heroku-redis passthrough",
    "devenv addons:mode heroku-redis stand-in",
)
def mode(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="The service or the attachment.", metavar="NAME")],
    wanted: Annotated[str, typer.Argument(help="stand-in, passthrough or off.", metavar="MODE")],
) -> None:
    """Choose what takes an add-on's place: a real server here, the hosted service, or nothing."""
    from devenv.ops.addon_changes import mode as change

    version = change(shell.env, name, wanted)
    shell.console.say(f"Setting {name} to {wanted} on {shell.env.name}... done{brought_by(version)}")
    if shell.json:
        emit(shell, {"name": name, "mode": wanted, "version": version})
