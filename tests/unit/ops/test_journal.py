"""What the sync sessions of an env did last."""

from pathlib import Path

import pytest

from devenv.ops import journal
from devenv.ops.journal import Journal


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """An empty one."""
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))
    made = Journal("cluster", "env")
    made.begin()
    return made


def test_entries_come_back_oldest_first(noted: Journal) -> None:
    assert list(noted.read()) == []
    noted.add(0.01, ["a"], ("web.1",), ["web"])
    entry = noted.add(0.02, ["b", "c"], (), [])
    first, second = noted.read()
    assert (first.files, first.pods, first.restarts, first.count) == (("a",), ("web.1",), ("web",), 1)
    assert second == entry


def test_many_files_are_counted_and_not_all_named(noted: Journal) -> None:
    entry = noted.add(0.1, [str(number) for number in range(5000)], (), [])
    assert (entry.count, len(entry.files)) == (5000, journal.SHOWN)


def test_names_that_are_no_utf8(noted: Journal) -> None:
    noted.add(0.1, ["\udcff"], (), [])
    assert [each.files for each in noted.read()] == [("\udcff",)]


def test_it_does_not_grow_for_ever(noted: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.ops.journal.KEPT", 3)
    for number in range(9):
        noted.add(number, [str(number)], (), [])
    noted.begin()
    assert [each.files[0] for each in noted.read()] == ["6", "7", "8"]


def test_without_a_file_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))
    assert list(Journal("no", "no").read()) == []


def test_half_a_line_is_no_entry(noted: Journal) -> None:
    noted.add(0.1, ["a"], (), [])
    with noted.file.open("a") as out:
        out.write('{"at": 1, "seco')
    assert [each.files for each in noted.read()] == [("a",)]
    noted.begin()
    noted.add(0.1, ["b"], (), [])
    assert [each.files for each in noted.read()] == [("a",), ("b",)]


def test_what_cannot_be_noted_ends_no_session(noted: Journal) -> None:
    noted.file.unlink()
    noted.file.mkdir()
    assert noted.add(0.1, ["a"], (), []).files == ("a",)
