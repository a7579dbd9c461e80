"""`git-remote-devenv`: what git runs to push to a `devenv://` remote (https://git-scm.com/docs/gitremote-helpers).

There is no repository behind the remote: the commit is built from the clone that pushes it, and what a branch of the
remote points at is the commit that serves on the cluster.
"""

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO, cast

from devenv.base import git, interrupt
from devenv.base.console import Console
from devenv.base.errors import DevenvError, InputError, Interrupted
from devenv.build import output
from devenv.cli import machine
from devenv.ops import cluster, modes, push
from devenv.ops.env import Env, Options

BRANCHES = ("refs/heads/main", "refs/heads/master")  # heroku.md section 6.2
TAGS = "refs/tags/"
FETCH_FIRST = "fetch first"  # in git's own words, for which it has a hint
DECLINED = "pre-receive hook declined"  # what git says of every push that Heroku rejects


class Prefixed(io.TextIOBase):
    """A stream whose lines git would have put `remote: ` before (sideband.c)."""

    def __init__(self, to: TextIO) -> None:
        self.to = to
        self.end = "\x1b[K" if to.isatty() and os.environ.get("TERM", "dumb") != "dumb" else " " * 8

    def write(self, text: str) -> int:
        """Whole lines only, as the console writes them."""
        for line in text.splitlines():
            self.to.write(f"remote: {line}{self.end if line else ''}\n")
        return len(text)

    def flush(self) -> None:
        """Through to the terminal."""
        self.to.flush()


def address(url: str) -> tuple[str, str, str]:
    """Cluster, env and folder of `devenv://CLUSTER/ENV[/FOLDER]`. Raises InputError."""
    parts = url.removeprefix("devenv::").removeprefix("devenv://").strip("/").split("/", 2)
    if len(parts) < 2 or not all(parts):
        raise InputError(f"`{url}` leads to no env", "`devenv git:remote` sets the remote")
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


class Remote:
    """One run of the helper: git writes commands, and reads answers."""

    def __init__(self, name: str, url: str, out: TextIO, err: TextIO) -> None:
        cluster_name, env_name, folder = address(url)
        self.name = name
        self.out = out
        self.console = Console(err, cast(TextIO, Prefixed(err)), color=False)
        options = Options(Path.cwd() / folder, env_name, {"cluster": cluster_name, "provider": None}, None)
        self.env = Env(options, self.console)
        self.is_trial = False
        self.seen = ""  # the commit that served when git asked

    def answer(self, *lines: str) -> None:
        """Lines to git."""
        self.out.write("".join(f"{line}\n" for line in lines))
        self.out.flush()

    def serve(self, commands: Iterable[str]) -> None:
        """Answer git's commands until it has no more. Raises DevenvError."""
        batch: list[str] = []
        for line in commands:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "capabilities":
                self.answer("option", "push", "fetch", "")
            elif word == "option":
                self.option(*rest.split(" ", 1))
            elif word == "list":
                self.answer(*self.refs(rest == "for-push"), "")
            elif word == "push":
                batch.append(rest)
            elif word == "fetch":
                raise InputError("devenv keeps no commits", "fetch them from where you push your work")
            elif batch:
                self.answer(*self.push(batch), "")
                batch = []
            else:
                return

    def option(self, name: str, value: str = "") -> None:
        """Take an option, or say that it means nothing here."""
        if name == "dry-run":
            self.is_trial = value == "true"
        elif name == "verbosity":
            self.console.quiet = value == "0"
        self.answer("ok" if name in ("dry-run", "verbosity", "progress") else "unsupported")

    def refs(self, pushing: bool) -> list[str]:
        """The branches: all stand at the commit that serves."""
        if pushing:
            cluster.wake(self.env)
        self.seen = modes.serving(self.env).commit
        return [f"{self.seen} {branch}" for branch in (BRANCHES if pushing else BRANCHES[:1]) if self.seen]

    def push(self, batch: list[str]) -> list[str]:
        """Deploy what goes to a deploy branch; a verdict for every ref."""
        verdicts: dict[str, str] = {}
        specs = [(source, target) for source, _, target in (each.rpartition(":") for each in batch)]
        # tags last: they are welcome beside a deploy only
        for source, target in sorted(specs, key=lambda each: each[1].startswith(TAGS)):
            deploys = any(other in BRANCHES and not why for other, why in verdicts.items())
            verdicts[target] = self.refusal(source, target, deploys)
            if target in BRANCHES and not verdicts[target] and not self.is_trial:
                verdicts[target] = self.deploy(source)
        return [f"error {target} {why}" if why else f"ok {target}" for target, why in verdicts.items()]

    def refusal(self, source: str, target: str, deploys: bool) -> str:
        """Why a ref is not taken; empty when it is."""
        name, folder = self.env.name, self.env.options.app_dir
        short = target.removeprefix("refs/heads/").removeprefix(TAGS)
        if not source:
            what = f"{short} branch" if target in BRANCHES else short
            return self.refuse(DECLINED, f"!\tPush rejected, cannot delete {what}")
        if target in BRANCHES:
            if self.seen and not source.startswith("+") and not git.has(self.env.runner, folder, self.seen):
                # git leaves this one to its helpers (transport-helper.c, push_refs_with_push)
                deepen = "`git fetch --unshallow` gets it" if git.is_shallow(folder) else "somebody else pushed it"
                return self.refuse(
                    FETCH_FIRST,
                    f"{name} runs commit {self.seen[:8]}, which this clone does not have:",
                    f"{deepen}; `git push --force` replaces it.",
                )
            return "main and master are one: push one of them" if deploys else ""
        if target.startswith(TAGS):
            # with push.followTags git sends a tag once more whenever there is nothing else to send
            if deploys or (self.seen and git.full_sha(self.env.runner, folder, source.lstrip("+")) == self.seen):
                self.console.say(f"Tag {short} is not kept: devenv holds what serves, your repository the history.")
                return ""
            return f"a tag alone deploys nothing: git push {self.name} {short}:main"
        return self.refuse(
            f"nothing deployed: git push {self.name} {short}:main",
            "Pushed to branch other than [main, master], skipping build.",
        )

    def refuse(self, why: str, *lines: str) -> str:
        """What git shows of a ref that is not taken; `lines` tell more, to `git push --quiet` too."""
        self.console.quiet = False
        for line in lines:
            self.console.say(line)
        return why

    def deploy(self, source: str) -> str:
        """Push one commit; why it was rejected, empty when it serves."""
        try:
            push.push(self.env, source.removeprefix("+"), seen=None if source.startswith("+") else self.seen)
        except Interrupted:
            raise
        except push.Overtaken as error:
            return self.refuse(FETCH_FIRST, f"{error.message}: `git push --force` replaces it.")
        except DevenvError as error:
            self.tell(error)
            return DECLINED
        return ""

    def tell(self, error: DevenvError) -> None:
        """An error in Heroku's shape; the lines of a failed build have been seen already, unless git is to be quiet."""
        say, seen = self.console.say, isinstance(error, push.NotBuilt) and not self.console.quiet
        self.console.quiet = False
        if not seen:
            say()
            say(output.warning(f"{error.message[0].upper()}{error.message[1:]}"))
            for line in error.details:
                say(output.detail(line))
            say()
            say(f"!\tPush rejected to {self.env.name}.")
            say()
        if error.hint:
            say(output.warning(f"Hint: {error.hint}"))


def main(argv: list[str], commands: Iterable[str], out: TextIO, err: TextIO) -> int:
    """Serve one git; the exit status comes back, nothing is raised."""
    if len(argv) < 3:
        err.write("git runs this program: `devenv git:remote`, then `git push devenv main`\n")
        return 2
    try:
        git.leave_hook()
        Remote(argv[1], argv[2], out, err).serve(commands)
        return 0
    except (KeyboardInterrupt, Interrupted):
        return interrupt.tell()
    except BrokenPipeError:
        return 141
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # noqa: BLE001 the boundary: git shows what is said here
        told = error if isinstance(error, DevenvError) else machine.known(error)
        err.write("".join(f"{line}\n" for line in (f"fatal: {told.message}", *told.details)))
        err.write(f"hint: {told.hint}\n" if told.hint else "")
        return 128


def run() -> None:
    """The console script."""
    from devenv.cli.main import obey_signals

    obey_signals()
    status = main(sys.argv, sys.stdin, sys.stdout, sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 1
    os._exit(status)
