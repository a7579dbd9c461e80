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
    status: str  # succeeded, release command failed, did not start, executing, interrupted
    created: datetime | None


def releases(env: Env) -> list[ReleaseRow]:
    """Releases, newest first; several Helm revisions of one number (scaling, a return after a failed boot) are one."""
    env.require()
    texts = {each.revision: each.description for each in env.helm.history(values.APP, env.name)}
    states = env.kube.revisions(env.name, values.APP)
    rows: dict[int, ReleaseRow] = {}
    for index, state in enumerate(states):
        if state.version not in rows:
            text = texts.get(state.revision, "") if state.status in SERVED else _description(env, state)
            rows[state.version] = ReleaseRow(state.version, text, _outcome(state, states[index + 1 :]), state.updated)
    return sorted(rows.values(), key=lambda row: -row.version)


def _outcome(state: HelmState, later: Sequence[HelmState]) -> str:
    if state.status == "failed":
        return "release command failed"
    if state.status in PENDING:
        return "interrupted" if later else "executing"
    # numbers only fall when a release that did not start is taken back
    return "did not start" if any(each.version < state.version for each in later) else "succeeded"


def _description(env: Env, state: HelmState) -> str:
    # Helm replaces the text of a revision that failed by its own
    content = env.helm.values(values.APP, env.name, state.revision)
    return str(content.get("release", {}).get("description", ""))
