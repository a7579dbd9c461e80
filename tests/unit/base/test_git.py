"""What is read from git's own files, and what git is asked."""

import os
from pathlib import Path

import pytest

from devenv.base import git
from devenv.base.errors import InputError
from tests.fakes import Answer, FakeRunner

CONFIG = """[core]
\tbare = false
[remote "heroku"]
\turl = https://git.heroku.com/lamp-prod.git
\tfetch = +refs/heads/*:refs/remotes/heroku/*
[branch "main"]
\turl = not-this
[remote "origin"]
  url = git@example.com:lamp.git
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "lamp"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "config").write_text(CONFIG)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/feature/blue\n")
    (root / "sub").mkdir()
    return root


@pytest.fixture
def worktree(repository: Path, tmp_path: Path) -> Path:
    own = repository / ".git" / "worktrees" / "blue"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("0123456789012345678901234567890123456789\n")
    root = tmp_path / "lamp-blue"
    root.mkdir()
    (root / ".git").write_text(f"gitdir: {own}\n")
    return root


def test_a_repository(repository: Path) -> None:
    for folder in (repository, repository / "sub"):
        assert git.git_folder(folder) == repository / ".git"
        assert git.branch(folder) == "feature/blue"
        assert git.worktree_name(folder) is None
        assert git.remotes(folder) == {
            "heroku": "https://git.heroku.com/lamp-prod.git",
            "origin": "git@example.com:lamp.git",
        }


def test_another_worktree(worktree: Path) -> None:
    assert git.worktree_name(worktree) == "blue"
    assert git.branch(worktree) is None  # a detached head
    assert "heroku" in git.remotes(worktree)


def clone(root: Path, origin: str) -> Path:
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {origin}\n')
    (root / "api").mkdir()
    return root


def test_the_same_app(tmp_path: Path) -> None:
    shop, blog, again = (
        clone(tmp_path / name, f"git@example.com:{url}.git")
        for name, url in {"shop": "shop", "blog": "blog", "again": "shop"}.items()
    )
    # the first commits, where a clone has no remote or another address for it
    different = FakeRunner({(str(shop / "api"),): Answer("1\n"), ("git",): Answer("2\n")})
    assert git.same_app(different, shop / "api", again / "api")
    assert not git.same_app(different, shop / "api", blog / "api")
    assert not git.same_app(different, shop / "api", again)
    assert git.same_app(FakeRunner({("git",): Answer("1\n")}), shop / "api", blog / "api")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert not git.same_app(FakeRunner({("git",): Answer(code=128)}), tmp_path / "one", tmp_path / "two")


def test_outside_of_git(tmp_path: Path) -> None:
    assert git.git_folder(tmp_path) is None
    assert git.branch(tmp_path) is None
    assert git.worktree_name(tmp_path) is None
    assert git.remotes(tmp_path) == {}
    with pytest.raises(InputError, match="not in a git repository"):
        git.full_sha(FakeRunner(), tmp_path, "main")


def test_a_commit(repository: Path) -> None:
    runner = FakeRunner({("git", "rev-parse"): Answer("a" * 40 + "\n")})
    assert git.full_sha(runner, repository, "main") == "a" * 40
    argv = runner.calls[0].argv
    assert argv.index("--end-of-options") < argv.index("main^{commit}")  # a ref may begin with a dash


def test_no_commit(repository: Path) -> None:
    runner = FakeRunner({("git", "rev-parse"): Answer(code=1)})
    with pytest.raises(InputError, match="`nope` names no commit"):
        git.full_sha(runner, repository, "nope")


def test_a_clone_that_was_cut_off(repository: Path, worktree: Path) -> None:
    assert not git.is_shallow(repository)
    (repository / ".git" / "shallow").write_text("0" * 40)
    assert git.is_shallow(repository / "sub")
    assert git.is_shallow(worktree)


def test_changed_files_are_counted() -> None:
    runner = FakeRunner({("git", "status"): Answer(" M a.py\0?? new file\0")})
    assert git.changed(runner, Path("/lamp")) == 2


def test_a_remote_is_added_or_changed(repository: Path) -> None:
    runner = FakeRunner({("git", "remote"): Answer()})
    git.set_remote(runner, repository, "devenv", "devenv://devenv/lamp")
    git.set_remote(runner, repository, "heroku", "devenv://devenv/lamp")
    assert [call.argv[4:6] for call in runner.calls] == [("add", "devenv"), ("set-url", "heroku")]


def test_the_repository_of_a_hook_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Dev")
    git.leave_hook()
    assert "GIT_DIR" not in os.environ
    assert os.environ["GIT_AUTHOR_NAME"] == "Dev"
