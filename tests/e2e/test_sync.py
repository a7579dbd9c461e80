"""Edits go into the running pods: what arrives, what starts again, what does not."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import App, MakeApp, eventually
from tests.e2e.load import Load
from tests.e2e.syncing import SLOW, Session, alike, attach, commands, execute, kept, pods, runs, started, tidy
from tests.names import ODD

pytestmark = pytest.mark.e2e
PROFILE = """\
timeouts: {boot: 30, stop: 3}
quantity: {web: 2, others: 1}
sync:
  - {match: notes/**, do: ignore}
  - {match: "*.tick", do: restart, types: worker, run: "cat *.tick >> /tmp/ticks"}
  - {match: "*.once", run: "cat *.once >> /tmp/once", once: true}
"""


# one that ends as a server should: whoever has got through to it is answered, and every connection ends with its answer
GRACEFUL = """\
Handler.protocol_version = "HTTP/1.0"
server = ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler)
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(0.05)
server.timeout = 0
while select.select([server], [], [], 0)[0]:
    server.handle_request()
server.server_close()
"""


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """Two web processes and a worker, up."""
    made = make_module_app("python-plain", env="sync")
    for folder in (".devenv", "templates", "static", "lib", "notes"):
        (made.folder / folder).mkdir()
    made.write(".devenv/profile.yaml", PROFILE)
    head, _, _ = (made.folder / "web.py").read_text().partition("ThreadingHTTPServer((")
    made.write(
        "web.py", head.replace("import os", "import os\nimport select\nimport signal\nimport threading", 1) + GRACEFUL
    )
    made.write("templates/page.html", "<p>1</p>\n")
    made.write("static/style.css", "p {}\n")
    made.write("lib/helper.py", "HELP = 1\n")
    made.write("notes/todo", "nothing\n")
    made("up", "-d")
    return made


@pytest.fixture(scope="module")
def attached(app: App) -> Iterator[list[Session]]:
    """The session of this file; another one takes its place when a test ended it."""
    with kept(app) as found:
        yield found


@pytest.fixture
def session(app: App, attached: list[Session]) -> Session:
    """A session, and every pod as the folder is."""
    if attached[-1].process.poll() is not None:
        attached.append(attach(app))
    alike(app, attached[-1])
    return attached[-1]


def restarts(session: Session, path: str) -> list[str]:
    """The process types that start again because of the last change of a path, once it is through."""
    found = eventually(lambda: [each for each in session.batches if path in each["files"]], timeout=SLOW)
    return list(found[-1]["restarts"])


def test_a_save_is_in_every_pod_and_restarts_nothing(app: App, session: Session) -> None:
    before, pids = runs(app), started(app)
    app.write("greeting.txt", "hello, all of you\n")
    app.write("static/style.css", "p { color: red }\n")
    alike(app, session)
    assert {app.http("/").text for _ in range(10)} == {"hello, all of you\n"}
    assert restarts(session, "greeting.txt") == restarts(session, "static/style.css") == []
    last = session.batches[-1]
    assert len(last["pods"]) == 3, "two web processes, one worker"
    assert all(any(line.startswith("perl") for line in commands(app, pod)) for pod in pods(app)), "the image has it"
    assert runs(app) == before
    assert started(app) == pids
    tidy(app, attached=True)


def test_code_starts_again_in_place_and_no_request_fails(app: App, session: Session) -> None:
    before, source = runs(app), (app.folder / "web.py").read_text()
    with Load(app.cluster.status.http_port, f"{app.env}.localhost", "/whoami") as load:
        for version in ("2", "3", "4"):
            was = started(app)
            app.write("web.py", source.replace('VERSION = "1"', f'VERSION = "{version}"'))
            eventually(lambda was=was: all(at > was[pod] for pod, at in started(app).items()), timeout=SLOW)
            eventually(lambda: {app.http("/version").text for _ in range(8)}, lambda found, v=version: found == {v})
    assert not load.failures, f"{len(load.failures)} of {len(load.seen)}: {load.failures[:5]}"
    assert len(load.seen) > 20
    assert restarts(session, "web.py") == ["web", "worker"]
    assert runs(app) == before, "no container was replaced or restarted"
    tidy(app, attached=True)


def test_a_template_restarts_web_alone(app: App, session: Session) -> None:
    was = started(app)
    app.write("templates/page.html", "<p>2</p>\n")
    eventually(lambda: all(at > was[pod] for pod, at in started(app).items()), timeout=SLOW)
    assert restarts(session, "templates/page.html") == ["web"]


def test_a_profile_script_is_read_again(app: App, session: Session) -> None:
    before = runs(app)
    look = "cat /proc/[0-9]*/environ 2> /dev/null | tr '\\0' '\\n' | grep ^FROM_PROFILE= | sort -u"
    for turn in ("1", "2"):
        app.write(".profile", f"set -eu\nexport FROM_PROFILE={turn}\n")
        eventually(
            lambda: {execute(app, pod, "sh", "-c", look) for pod in pods(app, "web")},
            lambda found, turn=turn: found == {f"FROM_PROFILE={turn}\n"},
            timeout=SLOW,
        )
    (app.folder / ".profile").unlink()
    alike(app, session)
    assert runs(app) == before


def test_own_rules(app: App, session: Session) -> None:
    was = started(app)
    app.write("notes/todo", "everything\n")
    app.write("a.tick", "tick\n")
    (worker,) = pods(app, "worker")
    eventually(lambda: execute(app, worker, "sh", "-c", "cat /tmp/ticks || true"), lambda text: text == "tick\n")
    assert restarts(session, "a.tick") == ["worker"]
    app.write("b.once", "once\n")
    everywhere = lambda: sorted(execute(app, pod, "sh", "-c", "cat /tmp/once || true") for pod in pods(app))  # noqa: E731
    eventually(everywhere, lambda found: found == ["", "", "once\n"], timeout=SLOW)
    eventually(lambda: all(at > was[pod] for pod, at in started(app).items()), timeout=SLOW)
    assert everywhere() == ["", "", "once\n"], "in one pod, one time"
    for pod in pods(app):
        assert execute(app, pod, "cat", "/app/notes/todo") == "nothing\n", "ignored by rule"
    shutil.copy(app.folder / "greeting.txt", app.folder / "notes" / "todo")
    app.write("notes/todo", "nothing\n")


def test_every_kind_of_change(app: App, session: Session) -> None:
    """Delete, rename, empty folder, folder and file in each other's place, link, executable bit, odd names."""
    before = runs(app)
    top = app.folder / "kinds"
    (top / "deep" / "deeper").mkdir(parents=True)
    (top / "deep" / "deeper" / "file").write_text("1\n")
    (top / "gone").write_text("soon\n")
    (top / "renamed").write_text("soon\n")
    (top / "turns").mkdir()
    (top / "turns" / "in").write_text("into a file\n")
    (top / "link").symlink_to("deep/deeper/file")
    (top / "dangling").symlink_to("/nowhere")
    (top / "empty").mkdir()
    (top / "run").write_text("#!/bin/sh\n")
    (top / "run").chmod(0o755)
    odd = os.fsencode(top) + b"/odd"
    os.mkdir(odd)
    for name in ODD:
        Path(os.fsdecode(odd + b"/" + name)).write_bytes(name)
    alike(app, session)
    (top / "gone").unlink()
    (top / "renamed").rename(top / "deep" / "other")
    shutil.rmtree(top / "turns")
    (top / "turns").write_text("a file now\n")
    (top / "link").unlink()
    (top / "link").mkdir()
    (top / "link" / "in").write_text("was a link\n")
    (top / "dangling").unlink()
    (top / "dangling").symlink_to("deep")
    (top / "empty").rmdir()
    (top / "run").chmod(0o644)
    for name in ODD[::2]:
        os.unlink(odd + b"/" + name)
    alike(app, session)
    (top / "turns").unlink()
    (top / "turns").mkdir()
    (top / "turns" / "again").write_text("a folder again\n")
    (top / "deep").rename(top / "elsewhere")
    os.replace(top / "run", top / "gone")  # as editors save
    alike(app, session)
    shutil.rmtree(top)
    alike(app, session)
    assert runs(app) == before
    tidy(app, attached=True)


def git(app: App, *words: str) -> None:
    """git in the app's folder."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *words], cwd=app.folder, check=True, capture_output=True, timeout=60)


def test_switching_branches(app: App, session: Session) -> None:
    before = runs(app)
    git(app, "init", "-b", "main")
    tree = app.folder / "tree"
    for number in range(120):
        file = tree / f"d{number % 12}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"main {number}\n" * 50)
    git(app, "add", "-A")
    git(app, "commit", "-m", "main")
    git(app, "checkout", "-b", "other")
    for number in range(120):
        file = tree / f"d{number % 12}" / f"{number}.txt"
        if number % 3:
            file.write_text(f"other {number}\n" * 60)
        else:
            file.unlink()
    for number in range(80):
        file = tree / f"e{number % 9}" / f"{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"N = {number}\n")
    (app.folder / "greeting.txt").write_text("from the other branch\n")
    git(app, "add", "-A")
    git(app, "commit", "-m", "other")
    alike(app, session)
    for branch in ("main", "other", "main"):
        git(app, "checkout", branch)
        alike(app, session)
    git(app, "checkout", "other")
    git(app, "checkout", "main")
    git(app, "checkout", "other")
    alike(app, session)
    git(app, "checkout", "main")
    shutil.rmtree(app.folder / ".git")
    shutil.rmtree(tree)
    alike(app, session)
    assert runs(app) == before
    tidy(app, attached=True)


def test_a_large_file_does_not_hold_up_small_ones(app: App, session: Session) -> None:
    large = app.folder / "static" / "large.bin"
    with large.open("wb") as out:
        for _ in range(40):
            out.write(os.urandom(1 << 20))
    alike(app, session)
    with large.open("r+b") as out:
        out.write(b"another start")
    app.write("greeting.txt", "small\n")
    alike(app, session)
    large.unlink()
    alike(app, session)
    tidy(app, attached=True)


def test_five_thousand_files_come_and_go(app: App, session: Session) -> None:
    for number in range(5000):
        file = app.folder / "static" / str(number % 50) / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")
    app.write("greeting.txt", "in the midst\n")
    alike(app, session)
    for number in range(50):
        shutil.rmtree(app.folder / "static" / str(number))
    alike(app, session)
    tidy(app, attached=True)


def test_it_explains_itself(app: App, session: Session) -> None:
    app.write("greeting.txt", "why?\n")
    alike(app, session)
    assert restarts(session, "greeting.txt") == []
    status = eventually(
        lambda: app("sync:status", "--json").json, lambda found: all(each["current"] for each in found["pods"])
    )
    assert status["session"] == str(session.process.pid)
    assert len(status["pods"]) == 3
    assert status["edited"] >= 1
    why = app("sync:why", "greeting.txt", "--json").json
    assert (why["place"], why["rule"], why["ignored"]) == ("/app/greeting.txt", "everything else", None)
    assert set(why["pods"].values()) == {"as here"}
    assert why["last"]["files"]
    assert "profile.yaml sync[0]" in app("sync:why", "notes/todo").stdout
    (app.folder / "node_modules").mkdir()
    app.write("node_modules/x.js", "1\n")
    assert app("sync:why", "node_modules/x.js", "--json").json["ignored"]
    assert app("sync:why", "requirements.txt", "--json").json["does"] == "builds another image"
    assert "default for python" in app("sync:why", "web.py").stdout
    app("sync:why", "/etc/passwd", status=2)
    shutil.rmtree(app.folder / "node_modules")


def test_a_save_during_a_build_is_not_lost(app: App, session: Session) -> None:
    """Nor is it kept by an image whose tag promises what was there before, when it is undone."""
    session.interrupt()
    before = (app.folder / "greeting.txt").read_text()
    app.write("requirements.txt", "# another image, please\n")
    process = app.start("up", "-d")
    turn = 0
    while process.poll() is None:
        turn += 1
        app.write("greeting.txt", f"during the build {turn}\n")
        time.sleep(0.3)
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert turn > 1
    app.write("greeting.txt", before)
    attach(app).interrupt()


def test_requirements_make_another_image(app: App, session: Session) -> None:
    before = {pod.name for pod in pods(app)}
    app.write("requirements.txt", "# still nothing\n")
    app.write("greeting.txt", "with the new image\n")
    eventually(lambda: before & {pod.name for pod in pods(app)}, lambda left: not left, timeout=300)
    alike(app, session)
    assert any("building anew" in line for line in session.err), str(session)
    app.settles("/", "with the new image\n")
    app.write("greeting.txt", "and after it\n")
    alike(app, session)
    tidy(app, attached=True)
