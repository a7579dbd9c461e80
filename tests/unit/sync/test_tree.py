"""What changed in a folder since an image was built of it."""

import os
import random
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.base.index import KEPT, Index, content
from devenv.sync import look
from devenv.sync.tree import Change, Tree

OLD = 1_700_000_000_000_000_000


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder, with a cache of its own beside it; what is written counts as written long ago."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("devenv.base.index.SETTLED", -(10**18))
    folder = tmp_path / "app"
    (folder / "lib").mkdir(parents=True)
    (folder / "app.py").write_text("one\n")
    (folder / "lib" / "a.py").write_text("two\n")
    (folder / "lib" / "b.py").write_text("three\n")
    return folder


@pytest.fixture
def index(root: Path) -> Iterator[Index]:
    opened = Index(root)
    yield opened
    opened.close()


@pytest.fixture
def tree(root: Path, index: Index) -> Tree:
    """A tree whose image holds what the folder holds."""
    made = Tree(root, "app:1", skip, index)
    made.set_base(files(root).items())
    return made


def skip(path: str, is_folder: bool) -> str | None:
    return "never" if path.split("/")[-1] in (".git", "node_modules", "skipped.log") else None


def files(root: Path) -> dict[str, str]:
    """What an image of the folder would hold."""
    found: dict[str, str] = {}
    for at, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not skip(name, True)]
        for name in (*names, *(each for each in folders if os.path.islink(os.path.join(at, each)))):
            full = os.path.join(at, name)
            path = os.path.relpath(full, root)
            if not skip(path, False):
                found[path] = row(full)
    return found


def row(full: str) -> str:
    if os.path.islink(full):
        return "l " + os.readlink(full)
    return ("x " if os.stat(full).st_mode & stat.S_IXUSR else "f ") + content(full)


def shown(changes: list[Change]) -> list[tuple[str, str | None, str | None]]:
    """Path, row, row before; of the rows the first letter only."""
    return [(each.path, each.row and each.row[0], each.old and each.old[0]) for each in changes]


def test_nothing_changed(tree: Tree, root: Path) -> None:
    assert tree.known
    assert tree.look_all() == ([], [])
    assert tree.look(["", "app.py", "lib", "lib/a.py", "gone.py", "no/such/folder"]) == ([], [])
    assert tree.seq == 0


def test_an_unknown_image(root: Path, index: Index) -> None:
    assert not Tree(root, "app:other", skip, index).known


def test_a_save(tree: Tree, root: Path) -> None:
    (root / "lib" / "a.py").write_text("changed\n")
    changes, large = tree.look(["lib/a.py"])
    assert shown(changes) == [("lib/a.py", "f", "f")]
    assert changes[0].row == row(str(root / "lib/a.py"))
    assert not large
    assert tree.look(["lib/a.py"]) == ([], [])
    assert tree.look_all() == ([], [])
    assert tree.since(0) == changes
    assert tree.since(tree.seq) == []


def test_a_touch_and_a_save_of_the_same_change_nothing(tree: Tree, root: Path) -> None:
    (root / "app.py").write_text("one\n")
    os.utime(root / "lib" / "a.py", (5, 5))
    (root / "lib" / "b.py").chmod(0o600)
    assert tree.look(["app.py", "lib/a.py", "lib/b.py"]) == ([], [])


def test_one_number_for_each_look(tree: Tree, root: Path) -> None:
    (root / "app.py").write_text("1")
    (root / "lib" / "a.py").write_text("1")
    first = tree.look(["app.py", "lib/a.py"])[0]
    (root / "app.py").write_text("2")
    second = tree.look(["app.py"])[0]
    assert [change.seq for change in first] == [1, 1]
    assert [change.seq for change in second] == [tree.seq] == [2]
    assert [change.path for change in tree.since(1)] == ["app.py"]
    assert {change.path: change.seq for change in tree.since(0)} == {"app.py": 2, "lib/a.py": 1}


def test_modes_and_links(tree: Tree, root: Path) -> None:
    (root / "app.py").chmod(0o755)
    (root / "link").symlink_to("lib")
    (root / "lib" / "b.py").unlink()
    (root / "lib" / "b.py").symlink_to("../nowhere")
    assert shown(tree.look(["app.py", "link", "lib/b.py"])[0]) == [
        ("app.py", "x", "f"),
        ("lib/b.py", "l", "f"),
        ("link", "l", None),
    ]


def test_a_rename(tree: Tree, root: Path) -> None:
    (root / "app.py").rename(root / "main.py")
    assert shown(tree.look(["app.py", "main.py"])[0]) == [("app.py", None, "f"), ("main.py", "f", None)]


def test_the_last_file_leaves_an_empty_folder(tree: Tree, root: Path) -> None:
    (root / "lib" / "a.py").unlink()
    assert shown(tree.look(["lib/a.py"])[0]) == [("lib/a.py", None, "f")]
    (root / "lib" / "b.py").unlink()
    assert shown(tree.look(["lib/b.py"])[0]) == [("lib/b.py", None, "f"), ("lib", "d", None)]
    assert tree.look_all() == ([], [])
    (root / "lib" / "c.py").write_text("x")
    assert shown(tree.look(["lib/c.py"])[0]) == [("lib/c.py", "f", None)]
    assert {each.path for each in tree.since(0)} == {"lib/a.py", "lib/b.py", "lib/c.py"}
    (root / "lib" / "c.py").unlink()
    (root / "lib").rmdir()
    assert shown(tree.look(["lib", "lib/c.py"])[0]) == [("lib", None, "d"), ("lib/c.py", None, "f")]


def test_new_folders(tree: Tree, root: Path) -> None:
    (root / "new" / "empty").mkdir(parents=True)
    (root / "new" / "deep").mkdir()
    (root / "new" / "deep" / "x").write_text("x")
    assert shown(tree.look(["new"])[0]) == [("new/deep/x", "f", None), ("new/empty", "d", None)]
    assert tree.look_all() == ([], [])
    seq = tree.seq
    assert tree.look(["new/empty", "new"]) == ([], [])
    assert tree.seq == seq


def test_a_file_in_a_folder_not_told_of(tree: Tree, root: Path) -> None:
    (root / "p" / "q").mkdir(parents=True)
    (root / "p" / "q" / "x").write_text("x")
    assert shown(tree.look(["p/q/x"])[0]) == [("p/q/x", "f", None)]
    assert tree.look_all() == ([], [])


@pytest.mark.parametrize("told", [["lib"], ["lib/a.py"], ["lib/a.py", "lib/b.py", "lib"], [""]])
def test_a_folder_that_went(tree: Tree, root: Path, told: list[str]) -> None:
    shutil.rmtree(root / "lib")
    assert shown(tree.look(told)[0]) == [("lib", None, "d"), ("lib/a.py", None, "f"), ("lib/b.py", None, "f")]
    assert shown(tree.since(0)) == [("lib", None, "d"), ("lib/a.py", None, "f"), ("lib/b.py", None, "f")]
    assert tree.look_all() == ([], [])


@pytest.mark.parametrize("told", [["lib"], ["lib/a.py"], ["lib/a.py", "lib"], [""]])
def test_a_folder_becomes_a_file(tree: Tree, root: Path, told: list[str]) -> None:
    shutil.rmtree(root / "lib")
    (root / "lib").write_text("file")
    expected = [("lib", None, "d"), ("lib/a.py", None, "f"), ("lib/b.py", None, "f"), ("lib", "f", None)]
    assert shown(tree.look(told)[0]) == expected
    again = shown(tree.since(0))
    assert again[:3] == expected[:3]
    assert [each[:2] for each in again[3:]] == [("lib", "f")]
    assert tree.look_all() == ([], [])


@pytest.mark.parametrize("told", [["app.py"], ["app.py/x"], ["app.py", "app.py/x"], [""]])
def test_a_file_becomes_a_folder(tree: Tree, root: Path, told: list[str]) -> None:
    (root / "app.py").unlink()
    (root / "app.py").mkdir()
    (root / "app.py" / "x").write_text("x")
    assert shown(tree.look(told)[0]) == [("app.py", None, "f"), ("app.py/x", "f", None)]
    assert shown(tree.since(0)) == [("app.py/x", "f", None)] or shown(tree.since(0))[0] == ("app.py", None, "f")
    assert tree.look_all() == ([], [])


def test_what_is_skipped(tree: Tree, root: Path) -> None:
    (root / "node_modules" / "x").mkdir(parents=True)
    (root / "node_modules" / "x" / "y.js").write_text("x")
    (root / "skipped.log").write_text("x")
    paths = ["node_modules/x/y.js", "node_modules", "node_modules/x", "skipped.log", ""]
    assert tree.look(paths) == ([], [])


def test_what_is_skipped_from_now_on_is_gone(tree: Tree, root: Path) -> None:
    tree.skip = lambda path, is_folder: "named" if path == "lib" else None
    assert shown(tree.look(["lib/a.py"])[0])[0] == ("lib", None, "d")
    tree.skip = skip
    assert shown(tree.look_all()[0]) == [("lib/a.py", "f", None), ("lib/b.py", "f", None)]


@pytest.mark.parametrize("name", ["new\nline", "bad\udcff", "-dash", "'q\"", " ", "back\\slash", "a*", "é"])
def test_odd_names(tree: Tree, root: Path, name: str) -> None:
    (root / name).mkdir()
    (root / name / name).write_text("x")
    (root / name / "link").symlink_to(name)
    paths = [f"{name}/{name}", f"{name}/link"]
    assert sorted(each.path for each in tree.look(paths)[0]) == sorted(paths)
    assert tree.look_all() == ([], [])
    shutil.rmtree(root / name)
    assert [each.path for each in tree.look([name])[0]] == [name, *sorted(paths, key=os.fsencode)]


def test_what_cannot_be_read_is_told_once(tree: Tree, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(full: str) -> str:
        raise PermissionError(13, "Permission denied", full)

    told: list[str] = []
    tree.tell = told.append
    tree.look_all()
    (root / "app.py").write_text("secret")
    monkeypatch.setattr("devenv.base.index.content", refuse)
    for _ in range(2):
        assert tree.look(["app.py"]) == ([], [])
        assert tree.look_all() == ([], [])
    assert told == ["`app.py` cannot be read (Permission denied): its changes are not sent"]


def test_what_is_neither_file_nor_link_is_no_part(tree: Tree, root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "app.py").unlink()
    os.mkfifo(root / "app.py")
    assert shown(tree.look_all()[0]) == [("app.py", None, "f")]
    assert tree.look(["fifo", "app.py"]) == ([], [])


def test_large_files_wait(tree: Tree, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.look_all()
    monkeypatch.setattr(look, "LARGE", 3)
    (root / "app.py").write_text("larger")
    assert tree.look(["app.py"]) == ([], ["app.py"])
    assert tree.look_all() == ([], ["app.py"])
    assert shown(tree.look_large("app.py")) == [("app.py", "f", "f")]
    assert tree.look_large("app.py") == []  # known by now
    assert tree.look(["app.py"]) == ([], [])
    (root / "app.py").unlink()
    assert shown(tree.look_large("app.py")) == [("app.py", None, "f")]


def test_a_large_file_in_place_of_a_folder(tree: Tree, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.look_all()
    monkeypatch.setattr(look, "LARGE", 3)
    shutil.rmtree(root / "lib")
    (root / "lib").write_text("larger")
    changes, large = tree.look(["lib"])
    assert shown(changes)[0] == ("lib", None, "d")
    assert large == ["lib"]
    assert shown(tree.look_large("lib")) == [("lib", "f", None)]
    assert [(each.path, each.row is None) for each in tree.since(0)] == [
        ("lib", True), ("lib/a.py", True), ("lib/b.py", True), ("lib", False),
    ]  # fmt: skip


def test_a_look_reads_only_what_changed(tree: Tree, root: Path, index: Index) -> None:
    tree.look_all()
    index.read = 0
    assert tree.look_all() == ([], [])
    assert index.read == 0
    (root / "app.py").write_text("changed")
    tree.look(["app.py", "lib"])
    assert index.read == 1


def test_it_outlives_the_process(tree: Tree, root: Path, index: Index) -> None:
    (root / "app.py").write_text("1")
    changes = tree.look_all()[0]
    ident = tree.ident
    index.close()
    again = Index(root)
    later = Tree(root, "app:1", skip, again)
    assert later.known
    assert (later.ident, later.seq, later.since(0)) == (ident, 1, changes)
    assert later.look_all() == ([], [])
    assert again.read == 0
    again.close()


def test_another_process_is_not_missed(tree: Tree, root: Path) -> None:
    other_index = Index(root)
    other = Tree(root, "app:1", skip, other_index)
    (root / "app.py").write_text("1")
    assert shown(other.look(["app.py"])[0]) == [("app.py", "f", "f")]
    assert shown(tree.look(["app.py"])[0]) == [("app.py", "f", "f")]
    assert tree.look(["app.py"]) == ([], [])
    (root / "lib" / "a.py").write_text("1")
    other.look(["lib/a.py"])
    (root / "lib" / "b.py").write_text("1")
    assert shown(tree.look(["lib/b.py"])[0]) == [("lib/b.py", "f", "f"), ("lib/a.py", "f", "f")]
    other_index.close()


def test_a_change_taken_back_is_told(tree: Tree, root: Path) -> None:
    (root / "app.py").write_text("1")
    tree.look(["app.py"])
    (root / "app.py").write_text("one\n")
    assert shown(tree.look(["app.py"])[0]) == [("app.py", "f", "f")]
    assert shown(tree.since(1)) == [("app.py", "f", "f")]
    assert tree.since(0) == []  # a fresh copy of the image has it


def test_the_newest_images_are_kept(tree: Tree, root: Path, index: Index) -> None:
    for number in range(2, KEPT + 2):
        Tree(root, f"app:{number}", skip, index).set_base(files(root).items())
    known = [Tree(root, f"app:{number}", skip, index).known for number in range(1, KEPT + 2)]
    assert known == [False, *[True] * KEPT]


def copy(target: dict[str, str], changes: list[Change]) -> None:
    """Do to `target` what a pod would, and refuse what it could not do."""
    for change in changes:
        if change.row is None:
            for path in [path for path in target if path == change.path or path.startswith(change.path + "/")]:
                del target[path]
            continue
        assert not any(path.startswith(change.path + "/") for path in target), change
        if change.row != "d":
            target[change.path] = change.row


def shuffle(root: Path, dice: random.Random) -> Iterator[str]:
    """Change something at random; the paths a watcher would tell."""
    names = ["a", "b", "c", "node_modules"]
    for _ in range(dice.randrange(1, 6)):
        path = "/".join(dice.choice(names) for _ in range(dice.randrange(1, 4)))
        full = root / path
        actions: list[Callable[[], object]] = [
            lambda full=full: full.write_text(str(dice.random())),  # type: ignore[misc]
            lambda full=full: full.mkdir(),  # type: ignore[misc]
            lambda full=full: shutil.rmtree(full) if full.is_dir() and not full.is_symlink() else full.unlink(),  # type: ignore[misc]
            lambda full=full: full.symlink_to(dice.choice(names)),  # type: ignore[misc]
            lambda full=full: full.rename(root / dice.choice(names)),  # type: ignore[misc]
        ]
        try:
            dice.choice(actions)()
        except OSError:
            continue
        yield path
        yield from names


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_a_copy_can_follow(tree: Tree, root: Path, seed: int) -> None:
    dice = random.Random(seed)
    fresh = files(root)
    live, late = dict(fresh), dict(fresh)
    seen = 0
    for step in range(60):
        told = list(shuffle(root, dice))
        copy(live, (tree.look(told) if dice.random() < 0.8 else tree.look_all())[0])
        assert live == files(root)
        if step % 7 == 0:
            copy(late, tree.since(seen))
            seen = tree.seq
            assert late == live
    new = dict(fresh)
    copy(new, tree.since(0))
    assert new == live
    assert tree.look_all() == ([], [])
