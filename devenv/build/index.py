"""Content hashes of a tree's files, kept between runs: a file is read again only when its stat changed."""

import hashlib
import json
import os
import time
from pathlib import Path

from devenv.base import paths

Stamp = tuple[int, int, int, int]
FORMAT = 1
SETTLED = 100_000_000  # ns: a file changed this shortly before it was read may change again within the same time stamp


class StatIndex:
    """Path -> (stat, content hash) for one folder, in `<cache>/index/<hash of the folder>.json`."""

    def __init__(self, root: Path, *, keep: bool = True) -> None:
        self.file = paths.cache() / "index" / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:24]}.json"
        self.keep = keep
        self.known: dict[str, list[int | str]] = _load(self.file) if keep else {}
        self.seen: dict[str, list[int | str]] = {}
        self.read = 0  # files whose content was read in this run

    def digest(self, path: str, full: str, stat: os.stat_result) -> str:
        """The content hash of the file `full`, known in the tree as `path`. Raises OSError when it cannot be read."""
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns]
        entry = self.known.get(path)
        if entry is None or entry[:4] != stamp:
            self.read += 1
            started = time.time_ns()
            found = _hash(full)
            if max(stat.st_mtime_ns, stat.st_ctime_ns) > started - SETTLED:
                return found  # not remembered: read it again next time
            entry = [*stamp, found]
        self.seen[path] = entry
        return str(entry[4])

    def save(self) -> None:
        """Write what was seen, when it differs from what was known."""
        if not self.keep or self.seen == self.known:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({"format": FORMAT, "files": self.seen}, separators=(",", ":")))
        draft.replace(self.file)


def _load(file: Path) -> dict[str, list[int | str]]:
    try:
        stored = json.loads(file.read_text())
        return dict(stored["files"]) if stored["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a cache: whatever is wrong with it, it is made again


def _hash(full: str) -> str:
    found = hashlib.blake2b(digest_size=16)
    with open(full, "rb") as stream:
        while block := stream.read(1 << 20):
            found.update(block)
    return found.hexdigest()
