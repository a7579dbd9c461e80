"""A container's log as it comes, whatever happens to the streams that bring it."""

import re
import threading
import time
from collections.abc import Iterable, Iterator

from devenv.base.errors import ClusterError
from devenv.cluster.kube import Kube
from devenv.cluster.kube_client import NotFound
from devenv.cluster.kube_model import Pod

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z$")
PAUSE = 0.5  # seconds between two streams


def follow(
    kube: Kube, pod: Pod, container: str | None = None, *, since: int | None = None, stop: threading.Event
) -> Iterator[tuple[str, str]]:
    """Time (RFC 3339) and text of each line until the container's present run has ended or `stop` is set.

    A stream that breaks off is opened again where it was: the API server restarts, and a kubelet on a machine without a free
    inotify instance ends each at once, with a line of its own in it (https://kind.sigs.k8s.io/docs/user/known-issues/).
    """
    newest, heard = "", 0.0
    while True:
        last, over = stop.is_set(), False
        try:
            now = kube.pod(pod.namespace, pod.name)
            if now.restarts != pod.restarts:
                return
            over = _over(now, container)  # asked first: what is read after that is all there is
            lines = kube.logs(pod.namespace, pod.name, container, follow=not last, timestamps=True, since=since)
            for stamp, text in stamped(lines):
                if (moment := _comparable(stamp)) > newest:
                    newest, heard = moment, time.monotonic()
                    yield stamp, text
        except NotFound:
            return
        except ClusterError:
            over = False
        if over or last:
            return
        since = int(time.monotonic() - heard) + 5 if newest else since
        stop.wait(PAUSE)


def stamped(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Time and text of the container's lines; the kubelet's own complaints, which have no time, are left out."""
    for line in lines:
        stamp, _, text = line.partition(" ")
        if STAMP.match(stamp):
            yield stamp, text


def _comparable(stamp: str) -> str:
    # the fraction comes without its last zeros
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}"


def _over(pod: Pod, container: str | None) -> bool:
    if pod.phase in ("Succeeded", "Failed"):
        return True
    return any(each.ended for each in pod.containers if not each.init and container in (None, each.name))
