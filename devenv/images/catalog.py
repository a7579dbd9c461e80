"""What offline/images.yaml and offline/programs.yaml say. Values only; the rest of this room acts on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from devenv.base import resources
from devenv.base.errors import InputError
from devenv.plan.model import Source

Kind = Literal["debootstrap", "static", "dockerfile", "node"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image is made. `folder` is below offline/, `needs` are images, `programs` are those of programs.yaml."""

    kind: Kind
    folder: str = ""
    needs: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    suite: str = ""
    certificates: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One image. `official` is pinned by digest, `built` is the tag of the one made here."""

    key: str
    official: str | None
    built: str
    recipe: Recipe
    seconds: int
    preload: bool = False
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module of ours that pins programs: name of the program -> its package."""

    name: str
    folder: str
    go: str
    seconds: int
    programs: Mapping[str, str]
    variables: Mapping[str, str]  # set at link time: versions that programs print


@dataclass(frozen=True, slots=True)
class Tool:
    """A pinned tool of this machine."""

    name: str
    version: str
    minimum: str
    ask: tuple[str, ...]
    url: str
    sha256: Mapping[str, str]
    member: str | None  # its path inside the downloaded archive; None = the download is the tool


@cache
def entries() -> Mapping[str, Entry]:
    """Every image by key, in the file's order, needs resolved."""
    raw = _load("images.yaml")["images"]
    found = {key: _entry(key, value) for key, value in raw.items()}
    for entry in found.values():
        if unknown := [need for need in entry.recipe.needs if need not in found]:
            raise InputError(f"offline/images.yaml: `{entry.key}` needs `{unknown[0]}`, which is no image")
    return found


@cache
def modules() -> Mapping[str, Module]:
    """Every Go module by name."""
    return {
        name: Module(name, raw["folder"], raw["go"], raw["seconds"], raw["programs"], raw.get("set", {}))
        for name, raw in _load("programs.yaml")["modules"].items()
    }


@cache
def tools() -> Mapping[str, Tool]:
    """Every tool by name."""
    return {
        name: Tool(
            name, raw["version"], raw["minimum"], tuple(raw["ask"]), raw["url"], raw["sha256"], raw.get("member")
        )
        for name, raw in _load("programs.yaml")["tools"].items()
    }


def reference(key: str, source: Source) -> str:
    """The reference of image `key`: the pinned official one, or (also when there is none) the tag built here."""
    entry = get(key)
    return entry.official if source == "official" and entry.official else entry.built


def get(key: str) -> Entry:
    """The image `key`; raises InputError that lists the keys."""
    try:
        return entries()[key]
    except KeyError:
        raise InputError(f"there is no image `{key}`", f"images: {', '.join(entries())}") from None


def module_of(program: str) -> Module:
    """The Go module that makes `program`."""
    for module in modules().values():
        if program in module.programs:
            return module
    raise InputError(f"offline/programs.yaml: no module makes `{program}`")


def needs(entry: Entry) -> tuple[str, ...]:
    """The keys that must be there before `entry` can be made; a node also needs what it preloads."""
    preloaded = [other.key for other in entries().values() if other.preload] if entry.recipe.kind == "node" else []
    return tuple(dict.fromkeys([*entry.recipe.needs, *preloaded]))


def ordered(keys: Iterable[str]) -> list[Entry]:
    """The images `keys` and all they need, each after its needs. Raises InputError on a circle."""
    done: dict[str, Entry] = {}

    def add(key: str, path: tuple[str, ...]) -> None:
        if key in path:
            raise InputError(f"offline/images.yaml: `{key}` needs itself", f"by way of {' -> '.join(path)}")
        if key not in done:
            entry = get(key)
            for need in needs(entry):
                add(need, (*path, key))
            done[key] = entry

    for key in keys:
        add(key, ())
    return list(done.values())


def _load(name: str) -> Any:
    path = resources.path(f"offline/{name}")
    return resources.load_yaml(path.read_text(encoding="utf-8"), f"offline/{name}")


def _entry(key: str, raw: Mapping[str, Any]) -> Entry:
    recipe = raw["recipe"]
    program = (recipe["program"],) if "program" in recipe else ()
    return Entry(
        key=key,
        official=raw.get("official"),
        built=raw["built"],
        recipe=Recipe(
            kind=recipe["kind"],
            folder=recipe.get("folder", ""),
            needs=tuple(recipe.get("needs", ())),
            programs=(*program, *recipe.get("programs", ())),
            suite=recipe.get("suite", ""),
            certificates=recipe.get("certificates", False),
        ),
        seconds=raw["seconds"],
        preload=raw.get("preload", False),
        internal=raw.get("internal", False),
    )
