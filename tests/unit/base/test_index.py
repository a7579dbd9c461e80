"""The index of a folder: what survives, and what does not matter."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from devenv.base.errors import MachineError
from devenv.base.index import Index


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text("one\n")
    return folder


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was written counts as written long ago."""
    monkeypatch.setattr("devenv.base.index.SETTLED", -(10**18))


def read(root: Path, *names: str) -> int:
    """How many of the files a new index reads."""
    index = Index(root)
    for name in names:
        index.memo("").digest(name, str(root / name), (root / name).stat())
    index.close()
    return index.read


@pytest.mark.usefixtures("settled")
def test_only_changed_files_are_read_again(root: Path) -> None:
    (root / "bad\udcff\n").write_text("two\n")
    assert read(root, "app.py", "bad\udcff\n") == 2
    assert read(root, "app.py", "bad\udcff\n") == 0
    (root / "app.py").write_text("changed\n")
    os.utime(root / "app.py", (5, 5))
    assert read(root, "app.py", "bad\udcff\n") == 1


def test_a_file_just_written_is_not_trusted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.base.index.SETTLED", 60_000_000_000)  # whatever else the machine is at
    assert read(root, "app.py") == 1
    assert read(root, "app.py") == 1


@pytest.mark.usefixtures("settled")
def test_what_is_no_more_is_forgotten(root: Path) -> None:
    (root / "gone").mkdir()
    (root / "gone" / "x").write_text("x")
    index = Index(root)
    for folder, name in (("", "app.py"), ("gone", "x")):
        index.memo(folder).digest(name, str(root / folder / name), (root / folder / name).stat())
    index.save()
    (root / "gone" / "x").unlink()
    (root / "gone").rmdir()
    index.memo("").forget({"other"})
    index.save({""})
    assert not index.memo("").known
    assert not index.memo("gone").known
    index.close()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("damage", [b"{not a database", b""])
def test_a_damaged_file_is_made_anew(root: Path, damage: bytes) -> None:
    index = Index(root)
    ident = index.ident
    index.close()
    index.file.write_bytes(damage)
    again = Index(root)
    assert again.ident != ident
    again.close()
    assert read(root, "app.py") == 1
    assert read(root, "app.py") == 0


def test_damage_that_shows_late_is_told_once(root: Path) -> None:
    index = Index(root)
    image = index.image("app:1")
    index.set_base(image, ((f"lib/{number:05}.py", "f " + "0" * 32) for number in range(5000)), ())
    index.close()
    size = index.file.stat().st_size
    with open(index.file, "r+b") as file:
        file.seek(8192)
        file.write(os.urandom(size - 8192))
    again = Index(root)
    with pytest.raises(MachineError, match="cannot be used"):
        again.listing(image, "lib")
    assert not again.has_base(again.image("app:1"))
    again.close()


def test_another_format_is_made_anew(root: Path) -> None:
    index = Index(root)
    index.close()
    with sqlite3.connect(index.file) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    again = Index(root)
    assert again.seq == 0
    again.close()


@pytest.mark.usefixtures("settled")
def test_a_cache_that_cannot_be_written_costs_speed_only(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "file").write_text("")
    monkeypatch.setenv("DEVENV_CACHE", str(root / "file"))
    assert read(root, "app.py") == 1
    assert read(root, "app.py") == 1
    index = Index(root)
    image = index.image("app:1")
    index.set_base(image, [("app.py", "f 0")], ())
    assert index.row(image, "app.py") == "f 0"
    index.close()


def test_two_at_once(root: Path) -> None:
    def work(index: Index) -> None:
        image = index.image("app:1")
        for number in range(50):
            index.record(image, [(f"{number % 7}", f"f {index is first}{number}")])

    first, second = Index(root), Index(root)
    threads = [threading.Thread(target=work, args=(index,)) for index in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.seq == second.seq == 100
    assert len(first.since(first.image("app:1"), 0)) == 7
    first.close()
    second.close()
