"""JSON and YAML with the line of every key, and typed reading that notes each problem where it is."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv.base.errors import InputError, Problems
from devenv.base.resources import load_yaml_text

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_UNUSABLE = re.compile(r"[\x00\ud800-\udfff]")  # no environment, no Kubernetes object can hold them


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: plain values, and the line of each path."""

    where: str
    tree: Any
    lines: Mapping[Path, int]

    def at(self, *path: str | int) -> str:
        """`app.json:12` for the key or item at `path`, or for the nearest one above it."""
        for end in range(len(path), -1, -1):
            if line := self.lines.get(path[:end]):
                return f"{self.where}:{line}"
        return self.where


def from_json(text: str, where: str) -> Document:
    """Parse JSON; raises InputError with file and line."""
    text = text.removeprefix("\ufeff")
    try:
        tree = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        before, line = text[: error.pos].rstrip(), error.lineno
        if not text.strip():
            what = "the file is empty"
        elif "trailing comma" in error.msg or (before.endswith(",") and text[error.pos : error.pos + 1] in ("}", "]")):
            what, line = "remove the comma after the last entry", before.count("\n") + 1
        elif text[error.pos :].lstrip().startswith(("//", "/*", "#")):
            what = "remove the comment, JSON has none"
        else:
            what = error.msg[:1].lower() + error.msg[1:]
        raise InputError(f"{where}:{line}: not valid JSON: {what}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON: a number too large, or nested too deeply") from error
    problems = Problems()
    document = Document(where, tree, _json_lines(text, where, problems))
    problems.raise_if_any(where)
    return document


def from_yaml(text: str, where: str) -> Document:
    """Parse YAML with scalars as written; raises InputError with file and line."""
    tree, lines = load_yaml_text(text.removeprefix("\ufeff"), where)
    return Document(where, tree, lines)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _json_lines(text: str, where: str, problems: Problems) -> dict[Path, int]:
    """Walk the tokens of valid JSON. A frame is an object's `[key]` (None: a key comes next) or a list's `[index]`."""
    lines: dict[Path, int] = {(): 1}
    frames: list[list[Any]] = []
    line, position = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", position, match.start())
        position, token = match.start(), match.group()
        if token[0] == '"' and _UNUSABLE.search(json.loads(token, strict=False)):
            problems.add(f"{where}:{line}", "a NUL byte or half a surrogate pair", "leave it out")
        if token in "}]":
            frames.pop()
        elif token == ",":
            frames[-1][0] = frames[-1][0] + 1 if isinstance(frames[-1][0], int) else None
        elif frames and frames[-1][0] is None:
            frames[-1][0] = json.loads(token, strict=False)
            lines[tuple(frame[0] for frame in frames)] = line
        elif token != ":":
            if frames and isinstance(frames[-1][0], int):
                lines[tuple(frame[0] for frame in frames)] = line
            if token in "{[":
                frames.append([None if token == "{" else 0])
    return lines


def kind(value: Any) -> str:
    """What a value is, in the words of a message: `a number`."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names[type(value)]


class Reader:
    """Typed access to a document. A value of another type is noted as a problem and read as absent."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems = Problems()
        self.warnings: list[str] = []

    def bad(self, path: Path, what: str, instead: str | None = None) -> None:
        """Note a problem with the value at `path`."""
        before = list(self.problems.lines)
        self.problems.add(self.document.at(*path), what, instead)
        if self.problems.lines[-1] in before:
            self.problems.lines.pop()  # a value may be looked at twice

    def warn(self, path: Path, what: str) -> None:
        """Note a warning about the value at `path`."""
        self.warnings.append(f"{self.document.at(*path)}: {what}")

    def value(self, path: Path) -> Any:
        """The value at `path`, or None."""
        value = self.document.tree
        for key in path:
            if isinstance(value, list) and isinstance(key, int):
                value = value[key] if key < len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def text(self, path: Path) -> str | None:
        """The string at `path`; None when absent."""
        value = self.value(path)
        if value is None or isinstance(value, str):
            return value
        self.bad(path, f"`{path[-1]}` is {kind(value)}", "write a string in quotes")
        return None

    def mapping(self, path: Path) -> dict[str, Any]:
        """The object at `path`; empty when absent."""
        value = self.value(path)
        if value is None or isinstance(value, dict):
            return value or {}
        self.bad(path, f"{_named(path)} is {kind(value)}", "write an object of names and values")
        return {}

    def items(self, path: Path) -> list[Any]:
        """The list at `path`; empty when absent."""
        value = self.value(path)
        if value is None or isinstance(value, list):
            return value or []
        self.bad(path, f"{_named(path)} is {kind(value)}", "write a list")
        return []


def _named(path: Path) -> str:
    return f"`{path[-1]}`" if path else "the file"
