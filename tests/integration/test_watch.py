"""The watcher on real folders: nothing that happens stays untold, and nothing is told of what is skipped. No cluster."""

import os
import queue
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.base.index import Index
from devenv.sync import watch
from devenv.sync.tree import Change, Tree
from devenv.sync.watch import How, Lost, Touched, Watcher

pytestmark = pytest.mark.integration


def skip(path: str, is_folder: bool) -> str | None:
    return "skipped" if "node_modules" in path.split("/") or path == "lib/.gitignore" else None


class Ears:
    """A watcher on a folder, and what it tells."""

    def __init__(self, root: Path, how: How | None) -> None:
        self.root = root
        self.told: queue.Queue[Touched | Lost] = queue.Queue()
        self.skipping = True
        self.watcher = Watcher(root, self.skip, self.told.put, how)
        self.watcher.start()

    def skip(self, path: str, is_folder: bool) -> str | None:
        return skip(path, is_folder) if self.skipping else None

    def until(self, path: str, within: float = 5.0) -> list[str]:
        """The paths told up to and with `path`."""
        found: list[str] = []
        while path not in found:
            message = self.told.get(timeout=within)
            assert isinstance(message, Touched)
            found.append(message.path)
        return found

    def lost(self, within: float = 5.0) -> None:
        """Wait for a `Lost`."""
        while not isinstance(self.told.get(timeout=within), Lost):
            pass

    def silent(self, seconds: float) -> None:
        """Nothing is told."""
        with pytest.raises(queue.Empty):
            raise AssertionError(self.told.get(timeout=seconds))

    def all(self, seconds: float = 0.5) -> set[str]:
        """All that is told until there is silence."""
        found = set()
        while True:
            try:
                message = self.told.get(timeout=seconds)
            except queue.Empty:
                return found
            found.add(message.path if isinstance(message, Touched) else "")


@pytest.fixture(params=["inotify", "watchdog"])  # where FSEvents tells, watchdog is between: here on its own inotify
def ears(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ears]:
    root = tmp_path / "app"
    (root / "lib" / "deep").mkdir(parents=True)
    (root / "node_modules" / "x").mkdir(parents=True)
    (root / "app.py").write_text("one")
    (root / "lib" / "deep" / "a.py").write_text("two")
    made = Ears(root, request.param)
    yield made
    made.watcher.stop()


def test_a_save(ears: Ears) -> None:
    before = time.monotonic()
    (ears.root / "lib" / "deep" / "a.py").write_text("changed")
    assert set(ears.until("lib/deep/a.py")) == {"lib/deep/a.py"}
    (ears.root / "app.py").write_text("changed")
    message = ears.told.get(timeout=5)
    assert isinstance(message, Touched)
    assert before < message.at <= time.monotonic()


def test_a_save_by_rename(ears: Ears) -> None:
    (ears.root / ".app.py.swp").write_text("changed")
    (ears.root / ".app.py.swp").rename(ears.root / "app.py")
    assert ".app.py.swp" in ears.until("app.py")


def test_mode_link_and_removal(ears: Ears) -> None:
    (ears.root / "app.py").chmod(0o755)
    ears.until("app.py")
    (ears.root / "link").symlink_to("app.py")
    ears.until("link")
    os.link(ears.root / "app.py", ears.root / "hard")
    ears.until("hard")
    (ears.root / "app.py").unlink()
    ears.until("app.py")
    shutil.rmtree(ears.root / "lib")
    ears.until("lib")


def test_new_folders_are_watched(ears: Ears) -> None:
    (ears.root / "p" / "q").mkdir(parents=True)
    ears.until("p")
    ears.all()
    (ears.root / "p" / "q" / "x").write_text("x")
    ears.until("p/q/x")


def test_a_folder_that_moves_is_watched_where_it_is(ears: Ears) -> None:
    (ears.root / "lib").rename(ears.root / "src")
    assert "lib" in ears.until("src")
    ears.all()
    (ears.root / "src" / "deep" / "a.py").write_text("x")
    assert set(ears.until("src/deep/a.py")) == {"src/deep/a.py"}


def test_odd_names(ears: Ears) -> None:
    for name in ("new\nline", "bad\udcff", "-dash", "'q\"", " "):
        (ears.root / name).mkdir()
        ears.until(name)
        ears.all(0.1)
        (ears.root / name / name).write_text("x")
        ears.until(f"{name}/{name}")


def test_what_is_skipped_is_not_told(ears: Ears) -> None:
    (ears.root / "node_modules" / "x" / "y.js").write_text("x")
    (ears.root / "lib" / "node_modules").mkdir()
    (ears.root / "lib" / "node_modules" / "z.js").write_text("x")
    (ears.root / "app.py").write_text("x")
    assert "app.py" in ears.until("app.py")
    assert not any("node_modules" in path for path in ears.all())


def test_stopping_is_silence(ears: Ears) -> None:
    ears.watcher.stop()
    (ears.root / "app.py").write_text("x")
    ears.silent(0.3)
    assert not [thread for thread in threading.enumerate() if thread.name == "watch"]


@pytest.fixture
def inotify(tmp_path: Path) -> Iterator[Ears]:
    root = tmp_path / "app"
    (root / "lib" / "deep").mkdir(parents=True)
    (root / "node_modules" / "x").mkdir(parents=True)
    made = Ears(root, "inotify")
    yield made
    made.watcher.stop()


def test_folders_that_come_and_go_from_elsewhere(inotify: Ears, tmp_path: Path) -> None:
    (inotify.root / "lib").rename(tmp_path / "away")
    inotify.until("lib")
    (tmp_path / "away" / "deep" / "a.py").write_text("not the app's")
    inotify.silent(0.3)
    (tmp_path / "away").rename(inotify.root / "back")
    inotify.until("back")
    inotify.all()
    (inotify.root / "back" / "deep" / "a.py").write_text("x")
    inotify.until("back/deep/a.py")


def test_no_watch_below_what_is_skipped(inotify: Ears) -> None:
    inodes = [path.stat().st_ino for path in (inotify.root / "node_modules", inotify.root / "node_modules" / "x")]
    watched = "".join(
        info.read_text()
        for info in Path("/proc/self/fdinfo").iterdir()
        if (Path("/proc/self/fd") / info.name).is_symlink()
        and os.readlink(Path("/proc/self/fd") / info.name) == "anon_inode:inotify"
    )
    assert f"ino:{inotify.root.stat().st_ino:x} " in watched
    assert not [inode for inode in inodes if f"ino:{inode:x} " in watched]


def test_a_save_is_told_once_when_it_is_whole(inotify: Ears) -> None:
    with open(inotify.root / "new", "w") as file:
        for _ in range(5):
            file.write("x" * 10_000)
            file.flush()
        assert inotify.told.empty()
    assert inotify.all(0.6) == {"new"}


def test_one_who_never_closes_is_told_of(inotify: Ears) -> None:
    with open(inotify.root / "log", "w") as file:
        inotify.until("log")  # it is new
        file.write("x")
        file.flush()
        inotify.until("log")
        inotify.silent(0.5)


def test_refresh_watches_what_is_not_skipped_any_more(inotify: Ears) -> None:
    def saved(text: str) -> None:
        (inotify.root / "node_modules" / "x" / "y.js").write_text(text)

    saved("1")
    inotify.silent(0.3)
    for allowed in (True, False):
        inotify.watcher.anew = lambda allowed=allowed: setattr(inotify, "skipping", not allowed)
        inotify.watcher.refresh()
        inotify.lost()
        saved(str(allowed))
        assert inotify.all() == ({"node_modules/x/y.js"} if allowed else set())


def test_rules_that_name_their_own_file_are_told_of(inotify: Ears) -> None:
    assert skip("lib/.gitignore", False)
    (inotify.root / "lib" / ".gitignore").write_text("*")
    assert inotify.until("lib/.gitignore") == ["lib/.gitignore"]


def test_a_folder_in_the_place_of_the_one_that_is_watched(inotify: Ears, tmp_path: Path) -> None:
    inotify.root.rename(tmp_path / "away")
    inotify.lost()
    (tmp_path / "away").rename(inotify.root)
    inotify.watcher.took(0.0)
    inotify.lost(30.0)
    assert inotify.watcher.how == "polling"


def test_polling_goes_at_the_pace_of_the_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PACE", (0.1, 10))
    ears = Ears(tmp_path, "polling")
    anew = list[float]()
    ears.watcher.anew = lambda: anew.append(time.monotonic())
    try:
        started = time.monotonic()
        ears.lost()
        ears.silent(0.5)  # nobody told that it was looked at
        ears.watcher.took(0.0)
        ears.lost()
        ears.watcher.took(0.1)
        ears.lost()
        assert time.monotonic() - started > 1.5
        assert len(anew) == 3, "nobody tells of a .gitignore alone"
    finally:
        ears.watcher.stop()


CHILD = """
import pathlib, queue, sys, time
from devenv.sync.watch import Lost, Touched, Watcher
root, told, said = pathlib.Path(sys.argv[1]), queue.Queue(), []
watcher = Watcher(root, lambda path, folder: None, told.put, tell=said.append)
watcher.start()
print(watcher.how, flush=True)
if watcher.how == "inotify":
    for number in range(30):
        (root / f"new{number}").mkdir()
while not isinstance(told.get(timeout=20), Lost):
    pass
print(watcher.how, *said, flush=True)
watcher.stop()
"""


@pytest.mark.parametrize(("limit", "start"), [(5, "polling"), (25, "inotify")])
def test_where_the_limit_is_reached_polling_takes_over(tmp_path: Path, limit: int, start: str) -> None:
    """The real limit, of a user namespace of its own."""
    for number in range(10):
        (tmp_path / f"folder{number}").mkdir()
    script = f'echo {limit} > /proc/sys/user/max_inotify_watches && exec "$@"'
    argv = [
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        script,
        "sh",
        sys.executable,
        "-c",
        CHILD,
        str(tmp_path),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.strip().splitlines()
    assert first == start
    assert last.startswith("polling ")
    assert "fs.inotify.max_user_watches" in last


def test_too_much_at_once_is_lost_and_found(tmp_path: Path) -> None:
    """The real queue of the kernel, overflown."""
    told: queue.Queue[Touched | Lost] = queue.Queue()
    free = threading.Event()

    def put(message: Touched | Lost) -> None:
        free.wait()
        told.put(message)

    watcher = Watcher(tmp_path, lambda path, is_folder: None, put)
    watcher.start()
    try:
        (tmp_path / "first").touch()
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        for number in range(2 * limit):
            (tmp_path / f"{number % 100}").touch()
        (tmp_path / "late").mkdir()
        free.set()
        while not isinstance(told.get(timeout=10), Lost):
            pass
        (tmp_path / "late" / "x").write_text("x")  # its folder was made unheard
        while told.get(timeout=10) != Touched("late/x", pytest.approx(time.monotonic(), abs=10)):
            pass
    finally:
        free.set()
        watcher.stop()


def copy(target: dict[str, str], changes: list[Change]) -> None:
    for change in changes:
        if change.row is None:
            for path in [path for path in target if path == change.path or path.startswith(change.path + "/")]:
                del target[path]
        elif change.row != "d":
            target[change.path] = change.row


def test_a_tree_follows_its_watcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random changes at full speed; what the watcher tells is enough to know all of them."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "app"
    root.mkdir()
    index = Index(root)
    tree = Tree(root, "app:1", skip, index)
    tree.set_base([])
    ears = Ears(root, None)
    pod: dict[str, str] = {}
    dice, names = random.Random(4), ["a", "b", "c", "node_modules", "bad\udcff\n"]
    done = threading.Event()

    def edit() -> None:
        for _ in range(3000):
            full = root / "/".join(dice.choice(names) for _ in range(dice.randrange(1, 5)))
            try:
                action = dice.randrange(5)
                if action == 0:
                    full.write_text(str(dice.random()))
                elif action == 1:
                    full.mkdir(parents=True)
                elif action == 2:
                    full.rename(root / dice.choice(names) / dice.choice(names))
                elif action == 3:
                    full.symlink_to("x")
                elif full.is_dir() and not full.is_symlink():
                    shutil.rmtree(full)
                else:
                    full.unlink()
            except OSError:
                continue
        done.set()

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        while not done.is_set() or not ears.told.empty():
            copy(pod, tree.look(ears.all(0.01))[0])
        copy(pod, tree.look(ears.all())[0])
        assert tree.look_all() == ([], [])
        there = {os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names}
        links = {path for path in pod if pod[path].startswith("l ")}  # os.walk lists those to folders with the folders
        assert pod.keys() | links == {path for path in there if not skip(path, False)} | links
    finally:
        thread.join()
        ears.watcher.stop()
        index.close()
