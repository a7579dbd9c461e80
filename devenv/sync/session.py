"""What a sync session hands about: messages, containers, batches, reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from devenv.sync import frame
from devenv.sync.mirror import Mirror
from devenv.sync.rules import Rule
from devenv.sync.target import Target
from devenv.sync.tree import Change


@dataclass(frozen=True, slots=True)
class Appeared:
    """A container to sync to."""

    target: Target


@dataclass(frozen=True, slots=True)
class Vanished:
    """A pod that is no more."""

    pod: str


@dataclass(frozen=True, slots=True)
class Listed:
    """All containers that are there have appeared."""


@dataclass(frozen=True, slots=True)
class LargeRead:
    """A large file was read: it is another one, or (no changes) is not."""

    mirror: Mirror
    path: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that a rule asks for once has ended."""

    command: str
    status: int
    output: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the session."""


@dataclass(slots=True)
class Peer:
    """A container and one image's files in it: what it has, what is on its way, what it waits for."""

    target: Target
    mirror: Mirror
    site: frame.Site
    joined: bool = False
    perl: bool = False  # applies what is sent
    supervisor: str = ""  # its process id; another one: the container was started again
    fresh: bool = False  # the keeper's folder is made anew
    foreign: bool = False  # it has edits of another work tree, or of an index that is no more: nobody knows which
    seq: int = 0
    first: int = 0  # the number at which it was first sent something, until it has a number itself
    marked: int = 0  # the container's own note of what it has
    flying: int | None = None  # number of the line that is being carried out
    failures: int = 0
    retry_at: float = 0.0
    tried: int = 0  # number of the last change when it refused some
    large: dict[str, Change] = field(default_factory=dict)  # by path: on their own way
    # path -> number of the change: what went was not what was found
    again: dict[str, int] = field(default_factory=dict)
    again_at: float = 0.0
    tries: int = 0
    due: dict[str, Rule] = field(default_factory=dict)  # by path: why it has to start again
    failed: dict[str, Rule] = field(default_factory=dict)  # why it had to, when a command before it failed
    restarted: float | None = None

    @property
    def keeps(self) -> bool:
        """Whether it is the keeper."""
        return self.site is not frame.POD

    @property
    def ripe(self) -> dict[str, Rule]:
        """Of what is due, that which is there: a large file on its way holds up itself, and a command that is to see it too."""
        held = {rule for path, rule in self.due.items() if path in self.large and rule.once}
        return {path: rule for path, rule in self.due.items() if path not in self.large and rule not in held}

    def concerns(self, rule: Rule) -> bool:
        """Whether a change by this rule makes its process start again."""
        return self._meant(rule) and self.target.process not in self.mirror.reloading

    def owe(self, path: str, rule: Rule) -> None:
        """Note a change, and what came to nothing before."""
        self.due |= {**self.failed, path: rule}
        self.failed = {}

    def owes(self, rule: Rule) -> bool:
        """Whether a change by this rule asks for anything: one that reloads by itself runs its commands all the same."""
        return self.concerns(rule) or bool(rule.run and self._meant(rule))

    def _meant(self, rule: Rule) -> bool:
        running = self.target.kind == "process" and bool(self.supervisor)
        return rule.do == "restart" and running and (not rule.types or self.target.process in rule.types)


def plain(rule: Rule) -> Rule:
    """The rule without its commands."""
    return Rule(rule.match, rule.do, rule.source, rule.types)


@dataclass(frozen=True, slots=True)
class Flight:
    """A line on its way: with changes, or (`due` is set) a restart."""

    peer: Peer
    seq: int = 0
    mark: int = 0
    changes: tuple[Change, ...] = ()
    due: Mapping[str, Rule] | None = None

    @property
    def commands(self) -> list[str]:
        """What runs before the restart."""
        return [rule.run for rule in dict.fromkeys((self.due or {}).values()) if rule.run]


@dataclass(slots=True)
class Batch:
    """Changes that were found together, until every container has them."""

    mirror: Mirror
    seq: int
    changes: tuple[Change, ...]
    began: float
    waiting: set[str]
    names: tuple[str, ...]


class Report(Protocol):
    """What a session tells: the engine decides when, the caller how."""

    def synced(self, batch: Batch, seconds: float, restarts: Sequence[str]) -> None: ...

    def said(self, name: str, word: str, value: int, seconds: float | None) -> None: ...

    def refused(self, name: str, complaint: str) -> None: ...

    def ran(self, command: str, status: int, output: str) -> None: ...
