import json
from typing import Any

import pytest

from devenv.base.errors import InputError
from devenv.heroku.app_json import parse
from devenv.heroku.model import AppJson, EnvEntry, Quantity, Scripts

FULL = """{
  "name": "Lamp",
  "description": "x",
  "unknown": [1, 2],
  "stack": "heroku-24",
  "env": {
    "PLAIN": "v",
    "SECRET": {"generator": "secret", "description": "d"},
    "OPTIONAL": {
      "required": false, "value": ""
    }
  },
  "addons": [
    "heroku-postgresql:essential-0",
    "heroku-redis",
    {"plan": "heroku-redis:mini", "as": "cache", "options": {"version": "7.2"}}
  ],
  "formation": {"web": {"quantity": 2, "size": "standard-1x"}, "worker": {"quantity": 0}},
  "buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/python"}],
  "scripts": {"postdeploy": "a", "pr-predestroy": {"command": "b", "size": "basic"}},
  "environments": {
    "review": {"env": {"ONLY": "r"}, "addons": [], "stack": "container"},
    "test": {"scripts": {"test-setup": "s", "test": "t"}, "formation": {"test": {"quantity": 1}}}
  }
}"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        parse(text)
    return caught.value.details or (caught.value.message,)


def test_everything_is_read() -> None:
    found = parse(FULL)
    assert (found.name, found.stack, found.buildpacks) == ("Lamp", "heroku-24", ("heroku/nodejs", "heroku/python"))
    assert found.env == (
        EnvEntry("PLAIN", "v", source="app.json:7"),
        EnvEntry("SECRET", None, "d", True, "secret", "app.json:8"),
        EnvEntry("OPTIONAL", "", "", False, None, "app.json:9"),
    )
    assert [(a.service, a.plan, a.attachment, dict(a.options), a.source) for a in found.addons] == [
        ("heroku-postgresql", "essential-0", None, {}, "app.json:14"),
        ("heroku-redis", None, None, {}, "app.json:15"),
        ("heroku-redis", "mini", "CACHE", {"version": "7.2"}, "app.json:16"),
    ]
    assert found.formation == {"web": Quantity(2, "Standard-1X"), "worker": Quantity(0)}
    assert found.scripts == Scripts("a", "b")
    assert found.warnings == ()


def test_an_environment_replaces_keys_and_never_merges() -> None:
    review = parse(FULL, environment="review")
    assert [entry.name for entry in review.env] == ["ONLY"]
    assert review.env[0].source == "app.json:22"
    assert review.addons == ()
    assert review.stack == "container"
    assert review.scripts.postdeploy == "a"
    test = parse(FULL, environment="test")
    assert test.scripts == Scripts(test_setup="s", test="t")
    assert list(test.formation) == ["test"]
    assert [entry.name for entry in test.env] == ["PLAIN", "SECRET", "OPTIONAL"]


def test_an_unnamed_environment_is_refused() -> None:
    with pytest.raises(InputError, match="no environment `staging`"):
        parse("{}", environment="staging")


@pytest.mark.parametrize("text", ["{}", "\ufeff{}", '{"env": {}, "addons": [], "name": null}', '{"environments": {}}'])
def test_next_to_nothing(text: str) -> None:
    assert parse(text) == AppJson()
    assert parse(text, environment="review") == AppJson()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "the file is a list"),
        ({"name": 3}, "`name` is a number; write a string in quotes"),
        ({"env": []}, "`env` is a list; write an object"),
        ({"env": {"A": 3}}, "the value of `A` is a number; write it as a string, in quotes"),
        ({"env": {"A": True}}, "the value of `A` is a boolean"),
        ({"env": {"A": None}}, "the value of `A` is null"),
        ({"env": {"A": {"value": 3.5}}}, "`value` is a number"),
        ({"env": {"A": {"required": "yes"}}}, "`required` is a string; write `true` or `false`"),
        ({"env": {"A": {"generator": "uuid"}}}, "there is no generator `uuid`; write `secret`"),
        ({"env": {"MY-VAR": "x"}}, "`MY-VAR` is not a config var's name"),
        ({"addons": {}}, "`addons` is an object; write a list"),
        ({"addons": [3]}, "an add-on is a number"),
        ({"addons": [{}]}, "an add-on without `plan`"),
        ({"addons": [{"plan": 3}]}, "`plan` is a number"),
        ({"addons": ["a b"]}, "`a b` is not an add-on; write `service` or `service:plan`"),
        ({"addons": [{"plan": "x", "as": "a-b"}]}, "`a-b` is not an attachment's name"),
        ({"addons": [{"plan": "x", "options": {"version": 16}}]}, "`version` is a number"),
        ({"formation": {"web": 2}}, "`web` is a number; write an object"),
        ({"formation": {"web": {"quantity": "2"}}}, "the quantity of `web` is not a number"),
        ({"formation": {"web": {"quantity": True}}}, "the quantity of `web` is not a number"),
        ({"formation": {"web": {"quantity": -1}}}, "the quantity of `web` is not a number"),
        ({"formation": {"web": {"quantity": 1, "size": "huge"}}}, "`huge` is not a dyno size"),
        ({"formation": {"a.b": {"quantity": 1}}}, "`a.b` is not a process type name"),
        ({"buildpacks": [{}]}, "a buildpack without `url`"),
        ({"buildpacks": [{"url": 3}]}, "`url` is a number"),
        ({"scripts": {"postdeploy": ["a"]}}, "`postdeploy` is a list"),
        ({"scripts": {"postdeploy": " "}}, "`postdeploy` has no command"),
        ({"environments": {"review": {"env": []}}, "environments ": 1}, ""),
    ],
)
def test_problems_name_the_line(content: Any, problem: str) -> None:
    text = json.dumps(content, indent=1)
    if not problem:
        assert parse(text)  # an environment that is not asked for is not looked into
        return
    (line,) = problems(text)
    where, _, what = line.partition(": ")
    assert what.startswith(problem)
    number = int(where.removeprefix("app.json:"))
    assert 1 <= number <= len(text.splitlines())


def test_every_problem_is_raised_at_once_each_with_its_line() -> None:
    text = '{\n "name": 1,\n "env": {\n  "A": 1,\n  "B": false\n },\n "addons": [\n  "ok",\n  7\n ],\n'
    text += ' "formation": {"web": {"size": "x"}}\n}'
    assert [line.split(": ")[0] for line in problems(text)] == [f"app.json:{n}" for n in (2, 4, 5, 9, 11)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "app.json:1: not valid JSON: the file is empty"),
        ('{\n  "a": 1,\n}', "app.json:2: not valid JSON: remove the comma after the last entry"),
        ('{"a": [\n1,\n\n]}', "app.json:2: not valid JSON: remove the comma after the last entry"),
        ('{\n  // the app\n  "a": 1}', "app.json:2: not valid JSON: remove the comment, JSON has none"),
        ('{\n  "a": 1, /* one */\n  "b": 2}', "app.json:2: not valid JSON: remove the comment, JSON has none"),
        ('{\n  "a": 1  # one\n}', "app.json:2: not valid JSON: remove the comment, JSON has none"),
        ('{"a": "//", b}', "app.json:1: not valid JSON: expecting property name"),
        ('{"a": NaN}', "app.json: not valid JSON"),
        ("[" * 100_000, "app.json: not valid JSON"),
        ('{"a": ' + "9" * 5000 + "}", "app.json: not valid JSON"),
        ('{\n"env": {"A": "\\u0000"}}', "app.json:2: a NUL byte"),
        ('{\n\n"env": {"A": "\\ud800"}}', "app.json:3: a NUL byte or half a surrogate pair"),
    ],
)
def test_broken_json(text: str, problem: str) -> None:
    (line,) = problems(text)
    assert line.startswith(problem)


def test_values_never_show_in_problems() -> None:
    assert "12345678" not in " ".join(problems('{"env": {"A": 12345678, "B": {"value": 12345678}}}'))


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ({"addons": ["heroku-postgresql:hobby-dev"]}, "`heroku-postgresql:hobby-dev` plan is no longer available"),
        ({"addons": ["cloudmqtt:cat"]}, "`cloudmqtt` has been shut down"),
        ({"formation": {"web": {"quantity": 1, "size": "free"}}}, "the size `free` is no longer available"),
        ({"formation": {"web": {"quantity": 1, "size": "Hobby"}}}, "`Basic` is taken"),
    ],
)
def test_retired_plans_and_sizes_are_warnings(content: Any, warning: str) -> None:
    (line,) = parse(json.dumps(content)).warnings
    assert line.startswith("app.json:1: ")
    assert warning in line
