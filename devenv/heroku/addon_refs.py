"""The add-ons that app.json and heroku.yml ask for (heroku.md sections 4.2, 4.3 and 5)."""

import re
from typing import Any

from devenv.heroku.document import Path, Reader, kind
from devenv.heroku.model import EMPTY, AddonRef, frozen

_PLAN = re.compile(r"([a-z0-9][a-z0-9_-]*)(?::([A-Za-z0-9][A-Za-z0-9._-]*))?")
_RETIRED = {
    "heroku-postgresql": frozenset({"dev", "basic", "mini", "hobby-dev", "hobby-basic"}),
    "heroku-redis": frozenset({"hobby-dev"}),
}
_SHUT_DOWN = frozenset({"cloudmqtt", "mongolab", "mongohq"})


def read(reader: Reader, path: Path) -> tuple[AddonRef, ...]:
    """The add-ons listed at `path`: `"service:plan"` or `{plan, as, options}`."""
    refs = (_ref(reader, (*path, index), item) for index, item in enumerate(reader.items(path)))
    return tuple(ref for ref in refs if ref)


def _ref(reader: Reader, path: Path, item: Any) -> AddonRef | None:
    if isinstance(item, str):
        written, attachment, options = item, None, EMPTY
    elif isinstance(item, dict):
        plan = reader.text((*path, "plan"))
        if plan is None and item.get("plan") is None:
            reader.bad(path, "an add-on without `plan`", 'write `"plan": "heroku-postgresql:essential-0"`')
        written, attachment, options = plan or "", reader.text((*path, "as")), _options(reader, (*path, "options"))
    else:
        reader.bad(path, f"an add-on is {kind(item)}", 'write `"service:plan"` or an object with `plan`')
        return None
    match = _PLAN.fullmatch(written.strip())
    if match is None:
        if written:
            reader.bad(path, f"`{written}` is not an add-on", "write `service` or `service:plan`")
        return None
    if attachment is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", attachment):
        reader.bad((*path, "as"), f"`{attachment}` is not an attachment's name", "write letters, digits and `_`")
    service, plan = match.groups()
    _warn_of_the_past(reader, path, service, plan)
    return AddonRef(service, plan, attachment.upper() if attachment else None, options, reader.document.at(*path))


def _options(reader: Reader, path: Path) -> Any:
    return frozen({name: text for name in reader.mapping(path) if (text := reader.text((*path, name))) is not None})


def _warn_of_the_past(reader: Reader, path: Path, service: str, plan: str | None) -> None:
    if service in _SHUT_DOWN:
        reader.warn(path, f"`{service}` has been shut down")
    elif plan in _RETIRED.get(service, ()):
        reader.warn(path, f"the `{service}:{plan}` plan is no longer available on Heroku")
