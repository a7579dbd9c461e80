"""Tells which paths of a folder were touched, a moment after it happened."""

import errno
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from devenv.sync import inotify
from devenv.sync.inotify import Inotify
from devenv.sync.look import Skip

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

How = Literal["inotify", "watchdog", "polling"]
PACE = (1.0, 10.0)  # polling: seconds between two looks, and at least this many times what the last one took
CARE = (60.0, 300.0)  # the same where the system tells, but may lose something without a word
PATIENCE = 60.0  # seconds for whoever looks to tell that it is done
ENOUGH = {"max_user_watches": 1_048_576, "max_user_instances": 1024}


@dataclass(frozen=True, slots=True)
class Touched:
    """Something happened to a path (relative, `/` between parts; a folder: to all below it) at a time of the monotonic clock."""

    path: str
    at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """What happened is not known: look at everything."""


class Watcher:
    """Watches a folder and all below it that is not skipped; tells what happens from a thread of its own.

    `put`, `skip` and `anew` (`skip` may answer otherwise from now on) are called in that thread. Where the system cannot
    tell, or cannot any more, `how` is "polling", and `tell` is told why.
    """

    def __init__(
        self,
        folder: Path,
        skip: Skip,
        put: Callable[[Touched | Lost], None],
        how: How | None = None,
        anew: Callable[[], None] = lambda: None,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.folder = folder.resolve()
        self.skip = skip
        self.put = put
        self.anew = anew
        self.tell = tell
        self.how: How = how or ("inotify" if sys.platform == "linux" else "watchdog")
        self._thread: threading.Thread | None = None
        self._observer: BaseObserver | None = None
        self._stopping, self._refresh, self._looked = threading.Event(), threading.Event(), threading.Event()
        self._took = 0.0
        self._bell: tuple[int, int] | None = None

    def start(self) -> None:
        """Watch; what happens after this returns is told. Raises nothing that polling can replace."""
        if self.how == "inotify" and (kind := inotify.deaf(self.folder)):
            self._give_up(f"{kind} does not tell of changes made elsewhere")
        run: Callable[[], None] = self._poll
        try:
            if self.how == "inotify":
                tree = Inotify(str(self.folder), self.skip)
                try:
                    tree.walk("")
                except OSError:
                    tree.close()
                    raise
                self._bell = os.pipe()
                run = lambda: self._listen(tree)  # noqa: E731
            elif self.how == "watchdog":
                self._observer = self._observe()
        except OSError as error:
            self._give_up(_advice(error))
        self._thread = threading.Thread(target=run, daemon=True, name="watch")
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; nothing is put after this returns."""
        self._stopping.set()
        self._looked.set()
        self._ring()
        if self._observer:
            self._observer.stop()
            self._observer.join()
        if self._thread:
            self._thread.join()
        if self._bell:
            os.close(self._bell[0])
            os.close(self._bell[1])
            self._bell = None

    def refresh(self) -> None:
        """`skip` is to answer anew: watch what it does not skip then. Ends with a `Lost`."""
        if self.how == "inotify":
            self._refresh.set()
            self._ring()
        else:
            self._lose()

    def took(self, seconds: float) -> None:
        """Everything was looked at after a `Lost`, in so many seconds; polling goes on at a pace that suits."""
        self._took = seconds
        self._looked.set()

    def _listen(self, tree: Inotify) -> None:
        assert self._bell
        waiting = select.poll()
        waiting.register(tree.descriptor, select.POLLIN)
        waiting.register(self._bell[0], select.POLLIN)
        try:
            while not self._stopping.is_set():
                wait = tree.wait(time.monotonic())
                rung = {ready for ready, _ in waiting.poll(None if wait is None else wait * 1000 + 1)}
                now = time.monotonic()
                paths, lost = tree.read(now)
                if self._bell[0] in rung:
                    os.read(self._bell[0], 64)
                for path in (*paths, *tree.due(now)):
                    self.put(Touched(path, now))
                if lost or self._refresh.is_set():
                    self._refresh.clear()
                    self.anew()
                    tree.again()
                    self.put(Lost())
        except OSError as error:
            self._give_up(_advice(error))
        finally:
            tree.close()
        if not self._stopping.is_set():
            self._lose()
            self._poll()

    def _poll(self) -> None:
        least, share = PACE if self.how == "polling" else CARE
        while not self._stopping.wait(max(least, share * self._took)):
            self._looked.clear()
            self._lose()
            if self._stopping.is_set():
                return
            self._looked.wait(PATIENCE)

    def _lose(self) -> None:
        self.anew()
        self.put(Lost())

    def _observe(self) -> "BaseObserver":
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        told = self._told

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: "FileSystemEvent") -> None:
                told(event)

        observer = Observer()
        observer.schedule(Handler(), str(self.folder), recursive=True)
        observer.start()
        return observer

    def _told(self, event: "FileSystemEvent") -> None:
        if event.event_type in ("opened", "closed_no_write") or (event.is_directory and event.event_type == "modified"):
            return
        now, start = time.monotonic(), f"{self.folder}/"
        for full in map(os.fsdecode, (event.src_path, event.dest_path)):
            path = full.removeprefix(start)
            if path != full and not self.skip(path, event.is_directory):
                self.put(Touched(path, now))

    def _ring(self) -> None:
        if self._bell:
            os.write(self._bell[1], b"!")

    def _give_up(self, why: str) -> None:
        self.how = "polling"
        self.tell(f"changes are looked for every {PACE[0]:.0f} s or less often, not told at once: {why}")


def _advice(error: OSError) -> str:
    name = {errno.ENOSPC: "max_user_watches", errno.EMFILE: "max_user_instances"}.get(error.errno or 0)
    if name is None:
        return str(error.strerror)
    setting = f"fs.inotify.{name}"
    try:
        now = Path("/proc/sys", *setting.split(".")).read_text(encoding="ascii").strip()
    except OSError:
        now = "too small"
    return (
        f"the limit {setting} ({now}) is used up; `sudo sysctl {setting}={ENOUGH[name]}` raises it until the next boot"
    )
