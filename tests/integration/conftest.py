"""A namespace of its own for each test, on the cluster of the run."""

import re
from collections.abc import Iterator

import pytest

from tests.conftest import Cluster

__all__ = ["Cluster"]


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of devenv's, gone after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].rstrip("-")
    cluster.kube.ensure_namespace(name, {"devenv.dev/env": name})
    yield name
    cluster.kube.delete_namespace(name, wait=False)
