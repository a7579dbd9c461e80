"""Is a release up, still coming, or broken? Decided from what the cluster reports."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from devenv.cluster.kube_model import Container, Ended, Pod, Workload

RELEASE = "devenv.dev/release"
COMPONENT = "app.kubernetes.io/component"
PROCESS = "devenv.dev/process"
PROCESSES = "devenv.dev/kind=process"
PULL = ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
CREATE = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
SETTLING = 30  # seconds
STEADY, AFTER_CRASH = 1, 5  # seconds that a process other than web has to run for, at the first start and after a crash
CRASHES = 2  # Heroku retries the first crash at once (heroku.md section 3.2); the second one fails the deploy


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a process does not come up: Heroku's code where there is one, and the pod to read the log of."""

    process: str
    code: str  # "H10", "R10", "R15" or ""
    message: str
    pod: str
    logs: bool  # whether the log of its last run tells more


@dataclass(frozen=True, slots=True)
class Verdict:
    """`done` when every process runs the release; `waiting` names what is still coming."""

    done: bool
    waiting: str
    failures: tuple[Failure, ...]


def judge(
    workloads: Iterable[Workload], pods: Iterable[Pod], release: int, boot_timeout: int, now: datetime
) -> Verdict:
    """Compare what runs with what should; `boot_timeout` in seconds."""
    workloads = tuple(workloads)
    current = [pod for pod in pods if pod.labels.get(RELEASE) == str(release) and not pod.deleting]
    failures = tuple(failure for pod in current if (failure := _failure(pod, boot_timeout, now)))
    ready = Counter(pod.labels.get(COMPONENT) for pod in current if pod.ready and _steady(pod, now))
    # a pod that has just been deleted is missing here before the Deployment says so
    late = [item for item in workloads if not _rolled_out(item) or ready[item.name] < item.desired]
    waiting = ", ".join(f"{item.name} {min(item.updated, item.ready)}/{item.desired}" for item in late)
    return Verdict(not late, waiting, failures)


def _rolled_out(item: Workload) -> bool:
    return (
        item.observed and item.updated == item.desired and item.ready == item.desired and item.replicas == item.desired
    )


def _steady(pod: Pod, now: datetime) -> bool:
    # who binds no port counts as ready at once, also between two crashes
    if pod.labels.get(PROCESS) == "web":
        return True
    return all(
        each.init
        or each.started is None
        or (now - each.started).total_seconds() >= (AFTER_CRASH if each.last else STEADY)
        for each in pod.containers
    )


def _failure(pod: Pod, boot_timeout: int, now: datetime) -> Failure | None:
    process = pod.labels.get(PROCESS, pod.name)
    if pod.reason == "Unschedulable" and pod.created and (now - pod.created).total_seconds() > 20:
        return Failure(process, "", f"no room on the cluster for another process: {pod.message}", pod.name, False)
    for container in pod.containers:
        if container.init:
            continue
        if failure := _container_failure(process, pod, container, boot_timeout, now):
            return failure
    return None


def _container_failure(
    process: str, pod: Pod, container: Container, boot_timeout: int, now: datetime
) -> Failure | None:
    if container.state == "waiting" and container.reason in PULL:
        return Failure(
            process, "", f"its image can't be pulled: {container.message or container.reason}", pod.name, False
        )
    # the kubelet may not have seen a new Secret yet: it tries again by itself
    settled = pod.created is None or (now - pod.created).total_seconds() > SETTLING
    if container.state == "waiting" and container.reason in CREATE and settled:
        return Failure(
            process, "", f"its container can't be made: {container.message or container.reason}", pod.name, False
        )
    ended = container.ended or container.last
    if ended is None or _recovered(container, boot_timeout, now):
        return None
    if ended.reason == "OOMKilled":
        return Failure(process, "R15", "Error R15 (Memory quota vastly exceeded)", pod.name, True)
    if process == "web" and not container.ready and _never_bound(ended, container, boot_timeout):
        text = (
            f"Error R10 (Boot timeout) -> Web process failed to bind to $PORT within {boot_timeout} seconds of launch"
        )
        return Failure(process, "R10", text, pod.name, True)
    if container.restarts >= CRASHES or (container.restarts >= 1 and container.reason == "CrashLoopBackOff"):
        how = (
            "exited with status 0; a process of the formation must keep running"
            if ended.code == 0
            else f"exited with status {ended.code}"
        )
        return Failure(process, "H10" if process == "web" else "", f"App crashed: the process {how}", pod.name, True)
    return None


def _recovered(container: Container, boot_timeout: int, now: datetime) -> bool:
    # crashes of long ago do not count against a process that has been up since
    if container.state != "running" or not container.ready or container.started is None:
        return False
    return (now - container.started).total_seconds() >= boot_timeout


def _never_bound(ended: Ended, container: Container, boot_timeout: int) -> bool:
    # from the start of its run, not of the pod: pulling a large image takes no time from the process
    if ended.finished is None or ended.started is None or container.restarts != 1:
        return False
    return (ended.finished - ended.started).total_seconds() >= boot_timeout - 1
