"""Clusters by the `kind` binary, with a kubeconfig of their own."""

import re
from collections.abc import Mapping
from typing import Any

from devenv.base.errors import ClusterError, CommandFailed, InputError, ToolMissing
from devenv.base.proc import Runner
from devenv.base.resources import dump_yaml
from devenv.cluster import binaries, node
from devenv.cluster.engine import Engine
from devenv.cluster.node import Marker
from devenv.cluster.provider import ClusterStatus, Say
from devenv.plan.model import Access, ClusterSpec

NETWORK = "kind"
READY_SECONDS = 180
# node images before kind v0.27 lack it; kind leaves a patch out whose version is not the image's
# (https://kind.sigs.k8s.io/docs/user/local-registry/)
REGISTRY_PATCH = (
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n'
)


def create_config(spec: ClusterSpec, node_image: str, ports: Mapping[int, int], builtin: bool) -> dict[str, Any]:
    """kind's configuration. `ports`: node port -> port of 127.0.0.1; `builtin`: the image has its own pod network."""
    mappings = [
        {"containerPort": inner, "hostPort": outer, "listenAddress": "127.0.0.1", "protocol": "TCP"}
        for inner, outer in ports.items()
    ]
    control_plane = {
        "role": "control-plane",
        "image": node_image,
        "labels": {"devenv.dev/cluster": spec.name},
        "extraPortMappings": mappings,
    }
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": spec.name,
        "nodes": [control_plane],
    }
    if builtin:
        config["networking"] = {"disableDefaultCNI": True}
    else:
        config["containerdConfigPatches"] = [REGISTRY_PATCH]
    return config


def refuse_version(spec: ClusterSpec, node_image: str) -> None:
    """Raises InputError when another minor version of Kubernetes is asked for than the node image has."""
    pinned = re.search(r"node:v(\d+\.\d+)", node_image)
    if spec.kubernetes and pinned and not re.fullmatch(rf"v?{re.escape(pinned[1])}(\.\d+)?", spec.kubernetes):
        raise InputError(
            f"kind runs Kubernetes {pinned[1]} here, and the profile asks for `kubernetes: {spec.kubernetes}`",
            "leave `kubernetes` empty, or use `--provider minikube`",
        )


def create_argv(binary: str, name: str, access: Access) -> list[str]:
    """Create a cluster from the configuration on stdin."""
    return [
        binary,
        "create",
        "cluster",
        f"--name={name}",
        "--config=-",
        f"--kubeconfig={access.kubeconfig}",
        f"--wait={READY_SECONDS}s",
    ]


def delete_argv(binary: str, name: str, access: Access) -> list[str]:
    """Delete a cluster."""
    return [binary, "delete", "cluster", f"--name={name}", f"--kubeconfig={access.kubeconfig}"]


def export_argv(binary: str, name: str, access: Access) -> list[str]:
    """Write the cluster's kubeconfig again."""
    return [binary, "export", "kubeconfig", f"--name={name}", f"--kubeconfig={access.kubeconfig}"]


def node_name(cluster: str) -> str:
    """The container that is the cluster's node."""
    return f"{cluster}-control-plane"


def progress(line: str) -> str:
    """kind's line without its marks; empty for those that do not tell of progress."""
    match = re.match(r"\s*•\s*(.+)", line)  # each step starts with one such line and ends with one of ✓ or ✗
    return re.sub(r"[^\w)]+$", "", match[1]) if match else ""


class Kind:
    """The `kind` provider."""

    def __init__(self, runner: Runner, binary: str | None = None, engine: Engine | None = None) -> None:
        self.runner = runner
        self.engine = engine or Engine()
        self._binary = binary

    @property
    def binary(self) -> str:
        """The kind program; raises ToolMissing."""
        if self._binary is None:
            self._binary = binaries.find("kind")
        return self._binary

    def check(self) -> None:
        """Raises ToolMissing when the engine does not run or kind is missing."""
        self.engine.check()
        try:
            self.runner.run([self.binary, "version", "--quiet"], timeout=20)
        except CommandFailed as error:
            raise ToolMissing(f"`{self.binary}` does not run", "install kind again", error.details) from error

    def status(self, spec: ClusterSpec) -> ClusterStatus:
        """The cluster as it is; raises ClusterError when one of that name is not devenv's."""
        return node.status(self.engine, spec, node_name(spec.name))

    def create(self, spec: ClusterSpec, node_image: str, registry_image: str, say: Say) -> None:
        """Have the cluster running with its registry. Raises InputError for a Kubernetes version that it would not have."""
        self.check()
        refuse_version(spec, node_image)
        state = self.status(spec).state
        if state in ("running", "stopped"):
            return self.start(spec)
        if state == "broken":
            say("removing the cluster of an interrupted run")
            node.refuse_envs(self._access(spec))
            self._delete_node(spec)
        if spec.source == "built" and not self.engine.has_image(node_image):
            raise ClusterError(f"the node image `{node_image}` is not on this machine", "`devenv up` builds it first")
        http_port = node.choose_http_port(self.engine, spec.http_port)
        registry_port = node.ensure_registry(self.engine, spec.name, registry_image)
        node.begin(spec.name)
        self._create_node(spec, node_image, http_port, say)
        node.wire_registry(self.engine, spec.name, NETWORK, node_name(spec.name), registry_port)
        kubernetes = self._wait(spec)
        node.finish(
            self.engine,
            node_name(spec.name),
            Marker(spec.name, spec.source, kubernetes, http_port, registry_port, registry_image),
        )

    def _create_node(self, spec: ClusterSpec, node_image: str, http_port: int, say: Say) -> None:
        config = create_config(spec, node_image, {node.HTTP_NODE_PORT: http_port}, spec.source == "built")
        access = self._access(spec)

        def on_line(line: str) -> None:
            if text := progress(line):
                say(text)

        try:
            self.runner.stream(create_argv(self.binary, spec.name, access), on_line, stdin=dump_yaml(config).encode())
        except CommandFailed as error:
            if self.engine.container(node_name(spec.name)) is None:  # else the next run knows it as its own, half made
                node.creating(spec.name).unlink(missing_ok=True)
            hint = node.few_watches() or "the lines above are kind's; `docker info` tells the engine's state"
            raise ClusterError(f"kind could not create the cluster `{spec.name}`", hint, error.details) from error
        access.kubeconfig.chmod(0o600)

    def start(self, spec: ClusterSpec) -> None:
        """Start a stopped cluster and wait until it answers."""
        state = self.status(spec)
        if state.state in ("absent", "broken"):
            raise ClusterError(f"the cluster `{spec.name}` is {state.state}", "`devenv cluster create` makes it")
        name = node_name(spec.name)
        if state.state == "stopped":
            self.engine.start(name)
        node.revive(self.engine, spec, NETWORK, name)
        self.access(spec)
        self._wait(spec)

    def delete(self, spec: ClusterSpec) -> None:
        """Delete the cluster and its registry; raises ClusterError when it is not devenv's."""
        self.check()
        if self.status(spec).state != "absent":
            self._delete_node(spec)
        node.remove_registry(self.engine, spec.name)
        node.forget(spec.name)

    def access(self, spec: ClusterSpec) -> Access:
        """How to reach the cluster; raises ClusterError when there is none."""
        access = self._access(spec)
        if not access.kubeconfig.exists():
            if self.status(spec).state == "absent":
                raise ClusterError(
                    f"there is no cluster `{spec.name}`", "`devenv up` or `devenv cluster create` makes it"
                )
            node.folder(spec.name).mkdir(parents=True, exist_ok=True, mode=0o700)
            self.runner.run(export_argv(self.binary, spec.name, access), timeout=60)
            access.kubeconfig.chmod(0o600)
        return access

    def _access(self, spec: ClusterSpec) -> Access:
        return Access(node.kubeconfig(spec.name), f"kind-{spec.name}")

    def _delete_node(self, spec: ClusterSpec) -> None:
        argv = delete_argv(self.binary, spec.name, self._access(spec))
        try:
            self.runner.run(argv, timeout=120)
        except CommandFailed:
            self.engine.thaw(node_name(spec.name))
            self.runner.run(argv, timeout=120)

    def _wait(self, spec: ClusterSpec) -> str:
        def alive() -> bool:
            found = self.engine.container(node_name(spec.name))
            return found is not None and found.running

        return node.wait_ready(self._access(spec), READY_SECONDS, alive)
