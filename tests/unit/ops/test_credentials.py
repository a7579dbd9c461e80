"""Random values: made once, kept, and safe in a URL."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from devenv.base.errors import InputError
from devenv.heroku.model import EMPTY, AddonRef, App, EnvEntry, Scripts
from devenv.ops import credentials, shipped
from devenv.plan import addons, config
from devenv.plan.model import PlannedAddon
from devenv.plan.settings import Settings


def app(*env: EnvEntry) -> App:
    return App("lamp", Path("/lamp"), "heroku-24", (), None, {}, env, config_vars(), (), (), EMPTY, (), Scripts(), ())


def config_vars() -> config.ConfigVars:
    return config.ConfigVars({}, {})


def planned(*services: str, modes: Mapping[str, str] = EMPTY) -> tuple[PlannedAddon, ...]:
    refs = tuple(AddonRef(service, None, None, {}, "app.json:1") for service in services)
    given = replace(app(), addons=refs)
    profile = shipped.profile(None, None, {})
    return addons.resolve(given, shipped.catalog(), profile, Settings(modes=modes), config_vars(), {})[0]


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        ("hex:32", r"[0-9a-f]{32}"),
        ("hex:64", r"[0-9a-f]{64}"),
        ("name:u", r"u[0-9a-f]{14}"),
        ("literal:elastic", "elastic"),
    ],
)
def test_rules(rule: str, shape: str) -> None:
    assert re.fullmatch(shape, credentials.make(rule))
    if not rule.startswith("literal"):
        assert credentials.make(rule) != credentials.make(rule)


def test_a_rule_that_is_none() -> None:
    with pytest.raises(InputError, match="`uuid:4`"):
        credentials.make("uuid:4")


def test_every_rule_of_the_catalog_is_url_safe() -> None:
    for spec in shipped.catalog().addons.values():
        for rule in spec.credentials.values():
            made = credentials.make(rule)
            assert quote(made, safe="") == made


def test_made_once_and_kept() -> None:
    rows = planned("heroku-postgresql", "heroku-redis", "sentry")
    given = app(EnvEntry("KEY", generator="secret"), EnvEntry("PLAIN", value="x"))
    first = credentials.complete(Settings(config={"A": "1"}), given, rows)
    assert set(first.credentials) == {"postgres", "redis"}
    assert set(first.credentials["postgres"]) == {"user", "password", "database"}
    assert re.fullmatch("[0-9a-f]{64}", first.generated["KEY"])
    assert set(first.generated) == {"KEY"}
    assert first.config == {"A": "1"}
    assert credentials.complete(first, given, rows) is first


def test_only_what_is_missing_is_made() -> None:
    before = Settings(credentials={"postgres": {"user": "u", "password": "p", "database": "d"}, "gone": {"a": "b"}})
    after = credentials.complete(before, app(), planned("heroku-postgresql", "heroku-redis"))
    assert after.credentials["postgres"] == {"user": "u", "password": "p", "database": "d"}
    assert after.credentials["gone"] == {"a": "b"}  # its volume stays, and with it its password
    part = Settings(credentials={"postgres": {"user": "u", "password": "p"}})
    mended = credentials.complete(part, app(), planned("heroku-postgresql")).credentials["postgres"]
    assert (mended["user"], mended["password"]) == ("u", "p")
    assert mended["database"]


@pytest.mark.parametrize("mode", ["passthrough", "off"])
def test_what_has_no_stand_in_needs_none(mode: str) -> None:
    rows = planned("heroku-postgresql", modes={"heroku-postgresql": mode})
    assert credentials.complete(Settings(), app(), rows) == Settings()


def test_two_envs_have_two_passwords() -> None:
    made: Callable[[], str] = lambda: credentials.complete(  # noqa: E731
        Settings(), app(), planned("heroku-postgresql")
    ).credentials["postgres"]["password"]
    assert made() != made()
