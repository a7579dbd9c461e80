"""minikube's command lines, and its recorded answers."""

import json
from pathlib import Path

import pytest

from devenv.cluster import minikube, node
from devenv.cluster.engine import Container
from devenv.cluster.node import Marker
from devenv.plan.model import Access, ClusterSpec
from tests.fakes import Answer, FakeRunner

SPEC = ClusterSpec("devenv", "minikube", "v1.34.0")


def test_start_names_the_profile_driver_runtime_and_port() -> None:
    argv = minikube.start_argv("minikube", SPEC, 8081)
    for word in (
        "--profile=devenv",
        "--driver=docker",
        "--container-runtime=containerd",
        "--ports=127.0.0.1:8081:30080",
        "--embed-certs",
        "--interactive=false",
        "--kubernetes-version=v1.34.0",
    ):
        assert word in argv


def test_without_a_version_minikube_chooses() -> None:
    assert not [
        word for word in minikube.start_argv("minikube", ClusterSpec("d", "minikube", None), 1) if "version" in word
    ]


def test_the_users_kubeconfig_is_never_touched() -> None:
    assert minikube.environment(Access(Path("/state/kubeconfig"), "devenv"))["KUBECONFIG"] == "/state/kubeconfig"


class OneNode:
    """The engine's answers for a complete cluster of devenv's."""

    def __init__(self, running: bool) -> None:
        self.running = running

    def container(self, name: str) -> Container:
        return Container(name, "kicbase", self.running, {}, {"30080/tcp": 8080}, (name,))

    def read_file(self, name: str, path: str) -> bytes:
        assert path == node.MARKER
        fields = {name: getattr(MARKER, name) for name in Marker.__slots__}
        return json.dumps(fields).encode()


MARKER = Marker("devenv", "official", "v1.34.0", 8080, 5001, "registry:3")
# fields of `minikube status --output=json`: https://github.com/kubernetes/minikube/blob/master/cmd/minikube/cmd/status.go
COMMON = '{"Name":"devenv","Host":"Running","Kubeconfig":"Configured","Worker":false,'
RUNNING = COMMON + '"Kubelet":"Running","APIServer":"Running"}'
PAUSED = COMMON + '"Kubelet":"Stopped","APIServer":"Paused"}'


@pytest.mark.parametrize(
    ("running", "answer", "state"),
    [
        (True, Answer(RUNNING), "running"),
        (True, Answer(PAUSED, code=2), "stopped"),
        (True, Answer("", "not json", code=80), "running"),
        (False, Answer(""), "stopped"),
    ],
)
def test_status(running: bool, answer: Answer, state: str) -> None:
    runner = FakeRunner({("minikube", "status"): answer})
    provider = minikube.Minikube(runner, "minikube", OneNode(running))  # type: ignore[arg-type]
    found = provider.status(SPEC)
    assert (found.state, found.http_port, found.registry) == (state, 8080, "localhost:5001")


@pytest.mark.parametrize(
    ("line", "text"),
    [("* Starting control plane node ...", "Starting control plane node"), ("  - kubelet", "kubelet"), ("", "")],
)
def test_step(line: str, text: str) -> None:
    assert minikube.step(line) == text
