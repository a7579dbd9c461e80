"""Procfile -> process types (heroku.md section 1): takes what any parser takes, warns of what not all of them do."""

import re

from devenv.base.errors import Problems
from devenv.heroku.model import ProcessType, Procfile

_LINE = re.compile(r"([A-Za-z0-9_-]+):[ \t]*(.*)")
_OTHER_NAME = re.compile(r"(\S+?)\s*:(?!//)\s*\S")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def label(name: str) -> str:
    """A type's name as Fir and Kubernetes spell it: lower case, `-` for `_`."""
    return name.lower().replace("_", "-")


def name_problem(name: str) -> str | None:
    """What is wrong with a process type's name, or None."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return f"`{name}` is not a process type name: it takes letters, digits and `-`"
    if not _LABEL.fullmatch(label(name)):
        return f"`{name}` must begin and end with a letter or digit and have at most 63 characters"
    return None


def parse(text: str, where: str = "Procfile") -> Procfile:
    """The process types of a Procfile; raises InputError listing every bad line."""
    problems, warnings = Problems(), list[str]()
    types: dict[str, ProcessType] = {}
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        at = f"{where}:{number}"
        if not line.strip() or line.lstrip().startswith(("#", "//")):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            problems.add(at, *_why_not(line.strip()))
            continue
        name, command = match.groups()
        if what := name_problem(name):
            problems.add(at, what)
        elif not command:
            problems.add(at, f"`{name}` has no command", f"write `{name}: <command>`")
        elif command.endswith("\\"):
            problems.add(at, "the `\\` at the end does not continue a command", "write the command on one line")
        else:
            warnings.extend(f"{at}: {advice}" for advice in _advice(line, name, types))
            types[name] = ProcessType(name, command, at)
    _no_two_alike(types, problems)
    problems.raise_if_any(where)
    if not types:
        warnings.append(f"{where}: declares no process type; write a line such as `web: <command>`")
    return Procfile(tuple(types.values()), tuple(warnings))


def _why_not(line: str) -> tuple[str, str]:
    """What is wrong with a line that is not `type: command`, and what to write."""
    if match := _OTHER_NAME.match(line):
        better = re.sub(r"[^A-Za-z0-9]+", "-", match[1]).strip("-") or "web"
        return f"`{match[1]}` is not followed by `:` at once, or has other characters than letters, digits and `-`", (
            f"write `{better}: <command>`"
        )
    return "not a process type", "write `<type>: <command>`, such as `web: npm start`, or begin a comment with `#`"


def _advice(line: str, name: str, types: dict[str, ProcessType]) -> list[str]:
    """What some of Heroku's own parsers make of a line that is accepted here (heroku.md section 1.1)."""
    advice = []
    if name in types:
        advice.append(f"`{name}` was declared before, in {types[name].source}: the last one wins")
    if label(name) != name:
        advice.append(f"`{name}` is read as `{label(name)}` on Fir; write it so")
    if "-" in name:
        advice.append(f"`heroku local` cannot read the `-` in `{name}`")
    if line[0].isspace():
        advice.append(f"blanks before `{name}` are not accepted everywhere; remove them")
    return advice


def _no_two_alike(types: dict[str, ProcessType], problems: Problems) -> None:
    seen: dict[str, ProcessType] = {}
    for type_ in types.values():
        other = seen.setdefault(label(type_.name), type_)
        if other is not type_:
            problems.add(type_.source, f"`{type_.name}` and `{other.name}` are one name on Kubernetes", "rename one")
