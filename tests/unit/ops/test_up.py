from collections.abc import Mapping

import pytest

from devenv.base.errors import InputError
from devenv.heroku.model import ConfigVars
from devenv.ops import up
from devenv.plan.model import ClusterSpec, Plan


def plan(*missing: str, config: Mapping[str, str] | None = None) -> Plan:
    values = dict(config or {})
    cluster = ClusterSpec("devenv", "kind", None)
    return Plan("lamp", "lamp", cluster, (), (), (), (), None, ConfigVars(values, {}), missing, ())


def test_nothing_is_missing() -> None:
    up.check(plan())


def test_one_is_missing() -> None:
    with pytest.raises(InputError) as caught:
        up.check(plan("API_KEY: from the dashboard"))
    error = caught.value
    assert error.message == "1 required config var has no value"
    assert error.details == ("API_KEY: from the dashboard",)
    assert error.hint == "set it in .env, or: devenv config:set API_KEY=…"


def test_all_that_are_missing_are_told() -> None:
    with pytest.raises(InputError) as caught:
        up.check(plan("A", "B: why", "C"))
    assert caught.value.message == "3 required config vars have no value"
    assert caught.value.details == ("A", "B: why", "C")
    assert "config:set A=…" in (caught.value.hint or "")


def test_more_than_heroku_takes() -> None:
    with pytest.raises(InputError, match="65536"):
        up.check(plan(config={"BIG": "x" * 64 * 1024}))
