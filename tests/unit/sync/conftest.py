"""A crew of containers that are only written down, and a real tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devenv.base.index import Index
from devenv.sync.crew import Crew
from devenv.sync.mirror import Mirror
from devenv.sync.rules import rules
from devenv.sync.session import Batch
from devenv.sync.target import Answered, Joined, Target
from devenv.sync.tree import Tree


class Container(Target):
    """A container whose stream is the test's to play: what was sent, and what it answers."""

    def __init__(self, name: str, kind: str = "process", process: str = "web", key: str = "one") -> None:
        super().__init__(f"{name}-pod", process, kind, process, key, open=_refuse, put=print, name=name)
        self.sent: list[str] = []
        self.running = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def send(self, line: bytes, archive: bytes = b"") -> None:
        self.sent.append(line.decode(errors="surrogateescape").partition("\n")[0])

    @property
    def number(self) -> int:
        """Of the last line."""
        return int(self.sent[-1].partition("echo ok ")[2].split()[0])

    @property
    def restarted(self) -> int:
        """How often it was told to start again."""
        return sum("kill -USR1" in each for each in self.sent)


def _refuse(pod: str, container: str, argv: Sequence[str]) -> None:
    raise AssertionError("a unit test connects")


@dataclass
class Told:
    """What a session told."""

    batches: list[tuple[Batch, list[str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def synced(self, batch: Batch, seconds: float, restarts: Sequence[str]) -> None:
        self.batches.append((batch, list(restarts)))

    def said(self, name: str, word: str, value: int, seconds: float | None) -> None:
        self.words.append(f"{name} {word} {value}")

    def refused(self, name: str, complaint: str) -> None:
        self.words.append(f"{name} refused {complaint}")

    def ran(self, command: str, status: int, output: str) -> None:
        self.words.append(f"ran {command} {status}")


@dataclass
class Stage:
    """A folder, its mirror, a crew, and the hands that play it."""

    folder: Path
    mirror: Mirror
    told: Told
    messages: list[object]
    crew: Crew = field(init=False)
    once: list[tuple[str, str]] = field(default_factory=list)  # container, command

    def __post_init__(self) -> None:
        def run_once(target: Target, command: str) -> tuple[int, str]:
            self.once.append((target.name, command))
            return 0, ""

        self.crew = Crew([self.mirror], self.told, run_once, self.messages.append)

    def save(self, **files: str | None) -> None:
        """Edit files (`__` is a dot), look, and tell the crew."""
        for name, text in files.items():
            file = self.folder / name.replace("__", ".")
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        changes, _ = self.mirror.tree.look([name.replace("__", ".") for name in files])
        self.crew.expect(self.mirror, tuple(changes), 0.0)
        self.pump()

    def pump(self, quiet: bool = False) -> None:
        """A turn of the loop; `quiet`: nothing was saved for a while."""
        self.crew.pump(0.0 if quiet else float("inf"))

    def join(self, container: Container, mark: str = "-", supervisor: str = "41", able: bool = False) -> Container:
        """A container appears, and its loop says hello; `able`: Perl takes over."""
        self.crew.appeared(container)
        self.crew.joined(Joined(container, mark, supervisor, able))
        self.pump()
        return container

    def answer(self, container: Container, status: int = 0, complaint: str = "", quiet: bool = False) -> None:
        """It has carried out its last line."""
        self.crew.answered(Answered(container, container.number, status, complaint, 1.0))
        self.pump(quiet)

    def leave(self, container: Container) -> None:
        """Its stream breaks off."""
        self.crew.left(container, "")
        self.pump()

    def mark(self, container: Container) -> str:
        """What it noted with the last line that brought something."""
        return container.sent[-1].partition(f"echo {self.mirror.tree.ident}:")[2].split(" ")[0]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An app in Python with a release phase."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("devenv.base.index.SETTLED", -(10**18))
    folder = tmp_path / "app"
    (folder / "migrations").mkdir(parents=True)
    index = Index(folder)
    tree = Tree(folder, "one", lambda path, is_folder: None, index)
    tree.set_base(())
    own = [{"match": "*.each", "run": "echo each"}, {"match": "*.web", "do": "restart", "types": "web"}]
    mirror = Mirror(
        "one", tree, rules(own, ["python"], True), (("", "/app/"),), release="./migrate", reloading=("dev",)
    )
    yield Stage(folder, mirror, Told(), [])
    index.close()
