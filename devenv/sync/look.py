"""One look at a folder: what is there, compared with what is known."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field

from devenv.base.index import EMPTY, FOLDER, Index, Memo, Stamp, stamp

Skip = Callable[[str, bool], str | None]  # (path, is a folder) -> why it is no part of the app, or None
Found = tuple[str, str | None, str | None]  # path, row, row before
LARGE = 8 << 20  # bytes: the content of a larger file is not read while others wait
FOLDERS = (FOLDER, EMPTY)


@dataclass(slots=True)
class Look:
    """What one look finds that differs from what is known."""

    root: str
    image: int
    index: Index
    skip: Skip
    warn: Callable[[str, OSError | str], None]
    digests: dict[str, tuple[Stamp, str]]  # of large files, read before
    gone: list[Found] = field(default_factory=list)
    new: list[Found] = field(default_factory=list)
    rows: dict[str, str | None] = field(default_factory=dict)  # to be noted
    large: list[str] = field(default_factory=list)
    walked: set[str] = field(default_factory=set)  # folders
    lost: set[str] = field(default_factory=set)  # folders that something went from
    stand: set[str] = field(default_factory=set)  # folders that are known to be there

    def path(self, path: str) -> None:
        """Compare what is at a path, all below it included."""
        path = path.rstrip("/")
        if not self.above(path):
            return
        try:
            info = os.lstat(self.full(path))
        except (FileNotFoundError, NotADirectoryError):
            self.away(path)
            return
        except OSError as error:
            self.warn(path, error)
            return
        is_folder = stat.S_ISDIR(info.st_mode)
        if path and self.skip(path, is_folder):
            self.away(path)
        elif is_folder:
            self.walk(path)
        else:
            folder, _, name = path.rpartition("/")
            self.file(path, None, self.known(path), self.index.memo(folder, name))

    def above(self, path: str) -> bool:
        """Whether the folders above a path are there, and none was looked at whole; else one of them is what changed."""
        at = path.find("/")
        while at >= 0:
            folder = path[:at]
            if folder in self.walked:
                return False
            if folder not in self.stand:
                try:
                    is_folder = stat.S_ISDIR(os.lstat(self.full(folder)).st_mode)
                except OSError:
                    is_folder = False
                if not is_folder or self.skip(folder, True):
                    self.path(folder)
                    return False
                self.stand.add(folder)
                self.stands(folder, self.known(folder))
            at = path.find("/", at + 1)
        return path not in self.walked and "" not in self.walked

    def stands(self, folder: str, known: str | None, row: str = FOLDER) -> None:
        """Note a folder, with something in it or without, in place of whatever was known there."""
        if not folder or known == row:
            return
        if known not in (None, *FOLDERS):
            self.away(folder)
        self.rows[folder] = row
        if row == EMPTY:  # else the files in it tell
            self.new.append((folder, EMPTY, None))

    def walk(self, top: str) -> None:
        """Compare a folder and all below it, a folder at a time."""
        waiting = [(top, self.known(top) if top else FOLDER)]
        while waiting:
            folder, known = waiting.pop()
            try:
                with os.scandir(self.full(folder)) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except (FileNotFoundError, NotADirectoryError):
                self.away(folder)
            except OSError as error:
                self.warn(folder, error)
            else:
                self.walked.add(folder)
                waiting += self.inside(folder, known, entries)

    def inside(self, folder: str, was: str | None, entries: "list[os.DirEntry[str]]") -> list[tuple[str, str | None]]:
        """Compare what a folder lists with what is known of it. The folders in it come back, with what is known of each."""
        known = self.index.listing(self.image, folder) if was in FOLDERS else {}
        memo = self.index.memo(folder)
        skip, prefix = self.skip, folder + "/" if folder else ""
        folders: list[tuple[str, str | None]] = []
        files: list[tuple[str, os.DirEntry[str]]] = []
        for entry in entries:
            path, is_folder = prefix + entry.name, entry.is_dir(follow_symlinks=False)
            if not skip(path, is_folder):
                if is_folder:
                    folders.append((path, known.pop(entry.name, None)))
                else:
                    files.append((path, entry))
        self.stands(folder, was, FOLDER if folders or files else EMPTY)
        for path, entry in files:
            self.file(path, entry, known.pop(entry.name, None), memo)
        for name in known:
            self.away(prefix + name)
        if len(memo.known) != len(files):
            memo.forget({entry.name for entry in entries})
        return folders[::-1]

    def file(self, path: str, entry: "os.DirEntry[str] | None", known: str | None, memo: Memo) -> None:
        """Compare what is not a folder."""
        full, name = entry.path if entry else self.full(path), path.rpartition("/")[2]
        try:
            info = entry.stat(follow_symlinks=False) if entry else os.lstat(full)
            if stat.S_ISLNK(info.st_mode):
                row = "l " + os.readlink(full)
            elif stat.S_ISREG(info.st_mode):
                digest = memo.hit(name, info) or self.read(path, name, full, info, memo)
                row = ("x " if info.st_mode & 0o100 else "f ") + digest if digest else ""
            else:
                raise FileNotFoundError  # no part of any image
        except (FileNotFoundError, NotADirectoryError):
            self.away(path)
        except OSError as error:
            self.warn(path, error)
        else:
            if known in FOLDERS:
                self.away(path)
                known = None
            if row and row != known:
                self.rows[path] = row
                self.new.append((path, row, known))

    def read(self, path: str, name: str, full: str, info: os.stat_result, memo: Memo) -> str | None:
        """The content hash of a file that is not remembered; None when it is too large to be read now."""
        before, digest = self.digests.get(path, (None, ""))
        if before == stamp(info):
            return digest
        if info.st_size > LARGE:
            self.large.append(path)
            return None
        return memo.digest(name, full, info)

    def away(self, path: str) -> None:
        """Note that a path is no more; a folder takes all that is known below it along."""
        known = self.known(path)
        if known is None:
            return
        if known in FOLDERS:
            self.gone.append((path, None, EMPTY))
            for each, row in self.index.below(self.image, path).items():
                if self.rows.get(each, row) is not None:
                    self.rows[each] = None
                    if row not in FOLDERS:
                        self.gone.append((each, None, row))
        else:
            self.gone.append((path, None, known))
        self.rows[path] = None
        self.lost.add(path.rpartition("/")[0])

    def settle(self) -> None:
        """Look for folders that lost the last they had."""
        while self.lost:
            folder = self.lost.pop()
            if not folder or self.known(folder) != FOLDER:
                continue
            try:
                with os.scandir(self.full(folder)) as listing:
                    entries = ((f"{folder}/{entry.name}", entry.is_dir(follow_symlinks=False)) for entry in listing)
                    is_empty = all(self.skip(path, is_folder) for path, is_folder in entries)
            except (FileNotFoundError, NotADirectoryError):
                self.path(folder)
            except OSError as error:
                self.warn(folder, error)
            else:
                self.stands(folder, FOLDER, EMPTY if is_empty else FOLDER)

    def known(self, path: str) -> str | None:
        """The row that is known of a path, this look included."""
        return self.rows[path] if path in self.rows else self.index.row(self.image, path)

    def full(self, path: str) -> str:
        """Where a path of the folder is."""
        return f"{self.root}/{path}"
