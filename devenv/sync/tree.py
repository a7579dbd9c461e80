"""What changed in a folder since an image was built of it, compared by content; what is known outlives the process."""

import os
import stat
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from devenv.base.index import EMPTY, FOLDER, UNKNOWN, Index, Mount, Recorded, Stamp, stamp
from devenv.sync.look import LARGE, Look, Skip

__all__ = ["LARGE", "Change", "Skip", "Tree"]
TRIES = 3  # for a large file that changes while it is read


@dataclass(frozen=True, slots=True)
class Change:
    """A path whose row is another now. Rows: `f <hash>`, `x <hash>` (executable), `l <target>`, `d` (an empty folder)."""

    path: str
    row: str | None  # None = gone
    old: str | None  # None = there was nothing; a folder that is gone has `d`
    seq: int


class Tree:
    """A folder beside the image `key` that was built of it. Paths are relative, `/` between parts. Any thread may use it.

    All methods raise MachineError when the index cannot be used; none raises for a file that vanishes or cannot be read.
    """

    def __init__(
        self, folder: Path, key: str, skip: Skip, index: Index, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self.folder = folder
        self.skip = skip
        self.index = index
        self.image = index.image(key)
        self.tell = tell  # what could not be read: each path once
        self._warned: set[str] = set()
        self._seen = index.seq
        self._lock = threading.RLock()

    @property
    def known(self) -> bool:
        """Whether it is on record what the image holds."""
        return self.index.has_base(self.image)

    @property
    def edited(self) -> bool:
        """Whether anything has changed since the image was built, though it may be undone."""
        return self.index.edited(self.image)

    @property
    def seq(self) -> int:
        """The number of the last change; it outlives the process."""
        return self.index.seq

    @property
    def ident(self) -> str:
        """A random name of the index: numbers count only beside the same name."""
        return self.index.ident

    def number(self, mark: str) -> int | None:
        """The number in a container's mark (`IDENT:NUMBER`): 0 when it has none, None when it is of another index."""
        ident, _, number = mark.partition(":")
        if not number.isdigit():
            return 0
        return int(number) if ident == self.ident else None

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """Where the image has the files, the longest paths first."""
        return self.index.mounts(self.image)

    def doubt(self, path: str) -> None:
        """A container has something else there than it was sent: whatever is here, the next look finds it changed."""
        self.index.record(self.image, [(path, UNKNOWN)])

    def set_base(self, rows: Iterable[tuple[str, str]], mounts: Collection[Mount] = ()) -> None:
        """Put on record what the image holds, as (path, row), and where; nothing has changed since then.

        A second call changes nothing, and says that the image is in use.
        """
        self.index.set_base(self.image, rows, mounts)

    def look(self, paths: Collection[str]) -> tuple[list[Change], list[str]]:
        """What changed at these paths (a folder means all below it), what is gone first; and the files too large to read here."""
        with self._lock:
            look = self._new()
            for path in sorted(set(paths)):
                look.path(path)
            return self._note(look), look.large

    def look_all(self) -> tuple[list[Change], list[str]]:
        """`look` at the whole tree. Reads the content only of files whose stat changed."""
        with self._lock:
            look = self._new()
            with self.index.reading():
                look.walk("")
            changes = self._note(look)
            self.index.save(look.walked)
            return changes, look.large

    def look_large(self, path: str) -> list[Change]:
        """Read a file that `look` found too large. Nothing comes back when it changed all the while: look again then."""
        folder, _, name = path.rpartition("/")
        full = os.path.join(self.folder, path)
        for _ in range(TRIES):
            try:
                before = os.lstat(full)
                if not stat.S_ISREG(before.st_mode):
                    return self.look([path])[0]
                digest = self.index.memo(folder, name).digest(name, full, before)
                if stamp(os.lstat(full)) != stamp(before):
                    continue
            except FileNotFoundError:
                return self.look([path])[0]
            except OSError as error:
                self.warn(path, error)
                return []
            with self._lock:
                look = self._new({path: (stamp(before), digest)})
                look.path(path)
                return self._note(look)
        return []

    def since(self, seq: int) -> list[Change]:
        """What changed after number `seq`, what is gone first; `old` is the image's. After 0: what a fresh copy of the image lacks."""
        found = self.index.since(self.image, seq)
        return [
            *(Change(each.path, None, _left(each), each.seq) for each in found if each.row is None or _turned(each)),
            *(
                Change(each.path, each.row, _shown(each.base), each.seq)
                for each in found
                if each.row not in (None, FOLDER)
            ),
        ]

    def warn(self, path: str, why: OSError | str) -> None:
        """Note, once for each path, that it could not be read."""
        if path not in self._warned:
            self._warned.add(path)
            text = why if isinstance(why, str) else f"cannot be read ({why.strerror})"
            self.tell(f"`{path or '.'}` {text}: its changes are not sent")

    def _new(self, digests: dict[str, tuple[Stamp, str]] | None = None) -> Look:
        return Look(str(self.folder), self.image, self.index, self.skip, self.warn, digests or {})

    def _note(self, look: Look) -> list[Change]:
        look.settle()
        self.index.save()
        before, own = self._seen, list[Change]()
        if look.rows:
            seq = self.index.record(self.image, look.rows.items())
            own = [Change(path, row, old, seq) for path, row, old in (*look.gone, *look.new)]
        else:
            seq = self.index.seq
        self._seen = seq
        if seq == before + bool(look.rows):
            return own
        # another process that looks at this folder came first: what it noted is news here too
        others = [each for each in self.since(before) if each.path not in look.rows]
        return sorted([*own, *others], key=lambda change: change.row is not None)


def _turned(change: Recorded) -> bool:
    """Whether a file is where a folder was or the reverse: neither can take the place of the other while it stands."""
    return change.was_file if change.row in (FOLDER, EMPTY) else change.was_folder


def _left(change: Recorded) -> str | None:
    return EMPTY if change.was_folder and change.row not in (FOLDER, EMPTY) else _shown(change.base)


def _shown(row: str | None) -> str | None:
    return EMPTY if row == FOLDER else row
