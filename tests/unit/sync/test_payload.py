"""What a payload is for a container that has Perl."""

import os
from pathlib import Path

from devenv.sync import frame, perl
from devenv.sync.payload import Records, payload
from devenv.sync.tree import Change
from tests.unit.sync.conftest import Container, Stage


def test_records(tmp_path: Path) -> None:
    odd = os.fsdecode(b"a\nb \xff")
    (tmp_path / odd).write_bytes(b"\0\n")
    (tmp_path / "run").write_text("#!")
    (tmp_path / "run").chmod(0o700)
    (tmp_path / "link").symlink_to("/else where")
    rows = {odd: "f 1", "run": "x 1", "link": "l /else where", "empty": "d", "gone": None, "skipped": "f 1"}
    changes = [Change(path, row, None, 3) for path, row in rows.items()]
    place = {path: None if path == "skipped" else f"/{path}" for path in rows}.get
    found = payload(tmp_path, changes, place, lambda change, mtime: 1000, Records())
    assert found.archive == (
        b"f 1000 6 2\n/a\nb \xff\0\nx 1000 4 2\n/run#!l 1000 5 11\n/link/else whered 0 6 0\n/emptyr 0 5 0\n/gone.\n"
    )
    assert (found.gone, found.folders, found.files) == (("/gone",), ("/empty",), (f"/{odd}", "/run", "/link"))


def test_the_program_is_one_line() -> None:
    """It is sent as a line of the loop, which starts anew what goes by its name."""
    assert (perl.TAKE_OVER.count(b"\n"), perl.TAKE_OVER[-1:]) == (1, b"\n")
    assert "t=$s/stage" in perl.PROGRAM
    assert "grep -qF 't=$s/stage'" in frame.LOOP


def test_each_container_gets_what_it_reads(stage: Stage) -> None:
    web, second, shell = (
        stage.join(Container(name), able=able) for name, able in (("a", True), ("b", True), ("c", False))
    )
    stage.save(a__txt="1")
    ident = stage.mirror.tree.ident
    assert [each.sent[-1] for each in (web, second)] == [f"put 1 {ident}:1 ", f"put 2 {ident}:1 "]
    assert "echo ok 3 $e" in shell.sent[-1]
    assert [key[-1] for key in stage.crew.loads] == [True, False], "read once for each way"
