"""Which paths of a work tree are part of the app, and why the others are not."""

from pathlib import Path

import pytest

from devenv.build import ignore, source
from devenv.build.gitignore import Patterns
from devenv.build.worktree import WorkTreeRules
from tests.fakes import Answer, FakeRunner


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app in a repository, apart from the user's own settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "repository" / "app"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    return folder


def rules(root: Path, runner: FakeRunner | None = None) -> WorkTreeRules:
    return WorkTreeRules(root, lambda: ignore.slug_rules(root), runner=runner)


@pytest.mark.parametrize(
    ("path", "is_folder", "why"),
    [
        ("app.py", False, None),
        (".git", True, "never part of the app"),
        (".env", False, "never part of the app"),
        ("client/.env", False, None),
        ("web/node_modules/x/y.js", False, "made by tools, no part of a commit"),
        ("venv/lib/x.py", False, "a virtual environment"),
        ("spec", True, "`.slugignore:2` names it"),
        ("spec/deep/x", False, "`.slugignore:2` names it"),
        ("debug.log", False, "`../.gitignore:1` names it"),
        ("lib/own.tmp", False, "`lib/.gitignore:2` names it"),
        ("lib/kept.log", False, None),
        ("own.tmp", False, None),
        ("notes", False, "`{git}/info/exclude:1` names it"),
        ("todo~", False, "`{home}/.config/git/ignore:1` names it"),
        ("other/debug.log", False, None),  # a repository of its own
    ],
)
def test_why(root: Path, path: str, is_folder: bool, why: str | None) -> None:
    for name, text in {
        "venv/pyvenv.cfg": "",
        ".slugignore": "# tests\n/spec\n",
        "../.gitignore": "*.log\n",
        "lib/.gitignore": "!kept.log\n*.tmp\n",
        "other/.git/HEAD": "",
        "../.git/info/exclude": "notes\n",
        "../../.config/git/ignore": "*~\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name and text)
    home = root.parents[1]
    expected = why and why.format(git=root.parent / ".git", home=home)
    assert rules(root).skip(path, is_folder) == expected


def test_what_git_tracks_is_part_of_it(root: Path) -> None:
    (root / ".gitignore").write_text("log/\n*.bin\n")
    runner = FakeRunner({("git", "ls-files"): Answer("log/deep/kept\0x.bin\0")})
    found = rules(root, runner)
    assert [path for path in ("log", "log/deep") if found.skip(path, True)] == []
    assert found.skip("log/deep/kept", False) is None
    assert found.skip("x.bin", False) is None
    assert found.skip("log/deep/other", False) == "`.gitignore:1` names it"
    assert found.skip("log/else", True) == "`.gitignore:1` names it"
    assert len(runner.calls) == 1


def test_git_is_not_asked_when_nothing_is_ignored(root: Path) -> None:
    runner = FakeRunner()
    assert rules(root, runner).skip("app.py", False) is None
    assert not runner.calls


def test_reload(root: Path) -> None:
    found = rules(root)
    assert found.skip("lib/x.log", False) is None
    (root / ".gitignore").write_text("*.log\n")
    assert found.skip("lib/x.log", False) is None
    found.reload()
    assert found.skip("lib/x.log", False) == "`.gitignore:1` names it"


def test_a_virtual_environment_that_is_being_made(root: Path) -> None:
    (root / "env" / "lib").mkdir(parents=True)
    found = rules(root)
    assert found.skip("env", True) is None
    assert found.skip("env/lib/x.py", False) is None
    (root / "env" / "pyvenv.cfg").write_text("")
    assert found.skip("env/pyvenv.cfg", False) == "a virtual environment"
    assert found.skip("env/lib/x.py", False) == "a virtual environment"
    (root / "env" / "pyvenv.cfg").unlink()
    assert found.skip("env", True) is None
    assert found.skip("env/lib/x.py", False) is None


def test_a_scan_sees_what_the_rules_allow(root: Path) -> None:
    (root / ".gitignore").write_text("*.log\nbuild/\n")
    (root / "build").mkdir()
    for name in ("app.py", "x.log", "build/x"):
        (root / name).write_text("x")
    context = source.scan(source.work_tree(root))
    assert context.files == {".gitignore", "app.py"}
    assert set(context.left_out) == {"x.log", "build"}
    committed = source.scan(source.Source(root, "a" * 40))
    assert committed.files == {".gitignore", "app.py", "x.log", "build/x"}


def test_lines_that_are_no_patterns() -> None:
    patterns = Patterns("x", "\ufeff*.a\r\n!\n/\n\n# *.b\n[\n\\#c\n*.[z-a]\n")
    assert patterns.line("x.a", "x.a", False) == 1
    assert patterns.line("x.b", "x.b", False) == 0
    assert patterns.line("#c", "#c", False) == 7
