"""One queue, one loop: what changed goes to every container that lacks it, and what must start again does."""

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devenv.base.index import UNKNOWN
from devenv.sync import bulk
from devenv.sync.crew import QUIET, Crew
from devenv.sync.mirror import Mirror
from devenv.sync.session import Appeared, LargeRead, Listed, Ran, Report, Stop, Vanished
from devenv.sync.target import Answered, Joined, Left, Said, Target
from devenv.sync.tree import Change
from devenv.sync.watch import Lost, Touched

GATHER = 0.001  # seconds of quiet that end a batch, and the longest that one is gathered
LONGEST_GATHER = 0.02
UNQUIET = 3.0  # seconds that another image is put off at most
STREAMS = 3.0  # seconds that the containers' streams have to open before the first look
SETTINGS = frozenset({".env", ".devenv/profile.yaml"})  # in no image, and yet what runs depends on them


@dataclass(slots=True)
class Engine:
    """A sync session. `put` takes messages of the watcher, the pod watch and the targets from any thread."""

    folder: Path  # the app's
    mirrors: Sequence[Mirror]
    report: Report
    run_once: Callable[[Target, str], tuple[int, str]]
    took: Callable[[float], None] = lambda seconds: None  # how long a look at everything took
    messages: "queue.SimpleQueue[object]" = field(default_factory=queue.SimpleQueue)
    rebuild: dict[str, str | None] = field(default_factory=dict)  # path -> row
    refused: dict[str, str | None] = field(default_factory=dict)  # what is known to make no other image
    reading: dict[tuple[str, str], bool] = field(default_factory=dict)  # large files; whether they were touched since
    touched_at: float = 0.0  # when a change was found
    asked_at: float = 0.0  # when another image was asked for first; 0 = none is
    held: deque[object] = field(default_factory=deque)  # came while a batch was gathered: next, in their order
    settings: frozenset[str] = field(init=False)
    crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        self.settings = SETTINGS.union(*(mirror.settings for mirror in self.mirrors))
        self.refused = {**{path: self._setting(path) for path in self.settings}, **self.refused}
        self.crew = Crew(self.mirrors, self.report, self.run_once, self.put)

    def put(self, message: object) -> None:
        """Hand over a message."""
        self.messages.put(message)

    def run(self) -> tuple[str, ...]:
        """Sync until `Stop`, or until a change asks for another image: the paths that do. Targets are stopped in the end."""
        try:
            self._await_streams()
            for mirror in self.mirrors:
                self._first_look(mirror)
            self._ask_settings(self.settings)
            while not self._due():
                self.crew.pump(self.touched_at)
                message = self._next()
                if isinstance(message, Stop):
                    return ()
                self._handle(message)
            return tuple(self.rebuild)
        finally:
            self.crew.stop()

    def _await_streams(self) -> None:
        """What changed while nobody looked is told with the containers that get it."""
        end, listed = time.monotonic() + STREAMS, False
        while not (listed and all(peer.joined for peer in self.crew.peers)):
            try:
                message = self.messages.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return
            listed = listed or isinstance(message, Listed)
            if isinstance(message, (Touched, Lost, Stop)):
                self.held.append(message)
            else:
                self._handle(message)

    def _first_look(self, mirror: Mirror) -> None:
        began = time.monotonic()
        changes, large = mirror.tree.look_all()
        differing = mirror.tree.since(0)
        if not any(peer.seq for peer in self.crew.peers if peer.mirror is mirror):
            # no container has edits: what is as in the image again, none ever had otherwise
            paths = {change.path for change in differing}
            changes = [change for change in changes if change.path in paths]
        self._expect(mirror, changes, large, began)
        self._ask_rebuild(mirror, differing)

    def _due(self) -> bool:
        """Whether another image is asked for, and a moment of quiet has come, or none will."""
        now = time.monotonic()
        self.asked_at = (self.asked_at or now) if self.rebuild else 0.0
        return bool(self.rebuild) and (now - self.touched_at > 10 * QUIET or now - self.asked_at > UNQUIET)

    def _next(self) -> object | None:
        if self.held:
            return self.held.popleft()
        try:
            return self.messages.get(timeout=self._patience())
        except queue.Empty:
            return None

    def _patience(self) -> float | None:
        patience = self.crew.patience()
        return QUIET if self.rebuild and patience is None else patience

    def _handle(self, message: object | None) -> None:
        match message:
            case Touched():
                self._look(message)
            case Lost():
                self._look_all()
            case Appeared(target=target):
                self.crew.appeared(target)
            case Vanished(pod=pod):
                self.crew.drop(pod)
            case Joined():
                self.crew.joined(message)
            case Left(target=target, why=why):
                self.crew.left(target, why)
            case Answered():
                self.crew.answered(message)
            case Said():
                self.crew.said(message)
            case LargeRead(mirror=mirror, path=path, changes=changes):
                self._found(mirror, list(changes), [], time.monotonic())
                if self.reading.pop((mirror.key, path)):  # it changed meanwhile
                    self._found(mirror, *mirror.tree.look([path]), time.monotonic())
            case bulk.Delivered():
                self.crew.delivered(message)
            case Ran():
                self.crew.ran(message)

    def _look(self, first: Touched) -> None:
        """Look at what was touched, with what comes within a moment."""
        paths, end = {first.path}, time.monotonic() + LONGEST_GATHER
        while (now := time.monotonic()) < end:
            try:
                message = self.messages.get(timeout=min(GATHER, end - now))
            except queue.Empty:
                break
            if isinstance(message, Touched):
                paths.add(message.path)
            else:
                self.held.append(message)
        self._ask_settings(paths & self.settings)
        for mirror in self.mirrors:
            if within := mirror.within(paths):
                self._found(mirror, *mirror.tree.look(within), first.at)

    def _look_all(self) -> None:
        started = time.monotonic()
        self._ask_settings(self.settings)
        for mirror in self.mirrors:
            self._found(mirror, *mirror.tree.look_all(), started)
        self.took(time.monotonic() - started)

    def _found(self, mirror: Mirror, changes: list[Change], large: list[str], began: float) -> None:
        if changes:
            self.touched_at = time.monotonic()
        self._ask_rebuild(mirror, changes)
        self._expect(mirror, changes, large, began)

    def _expect(self, mirror: Mirror, changes: list[Change], large: list[str], began: float) -> None:
        for path in large:
            if (mirror.key, path) not in self.reading:
                threading.Thread(target=self._read_large, args=(mirror, path), daemon=True).start()
            self.reading[mirror.key, path] = (mirror.key, path) in self.reading
        shown = tuple(change for change in changes if mirror.place(change.path))
        if shown:
            self.crew.expect(mirror, shown, began)

    def _read_large(self, mirror: Mirror, path: str) -> None:
        self.put(LargeRead(mirror, path, tuple(mirror.tree.look_large(path))))

    def _ask_settings(self, paths: Collection[str]) -> None:
        for path in paths:
            if self.refused[path] != (now := self._setting(path)):
                self.rebuild[path] = now
                self.touched_at = time.monotonic()

    def changed_since(self, path: str, when: int) -> bool:
        """Whether the setting is of a later time than `when` (ns since 1970)."""
        stamp = self._setting(path)
        return stamp.isdigit() and int(stamp) > when

    def _setting(self, path: str) -> str:
        try:
            return str(os.stat(self.folder / path).st_mtime_ns)
        except OSError:
            return "gone"

    def _ask_rebuild(self, mirror: Mirror, changes: Sequence[Change]) -> None:
        for change in changes:
            path = mirror.full(change.path)
            # what nobody knows the image's copy of, no image has refused
            if mirror.rebuilds(change) and (change.old == UNKNOWN or self.refused.get(path, "") != change.row):
                self.rebuild[path] = change.row
