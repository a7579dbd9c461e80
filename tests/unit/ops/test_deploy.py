"""Which release a deploy goes back to, when nobody saw the last one come up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from devenv.cluster.kube_model import HelmState, Pod
from devenv.ops import deploy
from devenv.ops.env import Env


@dataclass
class Pods:
    """A cluster that knows of pods only."""

    found: list[Pod] = field(default_factory=list)

    def pods(self, namespace: str, selector: str) -> list[Pod]:
        return self.found


def env(*pods: Pod) -> Env:
    return cast(Env, SimpleNamespace(kube=Pods(list(pods)), name="lamp"))


def state(revision: int, version: int, status: str) -> HelmState:
    return HelmState("app", status, revision, f"f{version}", None, version)


STATES = [state(1, 1, "superseded"), state(2, 2, "superseded"), state(3, 2, "superseded"), state(4, 3, "deployed")]


def test_what_helm_deployed_when_its_processes_are_up(pod: Callable[..., Any]) -> None:
    up = env(pod(labels={"devenv.dev/release": "3"}))
    assert deploy.unfinished(up, 3) == 0
    assert deploy._before(up, STATES) == STATES[3]
    assert deploy._before(env(), []) is None


def test_the_one_before_when_its_processes_still_serve(pod: Callable[..., Any]) -> None:
    cut = env(pod(labels={"devenv.dev/release": "3"}), pod(labels={"devenv.dev/release": "2"}))
    assert deploy.unfinished(cut, 3) == 2
    assert deploy._before(cut, STATES) == STATES[2], "as it was scaled last"


def test_processes_on_their_way_out_do_not_count(pod: Callable[..., Any]) -> None:
    assert deploy.unfinished(env(pod(labels={"devenv.dev/release": "2"}, deleting=True)), 3) == 0


def test_what_is_left_of_an_evicted_process_does_not_count(pod: Callable[..., Any]) -> None:
    left = env(pod(labels={"devenv.dev/release": "2"}, phase="Failed", reason="Evicted", ready=False))
    assert deploy.unfinished(left, 3) == 0
    assert deploy._before(left, STATES) == STATES[3]


def test_the_highest_number_is_the_newest_release() -> None:
    assert deploy.newest([*STATES, state(5, 2, "deployed")]) == 3
    assert deploy.newest([]) == 0
