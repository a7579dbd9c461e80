"""What the cluster says of pods, releases and workloads. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container's run ended."""

    code: int
    reason: str  # "Completed", "Error", "OOMKilled"
    message: str
    finished: datetime | None
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod. `state` is waiting, running or terminated; `reason` is Kubernetes' (`CrashLoopBackOff`)."""

    name: str
    image: str
    init: bool
    state: str
    reason: str
    message: str
    ready: bool
    restarts: int
    started: datetime | None
    ended: Ended | None  # set when `state` is terminated
    last: Ended | None  # the run before


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod; `phase` is Kubernetes', `reason` says why it does not run (`Evicted`, `Unschedulable`)."""

    name: str
    namespace: str
    uid: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    phase: str
    ip: str
    node: str
    created: datetime | None
    started: datetime | None
    ready: bool
    deleting: bool
    restarts: int
    reason: str
    message: str
    containers: tuple[Container, ...]

    def container(self, name: str) -> Container | None:
        """The container of that name, init containers included."""
        return next((each for each in self.containers if each.name == name), None)


@dataclass(frozen=True, slots=True)
class HelmState:
    """The newest revision of a Helm release, from its Secret's metadata."""

    name: str
    status: str  # deployed, superseded, failed, uninstalling, pending-install, pending-upgrade, pending-rollback
    revision: int
    fingerprint: str
    updated: datetime | None
    version: int = 0  # of the app's release: Heroku's number; a rollback carries the one it went back to


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet: rolled out when `observed`, and `updated`, `ready`, `replicas` equal `desired`."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    desired: int
    replicas: int
    updated: int
    ready: int
    observed: bool
    reason: str  # of a roll-out that is stuck: "ProgressDeadlineExceeded: …"


@dataclass(frozen=True, slots=True)
class Event:
    """An event about an object: `Warning FailedScheduling …`."""

    object: str  # "Pod/web-0"
    type: str
    reason: str
    message: str
    count: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and its marks."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    phase: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node; memory in bytes, cpu in thousandths of a core, both as allocatable to pods."""

    name: str
    ready: bool
    version: str
    memory: int
    cpu: int


@dataclass(frozen=True, slots=True)
class PodUsage:
    """What a pod uses now: working set in bytes, CPU in thousandths of a core; per container too."""

    namespace: str
    pod: str
    memory: int
    cpu: int
    containers: Mapping[str, int] = field(default_factory=dict)  # name -> bytes


def why_waiting(pod: Pod) -> tuple[str, ...]:
    """Why a pod is not ready, a line per reason: what is waited for, how the last run ended."""
    lines = [f"{pod.reason}: {pod.message}"] if pod.reason or pod.message else []
    for each in pod.containers:
        if each.state == "waiting" and each.reason not in ("", "PodInitializing"):
            lines.append(f"{each.name}: {each.reason} {each.message}".strip())
        ended = each.ended or each.last
        if ended and ended.code:
            lines.append(f"{each.name}: ended with status {ended.code} ({ended.reason})")
    return tuple(lines)
