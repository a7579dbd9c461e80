"""A cluster whose node is a Docker container: devenv's mark in it, its registry, its ports. For kind and minikube."""

import json
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from devenv.base import paths
from devenv.base.errors import ClusterError, InputError
from devenv.cluster.engine import LABEL, REGISTRY_PORT, Container, Engine
from devenv.cluster.kube import Kube
from devenv.cluster.provider import ClusterStatus
from devenv.plan.model import Access, ClusterSpec, Source

MARKER = "/etc/devenv/cluster.json"
SYSTEM = "devenv-system"
HTTP_NODE_PORT = 30080  # where the router listens inside the node
FIRST_HTTP_PORT, FIRST_REGISTRY_PORT = 8080, 5001
ENOUGH_WATCHES = 512


@dataclass(frozen=True, slots=True)
class Marker:
    """What devenv notes in a node once the cluster is complete. A node without it is half made, or not devenv's."""

    cluster: str
    source: Source
    kubernetes: str
    http_port: int
    registry_port: int
    registry_image: str


def folder(cluster: str) -> Path:
    """Where this machine keeps the cluster's kubeconfig."""
    return paths.state() / "clusters" / cluster


def kubeconfig(cluster: str) -> Path:
    """The cluster's own kubeconfig; the user's is never touched."""
    return folder(cluster) / "kubeconfig"


def registry_name(cluster: str) -> str:
    """The name of the registry's container, and its host name inside the cluster."""
    return f"{cluster}-registry"


def hosts_toml(cluster: str) -> str:
    """Tells containerd where `localhost:<port>` is for a node (https://github.com/containerd/containerd/blob/main/docs/hosts.md)."""
    url = f"http://{registry_name(cluster)}:{REGISTRY_PORT}"
    return f'server = "{url}"\n\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'


def creating(cluster: str) -> Path:
    """Exists while devenv makes the cluster: tells a half-made node from one that someone else made."""
    return folder(cluster) / "creating"


def begin(cluster: str) -> None:
    """Note that devenv is about to make the cluster."""
    folder(cluster).mkdir(parents=True, exist_ok=True, mode=0o700)
    creating(cluster).touch()


def read_marker(engine: Engine, node: str) -> Marker | None:
    """The mark in a node, or None."""
    content = engine.read_file(node, MARKER)
    return Marker(**json.loads(content)) if content else None


def finish(engine: Engine, node: str, marker: Marker) -> None:
    """Mark the node as complete: the last step of making a cluster."""
    engine.write_file(node, MARKER, json.dumps(asdict(marker)).encode())
    creating(marker.cluster).unlink(missing_ok=True)


def forget(cluster: str) -> None:
    """Remove what this machine keeps about the cluster."""
    shutil.rmtree(folder(cluster), ignore_errors=True)


def status(engine: Engine, spec: ClusterSpec, node: str) -> ClusterStatus:
    """The status from the node's container and the mark in it; raises ClusterError for a node that is not devenv's."""
    container = engine.container(node)
    if container is None:
        return ClusterStatus("absent")
    marker = read_marker(engine, node)
    if marker is None:
        if not _half_made(spec.name, container):
            raise ClusterError(
                f"a cluster named `{spec.name}` exists and devenv did not make it",
                "choose another name with `--cluster`, or delete that one with the tool that made it",
            )
        return ClusterStatus("broken", detail="its creation was interrupted")
    facts = (marker.http_port, f"localhost:{marker.registry_port}", marker.source, marker.kubernetes)
    registry = engine.container(registry_name(spec.name))
    runs = container.running and registry is not None and registry.running  # starting what runs does no harm
    return ClusterStatus("running" if runs else "stopped", *facts)


def _half_made(cluster: str, container: Container) -> bool:
    return creating(cluster).exists() and f"{HTTP_NODE_PORT}/tcp" in container.ports


def choose_http_port(engine: Engine, wished: int) -> int:
    """The router's host port: the one wished for, else the first free from 8080. Raises InputError when it is taken."""
    if not wished:
        return free_port(engine, FIRST_HTTP_PORT)
    taken_by = engine.bound_ports().get(wished)
    if taken_by or not _can_bind(wished):
        who = (
            f"the container `{taken_by}` has it"
            if taken_by
            else f"`ss -ltnp 'sport = :{wished}'` tells which program has it"
        )
        raise InputError(
            f"port {wished} of this machine is taken", f"choose another port, or leave it to devenv: {who}"
        )
    return wished


def free_port(engine: Engine, first: int) -> int:
    """The first host port from `first` that no program has and no stopped container wants back."""
    taken = engine.bound_ports()
    for port in range(first, first + 500):
        if port not in taken and _can_bind(port):
            return port
    raise ClusterError(
        f"no port from {first} to {first + 499} is free on this machine", "stop what uses them and try again"
    )


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def ensure_registry(engine: Engine, cluster: str, image: str) -> int:
    """Have the cluster's registry running; its host port. Raises ClusterError when that name is taken."""
    name = registry_name(cluster)
    found = engine.container(name)
    if found is not None and found.labels.get(LABEL) != cluster:
        raise ClusterError(
            f"a container `{name}` exists and devenv did not make it", "choose another name with `--cluster`"
        )
    if found is not None and not found.running:
        try:
            engine.start(name)
        except ClusterError:  # another program has its port now; what it holds is in a volume
            engine.remove(name)
            found = None
    if found is None:
        engine.run_registry(name, cluster, image, free_port(engine, FIRST_REGISTRY_PORT))
        found = engine.container(name)
        assert found is not None
    return found.ports[f"{REGISTRY_PORT}/tcp"]


def wire_registry(engine: Engine, cluster: str, network: str, node: str, port: int) -> None:
    """Let the node pull what this machine pushes to `localhost:port`."""
    engine.connect(network, registry_name(cluster))
    engine.write_file(node, f"/etc/containerd/certs.d/localhost:{port}/hosts.toml", hosts_toml(cluster).encode())


def revive(engine: Engine, spec: ClusterSpec, network: str, node: str) -> None:
    """Start the registry of a complete cluster again, or run it anew when it was removed."""
    marker = read_marker(engine, node)
    if marker is None:
        raise ClusterError(f"the cluster `{spec.name}` is not complete", "`devenv cluster create` makes it anew")
    port = ensure_registry(engine, spec.name, marker.registry_image)
    wire_registry(engine, spec.name, network, node, port)
    if port != marker.registry_port:
        finish(engine, node, Marker(**{**asdict(marker), "registry_port": port}))


def remove_registry(engine: Engine, cluster: str) -> None:
    """Remove the cluster's registry; the layers stay for the next cluster. One that devenv did not make stays."""
    name = registry_name(cluster)
    found = engine.container(name)
    if found is not None and found.labels.get(LABEL) == cluster:
        engine.remove(name)


def refuse_envs(access: Access) -> None:
    """Raises ClusterError when the cluster answers and holds an environment: it may not be thrown away to mend it."""
    if not access.kubeconfig.exists():
        return
    kube = Kube(access)
    if not kube.ready():
        return
    if envs := [each.name for each in kube.namespaces() if each.name != SYSTEM]:
        names = ", ".join(f"`{name}`" for name in envs)
        raise ClusterError(
            f"the cluster is broken and holds {names}",
            "`devenv cluster delete` removes it with its data, if you want that",
        )


def few_watches() -> str | None:
    """The next step when this machine lets so few inotify instances be that a further cluster may not start; else None."""
    # systemd in a node then ends at once, other programs with "too many open files"
    # (https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files)
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    try:
        allowed = int(limit.read_text())
    except (OSError, ValueError):
        return None  # no Linux, or none that tells
    if allowed >= ENOUGH_WATCHES:
        return None
    return f"with several clusters {allowed} inotify instances are too few: `sudo sysctl fs.inotify.max_user_instances=512`"


def wait_ready(access: Access, timeout: float, alive: Callable[[], bool]) -> str:
    """Wait until the API answers, the node is ready and pods can be created; Kubernetes' version."""
    kube = Kube(access)
    deadline = time.monotonic() + timeout
    while not (kube.ready() and kube.has_service_account("default") and any(node.ready for node in kube.nodes())):
        if not alive():
            raise ClusterError(
                "the cluster's node ended while it was starting", "`docker ps -a` and `docker logs` tell why"
            )
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the cluster did not get ready within {timeout:.0f} s",
                few_watches() or "`devenv cluster status` tells its state; try again",
            )
        time.sleep(0.3)
    return kube.version()
