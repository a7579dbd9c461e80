"""`devenv run`, `devenv run:detached`."""

import sys
from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs

app = verbs()
Words = Annotated[list[str] | None, typer.Argument(help="The command.", metavar="CMD...")]
SizeOption = Annotated[str | None, typer.Option("--size", "-s", help="Dyno size.")]
TypeOption = Annotated[
    str | None, typer.Option("--type", help="The process type whose image it runs in.", metavar="TYPE")
]
VarsOption = Annotated[str | None, typer.Option("--env-vars", "-e", help="Further variables: A=1;B=2.", metavar="VARS")]


def _extra(text: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in (text or "").split(";") if pair]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise InputError(f"`{bad[0]}` has no value", "write -e 'A=1;B=2'")
    return {name: value for name, _, value in pairs}


@verb(
    app,
    "run",
    "devenv run bash",
    "devenv run python manage.py migrate",
    "echo 'select 1' | devenv run --no-tty psql '$DATABASE_URL'",
    raw=True,
)
def run(
    shell: Shell,
    words: Words = None,
    size: SizeOption = None,
    type_: TypeOption = None,
    variables: VarsOption = None,
    no_tty: Annotated[bool, typer.Option("--no-tty", help="No terminal, as on a pipe.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", "-x", help="Always on here: the command's status is devenv's.")
    ] = True,
) -> None:
    """Run a command in a one-off dyno with the app's image and config vars; its exit status is devenv's."""
    from devenv.ops import oneoff

    if not words:
        raise InputError("run what?", "for example: devenv run bash")
    env = shell.env
    env.require()
    command = oneoff.command_line(env, words)
    with shell.console.step(f"Running {command} on {env.name}...") as step:
        dyno = oneoff.start(env, command=command, size=size, extra=_extra(variables), kind=type_, hold=True)
        step.result = f"up, {dyno.name}"
    tty = not no_tty and sys.stdin.isatty() and sys.stdout.isatty()
    raise typer.Exit(oneoff.attach(env, dyno, command, tty=tty))


@verb(app, "run:detached", "devenv run:detached python crunch.py", raw=True)
def detached(
    shell: Shell, words: Words = None, size: SizeOption = None, type_: TypeOption = None, variables: VarsOption = None
) -> None:
    """Start a command in a one-off dyno and come back at once."""
    from devenv.ops import oneoff

    if not words:
        raise InputError("run what?", "for example: devenv run:detached python crunch.py")
    command = oneoff.command_line(shell.env, words)
    dyno = oneoff.start(shell.env, command=command, size=size, extra=_extra(variables), kind=type_, hold=False)
    shell.console.say(f"Running {command} on {shell.env.name}... done, {dyno.name}")
    shell.console.say(f"Run devenv logs --dyno-name {dyno.name} to view the output.")
    if shell.json:
        from devenv.cli.render import emit

        emit(shell, {"name": dyno.name, "pod": dyno.pod})
