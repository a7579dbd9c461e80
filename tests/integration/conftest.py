"""One real cluster for the whole run, made by the product's own code; a namespace of its own for each test."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from devenv.base.console import Console
from devenv.base.proc import SubprocessRunner
from devenv.cluster.helm import Helm
from devenv.cluster.kube import Kube
from devenv.cluster.provider import ClusterStatus, Provider, select
from devenv.images import build, catalog, publish, reachable, tools
from devenv.plan.model import Access, ClusterSpec

NAME = "devenv-test"


@dataclass(frozen=True)
class Cluster:
    """The cluster of this run and the seams to it. `image` is a small one that its pods can run."""

    spec: ClusterSpec
    provider: Provider
    status: ClusterStatus
    access: Access
    kube: Kube
    helm: Helm
    image: str


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Made when it is not there, deleted at the end; `DEVENV_TEST_KEEP=1` keeps it for the next run."""
    runner, console = SubprocessRunner(), Console(quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVENV_STATE", str(tmp_path_factory.mktemp("state")))
        binaries = tools.ensure(runner, console, ["kind", "helm"])
        source = reachable.source()
        spec = ClusterSpec(NAME, "kind", None, source=source)
        provider = select(spec.provider, runner, str(binaries["kind"]))
        if source == "built":
            build.build(runner, console, ["node", "registry", "debian"])
        provider.create(spec, catalog.reference("node", source), catalog.reference("registry", source), print)
        try:
            status, access = provider.status(spec), provider.access(spec)
            if source == "built":
                publish.publish(runner, ["debian"], status.registry)
            image = publish.reference("debian", source, status.registry)
            yield Cluster(
                spec, provider, status, access, Kube(access), Helm(runner, access, str(binaries["helm"])), image
            )
        finally:
            if not os.environ.get("DEVENV_TEST_KEEP"):
                provider.delete(spec)


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of devenv's, gone after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].rstrip("-")
    cluster.kube.ensure_namespace(name, {"devenv.dev/env": name})
    yield name
    cluster.kube.delete_namespace(name, wait=False)
