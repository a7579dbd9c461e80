"""What an env runs: a commit or the work tree. The last of `push` and `up` decides (decision 0011), and says so when that changes."""

from dataclasses import dataclass

from devenv.ops import deploy, lock
from devenv.ops.env import Env
from devenv.plan.values import WORK_TREE

RELEASE = "release"  # the mode of an env that runs a commit


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves: its mode, its release's number, its commit.

    The commit is empty for a work tree, when all is stopped, and when its roll-out was cut off.
    """

    mode: str
    commit: str
    version: int


def serving(env: Env) -> Serving:
    """What serves now; the cluster is the only one to know."""
    content = env.served() if env.status.state == "running" and env.exists() else {}
    release = content.get("release", {})
    mode = str(release.get("mode", ""))
    version = int(release.get("version", 0))
    runs = content.get("running", False) and mode == RELEASE and not deploy.unfinished(env, version)
    return Serving(mode, str(release.get("commit", "")) if runs else "", version)


def changes(env: Env, now: Serving, to: str) -> str | None:
    """What to tell when the env's mode becomes `to`; None when it stays, and for the first release."""
    if now.mode == WORK_TREE and to == RELEASE:
        session = lock.holder(lock.session(env))
        edits = f"edits of the attached `up` (process {session}) do" if session else "your edits do"
        return f"{env.name} ran the work tree; from here on it runs commits: {edits} not reach it until `devenv up`"
    if now.mode == RELEASE and to == WORK_TREE:
        return f"{env.name} ran release v{now.version}; from here on it runs the work tree, until `devenv push`"
    return None


def commit_runs(env: Env) -> str | None:
    """What to tell whoever edits, when a push has taken the env over; None while it runs the work tree."""
    now = serving(env)
    if now.mode != RELEASE:
        return None
    return f"{env.name} runs release v{now.version} since a push: no edit reaches it. `devenv up` runs the work tree again."
