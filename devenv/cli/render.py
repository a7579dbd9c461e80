"""Results as JSON; as text each verb prints its own."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from devenv.cli.common import Shell


def emit(shell: Shell, value: Any) -> None:
    """Print a result (dataclass, mapping, list) as JSON on stdout."""
    shell.console.out(_json(value, indent=2))


def columns(shell: Shell, rows: Mapping[str, object]) -> None:
    """Print a name and its value per line, the values below each other."""
    width = max(map(len, rows), default=0) + 1
    for name, value in rows.items():
        shell.console.out(f"{name + ':':<{width}} {value}")


def brought_by(version: int | None) -> str:
    """How the line on a change of settings ends: with the release it made, None while nothing is deployed."""
    return f", v{version}" if version else " (`devenv up` brings it in)"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def compact(value: Any) -> str:
    """A result as one line of JSON: streams are JSON lines."""
    return _json(value)


def _json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False)
    # a file's name may hold bytes that are no UTF-8
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
