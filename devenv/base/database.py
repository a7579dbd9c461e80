"""The SQLite file of a folder's index: a large tree is neither held in memory nor written anew for one file.

Names and rows are bytes in it: a file's name need not be text.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devenv.base.errors import MachineError

FORMAT = 2
SCHEMA = f"""
CREATE TABLE stat (dir BLOB, name BLOB, size INTEGER, mtime INTEGER, ino INTEGER, ctime INTEGER, digest TEXT,
  PRIMARY KEY (dir, name)) WITHOUT ROWID;
CREATE TABLE image (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, used INTEGER, mounts TEXT);
CREATE TABLE base (image INTEGER, dir BLOB, name BLOB, row BLOB, PRIMARY KEY (image, dir, name)) WITHOUT ROWID;
CREATE TABLE dirty (image INTEGER, dir BLOB, name BLOB, row BLOB, seq INTEGER, over INTEGER,
  PRIMARY KEY (image, dir, name)) WITHOUT ROWID;
CREATE INDEX later ON dirty (image, seq);
CREATE TABLE meta (ident TEXT, seq INTEGER);
PRAGMA user_version = {FORMAT};
"""


class Database:
    """An open database. A damaged file is made anew; where none can be written, it ends with the process."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lock = threading.RLock()
        self._connection = _connect(file)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._connection.close()

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time. Raises MachineError when the database cannot be used."""
        with self.lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                if type(error) is sqlite3.DatabaseError:  # damaged: nothing in it can be trusted
                    self._connection.close()
                    _remove(self.file)
                    self._connection = _connect(self.file)
                raise MachineError(
                    f"the index `{self.file}` cannot be used ({error})", "run the command again; the index is a cache"
                ) from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Take the file's locks once for many questions; ends with the first `writing`."""
        with self.using() as db:
            db.execute("BEGIN")
        try:
            yield
        finally:
            with self.using() as db:
                if db.in_transaction:
                    db.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """`using` within a transaction, which an error undoes."""
        with self.using() as db:
            if db.in_transaction:
                db.execute("COMMIT")  # of `reading`
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell
                    db.execute("ROLLBACK")
                raise


def to_bytes(text: str) -> bytes:
    """A name, whatever it is made of, as the database holds it."""
    return text.encode(errors="surrogateescape")


def to_text(data: bytes) -> str:
    """What `to_bytes` was given."""
    return data.decode(errors="surrogateescape")


def _connect(file: Path) -> sqlite3.Connection:
    for _ in range(2):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return _prepared(sqlite3.connect(file, timeout=20, isolation_level=None, check_same_thread=False))
        except sqlite3.OperationalError:
            break  # may not be written
        except sqlite3.DatabaseError:
            _remove(file)  # not a database, or one of another format
        except OSError:
            break
    # a file of SQLite's own among the temporary ones, which ends with the connection
    return _prepared(sqlite3.connect("", isolation_level=None, check_same_thread=False))


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA journal_size_limit = 4000000")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN IMMEDIATE")  # two processes may come at once
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"format {found}")
        if not found:
            for statement in SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES (?, 0)", (secrets.token_hex(8),))
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _remove(file: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            file.with_name(file.name + ending).unlink()
