"""What ends a run and is no DevenvError, in words: what the machine refuses, and a bug."""

import errno
import os

from devenv.base import paths
from devenv.base.errors import DevenvError, MachineError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_TEMPORARY = "No usable temporary directory"  # how tempfile says that all it knows are full
FREE = "free some space (`docker system prune` removes what Docker no longer uses) and run the same command again"
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
FOLDERS = "look at its owner and mode (`ls -ld`); DEVENV_CACHE, DEVENV_STATE and TMPDIR choose other folders"


def known(error: Exception) -> DevenvError:
    """The error as people can act on it; a bug when it is none of the machine's."""
    if not isinstance(error, OSError) or error.errno is None:
        what = f"this is a bug in devenv: {type(error).__name__}: {error}"
        return DevenvError(what, "run it again with --verbose and report the traceback")
    if error.errno in FULL or NO_TEMPORARY in str(error.strerror):
        return MachineError("no room is left on a disk that devenv writes to", FREE, _room())
    where = f"`{error.filename}`" if error.filename else "a file of devenv's"
    if error.errno in DENIED:
        return MachineError(f"this user may not write {where}", FOLDERS)
    what = (error.strerror or type(error).__name__).lower()
    return MachineError(f"the system refused {where}: {what}", "`devenv doctor` checks this machine")


def _room() -> list[str]:
    # the system does not tell which file a write was for
    folders = {str(paths.cache()), str(paths.state()), os.environ.get("TMPDIR", "/tmp")}
    return [f"{folder}: {_free(folder)} MB free" for folder in sorted(folders)]


def _free(folder: str) -> int:
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize // 2**20
