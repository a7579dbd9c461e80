"""Contexts and their fingerprints, on small trees."""

import os
import socket
from pathlib import Path

import pytest

from devenv.build import source


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder, with a cache of its own beside it."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "app"
    (root / "lib").mkdir(parents=True)
    (root / "app.py").write_text("one\n")
    (root / "lib" / "a.py").write_text("two\n")
    return root


def digest(root: Path) -> str:
    return source.scan(source.work_tree(root)).digest


def test_what_no_build_sees(tree: Path) -> None:
    for name in (
        ".git/config",
        ".env",
        ".devenv/profile.yaml",
        "node_modules/x/y.js",
        "lib/__pycache__/a.pyc",
        "venv/pyvenv.cfg",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("x")
    (tree / "client").mkdir()
    (tree / "client" / ".env").write_text("PUBLIC=1")  # only the root's is Heroku's
    context = source.scan(source.work_tree(tree))
    assert context.files == {"app.py", "lib/a.py", "client/.env"}
    assert set(context.left_out) == {".git", ".env", ".devenv", "node_modules", "lib/__pycache__", "venv"}


def test_a_commit_keeps_what_was_committed(tree: Path) -> None:
    (tree / "node_modules").mkdir()
    (tree / "node_modules" / "x.js").write_text("x")
    assert "node_modules/x.js" in source.scan(source.Source(tree, "a" * 40)).files


def test_a_work_tree_and_its_commit_have_one_digest(tree: Path) -> None:
    assert digest(tree) == source.scan(source.Source(tree, "a" * 40)).digest


def test_the_digest_covers_path_content_and_mode(tree: Path) -> None:
    seen = {digest(tree)}
    (tree / "app.py").write_text("One\n")
    seen.add(digest(tree))
    (tree / "app.py").chmod(0o755)
    seen.add(digest(tree))
    (tree / "app.py").rename(tree / "main.py")
    seen.add(digest(tree))
    assert len(seen) == 4


def test_the_digest_forgets_times_and_other_modes(tree: Path) -> None:
    before = digest(tree)
    os.utime(tree / "app.py", (1, 1))
    (tree / "app.py").chmod(0o600)
    assert digest(tree) == before


def test_slugignore(tree: Path) -> None:
    (tree / ".slugignore").write_text("/lib\n!app.py\n")
    context = source.scan(source.work_tree(tree))
    assert context.files == {".slugignore", "app.py"}
    assert context.left_out == ("lib",)
    assert context.warnings


def test_odd_files(tree: Path) -> None:
    (tree / "out").symlink_to("../../etc/passwd")
    (tree / "in").symlink_to("app.py")
    (tree / "gone").symlink_to("nothing")
    (tree / "bad\udcff name\n").write_text("x")
    with socket.socket(socket.AF_UNIX) as listener:
        previous = Path.cwd()
        os.chdir(tree)  # a socket's path has a short limit
        try:
            listener.bind("sock")
        finally:
            os.chdir(previous)
        os.mkfifo(tree / "fifo")
        context = source.scan(source.work_tree(tree))
    assert {"out", "in", "gone", "bad\udcff name\n"} <= context.files
    assert set(context.left_out) == {"sock", "fifo"}
    assert [text.split("`")[1] for text in context.warnings if "link" in text and "neither" not in text] == ["out"]
    assert source.scan(source.work_tree(tree)).digest == context.digest


def test_the_tag_covers_what_is_built_too(tree: Path) -> None:
    context = source.scan(source.work_tree(tree))
    assert source.tag(context, {"target": "a"}) != source.tag(context, {"target": "b"})
    assert source.tag(context, {"a": 1, "b": 2}) == source.tag(context, {"b": 2, "a": 1})
