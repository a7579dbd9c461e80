"""The entry: finds the verb, runs it, turns errors into messages and an exit status."""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from devenv import __version__
from devenv.base import interrupt, proc
from devenv.base.errors import DevenvError, InputError, Interrupted
from devenv.cli.common import HELP, consoles, taken_as_is
from devenv.cli.machine import known

# verb file -> its verbs: only the file of the verb that was asked for is imported, so that the command line answers at once
FILES: dict[str, tuple[str, ...]] = {
    "up": ("up",),
    "push": ("push", "promote"),
    "git": ("git:remote",),
    "down": ("down", "destroy"),
    "plan": ("plan",),
    "ps": ("ps", "ps:scale", "ps:restart", "ps:stop", "ps:type"),
    "sync": ("sync", "sync:status", "sync:why"),
    "debug": ("debug",),
    "logs": ("logs",),
    "run": ("run", "run:detached"),
    "config": ("config", "config:get", "config:set", "config:unset", "config:edit"),
    "addons": ("addons", "addons:create", "addons:destroy", "addons:mode"),
    "data": ("pg:psql", "pg:info", "redis:cli", "mqtt:sub", "mqtt:pub", "es:curl"),
    "releases": ("releases", "releases:info", "releases:output", "releases:retry", "rollback"),
    "candidate": ("releases:watch", "releases:promote", "releases:abort"),
    "open": ("open",),
    "doctor": ("doctor",),
    "cluster": ("cluster", "cluster:status", "cluster:create", "cluster:delete"),
    "images": ("images", "images:build", "images:list"),
    "envs": ("envs",),
    "version": ("version",),
    "completion": ("completion",),
}
COMPLETE = "_DEVENV_COMPLETE"  # set by the completion scripts
VERBS = {name: file for file, names in FILES.items() for name in names}


class Verbs(TyperGroup):
    """The group of all verbs; each is loaded when it is asked for."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` included."""
        return [taken_as_is(parameter) for parameter in super().get_params(ctx)]

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb, or None when there is none of that name."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"devenv.cli.{VERBS[cmd_name]}")
        return typer.main.get_group(module.app).commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of verbs, from their functions' first sentences: making a command of each would take longer than all the rest."""
        lines: dict[str, str] = {}
        for file in FILES:
            for command in importlib.import_module(f"devenv.cli.{file}").app.registered_commands:
                lines[command.name] = (command.callback.__doc__ or "").split("\n")[0].split(". ")[0].rstrip(".")
        with formatter.section("Commands"):
            formatter.write_dl([(name, lines[name]) for name in VERBS])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Heroku's colon also as a blank: `cluster create` is `cluster:create`; `help VERB` is `VERB --help`."""
        if args[0] == "help":
            args = [*args[1:], "--help"]
        if len(args) > 1 and f"{args[0]}:{args[1]}" in VERBS:
            args = [f"{args[0]}:{args[1]}", *args[2:]]
        if ctx.resilient_parsing and args[0] not in VERBS:
            return None, None, []  # Tab was pressed: the verbs are offered, nothing is told
        if args[0] == "--help":
            typer.echo(ctx.get_help())
            raise typer.Exit
        if args[0] not in VERBS:
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, 1)
            hint = f"did you mean `{near[0]}`?" if near else "`devenv --help` lists the verbs"
            raise InputError(f"there is no verb `{args[0]}`", hint)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Verbs,
    name="devenv",
    add_completion=False,
    rich_markup_mode=None,
    context_settings=HELP,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"devenv/{__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Your Heroku app, unchanged, on a real Kubernetes cluster on your laptop.

    Start with `devenv up` in a folder that has a Procfile.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the exit status comes back, nothing is raised."""
    args = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if COMPLETE in os.environ:
        from typer import completion

        completion.completion_init()  # type: ignore[attr-defined]
        args = []
    try:
        status = typer.main.get_command(app).main(
            args, prog_name="devenv", complete_var=COMPLETE, standalone_mode=False
        )
        # Typer makes a silent status of a Ctrl-C that comes outside of a verb; a verb's own 130 is another matter
        if status == interrupt.STATUS and proc.stopped():
            return interrupt.tell()
        return status if isinstance(status, int) else 0
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        _fail(args, error.format_message(), "`devenv --help` lists the verbs, `devenv help VERB` explains one", ())
        return 2
    except (KeyboardInterrupt, Interrupted, typer.Abort):
        return interrupt.tell(128 + (proc.stopped() or signal.SIGINT))
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone (`| head`): nothing more to say
        return 141
    except DevenvError as error:
        _fail(args, error.message, error.hint, error.details, error)
        return error.exit_code
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
        if status > 128:
            interrupt.tell()
        return status
    except Exception as error:  # noqa: BLE001 the one boundary: a bug ends in a message too
        told = known(error)
        _fail(args, told.message, told.hint, told.details, error)
        return told.exit_code


def obey_signals() -> None:
    """Have signals end this run as an exception, so that what was begun is put away: a one-off dyno, a build, a lock."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, and jobs in the background of a script
            signal.signal(number, _ended)


def run() -> None:
    """The console script."""
    obey_signals()
    status = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # its reader has gone, or its disk is full
            status = status or 1
    # what a Ctrl-C left behind in threads has nothing more to say
    os._exit(status)


def _ended(number: int, _frame: object) -> None:
    proc.stop(number)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _fail(
    args: list[str], message: str, hint: str | None, details: Sequence[str], error: Exception | None = None
) -> None:
    from devenv.base.console import Console

    console = Console(color=False if "--no-color" in args else None)
    if consoles:
        console.mask = consoles[-1].mask
    if error is not None and ("--verbose" in args or "-v" in args):
        import traceback

        sys.stderr.write(console.mask("".join(traceback.format_exception(error))))
    console.quiet = False
    console.say(f"{console.style('Error:', 'red', 'bold')} {message}")
    for line in details:
        console.say(f"    {line}")
    if hint:
        console.say(f"\n{console.style('Hint:', 'cyan', 'bold')} {hint}")
