"""Staying with an env: its logs, its edits, one line for each batch."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from devenv.base.console import Console
from devenv.base.errors import ClusterError, DevenvError, InputError
from devenv.cli.common import Shell
from devenv.cli.render import compact
from devenv.ops.journal import Journal
from devenv.sync.session import Batch

if TYPE_CHECKING:
    from devenv.ops.env import Env

SHOWN = 3  # names in a line
AGAIN = 1.0  # seconds between two looks at a file that cannot be read as it is


def follow(shell: Shell, *, with_logs: bool) -> None:
    """Sync edits, and show the logs, until Ctrl-C, which leaves the env running and says so."""
    from devenv.ops import sync

    console, env = shell.console, shell.env
    journal = Journal(env.spec.name, env.name)
    refused: Mapping[str, str | None] = {}
    noted = False  # by the `up` before: what it notes is there
    followed = False  # to images that somebody else made: not ours to replace
    try:
        with sync.attached(env):
            journal.begin()
            if with_logs:
                threading.Thread(target=_logs, args=(shell,), daemon=True).start()
            else:
                console.say(f"Syncing edits into {env.name}; Ctrl-C ends this, the app keeps running.")
            while True:
                wanted: Mapping[str, str | None] = {}
                try:
                    wanted = sync.session(env, _Told(shell, journal), refused)
                    why = f"{_names(sorted(wanted))} changed" if wanted else ""
                except sync.NotOnRecord as error:  # the index is a cache, and may be lost
                    if noted or followed:
                        raise
                    why = error.message
                if pushed := _pushed(env):
                    console.say(pushed)
                    return
                if not why:
                    console.say(f"{env.name} runs other images since another `up`: edits go on into them")
                    env, followed = _anew(env), True
                    continue
                console.say(f"{why}: building anew")
                # also when it works, and all of them: what makes no other image would ask for one for ever
                refused, noted, followed = {**refused, **wanted}, not wanted, False
                env = _up(env)
    except KeyboardInterrupt:
        console.say(f"\n{env.name} keeps running. `devenv sync` goes on with edits, `devenv down` stops it.")


def _pushed(env: "Env") -> str | None:
    """What to tell when a push has taken the env over. Waits for a cluster that does not answer, as edits do."""
    from devenv.ops import modes

    while True:
        try:
            return modes.commit_runs(env)
        except ClusterError as error:
            env.console.detail(f"sync: {error.message}; trying again")
            time.sleep(AGAIN)


def _up(env: "Env") -> "Env":
    """Run the work tree as it is now; the env, which reads the files again. A failure is told and leaves all as it was."""
    from devenv.ops.env import Env
    from devenv.ops.up import up

    console, new = env.console, Env(env.options, env.console)
    try:
        done = up(new, stays=True)
        console.say(f"{new.name} is up (v{done.version})")
        return new
    except (DevenvError, OSError) as problem:
        # a checkout is at it: a file went between a look and the next
        error = problem if isinstance(problem, DevenvError) else InputError(f"a file changed meanwhile: {problem}")
        console.say(console.style(f"Error: {error.message}", "red"))
        for line in error.details:
            console.say(f"  {line}")
        console.say("The release before it runs on; the next change of these files tries again.")
        while _unreadable(env):
            time.sleep(AGAIN)
        return env  # what it was read from is what runs


def _unreadable(env: "Env") -> bool:
    """Whether no session can begin yet: a file that it needs, a .dockerignore, is wrong, or the cluster does not answer."""
    from devenv.ops import sync

    try:
        sync.mirrors(env)
    except InputError:
        return bool(env.served().get("sync"))
    except ClusterError:
        return True
    except DevenvError:
        pass  # for the session to tell
    return False


def _anew(env: "Env") -> "Env":
    """The env with its files read again; as it was when they cannot be read as they are now."""
    from devenv.ops.env import Env

    new = Env(env.options, env.console)
    try:
        return new if new.app and new.profile else env
    except InputError:
        return env


def _logs(shell: Shell) -> None:
    from devenv.cli.logs import show
    from devenv.ops import logs

    try:
        show(shell, logs.follow(shell.env, logs.Wish(), 20))
    except DevenvError as error:
        shell.console.detail(f"the log ended: {error.message}")


class _Told:
    """Prints what a session reports, and notes it."""

    def __init__(self, shell: Shell, journal: Journal) -> None:
        self.shell = shell
        self.journal = journal

    @property
    def console(self) -> Console:
        return self.shell.console

    def synced(self, batch: Batch, seconds: float, restarts: Sequence[str]) -> None:
        """A batch is in every pod."""
        files = [batch.mirror.full(change.path) for change in batch.changes]
        entry = self.journal.add(seconds, files, batch.names, list(restarts))
        if self.shell.json:
            self.console.out(compact(entry))
            return
        to = _names(batch.names) if batch.names else self._nobody()
        then = f", {' and '.join(restarts)} start{'s' * (len(restarts) == 1)} again" if restarts else ""
        mark = self.console.style("↑", "green", "bold")
        self.console.say(
            f"{mark} {_names(files)} → {to}  {self.console.style(f'{seconds * 1000:.0f} ms', 'dim')}{then}"
        )

    def _nobody(self) -> str:
        try:
            if self.shell.env.served().get("sync"):
                return "no pod yet"
        except DevenvError:
            return "no pod: the cluster does not answer"
        return "no pod: the env runs a release now; `devenv up` runs this work tree again"

    def said(self, name: str, word: str, value: int, seconds: float | None) -> None:
        """A process started again, or ended by itself."""
        if word == "exit":
            again = "it starts again soon, or with your next save"
            self.console.say(f"{self.console.style('!', 'red', 'bold')} {name} exited with status {value}: {again}")
        elif seconds is not None:
            self.console.say(f"{self.console.style('↻', 'green', 'bold')} {name} started again  {seconds:.1f} s")

    def refused(self, name: str, complaint: str) -> None:
        """A pod does not take a change."""
        self.console.say(f"{self.console.style('!', 'red', 'bold')} {name} does not take edits: {complaint}")

    def ran(self, command: str, status: int, output: str) -> None:
        """A command of a rule has ended."""
        for line in output.splitlines()[-12:]:
            self.console.say(f"       {line}")
        if status:
            self.console.say(f"{self.console.style('!', 'red', 'bold')} `{command}` failed with status {status}")


def _names(names: Sequence[str]) -> str:
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: SHOWN - 1])} and {len(names) - SHOWN + 1} more"
