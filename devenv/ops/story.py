"""How a deploy is told: as steps (`up`, `config:set`), or in the dialect of Heroku's own output (`push`, `rollback`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from devenv.base.console import Console, Step


class Story(Protocol):
    """What a deploy says on its way."""

    def released(self, version: int, has_phase: bool) -> None: ...

    def phase_line(self, text: str) -> None: ...

    def phase_failed(self) -> None: ...

    @contextmanager
    def waiting(self) -> Iterator[Step]: ...


class Steps:
    """A line per step."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def released(self, version: int, has_phase: bool) -> None:
        """The release has its number; its release command, if there is one, runs now."""
        if has_phase:
            self.console.say("Running release command...")

    def phase_line(self, text: str) -> None:
        """A line of the release command's output."""
        self.console.say(f"       {text}")

    def phase_failed(self) -> None:
        """The release command failed; the error that follows tells how."""

    @contextmanager
    def waiting(self) -> Iterator[Step]:
        """While the processes come up."""
        with self.console.step("Starting processes") as step:
            yield step


class Dialect:
    """Heroku's words (heroku.md section 6.1 to 6.3). `launched` tells what this verb says once the number is known."""

    def __init__(self, console: Console, launched: Callable[[int, bool], None], verify: str = "") -> None:
        self.console = console
        self.launched = launched
        self.title = verify  # "Verifying deploy...", or empty where Heroku says nothing

    def released(self, version: int, has_phase: bool) -> None:
        """The release has its number; its release command, if there is one, runs now."""
        self.launched(version, has_phase)
        if has_phase:
            if self.title:
                self.console.say(f"{self.title} done.")
            self.console.say("Running release command...")
            self.console.say()
            self.title = "Waiting for release...."

    def phase_line(self, text: str) -> None:
        """A line of the release command's output, as it is."""
        self.console.say(text)

    def phase_failed(self) -> None:
        """The release command failed; the error that follows tells how."""
        self.console.say(f"{self.title} failed.")

    @contextmanager
    def waiting(self) -> Iterator[Step]:
        """While the processes come up; the line is said when it is known how it ends."""
        done = False
        try:
            with self.console.step(self.title.rstrip(".") or "Starting processes", lines=False) as step:
                yield step
            done = True
        finally:
            if self.title:
                self.console.say(f"{self.title} {'done' if done else 'failed'}.")
