"""`devenv config` and its kin."""

from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import brought_by, columns, emit

app = verbs()
Pairs = Annotated[list[str], typer.Argument(help="NAME=value", metavar="NAME=VALUE...")]
Names = Annotated[list[str], typer.Argument(help="Names.", metavar="NAME...")]
ShellOption = Annotated[bool, typer.Option("--shell", "-s", help="Print NAME=value lines with Heroku's quoting.")]


@verb(app, "config", "devenv config", "devenv config --origins", "devenv config --json > config.json")
def config(
    shell: Shell,
    as_shell: ShellOption = False,
    origins: Annotated[bool, typer.Option("--origins", help="Tell where each comes from.")] = False,
) -> None:
    """Show the env's config vars."""
    from devenv.heroku.config_vars import shell_quote
    from devenv.ops.config import current

    found = current(shell.env)
    names = sorted(found.values)
    if shell.json:
        emit(
            shell,
            {
                name: {"value": found.values[name], "origin": found.origins.get(name)}
                if origins
                else found.values[name]
                for name in names
            },
        )
        return
    if as_shell:
        for name in names:
            shell.console.out(f"{name}={shell_quote(found.values[name])}")
        return
    shell.console.out(f"=== {shell.env.name} Config Vars\n")
    rows = {name: found.values[name] for name in names}
    if origins:
        for name in names:
            rows[name] += shell.console.style(f"  ({found.origins.get(name, '')})", "dim", out=True)
    columns(shell, rows)


@verb(app, "config:get", "devenv config:get DATABASE_URL", "devenv config:get SECRET_KEY -s")
def get(shell: Shell, name: Annotated[str, typer.Argument(metavar="NAME")], as_shell: ShellOption = False) -> None:
    """Print one value; an empty line when it is not set."""
    from devenv.heroku.config_vars import shell_quote
    from devenv.ops.config import current

    value = current(shell.env).values.get(name)
    if shell.json:
        emit(shell, {name: value})
    else:
        shell.console.out(f"{name}={shell_quote(value or '')}" if as_shell else value or "")


@verb(app, "config:set", "devenv config:set DEBUG=1 GREETING='hello world'")
def set_(shell: Shell, pairs: Pairs) -> None:
    """Set config vars: a new release, all processes restart."""
    changes: dict[str, str | None] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"`{name}` has no value", f"write {name}=value; `devenv config:unset {name}` removes it")
        changes[name] = value
    _change(shell, "Setting", "Set", changes)
    if not shell.json:
        columns(shell, changes)


@verb(app, "config:unset", "devenv config:unset DEBUG")
def unset(shell: Shell, names: Names) -> None:
    """Remove config vars: a new release, all processes restart."""
    _change(shell, "Unsetting", "Remove", dict.fromkeys(names))


def _change(shell: Shell, doing: str, done: str, changes: dict[str, str | None]) -> None:
    from devenv.ops.config import change

    names = ", ".join(changes)
    result = change(shell.env, changes, f"{done} {names} config vars")
    shell.console.say(f"{doing} {names} and restarting {shell.env.name}... done{brought_by(result.version)}")
    if shell.json:
        emit(shell, {"changed": list(changes), "version": result.version})


@verb(app, "config:edit", "devenv config:edit", "EDITOR=nano devenv config:edit")
def edit(shell: Shell) -> None:
    """Edit the variables that config:set keeps, in $EDITOR; one release for all changes."""
    from devenv.cli.editor import edit as in_editor
    from devenv.heroku.config_vars import parse_dotenv, shell_quote

    before = shell.env.settings().config if shell.env.status.state == "running" else {}
    text = "".join(f"{name}={shell_quote(before[name])}\n" for name in sorted(before))
    edited = in_editor(text)
    after = dict(parse_dotenv(edited, "the edited config").values) if edited is not None else dict(before)
    changes: dict[str, str | None] = {name: value for name, value in after.items() if before.get(name) != value}
    changes |= {name: None for name in before if name not in after}
    if not changes:
        shell.console.say("No changes.")
        if shell.json:
            emit(shell, {"changed": [], "version": None})
        return
    _change(shell, "Setting", "Set", changes)
