"""Is a release up, still coming, or broken?"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from devenv.cluster.kube_model import Container, Ended, Pod, Workload
from devenv.ops.rollout import Verdict, judge

Make = Callable[..., Any]


@pytest.fixture
def verdict(workload: Callable[..., Workload], now: datetime) -> Callable[..., Verdict]:
    def make(*pods: Pod, workloads: tuple[Workload, ...] | None = None, release: int = 3, boot: int = 60) -> Verdict:
        return judge(workloads or (workload(ready=0, updated=1),), pods, release, boot, now)

    return make


def only(found: Verdict) -> tuple[str, str]:
    (failure,) = found.failures
    return failure.code, failure.message


def test_done(verdict: Make, workload: Make, pod: Make) -> None:
    worker = pod(labels={"app.kubernetes.io/component": "worker"})
    workers = workload(name="worker", desired=2, replicas=2, updated=2, ready=2)
    assert verdict(pod(), worker, worker, workloads=(workload(), workers)) == Verdict(True, "", ())


@pytest.mark.parametrize(
    "fields",
    [{"updated": 0}, {"ready": 0}, {"observed": False}, {"replicas": 2}, {"desired": 2}],
)
def test_not_yet(verdict: Make, workload: Make, pod: Make, fields: dict[str, Any]) -> None:
    worker = pod(labels={"app.kubernetes.io/component": "worker"})
    found = verdict(pod(), worker, workloads=(workload(name="worker"), workload(**fields)))
    assert not found.done
    assert found.waiting.startswith("web ")
    assert "worker" not in found.waiting
    assert found.failures == ()


def test_a_pod_that_was_just_deleted_is_missing(verdict: Make, workload: Make, pod: Make) -> None:
    two = workload(desired=2, replicas=2, updated=2, ready=2)  # what the Deployment says a moment longer
    assert not verdict(pod(), pod(deleting=True), workloads=(two,)).done


@pytest.mark.parametrize(
    ("process", "crashed", "seconds", "done"),
    [
        ("worker", False, 0, False),
        ("worker", False, 1, True),
        ("worker", True, 4, False),
        ("worker", True, 5, True),
        ("web", True, 0, True),
    ],
)
def test_a_process_without_a_port_has_to_run_for_a_moment(
    verdict: Make,
    workload: Make,
    pod: Make,
    container: Make,
    ended: Callable[..., Ended],
    now: datetime,
    process: str,
    crashed: bool,
    seconds: int,
    done: bool,
) -> None:
    running = container(started=now - timedelta(seconds=seconds), last=ended() if crashed else None)
    labels = {"devenv.dev/process": process}
    assert verdict(pod(running, labels=labels), workloads=(workload(),)).done is done


def test_scaled_to_zero_is_done(verdict: Make, workload: Make) -> None:
    assert verdict(workloads=(workload(desired=0, replicas=0, updated=0, ready=0),)).done


def test_a_process_that_boots_is_no_failure(verdict: Make, pod: Make, container: Make) -> None:
    assert verdict(pod(container(ready=False))).failures == ()
    creating = container(state="waiting", reason="ContainerCreating", ready=False, started=None)
    assert verdict(pod(creating, phase="Pending")).failures == ()
    pulling = container(state="waiting", reason="ErrImagePull", ready=False, started=None)
    assert verdict(pod(pulling, phase="Pending")).failures == ()  # Kubernetes tries again


def test_the_first_crash_is_tried_again(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended]) -> None:
    again = container(ready=False, restarts=1, last=ended(1))
    assert verdict(pod(again)).failures == ()


def test_the_second_crash_fails(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended]) -> None:
    backing_off = container(
        state="waiting", reason="CrashLoopBackOff", ready=False, restarts=1, last=ended(3), started=None
    )
    for found in (verdict(pod(backing_off)), verdict(pod(container(ready=False, restarts=2, last=ended(3))))):
        code, message = only(found)
        assert code == "H10"
        assert "status 3" in message
        assert found.failures[0].logs
        assert found.failures[0].pod == "web-7d9f8c-abcde"


def test_the_newest_end_is_told(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended]) -> None:
    found = container(state="terminated", reason="Error", ready=False, restarts=2, last=ended(1, ago=9), ended=ended(7))
    assert "status 7" in only(verdict(pod(found)))[1]


def test_a_worker_s_crash_has_no_router_code(
    verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended]
) -> None:
    crashed = container(name="worker", ready=True, restarts=2, last=ended(1))
    assert only(verdict(pod(crashed, labels={"devenv.dev/process": "worker"})))[0] == ""


def test_exit_0_is_a_crash_too(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended]) -> None:
    code, message = only(verdict(pod(container(ready=False, restarts=2, last=ended(0, "Completed")))))
    assert code == "H10"
    assert "status 0" in message
    assert "keep running" in message


@pytest.mark.parametrize("restarts", [0, 1])
def test_out_of_memory(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended], restarts: int) -> None:
    killed = ended(137, "OOMKilled")
    dead = container(state="terminated", ready=False, restarts=restarts, ended=killed)
    assert only(verdict(pod(dead))) == ("R15", "Error R15 (Memory quota vastly exceeded)")
    again = container(ready=False, restarts=max(1, restarts), last=killed)
    assert only(verdict(pod(again)))[0] == "R15"


def test_r10(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended], now: datetime) -> None:
    killed = container(ready=False, restarts=1, last=ended(137, ran=61))
    slow = pod(killed, started=now - timedelta(seconds=63))
    assert only(verdict(slow)) == (
        "R10",
        "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch",
    )
    slower = pod(container(ready=False, restarts=1, last=ended(137, ran=91)), started=now - timedelta(seconds=93))
    assert "within 90 seconds" in only(verdict(slower, boot=90))[1]
    assert verdict(slow, boot=90).failures == ()  # it had more time than that
    pulled = pod(container(ready=False, restarts=1, last=ended(1, ran=2)), started=now - timedelta(seconds=63))
    assert verdict(pulled).failures == ()  # it crashed at once, after its image had been pulled for a minute
    worker = pod(killed, started=now - timedelta(seconds=63), labels={"devenv.dev/process": "worker"})
    assert verdict(worker).failures == ()  # only web binds


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("ImagePullBackOff", "can't be pulled"),
        ("InvalidImageName", "can't be pulled"),
        ("CreateContainerConfigError", "can't be made"),
        ("RunContainerError", "can't be made"),
    ],
)
def test_no_container(verdict: Make, pod: Make, container: Make, reason: str, said: str, now: datetime) -> None:
    waiting = container(state="waiting", reason=reason, message="why it is so", ready=False, started=None)
    found = verdict(pod(waiting, phase="Pending", created=now - timedelta(seconds=31)))
    code, message = only(found)
    assert code == ""
    assert said in message
    assert "why it is so" in message
    assert not found.failures[0].logs


def test_a_secret_not_seen_yet_is_waited_for(verdict: Make, pod: Make, container: Make, now: datetime) -> None:
    waiting = container(state="waiting", reason="CreateContainerConfigError", ready=False, started=None)
    assert verdict(pod(waiting, phase="Pending", created=now - timedelta(seconds=5))).failures == ()


def test_no_room(verdict: Make, pod: Make, now: datetime) -> None:
    waiting = {"phase": "Pending", "reason": "Unschedulable", "message": "Insufficient memory", "ready": False}
    assert verdict(pod(**waiting, created=now - timedelta(seconds=5))).failures == ()  # another may be on its way out
    assert "Insufficient memory" in only(verdict(pod(**waiting, created=now - timedelta(seconds=30))))[1]


def test_old_pods_are_of_no_interest(verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended]) -> None:
    crashed = container(ready=False, restarts=9, last=ended(1))
    assert verdict(pod(crashed, labels={"devenv.dev/release": "2"})).failures == ()
    assert verdict(pod(crashed, deleting=True)).failures == ()


def test_a_crash_of_long_ago_is_forgiven(
    verdict: Make, pod: Make, container: Make, ended: Callable[..., Ended], now: datetime
) -> None:
    """`ps:scale` on an env that has run for a week must not fail for a night's crash."""
    up_since = now - timedelta(hours=1)
    for last in (ended(137, "OOMKilled", ago=3601), ended(1, ago=3601)):
        assert verdict(pod(container(ready=True, restarts=4, started=up_since, last=last))).failures == ()
    just_up: Container = container(ready=True, restarts=4, started=now - timedelta(seconds=2), last=ended(1, ago=3))
    assert verdict(pod(just_up)).failures  # between two crashes it is up, too
