"""How a release went, told from Helm's revisions."""

import base64
import json
from types import SimpleNamespace
from typing import cast

from devenv.cluster.kube_model import HelmState
from devenv.ops import releases
from devenv.ops.env import Env


def table(*revisions: tuple[int, str]) -> tuple[Env, list[HelmState]]:
    """An env whose app has these revisions: release number and Helm's status."""
    states = [
        HelmState("app", status, number, "f", None, version) for number, (version, status) in enumerate(revisions, 1)
    ]

    def secret(namespace: str, name: str) -> dict[str, bytes]:
        number = int(name.rpartition(".v")[2])
        content = {"version": number, "config": {"release": {"version": revisions[number - 1][0]}}}
        return {"release": base64.b64encode(json.dumps(content).encode())}

    return cast(Env, SimpleNamespace(name="lamp", kube=SimpleNamespace(secret=secret))), states


def outcome(version: int, *revisions: tuple[int, str]) -> str:
    env, states = table(*revisions)
    return releases._row(env, states, version).status


def test_a_release_that_was_taken_back_did_not_start() -> None:
    assert outcome(6, (5, "superseded"), (6, "superseded"), (5, "deployed")) == "did not start"
    assert outcome(5, (5, "superseded"), (6, "superseded"), (5, "deployed")) == releases.SUCCEEDED


def test_a_candidate_whose_second_promotion_went_well_succeeded() -> None:
    numbers = [5, 5, 6, 5, 5, 6, 6]
    revisions = [(number, "superseded") for number in numbers[:-1]] + [(6, "deployed")]
    assert outcome(6, *revisions) == releases.SUCCEEDED


def test_scaling_that_was_cut_off_changes_nothing_of_it() -> None:
    assert outcome(6, (5, "superseded"), (6, "deployed"), (6, "pending-upgrade")) == releases.SUCCEEDED


def test_a_release_that_never_served() -> None:
    assert outcome(6, (5, "deployed"), (6, "pending-upgrade")) == "executing"
    assert outcome(6, (5, "superseded"), (6, "pending-upgrade"), (7, "deployed")) == "interrupted"
    assert outcome(6, (5, "deployed"), (6, "failed")) == "failed"
