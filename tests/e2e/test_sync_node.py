"""The same for an app in Node, by the shell's loop: its code starts again in place, its texts do not, its lock file makes another image."""

import pytest

from tests.e2e.conftest import MakeApp, eventually
from tests.e2e.syncing import SLOW, Session, commands, execute, loops, pods, runs

pytestmark = pytest.mark.e2e


def test_a_node_app(make_app: MakeApp) -> None:
    app = make_app("node-plain", env="sync-node")
    app.write(".env", "PERL5OPT=-w\n")  # Perl is not what the image has: it is left alone
    app("up", "-d")
    session = Session(app, app.start("sync", "--json"))
    try:
        eventually(lambda: [loops(app, pod) for pod in pods(app)] == [1], timeout=SLOW)
        before, (pod,) = runs(app), pods(app)
        assert any(" loop /tmp/.devenv" in line for line in commands(app, pod))
        server = lambda: [line for line in commands(app, pod) if line.startswith("node")]  # noqa: E731
        was = execute(app, pod, "cat", "/tmp/.devenv/supervisor")
        app.write("greeting.txt", "saved\n")
        eventually(lambda: app.http("/").text, lambda text: text == "saved\n", timeout=SLOW)
        source = (app.folder / "server.js").read_text()
        for text in ("one", "two"):
            app.write("server.js", source.replace('"nothing here"', f'"{text}"'))
            eventually(lambda: app.http("/else").text, lambda found, text=text: found == text, timeout=SLOW)
        app.write("server.js", "this is no script(\n")
        eventually(lambda: any("exited with status 1" in line for line in session.err), timeout=SLOW)
        app.write("server.js", source)
        eventually(lambda: app.http("/else").text, lambda found: found == "nothing here", timeout=SLOW)
        assert len(server()) == 1, "one process, whatever was started before"
        assert runs(app) == before
        assert execute(app, pod, "cat", "/tmp/.devenv/supervisor") == was
        restarts = {name: batch["restarts"] for batch in session.batches for name in batch["files"]}
        assert (restarts["greeting.txt"], restarts["server.js"]) == ([], ["web"])
        assert app("sync:why", "package-lock.json", "--json").json["does"] == "builds another image"
    finally:
        status = session.interrupt()
    assert status == 0
    (pod,) = pods(app)
    eventually(lambda: loops(app, pod) == 0, timeout=SLOW)
    last = Session(app, app.start("sync", "--json"))
    eventually(lambda: loops(app, pod) == 1, timeout=SLOW)
    app("destroy", "--yes")
    assert last.process.wait(timeout=SLOW) != 0
    last.interrupt()
    assert "was destroyed" in "".join(last.err)
