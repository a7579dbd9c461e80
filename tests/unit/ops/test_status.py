from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devenv.base import resources
from devenv.ops import status


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # as the cksum utility of coreutils 9.1 prints them
        (b"", 4294967295),
        (b"web", 2823010196),
        (b"lamp", 1529563582),
        (b"123456789", 930766865),
        (b"web-7d9f8c-abcde", 2372464763),
        (bytes(300), 351385237),  # a length of two bytes
    ],
)
def test_cksum(data: bytes, expected: int) -> None:
    assert status.cksum(data) == expected


@pytest.mark.usefixtures("may_run")
@pytest.mark.parametrize("name", ["web-7d9f8c-abcde", "worker-x", "a" * 63])
def test_the_number_is_the_one_inside(name: str) -> None:
    """The start script of the chart computes DYNO in the pod; `ps` and `logs` compute it here."""
    import subprocess

    script = resources.path("charts/app/files/start.bash").read_text() + 'printf %s "$DYNO"'
    done = subprocess.run(
        ["bash", "-c", script, "web", "true"],
        env={"HOSTNAME": name, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == f"web.{status.number(name)}"
    assert 1 <= status.number(name) <= 9999


def test_names_of_dynos(pod: Callable[..., Any]) -> None:
    assert status.dyno_name(pod()) == f"web.{status.number('web-7d9f8c-abcde')}"
    assert status.dyno_name(pod(name="run-1234", labels={"devenv.dev/kind": "run"})) == "run.1234"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, " (~ 0s ago)"),
        (-3, " (~ 0s ago)"),  # the cluster's clock is ahead
        (59, " (~ 59s ago)"),
        (60, " (~ 1m ago)"),
        (59 * 60 + 59, " (~ 59m ago)"),
        (3600, " (~ 1h ago)"),
        (25 * 3600 - 1, " (~ 24h ago)"),
        (25 * 3600, ""),
    ],
)
def test_ago(seconds: int, text: str, now: datetime) -> None:
    moment = now - timedelta(seconds=seconds)
    found = status.ago(moment, now)
    assert found == moment.astimezone().strftime("%Y/%m/%d %H:%M:%S %z") + text


def test_ago_of_nothing() -> None:
    assert status.ago(None) == ""


def test_ago_without_a_clock() -> None:
    assert status.ago(datetime.now(UTC)).endswith("s ago)")


def test_states(pod: Callable[..., Any], container: Callable[..., Any], ended: Callable[..., Any]) -> None:
    """Heroku's words (heroku.md section 3.2)."""

    def of(*containers: Any, **fields: Any) -> tuple[str, str]:
        found = pod(*containers, **fields)
        state, _, detail = status.state_of(found, next(iter(found.containers), None))
        return state, detail

    run = {"devenv.dev/kind": "run"}
    assert of() == ("up", "")
    assert of(container(ready=False))[0] == "starting"
    assert of(container(ready=False), labels=run)[0] == "up"
    assert of(container(state="waiting", reason="ContainerCreating", ready=False), phase="Pending")[0] == "starting"
    assert of(deleting=True)[0] == "down"
    crashed = container(state="waiting", reason="CrashLoopBackOff", ready=False, last=ended(3))
    assert of(crashed) == ("crashed", "its last run ended with status 3")
    killed = container(state="waiting", reason="CrashLoopBackOff", ready=False, last=ended(137, "OOMKilled"))
    assert of(killed) == ("crashed", "R15 (Memory quota vastly exceeded)")
    assert of(container(state="terminated", ready=False, ended=ended(0)), labels=run)[0] == "complete"
    assert of(container(state="terminated", ready=False, ended=ended(2)), labels=run)[0] == "crashed"
    assert of(container(state="terminated", ready=False, ended=ended(0)))[0] == "crashed"  # a formation keeps running
