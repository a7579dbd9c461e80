"""The content of changes, read once and packed for the containers that lack them."""

import io
import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devenv.base.index import hashing
from devenv.sync.tree import Change

LAST = ".last"  # an archive that was cut between two files would pass for a whole one without it
FEW = 3  # folders: with more, one process that links all of them beats a rename in each
Place = Callable[[str], str | None]  # path in the work tree -> absolute path in the container; None = not in the image
Time = Callable[[Change, int], int]  # gives the time to set for a path, in whole seconds


class Packer(Protocol):
    """Makes an archive. Kinds: `f` a file, `x` an executable one, `l` a link (content: its target), `d` an empty folder, `r` what is gone."""

    def add(self, kind: str, target: str, content: bytes = b"", mtime: int = 0) -> None: ...

    def end(self, files: Sequence[str]) -> bytes: ...


class Tar:
    """For tar in a container: paths from `/`. What is gone and empty folders are left to the line beside it."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._archive = tarfile.TarFile(
            fileobj=self._out, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape"
        )

    def add(self, kind: str, target: str, content: bytes = b"", mtime: int = 0) -> None:
        """Add a file or a link."""
        if kind in "rd":
            return
        info = tarfile.TarInfo(target.lstrip("/"))
        info.mtime = mtime
        if kind == "l":
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, os.fsdecode(content), 0o777
            self._archive.addfile(info)
        else:
            info.size, info.mode = len(content), 0o755 if kind == "x" else 0o644
            self._archive.addfile(info, io.BytesIO(content))

    def end(self, files: Sequence[str]) -> bytes:
        """The archive."""
        if many(files):
            self._archive.addfile(tarfile.TarInfo(LAST))
        self._archive.close()
        return self._out.getvalue()


class Records:
    """For the Perl of `devenv.sync.perl`: `KIND MTIME PATH-SIZE CONTENT-SIZE`, a newline, the path, the content; a `.` ends it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def add(self, kind: str, target: str, content: bytes = b"", mtime: int = 0) -> None:
        """Add one record."""
        path = os.fsencode(target)
        self._parts += (f"{kind} {mtime} {len(path)} {len(content)}\n".encode(), path, content)

    def end(self, files: Sequence[str]) -> bytes:
        """All of them."""
        return b"".join([*self._parts, b".\n"])


@dataclass(frozen=True, slots=True)
class Payload:
    """The files of some changes as an archive, the same for every pod of an image."""

    archive: bytes
    gone: tuple[str, ...]  # absolute paths, in order
    folders: tuple[str, ...]  # empty ones, absolute
    files: tuple[str, ...]  # absolute paths
    late: tuple[Change, ...]  # were something else, or gone, when they were read


def payload(
    folder: Path, changes: Sequence[Change], place: Place, stamp: Time, packer: Packer, extra: str = ""
) -> Payload:
    """Read the files of `changes`. `extra` is the text of a state.sh beside them."""
    gone, folders, files, late = [], [], [], []
    for change in changes:
        target = place(change.path)
        if target is None:
            continue
        if change.row is None:
            gone.append(target)
            packer.add("r", target)
        elif change.row == "d":
            folders.append(target)
            packer.add("d", target)
        else:
            row = _add(packer, folder / change.path, target, change, stamp)
            if row:
                files.append(target)
            if row != change.row:
                late.append(change)
    if extra:
        packer.add("f", "/state.sh", extra.encode(errors="surrogateescape"))
    return Payload(packer.end(files), tuple(gone), tuple(folders), tuple(files), tuple(late))


def _add(packer: Packer, source: Path, target: str, change: Change, stamp: Time) -> str:
    """Add what is there now; its row, empty when there is nothing to add."""
    try:
        found = os.lstat(source)
        mtime = stamp(change, int(found.st_mtime))
        if stat.S_ISLNK(found.st_mode):
            link = os.readlink(source)
            packer.add("l", target, os.fsencode(link), mtime)
            return f"l {link}"
        if stat.S_ISREG(found.st_mode):
            content = source.read_bytes()
            # as git keeps it: of the mode only the executable bit is part of a release
            kind = "x" if found.st_mode & 0o100 else "f"
            packer.add(kind, target, content, mtime)
            read = hashing()
            read.update(content)
            return f"{kind} {read.hexdigest()}"
    except OSError:
        return ""
    return ""


def many(files: Sequence[str]) -> bool:
    """Whether the files are so many, or in so many folders, that other commands put them in place."""
    return len(files) > 1000 or len({posixpath.dirname(path) for path in files}) > FEW
