"""One devenv at a time changes an env."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from devenv.base import paths, proc
from devenv.base.console import Console
from devenv.base.errors import ClusterError
from devenv.ops.env import Env

WAIT = 600.0  # seconds: longer than any deploy that is getting on


def changing(env: Env) -> AbstractContextManager[None]:
    """Hold what every change of the env holds."""
    return hold(f"env-{env.spec.name}-{env.name}", env.console)


def session(env: Env) -> str:
    """The name of the lock that a sync session of the env holds."""
    return f"sync-{env.spec.name}-{env.name}"


def holder(name: str) -> str | None:
    """The process that holds the lock `name`; None when nobody does."""
    file = paths.state() / "locks" / f"{name}.lock"
    if not file.exists():
        return None
    with open(file, encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return held.read().strip() or "?"
    return None


@contextmanager
def hold(name: str, console: Console, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock `name`; says whom it waits for. The kernel frees it when the holder dies, however it dies."""
    folder = paths.state() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    file.seek(0)
                    console.say(
                        f"Waiting for another devenv that is changing `{name}` (process {file.read().strip() or '?'}) …"
                    )
                    told = True
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"another devenv has been changing `{name}` for {wait:.0f} s",
                        "wait for it, or end it, then try again",
                    ) from None
                time.sleep(0.2)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        # a helm that outlives a killed devenv still writes to the env: whoever comes next waits for it
        with proc.inherited(file.fileno()):
            yield
