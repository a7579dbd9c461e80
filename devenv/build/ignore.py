"""Which files of a folder a build does not see: always the same few, and what .slugignore or .dockerignore name."""

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from devenv.base.errors import InputError
from devenv.build.gitignore import Patterns

Why = Callable[[str, bool], str | None]  # (path from the folder, is a folder) -> why it is left out, or None

NEVER_ANYWHERE = frozenset({".git"})
NEVER_AT_ROOT = frozenset({".env", ".devenv"})
# what a checkout would not have, though the work tree does
UNTRACKED = frozenset(
    {
        "node_modules",
        ".venv",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".tox",
        ".nox",
        ".bundle",
        ".DS_Store",
    }
)
VIRTUALENV_MARK = "pyvenv.cfg"
DOCKER = "`.dockerignore` names it"


@dataclass(frozen=True, slots=True)
class Rules:
    """A parsed ignore file: `why` decides, `prunes` tells whether a folder that is left out may be skipped whole."""

    why: Why
    prunes: bool = True
    warnings: tuple[str, ...] = ()


NOTHING = Rules(lambda path, folder: None)


def slug_rules(root: Path) -> Rules:
    """The rules of the .slugignore in a folder, if there is one."""
    file = root / ".slugignore"
    return slugignore(file.read_text(errors="surrogateescape")) if file.is_file() else NOTHING


def slugignore(text: str) -> Rules:
    """Rules of a .slugignore: gitignore patterns, but without `!` (Heroku's own limit)."""
    patterns = Patterns(".slugignore", text, negation=False)
    negated = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith("!")]
    warnings = tuple(
        f".slugignore:{number}: `!` patterns are not supported, as on Heroku: left out" for number in negated
    )

    def why(path: str, folder: bool) -> str | None:
        line = patterns.line(path, path.rpartition("/")[2], folder)
        return f"`.slugignore:{line}` names it" if line else None

    return Rules(why, True, warnings)


def dockerignore(text: str) -> Rules:
    """Rules of a .dockerignore: anchored patterns, the last that matches a path or its parents wins. Raises InputError."""
    patterns = tuple(_docker_patterns(text.splitlines()))
    if not patterns:
        return NOTHING
    if not any(keep for keep, _ in patterns):
        joined = re.compile("|".join(f"(?:{source})" for _, source in patterns), re.DOTALL)
        return Rules(lambda path, folder: DOCKER if joined.fullmatch(path) else None)
    compiled = tuple((keep, re.compile(source, re.DOTALL)) for keep, source in reversed(patterns))

    def why(path: str, folder: bool) -> str | None:
        return DOCKER if next((not keep for keep, pattern in compiled if pattern.fullmatch(path)), False) else None

    return Rules(why, prunes=False)


def _docker_patterns(lines: Iterable[str]) -> Iterable[tuple[bool, str]]:
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix("\ufeff").strip()
        if not line or raw.startswith("#"):
            continue
        keep = line.startswith("!")
        pattern = posixpath.normpath(line[keep:].strip().lstrip("/"))
        if pattern != ".":
            # a pattern also covers all below the directory it names
            expression = _expression(pattern) + "(?:/.*)?"
            try:
                re.compile(expression)
            except re.error as error:  # Docker refuses it too
                raise InputError(f"`.dockerignore:{number}`: `{line}` is no pattern", f"mend it: {error}") from error
            yield keep, expression


def _expression(pattern: str) -> str:
    # Go's filepath.Match plus `**` (docs.docker.com/build/concepts/context, "Syntax")
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif pattern.startswith("**", at):
            out, at = out + ".*", at + 2
        elif char == "*":
            out, at = out + "[^/]*", at + 1
        elif char == "?":
            out, at = out + "[^/]", at + 1
        elif char == "[" and (end := pattern.find("]", at + 2)) > 0:
            out, at = out + "[" + pattern[at + 1 : end].replace("\\", "\\\\") + "]", end + 1
        elif char == "\\" and at + 1 < len(pattern):
            out, at = out + re.escape(pattern[at + 1]), at + 2
        else:
            out, at = out + re.escape(char), at + 1
    return out


def literal(path: str) -> str:
    """`path` as a .dockerignore pattern that matches it alone (almost: an odd character becomes `?`)."""
    text = re.sub(r"([*?\[\\])", r"\\\1", path)
    text = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "?", text)
    return "/" + re.sub(r"^\s|\s$", "?", text)
