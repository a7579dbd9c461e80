"""The data that ships with devenv, read: charts, catalog, profiles."""

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from devenv.base import resources
from devenv.base.errors import InputError
from devenv.heroku import app
from devenv.plan import catalog as catalogs
from devenv.plan import profile as profiles
from devenv.plan.model import Catalog
from devenv.plan.profile import Layer, Profile

APP_PROFILE = Path(".devenv") / "profile.yaml"


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The add-on catalog of charts/*/addon.yaml and charts/hosted.yaml."""
    charts = resources.path("charts")
    stand_ins = {
        file.parent.name: resources.load_yaml(file.read_text(), str(file))
        for file in sorted(charts.glob("*/addon.yaml"))
    }
    hosted = charts / "hosted.yaml"
    return catalogs.parse(stand_ins, resources.load_yaml(hosted.read_text(), str(hosted)))


def profile(root: Path | None, name: str | None, flags: Mapping[str, Any]) -> Profile:
    """The resolved profile: default, the named one, the app's own file, flags (weakest first)."""
    layers = [_shipped("default")]
    own: Layer | None = None
    if root and (root / APP_PROFILE).is_file():
        own = Layer(
            str(APP_PROFILE), resources.load_yaml(app.text(root / APP_PROFILE, str(APP_PROFILE)), str(APP_PROFILE))
        )
        if isinstance(own.content, dict) and name is None:
            name = own.content.get("extends")
    elif root and (wrong := (root / APP_PROFILE).with_suffix(".yml")).is_file():
        raise InputError(f"`{wrong.relative_to(root)}` is not read", f"rename it to `{APP_PROFILE}`")
    if name and name != "default":
        layers.append(_shipped(name))
    return profiles.resolve(tuple(layers + ([own] if own else [])), flags)


def _shipped(name: str) -> Layer:
    if name not in profiles.NAMES:
        raise InputError(f"there is no profile `{name}`", f"profiles: {', '.join(profiles.NAMES)}")
    file = resources.path(f"profiles/{name}.yaml")
    return Layer(file.name, resources.load_yaml(file.read_text(), file.name))


def chart(name: str) -> Path:
    """The folder of a chart."""
    return resources.path(f"charts/{name}")


def chart_of(release: str) -> str:
    """The chart of a Helm release of an env: `postgres-analytics` is of `postgres`."""
    return release.split("-")[0]


@cache
def chart_digest(name: str) -> str:
    """A digest over the files of a chart: part of each release's fingerprint."""
    total = hashlib.sha256()
    root = chart(name)
    for file in sorted(item for item in root.rglob("*") if item.is_file()):
        total.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()[:16]
