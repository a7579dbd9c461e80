"""Global options, confirmation, what a verb passes through."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest

from devenv.base.console import Console
from devenv.base.errors import InputError
from devenv.cli import common, main
from devenv.cli.common import Shell

Run = Callable[..., tuple[int, list[Shell], list[object]]]


@pytest.fixture
def run() -> Run:
    """Runs a verb of an app of its own and hands over the Shell and words it got."""

    def go(*argv: str, raw: bool = False) -> tuple[int, list[Shell], list[object]]:
        shells: list[Shell] = []
        words: list[object] = []
        app = common.verbs()
        app.callback()(lambda: None)

        @common.verb(app, "do", "devenv do", raw=raw)
        def do(shell: Shell, rest: Annotated[list[str] | None, common.typer.Argument()] = None) -> None:
            """Do it."""
            shells.append(shell)
            words.extend(rest or [])

        code = main.typer.main.get_command(app).main(["do", *argv], standalone_mode=False)
        return code or 0, shells, words

    return go


def test_defaults(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVENV_CLUSTER", raising=False)
    _, (shell,), _ = run()
    assert (shell.env_name, shell.cluster, shell.provider, shell.profile, shell.json) == (None, None, None, None, False)
    assert shell.app_dir == tmp_path.resolve()
    assert not shell.console.quiet


def test_options(run: Run, tmp_path: Path) -> None:
    options = [
        "--env",
        "e",
        "--app-dir",
        str(tmp_path),
        "--cluster",
        "c",
        "--provider",
        "minikube",
        "--profile",
        "full",
    ]
    _, (shell,), words = run(*options, "--json", "-q", "-v", "--no-color", "a", "b")
    assert (shell.env_name, shell.cluster, shell.provider, shell.profile, shell.json) == (
        "e",
        "c",
        "minikube",
        "full",
        True,
    )
    assert shell.app_dir == tmp_path.resolve()
    assert shell.console.quiet
    assert shell.console.verbose
    assert words == ["a", "b"]


@pytest.mark.parametrize("flag", ["-a", "--app", "--env"])
def test_heroku_s_own_way_to_name_an_app(run: Run, flag: str) -> None:
    assert run(flag, "lamp")[1][0].env_name == "lamp"


def test_the_environment_is_weaker_than_options(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_CLUSTER", "from-env")
    monkeypatch.setenv("DEVENV_ENV", "e-from-env")
    assert run()[1][0].cluster == "from-env"
    assert run("--cluster", "c")[1][0].cluster == "c"
    assert run()[1][0].env.options.env == "e-from-env"
    assert run("--env", "e")[1][0].env.options.env == "e"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["psql", "--version"], ["psql", "--version"]),
        (["ls", "-la", "--json"], ["ls", "-la", "--json"]),
        (["bash", "-c", "a b; c"], ["bash", "-c", "a b; c"]),
        (["--", "--json"], ["--json"]),
        (["-t", "lamp/#", "-v"], ["-t", "lamp/#", "-v"]),
    ],
)
def test_a_raw_verb_hands_on_what_follows_the_first_word(run: Run, argv: list[str], words: list[str]) -> None:
    _, (shell,), found = run(*argv, raw=True)
    assert found == words
    assert not shell.json
    assert not shell.console.verbose


def test_a_raw_verb_s_own_options_come_first(run: Run) -> None:
    _, (shell,), found = run("--env", "e", "--json", "psql", "--env", "x", raw=True)
    assert (shell.env_name, shell.json) == ("e", True)
    assert found == ["psql", "--env", "x"]


def shell() -> Shell:
    return Shell(None, Path(), None, None, None, False, Console(io.StringIO(), io.StringIO()))


@pytest.mark.parametrize("typed", ["lamp\n", "lamp", "  lamp \n"])
def test_confirmed(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    shell().confirm("this destroys", "destroyed", "lamp", None)


def test_confirmed_by_the_name_as_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    shell().confirm("this destroys", "destroyed", "lamp", "lamp")
    with pytest.raises(InputError, match="does not match"):
        shell().confirm("this destroys", "destroyed", "lamp", "")


@pytest.mark.parametrize(
    ("typed", "why"), [("y\n", "does not match"), ("\n", "does not match"), ("", "nobody answered")]
)
def test_not_confirmed(monkeypatch: pytest.MonkeyPatch, typed: str, why: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with pytest.raises(InputError, match=why) as caught:
        shell().confirm("this destroys", "destroyed", "lamp", None)
    assert "--confirm lamp" in (caught.value.hint or "")
