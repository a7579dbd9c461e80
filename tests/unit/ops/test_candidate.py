"""Whether another machine is at a release."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from devenv.cluster.kube_model import HelmState
from devenv.ops import candidate


def state(status: str, updated: datetime) -> HelmState:
    return HelmState("app", status, 7, "f", updated, 6)


def test_a_release_that_helm_has_just_begun_is_somebodys(pod: Callable[..., Any], now: datetime) -> None:
    fresh, old = now - timedelta(seconds=20), now - timedelta(seconds=candidate.FRESH + 1)
    running, ended = pod(phase="Running"), pod(phase="Succeeded")
    assert candidate.in_flight(state("pending-upgrade", fresh), (), now)
    assert candidate.in_flight(state("pending-upgrade", old), (running,), now)
    assert not candidate.in_flight(state("pending-upgrade", old), (ended,), now), "it was killed"
    assert not candidate.in_flight(state("deployed", fresh), (running,), now)
