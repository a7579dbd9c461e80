"""How a program in a container ended, and how it is asked for."""

import pytest

from devenv.cluster import kube_exec


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
