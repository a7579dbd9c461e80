"""kind's configuration and command lines."""

from pathlib import Path

import pytest

from devenv.base.errors import InputError
from devenv.cluster import kind
from devenv.plan.model import Access, ClusterSpec

ACCESS = Access(Path("/state/clusters/devenv/kubeconfig"), "kind-devenv")


def spec(source: str = "built") -> ClusterSpec:
    return ClusterSpec("devenv", "kind", None, 8080, source)  # type: ignore[arg-type]


def test_a_built_node_brings_its_own_network_and_registry_folder() -> None:
    config = kind.create_config(spec(), "devenv.local/node:v1", {30080: 8080}, builtin=True)
    assert config["networking"] == {"disableDefaultCNI": True}
    assert "containerdConfigPatches" not in config


def test_an_official_node_is_told_where_registries_are() -> None:
    config = kind.create_config(spec("official"), "kindest/node:v1", {30080: 8080}, builtin=False)
    assert "networking" not in config
    assert 'config_path = "/etc/containerd/certs.d"' in config["containerdConfigPatches"][0]


def test_the_router_is_reachable_from_this_machine_only() -> None:
    (node,) = kind.create_config(spec(), "image", {30080: 9090}, builtin=True)["nodes"]
    assert node["extraPortMappings"] == [
        {"containerPort": 30080, "hostPort": 9090, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    ]
    assert node["image"] == "image"
    assert node["labels"] == {"devenv.dev/cluster": "devenv"}


@pytest.mark.parametrize("argv", [kind.create_argv, kind.delete_argv, kind.export_argv])
def test_the_users_kubeconfig_is_never_touched(argv) -> None:  # type: ignore[no-untyped-def]
    words = argv("kind", "devenv", ACCESS)
    assert "--kubeconfig=/state/clusters/devenv/kubeconfig" in words
    assert "--name=devenv" in words


def test_create_reads_its_configuration_from_stdin() -> None:
    assert kind.create_argv("/bin/kind", "devenv", ACCESS)[:4] == ["/bin/kind", "create", "cluster", "--name=devenv"]
    assert "--config=-" in kind.create_argv("kind", "devenv", ACCESS)


@pytest.mark.parametrize("image", ["kindest/node:v1.34.11@sha256:44e2", "devenv.local/node:v1.34.4"])
def test_kind_has_one_kubernetes(image: str) -> None:
    for wanted in (None, "1.34", "v1.34.2"):
        kind.refuse_version(ClusterSpec("devenv", "kind", wanted), image)
    for wanted in ("1.33", "1.3", "latest"):
        with pytest.raises(InputError, match=f"kind runs Kubernetes 1.34 here, .* `kubernetes: {wanted}`"):
            kind.refuse_version(ClusterSpec("devenv", "kind", wanted), image)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (" • Ensuring node image (kindest/node:v1.34.4) 🖼  ...", "Ensuring node image (kindest/node:v1.34.4)"),
        (" • Starting control-plane 🕹️  ...", "Starting control-plane"),
        (" ✓ Starting control-plane 🕹️", ""),
        ('Creating cluster "devenv" ...', ""),
        ("", ""),
    ],
)
def test_progress_tells_each_step_once(line: str, text: str) -> None:
    assert kind.progress(line) == text
