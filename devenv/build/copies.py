"""Where a Dockerfile puts the files of its context: what a change of one of them has to change in the image."""

import json
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from devenv.base.index import Mount
from devenv.build.bases import filled, instructions


@dataclass(slots=True)
class _Stage:
    folder: str = "/"
    mounts: dict[str, frozenset[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


def mounts(
    text: str, args: Mapping[str, str], target: str | None, is_folder: Callable[[str], bool]
) -> tuple[Mount, ...]:
    """The copies that the image keeps, the longest paths first. Copies into earlier stages, and patterns, are none.

    What is in several places at once has none to send an edit to: commands between the copies may have used each.
    """
    stages: list[tuple[str, _Stage]] = []
    now = _Stage(values=dict(args))
    for word, rest in instructions(text):
        words, flags = _words(filled(rest, now.values))
        if word == "FROM" and words:
            name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else str(len(stages))
            parent = next((stage for known, stage in stages if known == words[0].lower()), None)
            now = (
                replace(parent, mounts=dict(parent.mounts), values=dict(parent.values))
                if parent
                else _Stage(values=dict(now.values))
            )
            stages.append((name, now))
        elif word in ("ARG", "ENV"):
            for pair in words:
                name, _, value = pair.partition("=")
                now.values.setdefault(name, value) if word == "ARG" else now.values.update({name: value})
        elif word == "WORKDIR" and words:
            now.folder = posixpath.normpath(posixpath.join(now.folder, words[0]))
        elif word in ("COPY", "ADD") and "from" not in flags:
            _copy(now, _list(rest, now.values) or words, is_folder)
    chosen = next((stage for name, stage in stages if name == (target or "").lower()), now)
    found = ((source, _places(source, chosen.mounts)) for source in chosen.mounts)
    return tuple(
        (source, next(iter(places)) if len(places) == 1 else "")
        for source, places in sorted(found, key=lambda each: -len(each[0]))
    )


def _places(path: str, mounts: Mapping[str, frozenset[str]]) -> set[str]:
    found = set(mounts[path])
    for source, targets in mounts.items():
        if source != path and (not source or path.startswith(source + "/")):
            end = "/" * any(target.endswith("/") for target in mounts[path])
            found |= {posixpath.join(target, path[len(source) :].lstrip("/")) + end for target in targets}
    return found


def _copy(stage: _Stage, words: list[str], is_folder: Callable[[str], bool]) -> None:
    if len(words) < 2:
        return
    *sources, given = words
    target = posixpath.normpath(posixpath.join(stage.folder, given))
    into = given.endswith("/") or given in (".", "..") or len(sources) > 1
    for raw in sources:
        source = posixpath.normpath(raw.lstrip("/") or ".")
        if re.search(r"[*?\[]|^\w+://|^<<", raw):
            continue
        if source == "." or is_folder(source):
            place = target.rstrip("/") + "/"
        else:
            place = posixpath.join(target, posixpath.basename(source)) if into else target
        source = "" if source == "." else source
        stage.mounts[source] = stage.mounts.get(source, frozenset()) | {place}


def _words(text: str) -> tuple[list[str], set[str]]:
    words = [word.strip("\"'") for word in text.split()]
    flags = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
    return [word for word in words if not word.startswith("--")], flags


def _list(text: str, values: Mapping[str, str]) -> list[str]:
    """The words of the JSON form, `["a b", "/to/"]`; empty when it is the other one."""
    plain = re.sub(r"^(?:--\S+\s+)*", "", text.strip())
    try:
        found = json.loads(plain) if plain.startswith("[") else []
    except ValueError:
        return []  # `[ab].txt` is a pattern
    return [filled(str(word), values) for word in found]
