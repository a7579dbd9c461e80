"""What the kernel tells, and what is found out beside that."""

import sys
from pathlib import Path

import pytest

from devenv.sync.inotify import Inotify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def test_a_gitignore_that_was_there_before_its_folder_was_watched_is_told(tmp_path: Path) -> None:
    tree = Inotify(str(tmp_path), lambda path, is_folder: "skipped" if path == "new/skipped" else None)
    try:
        tree.walk("")
        for folder in ("new/deep", "new/skipped"):
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / ".gitignore").write_text("*.log\n")
        assert set(tree.read(0.0)[0]) == {"new", "new/deep/.gitignore"}
        tree.again()
        assert tree.read(0.0) == ([], False)
    finally:
        tree.close()
