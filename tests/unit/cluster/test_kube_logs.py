"""A followed log goes on where its stream breaks off, and ends with the container's run."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from devenv.base.errors import ClusterError
from devenv.cluster import kube_logs
from devenv.cluster.kube_client import NotFound
from devenv.cluster.kube_model import Pod

POD = Pod("web-1", "lamp", "u", {}, {}, "Running", "", "", datetime.now(UTC), None, True, False, 0, "", "", ())
NO_WATCHER = "failed to create fsnotify watcher: too many open files"  # what a kubelet puts into the stream


class Streams:
    """What Kube gives to `follow`: one stream after the other, and the pod as it is before each."""

    def __init__(self, *streams: tuple[Pod | Exception, list[str | Exception]]) -> None:
        self.streams = iter(streams)
        self.lines: list[str | Exception] = []
        self.asked: list[int | None] = []

    def pod(self, namespace: str, name: str) -> Pod:
        pod, self.lines = next(self.streams)
        if isinstance(pod, Exception):
            raise pod
        return pod

    def logs(self, *where: Any, since: int | None, **wishes: Any) -> Iterator[str]:
        self.asked.append(since)
        for line in self.lines:
            if isinstance(line, Exception):
                raise line
            yield line


def followed(monkeypatch: pytest.MonkeyPatch, streams: Streams, since: int | None = None) -> list[str]:
    monkeypatch.setattr(kube_logs, "PAUSE", 0)
    found = kube_logs.follow(streams, POD, since=since, stop=threading.Event())  # type: ignore[arg-type]
    return [text for _, text in found]


def test_a_stream_that_breaks_off_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "2026-05-04T10:00:00.1Z one", "2026-05-04T10:00:00.10001Z two"
    third = "2026-05-04T10:00:01Z three"
    ended = replace(POD, phase="Succeeded")
    streams = Streams(
        (POD, [first, NO_WATCHER]),
        (POD, [first, second, ClusterError("the connection to the cluster broke off")]),
        (ClusterError("no answer"), []),
        (ended, [first, second, third]),
    )
    assert followed(monkeypatch, streams, since=60) == ["one", "two", "three"]
    assert streams.asked == [60, 5, 5]


def test_it_ends_with_the_pod_and_with_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    line: list[str | Exception] = ["2026-05-04T10:00:00Z one"]
    assert followed(monkeypatch, Streams((POD, line), (NotFound("gone"), []))) == ["one"]
    assert followed(monkeypatch, Streams((POD, line), (replace(POD, restarts=1), []))) == ["one"]


def test_a_kubelet_that_complains_is_not_the_container() -> None:
    lines = ["2026-05-04T10:00:00.1Z one", "unable to retrieve container logs for containerd://426f", NO_WATCHER]
    assert list(kube_logs.stamped(lines)) == [("2026-05-04T10:00:00.1Z", "one")]
