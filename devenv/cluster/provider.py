"""What a cluster provider does, and which there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from devenv.base.errors import InputError
from devenv.base.proc import Runner
from devenv.plan.model import Access, ClusterSpec, Source

State = Literal["absent", "stopped", "running", "broken"]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A cluster as it is. `registry` is where images are pushed to and pulled from: `localhost:5001`."""

    state: State
    http_port: int = 0
    registry: str = ""
    source: Source = "official"
    kubernetes: str | None = None
    detail: str = ""  # why it is broken


class Provider(Protocol):
    """Makes, starts and deletes clusters. It touches none but those that devenv made or that were marked for it."""

    def check(self) -> None:
        """Raises ToolMissing when the provider cannot work on this machine."""

    def status(self, spec: ClusterSpec) -> ClusterStatus:
        """The cluster as it is; raises ClusterError when one of that name is not devenv's."""

    def create(self, spec: ClusterSpec, node_image: str, registry_image: str, say: Say) -> None:
        """Have the cluster running with its registry, as often as it is called; a half-made one is made anew."""

    def start(self, spec: ClusterSpec) -> None:
        """Start a stopped cluster and wait until it answers."""

    def delete(self, spec: ClusterSpec) -> None:
        """Delete the cluster and its registry with all images; nothing to do when it is absent."""

    def access(self, spec: ClusterSpec) -> Access:
        """How to reach it; raises ClusterError when there is no such cluster."""


def _kind(runner: Runner, binary: str | None, name: str) -> Provider:
    from devenv.cluster.kind import Kind

    return Kind(runner, binary)


def _minikube(runner: Runner, binary: str | None, name: str) -> Provider:
    from devenv.cluster.minikube import Minikube

    return Minikube(runner, binary)


def _context(runner: Runner, binary: str | None, name: str) -> Provider:
    from devenv.cluster.context import ExistingCluster

    return ExistingCluster(runner, name, binary)


PROVIDERS: dict[str, Callable[[Runner, str | None, str], Provider]] = {
    "kind": _kind,
    "minikube": _minikube,
    "context": _context,
}


def select(provider: str, runner: Runner, binary: str | None = None) -> Provider:
    """The provider for `kind`, `minikube` or `context:NAME`. `binary` is the path of its program, found when None."""
    kind, _, name = provider.partition(":")
    if kind not in PROVIDERS or (kind == "context") != bool(name):
        raise InputError(f"`{provider}` is not a provider", "use kind, minikube or context:NAME")
    return PROVIDERS[kind](runner, binary, name)
