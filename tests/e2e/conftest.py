"""The built wheel, run as people run it: a folder in, an env on the real cluster out."""

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.conftest import Cluster

ROOT = Path(__file__).parents[2]
APPS = ROOT / "tests" / "apps"
T = TypeVar("T")
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", "node_modules", ".devenv", ".venv")


@dataclass(frozen=True)
class Done:
    """One command line that has ended."""

    words: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.stdout)

    @property
    def lines(self) -> list[str]:
        """What it printed, by line."""
        return self.stdout.splitlines()

    def __str__(self) -> str:
        return f"$ devenv {' '.join(self.words)}\n{self.stdout}{self.stderr}[status {self.status}]"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that came through the router."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


@dataclass
class App:
    """A copy of an app's folder, and its env. Calling it runs devenv there, without standard input unless given."""

    folder: Path
    env: str
    wheel: Path
    cluster: Cluster

    @property
    def environ(self) -> dict[str, str]:
        """The environment devenv gets: this env, the tests' cluster, the wheel's code before the checkout's."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("DEVENV_")},
            "DEVENV_STATE": os.environ["DEVENV_STATE"],
            "DEVENV_ENV": self.env,
            "DEVENV_CLUSTER": self.cluster.spec.name,
            "PYTHONPATH": str(self.wheel),
            **({"DEVENV_CACHE": os.environ["DEVENV_CACHE"]} if "DEVENV_CACHE" in os.environ else {}),
        }

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """devenv, started and not waited for, in a process group of its own: a signal to it is like Ctrl-C."""
        settings: dict[str, Any] = {
            "cwd": self.folder,
            "env": self.environ,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "encoding": "utf-8",
            "start_new_session": True,
        }
        return subprocess.Popen([sys.executable, "-m", "devenv", *words], **(settings | options))

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """devenv while it runs: `logs -t`, `mqtt:sub`. Ended as by Ctrl-C, at the latest after a minute."""
        process = self.start(*words)
        alarm = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        try:
            yield process
        finally:
            alarm.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=20)

    def __call__(self, *words: str, stdin: str | None = None, status: int | None = 0, timeout: float = 600) -> Done:
        """Run devenv to its end. `status` is the exit status it must have; None = any, the caller looks."""
        process = self.start(*words, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE)
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"still running after {timeout:.0f} s\n{Done(words, -9, out, err)}")
        done = Done(words, process.returncode, out, err)
        assert "Traceback" not in done.stderr, str(done)
        assert "bug in devenv" not in done.stderr, str(done)
        assert status is None or done.status == status, str(done)
        return done

    def http(
        self,
        path: str = "/",
        method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 40,
        tls: bool = False,
    ) -> Answer:
        """Ask the router for the env's host."""
        port = self.cluster.status.http_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        if tls:
            unverified = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=unverified)
        try:
            connection.request(method, path, body, {"Host": f"{self.env}.localhost:{port}", **(headers or {})})
            answer = connection.getresponse()
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read().decode("utf-8", "replace"),
            )
        finally:
            connection.close()

    def settles(self, path: str, text: str) -> None:
        """Wait until the router has forgotten the pods of the release before: `path` answers `text`."""
        eventually(lambda: self.http(path).text, lambda found: found == text, timeout=15)

    def pods(self, kind: str = "process") -> dict[str, str]:
        """Name -> process type (or stand-in) of the pods that are not on their way out."""
        found = self.cluster.kube.pods(self.env, f"devenv.dev/kind={kind}")
        return {
            pod.name: pod.labels.get("devenv.dev/process", pod.labels.get("app.kubernetes.io/component", ""))
            for pod in found
            if not pod.deleting
        }

    def write(self, name: str, text: str) -> None:
        """Edit a file of the copy."""
        (self.folder / name).write_text(text, encoding="utf-8")


def eventually(ask: Callable[[], T], good: Callable[[T], object] = bool, timeout: float = 30.0) -> T:
    """What `ask` gives once it is `good`; fails with the last one when it does not get so in time."""
    deadline = time.monotonic() + timeout
    while True:
        found = ask()
        if good(found):
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout:.0f} s; the last was: {found}")
        time.sleep(0.2)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel in it: its code and its data, nothing of the checkout."""
    dist, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (file,) = dist.glob("devenv-*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(file)], check=True, capture_output=True, timeout=120)
    ask = "import devenv; from devenv.base import resources; print(devenv.__file__, resources.path('charts'))"
    found = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ | {"PYTHONPATH": str(target)},
        cwd=dist,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.split()
    assert found == [str(target / "devenv" / "__init__.py"), str(target / "devenv" / "_data" / "charts")]
    return target


MakeApp = Callable[..., App]


def _maker(cluster: Cluster, wheel: Path, factory: pytest.TempPathFactory) -> Iterator[MakeApp]:
    made: list[App] = []

    def make(source: Path | str, env: str | None = None) -> App:
        """Copy an app (a folder, or a name in tests/apps) and give it an env that is not there yet."""
        origin = APPS / source if isinstance(source, str) else source
        folder = factory.mktemp("apps") / origin.name
        shutil.copytree(origin, folder, ignore=LEFT_OUT)
        app = App(folder, env or f"e2e-{origin.name}", wheel, cluster)
        cluster.kube.delete_namespace(app.env)  # left over from an interrupted run
        made.append(app)
        return app

    yield make
    for app in made:
        cluster.kube.delete_namespace(app.env, wait=False)


@pytest.fixture
def make_app(cluster: Cluster, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeApp]:
    """`make_app("python-plain", env="name")`: apps whose envs end with the test."""
    yield from _maker(cluster, wheel, tmp_path_factory)


@pytest.fixture(scope="module")
def make_module_app(cluster: Cluster, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeApp]:
    """The same for apps whose envs end with the file."""
    yield from _maker(cluster, wheel, tmp_path_factory)


@pytest.fixture(scope="session")
def lamp(cluster: Cluster, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """examples/lamp, up since the first test that asked for it; each test leaves it running."""
    for make in _maker(cluster, wheel, tmp_path_factory):
        app = make(ROOT / "examples" / "lamp")
        app("up", "-d")
        yield app
