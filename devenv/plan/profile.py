"""Profiles: how production's terms are mirrored here. Data in profiles/*.yaml, resolved in one function."""

import difflib
from collections.abc import Mapping
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
}


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
    request_timeout: int


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
        shape = SHAPES.get(str(key))
        if shape is None:
            near = difflib.get_close_matches(str(key), SHAPES, 1)
            problems.add(
                layer.where,
                f"unknown key `{key}`",
                f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(SHAPES)}",
            )
        elif not isinstance(value, shape[0]) or isinstance(value, bool):
            problems.add(layer.where, f"`{key}` must be a {_kind(shape[0])}, not `{value}`")
        elif shape[1] and (
            bad := [name for name, item in value.items() if not isinstance(item, shape[1]) or isinstance(item, bool)]
        ):
            problems.add(
                layer.where,
                f"`{key}.{bad[0]}` must be a {_kind(shape[1])}",
                "put quotes around it" if shape[1] is str else None,
            )
        elif key == "addons" and (wrong := [mode for mode in value.values() if mode not in MODES]):
            problems.add(layer.where, f"`{wrong[0]}` is not an add-on mode", f"write one of {', '.join(MODES)}")
        else:
            good[str(key)] = value
    return good


def _kind(kind: type) -> str:
    return {str: "text", int: "number", dict: "mapping"}[kind]


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and isinstance(base.get(key), dict) else value


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
        request_timeout=timeouts["request"],
    )


def size(sizes: Mapping[str, DynoSize], name: str, where: str) -> DynoSize:
    """The dyno size called `name`, in any case; Fir's `dyno-2c-4gb` by its name (heroku.md section 3.3). Raises InputError."""
    if found := sizes.get(name.lower()):
        return found
    parts = name.lower().removeprefix("dyno-").split("-")
    if name.lower().startswith("dyno-") and len(parts) == 2 and parts[0].endswith("c") and parts[1].endswith("gb"):
        try:
            return DynoSize(name.lower(), int(float(parts[1][:-2]) * 1024), int(parts[0][:-1]) * 100)
        except ValueError:
            pass
    near = difflib.get_close_matches(name.lower(), sizes, 1)
    raise InputError(
        f"`{name}` in {where} is not a dyno size",
        f"did you mean `{near[0]}`?" if near else f"sizes: {', '.join(row.name for row in sizes.values())}",
    )
