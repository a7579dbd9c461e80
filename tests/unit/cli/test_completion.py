"""Completion, as a shell asks for it: bash itself, at a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEVENV = f"""#!/bin/sh
[ -z "$_DEVENV_COMPLETE" ] || exec {sys.executable} -m devenv
printf '<%s>' "$@"
"""


def at_a_terminal(folder: Path, typed: str) -> str:
    """What an interactive bash shows when `typed` is typed; its `devenv` tells its arguments, unless asked to complete."""
    (folder / "devenv").write_text(DEVENV)
    (folder / "devenv").chmod(0o755)
    script = subprocess.run(
        [sys.executable, "-m", "devenv", "completion", "bash"], capture_output=True, text=True, check=True
    )
    (folder / "completion").write_text(script.stdout)
    (folder / "file").touch()
    env = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    keys, screen = pty.openpty()
    bash = subprocess.Popen(
        ["bash", "--norc", "-i"],
        cwd=folder,
        env=env,
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    os.write(keys, f". ./completion\n{typed}\nexit\n".encode())
    shown = b""
    try:
        while part := os.read(keys, 4096):
            shown += part
    except OSError:  # on Linux, the end of a terminal
        pass
    os.close(keys)
    bash.wait()
    return shown.decode()


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("ver\t", "<version>"),
        ("sync:w\t", "<sync:why>"),
        ("sync:w\tfil\t", "<sync:why><file>"),
        ("sync:\tw\t", "<sync:why>"),
        ("help sync:w\t", "<help><sync:why>"),
        ("run 'a b' c; devenv sync:w\t", "<sync:why>"),
    ],
)
def test_bash_completes_verbs_with_a_colon(typed: str, arguments: str, tmp_path: Path) -> None:
    """Colons divide words in bash, and what completes a word is put in place of what follows the last one."""
    assert arguments in at_a_terminal(tmp_path, f"devenv {typed}")


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize(("line", "offered"), [("help sync:w", ["sync:why"]), ("xx sync:w", ["sync:why"])])
def test_nothing_is_told_while_completing(line: str, offered: list[str]) -> None:
    """Neither the help nor that there is no such verb."""
    env = {"_DEVENV_COMPLETE": "complete_bash", "COMP_WORDS": f"devenv {line}", "COMP_CWORD": "2", "PATH": "/bin"}
    done = subprocess.run([sys.executable, "-m", "devenv"], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (offered, "")
