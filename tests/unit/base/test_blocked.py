"""What the unit layer may not do is refused, even where the code under test catches exceptions."""

import os
import socket
import subprocess
import threading
import time

import pytest

REFUSED = pytest.fail.Exception


def test_no_program_starts() -> None:
    with pytest.raises(REFUSED, match="starts a program"):
        subprocess.run(["true"], check=False)
    with pytest.raises(REFUSED, match="starts a program"):
        os.posix_spawn("/bin/true", ["true"], {})


def test_no_network() -> None:
    with pytest.raises(REFUSED, match="network"):
        socket.create_connection(("127.0.0.1", 1))
    with socket.socket() as one, pytest.raises(REFUSED, match="network"):
        one.connect(("127.0.0.1", 1))


def test_no_waiting() -> None:
    with pytest.raises(REFUSED, match="sleeps"):
        time.sleep(0)


def test_an_event_may_be_waited_for() -> None:
    event = threading.Event()
    threading.Thread(target=event.set).start()
    assert event.wait(5)
