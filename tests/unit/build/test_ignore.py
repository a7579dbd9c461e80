"""Which files a build sees, by .dockerignore and .slugignore."""

import pytest

from devenv.base.errors import InputError
from devenv.build import ignore


@pytest.mark.parametrize(
    ("text", "path", "left_out"),
    [
        ("node_modules", "node_modules", True),
        ("node_modules", "web/node_modules", False),  # anchored, unlike gitignore
        ("**/node_modules", "web/node_modules/x.js", True),
        ("*.md", "a.md", True),
        ("*.md", "docs/a.md", False),
        ("/docs/", "docs/a/b", True),
        ("docs/*.md\n!docs/keep.md", "docs/keep.md", False),
        ("docs/*.md\n!docs/keep.md", "docs/other.md", True),
        ("*\n!app\n!app/**", "app/x.py", False),
        ("*\n!app", "README", True),
        ("# note\n\n", "note", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c].txt", "b.txt", True),
        ("\\*.txt", "*.txt", True),
        ("\\*.txt", "a.txt", False),
        (".", "anything", False),
    ],
)
def test_dockerignore_follows_docker(text: str, path: str, left_out: bool) -> None:
    assert (ignore.dockerignore(text).why(path, False) is not None) is left_out


def test_negated_patterns_forbid_pruning() -> None:
    assert ignore.dockerignore("docs\n").prunes
    assert not ignore.dockerignore("docs\n!docs/a\n").prunes


def test_what_is_no_pattern_is_told() -> None:
    with pytest.raises(InputError, match=r"\.dockerignore:2"):
        ignore.dockerignore("docs\n*.[z-a]\n")


def test_slugignore_is_gitignore_without_negation() -> None:
    rules = ignore.slugignore("*.psd\n/spec\n!keep.psd\ndocs/\n")
    assert rules.why("art/x.psd", False)
    assert rules.why("keep.psd", False)
    assert rules.why("spec", True)
    assert not rules.why("lib/spec", True)
    assert rules.why("docs", True)
    assert not rules.why("docs", False)
    assert rules.warnings == (".slugignore:3: `!` patterns are not supported, as on Heroku: left out",)


@pytest.mark.parametrize("path", ["a b", "star*", "q?", "[x]", "back\\slash", " lead", "trail ", "new\nline", "é"])
def test_a_literal_pattern_matches_its_path(path: str) -> None:
    assert ignore.dockerignore(ignore.literal(path)).why(path, False)


def test_a_literal_pattern_matches_nothing_else() -> None:
    assert not ignore.dockerignore(ignore.literal("star*")).why("stars", False)
