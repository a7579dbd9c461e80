"""Linux's inotify on a tree of folders, those that are skipped left out. Straight from the C library: no latency, no watch too many."""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from devenv.sync.look import Skip

# linux/inotify.h
MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO = 0x02, 0x04, 0x08, 0x40, 0x80
CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x100, 0x200, 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED = 0x2000, 0x4000, 0x8000
ONLY_FOLDER, NO_LINK, NOT_UNLINKED, IS_FOLDER = 0x01000000, 0x02000000, 0x04000000, 0x40000000
EVENTS = MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
HEADER = struct.Struct("iIII")  # watch, mask, cookie, length of the name
# linux/magic.h, fs/vboxsf/super.c, fs/virtio_fs (a FUSE): what others change there, the kernel here does not hear of
DEAF = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFE534D42: "SMB",
    0xFF534D42: "SMB",
    0x01021997: "9p",
    0x65735546: "FUSE",
    0x786F4256: "vboxsf",
    0xBACBACBC: "vmhgfs",
    0x00C36400: "Ceph",
    0x5346414F: "AFS",
}
LIMITS = (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
QUIET, LONGEST = 0.3, 5.0  # seconds without a write, and at most, before a file that stays open is looked at


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def deaf(folder: Path) -> str | None:
    """The kind of file system the folder is on when changes there need not be told to this machine; None when they are."""
    found = ctypes.create_string_buffer(512)  # struct statfs: the type comes first
    if _libc().statfs(os.fsencode(folder), found):
        return None
    return DEAF.get(ctypes.c_long.from_buffer(found).value & 0xFFFFFFFF)


@dataclass(slots=True)
class Inotify:
    """Watches on a folder and all below it. Not for two threads at once. Raises OSError: EMFILE, and ENOSPC at any `walk`."""

    root: str
    skip: Skip
    descriptor: int = field(init=False)
    paths: dict[int, str] = field(default_factory=dict)  # watch -> folder
    watches: dict[str, int] = field(default_factory=dict)
    writing: dict[str, tuple[float, float]] = field(default_factory=dict)  # open file -> its first and last write

    def __post_init__(self) -> None:
        self.descriptor = _libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def close(self) -> None:
        """Give all watches back."""
        os.close(self.descriptor)

    def walk(self, top: str) -> list[str]:
        """Watch a folder and all below it that is not skipped; the .gitignore files there."""
        waiting, rules = [top], list[str]()
        while waiting:
            folder = waiting.pop()
            full = f"{self.root}/{folder}" if folder else self.root
            if not self._add(folder, full):
                if not folder:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), full)
                continue
            prefix = folder + "/" if folder else ""
            try:
                # after the watch: what comes from now on is told, what is there is listed
                with os.scandir(full) as listing:
                    found = {prefix + each.name: each.is_dir(follow_symlinks=False) for each in listing}
            except OSError:
                continue  # gone again, or not to be read: then there is nothing to watch
            waiting += [path for path, is_folder in found.items() if is_folder and not self.skip(path, True)]
            rules += {prefix + ".gitignore"} & found.keys()
        return rules

    def again(self) -> None:
        """Watch what is there now and is not skipped now; nothing else."""
        before = dict(self.paths)
        self.watches.clear()
        self.walk("")
        for watch in before.keys() - self.watches.values():
            self._drop(watch)

    def read(self, now: float) -> tuple[list[str], bool]:
        """The paths that were touched, as far as that is told; and whether something was not told."""
        touched: dict[str, None] = {}
        lost = False
        for watch, mask, name in self._events():
            lost |= self._event(watch, mask, name, now, touched)
        return list(touched), lost

    def due(self, now: float) -> list[str]:
        """The files that were written to and stay open, and are to be looked at all the same."""
        found = [path for path, when in self.writing.items() if now >= _deadline(when)]
        for path in found:
            del self.writing[path]
        return found

    def wait(self, now: float) -> float | None:
        """Seconds until something is `due`; None when nothing will be."""
        return max(0.0, min(map(_deadline, self.writing.values())) - now) if self.writing else None

    def _events(self) -> Iterator[tuple[int, int, bytes]]:
        try:
            data = os.read(self.descriptor, 1 << 16)  # not all at once: what is told first need not wait for the last
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            watch, mask, _, length = HEADER.unpack_from(data, at)
            at += HEADER.size
            yield watch, mask, data[at : at + length].rstrip(b"\0")
            at += length

    def _event(self, watch: int, mask: int, name: bytes, now: float, touched: dict[str, None]) -> bool:
        if mask & OVERFLOW:
            return True
        if mask & IGNORED:
            self._forget(watch)
        folder = self.paths.get(watch)
        if folder is None or not name:
            return folder == "" and bool(mask & (DELETE_SELF | MOVE_SELF | UNMOUNT))
        text = os.fsdecode(name)
        path = f"{folder}/{text}" if folder else text
        if text != ".gitignore" and self.skip(path, bool(mask & IS_FOLDER)):  # one may name itself
            return False
        if mask & IS_FOLDER:
            if mask & MOVED_FROM:
                self._leave(path)
            elif mask & (CREATE | MOVED_TO) or (mask & ATTRIB and path not in self.watches):
                # written before the watch was there, and maybe after `skip` looked for them
                touched.update(dict.fromkeys(self.walk(path)))
            elif mask & ATTRIB:
                return False
            touched[path] = None
        elif mask & MODIFY or (mask & CREATE and self._is_written(path)):
            self.writing[path] = (self.writing.get(path, (now,))[0], now)  # its close is told, too
        elif not (mask & ATTRIB and path in self.writing):
            self.writing.pop(path, None)
            touched[path] = None
        return False

    def _is_written(self, path: str) -> bool:
        try:
            info = os.lstat(f"{self.root}/{path}")
        except OSError:
            return False
        return stat.S_ISREG(info.st_mode) and info.st_nlink == 1  # a link is there at once and never closed

    def _add(self, folder: str, full: str) -> bool:
        watch = _libc().inotify_add_watch(
            self.descriptor, os.fsencode(full), EVENTS | ONLY_FOLDER | NO_LINK | NOT_UNLINKED
        )
        if watch < 0:
            error = ctypes.get_errno()
            if error in LIMITS:
                raise OSError(error, os.strerror(error))
            return False  # gone again, or not to be read
        self.paths[watch] = folder
        self.watches[folder] = watch
        return True

    def _leave(self, top: str) -> None:
        for folder in [each for each in self.watches if each == top or each.startswith(top + "/")]:
            self._drop(self.watches[folder])

    def _drop(self, watch: int) -> None:
        _libc().inotify_rm_watch(self.descriptor, watch)
        self._forget(watch)

    def _forget(self, watch: int) -> None:
        folder = self.paths.pop(watch, None)
        if folder is not None and self.watches.get(folder) == watch:
            del self.watches[folder]


def _deadline(when: tuple[float, float]) -> float:
    first, last = when
    return min(first + LONGEST, last + QUIET)
