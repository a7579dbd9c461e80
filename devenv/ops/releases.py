"""The releases of an env, from Helm's revisions."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from devenv.base.errors import InputError
from devenv.cluster import kube_helm, kube_logs
from devenv.cluster.kube_helm import Record
from devenv.cluster.kube_model import HelmState
from devenv.cluster.kube_parse import moment
from devenv.ops import candidate, deploy, phase, retention, rollout
from devenv.ops.env import Env
from devenv.plan import values

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
SUCCEEDED = "succeeded"
STAND_IN = " stand-in"  # how the origin of an add-on's variable ends
NEWEST = retention.KEPT  # of them Heroku takes the second for a rollback without a number


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release: Heroku's number, text, outcome; whether it runs a commit (`release`) or the work tree."""

    version: int
    description: str
    status: str  # succeeded, candidate, aborted, release command failed, failed, did not start, executing, interrupted
    created: datetime | None
    mode: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """A release with what it was made of; `config` holds values."""

    row: ReleaseRow
    addons: tuple[str, ...]
    eligible: bool
    images: tuple[str, ...]
    processes: Mapping[str, str]  # type -> command
    config: Mapping[str, str]

    def __repr__(self) -> str:
        return f"ReleaseInfo(v{self.row.version})"  # config holds secrets


def releases(env: Env, count: int = 15) -> list[ReleaseRow]:
    """The newest releases, newest first; several Helm revisions of one number (scaling, a return after a failed boot) are one."""
    env.require()
    states = env.kube.revisions(env.name, values.APP)
    newest = sorted({state.version for state in states}, reverse=True)[:count]
    rows = [_row(env, states, version) for version in newest]
    if (trial := candidate.content(env)) and (version := int(trial["release"]["version"])) not in newest:
        note = trial["release"]
        told = (str(note["description"]), candidate.TRIED, moment(str(note["created"])), str(note["mode"]))
        rows.insert(0, ReleaseRow(version, *told, str(note["commit"])))
    return rows[:count]


def current(env: Env) -> int:
    """The number of the release that serves; 0 when none does."""
    return int(env.served().get("release", {}).get("version", 0))


def record(env: Env, version: int) -> Record:
    """What a release was made with: as it served last, else as it was tried. Raises InputError when it is not kept."""
    states = [state for state in env.kube.revisions(env.name, values.APP) if state.version == version]
    found = _record(env, decisive(states).revision) if states else None
    if found is None:
        raise InputError(
            f"there is no release v{version} on {env.name}", "`devenv releases -n 50` lists those there are"
        )
    return found


def info(env: Env, version: int | None) -> ReleaseInfo:
    """A release, by default the newest. Raises InputError when it is not kept."""
    env.require()
    states = env.kube.revisions(env.name, values.APP)
    if not states:
        raise InputError(f"{env.name} has no releases", "`devenv push` or `devenv up` makes the first")
    number = version or deploy.newest(states)
    content = record(env, number).values
    row = _row(env, states, number)
    origins = content["release"].get("origins", {})
    return ReleaseInfo(
        row=row,
        addons=tuple(sorted({text.removesuffix(STAND_IN) for text in origins.values() if text.endswith(STAND_IN)})),
        eligible=row.status == SUCCEEDED,
        images=retention.images(content),
        processes={item["type"]: item["command"] for item in content["processes"]},
        config=content["config"],
    )


def output(env: Env, version: int | None) -> Iterator[str]:
    """The lines of a release's command, while it runs too. Raises InputError when there are none."""
    env.require()
    number = version or deploy.last_version(env)
    pods = env.kube.pods(env.name, f"{phase.RELEASE_PODS},{rollout.RELEASE}={number}")
    if not pods:
        raise InputError(
            f"release v{number} has no release command output",
            f"that of the last {NEWEST} is kept; `devenv releases` lists all",
        )
    for _, line in kube_logs.follow(env.kube, pods[-1], stop=threading.Event()):
        yield line


def _record(env: Env, revision: int) -> Record | None:
    return kube_helm.record(env.kube, env.name, values.APP, revision)


def decisive(states: Sequence[HelmState]) -> HelmState:
    """Of the revisions of one release, the one that tells how it went: the last that served, else the last."""
    return ([state for state in states if state.status in deploy.SERVED] or states)[-1]


def _row(env: Env, states: Sequence[HelmState], version: int) -> ReleaseRow:
    mine = [state for state in states if state.version == version]
    state, made = decisive(mine), mine[0].updated
    found = _record(env, state.revision)
    note = found.values.get("release", {}) if found else {}
    if found and note and int(note["version"]) != version:  # it keeps the number of a candidate that never served
        text = found.description.removesuffix(candidate.ENDED)
        return ReleaseRow(version, text, candidate.ABORTED, made)
    later = [each for each in states if each.revision > state.revision]
    return ReleaseRow(
        version,
        str(note.get("description", "")),  # not Helm's own, which it replaces when a revision fails
        _served(state, later) if state.status in deploy.SERVED else _unserved(state, found, bool(later)),
        made,
        str(note.get("mode", "")),
        str(note.get("commit", "")),
    )


def _served(state: HelmState, later: Sequence[HelmState]) -> str:
    # numbers only fall when a release that did not start is taken back
    return "did not start" if any(each.version < state.version for each in later) else SUCCEEDED


def _unserved(state: HelmState, found: Record | None, is_past: bool) -> str:
    """The outcome of a release that failed, was interrupted or is on its way."""
    text = found.description if found else ""
    if state.status in PENDING:
        return "interrupted" if is_past else "executing"
    if "context canceled" in text:  # Helm's words for a Ctrl-C
        return "interrupted"
    return "release command failed" if "hooks failed" in text else "failed"
