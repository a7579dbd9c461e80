"""Profiles: how production's terms are mirrored here. Data in profiles/*.yaml, resolved in one function."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from devenv.base.errors import InputError, Problems
from devenv.plan.model import DynoSize, Mode

NAMES = ("default", "small", "full")
MODES = ("stand-in", "passthrough", "off")
# what a key holds: its type, and for mappings the type of the values
SHAPES: Mapping[str, tuple[type, type | None]] = {
    "extends": (str, None),
    "provider": (str, None),
    "cluster": (str, None),
    "kubernetes": (str, None),
    "http_port": (int, None),
    "quantity": (dict, int),
    "max_quantity": (int, None),
    "size": (str, None),
    "sizes": (dict, dict),
    "addons": (dict, str),
    "config": (dict, str),
    "timeouts": (dict, int),
    "sync": (list, None),
}
# the keys within a mapping whose keys are not the user's own
KEYS: Mapping[str, tuple[str, ...]] = {
    "quantity": ("web", "others"),
    "timeouts": ("boot", "stop", "release"),
}
FIR = re.compile(r"dyno-(\d{1,3})c-(\d{1,4}(?:\.\d+)?)gb")
ROW = ("memory", "cpu")  # of `sizes`
# an entry of `sync`: key -> what it holds
RULE: Mapping[str, tuple[type, ...]] = {
    "match": (str, list),
    "do": (str,),
    "types": (str, list),
    "run": (str,),
    "once": (bool,),
    "back": (bool,),
}
DO = ("sync", "restart", "rebuild", "ignore")
FOR_RESTART = ("types", "run", "once")


@dataclass(frozen=True, slots=True)
class Profile:
    """A resolved profile; see profiles/default.yaml for what each field means."""

    provider: str
    cluster: str
    kubernetes: str | None
    http_port: int
    web_quantity: int
    other_quantity: int
    max_quantity: int
    size: DynoSize
    sizes: Mapping[str, DynoSize]  # by lower-case name
    addons: Mapping[str, Mode]
    config: Mapping[str, str]
    boot_timeout: int
    stop_timeout: int
    release_timeout: int
    sync: tuple[Mapping[str, Any], ...] = ()  # rules for edits, as they are written


@dataclass(frozen=True, slots=True)
class Layer:
    """One profile file: its parsed content and the name to show in messages."""

    where: str
    content: object


def resolve(layers: tuple[Layer, ...], flags: Mapping[str, Any]) -> Profile:
    """The profile from its layers, weakest first, and the flags given on the command line. Raises InputError."""
    problems = Problems()
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, _checked(layer, problems))
    if not problems.lines:
        _whole_sizes(merged, layers[-1].where, problems)
    problems.raise_if_any("the profile", "profiles/default.yaml explains every key")
    merged.update({name: value for name, value in flags.items() if value is not None})
    return _profile(merged)


def _checked(layer: Layer, problems: Problems) -> dict[str, Any]:
    content = {} if layer.content is None else layer.content
    if not isinstance(content, dict):
        problems.add(layer.where, "is not a mapping of keys", "write `key: value` lines")
        return {}
    good: dict[str, Any] = {}
    for key, value in dict[Any, Any](content).items():
        if key not in SHAPES:
            _unknown(layer.where, str(key), key, SHAPES, problems)
            continue
        kind, inner = SHAPES[key]
        if key == "addons" and isinstance(value, dict):
            # YAML 1.1 reads a bare `off` as false
            value = {name: "off" if mode is False else mode for name, mode in value.items()}
        before = len(problems.lines)
        _typed(layer.where, key, value, kind, problems)
        if len(problems.lines) == before and inner:
            _check_inside(layer.where, key, value, inner, problems)
        if len(problems.lines) == before and key == "sync":
            _check_rules(layer.where, value, problems)
        good[key] = value
    return good


def _unknown(where: str, path: str, key: object, known: Iterable[str], problems: Problems) -> None:
    near = difflib.get_close_matches(str(key), known, 1)
    problems.add(
        where, f"unknown key `{path}`", f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
    )


def _typed(where: str, path: str, value: object, kind: type, problems: Problems) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        instead = "put quotes around it" if kind is str and not isinstance(value, list | dict | None) else None
        problems.add(where, f"`{path}` must be a {_kind(kind)}", instead)
    elif isinstance(value, int) and value < 0:
        problems.add(where, f"`{path}` is negative", "write 0 or more")
    elif path == "http_port" and isinstance(value, int) and value > 65535:
        problems.add(
            where, f"`{path}`: there is no port {value}", "write 1 to 65535, or 0 for the first free one from 8080"
        )


def _check_inside(where: str, key: str, value: Mapping[Any, Any], kind: type, problems: Problems) -> None:
    for name, item in value.items():
        path = f"{key}.{name}"
        if not isinstance(name, str):
            problems.add(where, f"`{path}` must be a text on its left", "put quotes around it")
        elif key in KEYS and name not in KEYS[key]:
            _unknown(where, path, name, KEYS[key], problems)
        elif key == "addons" and item not in MODES:
            problems.add(where, f"`{path}`: `{item}` is not an add-on mode", f"write one of {', '.join(MODES)}")
        else:
            _typed(where, path, item, kind, problems)
        if key == "sizes" and isinstance(item, dict):
            for field, number in item.items():
                if field in ROW:
                    _typed(where, f"{path}.{field}", number, int, problems)
                else:
                    _unknown(where, f"{path}.{field}", field, ROW, problems)


def _check_rules(where: str, entries: list[Any], problems: Problems) -> None:
    for index, entry in enumerate(entries):
        path = f"sync[{index}]"
        if not isinstance(entry, dict) or "match" not in entry:
            problems.add(where, f"`{path}` needs a `match`", 'for example {match: "*.txt", do: restart}')
            continue
        before = len(problems.lines)
        for name, item in entry.items():
            if name not in RULE:
                _unknown(where, f"{path}.{name}", name, RULE, problems)
            elif not isinstance(item, RULE[name]) or (
                isinstance(item, list) and not all(isinstance(each, str) for each in item)
            ):
                wanted = (
                    "true or false"
                    if bool in RULE[name]
                    else "a text"
                    if list not in RULE[name]
                    else "one text or a list"
                )
                problems.add(where, f"`{path}.{name}` must be {wanted}")
            elif name == "do" and item not in DO:
                problems.add(where, f"`{path}.do`: `{item}` is nothing to do", f"write one of {', '.join(DO)}")
            elif name == "match" and (dead := _dead(item)) is not None:
                hint = 'write it as in a .gitignore, for example "*.txt" or "/config/**"'
                problems.add(where, f"`{path}.match`: `{dead}` matches nothing", hint)
        do = entry.get("do", "restart" if entry.get("run") else "sync")
        if len(problems.lines) == before and do != "restart":
            for name in filter(entry.get, FOR_RESTART):
                problems.add(where, f"`{path}.{name}` does nothing when `do` is `{do}`", "write `do: restart`")


def _dead(patterns: Any) -> str | None:
    """The first that can match nothing: git passes over it, pathspec may raise."""
    import pathspec  # few profiles have rules

    for text in [patterns] if isinstance(patterns, str) else patterns or [""]:
        try:
            (pattern,) = pathspec.GitIgnoreSpec.from_lines([text]).patterns
        except (ValueError, re.error):
            return str(text)
        if pattern.include is None:
            return str(text)
    return None


def _kind(kind: type) -> str:
    return {str: "text", int: "number", dict: "mapping", list: "list"}[kind]


def _whole_sizes(merged: Mapping[str, Any], where: str, problems: Problems) -> None:
    for name, row in merged["sizes"].items():
        for field in ROW:
            if field not in row:
                problems.add(where, f"`sizes.{name}` has no `{field}`", "a new size needs memory and cpu")


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict):
            base[key] = dict(base.get(key, {}))
            _merge(base[key], value)
        else:
            base[key] = value


def _profile(data: Mapping[str, Any]) -> Profile:
    sizes = {name.lower(): DynoSize(name, int(row["memory"]), int(row["cpu"])) for name, row in data["sizes"].items()}
    timeouts = data["timeouts"]
    return Profile(
        provider=data["provider"],
        cluster=data["cluster"],
        kubernetes=data["kubernetes"] or None,
        http_port=data["http_port"],
        web_quantity=data["quantity"]["web"],
        other_quantity=data["quantity"]["others"],
        max_quantity=data["max_quantity"],
        size=size(sizes, data["size"], "the profile"),
        sizes=sizes,
        addons=cast(Mapping[str, Mode], data["addons"]),
        config=data["config"],
        boot_timeout=timeouts["boot"],
        stop_timeout=timeouts["stop"],
        release_timeout=timeouts["release"],
        sync=tuple(data.get("sync", ())),
    )


def size(sizes: Mapping[str, DynoSize], name: str, where: str) -> DynoSize:
    """The dyno size called `name`, in any case; Fir's `dyno-2c-4gb` by its name (heroku.md section 3.3). Raises InputError."""
    if found := sizes.get(name.lower()):
        return found
    if match := FIR.fullmatch(name.lower()):
        return DynoSize(name.lower(), int(float(match[2]) * 1024), int(match[1]) * 100)
    near = difflib.get_close_matches(name.lower(), sizes, 1)
    raise InputError(
        f"`{name}` in {where} is not a dyno size",
        f"did you mean `{sizes[near[0]].name}`?" if near else f"sizes: {', '.join(row.name for row in sizes.values())}",
    )
