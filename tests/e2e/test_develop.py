"""`devenv debug`, and the files that commands in pods write: on the real cluster, with the debuggers' own protocols."""

import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import App, MakeApp, eventually
from tests.e2e.syncing import alike, attach

pytestmark = pytest.mark.e2e
RULE = 'sync: [{match: "made/**", back: true}]\n'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def debugged(app: App, kind: str, port: int) -> Iterator["subprocess.Popen[str]"]:
    process = app.start("debug", kind, "--port", str(port), "--json")
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate()[1])
    found = json.loads(line)
    assert found["port"] == port
    assert found["launch"]["request"] == "attach"
    yield process
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err


def commands(app: App) -> str:
    """What runs in the first web pod."""
    pod = next(name for name, kind in app.pods().items() if kind == "web")
    argv = ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]
    return app.cluster.kube.exec(app.env, pod, argv, container="web").stdout


@pytest.fixture(scope="module")
def python(make_module_app: MakeApp) -> App:
    app = make_module_app("python-plain", env="e2e-develop")
    (app.folder / ".devenv").mkdir()
    (app.folder / ".devenv" / "profile.yaml").write_text(RULE)
    app("up", "-d")
    return app


def test_python_under_debugpy(python: App) -> None:
    port = free_port()
    before = python.pods()
    for _ in debugged(python, "web", port):
        with eventually(lambda: socket.create_connection(("127.0.0.1", port), timeout=5)) as attached:
            attached.settimeout(20)
            # the debugger speaks first (Debug Adapter Protocol, "Content-Length" header)
            assert attached.recv(64).startswith(b"Content-Length: ")
        assert "debugpy" in commands(python)
        assert eventually(lambda: python.http("/").status, lambda status: status == 200) == 200
    eventually(lambda: commands(python), lambda found: "debugpy" not in found and "web.py" in found)
    assert python.pods() == before


def test_ctrl_c_while_the_debugger_is_set_up(python: App) -> None:
    before = python.pods()
    process = python.start("debug", "web", "--port", str(free_port()))
    eventually(lambda: "pip install" in commands(python))
    os.killpg(process.pid, signal.SIGINT)
    assert "Traceback" not in process.communicate(timeout=60)[1]
    eventually(lambda: commands(python), lambda found: "debugpy" not in found and "web.py" in found)
    assert python.pods() == before


def test_node_under_its_inspector(make_app: MakeApp) -> None:
    app = make_app("node-plain", env="e2e-inspect")
    app("up", "-d")
    port = free_port()
    for _ in debugged(app, "web", port):

        def targets() -> object:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/json/list", headers={"Host": "localhost"})
                return json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException):
                return None
            finally:
                connection.close()

        assert "webSocketDebuggerUrl" in json.dumps(eventually(targets))
    eventually(lambda: commands(app), lambda found: "--inspect" not in found and "node" in found)


def test_what_cannot_be_debugged(python: App) -> None:
    done = python("debug", "nobody", status=2)
    assert "no process of type `nobody` runs" in done.stderr


def test_what_a_one_off_writes_comes_back(python: App) -> None:
    done = python(
        "run", "--", "sh", "-c", "mkdir -p made migrations && echo new > migrations/1.py && echo no > junk.txt"
    )
    assert "migrations/1.py came back" in done.stderr
    assert (python.folder / "migrations" / "1.py").read_text() == "new\n"
    assert not (python.folder / "junk.txt").exists()


def test_an_edit_made_here_stays(python: App) -> None:
    mine = python.folder / "migrations" / "2.py"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine\n")
    python("sync:status")  # notes the edit, and brings it nowhere
    done = python("run", "--", "sh", "-c", "mkdir -p migrations && echo theirs > migrations/2.py")
    assert "yours stays" in done.stderr
    assert mine.read_text() == "mine\n"
    assert (python.folder / ".devenv" / "from-pod" / "migrations" / "2.py").read_text() == "theirs\n"


def test_what_a_process_writes_comes_back_by_rule(python: App) -> None:
    session = attach(python)
    try:
        pods = [name for name, kind in python.pods().items() if kind == "worker"]

        def execute(command: str) -> int:
            return python.cluster.kube.exec(python.env, pods[0], ["sh", "-c", command], container="worker").code

        eventually(lambda: execute("test -e /tmp/.devenv/back"), lambda code: code == 0, timeout=60)  # a first look
        execute("mkdir -p made && echo generated > made/code.py")
        here = python.folder / "made" / "code.py"
        eventually(lambda: here.exists() and here.read_text(), lambda text: text == "generated\n", timeout=60)
        alike(python, session)  # the other pods get it too
    finally:
        session.interrupt()
