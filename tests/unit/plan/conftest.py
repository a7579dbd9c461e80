"""What the tests of the plan start from: the shipped catalog and profile, a small app, parts of it replaced at will."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devenv.heroku import config_vars
from devenv.heroku.model import EMPTY, AddonRef, App, EnvEntry, ProcessType, Scripts
from devenv.ops import shipped
from devenv.plan import make
from devenv.plan.model import Catalog, ImageSpec, Plan
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

IMAGE = ImageSpec("lamp/app", "abc", (), None)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return shipped.catalog()


@pytest.fixture(scope="session")
def profile() -> Profile:
    return shipped.profile(None, None, {})


@pytest.fixture
def app() -> Callable[..., App]:
    def make_app(
        *addons: str | AddonRef, env: Mapping[str, str | EnvEntry] = EMPTY, dotenv: str = "", **fields: Any
    ) -> App:
        refs = tuple(ref(item) if isinstance(item, str) else item for item in addons)
        entries = tuple(EnvEntry(name, item) if isinstance(item, str) else item for name, item in env.items())
        given: dict[str, Any] = {
            "name": "lamp",
            "root": Path("/apps/lamp"),
            "stack": "heroku-24",
            "processes": (ProcessType("web", "serve", "Procfile:1"), ProcessType("worker", "work", "Procfile:2")),
            "release": None,
            "formation": {},
            "env": entries,
            "dotenv": config_vars.parse_dotenv(dotenv),
            "addons": refs,
            "builds": (),
            "build_config": EMPTY,
            "buildpacks": (),
            "scripts": Scripts(),
            "warnings": (),
        }
        return App(**{**given, **fields})

    return make_app


def ref(text: str) -> AddonRef:
    """`heroku-redis:mini as CACHE` as app.json writes it."""
    whole, _, attachment = text.partition(" as ")
    service, _, plan = whole.partition(":")
    return AddonRef(service, plan or None, attachment or None, EMPTY, "app.json:1")


@pytest.fixture
def plan(app: Callable[..., App], catalog: Catalog, profile: Profile) -> Callable[..., Plan]:
    """The plan of an app with every stand-in's credentials known: `<name>` of each is `<release>-<name>`."""

    def make_plan(
        *addons: str | AddonRef,
        settings: Settings = Settings(),  # noqa: B008 frozen
        profile: Profile = profile,
        code: Mapping[str, str] = EMPTY,
        **fields: Any,
    ) -> Plan:
        given = app(*addons, **fields)
        first = make.plan(given, profile, catalog, settings, "lamp", (IMAGE,), code)
        known = {
            row.name: {
                name: rule.removeprefix("literal:") if rule.startswith("literal:") else f"{row.name}-{name}"
                for name, rule in row.spec.credentials.items()
            }
            for row in first.addons
            if row.spec and row.mode == "stand-in"
        }
        return make.plan(given, profile, catalog, replace(settings, credentials=known), "lamp", (IMAGE,), code)

    return make_plan
