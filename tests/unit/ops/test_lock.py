"""One devenv at a time."""

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from devenv.base.console import Console
from devenv.base.errors import ClusterError
from devenv.ops import lock

pytestmark = pytest.mark.usefixtures("may_sleep")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))


def console() -> tuple[Console, Callable[[], str]]:
    told = io.StringIO()
    return Console(io.StringIO(), told), told.getvalue


def test_the_second_holder_waits_and_says_for_whom() -> None:
    order: list[str] = []
    waiting = threading.Event()
    second, told = console()

    def another() -> None:
        waiting.set()
        with lock.hold("env-lamp", second, wait=20):
            order.append("second")

    thread = threading.Thread(target=another)
    with lock.hold("env-lamp", console()[0]):
        thread.start()
        waiting.wait(5)
        thread.join(0.5)
        assert thread.is_alive()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert "Waiting for another devenv" in told()
    assert "`env-lamp`" in told()
    assert f"process {os.getpid()}" in told()
    assert told().count("Waiting") == 1


def test_never_two_at_once() -> None:
    inside, most = 0, 0
    guard = threading.Lock()

    def holder() -> None:
        nonlocal inside, most
        with lock.hold("env-lamp", console()[0], wait=30):
            with guard:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=holder) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1
    assert inside == 0


def test_other_names_do_not_wait() -> None:
    one, told = console()
    with lock.hold("env-lamp", one), lock.hold("env-other", one, wait=0), lock.hold("images", one, wait=0):
        pass
    assert told() == ""


def test_it_is_free_after_a_failure() -> None:
    with pytest.raises(ValueError, match="x"), lock.hold("env-lamp", console()[0]):
        raise ValueError("x")
    with lock.hold("env-lamp", console()[0], wait=0):
        pass


def test_patience_has_an_end() -> None:
    with lock.hold("env-lamp", console()[0]), pytest.raises(ClusterError) as caught:  # noqa: SIM117
        with lock.hold("env-lamp", console()[0], wait=0):
            pytest.fail("two holders")
    assert "`env-lamp`" in caught.value.message
    assert caught.value.hint
