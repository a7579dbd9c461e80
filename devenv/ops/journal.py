"""What the sync sessions of an env did last, for `sync:status` and `sync:why`: a few hundred lines in the state folder."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from devenv.base import paths

KEPT = 500  # lines
SHOWN = 100  # files of a batch


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch of changes. `at` is the time (seconds since 1970) at which every pod had it, `seconds` how long that took."""

    at: float
    seconds: float
    count: int
    files: tuple[str, ...]  # at most SHOWN
    pods: tuple[str, ...]
    restarts: tuple[str, ...]  # process types


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one env on one cluster."""

    cluster: str
    env: str

    @property
    def file(self) -> Path:
        """Where it is."""
        return paths.state() / "sync" / f"{self.cluster}-{self.env}.jsonl"

    def begin(self) -> None:
        """Shorten what there is to the newest lines."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        lines = self.file.read_text().splitlines()[-KEPT:] if self.file.exists() else []
        self.file.write_text("".join(f"{line}\n" for line in lines))

    def add(self, seconds: float, files: list[str], pods: tuple[str, ...], restarts: list[str]) -> Entry:
        """Note a batch that is through."""
        entry = Entry(time.time(), seconds, len(files), tuple(files[:SHOWN]), pods, tuple(restarts))
        with suppress(OSError), self.file.open("a") as out:  # on a full disk edits still reach the pods
            out.write(json.dumps(asdict(entry)) + "\n")
        return entry

    def read(self) -> Iterator[Entry]:
        """The entries, oldest first."""
        if not self.file.exists():
            return
        for line in self.file.read_text().splitlines():
            try:
                found = json.loads(line)
            except ValueError:  # half of one: the disk was full, or the machine went off
                continue
            yield Entry(
                found["at"],
                found["seconds"],
                found["count"],
                tuple(found["files"]),
                tuple(found["pods"]),
                tuple(found["restarts"]),
            )
