"""Whatever breaks while edits are synced: afterwards host and pods hold the same, and nothing is left running."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from devenv.base.errors import ClusterError
from tests.e2e.conftest import App, MakeApp, eventually
from tests.e2e.syncing import SLOW, Session, alike, attach, execute, keeper_has_all, kept, pods, runs, started, tidy

pytestmark = pytest.mark.e2e
SOAK = float(os.environ.get("DEVENV_SOAK", "20"))  # seconds of 1,000 saves a minute
PROFILE = "timeouts: {boot: 30, stop: 3}\nquantity: {web: 2, others: 1}\n"
FIND = 'for p in /proc/[0-9]*; do [ "$(cat $p/root/etc/hostname 2>/dev/null)" = "$0" ] && { echo "${p#/proc/}"; exit; }; done'


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """Two web processes and a worker, up."""
    made = make_module_app("python-plain", env="sync-faults")
    (made.folder / ".devenv").mkdir()
    made.write(".devenv/profile.yaml", PROFILE)
    for folder in ("files", "small", "fixed"):
        (made.folder / folder).mkdir()
        made.write(f"{folder}/first.txt", "first\n")
    made("up", "-d")
    return made


@pytest.fixture(scope="module")
def attached(app: App) -> Iterator[list[Session]]:
    """The session of this file; another one takes its place when a test ended it."""
    with kept(app) as found:
        yield found


@pytest.fixture
def session(app: App, attached: list[Session]) -> Iterator[Session]:
    """A session; in the end every pod is as the folder is, and nothing else runs."""
    if attached[-1].process.poll() is not None:
        attached.append(attach(app))
    yield attached[-1]
    if attached[-1].process.poll() is not None:
        attached.append(attach(app))
    alike(app, attached[-1])
    tidy(app, attached=True)


def node(app: App, *words: str) -> str:
    """What a command in the cluster's node prints."""
    argv = ["docker", "exec", f"{app.cluster.spec.name}-control-plane", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def save(app: App, number: int) -> None:
    """Edit a few files."""
    app.write("greeting.txt", f"hello {number}\n")
    app.write(f"files/{number % 7}.txt", f"{number}\n" * 100)


def test_a_pod_is_deleted(app: App, session: Session) -> None:
    gone = pods(app, "web")[0].name
    app.cluster.kube.delete_pod(app.env, gone)
    save(app, 1)
    eventually(lambda: gone not in {pod.name for pod in pods(app)}, timeout=SLOW)
    save(app, 2)
    alike(app, session)


def test_a_container_is_killed(app: App, session: Session) -> None:
    save(app, 3)
    alike(app, session)
    victim = pods(app, "web")[0]
    before = runs(app)[victim.name]
    with suppress(ClusterError):  # it ends with what it kills
        execute(app, victim, "sh", "-c", "kill -9 $(cat /tmp/.devenv/supervisor)")
    save(app, 4)
    eventually(lambda: runs(app).get(victim.name, before)[1] > before[1], timeout=SLOW)
    alike(app, session)


def test_the_node_sleeps(app: App, session: Session) -> None:
    name = f"{app.cluster.spec.name}-control-plane"
    subprocess.run(["docker", "pause", name], check=True, capture_output=True, timeout=60)
    try:
        save(app, 5)
        time.sleep(5)
        save(app, 6)
    finally:
        subprocess.run(["docker", "unpause", name], check=True, capture_output=True, timeout=60)
    alike(app, session)


def test_the_api_server_starts_again(app: App, session: Session) -> None:
    old = node(app, "pidof", "kube-apiserver").strip()
    node(app, "kill", old)
    save(app, 7)
    eventually(
        lambda: subprocess.run(
            ["docker", "exec", f"{app.cluster.spec.name}-control-plane", "pidof", "kube-apiserver"],
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip(),
        lambda found: found not in ("", old),
        timeout=SLOW,
    )
    save(app, 8)
    alike(app, session)


def test_streams_break_in_the_middle_of_an_archive(app: App, session: Session) -> None:
    top = app.folder / "heap"
    for turn in range(3):
        for number in range(40):
            file = top / f"d{number % 8}" / f"{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(random.randbytes(200_000))
        for pod in pods(app):
            execute(app, pod, "sh", "-c", "kill -9 $(cat /tmp/.devenv/loop) || true")
            save(app, 10 + turn)
    alike(app, session)
    shutil.rmtree(top)
    alike(app, session)


@pytest.mark.parametrize(("folder", "options"), [("small", "size=1m"), ("fixed", "ro,size=1m")])
def test_a_path_that_takes_nothing(app: App, session: Session, folder: str, options: str) -> None:
    """A disk that is full, one that is read-only: that pod is told of, the rest arrives everywhere, also there."""
    alike(app, session)
    victim = pods(app, "web")[0]
    pid = node(app, "sh", "-c", FIND, victim.name).strip()
    where = f"/app/{folder}"
    node(app, "nsenter", "-t", pid, "-m", "mount", "-t", "tmpfs", "-o", options, "tmpfs", where)
    told = len(session.err)
    try:
        (app.folder / folder / "second.bin").write_bytes(random.randbytes(3 << 20))
        eventually(lambda: "does not take edits" in "".join(session.err[told:]), timeout=SLOW)
        app.write("greeting.txt", f"around {folder}\n")
        for pod in pods(app):
            eventually(lambda pod=pod: execute(app, pod, "cat", "/app/greeting.txt"), lambda text: folder in text, SLOW)
    finally:
        node(app, "nsenter", "-t", pid, "-m", "mount", "-o", "remount,rw,size=64m", where)
    app.write(f"{folder}/first.txt", "again, for this disk hides what the image has\n")
    alike(app, session)


def test_a_file_changes_while_it_is_read(app: App, session: Session) -> None:
    file, over = app.folder / "files" / "busy.bin", threading.Event()
    contents = [random.randbytes(size) for size in (100, 2_000_000, 500_000)]

    def write() -> None:
        turn = 0
        while not over.is_set():
            file.write_bytes(contents[turn % 3])
            turn += 1
            if turn % 5 == 0:
                file.unlink()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        time.sleep(6)
    finally:
        over.set()
        thread.join()
    alike(app, session)


def test_folders_and_files_take_each_others_place(app: App, session: Session) -> None:
    path = app.folder / "turning"
    for turn in range(12):
        path.mkdir()
        (path / "in").mkdir()
        (path / "in" / "file").write_text(f"{turn}\n")
        time.sleep(random.random() / 20)
        shutil.rmtree(path)
        path.write_text(f"{turn}\n")
        time.sleep(random.random() / 20)
        path.unlink()
    alike(app, session)
    path.write_text("at last\n")
    alike(app, session)


def memory(session: Session) -> int:
    """KiB that the session holds."""
    with open(f"/proc/{session.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_a_thousand_saves_a_minute(app: App, session: Session) -> None:
    before, end, number = memory(session), time.monotonic() + SOAK, 0
    while time.monotonic() < end:
        number += 1
        save(app, number)
        time.sleep(0.055)
    alike(app, session)
    assert memory(session) < before + 32 * 1024, "grows with every save"


def test_a_process_that_cannot_start_comes_back_with_the_next_save(app: App, session: Session) -> None:
    before, good = runs(app), (app.folder / "web.py").read_text()
    app.write("web.py", "def broken(:\n")
    eventually(lambda: sum("exited with status 1" in line for line in session.err) >= 2, timeout=SLOW)
    app.write("web.py", good + "\n# mended\n")
    assert len(started(app)) == 2
    app.write("web.py", good)
    alike(app, session)
    started(app)
    assert runs(app) == before, "in place"


def test_a_second_session_is_refused(app: App, session: Session) -> None:
    done = app("sync", status=8)
    assert "another session syncs into" in done.stderr
    save(app, 20)
    alike(app, session)


def test_edits_outlive_the_session(app: App, session: Session) -> None:
    """New pods start with every edit, whether anybody is attached or not."""
    save(app, 30)
    app.write("web.py", (app.folder / "web.py").read_text() + "# edited\n")
    (app.folder / "small" / "first.txt").unlink()
    (app.folder / "hollow").mkdir()
    alike(app, session)
    eventually(lambda: keeper_has_all(app), timeout=SLOW)
    assert session.interrupt() == 0
    tidy(app, attached=False)
    old = {pod.name for pod in pods(app)}
    app("ps:scale", "web=3")
    alike(app)
    for name in old:
        app.cluster.kube.delete_pod(app.env, name)
    eventually(lambda: len(pods(app)) == 4 and not old & {pod.name for pod in pods(app)}, timeout=SLOW)
    alike(app)
    app("ps:scale", "web=2")
    (app.folder / "hollow").rmdir()


def test_what_was_edited_meanwhile_is_told_with_those_who_get_it(
    app: App, session: Session, attached: list[Session]
) -> None:
    session.interrupt()
    app.write("web.py", (app.folder / "web.py").read_text() + "# edited while nobody looked\n")
    attached.append(attach(app))
    batch = eventually(lambda: attached[-1].batches)[0]
    assert (batch["files"], batch["restarts"]) == (["web.py"], ["web", "worker"])
    assert len(batch["pods"]) == 3


def test_another_up_and_what_was_undone_since(app: App, session: Session) -> None:
    app("up", "-d")  # from another terminal: another image, for what was edited until now
    app.write("greeting.txt", "edited in the session\n")
    alike(app, session)
    assert "runs other images" in "".join(session.err)
    session.interrupt()
    app.write("greeting.txt", "saved while nobody looked\n")
    app("up", "-d")
    session = Session(app, app.start("sync", "--json"))
    app.write("greeting.txt", "an edit to undo\n")
    alike(app, session)
    session.interrupt()
    app.write("greeting.txt", "saved while nobody looked\n")
    assert "edits that the work tree does not have" in app("up", "-d").stderr
    alike(app)
    assert "nothing had changed" in app("up", "-d").stderr


def test_edits_of_another_work_tree_are_gone_with_the_session(
    app: App, session: Session, attached: list[Session]
) -> None:
    """As a second clone of the app finds them: same image, so that nothing rolls out."""
    session.interrupt()
    victim = pods(app, "web")[-1]
    before = runs(app)[victim.name]
    execute(app, victim, "sh", "-c", "echo theirs > /app/greeting.txt; echo another:7 > /tmp/.devenv/seq")
    assert [each["current"] for each in app("sync:status", "--json").json["pods"]].count(False) == 1
    attached.append(attach(app))
    eventually(lambda: runs(app)[victim.name], lambda now: now == (before[0], before[1] + 1), timeout=SLOW)


def test_it_can_be_ended_at_any_time(app: App, session: Session) -> None:
    session.interrupt()
    for turn, (wait, number) in enumerate(
        [(0.5, signal.SIGINT), (0.9, signal.SIGINT), (1.2, signal.SIGINT), (2.5, signal.SIGTERM), (2.5, signal.SIGKILL)]
    ):
        again = Session(app, app.start("sync", "--json"))
        (app.folder / "files" / "bulk.bin").write_bytes(random.randbytes(4 << 20))
        time.sleep(wait)
        save(app, 40 + turn)
        status = again.interrupt(number)
        assert status in ((0, 130) if number == signal.SIGINT else (status,)), str(again)
        tidy(app, attached=False)
