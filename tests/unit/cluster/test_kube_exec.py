"""How a program in a container ended, and how it is asked for."""

import os
import socket
import threading

import pytest

from devenv.cluster import kube_exec
from devenv.cluster.kube_socket import DuplexSocket


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (b'{"metadata":{},"status":"Success"}', (0, "")),
        (
            b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}',
            (3, ""),
        ),
        (b'{"status":"Failure","reason":"InternalError","message":"no such file"}', (None, "no such file")),
        (b"", (None, "")),
    ],
)
def test_outcome(status: bytes, outcome: tuple[int | None, str]) -> None:
    assert kube_exec.outcome(status) == outcome


def test_query_keeps_every_word_apart() -> None:
    assert kube_exec.query(["sh", "-c", "a & b"], "app", True) == (
        "command=sh&command=-c&command=a+%26+b&stdout=true&stderr=true&container=app&stdin=true"
    )


def test_a_stream_that_is_closed_keeps_its_file_until_its_reader_is_gone() -> None:
    """Else a thread that is about to read or write would do so in whatever was opened meanwhile."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    web = DuplexSocket()
    web.sock, web.connected = ours, True
    stream, file, read = kube_exec.ExecStream(web), ours.fileno(), list[object]()
    reader = threading.Thread(target=lambda: read.append(stream.read(20)))
    with theirs:
        with stream._sending:  # a writer is at it
            reader.start()
            stream.close()
            os.fstat(file)
            assert reader.is_alive()
        reader.join(10)
    assert read == [None]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
