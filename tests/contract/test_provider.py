"""What a provider promises, on the real kind: one cluster from an interrupted creation to its end, in this order."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.base.console import Console
from devenv.base.errors import ClusterError, InputError
from devenv.base.proc import SubprocessRunner
from devenv.cluster import node
from devenv.cluster.engine import Engine
from devenv.cluster.kind import NETWORK, Kind, node_name
from devenv.cluster.kube import Kube
from devenv.images import build, catalog, reachable, tools
from devenv.plan.model import ClusterSpec
from tests.conftest import making

pytestmark = pytest.mark.contract

NAME = "devenv-contract"
SPEC = ClusterSpec(NAME, "kind", None, source=reachable.source())
NODE_IMAGE = catalog.reference("node", SPEC.source)
REGISTRY_IMAGE = catalog.reference("registry", SPEC.source)
RUNNER = SubprocessRunner()
ENGINE = Engine()
CREATE = """
import sys
from devenv.base.proc import SubprocessRunner
from devenv.cluster.kind import Kind
from devenv.plan.model import ClusterSpec
name, source, node_image, registry_image, binary = sys.argv[1:]
spec = ClusterSpec(name, "kind", None, source=source)
Kind(SubprocessRunner(), binary).create(spec, node_image, registry_image, print)
"""


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


def remove(kind: Kind) -> None:
    if ENGINE.container(node_name(NAME)):
        RUNNER.run([kind.binary, "delete", "cluster", "--name", NAME])
    node.remove_registry(ENGINE, NAME)


def address(container: str) -> str:
    return docker("inspect", "--format", f"{{{{.NetworkSettings.Networks.{NETWORK}.IPAddress}}}}", container)


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVENV_STATE", str(state))
        patch.setenv("KUBECONFIG", str(state / "the-users-own"))
        (state / "the-users-own").write_text("the user's own")
        console = Console(quiet=True)
        if SPEC.source == "built":
            build.build(RUNNER, console, ["node", "registry", "debian"])
        provider = Kind(RUNNER, str(tools.ensure(RUNNER, console, ["kind"])["kind"]))
        remove(provider)  # what a run that was killed left behind
        yield provider
        assert (state / "the-users-own").read_text() == "the user's own"
        remove(provider)


def test_the_provider_can_work_here(kind: Kind) -> None:
    kind.check()


def test_an_absent_cluster(kind: Kind) -> None:
    assert kind.status(SPEC).state == "absent"
    kind.delete(SPEC)
    for act in (kind.start, kind.access):
        with pytest.raises(ClusterError) as caught:
            act(SPEC)
        assert "devenv cluster create" in (caught.value.hint or "")


def test_a_cluster_of_someone_else_is_left_alone(kind: Kind) -> None:
    foreign = ClusterSpec("devenv-foreign", "kind", None, source=SPEC.source)
    docker("create", "--name", node_name(foreign.name), REGISTRY_IMAGE)
    try:
        for act in (kind.status, kind.start, kind.delete, kind.access):
            with pytest.raises(ClusterError, match="did not make it"):
                act(foreign)
        with pytest.raises(ClusterError, match="did not make it"):
            kind.create(foreign, NODE_IMAGE, REGISTRY_IMAGE, print)
        assert ENGINE.container(node_name(foreign.name)) is not None
        assert ENGINE.container(node.registry_name(foreign.name)) is None
    finally:
        docker("rm", "--force", "--volumes", node_name(foreign.name))


def test_a_taken_port_is_refused_before_anything_is_made(kind: Kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}"):
            kind.create(ClusterSpec(NAME, "kind", None, port, SPEC.source), NODE_IMAGE, REGISTRY_IMAGE, print)
    assert kind.status(SPEC).state == "absent"
    assert ENGINE.container(node.registry_name(NAME)) is None


def test_an_interrupted_creation_leaves_a_broken_cluster(kind: Kind) -> None:
    words = [NAME, SPEC.source, NODE_IMAGE, REGISTRY_IMAGE, kind.binary]
    with making():
        process = subprocess.Popen([sys.executable, "-c", CREATE, *words], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while ENGINE.container(node_name(NAME)) is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert kind.status(SPEC).state == "broken"
    with pytest.raises(ClusterError, match="broken"):
        kind.start(SPEC)


def test_create_mends_it(kind: Kind) -> None:
    said: list[str] = []
    with making():
        kind.create(SPEC, NODE_IMAGE, REGISTRY_IMAGE, said.append)
    assert "removing the cluster of an interrupted run" in said
    found = kind.status(SPEC)
    assert (found.state, found.source) == ("running", SPEC.source)
    assert found.http_port >= 8080
    access = kind.access(SPEC)
    assert access.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert Kube(access).version() == found.kubernetes


def test_create_again_changes_nothing(kind: Kind) -> None:
    before = ENGINE.container(node_name(NAME)), kind.status(SPEC)
    started = time.monotonic()
    kind.create(SPEC, NODE_IMAGE, REGISTRY_IMAGE, print)
    assert time.monotonic() - started < 5
    assert (ENGINE.container(node_name(NAME)), kind.status(SPEC)) == before


def test_access_comes_back_when_its_file_is_lost(kind: Kind) -> None:
    kind.access(SPEC).kubeconfig.unlink()
    access = kind.access(SPEC)
    assert access.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert Kube(access).ready()


def pull(kind: Kind, name: str) -> None:
    """Run a pod from an image that is only in the cluster's registry."""
    registry = kind.status(SPEC).registry
    target = f"{registry}/contract/{name}:1"
    docker("tag", REGISTRY_IMAGE, target)
    try:
        docker("push", target)
    finally:
        docker("rmi", target)
    kube = Kube(kind.access(SPEC))
    kube.ensure_namespace("contract", {})
    container = {"name": "c", "image": target, "imagePullPolicy": "Always", "command": ["true"]}
    kube.create_pod(
        "contract", {"metadata": {"name": name}, "spec": {"containers": [container], "restartPolicy": "Never"}}
    )
    kube.wait_pod("contract", name, lambda pod: pod.phase == "Succeeded", 90)


def test_a_pod_pulls_what_this_machine_pushes(kind: Kind) -> None:
    pull(kind, "first")


def test_a_cluster_outlives_a_reboot(kind: Kind) -> None:
    before = kind.status(SPEC)
    old = address(node_name(NAME))
    docker("stop", "--time", "10", node_name(NAME), node.registry_name(NAME))
    assert kind.status(SPEC).state == "stopped"
    others: list[str] = []
    try:
        with making():  # nobody else's node may take the address
            # an engine that starts anew gives addresses out in another order
            while old not in map(address, others):
                assert len(others) < 30
                others.append(docker("run", "--detach", "--rm", "--network", NETWORK, REGISTRY_IMAGE))
            kind.start(SPEC)
        assert address(node_name(NAME)) != old
    finally:
        docker("rm", "--force", "--volumes", *others)
    assert kind.status(SPEC) == before
    assert [each.name for each in Kube(kind.access(SPEC)).namespaces()] == ["contract"]
    pull(kind, "second")


def test_a_removed_registry_comes_back(kind: Kind) -> None:
    docker("rm", "--force", node.registry_name(NAME))
    kind.create(SPEC, NODE_IMAGE, REGISTRY_IMAGE, print)
    pull(kind, "third")


def test_a_stopped_registry_starts_again(kind: Kind) -> None:
    before = kind.status(SPEC)
    docker("stop", "--time", "1", node.registry_name(NAME))
    assert kind.status(SPEC).state == "stopped"
    kind.start(SPEC)
    assert kind.status(SPEC) == before
    pull(kind, "fourth")


def test_a_registry_whose_port_was_taken_moves(kind: Kind) -> None:
    before = kind.status(SPEC)
    docker("stop", "--time", "1", node.registry_name(NAME))
    with socket.create_server(("127.0.0.1", int(before.registry.rpartition(":")[2]))):
        kind.start(SPEC)
        found = kind.status(SPEC)
        assert (found.state, found.registry != before.registry) == ("running", True)
        pull(kind, "fifth")


def test_a_registry_that_does_not_start_leaves_no_container(kind: Kind) -> None:
    name = f"{NAME}-none"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ClusterError):
        ENGINE.run_registry(name, NAME, REGISTRY_IMAGE, taken.getsockname()[1])
    assert ENGINE.container(name) is None


def test_a_broken_cluster_that_holds_an_env_is_not_thrown_away(kind: Kind) -> None:
    docker("exec", node_name(NAME), "mv", node.MARKER, node.MARKER + ".away")
    node.begin(NAME)
    try:
        assert kind.status(SPEC).state == "broken"
        with pytest.raises(ClusterError, match="`contract`"):
            kind.create(SPEC, NODE_IMAGE, REGISTRY_IMAGE, print)
    finally:
        docker("exec", node_name(NAME), "mv", node.MARKER + ".away", node.MARKER)
        node.creating(NAME).unlink()
    assert kind.status(SPEC).state == "running"


FREEZE = """
set -e
first=$(pgrep -o kube-scheduler)
if [ -d /sys/fs/cgroup/freezer ]; then
  echo FROZEN > "/sys/fs/cgroup/freezer$(sed -n 's/^[0-9]*:freezer://p' /proc/$first/cgroup | sed 's,^/docker/[^/]*,,')/freezer.state"
else
  echo 1 > "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$first/cgroup)/cgroup.freeze"
fi
"""


def test_delete_leaves_nothing(kind: Kind) -> None:
    """Also when it comes while the node makes a container, which its runtime freezes for a moment."""
    docker("exec", node_name(NAME), "sh", "-c", FREEZE)
    kind.delete(SPEC)
    assert kind.status(SPEC).state == "absent"
    assert ENGINE.container(node.registry_name(NAME)) is None
    assert not Path(os.environ["DEVENV_STATE"], "clusters", NAME).exists()
