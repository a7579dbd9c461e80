"""The releases of an env, from Helm's revisions."""

from dataclasses import dataclass
from datetime import datetime

from devenv.ops.env import Env
from devenv.plan import values

STATUS = {"failed": "release command failed", "pending-install": "executing", "pending-upgrade": "executing"}


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release: Heroku's number, text, outcome."""

    version: int
    description: str
    status: str  # succeeded, release command failed, executing
    created: datetime | None


def releases(env: Env) -> list[ReleaseRow]:
    """Releases, newest first; several Helm revisions of one number (scaling, a return after a failed boot) are one."""
    env.require()
    texts = {each.revision: each.description for each in env.helm.history(values.APP, env.name)}
    rows: dict[int, ReleaseRow] = {}
    for state in env.kube.revisions(env.name, values.APP):
        if state.version in rows and state.status != "failed":
            continue
        rows[state.version] = ReleaseRow(
            state.version, texts.get(state.revision, ""), STATUS.get(state.status, "succeeded"), state.updated
        )
    return sorted(rows.values(), key=lambda row: -row.version)
