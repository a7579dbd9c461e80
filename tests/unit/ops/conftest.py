"""Pods, containers and workloads as the cluster reports them, parts replaced at will."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devenv.cluster.kube_model import Container, Ended, Pod, Workload

NOW = datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC)
CONTAINER = Container(
    name="web",
    image="ref",
    init=False,
    state="running",
    reason="",
    message="",
    ready=True,
    restarts=0,
    started=NOW - timedelta(seconds=5),
    ended=None,
    last=None,
)
POD = Pod(
    name="web-7d9f8c-abcde",
    namespace="lamp",
    uid="1",
    labels={
        "app.kubernetes.io/component": "web",
        "devenv.dev/kind": "process",
        "devenv.dev/process": "web",
        "devenv.dev/release": "3",
    },
    annotations={},
    phase="Running",
    ip="10.244.0.7",
    node="n",
    created=NOW - timedelta(seconds=10),
    started=NOW - timedelta(seconds=9),
    ready=True,
    deleting=False,
    restarts=0,
    reason="",
    message="",
    containers=(CONTAINER,),
)
WORKLOAD = Workload(
    name="web", labels={}, annotations={}, desired=1, replicas=1, updated=1, ready=1, observed=True, reason=""
)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def ended() -> Callable[..., Ended]:
    def make(code: int = 1, reason: str = "Error", ago: float = 1, ran: float = 5) -> Ended:
        return Ended(code, reason, "", NOW - timedelta(seconds=ago), NOW - timedelta(seconds=ago + ran))

    return make


@pytest.fixture
def container() -> Callable[..., Container]:
    return lambda **fields: replace(CONTAINER, **fields)


@pytest.fixture
def pod() -> Callable[..., Pod]:
    def make(*containers: Container, labels: dict[str, str] | None = None, **fields: Any) -> Pod:
        found = {"containers": containers} if containers else {}
        return replace(POD, labels={**POD.labels, **(labels or {})}, **found, **fields)

    return make


@pytest.fixture
def workload() -> Callable[..., Workload]:
    return lambda **fields: replace(WORKLOAD, **fields)
