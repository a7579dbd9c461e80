"""The unit layer touches nothing: no network, no other program, no waiting."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

# asks by a bind, once, whether this machine has IPv6: before anything is blocked
import urllib3.util.connection  # noqa: F401

UNIX = getattr(socket, "AF_UNIX", None)


def _refuse(what: str) -> Callable[..., None]:
    def refused(*_: object, **__: object) -> None:
        # not an Exception: code that catches those must not swallow it
        pytest.fail(f"a unit test {what}")

    return refused


@pytest.fixture
def may_sleep() -> None:
    """For the few tests of threads that wait for each other: real sleep is given back."""


@pytest.fixture
def may_run() -> None:
    """For the few tests that ask a shell or a POSIX tool whether it reads what devenv writes for it."""


def _unless_local(name: str) -> object:
    real = getattr(socket.socket, name)

    def guarded(self: socket.socket, *given: object) -> object:
        # a socket file is a file
        return real(self, *given) if self.family == UNIX else _refuse("uses the network")()

    return guarded


@pytest.fixture(autouse=True)
def _apart(request: pytest.FixtureRequest) -> Iterator[None]:
    """Blocks sockets, processes and sleep; tests of another layer that live here are marked so and are free."""
    if any(request.node.get_closest_marker(name) for name in ("contract", "integration", "e2e")):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "bind", "sendto"):
            patch.setattr(socket.socket, name, _unless_local(name))
        for name in ("create_connection", "create_server", "getaddrinfo", "gethostbyname"):
            patch.setattr(socket, name, _refuse("uses the network"))
        if "may_run" not in request.fixturenames:
            patch.setattr(subprocess.Popen, "__init__", _refuse("starts a program"))
            for name in ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve"):
                patch.setattr(os, name, _refuse("starts a program"))
        if "may_sleep" not in request.fixturenames:
            patch.setattr(time, "sleep", _refuse("sleeps"))
        yield
