"""What a release made of an older one consists of."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devenv.base.errors import InputError
from devenv.ops import rollback
from devenv.ops.env import Env
from devenv.plan.settings import Settings

OLD: Mapping[str, Any] = {
    "config": {"GREETING": "hello", "FILE": "1", "DATABASE_URL": "postgres://old", "GONE_URL": "redis://gone"},
    "release": {
        "version": 3,
        "origins": {
            "GREETING": "config:set",
            "FILE": ".env:1",
            "DATABASE_URL": "postgres stand-in",
            "GONE_URL": "redis stand-in",
        },
    },
}
NOW = {
    "config": {"GREETING": "bye", "LATER": "1", "DATABASE_URL": "postgres://new"},
    "release": {
        "version": 9,
        "origins": {"GREETING": "config:set", "LATER": "config:set", "DATABASE_URL": "postgres stand-in"},
    },
}


def test_config_vars_come_back_and_those_of_add_ons_stay() -> None:
    assert rollback.merged(OLD, NOW, {"postgres"}) == {
        "GREETING": "hello",
        "FILE": "1",
        "DATABASE_URL": "postgres://new",
    }


def test_a_retry_keeps_the_variables_of_add_ons_that_the_release_introduced() -> None:
    found = rollback.merged(OLD, {}, {"postgres", "redis"})
    assert found == OLD["config"], "nothing serves before the first release"
    assert rollback._origins(OLD, {}, found) == OLD["release"]["origins"]


def test_what_config_set_gave_comes_back() -> None:
    settings = Settings(config={"GREETING": "bye", "LATER": "1"}, unset=("FILE", "NEVER"))
    restored = rollback.restore(settings, OLD)
    assert restored.config == {"GREETING": "hello"}
    assert restored.unset == ("LATER", "NEVER"), "what was not there then must not come back from a file"


def test_a_release_that_did_not_tell_changes_no_settings() -> None:
    settings = Settings(config={"A": "1"})
    assert rollback.restore(settings, {"config": {"B": "1"}, "release": {}}) is settings


def test_what_a_stand_in_hides_is_kept() -> None:
    settings = Settings(config={"DATABASE_URL": "postgres://user"})
    assert rollback.restore(settings, OLD).config == {"DATABASE_URL": "postgres://user", "GREETING": "hello"}


def test_processes_do_not_start_without_their_add_ons() -> None:
    env = cast(Env, SimpleNamespace(name="lamp"))
    rollback.refuse_stopped(env, {})
    rollback.refuse_stopped(env, {**NOW, "running": True})
    with pytest.raises(InputError, match="lamp is stopped"):
        rollback.refuse_stopped(env, {**NOW, "running": False})


def secrets(content: Mapping[str, Any]) -> str:
    return repr(rollback.Made(1, 2, str(content["release"]["version"])))


def test_nothing_that_is_printed_holds_a_value() -> None:
    assert "hello" not in secrets(OLD)
