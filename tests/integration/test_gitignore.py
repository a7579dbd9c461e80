"""What a work tree leaves out, beside what git itself would: random trees and patterns. No cluster."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from devenv.base.proc import SubprocessRunner
from devenv.build import source
from devenv.build.ignore import NOTHING
from devenv.build.worktree import WorkTreeRules

pytestmark = pytest.mark.integration
NAMES = [
    "a",
    "b",
    "c.py",
    "d.pyc",
    "keep",
    "x y",
    "lo*g",
    "ab",
    "build",
]  # of ASCII: to git `?` is a byte, here a character
PATTERNS = [
    "a", "/a", "a/", "*.py", "*.py[co]", "*.py[!c]", "!*.py", "!keep", "!keep/", "a/*", "!a/b", "a/**", "**/b", "b/**/c.py",
    "/*", "!/a", "*", "!*/", "# no", "\\#x", "", " ", "x y", "x\\ y", "x y ", "lo\\*g", "lo?g", "[a-b]", "[^a]", "/build", "build/",
    "!build/keep", "a/b/", "/a/**/keep", "**", "!**/keep", "é", "k*p", "!/b/c.py", "b/*.py", "\\!keep", "[", "a//b", "*/b", "?",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))


def git(root: Path, *argv: str) -> str:
    return subprocess.run(["git", "-C", str(root), *argv], check=True, capture_output=True, text=True).stdout


def known_to_git(root: Path) -> set[str]:
    """What `git add .` would leave in the next commit."""
    listing = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return {path for path in listing.split("\0") if path and os.path.lexists(root / path)}


def part(root: Path, rules: WorkTreeRules, folder: str = "") -> set[str]:
    found = set()
    for entry in os.scandir(root / folder):
        path = f"{folder}/{entry.name}" if folder else entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if not rules.skip(path, is_folder):
            found |= part(root, rules, path) if is_folder else {path}
    return found


def rules(root: Path) -> WorkTreeRules:
    return WorkTreeRules(root, lambda: NOTHING, runner=SubprocessRunner())


@pytest.mark.parametrize("seed", range(40))
def test_git_agrees(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    top = tmp_path / "repository"
    top.mkdir()
    git(top, "init", "--quiet")
    for _ in range(60):
        path = top.joinpath(*(dice.choice(NAMES) for _ in range(dice.randrange(1, 5))))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        except OSError:
            continue  # a file is where a folder should be, or the reverse
    if seed % 3 == 0:
        git(top, "add", "--", *dice.sample(sorted(part(top, rules(top))), 5))
    places = [top, *(path for path in sorted(top.rglob("*")) if path.is_dir() and ".git" not in path.parts)]
    for place in dice.sample(places, min(len(places), dice.randrange(1, 4))):
        (place / ".gitignore").write_text("\n".join(dice.choices(PATTERNS, k=dice.randrange(1, 8))) + "\n")
    (top / ".git" / "info" / "exclude").write_text("\n".join(dice.choices(PATTERNS, k=dice.randrange(0, 2))))
    assert part(top, rules(top)) == known_to_git(top)
    app = dice.choice(places)
    inside = known_to_git(app)
    if inside:  # an app in a folder that is ignored as a whole is another matter
        assert part(app, rules(app)) == inside
    for path in (path for path in app.rglob("*") if ".git" not in path.parts):
        # asked of any path, not on a walk
        name = path.relative_to(app).as_posix()
        if path.is_file() and inside:
            assert (rules(app).skip(name, False) is None) == (name in inside), name


def test_a_work_tree_and_its_commit_have_one_digest(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / "log").mkdir(parents=True)
    for name in ("app.py", "log/kept.log", "log/other.log", "x.log"):
        (root / name).write_text(name)
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text("*.log\n")
    git(root, "add", "--force", ".gitignore", "app.py", "log/kept.log")
    git(root, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "first")
    runner = SubprocessRunner()
    tree = source.scan(source.work_tree(root, runner))
    assert tree.files == {".gitignore", "app.py", "log/kept.log"}
    with source.commit(runner, root, "HEAD") as committed:
        assert source.scan(committed).digest == tree.digest


def test_an_app_in_a_folder_that_is_ignored(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / "scratch" / "app").mkdir(parents=True)
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text("scratch/\n*.log\n")
    app = root / "scratch" / "app"
    (app / "app.py").write_text("x")
    assert part(app, rules(app)) == {"app.py"}
