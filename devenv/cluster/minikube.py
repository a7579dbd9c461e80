"""Clusters by the `minikube` binary, with the Docker driver and a kubeconfig of their own."""

import json
from collections.abc import Mapping

from devenv.base.errors import ClusterError, CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.cluster import binaries, node
from devenv.cluster.engine import Engine
from devenv.cluster.node import Marker
from devenv.cluster.provider import ClusterStatus, Say
from devenv.plan.model import Access, ClusterSpec

READY_SECONDS = 300


def start_argv(binary: str, spec: ClusterSpec, http_port: int) -> list[str]:
    """Create or start a cluster. containerd, because its certs.d tells the node where `localhost:<port>` is.

    Flags: https://minikube.sigs.k8s.io/docs/commands/start/
    """
    words = [binary, "start", f"--profile={spec.name}", "--driver=docker", "--container-runtime=containerd"]
    words += [f"--ports=127.0.0.1:{http_port}:{node.HTTP_NODE_PORT}", "--embed-certs", "--interactive=false"]
    words += ["--install-addons=true", "--wait=apiserver,system_pods,default_sa", f"--wait-timeout={READY_SECONDS}s"]
    return [*words, f"--kubernetes-version={spec.kubernetes}"] if spec.kubernetes else words


def status_argv(binary: str, name: str) -> list[str]:
    """Ask for the cluster's state."""
    return [binary, "status", f"--profile={name}", "--output=json"]


def delete_argv(binary: str, name: str) -> list[str]:
    """Delete the cluster."""
    return [binary, "delete", f"--profile={name}"]


def update_context_argv(binary: str, name: str) -> list[str]:
    """Write the cluster's entry into the kubeconfig again."""
    return [binary, "update-context", f"--profile={name}"]


def environment(access: Access) -> dict[str, str]:
    """What makes minikube write to the cluster's own kubeconfig: it has no flag for it."""
    return {"KUBECONFIG": str(access.kubeconfig), "MINIKUBE_IN_STYLE": "false"}


def step(line: str) -> str:
    """A line of minikube's output without its mark (`* `, `- `, `! `)."""
    return line.strip().lstrip("*-!X ").removesuffix(" ...").strip()


def paused(status: Mapping[str, str]) -> bool:
    """Whether the node runs and its API server does not: `minikube pause` or a failed start."""
    return status.get("Host") == "Running" and status.get("APIServer") not in ("Running", None)


class Minikube:
    """The `minikube` provider. The node's container and network have the profile's name."""

    def __init__(self, runner: Runner, binary: str | None = None, engine: Engine | None = None) -> None:
        self.runner = runner
        self.engine = engine or Engine()
        self._binary = binary

    @property
    def binary(self) -> str:
        """The minikube program; raises ToolMissing."""
        if self._binary is None:
            self._binary = binaries.find("minikube")
        return self._binary

    def check(self) -> None:
        """Raises ToolMissing when the engine does not run or minikube is missing."""
        self.engine.check()
        try:
            self.runner.run([self.binary, "version", "--short"], timeout=20)
        except CommandFailed as error:
            raise ToolMissing(f"`{self.binary}` does not run", "install minikube again", error.details) from error

    def status(self, spec: ClusterSpec) -> ClusterStatus:
        """The cluster as it is; raises ClusterError when one of that name is not devenv's."""
        found = node.status(self.engine, spec, spec.name)
        if found.state == "running" and paused(self._reported(spec)):
            return ClusterStatus("stopped", found.http_port, found.registry, found.source, found.kubernetes)
        return found

    def _reported(self, spec: ClusterSpec) -> dict[str, str]:
        # the exit status is a sum of bits that tell what does not run: not a failure of the command
        done = self.runner.run(
            status_argv(self.binary, spec.name), env=environment(self._access(spec)), check=False, timeout=30
        )
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def create(self, spec: ClusterSpec, node_image: str, registry_image: str, say: Say) -> None:
        """Have the cluster running with its registry. minikube brings its own node image: `node_image` is not used."""
        self.check()
        state = self.status(spec).state
        if state in ("running", "stopped"):
            return self.start(spec)
        if state == "broken":
            say("removing the cluster of an interrupted run")
            node.refuse_envs(self._access(spec))
            self._minikube(delete_argv(self.binary, spec.name), spec, say)
        http_port = node.choose_http_port(self.engine, spec.http_port)
        registry_port = node.ensure_registry(self.engine, spec.name, registry_image)
        node.begin(spec.name)
        self._minikube(start_argv(self.binary, spec, http_port), spec, say)
        self._access(spec).kubeconfig.chmod(0o600)
        node.wire_registry(self.engine, spec.name, spec.name, spec.name, registry_port)
        kubernetes = self._wait(spec)
        marker = Marker(spec.name, spec.source, kubernetes, http_port, registry_port, registry_image)
        node.finish(self.engine, spec.name, marker)

    def start(self, spec: ClusterSpec) -> None:
        """Start a stopped cluster and wait until it answers."""
        found = self.status(spec)
        if found.state in ("absent", "broken"):
            raise ClusterError(f"the cluster `{spec.name}` is {found.state}", "`devenv cluster create` makes it")
        if found.state == "stopped":
            # minikube also renews what a new IP address of the node breaks
            self._minikube(start_argv(self.binary, spec, found.http_port), spec, lambda _: None)
        node.revive(self.engine, spec, spec.name, spec.name)
        self.access(spec)
        self._wait(spec)

    def delete(self, spec: ClusterSpec) -> None:
        """Delete the cluster and its registry; raises ClusterError when it is not devenv's."""
        self.check()
        absent = self.status(spec).state == "absent"
        # first: a network with a container on it cannot be removed
        node.remove_registry(self.engine, spec.name)
        if not absent:
            self._minikube(delete_argv(self.binary, spec.name), spec, lambda _: None)
        node.forget(spec.name)

    def access(self, spec: ClusterSpec) -> Access:
        """How to reach the cluster; raises ClusterError when there is none."""
        access = self._access(spec)
        if not access.kubeconfig.exists():
            if self.status(spec).state == "absent":
                raise ClusterError(
                    f"there is no cluster `{spec.name}`", "`devenv up` or `devenv cluster create` makes it"
                )
            self._minikube(update_context_argv(self.binary, spec.name), spec, lambda _: None)
            access.kubeconfig.chmod(0o600)
        return access

    def _access(self, spec: ClusterSpec) -> Access:
        return Access(node.kubeconfig(spec.name), spec.name)

    def _minikube(self, argv: list[str], spec: ClusterSpec, say: Say) -> None:
        node.folder(spec.name).mkdir(parents=True, exist_ok=True, mode=0o700)

        def on_line(line: str) -> None:
            if text := step(line):
                say(text)

        try:
            self.runner.stream(argv, on_line, env=environment(self._access(spec)))
        except CommandFailed as error:
            what = f"minikube could not {argv[1]} the cluster `{spec.name}`"
            raise ClusterError(what, "`minikube logs --problems` tells more", error.details) from error

    def _wait(self, spec: ClusterSpec) -> str:
        def alive() -> bool:
            found = self.engine.container(spec.name)
            return found is not None and found.running

        return node.wait_ready(self._access(spec), READY_SECONDS, alive)
