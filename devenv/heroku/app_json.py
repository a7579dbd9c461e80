"""app.json -> AppJson (heroku.md section 4.2), with every problem at once and where it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from devenv.base.errors import InputError
from devenv.heroku import addon_refs
from devenv.heroku.config_vars import name_problem
from devenv.heroku.document import Path, Reader, from_json, kind
from devenv.heroku.formation import RETIRED, spell_size
from devenv.heroku.model import AppJson, EnvEntry, Quantity, Scripts
from devenv.heroku.procfile import name_problem as type_problem

ENVIRONMENTS = ("review", "test")


def parse(text: str, where: str = "app.json", environment: str | None = None) -> AppJson:
    """What app.json asks for; a key of `environments.<environment>` replaces the same key, nothing is merged."""
    if environment not in (None, *ENVIRONMENTS):
        raise InputError(f"app.json has no environment `{environment}`", "write `review` or `test`")
    reader = Reader(from_json(text, where))
    reader.mapping(())
    inner: Path = ("environments", environment or "")
    reader.mapping(("environments",))
    replaced = reader.mapping(inner) if environment else {}

    def at(key: str) -> Path:
        return (*inner, key) if key in replaced else (key,)

    found = AppJson(
        name=reader.text(at("name")),
        env=_env(reader, at("env")),
        addons=addon_refs.read(reader, at("addons")),
        formation=_formation(reader, at("formation")),
        buildpacks=_buildpacks(reader, at("buildpacks")),
        scripts=_scripts(reader, at("scripts")),
        stack=reader.text(at("stack")),
        warnings=tuple(reader.warnings),
    )
    reader.problems.raise_if_any(where)
    return found


def _env(reader: Reader, path: Path) -> tuple[EnvEntry, ...]:
    entries = []
    for name, value in reader.mapping(path).items():
        here = (*path, name)
        if what := name_problem(name):
            reader.bad(here, what)
        elif isinstance(value, str):
            entries.append(EnvEntry(name, value, source=reader.document.at(*here)))
        elif isinstance(value, dict):
            entries.append(_entry(reader, here, name, value))
        else:
            reader.bad(here, f"the value of `{name}` is {kind(value)}", "write it as a string, in quotes")
    return tuple(entries)


def _entry(reader: Reader, path: Path, name: str, fields: dict[str, Any]) -> EnvEntry:
    required = fields.get("required", True)
    if not isinstance(required, bool):
        reader.bad((*path, "required"), f"`required` is {kind(required)}", "write `true` or `false`, without quotes")
    generator = reader.text((*path, "generator"))
    if generator not in (None, "secret"):
        reader.bad((*path, "generator"), f"there is no generator `{generator}`", "write `secret`")
    value = reader.text((*path, "value"))
    description = reader.text((*path, "description")) or ""
    return EnvEntry(name, value, description, required is True, generator, reader.document.at(*path))


def _formation(reader: Reader, path: Path) -> Mapping[str, Quantity]:
    formation = {}
    for name in reader.mapping(path):
        here = (*path, name)
        if what := type_problem(name):
            reader.bad(here, what)
        fields = reader.mapping(here)
        quantity = fields.get("quantity", 1)
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 <= quantity <= 1000:
            reader.bad((*here, "quantity"), f"the quantity of `{name}` is not a number from 0", "write such as `1`")
            quantity = 0
        formation[name] = Quantity(quantity, _size(reader, (*here, "size")))
    return MappingProxyType(formation)


def _size(reader: Reader, path: Path) -> str | None:
    written = reader.text(path)
    if written is None:
        return None
    size = spell_size(written)
    if size is None:
        reader.bad(path, f"`{written}` is not a dyno size", "write one such as `basic` or `standard-1x`")
    elif written.strip().lower() in RETIRED:
        reader.warn(path, f"the size `{written}` is no longer available on Heroku; `{size}` is taken")
    return size


def _buildpacks(reader: Reader, path: Path) -> tuple[str, ...]:
    found = []
    for index, item in enumerate(reader.items(path)):
        here = (*path, index)
        url = item if isinstance(item, str) else reader.text((*here, "url")) if isinstance(item, dict) else None
        if url:
            found.append(url.strip())
        elif not isinstance(item, dict) or item.get("url") in (None, ""):
            reader.bad(here, "a buildpack without `url`", 'write `{"url": "heroku/python"}`')
    return tuple(found)


def _scripts(reader: Reader, path: Path) -> Scripts:
    scripts = reader.mapping(path)

    def command(name: str) -> str | None:
        here = (*path, name)
        text = reader.text((*here, "command") if isinstance(scripts.get(name), dict) else here)
        if name in scripts and text is not None and not text.strip():
            reader.bad(here, f"`{name}` has no command", "write one, or leave the key out")
        return text

    return Scripts(command("postdeploy"), command("pr-predestroy"), command("test-setup"), command("test"))
