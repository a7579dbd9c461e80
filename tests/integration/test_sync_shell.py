"""The shell that devenv runs in containers, run here by the shells there are: no cluster."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from devenv.base import resources
from devenv.base.index import content
from devenv.sync import bulk, frame, perl
from devenv.sync.payload import Payload, Records, Tar, payload
from devenv.sync.tree import Change
from tests.names import ODD

pytestmark = pytest.mark.integration
SHELLS = [shell for shell in ("bash", "dash", "busybox") if shutil.which(shell)]
WAYS = [*SHELLS, *(["perl"] if shutil.which("perl") else [])]


def eventually(good: Callable[[], object], seconds: float = 30) -> None:
    """Wait until `good`."""
    deadline = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def argv(shell: str, script: str, *words: str) -> list[str]:
    """The command line of a script, in a shell."""
    words = ("-c", script, *words)
    return {"busybox": ["busybox", "sh", *words], "perl": ["bash", *words]}.get(shell, [shell, *words])


@dataclass
class Loop:
    """The loop of one container, whose root is a folder."""

    host: Path
    root: Path
    state: Path
    process: "subprocess.Popen[bytes]"
    perl: bool
    number: int = 0

    @property
    def site(self) -> frame.Site:
        return frame.Site(str(self.state), str(self.root), f"{self.state}/seq")

    def say(self) -> str:
        """The next line that it says."""
        assert self.process.stdout
        return os.fsdecode(self.process.stdout.readline()).strip()

    def hello(self) -> list[str]:
        """Its first words, but for what it is able to do: the mark and the supervisor. Perl takes over where it is to."""
        hello, *words, able = self.say().split()
        assert (hello, able) == ("hello", "perl"), "this machine has Perl"
        if self.perl:
            self.write(perl.TAKE_OVER)
        return words

    def write(self, data: bytes) -> None:
        """To its standard input."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def load(self, *paths: str) -> Payload:
        """The payload of what is at these paths of the host now."""
        changes = [Change(path, row(self.host / path), None, 1) for path in paths]
        found = self.pack(changes)
        assert not found.late
        return found

    def pack(self, changes: list[Change]) -> Payload:
        """The payload of changes."""
        packer = Records() if self.perl else Tar()
        return payload(self.host, changes, lambda path: "/" + path, lambda change, mtime: mtime, packer)

    def line(self, load: Payload) -> bytes:
        """The next line, for a payload."""
        self.number += 1
        mark = f"me:{self.number}"
        return perl.order(self.number, self.site, mark) if self.perl else frame.line(self.number, load, self.site, mark)

    def send(self, *paths: str) -> list[str]:
        """Bring them over; what it says, the answer last."""
        load = self.load(*paths)
        self.write(self.line(load) + load.archive)
        said = [self.say()]
        while not said[-1].startswith("ok "):
            said.append(self.say())
        return said

    def same(self) -> bool:
        """Whether root and host hold the same."""
        return tree(self.root) == tree(self.host)


def row(file: Path) -> str | None:
    """The row of what is there."""
    if file.is_symlink():
        return f"l {os.readlink(file)}"
    if file.is_dir():
        return "d"
    if not file.exists():
        return None
    return ("x " if file.stat().st_mode & 0o100 else "f ") + content(str(file))


def tree(top: Path) -> dict[str, str | None]:
    """Path -> row of all that is in a folder; folders with something in it left out."""
    found = {}
    for at, folders, files in os.walk(top):
        for name in (*files, *(each for each in folders if os.path.islink(os.path.join(at, each)))):
            found[os.path.relpath(os.path.join(at, name), top)] = row(Path(at, name))
        if not folders and not files and at != str(top):
            found[os.path.relpath(at, top)] = "d"
    return found


@pytest.fixture(params=WAYS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(tmp_path: Path, shell: str) -> Iterator[Callable[..., Loop]]:
    """Starts a loop on the same folders; its process ends with the test."""
    host, root, state = (tmp_path / name for name in ("host", "root", "state"))
    host.mkdir()
    root.mkdir()
    made: list[Loop] = []

    def begin(limit: int = resource.RLIM_INFINITY, awaits: str = "") -> Loop:
        process = subprocess.Popen(
            argv(shell, frame.LOOP, "loop", str(state), awaits),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            restore_signals=False,  # SIGXFSZ stays ignored: too large a file is an error
        )
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        made.append(Loop(host, root, state, process, shell == "perl"))
        return made[-1]

    yield begin
    for loop in made:
        if loop.process.poll() is None:
            os.killpg(loop.process.pid, signal.SIGKILL)
        loop.process.wait(timeout=10)
        for stream in (loop.process.stdin, loop.process.stdout):
            assert stream
            with suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def loop(start: Callable[..., Loop]) -> Loop:
    """A loop that has said hello."""
    begun = start()
    assert begun.hello() == ["-", "-"]
    return begun


def test_files_folders_links_and_odd_names(loop: Loop) -> None:
    (loop.host / "app").mkdir()
    for name in ODD:
        Path(os.fsdecode(os.fsencode(loop.host / "app") + b"/" + name)).write_bytes(name)
    paths = [f"app/{os.fsdecode(name)}" for name in ODD]
    assert loop.send(*paths) == ["ok 1 0"]
    assert loop.same()
    (loop.host / "app" / "run").write_text("#!/bin/sh\n")
    (loop.host / "app" / "run").chmod(0o755)
    (loop.host / "app" / "link").symlink_to("run")
    (loop.host / "empty" / "nested").mkdir(parents=True)
    (loop.host / "a\nb" / "c").mkdir(parents=True)
    (loop.host / "a\nb" / "d").write_text("in an odd folder")
    assert loop.send("app/run", "app/link", "empty/nested", "a\nb/c", "a\nb/d") == ["ok 2 0"]
    assert loop.same()
    for path in paths:
        (loop.host / path).unlink()
    assert loop.send(*paths) == ["ok 3 0"]
    assert loop.same()
    assert (loop.state / "seq").read_text() == "me:3\n"


def test_many_folders_at_once(loop: Loop) -> None:
    names = [f"d{number}/e'{number % 3}/f {number}" for number in range(60)]
    for name in names:
        (loop.host / name).parent.mkdir(parents=True, exist_ok=True)
        (loop.host / name).write_text(name)
    assert loop.send(*names) == ["ok 1 0"]
    assert loop.same()
    for name in names:
        (loop.host / name).write_text(name * 2)
    assert loop.send(*names) == ["ok 2 0"]
    assert loop.same()
    for name in names[::2]:
        shutil.rmtree((loop.host / name).parents[1])
    assert loop.send(*(name.split("/")[0] for name in names[::2])) == ["ok 3 0"]
    assert loop.same()


def both(loop: Loop, path: str) -> list[str]:
    """Bring over a path where something of another kind was: away first, as the tree tells it."""
    gone = Change(path, None, "d", 1)
    inside = [str(each.relative_to(loop.host)) for each in (loop.host / path).rglob("*")] or [path]
    changes = [gone, *(Change(each, row(loop.host / each), None, 1) for each in inside)]
    load = loop.pack(changes)
    loop.write(loop.line(load) + load.archive)
    return [loop.say()]


def test_a_path_becomes_another_kind(loop: Loop) -> None:
    turned = loop.host / "a" / "b"
    (turned / "c" / "d").mkdir(parents=True)
    (turned / "c" / "d" / "file").write_text("deep")
    assert loop.send("a/b/c/d/file") == ["ok 1 0"]
    shutil.rmtree(turned)
    turned.write_text("a file now")
    assert both(loop, "a/b") == ["ok 2 0"]
    assert loop.same()
    turned.unlink()
    turned.mkdir()
    (turned / "again").write_text("a folder")
    assert both(loop, "a/b") == ["ok 3 0"]
    assert loop.same()
    shutil.rmtree(turned)
    turned.symlink_to("/nowhere")
    assert both(loop, "a/b") == ["ok 4 0"]
    assert loop.same()
    turned.unlink()
    turned.symlink_to("/elsewhere")
    assert loop.send("a/b") == ["ok 5 0"]
    assert loop.same()


def test_nobody_reads_half_a_file(loop: Loop) -> None:
    file, there = loop.host / "big", loop.root / "big"
    sizes = (1 << 20, 3 << 20)
    file.write_bytes(b"a" * sizes[0])
    loop.send("big")
    seen, over = set[int](), threading.Event()

    def look() -> None:
        while not over.is_set():
            with there.open("rb") as opened:
                seen.add(len(opened.read()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for turn in range(8):
            file.write_bytes(b"a" * sizes[turn % 2])
            assert loop.send("big")[-1].endswith(" 0")
    finally:
        over.set()
        thread.join()
    assert seen <= set(sizes)


@pytest.mark.parametrize("many", [False, True])
def test_what_fails_takes_its_bytes_along(loop: Loop, many: bool) -> None:
    """A file where a folder would have to be: the archive is read to its end, the next change arrives."""
    names = [f"in{number}/f" for number in range(8 if many else 1)]
    for name in names:
        (loop.host / name).parent.mkdir()
        (loop.host / name).write_bytes(os.urandom(300_000))
    (loop.root / "in0").write_text("in the way")
    said = loop.send(*names)
    assert said[-1] != "ok 1 0"
    assert said[-1].startswith("ok 1 ")
    assert len(said) > 1, "it says why"
    assert all((loop.root / name).exists() for name in names[1:]), "the others arrive"
    assert not (loop.state / "seq").exists()
    (loop.root / "in0").unlink()
    assert loop.send(*names) == ["ok 2 0"]
    assert loop.same()


@pytest.mark.parametrize("many", [False, True])
def test_a_folder_that_is_elsewhere(loop: Loop, many: bool) -> None:
    """On another file system, behind a link: as an image has it."""
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        names = [f"data/in{number}/f" for number in range(8 if many else 1)] + ["here"]
        for name in names:
            (loop.host / name).parent.mkdir(parents=True, exist_ok=True)
            (loop.host / name).write_text(name)
        (loop.root / "data").symlink_to(elsewhere)
        assert loop.send(*names) == ["ok 1 0"]
        assert [(loop.root / name).read_text() for name in names] == names
        assert (loop.root / "data").is_symlink()
    finally:
        shutil.rmtree(elsewhere)


def test_a_link_to_elsewhere_and_what_comes_after_it(loop: Loop) -> None:
    """Nothing of it stays where the next file is unpacked: that would be written through the link."""
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        (loop.root / "data").symlink_to(elsewhere)
        (loop.root / "victim").write_text("the pod's own")
        (loop.host / "data").mkdir()
        (loop.host / "data" / "link").symlink_to(loop.root / "victim")
        (loop.host / "code").write_text("code")
        assert loop.send("data/link") == ["ok 1 0"]
        assert loop.send("code") == ["ok 2 0"]
        assert (loop.root / "victim").read_text() == "the pod's own"
        assert (row(loop.root / "code"), row(elsewhere / "link")) == (
            row(loop.host / "code"),
            row(loop.host / "data" / "link"),
        )
    finally:
        shutil.rmtree(elsewhere)


def test_a_stage_that_somebody_cleaned_away(loop: Loop) -> None:
    (loop.host / "f").write_text("1")
    assert loop.send("f") == ["ok 1 0"]
    for stage in loop.state.glob("stage.*"):
        shutil.rmtree(stage)
    said = loop.send("f")
    assert said[-1] != "ok 2 0"
    assert loop.send("f") == ["ok 3 0"]


def test_a_disk_that_takes_no_more(start: Callable[..., Loop]) -> None:
    loop = start(limit=1 << 20)
    loop.hello()
    (loop.host / "large").write_bytes(os.urandom(3 << 20))
    (loop.host / "small").write_text("1")
    said = loop.send("large")
    assert (said[-1] != "ok 1 0", len(said) > 1) == (True, True), said
    assert loop.send("small") == ["ok 2 0"]
    assert not (loop.root / "large").exists()
    (loop.host / "large").write_bytes(os.urandom(100_000))
    assert loop.send("large") == ["ok 3 0"]
    assert loop.same()


@pytest.mark.parametrize("count", [3, 40])
def test_an_archive_that_is_cut_anywhere(start: Callable[..., Loop], count: int) -> None:
    """Between two files too, where tar alone sees nothing wrong: it is not taken for whole."""
    loop = start()
    loop.hello()
    names = [f"d{number}/f" for number in range(count)]
    for name in names:
        (loop.host / name).parent.mkdir()
        (loop.host / name).write_text(name)
    load = loop.load(*names)
    text = loop.line(load)
    for cut in (0, 512, 1024, 1300, count * 512, count * 1024 - 1024, count * 1024):
        loop.write(text + load.archive[:cut])
        assert loop.process.stdin
        loop.process.stdin.close()
        loop.process.wait(timeout=20)
        assert not (loop.state / "seq").exists() or loop.same(), f"cut at {cut}"
        (loop.state / "seq").unlink(missing_ok=True)
        assert not list(loop.state.glob("stage*")), "left behind"
        shutil.rmtree(loop.root)
        loop.root.mkdir()
        loop = start()
        assert loop.hello() == ["-", "-"]
    assert loop.send(*names) == ["ok 1 0"]
    assert loop.same()


def test_it_leaves_at_the_end_of_its_input(loop: Loop) -> None:
    loop.write(b"echo beat\n")
    assert loop.say() == "beat"
    assert int((loop.state / "loop").read_text()) == loop.process.pid
    assert loop.process.stdin
    loop.process.stdin.close()
    assert loop.process.wait(timeout=10) is not None
    assert not list(loop.state.glob("stage*"))


def test_it_waits_for_a_container_that_starts(start: Callable[..., Loop]) -> None:
    """What that lays over its image comes before anything that is sent."""
    loop = start(awaits="supervisor")
    eventually((loop.state / "loop").exists)
    time.sleep(0.3)
    (loop.state / "seq").write_text("me:5\n")
    (loop.state / "supervisor").write_text("41\n")
    assert loop.hello() == ["me:5", "41"]


def test_another_one_takes_over(start: Callable[..., Loop]) -> None:
    """Also from one that is stuck in the middle of an archive; what that had unpacked is no one's."""
    first = start()
    first.hello()
    (first.host / "e").write_text("first")
    (first.host / "f").write_bytes(os.urandom(200_000))
    load = first.load("e", "f")
    first.write(first.line(load) + load.archive[:100_000])
    eventually(lambda: list(first.state.glob("stage.*/*")))
    second = start()
    assert second.hello() == ["-", "-"]
    assert first.process.wait(timeout=10) is not None
    assert second.send("e", "f") == ["ok 1 0"]
    assert second.same()
    assert int((second.state / "loop").read_text()) == second.process.pid
    third = start()
    assert third.hello() == ["me:1", "-"]


def test_a_command_that_takes_long_keeps_the_line_open(loop: Loop) -> None:
    loop.write(b"{ sleep 1; echo ok 7 $?; } < /dev/null &\necho beat\n")
    assert [loop.say(), loop.say()] == ["beat", "ok 7 0"]


def test_a_large_file_arrives_whole_or_not_at_all(tmp_path: Path, shell: str) -> None:
    data, target = os.urandom(1 << 20), tmp_path / "new folder" / "it's"
    words = argv(shell, bulk.TAKE, "take", str(tmp_path), str(target), str(len(data)), "755")
    cut = subprocess.run(words, input=data[:-1], capture_output=True, timeout=20)
    assert (cut.stdout, target.exists()) == (b"", False)
    done = subprocess.run(words, input=data, capture_output=True, timeout=20)
    assert (done.stdout, target.read_bytes() == data, target.stat().st_mode & 0o777) == (b"done\n", True, 0o755)
    assert [each.name for each in tmp_path.iterdir()] == ["new folder"]


@dataclass
class Kept:
    """A keeper's folder, and a container that starts beside it."""

    loop: Loop
    folder: Path
    shell: str

    def fill(self, *paths: str, fresh: bool = False) -> str:
        """What a session brings; the answer."""
        place = lambda path: f"{self.loop.root}/{path}"  # noqa: E731
        changes = [Change(path, row(self.loop.host / path), "f", 1) for path in paths]
        extra = frame.state_text(changes, place)
        load = payload(self.loop.host, changes, place, lambda change, mtime: mtime, Tar(), extra)
        self.loop.number += 1
        site = frame.keeper("one", ["one", "two"] if fresh else [])
        self.loop.write(frame.line(self.loop.number, load, site, f"me:{self.loop.number}") + load.archive)
        return self.loop.say()

    def begin(self, before: str = "") -> "subprocess.CompletedProcess[bytes]":
        """Start a container: it lays the edits over its image. `before`: a step of shell in between."""
        text = (resources.path("charts") / "app" / "files" / "overlay.sh").read_text()
        text = text.replace("/.devenv/$devenv_key", f"{self.folder}/$devenv_key").replace(
            "/tmp/.devenv", f"{self.folder}/.tmp"
        )
        text = text.replace("  # a session", f"  {before}\n  # a session")
        script = f"devenv_key=one\n{text}\necho started\n"
        return subprocess.run(argv(self.shell, script), capture_output=True, timeout=30)


@pytest.fixture
def kept(start: Callable[..., Loop], tmp_path: Path, shell: str, monkeypatch: pytest.MonkeyPatch) -> Kept:
    folder = tmp_path / "volume"
    folder.mkdir()
    monkeypatch.setattr(frame, "KEEPER", str(folder))
    (tmp_path / "state").symlink_to(folder / ".loop")
    (folder / ".loop").mkdir()
    loop = start()
    loop.perl = False  # the keeper's steps are shell
    assert loop.hello() == ["-", "-"]
    return Kept(loop, folder, shell)


def test_a_container_starts_with_what_is_kept(kept: Kept) -> None:
    host, root = kept.loop.host, kept.loop.root
    assert kept.begin().stdout == b"started\n", "nothing is kept yet"
    for name in ("a", "sub/b", "it's"):
        (host / name).parent.mkdir(exist_ok=True)
        (host / name).write_text(name)
    (host / "link").symlink_to("a")
    (host / "empty").mkdir()
    (root / "gone").write_text("of the image")
    assert kept.fill("a", "sub/b", "it's", "link", "empty", "gone", fresh=True) == "ok 1 0"
    assert kept.begin().stdout == b"started\n"
    assert kept.loop.same()
    assert (kept.folder / ".tmp" / "seq").read_text() == "me:1\n"
    (host / "a").write_text("again")
    assert kept.fill("a", "gone") == "ok 2 0"
    assert kept.begin().stdout == b"started\n"
    assert kept.loop.same()


def test_a_session_that_begins_takes_the_place_of_what_was_kept(kept: Kept) -> None:
    (kept.loop.host / "a").write_text("1")
    (kept.folder / "old-image").mkdir()
    (kept.folder / "two").mkdir()
    assert kept.fill("a", fresh=True) == "ok 1 0"
    assert sorted(each.name for each in kept.folder.glob("[!.]*")) == ["one", "two"]
    (kept.loop.host / "b").write_text("2")
    assert kept.fill("b", fresh=True) == "ok 2 0"
    files = kept.folder / "one" / "files"
    assert [each.name for each in files.rglob("*") if each.is_file()] == ["b"]
    assert not (kept.folder / ".new").exists()
    assert not (kept.folder / ".old").exists()


def test_a_container_that_starts_while_a_session_begins_starts_once_more(kept: Kept) -> None:
    (kept.loop.host / "a").write_text("1")
    assert kept.fill("a", fresh=True) == "ok 1 0"
    one = kept.folder / "one"
    done = kept.begin(f"cp -R '{one}' '{one}.new' && rm -rf '{one}' && mv '{one}.new' '{one}'")
    assert (done.returncode, done.stdout) == (1, b"")
    assert kept.begin().stdout == b"started\n"


def test_what_cannot_be_laid_over_is_not_noted(kept: Kept) -> None:
    (kept.loop.host / "a").mkdir()
    (kept.loop.host / "a" / "b").write_text("1")
    assert kept.fill("a/b", fresh=True) == "ok 1 0"
    (kept.loop.root / "a").write_text("in the way")
    done = kept.begin()
    assert done.stdout == b"started\n", "the session brings it, or tells why not"
    assert not (kept.folder / ".tmp" / "seq").exists()
