"""What every verb shares: the global options, the example in its help, the Shell handed to it."""

import inspect
import os
import signal
import sys
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from devenv.base.console import Console
from devenv.base.errors import InputError, Interrupted

if TYPE_CHECKING:
    from devenv.ops.env import Env

EnvOption = Annotated[
    str | None, typer.Option("--env", "-a", "--app", help="The env; default: the app's name.", metavar="NAME")
]
DirOption = Annotated[
    Path | None, typer.Option("--app-dir", help="The app's folder; default: this one.", metavar="DIR")
]
ClusterOption = Annotated[str | None, typer.Option("--cluster", help="The cluster; default: devenv.", metavar="NAME")]
ProviderOption = Annotated[
    str | None, typer.Option("--provider", help="kind, minikube or context:NAME.", metavar="NAME")
]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="default, small or full.", metavar="NAME")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what was asked for.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say everything; tracebacks too.")]
ColorOption = Annotated[bool, typer.Option("--no-color", help="No colour; NO_COLOR does the same.")]
JsonOption = Annotated[bool, typer.Option("--json", "-j", help="Print JSON on stdout.")]

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
GLOBAL: dict[str, tuple[Any, Any]] = {
    "env": (EnvOption, None),
    "app_dir": (DirOption, None),
    "cluster": (ClusterOption, None),
    "provider": (ProviderOption, None),
    "profile": (ProfileOption, None),
    "quiet": (QuietOption, False),
    "verbose": (VerboseOption, False),
    "no_color": (ColorOption, False),
    "json": (JsonOption, False),
}
consoles: list[Console] = []  # the one of this run, once there is one: the error boundary masks what it masks


@dataclass
class Shell:
    """One run of a verb: the global options, the console, and the env they point at."""

    env_name: str | None
    app_dir: Path
    cluster: str | None
    provider: str | None
    profile: str | None
    json: bool
    console: Console

    @cached_property
    def env(self) -> "Env":
        """The env the options point at; nothing is read before it is used."""
        from devenv.ops.env import Env, Options

        options = Options(
            app_dir=self.app_dir,
            env=self.env_name or os.environ.get("DEVENV_ENV") or None,
            flags={"cluster": self.cluster, "provider": self.provider},
            profile=self.profile,
        )
        return Env(options, self.console)

    def confirm(self, warning: str, done: str, name: str, given: str | None) -> None:
        """Have `name` typed, unless it is `given` with --confirm. Raises InputError when it is another, or nobody answers."""
        if given == name:
            return
        if given is not None:
            raise InputError(f"not {done}: the name does not match", f"use --confirm {name}")
        self.console.warn(warning)
        self.console.stderr.write(f"To go on, type {name}: ")
        self.console.stderr.flush()
        typed = sys.stdin.readline()
        if not typed.endswith("\n"):
            self.console.stderr.write("\n")
        if typed.strip() != name:
            why = "the name does not match" if typed else "nobody answered"
            raise InputError(f"not {done}: {why}", f"type `{name}`, or use --confirm {name}")


Confirm = Annotated[str | None, typer.Option("--confirm", help="The name, instead of being asked.", metavar="NAME")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def verbs() -> typer.Typer:
    """An empty group for the verbs of one file. Plain help: rich takes longer to import than the verb to run."""
    return typer.Typer(rich_markup_mode=None)


def taken_as_is(parameter: Any) -> Any:
    """The parameter, changed to take text as text: Typer asks pydantic, whose import takes longer than most verbs run."""
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    convert: dict[Any, Callable[[Any], Any]] = {bool: bool, str: str, Path: Path, list[str]: list}
    if kind not in convert or "process_value" in vars(parameter):
        return parameter
    checked = parameter.process_value

    def process(ctx: Any, value: Any) -> Any:
        if value is None or value == ():
            if parameter.required:
                return checked(ctx, value)
            value = None
        else:
            value = convert[kind](value)
        return parameter.callback(ctx, parameter, value) if parameter.callback else value

    parameter.process_value = process
    return parameter


class VerbCommand(TyperCommand):
    """A verb whose help begins with an example, and whose words are taken as they are."""

    examples: tuple[str, ...] = ()

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` included."""
        return [taken_as_is(parameter) for parameter in super().get_params(ctx)]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Examples, then the text."""
        if self.examples:
            formatter.write("\nExamples:\n" + "".join(f"  $ {line}\n" for line in self.examples))
        super().format_help_text(ctx, formatter)


def _mostly_long(kind: Any) -> Any:
    option = copy(kind.__metadata__[0])
    # -a stays: it is the app in every verb of Heroku's
    option.param_decls = tuple(name for name in option.param_decls if name.startswith("--") or name == "-a")
    return Annotated[kind.__origin__, option]


def verb(
    app: typer.Typer, name: str, *examples: str, raw: bool = False, client: bool = False, json: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function `(shell, …)` as the verb `name`; `raw` passes unknown words through (`run`).

    `client` is `raw` for another program's command line (`pg:psql`): short options but -a are all that program's.
    Without `json` there is no --json: what it prints is for another program already.
    """
    raw = raw or client

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        taken = {parameter.name for parameter in own}
        shared = [
            inspect.Parameter(
                key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_mostly_long(kind) if client else kind
            )
            for key, (kind, default) in GLOBAL.items()
            if key not in taken and (json or key != "json")
        ]

        @wraps(function)
        def command(**given: Any) -> None:
            shell = _shell({key: given.pop(key) for key in GLOBAL if key in given and key not in taken})
            try:
                function(shell, **given)
            except BrokenPipeError as error:  # the reader has gone (`| head`): nothing more to say
                raise typer.Exit(128 + signal.SIGPIPE) from error
            except KeyboardInterrupt as error:
                raise Interrupted("interrupted") from error

        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        command.__signature__ = inspect.Signature([*keyword_only, *shared])  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*keyword_only, *shared]}
        kind = type("Command", (VerbCommand,), {"examples": examples})
        settings = {"ignore_unknown_options": True, "allow_interspersed_args": False} if raw else {}
        app.command(name, cls=kind, context_settings={**HELP, **settings})(command)
        return function

    return register


def _shell(given: dict[str, Any]) -> Shell:
    console = Console(
        quiet=bool(given.get("quiet")),
        verbose=bool(given.get("verbose")),
        color=False if given.get("no_color") else None,
    )
    consoles.append(console)
    return Shell(
        env_name=given.get("env"),
        app_dir=(given.get("app_dir") or Path.cwd()).resolve(),
        cluster=given.get("cluster") or os.environ.get("DEVENV_CLUSTER") or None,
        provider=given.get("provider"),
        profile=given.get("profile"),
        json=bool(given.get("json")),
        console=console,
    )
