"""What is known of a folder's files between runs: content hashes by stat, the files of built images, what changed since."""

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devenv.base import paths
from devenv.base.database import Database, to_bytes, to_text
from devenv.base.errors import MachineError

SETTLED = 100_000_000  # ns: a file changed this shortly before it was read may change again within the same time stamp
INODE = (1 << 63) - 1  # SQLite's integers have a sign
KEPT = 16  # images whose files are on record
UNKNOWN = "f ?"  # the row of a file that is in an image as nobody knows
FOLDER, EMPTY = "D", "d"  # the rows of a folder with something in it, and without
BATCH = 4000
Stamp = tuple[int, int, int, int]
# A path in the folder ("" = all of it), and where it is in the image: with a "/" at its end for a folder, "" = in several places
Mount = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A path that changed since the image: its row now (None = gone), the image's, and what it was in between."""

    path: str
    row: str | None
    base: str | None
    seq: int
    was_folder: bool
    was_file: bool


@dataclass(slots=True)
class Memo:
    """What is remembered of one folder's files."""

    index: "Index"
    folder: bytes
    known: dict[str, tuple[Any, ...]]  # name -> name, size, mtime, inode, ctime, digest

    def hit(self, name: str, stat: os.stat_result) -> str | None:
        """The content hash of a file whose stat did not change since it was read."""
        entry = self.known.get(name)
        # a comparison each: this is asked of every file of a tree
        if (
            entry
            and entry[2] == stat.st_mtime_ns
            and entry[1] == stat.st_size
            and entry[4] == stat.st_ctime_ns
            and entry[3] == stat.st_ino & INODE
        ):
            return str(entry[5])
        return None

    def digest(self, name: str, full: str, stat: os.stat_result) -> str:
        """The content hash of the file `full`; reads it only when its stat changed. Raises OSError when it cannot be read."""
        if found := self.hit(name, stat):
            return found
        started = time.time_ns()
        found = content(full)
        self.index.read += 1
        if max(stat.st_mtime_ns, stat.st_ctime_ns) <= started - SETTLED:  # else read it again next time
            self.index.remember(self.folder, name, stamp(stat), found)
        return found

    def forget(self, present: Collection[str]) -> None:
        """Drop what is remembered of files other than these."""
        for name in self.known.keys() - present:
            self.index.remember(self.folder, name, None, "")


@dataclass(slots=True)
class Index:
    """The index of one folder, in `<cache>/index/<hash of the folder>.db`; any thread may use it.

    A damaged file is made anew. Where the cache cannot be written, what is remembered ends with the process.
    """

    root: Path
    file: Path = field(init=False)
    read: int = 0  # files whose content was read
    _store: Database = field(init=False)
    _changed: list[tuple[int | str | bytes, ...]] = field(default_factory=list)
    _gone: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = paths.cache() / "index" / f"{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:24]}.db"
        self._store = Database(self.file)

    def close(self) -> None:
        """Write what is to be remembered and close the file."""
        self.save()
        self._store.close()

    def reading(self) -> AbstractContextManager[None]:
        """Many questions in a row cost less within this."""
        return self._store.reading()

    # content by stat

    def memo(self, folder: str, name: str | None = None) -> Memo:
        """What is remembered of the files of `folder` (of one of them), a path from the root, `/` between parts."""
        which, given = ("", ()) if name is None else ("AND name = ?", (to_bytes(name),))
        asked = f"SELECT name, size, mtime, ino, ctime, digest FROM stat WHERE dir = ? {which}"
        try:
            with self._store.using() as db:
                rows = db.execute(asked, (to_bytes(folder), *given))
                found = {str(row[0], "utf-8", "surrogateescape"): row for row in rows}
        except MachineError:
            found = {}  # costs speed only
        return Memo(self, to_bytes(folder), found)

    def remember(self, folder: bytes, name: str, stamped: Stamp | None, digest: str) -> None:
        """Keep a file's hash, or forget it (no stamp), with the next `save`."""
        with self._store.lock:
            if stamped:
                self._changed.append((folder, to_bytes(name), *stamped, digest))
            else:
                self._gone.append((folder, to_bytes(name)))
            if len(self._changed) + len(self._gone) >= BATCH:
                self.save()

    def save(self, walked: Collection[str] = ()) -> None:
        """Write what is to be remembered. After a walk of the whole tree: forget the folders that are no more."""
        with self._store.lock, suppress(MachineError):
            if not (self._changed or self._gone):
                return  # then no folder went, or hardly ever
            away: list[tuple[bytes]] = []
            if walked:
                with self._store.using() as db:
                    stored = {to_text(row[0]) for row in db.execute("SELECT DISTINCT dir FROM stat")}
                away = [(to_bytes(each),) for each in stored.difference(walked) if not (self.root / each).is_dir()]
            changed, gone, self._changed, self._gone = self._changed, self._gone, [], []
            with self._store.writing() as db:
                db.executemany("DELETE FROM stat WHERE dir = ?", away)
                db.executemany("DELETE FROM stat WHERE dir = ? AND name = ?", gone)
                db.executemany("INSERT OR REPLACE INTO stat VALUES (?, ?, ?, ?, ?, ?, ?)", changed)

    # images and what changed since. All of it raises MachineError when the index cannot be used

    @property
    def ident(self) -> str:
        """A random name of this index: numbers of another one mean nothing here."""
        with self._store.using() as db:
            return str(db.execute("SELECT ident FROM meta").fetchone()[0])

    @property
    def seq(self) -> int:
        """The number of the last change."""
        with self._store.using() as db:
            return int(db.execute("SELECT seq FROM meta").fetchone()[0])

    def image(self, key: str) -> int:
        """The number of an image in this index."""
        with self._store.using() as db:
            if found := db.execute("SELECT id FROM image WHERE key = ?", (key,)).fetchone():
                return int(found[0])
        with self._store.writing() as db:
            db.execute("INSERT OR IGNORE INTO image (key) VALUES (?)", (key,))
            return int(db.execute("SELECT id FROM image WHERE key = ?", (key,)).fetchone()[0])

    def has_base(self, image: int) -> bool:
        """Whether the files of the image are on record."""
        with self._store.using() as db:
            found = db.execute("SELECT used FROM image WHERE id = ?", (image,)).fetchone()
            return bool(found and found[0])

    def mounts(self, image: int) -> tuple[Mount, ...]:
        """Where the image has its files: none when nothing is on record."""
        with self._store.using() as db:
            found = db.execute("SELECT mounts FROM image WHERE id = ?", (image,)).fetchone()
            return tuple((source, target) for source, target in json.loads(found[0] or "[]")) if found else ()

    def set_base(self, image: int, rows: Iterable[tuple[str, str]], mounts: Collection[Mount]) -> None:
        """Put the files of an image on record. One that is on record stays as it is: an image does not change."""
        with self._store.writing() as db:
            known = self.has_base(image)
            db.execute("UPDATE image SET used = (SELECT coalesce(max(used), 0) + 1 FROM image) WHERE id = ?", (image,))
            if known:
                return
            db.execute("UPDATE image SET mounts = ? WHERE id = ?", (json.dumps(list(mounts)), image))
            db.execute("DELETE FROM dirty WHERE image = ?", (image,))
            db.executemany("INSERT OR REPLACE INTO base VALUES (?, ?, ?, ?)", _with_folders(image, rows))
            newest = f"SELECT id FROM image ORDER BY used DESC LIMIT {KEPT}"
            db.execute(f"DELETE FROM image WHERE used IS NOT NULL AND id NOT IN ({newest})")
            for table in ("base", "dirty"):
                db.execute(f"DELETE FROM {table} WHERE image NOT IN (SELECT id FROM image)")

    def row(self, image: int, path: str) -> str | None:
        """The row of a path as it is known now."""
        place = (image, *_split(path))
        with self._store.using() as db:
            for table in ("dirty", "base"):
                asked = f"SELECT row FROM {table} WHERE image = ? AND dir = ? AND name = ?"
                if found := db.execute(asked, place).fetchone():
                    return _row(found[0])
        return None

    def listing(self, image: int, folder: str) -> dict[str, str]:
        """Name -> row of all that is known in a folder now."""
        with self._store.using() as db:
            where = ("WHERE image = ? AND dir = ?", (image, to_bytes(folder)))
            found = dict(db.execute(f"SELECT name, row FROM base {where[0]}", where[1]))
            found.update(db.execute(f"SELECT name, row FROM dirty {where[0]}", where[1]))
        return {to_text(name): to_text(row) for name, row in found.items() if row is not None}

    def below(self, image: int, folder: str) -> dict[str, str]:
        """Path -> row of all that is known below a folder now."""
        start = to_bytes(folder)
        found: dict[tuple[bytes, bytes], bytes | None] = {}
        with self._store.using() as db:
            for table in ("base", "dirty"):
                asked = f"SELECT dir, name, row FROM {table} WHERE image = ? AND (dir = ? OR (dir >= ? AND dir < ?))"
                for folder_of, name, row in db.execute(asked, (image, start, start + b"/", start + b"0")):
                    found[folder_of, name] = row
        return {_join(*place): to_text(row) for place, row in sorted(found.items()) if row is not None}

    def record(self, image: int, rows: Iterable[tuple[str, str | None]]) -> int:
        """Note the rows of paths that changed, all under one new number, which comes back."""
        with self._store.writing() as db:
            seq = int(db.execute("UPDATE meta SET seq = seq + 1 RETURNING seq").fetchone()[0])
            # over: what it was since the image, a folder (1), a file (2)
            nature = "CASE WHEN {0} IS NULL THEN 0 WHEN {0} IN (X'64', X'44') THEN 1 ELSE 2 END"
            base = "(SELECT row FROM base WHERE image = ?1 AND dir = ?2 AND name = ?3)"
            db.executemany(
                f"INSERT INTO dirty VALUES (?1, ?2, ?3, ?4, ?5, {nature.format(base)}) ON CONFLICT DO UPDATE SET"
                f" row = excluded.row, seq = excluded.seq, over = over | {nature.format('dirty.row')}"
                " WHERE row IS NOT excluded.row",
                ((image, *_split(path), None if row is None else to_bytes(row), seq) for path, row in rows),
            )
        return seq

    def edited(self, image: int) -> bool:
        """Whether a change has been noted since the image, though it may be undone."""
        with self._store.using() as db:
            return db.execute("SELECT 1 FROM dirty WHERE image = ? LIMIT 1", (image,)).fetchone() is not None

    def since(self, image: int, seq: int) -> list[Recorded]:
        """What changed after number `seq`, sorted. After 0: what a fresh copy of the image lacks."""
        asked = (
            "SELECT d.dir, d.name, d.row, b.row, d.seq, d.over FROM dirty d LEFT JOIN base b"
            " ON b.image = d.image AND b.dir = d.dir AND b.name = d.name WHERE d.image = ? AND d.seq > ?"
            " AND (? > 0 OR d.row IS NOT b.row) ORDER BY d.dir, d.name"
        )
        with self._store.using() as db:
            found = db.execute(asked, (image, seq, seq)).fetchall()
        return [
            Recorded(_join(folder, name), _row(row), _row(base), int(number), bool(over & 1), bool(over & 2))
            for folder, name, row, base, number, over in found
        ]


def stamp(stat: os.stat_result) -> Stamp:
    """What of a stat changes when the content may have."""
    return stat.st_size, stat.st_mtime_ns, stat.st_ino & INODE, stat.st_ctime_ns


def content(full: str) -> str:
    """The content hash of a file. Raises OSError when it cannot be read."""
    found = hashing()
    with open(full, "rb", buffering=0) as stream:
        while block := stream.read(1 << 18):
            found.update(block)
    return found.hexdigest()


def hashing() -> hashlib.blake2b:
    """An empty hash of the kind that rows hold: for content that is read in another way."""
    return hashlib.blake2b(digest_size=16)


def _with_folders(image: int, rows: Iterable[tuple[str, str]]) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    seen = {""}
    for path, row in rows:
        yield image, *_split(path), to_bytes(row)
        while (path := path.rpartition("/")[0]) not in seen:
            seen.add(path)
            yield image, *_split(path), to_bytes(FOLDER)


def _row(data: bytes | None) -> str | None:
    return None if data is None else to_text(data)


def _split(path: str) -> tuple[bytes, bytes]:
    folder, _, name = path.rpartition("/")
    return to_bytes(folder), to_bytes(name)


def _join(folder: bytes, name: bytes) -> str:
    return to_text(folder + b"/" + name if folder else name)
