"""How a process comes under its debugger, and what is left of one that was not wanted after all."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devenv.base.console import Console
from devenv.ops import debug
from devenv.ops.env import Env


def test_ctrl_c_while_it_is_set_up_leaves_the_process_as_it_was(
    pod: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: list[str] = []

    def execute(env: Env, pod: object, container: str, script: str) -> None:
        scripts.append(script)
        if len(scripts) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(debug, "_language", lambda env: debug.LANGUAGES["python"])
    monkeypatch.setattr(debug, "_pod", lambda env, kind: (pod(), "web"))
    monkeypatch.setattr(debug, "_exec", execute)
    env = cast(Env, SimpleNamespace(console=Console(quiet=True)))
    with pytest.raises(KeyboardInterrupt), debug.debugged(env, "web", 0):
        raise AssertionError("nothing was set up")
    assert [script.startswith(f"rm -rf {debug.FOLDER}") for script in scripts] == [False, True]


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize("name", ["python", "nodejs"])
def test_what_sets_it_up_ends_when_its_folder_is_gone(name: str, tmp_path: Path) -> None:
    """It runs on in the pod after Ctrl-C, and must not start the process again."""
    (tmp_path / "python").write_text("#!/bin/sh\n")  # pip has done its part
    (tmp_path / "python").chmod(0o755)
    gone = f"command() {{ rm -rf {tmp_path}/debug; echo /bin/$2; }}\n"
    script = f"d={tmp_path}/debug\n{gone}{debug.LANGUAGES[name].prepare}echo started again"
    done = subprocess.run(["sh", "-c", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True)
    assert (done.returncode != 0, done.stdout) == (True, b"")


LISTEN = "-m debugpy --listen 127.0.0.1:5678"


def prepared(tmp_path: Path, python: str) -> tuple[str, dict[str, str]]:
    """Python's preparation with a program of this text as `python`: the folder it fills, the environment it had."""
    (tmp_path / "python").write_text(f"#!/bin/sh\n{python}\n")
    (tmp_path / "python").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    script = f"d={tmp_path}/debug\n{debug.LANGUAGES['python'].prepare}"
    subprocess.run(["sh", "-c", script], env=env, check=True)
    return f"{tmp_path}/debug", env


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("worker.py -u", f"{LISTEN} worker.py -u"),
        ("-u worker.py", f"-u {LISTEN} worker.py"),
        ("-W 'a  b' -X dev -Xutf8 -u worker.py 'c  d'", f"-W 'a  b' -X dev -Xutf8 -u {LISTEN} worker.py 'c  d'"),
        ("-m flask run", f"{LISTEN} -m flask run"),
        ("-um flask run", f"-u {LISTEN} -m flask run"),
        ("-u -c 'print(1)' x.py", "-u -c 'print(1)' x.py"),
        ("--version", "--version"),
        ("", ""),
    ],
)
def test_switches_of_python_stay_before_the_debugger(command: str, run: str, tmp_path: Path) -> None:
    """debugpy knows none of them: "unrecognized switch -u"."""
    folder, env = prepared(tmp_path, """printf '%s\\n' "$@" """)
    done = subprocess.run(["sh", "-c", f"{folder}/bin/python {command}"], env=env, capture_output=True, text=True)
    assert done.stdout.splitlines() == (shlex.split(run) or [""])


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize(("has", "asked"), [(0, ["-c"]), (1, ["-c", "-m"])])
def test_a_debugpy_of_the_apps_own_spares_the_download(has: int, asked: list[str], tmp_path: Path) -> None:
    prepared(tmp_path, f"""echo $1 >> {tmp_path}/asked; [ $1 != -c ] || exit {has}""")
    assert (tmp_path / "asked").read_text().split() == asked
