"""What an env remembers between runs: kept in the cluster, in the Secret `env-settings`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from devenv.heroku.model import AddonRef, Quantity

VERSION = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """config:set variables, secrets made once, add-on credentials, formation, add-on modes; `repr` shows no value."""

    config: Mapping[str, str] = field(default_factory=dict)  # config:set
    unset: tuple[str, ...] = ()  # config:unset of a variable that a file gives
    generated: Mapping[str, str] = field(default_factory=dict)  # app.json generator: secret
    credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # add-on release -> name -> value
    formation: Mapping[str, Quantity] = field(default_factory=dict)  # ps:scale
    modes: Mapping[str, str] = field(default_factory=dict)  # addons:mode, by service
    created: tuple[AddonRef, ...] = ()  # addons:create
    destroyed: tuple[str, ...] = ()  # addons:destroy of one that a file declares, by attachment or service

    def __repr__(self) -> str:
        return f"Settings(config={sorted(self.config)}, addons={sorted(self.credentials)})"

    def to_json(self) -> str:
        """The settings as text; equal settings give equal text."""
        created = tuple(
            replace(ref, options=dict(ref.options)) for ref in self.created
        )  # asdict copies no read-only ones
        plain = asdict(replace(self, created=created))
        return json.dumps({"version": VERSION, **plain}, sort_keys=True, ensure_ascii=False)


def from_json(text: str | None) -> Settings:
    """Settings from `to_json`'s text; None or empty gives the defaults. Keys of later versions are ignored."""
    if not text:
        return Settings()
    data = json.loads(text)
    known = {name: data[name] for name in Settings.__dataclass_fields__ if name in data}
    known["formation"] = {name: _made(Quantity, entry) for name, entry in known.get("formation", {}).items()}
    known["created"] = tuple(_made(AddonRef, entry) for entry in known.get("created", []))
    for name in ("unset", "destroyed"):
        known[name] = tuple(known.get(name, ()))
    return Settings(**known)


def _made(kind: type[T], entry: Mapping[str, Any]) -> T:
    known = {name: entry[name] for name in (each.name for each in fields(kind)) if name in entry}  # type: ignore[arg-type]
    return kind(**known)


def with_config(settings: Settings, changes: Mapping[str, str | None]) -> Settings:
    """Settings after config:set (a value) and config:unset (None)."""
    config = {**settings.config}
    unset = set(settings.unset)
    for name, value in changes.items():
        if value is None:
            config.pop(name, None)
            unset.add(name)
        else:
            config[name] = value
            unset.discard(name)
    return replace(settings, config=config, unset=tuple(sorted(unset)))
