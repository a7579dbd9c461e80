"""The lines and archives that a container gets."""

import io
import os
import tarfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

from devenv.base.index import content
from devenv.sync import frame
from devenv.sync.payload import LAST, Payload, Tar, payload
from devenv.sync.tree import Change
from tests.unit.sync.conftest import Stage


def change(folder: Path, path: str) -> Change:
    """The change that makes a path what it is in the folder."""
    file = folder / path
    if file.is_symlink():
        return Change(path, f"l {os.readlink(file)}", None, 3)
    if file.is_dir():
        return Change(path, "d", None, 3)
    if not file.exists():
        return Change(path, None, "f", 3)
    return Change(path, f"{'x' if file.stat().st_mode & 0o100 else 'f'} {content(str(file))}", None, 3)


def load(folder: Path, *paths: str, extra: str = "") -> Payload:
    """The payload of these paths; `skipped` is in no image."""
    changes = [change(folder, path) for path in paths]
    place = {path: None if path == "skipped" else f"/app/{path}" for path in paths}.get
    return payload(folder, changes, place, lambda change, mtime: 1000, Tar(), extra)


def members(found: Payload) -> dict[str, tarfile.TarInfo]:
    """Name -> what the archive has."""
    with tarfile.open(fileobj=io.BytesIO(found.archive), errors="surrogateescape") as archive:
        return {each.name: each for each in archive}


def test_a_payload_holds_modes_links_and_odd_names(tmp_path: Path) -> None:
    odd = os.fsdecode(b"a\nb '\xff")
    (tmp_path / odd).write_text("odd")
    (tmp_path / "run").write_text("#!")
    (tmp_path / "run").chmod(0o700)
    (tmp_path / "link").symlink_to("/else where")
    (tmp_path / "empty").mkdir()
    (tmp_path / "skipped").write_text("1")
    found = load(tmp_path, odd, "run", "link", "empty", "gone", "skipped")
    there = members(found)
    assert set(there) == {f"app/{odd}", "app/run", "app/link"}
    assert (there["app/run"].mode, there[f"app/{odd}"].mode) == (0o755, 0o644)
    assert (there["app/link"].issym(), there["app/link"].linkname) == (True, "/else where")
    assert {each.mtime for each in there.values()} == {1000}
    assert (found.gone, found.folders, found.late) == (("/app/gone",), ("/app/empty",), ())
    assert found.files == (f"/app/{odd}", "/app/run", "/app/link")


def test_what_is_not_as_it_was_found_is_late(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("found")
    (tmp_path / "b").write_text("found")
    (tmp_path / "mode").write_text("1")
    changes = [change(tmp_path, name) for name in ("a", "b", "mode")]
    (tmp_path / "a").write_text("another")
    (tmp_path / "b").unlink()
    (tmp_path / "mode").chmod(0o755)
    found = payload(tmp_path, changes, lambda path: "/" + path, lambda change, mtime: mtime, Tar())
    assert [each.path for each in found.late] == ["a", "b", "mode"]
    assert found.files == ("/a", "/mode")


def test_a_line_is_one_line(tmp_path: Path) -> None:
    names = ["new\nline", "it's", "-rf", "$HOME", os.fsdecode(b"\xff")]
    for name in names:
        (tmp_path / name).write_text("1")
    text = frame.line(7, load(tmp_path, *names, "gone\ntoo"), frame.POD, "me:9")
    assert (text.count(b"\n"), text[-1:]) == (1, b"\n")
    assert b"echo ok 7 $e" in text
    assert b"echo me:9 > /tmp/.devenv/seq" in text
    assert b"\xff" in text


def test_only_an_archive_of_many_folders_needs_its_last_mark(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}" / "f").write_text("1")
    few, many = (load(tmp_path, *(f"d{number}/f" for number in range(count))) for count in (3, 5))
    assert (LAST in members(few), LAST in members(many)) == (False, True)
    assert list(members(many))[-1] == LAST


def test_the_root_as_a_place(tmp_path: Path, stage: Stage) -> None:
    """COPY . / or no WORKDIR: everything moves into the root's own folders, and a delete finds an end."""
    mirror = replace(stage.mirror, mounts=(("", "/"),))
    names = [f"d{number}/f" for number in range(5)]
    for name in names:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1")
    found = payload(
        tmp_path, [change(tmp_path, name) for name in (*names, "gone/f")], mirror.place, lambda change, mtime: 1, Tar()
    )
    text = frame.line(1, found, frame.POD, "").decode()
    assert "rm -rf -- '/gone/f'" in text
    assert """cp -RPlf -- "$t"'/d0' "$t"'/d1' "$t"'/d2' "$t"'/d3' "$t"'/d4' '/' """ in text
    assert list(islice(frame.parents("//a/b"), 5)) == ["//a"]


def test_quoting() -> None:
    assert frame.quoted("plain") == "'plain'"
    assert frame.quoted("it's") == "'it'\\''s'"
    assert frame.quoted("a\nb") == "'a'\"$nl\"'b'"


def test_the_keeper_is_swapped_whole() -> None:
    fresh, later = frame.keeper("two", ["one", "two"]), frame.keeper("two")
    assert (later.prefix, later.seq, later.before, later.last) == ("/.devenv/two/files", "/.devenv/two/seq", "", "")
    assert (fresh.prefix, fresh.seq) == ("/.devenv/.new/files", "/.devenv/.new/seq")
    assert "mv /.devenv/.new /.devenv/two" in fresh.last
    assert "one|two) ;;" in fresh.last


def test_what_a_starting_process_takes_away_and_makes() -> None:
    changes = [
        Change("a", None, "f", 1),
        Change("a/b", None, "f", 1),
        Change("it's", None, "f", 1),
        Change("empty", "d", None, 1),
        Change("file", "f 1", None, 1),
        Change("elsewhere", None, "f", 1),
    ]
    text = frame.state_text(changes, lambda path: None if path == "elsewhere" else f"/app/{path}")
    assert "rm -rf -- '/app/a' '/app/it'\\''s'\n" in text
    assert "mkdir -p -- '/app/empty'\n" in text
    assert "elsewhere" not in text
