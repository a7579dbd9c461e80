"""The releases of an env, from Helm's revisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from devenv.cluster.kube_model import HelmState
from devenv.ops.deploy import SERVED
from devenv.ops.env import Env
from devenv.plan import values

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release: Heroku's number, text, outcome."""

    version: int
    description: str
    status: str  # succeeded, release command failed, failed, did not start, executing, interrupted
    created: datetime | None


def releases(env: Env) -> list[ReleaseRow]:
    """Releases, newest first; several Helm revisions of one number (scaling, a return after a failed boot) are one."""
    env.require()
    texts = {each.revision: each.description for each in env.helm.history(values.APP, env.name)}
    states = env.kube.revisions(env.name, values.APP)
    rows: dict[int, ReleaseRow] = {}
    for index, state in enumerate(states):
        if state.version not in rows:
            text = texts.get(state.revision, "")
            if state.status in SERVED:
                outcome = _outcome(state, states[index + 1 :])
            else:
                text, outcome = _unserved(env, state, text, bool(states[index + 1 :]))
            rows[state.version] = ReleaseRow(state.version, text, outcome, state.updated)
    return sorted(rows.values(), key=lambda row: -row.version)


def _outcome(state: HelmState, later: Sequence[HelmState]) -> str:
    # numbers only fall when a release that did not start is taken back
    return "did not start" if any(each.version < state.version for each in later) else "succeeded"


def _unserved(env: Env, state: HelmState, text: str, is_past: bool) -> tuple[str, str]:
    """Description and outcome of a release that failed, was interrupted or is on its way."""
    release = env.helm.values(values.APP, env.name, state.revision).get("release", {})
    description = str(release.get("description", ""))  # Helm replaces the text of a revision that failed by its own
    if state.status in PENDING:
        return description, "interrupted" if is_past else "executing"
    if "context canceled" in text:  # Helm's words for a Ctrl-C
        return description, "interrupted"
    return description, "release command failed" if "hooks failed" in text else "failed"
