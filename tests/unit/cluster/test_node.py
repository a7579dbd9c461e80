"""What tells a cluster of devenv's from a half-made and from a foreign one."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from devenv.base.errors import ClusterError, InputError
from devenv.cluster import node
from devenv.cluster.engine import LABEL, Container
from devenv.cluster.node import Marker
from devenv.plan.model import ClusterSpec

SPEC = ClusterSpec("devenv", "kind", None)
MARKER = Marker("devenv", "built", "v1.34.4", 8080, 5001, "devenv.local/registry:2.8")


class Machine:
    """The engine's answers."""

    def __init__(
        self,
        container: Container | None = None,
        files: dict[str, bytes] | None = None,
        ports: dict[int, str] | None = None,
        registry: Container | None = None,
    ):
        self._container, self.files, self.ports, self.registry = container, files or {}, ports or {}, registry
        self.taken = False

    def container(self, name: str) -> Container | None:
        return self.registry if name == node.registry_name("devenv") else self._container

    def start(self, name: str) -> None:
        if self.taken:
            raise ClusterError("its port is taken")

    def remove(self, name: str) -> None:
        self.registry = None

    def run_registry(self, name: str, cluster: str, image: str, port: int) -> None:
        self.registry = registry(port=port)

    def read_file(self, name: str, path: str) -> bytes | None:
        return self.files.get(path)

    def write_file(self, name: str, path: str, data: bytes) -> None:
        self.files[path] = data

    def bound_ports(self) -> dict[int, str]:
        return self.ports


def made(running: bool = True, ports: dict[str, int] | None = None) -> Container:
    return Container(
        "devenv-control-plane", "node", running, {}, {"30080/tcp": 8080} if ports is None else ports, ("kind",)
    )


def registry(running: bool = True, port: int = 5001) -> Container:
    return Container("devenv-registry", "registry", running, {LABEL: "devenv"}, {"5000/tcp": port}, ("kind",))


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))


def test_absent() -> None:
    assert node.status(Machine(), SPEC, "n").state == "absent"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("running", "beside", "state"),
    [
        (True, registry(), "running"),
        (False, registry(), "stopped"),
        (True, registry(running=False), "stopped"),
        (True, None, "stopped"),
    ],
)
def test_a_marked_node_is_a_cluster_of_ours(running: bool, beside: Container | None, state: str) -> None:
    machine = Machine(made(running), {node.MARKER: json.dumps(asdict(MARKER)).encode()}, registry=beside)
    found = node.status(machine, SPEC, "n")  # type: ignore[arg-type]
    assert (found.state, found.http_port, found.registry) == (state, 8080, "localhost:5001")
    assert (found.source, found.kubernetes) == ("built", "v1.34.4")


def test_a_registry_whose_port_was_taken_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "free_port", lambda engine, first: 5002)
    machine = Machine(registry=registry(running=False))
    assert node.ensure_registry(machine, "devenv", "registry") == 5001  # type: ignore[arg-type]
    machine.taken = True
    assert node.ensure_registry(machine, "devenv", "registry") == 5002  # type: ignore[arg-type]


def test_an_interrupted_creation_is_broken() -> None:
    node.begin("devenv")
    assert node.status(Machine(made()), SPEC, "n").state == "broken"  # type: ignore[arg-type]


def test_a_foreign_cluster_is_refused() -> None:
    with pytest.raises(ClusterError, match="did not make it"):
        node.status(Machine(made()), SPEC, "n")  # type: ignore[arg-type]


def test_a_foreign_cluster_is_refused_even_after_an_interrupted_creation() -> None:
    node.begin("devenv")
    with pytest.raises(ClusterError, match="did not make it"):
        node.status(Machine(made(ports={"6443/tcp": 1234})), SPEC, "n")  # type: ignore[arg-type]


def test_finish_marks_the_node_last() -> None:
    machine = Machine(made())
    node.begin("devenv")
    node.finish(machine, "n", MARKER)  # type: ignore[arg-type]
    assert not node.creating("devenv").exists()
    assert node.read_marker(machine, "n") == MARKER  # type: ignore[arg-type]


def test_a_taken_port_names_who_has_it() -> None:
    with pytest.raises(InputError, match="port 8080") as caught:
        node.choose_http_port(Machine(ports={8080: "other-control-plane"}), 8080)  # type: ignore[arg-type]
    assert "`other-control-plane`" in (caught.value.hint or "")


def test_hosts_toml_points_containerd_at_the_registrys_container() -> None:
    text = node.hosts_toml("devenv")
    assert 'server = "http://devenv-registry:5000"' in text
    assert '[host."http://devenv-registry:5000"]' in text
