"""The patterns of one file in gitignore's form: which of them decides on a path."""

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class _Line:
    number: int  # negative for a `!` line
    last: str  # the last part of the pattern
    depth: int  # of the paths it can name; 0 when that is open
    by_name: bool  # it looks at the last part of a path only
    inside: bool  # it ends in `/**`: all that is in a folder, the folder itself not
    spec: Any

    def names(self, path: str, name: str, is_folder: bool) -> bool:
        if self.depth and path.count("/") + 1 != self.depth:
            return False
        # not by a folder above: that has been decided
        subject = name if self.by_name else path
        return bool(self.spec.match_file(subject + "/" if is_folder and not self.inside else subject))


@dataclass(slots=True)
class Patterns:
    """The patterns of the ignore file `file`, whose text is `text`. An invalid line counts as none; `!` may be forbidden."""

    file: str
    text: str
    negation: bool = True
    lines: list[_Line] = field(default_factory=list)  # the strongest first
    # what the last part of a path must be for any pattern to come into question: hardly any path's is
    names: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    globs: "re.Pattern[str] | None" = None
    paths: "re.Pattern[str] | None" = None

    def __post_init__(self) -> None:
        for number, raw in enumerate(self.text.removeprefix("\ufeff").split("\n"), 1):
            line = raw.removesuffix("\r")
            if line.strip() and not line.startswith("#") and (self.negation or not line.startswith("!")):
                found = _line(number, line)
                self.lines += [found] if found else []
        self.lines.reverse()
        self._sort()

    def line(self, path: str, name: str, is_folder: bool) -> int:
        """The number of the line that decides on a path (its last part is `name`), negative for a `!` line; 0 for none.

        The folders above it are taken to be not ignored.
        """
        if (
            name in self.names
            or name.endswith(self.endings)
            or (self.globs and self.globs.match(name))
            or (self.paths and self.paths.search(path + "/"))
        ):
            return next((line.number for line in self.lines if line.names(path, name, is_folder)), 0)
        return 0

    def _sort(self) -> None:
        names, endings, globs, paths = set[str](), list[str](), list[str](), list[str]()
        for line in self.lines:
            last = line.last
            if not last.strip("*") or "\\" in last or "[[" in last:
                paths.append(re.sub(r"\(\?P<\w+>", "(?:", line.spec.patterns[0].regex.pattern))
            elif not re.search(r"[*?\[]", last):
                names.add(last)
            elif last.startswith("*") and not re.search(r"[*?\[]", last[1:]):
                endings.append(last[1:])
            else:
                globs.append(_glob(last))
        self.names, self.endings = frozenset(names), tuple(endings)
        self.globs = re.compile("|".join(globs)) if globs else None
        self.paths = re.compile("|".join(paths), re.DOTALL) if paths else None


def _line(number: int, text: str) -> _Line | None:
    import pathspec

    negative = text.startswith("!")
    pattern = text.removeprefix("!")
    try:
        spec = pathspec.GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error):
        return None
    if not spec.patterns or spec.patterns[0].regex is None:
        return None
    plain = re.sub(r"^(\*\*/)+", "", pattern.rstrip().rstrip("/"))
    parts = plain.lstrip("/").split("/")
    by_name = "/" not in plain
    depth = 0 if by_name or "**" in parts or plain != pattern.rstrip().rstrip("/") else len(parts)
    return _Line(-number if negative else number, parts[-1], depth, by_name, parts[-1] == "**" and not by_name, spec)


def _glob(text: str) -> str:
    return fnmatch.translate(text.replace("[^", "[!"))
