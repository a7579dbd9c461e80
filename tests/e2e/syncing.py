"""A sync session as a developer has it, and what host and pods hold, compared."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from devenv.base.errors import ClusterError, DevenvError
from devenv.cluster.kube_model import Pod
from tests.e2e.conftest import App, eventually

PROCESSES = "devenv.dev/kind=process"
SLOW = 120.0  # seconds: the machine may be busy; no test is about time
# path -> "f checksum", "x checksum" (executable), "l target", "d" (empty folder); odd names survive as surrogates
MANIFEST = """
import hashlib, json, os, stat, sys
top, left_out, found = os.fsencode(sys.argv[1]), set(sys.argv[2].split()), {}
for at, folders, files in os.walk(top):
    folders[:] = [each for each in folders if os.fsdecode(each) not in left_out]
    for each in [*files, *(each for each in folders if os.path.islink(os.path.join(at, each)))]:
        full = os.path.join(at, each)
        try:
            info = os.lstat(full)
            if stat.S_ISLNK(info.st_mode):
                row = "l " + os.fsdecode(os.readlink(full))
            elif stat.S_ISREG(info.st_mode):
                with open(full, "rb") as content:
                    digest = hashlib.sha256()
                    while block := content.read(1 << 20):
                        digest.update(block)
                row = ("x " if info.st_mode & 0o100 else "f ") + digest.hexdigest()
            else:
                row = "?"
        except FileNotFoundError:
            row = "gone meanwhile"
        found[os.fsdecode(os.path.relpath(full, top))] = row
    if not folders and not files and at != top:
        found[os.fsdecode(os.path.relpath(at, top))] = "d"
print(json.dumps(found))
"""
LEFT_OUT = ".git .devenv __pycache__ node_modules .venv .heroku .profile.d"
COMMANDS = """
for process in /proc/[0-9]*; do
  pid=${process#/proc/}
  read -r name 2> /dev/null < "$process/comm" || continue
  read -r stat 2> /dev/null < "$process/stat" || continue
  case ${stat##*) } in Z*) continue ;; esac
  [ "$pid" = $$ ] || printf '%s\\n' "$name $(tr '\\0\\n' '  ' 2> /dev/null < "$process/cmdline")"
done
"""


@dataclass
class Session:
    """`devenv sync --json` in the app's folder, until `stop`."""

    app: App
    process: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._threads = [
            threading.Thread(target=lambda stream=stream, lines=lines: lines.extend(iter(stream.readline, "")))
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def batches(self) -> list[Any]:
        """What it told of every batch so far."""
        return [json.loads(line) for line in self.out]

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C; the exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        status = self.process.wait(timeout=60)
        for thread in self._threads:
            thread.join(timeout=10)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
        left = subprocess.run(["pgrep", "-s", str(self.process.pid)], capture_output=True, text=True, timeout=20).stdout
        assert not left, f"left running: {left}"
        assert "Traceback" not in "".join(self.err), "".join(self.err)
        return status

    def __str__(self) -> str:
        return "".join([*self.out[-20:], *self.err[-40:]])


def attach(app: App) -> Session:
    """Start a session and wait until every pod has every edit."""
    session = Session(app, app.start("sync", "--json"))
    try:
        alike(app, session)
    except BaseException:
        session.interrupt(signal.SIGKILL)
        raise
    return session


@contextmanager
def kept(app: App) -> Iterator[list[Session]]:
    """A session for several tests; whoever finds it ended adds another one. In the end there is none, nor a trace of it."""
    found = [attach(app)]
    yield found
    for session in found:
        session.interrupt()
    tidy(app, attached=False)


def alike(app: App, session: Session | None = None, timeout: float = SLOW) -> None:
    """Wait until the session is there and every pod holds what the folder holds, by checksum."""

    def differences() -> dict[str, Any]:
        assert session is None or session.process.poll() is None, f"the session has ended:\n{session}"
        try:
            return {pod.name: found for pod in pods(app) if (found := difference(app, pod))}
        except DevenvError as error:
            return {"": error}  # the API server is starting, or a pod went meanwhile

    def joined() -> bool:
        try:
            return all(loops(app, pod) == 1 for pod in pods(app))
        except DevenvError:
            return False

    try:
        if session:
            eventually(joined, timeout=timeout)
        eventually(differences, lambda found: not found, timeout=timeout)
    except pytest.fail.Exception:
        print(session)
        raise


def pods(app: App, process: str = "") -> list[Pod]:
    """The pods of the app's processes that run; all are waited for."""

    def ready() -> list[Pod]:
        try:
            found = [pod for pod in app.cluster.kube.pods(app.env, PROCESSES) if not pod.deleting]
        except DevenvError:
            return []  # the API server is starting
        running = [pod for pod in found if pod.containers and all(each.state == "running" for each in pod.containers)]
        return running if len(running) == len(found) else []

    found = eventually(ready, timeout=SLOW)
    return [pod for pod in found if process in ("", pod.labels["devenv.dev/process"])]


def difference(app: App, pod: Pod) -> dict[str, tuple[str | None, str | None]]:
    """Path -> (host's row, pod's row) of the first few that differ; what the image has beside the app's files does not count."""
    here, there = manifest(app.folder), in_pod(app, pod)
    paths = sorted(path for path in {*here, *there} if here.get(path) != there.get(path))
    return {path: (here.get(path), there.get(path)) for path in paths[:5]}


def manifest(folder: Path) -> dict[str, str]:
    """What a folder of this machine holds."""
    return scan(lambda argv: subprocess.run(argv, check=True, capture_output=True, text=True).stdout, str(folder))


def in_pod(app: App, pod: Pod) -> dict[str, str]:
    """What /app in a pod holds."""
    return scan(lambda argv: execute(app, pod, *argv), "/app")


def scan(run: Callable[[list[str]], str], folder: str) -> dict[str, str]:
    """The manifest of a folder, by the Python that is there."""
    found: Mapping[str, str] = json.loads(run(["python3", "-c", MANIFEST, folder, LEFT_OUT]))
    return dict(found)


def execute(app: App, pod: Pod, *argv: str) -> str:
    """What a program in a pod prints; it must end well. Raises ClusterError when its container ended meanwhile."""
    done = app.cluster.kube.exec(app.env, pod.name, argv, container=pod.containers[0].name)
    if done.code == 128 + signal.SIGKILL:  # all that runs in a container ends with it
        raise ClusterError(f"{pod.name} has ended")
    assert done.code == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def commands(app: App, pod: Pod) -> list[str]:
    """The processes of a pod: name and command line, those that ask left out."""
    return [line for line in execute(app, pod, "sh", "-c", COMMANDS, "ask").splitlines() if " ask" not in line]


def loops(app: App, pod: Pod) -> int:
    """How many ends of sync streams a pod has."""
    return sum(map(_streams, commands(app, pod)))


def _streams(line: str) -> bool:
    return "t=$s/stage" in line  # in Perl too: the next loop finds it by this


def tidy(app: App, attached: bool) -> None:
    """Wait until every pod has one process of the app, with its supervisor, and one end of a stream or none."""

    def strays() -> dict[str, list[str]]:
        try:
            found = {pod.name: commands(app, pod) for pod in pods(app)}
        except ClusterError as error:
            return {"": [str(error)]}
        return {name: lines for name, lines in found.items() if not _tidy(lines, attached)}

    eventually(strays, lambda found: not found, timeout=SLOW)


def _tidy(lines: list[str], attached: bool) -> bool:
    streams = sum(map(_streams, lines))
    started = sum(1 for line in lines if line.startswith(("python", "node")))
    # pause, the supervisor, the process
    return streams == attached and started == 1 and len(lines) <= 3 + streams


def runs(app: App) -> dict[str, tuple[str, int]]:
    """Pod -> uid and how often its container was restarted: the same as long as nothing was replaced."""
    return {pod.name: (pod.uid, pod.restarts) for pod in pods(app)}


WHO = """
import sys, time, urllib.request
for _ in range(600):
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/whoami").read().decode())
        break
    except OSError:
        time.sleep(0.1)
"""


def started(app: App) -> dict[str, float]:
    """Web pod -> when its process started, as it tells in its pod; waits while it starts."""
    found = {pod.name: execute(app, pod, "sh", "-c", 'python3 -c "$0" "$PORT"', WHO) for pod in pods(app, "web")}
    return {name: float(json.loads(text)["started"]) for name, text in found.items()}


def keeper_has_all(app: App) -> bool:
    """Whether pods that start later would get what those that run have."""
    (keeper,) = app.cluster.kube.pods(app.env, "devenv.dev/kind=sync")
    kept = set(execute(app, keeper, "sh", "-c", "cat /.devenv/*/seq").split())
    return kept == {execute(app, pod, "cat", "/tmp/.devenv/seq").strip() for pod in pods(app)}
