"""The candidate of an env: a release that is tried beside the one that serves (decision 0010). Reads only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from devenv.base.errors import ClusterError, InputError
from devenv.cluster import kube_helm
from devenv.cluster.helm import PENDING
from devenv.cluster.kube_model import HelmState, Pod
from devenv.ops import phase, rollout, traffic
from devenv.ops.env import Env
from devenv.plan import values

TRIED, ABORTED = "candidate", "aborted"  # what `releases` says of it
ENDED = f", {ABORTED}"  # at the end of the description of the revision that keeps its number
FRESH = 300  # seconds: what Helm is given for a release without a release command
HINT = "`devenv releases:promote` makes it the release, `devenv releases:abort` ends it"


@dataclass(frozen=True, slots=True)
class Side:
    """One of two releases that answer: its share of the requests in percent, and how it answered since its pods are up."""

    version: int
    candidate: bool
    share: int
    pods: int
    requests: int
    errors: int


def content(env: Env) -> Mapping[str, Any] | None:
    """The values of the candidate; None when there is none."""
    state = env.kube.releases(env.name).get(values.NEXT)
    if state is None or state.status != "deployed":
        return None
    found = kube_helm.record(env.kube, env.name, values.NEXT, state.revision)
    return found.values if found else None


def url(env: Env) -> str:
    """The candidate's own address: it can be looked at whatever its share of the requests."""
    return env.url.replace("://", "://next.", 1)


def refuse(env: Env) -> None:
    """Raises InputError while a candidate is tried; removes what an interrupted push left of one. The env's lock is held.

    Raises ClusterError while another machine releases: on an existing cluster, the lock is this machine's only.
    """
    found = env.kube.releases(env.name)
    if env.spec.existing:
        pods = env.kube.pods(env.name, phase.RELEASE_PODS)
        busy = [found[name] for name in (values.APP, values.NEXT) if name in found]
        if state := next((each for each in busy if in_flight(each, pods, datetime.now(UTC))), None):
            raise ClusterError(
                f"another devenv is releasing v{state.version} of {env.name}, or was killed at it",
                f"wait for it; a killed one is taken over {FRESH // 60} minutes after it began",
            )
    state = found.get(values.NEXT)
    if state is None:
        return
    if state.status == "deployed":
        raise InputError(f"v{state.version} is being tried beside the release that serves", HINT)
    env.helm.uninstall(values.NEXT, env.name)


def in_flight(state: HelmState, pods: Iterable[Pod], now: datetime) -> bool:
    """Whether somebody may still be at a release that Helm has begun: it is fresh, or its release command runs."""
    if state.status not in PENDING or state.updated is None:
        return False
    runs = any(pod.phase in phase.OPEN for pod in pods)
    return runs or (now - state.updated).total_seconds() < FRESH


def sides(env: Env) -> tuple[Side, ...]:
    """The release that serves and, if there is one, the candidate. Raises InputError when nothing serves."""
    env.require()
    serving, trial = env.served(), content(env)
    if not serving.get("route"):
        raise InputError(f"{env.name} has no web process that serves", "`devenv up` or `devenv push` starts one")
    share = int(serving["route"].get("candidate", 0))
    known = {each.ip: each for each in traffic.endpoints(env) or ()}
    pods = [pod for pod in env.kube.pods(env.name, traffic.WEB) if pod.ready and not pod.deleting]
    found = [(int(serving["release"]["version"]), False, 100 - share)]
    if trial:
        found.append((int(trial["release"]["version"]), True, share))
    rows = []
    for version, candidate, part in found:
        mine = [pod for pod in pods if (pod.labels[rollout.COMPONENT] == values.WEB_NEXT) == candidate]
        counts = [known[pod.ip] for pod in mine if pod.ip in known]
        requests, errors = sum(each.requests for each in counts), sum(each.errors for each in counts)
        rows.append(Side(version, candidate, part, len(mine), requests, errors))
    return tuple(rows)
