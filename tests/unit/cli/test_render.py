"""Every result of a verb is JSON that can be read back."""

import dataclasses
import importlib
import io
import json
import pkgutil
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import devenv.ops
from devenv.base.console import Console
from devenv.cli import render
from devenv.cli.common import Shell
from devenv.heroku.model import ConfigVars

MODULES = [importlib.import_module(f"devenv.ops.{each.name}") for each in pkgutil.iter_modules(devenv.ops.__path__)]
RESULTS = sorted(
    {
        kind
        for module in MODULES
        for kind in vars(module).values()
        if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__
    },
    key=lambda kind: kind.__qualname__,
)
# what verbs work with, and never print
INNER = {"Options", "Verdict", "Failure", "Target", "Wish", "OneOff"}
SHOWN = [kind for kind in RESULTS if kind.__name__ not in INNER]


def sample(kind: Any) -> Any:
    """A value of a type, so that every field of a result is filled."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return sample(arguments[0])
    if origin is tuple:
        return tuple(sample(each) for each in arguments if each is not ...)
    if origin is list:
        return [sample(arguments[0])]
    if origin in (dict, Mapping):
        return MappingProxyType({sample(arguments[0]): sample(arguments[1])})
    if origin is typing.Literal:
        return arguments[0]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: sample(hints[field.name]) for field in dataclasses.fields(kind)})
    plain: dict[Any, Any] = {str: "é\n\"'\\ \u2028", int: 7, bool: True, float: 1.5, bytes: b"x", Any: "any"}
    made = {datetime: datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC), Path: Path("/lamp")}
    return {**plain, **made}[kind]


def shown(value: Any) -> str:
    out = io.StringIO()
    render.emit(Shell(None, Path(), None, None, None, True, Console(out, io.StringIO())), value)
    return out.getvalue()


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.__name__)
def test_results_are_json(kind: Any) -> None:
    value = sample(kind)
    found = json.loads(shown(value))
    assert set(found) == {field.name for field in dataclasses.fields(kind)}
    assert json.loads(shown([value, value])) == [found, found]
    line = render.compact(value)
    assert "\n" not in line
    assert json.loads(line) == found


def test_text_is_kept() -> None:
    value = {"A": "é\n\"'\\ \u2028 😀", "B": "", 3: None}
    assert json.loads(shown(value)) == {"A": "é\n\"'\\ \u2028 😀", "B": "", "3": None}
    assert "é" in shown(value)


def test_times_are_rfc_3339() -> None:
    assert json.loads(shown({"at": datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC)})) == {"at": "2026-05-04T10:00:00+00:00"}


def test_config_vars_are_shown_only_by_those_who_mean_it() -> None:
    assert not [kind for kind in SHOWN if ConfigVars in typing.get_type_hints(kind).values()]
