"""What ends a run and is no DevenvError, in words: what the machine refuses, and a bug."""

import errno

from devenv.base.errors import DevenvError, MachineError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FREE = "free some space (`docker system prune` removes what Docker no longer uses) and run the same command again"
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
FOLDERS = "look at its owner and mode (`ls -ld`); DEVENV_CACHE, DEVENV_STATE and TMPDIR choose other folders"


def known(error: Exception) -> DevenvError:
    """The error as people can act on it; a bug when it is none of the machine's."""
    if not isinstance(error, OSError) or error.errno is None:
        what = f"this is a bug in devenv: {type(error).__name__}: {error}"
        return DevenvError(what, "run it again with --verbose and report the traceback")
    where = f"`{error.filename}`" if error.filename else "a file of devenv's"
    if error.errno in FULL:
        return MachineError(f"no room is left on the disk for {where}", FREE)
    if error.errno in DENIED:
        return MachineError(f"this user may not write {where}", FOLDERS)
    what = (error.strerror or type(error).__name__).lower()
    return MachineError(f"the system refused {where}: {what}", "`devenv doctor` checks this machine")
