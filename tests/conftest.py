"""One real cluster for the whole run, made by the product's own code. No engine, no cluster: the tests fail."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from devenv.base import paths
from devenv.base.console import Console
from devenv.base.proc import SubprocessRunner
from devenv.cluster.helm import Helm
from devenv.cluster.kube import Kube
from devenv.cluster.provider import ClusterStatus, Provider, select
from devenv.images import build, catalog, publish, reachable, tools
from devenv.plan.model import Access, ClusterSpec

# another one for two runs at once; each worker of a run has its own
NAME = "-".join(
    filter(None, (os.environ.get("DEVENV_TEST_CLUSTER", "devenv-test"), os.environ.get("PYTEST_XDIST_WORKER")))
)
STATE = paths.cache() / "test-state"  # apart from the user's own clusters

# a run in the background of a shell ignores these, and so would each program that a test interrupts (POSIX, XCU 2.11)
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


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


@contextmanager
def making() -> Iterator[None]:
    """The right to make a cluster, the product's own lock: each takes the first free ports, and two workers may be at it."""
    locks = STATE / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with open(locks / "clusters.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Made anew, deleted at the end; `DEVENV_TEST_KEEP=1` keeps it for the next run, which takes it as it is."""
    runner, console = SubprocessRunner(), Console(quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVENV_STATE", str(STATE))
        binaries = tools.ensure(runner, console, ["kind", "helm", "kubectl"])
        source = reachable.source()
        spec = ClusterSpec(NAME, "kind", None, source=source)
        provider = select(spec.provider, runner, str(binaries["kind"]))
        if source == "built":
            build.build(runner, console, ["node", "registry", "debian"])
        with making():
            if not os.environ.get("DEVENV_TEST_KEEP"):
                provider.delete(spec)  # what a run that was killed left behind
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
