"""What is left of a debugger when it was not wanted after all."""

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
