"""The API's JSON as values."""

from datetime import UTC, datetime

import pytest

from devenv.cluster import kube_parse
from devenv.cluster.kube_model import why_waiting

CRASHING = {
    "metadata": {
        "name": "web-1",
        "namespace": "lamp",
        "uid": "u",
        "labels": {"devenv.dev/process": "web"},
        "creationTimestamp": "2026-05-04T10:00:00Z",
    },
    "spec": {
        "nodeName": "n1",
        "initContainers": [{"name": "seed", "image": "localhost:5001/lamp/web:1"}],
        "containers": [{"name": "app", "image": "localhost:5001/lamp/web:1"}],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.244.0.9",
        "startTime": "2026-05-04T10:00:01Z",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "initContainerStatuses": [
            {
                "name": "seed",
                "ready": True,
                "restartCount": 0,
                "state": {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-05-04T10:00:02Z"}},
            }
        ],
        "containerStatuses": [
            {
                "name": "app",
                "image": "sha256:abc",
                "ready": False,
                "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                "lastState": {
                    "terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-05-04T10:01:00Z"}
                },
            }
        ],
    },
}


def test_a_crashing_pod() -> None:
    pod = kube_parse.pod(CRASHING)
    assert (pod.name, pod.phase, pod.ready, pod.restarts, pod.node) == ("web-1", "Running", False, 4, "n1")
    app = pod.container("app")
    assert app is not None
    assert (app.state, app.reason, app.image) == ("waiting", "CrashLoopBackOff", "localhost:5001/lamp/web:1")
    assert app.last is not None
    assert (app.last.code, app.last.reason) == (137, "OOMKilled")
    assert app.last.finished == datetime(2026, 5, 4, 10, 1, tzinfo=UTC)
    assert why_waiting(pod) == ("app: CrashLoopBackOff back-off 40s", "app: ended with status 137 (OOMKilled)")


def test_a_pod_without_a_place() -> None:
    pod = kube_parse.pod(
        {
            "metadata": {"name": "p"},
            "status": {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "Insufficient memory",
                    }
                ],
            },
        }
    )
    assert (pod.reason, pod.message, pod.containers) == ("Unschedulable", "Insufficient memory", ())
    assert why_waiting(pod) == ("Unschedulable: Insufficient memory",)


def test_helm_revisions_come_in_order_of_number_not_of_name() -> None:
    def secret(revision: int, status: str, **labels: str) -> dict[str, object]:
        mine = {"owner": "helm", "name": "app", "version": str(revision), "status": status}
        name, created = f"sh.helm.release.v1.app.v{revision}", "2026-05-04T10:00:00Z"
        return {"metadata": {"name": name, "labels": {**mine, **labels}, "creationTimestamp": created}}

    found = kube_parse.helm_revisions(
        [
            secret(10, "failed", **{"devenv.fingerprint": "f", "devenv.version": "9"}),
            secret(9, "deployed"),
            secret(2, "superseded"),
        ]
    )
    assert [each.revision for each in found] == [2, 9, 10]
    assert (found[-1].status, found[-1].fingerprint, found[-1].version) == ("failed", "f", 9)
    assert found[0].updated == datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def test_a_stuck_roll_out_says_why() -> None:
    found = kube_parse.workload(
        {
            "metadata": {"name": "web", "generation": 3},
            "spec": {"replicas": 2},
            "status": {
                "observedGeneration": 2,
                "replicas": 3,
                "updatedReplicas": 1,
                "readyReplicas": 2,
                "conditions": [
                    {
                        "type": "Progressing",
                        "status": "False",
                        "reason": "ProgressDeadlineExceeded",
                        "message": "timed out",
                    }
                ],
            },
        }
    )
    assert (found.desired, found.replicas, found.updated, found.ready, found.observed) == (2, 3, 1, 2, False)
    assert found.reason == "ProgressDeadlineExceeded: timed out"


@pytest.mark.parametrize(
    ("text", "number"),
    [("128Mi", 134217728), ("1Gi", 2**30), ("24684096Ki", 25276514304), ("5", 5), ("1M", 10**6), ("0", 0)],
)
def test_quantity(text: str, number: int) -> None:
    assert kube_parse.quantity(text) == number


def test_usage_sums_containers_when_the_pod_has_no_figure_yet() -> None:
    found = kube_parse.usage(
        {
            "podRef": {"name": "web-1", "namespace": "lamp"},
            "cpu": {"usageNanoCores": 1_500_000},
            "containers": [
                {"name": "app", "memory": {"workingSetBytes": 7}},
                {"name": "side", "memory": {"workingSetBytes": 5}},
            ],
        }
    )
    assert (found.memory, found.cpu, dict(found.containers)) == (12, 2, {"app": 7, "side": 5})
