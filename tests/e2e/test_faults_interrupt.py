"""Ctrl-C and kill at every step, two commands at once: nothing is left behind, and the same command works afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from devenv.cluster.engine import Engine
from tests.e2e.conftest import App, Done, MakeApp, eventually

pytestmark = pytest.mark.e2e
LAST = "Interrupted. The same command goes on where this one stopped."
PROFILE = "timeouts: {boot: 20, stop: 3}\n"
GOOD = "web: python web.py\nworker: python worker.py\n"


@dataclass(frozen=True)
class Process:
    """A process that runs below another one."""

    id: int
    began: str  # with the id: the same process, and not a later one of that id
    command: str


def below(parent: int) -> list[Process]:
    """The processes that run below `parent`, their own children included."""
    rows: dict[int, list[Process]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := _look(int(entry.name))):
            rows.setdefault(found[0], []).append(found[1])
    found_below: list[Process] = []
    todo = [parent]
    while todo:
        children = rows.get(todo.pop(), [])
        found_below += children
        todo += [child.id for child in children]
    return found_below


def _look(number: int) -> tuple[int, Process] | None:
    try:
        stat = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return None if stat[0] == "Z" else (int(stat[1]), Process(number, stat[19], command))


def lives(process: Process) -> bool:
    """Whether it still runs."""
    found = _look(process.id)
    return found is not None and found[1].began == process.began


def begun(app: App, *words: str) -> subprocess.Popen[str]:
    """devenv, started with Ctrl-C and hang-ups working, even where this run itself ignores them (a background job, nohup)."""

    def obey() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    return app.start(*words, preexec_fn=obey)


def wait_for(process: subprocess.Popen[str], program: str, timeout: float = 120) -> list[Process]:
    """The processes below `process` as soon as one of them is `program`."""
    deadline = time.monotonic() + timeout
    while True:
        found = below(process.pid)
        if any(program in each.command for each in found):
            return found
        if process.poll() is not None or time.monotonic() > deadline:
            out, err = process.communicate()
            pytest.fail(f"`{program}` was not run\n{out}{err}")
        time.sleep(0.01)


def interrupt(process: subprocess.Popen[str], children: list[Process]) -> Done:
    """Ctrl-C: status 130, one line as the last one, at once, and no child left."""
    children = children + below(process.pid)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    done = Done(("…",), process.returncode, out, err)
    assert time.monotonic() - began < 30, str(done)
    assert done.status == 130, str(done)
    assert err.splitlines()[-1] == LAST, str(done)
    assert err.count("Interrupted") == 1, str(done)
    assert "Error: " not in err, str(done)
    assert "Traceback" not in err, str(done)
    eventually(lambda: [each for each in children if lives(each)], lambda left: not left, 5)
    return done


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """An app with data in an add-on, up."""
    app = make_module_app("python-plain", env="faults-break")
    (app.folder / ".devenv").mkdir()
    app.write(".devenv/profile.yaml", PROFILE)
    app.write("app.json", '{"addons": ["heroku-redis:mini"]}')
    app("up", "-d")
    app("redis:cli", "SET", "kept", "yes")
    return app


@pytest.fixture(autouse=True)
def nothing_lost(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test on the app the same `up -d` works, its page answers, its data is there."""
    yield
    if "app" not in request.fixturenames:
        return
    app: App = request.getfixturevalue("app")
    app("up", "-d")
    wanted = (app.folder / "greeting.txt").read_text()
    eventually(lambda: app.http("/").text, lambda text: text == wanted)
    assert app("redis:cli", "GET", "kept").stdout == "yes\n"
    assert [dyno["state"] for dyno in app("ps", "--json").json["dynos"] if dyno["state"] != "down"] == ["up", "up"]
    app.write("Procfile", GOOD)


def edit(app: App) -> None:
    app.write("greeting.txt", f"edited at {time.time()}\n")


def release(app: App, command: str) -> None:
    app.write("Procfile", f"{GOOD}release: {command}\n")


def phase_runs(app: App, process: subprocess.Popen[str]) -> list[Process]:
    """The processes below `process` when its release command runs."""
    wait_for(process, " upgrade app ")
    kube = app.cluster.kube
    eventually(lambda: [pod for pod in kube.pods(app.env, "devenv.dev/kind=release") if pod.phase == "Running"])
    return below(process.pid)


@pytest.mark.parametrize("program", ["buildx build", "docker push", " upgrade app "])
def test_ctrl_c_while_a_program_runs(app: App, program: str) -> None:
    edit(app)
    process = begun(app, "up", "-d")
    interrupt(process, wait_for(process, program))


@pytest.mark.parametrize("seconds", [0.6, 1.2])
def test_ctrl_c_at_any_moment(app: App, seconds: float) -> None:
    edit(app)
    process = begun(app, "up", "-d")
    time.sleep(seconds)
    interrupt(process, [])


def test_ctrl_c_in_the_release_phase(app: App) -> None:
    release(app, "sleep 60")  # each test needs another text: what runs already is not deployed again
    process = begun(app, "up", "-d")
    interrupt(process, phase_runs(app, process))
    assert app("ps", "--json").json["version"] < max(row["version"] for row in app("releases", "--json").json)
    release(app, "true")


def test_ctrl_c_while_add_ons_come_up(make_app: MakeApp) -> None:
    app = make_app("python-plain", env="faults-addons")
    app.write("app.json", '{"addons": ["heroku-redis:mini"]}')
    process = begun(app, "up", "-d")
    eventually(lambda: app.cluster.kube.stateful_sets(app.env), timeout=90)
    interrupt(process, [])
    app("up", "-d")
    assert app("redis:cli", "PING").stdout == "PONG\n"


def test_an_ended_terminal_leaves_nothing_either(app: App) -> None:
    edit(app)
    process = begun(app, "up", "-d")
    children = wait_for(process, "buildx")
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()[-1]) == (129, LAST)
    eventually(lambda: [each for each in children if lives(each)], lambda left: not left, 5)


def test_a_kill_in_the_roll_out(app: App) -> None:
    edit(app)
    before = app("ps", "--json").json["version"]
    process = begun(app, "up", "-d")
    eventually(lambda: app.cluster.kube.releases(app.env)["app"].version, lambda now: now > before, 60)
    process.kill()
    process.communicate()


def test_a_kill_in_the_release_phase_lets_its_helm_end_first(app: App) -> None:
    release(app, "sleep 12")
    process = begun(app, "up", "-d")
    children = phase_runs(app, process)
    process.kill()
    process.communicate()
    assert any("helm" in each.command and lives(each) for each in children)
    done = app("up", "-d")
    assert "Waiting for another devenv" in done.stderr, str(done)
    assert "nothing had changed" in done.stderr, str(done)


def test_a_power_cut_in_the_release_phase(app: App) -> None:
    """devenv and its helm die at once: Helm's record says `pending-upgrade`, the release command runs on."""
    release(app, "sleep 61")
    process = begun(app, "up", "-d")
    children = phase_runs(app, process)
    process.kill()
    for each in children:
        with suppress(ProcessLookupError):
            os.kill(each.id, signal.SIGKILL)
    process.communicate()
    assert app.cluster.kube.releases(app.env)["app"].status == "pending-upgrade"
    newest = max(row["version"] for row in app("releases", "--json").json)
    release(app, "true")
    done = app("up", "-d")
    assert "Ending the release command of an interrupted run" in done.stderr, str(done)
    table = {row["version"]: row["status"] for row in app("releases", "--json").json}
    assert (table[newest], table[newest + 1]) == ("interrupted", "succeeded")


def test_two_at_once_in_the_same_folder(app: App) -> None:
    edit(app)
    newest = max(row["version"] for row in app("releases", "--json").json)
    both = [begun(app, "up", "-d") for _ in range(2)]
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert sum("Waiting for another devenv" in err for _, err in ends) == 1, ends
    assert max(row["version"] for row in app("releases", "--json").json) == newest + 1


def test_two_apps_at_once(make_app: MakeApp) -> None:
    apps = [make_app("python-plain", env=f"faults-twin-{name}") for name in ("a", "b")]
    for app in apps:
        app.write("greeting.txt", app.env)
    processes = [begun(app, "up", "-d") for app in apps]
    ends = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    for app in apps:
        eventually(lambda app=app: app.http("/").text, lambda text, app=app: text == app.env)


@pytest.fixture
def made(app: App) -> Iterator[str]:
    """The name of a cluster that a test makes; gone afterwards."""
    name = "devenv-faults-made"
    app("cluster:delete", "--yes", "--cluster", name)
    yield name
    app("cluster:delete", "--yes", "--cluster", name)


def test_ctrl_c_while_the_cluster_is_made(app: App, made: str) -> None:
    engine = Engine()
    process = begun(app, "cluster:create", "--cluster", made)
    children = wait_for(process, "kind create cluster")
    eventually(lambda: engine.container(f"{made}-control-plane"), timeout=60)
    time.sleep(3)
    interrupt(process, children)
    assert app("cluster", "--json", "--cluster", made).json["state"] == "broken"
    assert "is broken" in app("ps", "--cluster", made, status=5).stderr
    app("cluster:create", "--cluster", made)
    assert app("cluster", "--json", "--cluster", made).json["state"] == "running"
