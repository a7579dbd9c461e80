"""Formation arguments (`web=2:Standard-1X`) and the spelling of dyno sizes (heroku.md sections 3.3 and 6.3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from devenv.base.errors import Problems

_CHANGE = re.compile(r"([A-Za-z0-9_-]+)([=+-])(\d{1,6})(?::([A-Za-z0-9.-]+))?")
_SIZE = re.compile(
    r"(eco|basic|standard-[12]x|performance-(m|l|l-ram|xl|2xl)|(private|shield)-(s|m|l|l-ram|xl|2xl)|dyno-\d+c-[\d.]+gb)"
)
_ALIASES = {"free": "Eco", "hobby": "Basic", "1x": "Standard-1X", "2x": "Standard-2X", "px": "Performance-L"}
RETIRED = frozenset({"free", "hobby"})


def spell_size(text: str) -> str | None:
    """A dyno size as the CLI spells it (`standard-1x` -> `Standard-1X`); None when Heroku has no such size."""
    lower = text.strip().lower()
    if lower in _ALIASES:
        return _ALIASES[lower]
    if not _SIZE.fullmatch(lower):
        return None
    if lower.startswith("dyno-"):
        return lower
    family, _, rest = lower.partition("-")
    return family.capitalize() + (f"-{rest.upper()}" if rest else "")


@dataclass(frozen=True, slots=True)
class Change:
    """One argument of `ps:scale`; `size` in CLI spelling, None = leave it."""

    type: str
    sign: Literal["=", "+", "-"]
    amount: int
    size: str | None = None

    def apply(self, quantity: int) -> int:
        """The new quantity, never below zero."""
        steps = {"=": self.amount, "+": quantity + self.amount, "-": quantity - self.amount}
        return max(0, steps[self.sign])


def parse(arguments: Iterable[str]) -> tuple[Change, ...]:
    """The changes that `ps:scale` arguments ask for; raises InputError listing every bad one."""
    problems, changes = Problems(), list[Change]()
    for argument in arguments:
        match = _CHANGE.fullmatch(argument)
        if match is None:
            problems.add(f"`{argument}`", "not a quantity", "write `web=2`, `web+1` or `web=2:Standard-1X`")
            continue
        name, sign, amount, size = match.groups()
        spelled = spell_size(size) if size else None
        if size and spelled is None:
            problems.add(f"`{argument}`", f"`{size}` is not a dyno size", "write one such as `Basic` or `Standard-1X`")
        changes.append(Change(name, cast(Literal["=", "+", "-"], sign), int(amount), spelled))
    problems.raise_if_any("the formation")
    return tuple(changes)
