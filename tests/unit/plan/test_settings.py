"""What an env remembers survives the way into the cluster and back, byte for byte."""

import json

import pytest

from devenv.heroku.model import AddonRef, Quantity, frozen
from devenv.plan.settings import Settings, from_json, with_config

NASTY = "a\nb\t\x7f\u0085\u2028 é 😀 $X $(PATH) `x` 'q' \"d\" # c: - {{ .x }} \\ \x01 end\n"
FULL = Settings(
    config={"NASTY": NASTY, "EMPTY": ""},
    unset=("GONE",),
    generated={"SECRET_KEY": "f" * 64},
    credentials={"postgres": {"user": "u1", "password": "p1"}},
    formation={"web": Quantity(2, "Standard-1X"), "worker": Quantity(0)},
    modes={"sentry": "off"},
    created=(
        AddonRef("heroku-redis", "mini", "CACHE", frozen({"version": "8"}), "addons:create"),
        AddonRef("heroku-postgresql", None, None, {}, "addons:create"),
    ),
    destroyed=("DATABASE",),
)


@pytest.mark.parametrize("settings", [Settings(), FULL])
def test_there_and_back(settings: Settings) -> None:
    assert from_json(settings.to_json()) == settings
    assert from_json(settings.to_json().encode().decode()).to_json() == settings.to_json()


@pytest.mark.parametrize("text", [None, ""])
def test_a_new_env_has_the_defaults(text: str | None) -> None:
    assert from_json(text) == Settings()


def test_equal_settings_give_equal_text() -> None:
    one = Settings(config={"A": "1", "B": "2"}, modes={"x": "off", "y": "off"})
    other = Settings(config={"B": "2", "A": "1"}, modes={"y": "off", "x": "off"})
    assert one.to_json() == other.to_json()


def test_settings_of_a_later_devenv_are_read() -> None:
    data = json.loads(FULL.to_json()) | {"version": 99, "colour": "blue"}
    data["formation"]["web"]["autoscale"] = True
    data["created"][0]["region"] = "eu"
    assert from_json(json.dumps(data)) == FULL


def test_no_value_is_in_the_repr() -> None:
    for secret in (NASTY, "p1", "f" * 64):
        assert secret not in repr(FULL)


def test_config_set_and_unset() -> None:
    one = with_config(Settings(), {"A": "1", "B": ""})
    assert one.config == {"A": "1", "B": ""}
    two = with_config(one, {"A": None, "C": None})
    assert two.config == {"B": ""}
    assert two.unset == ("A", "C")  # a file may give them
    three = with_config(two, {"A": "2"})
    assert three.config["A"] == "2"
    assert three.unset == ("C",)
    assert one.config == {"A": "1", "B": ""}  # a change makes a new value
