"""The load that an env gets while a test does something to it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from devenv.cluster.kube_model import Pod
from tests.e2e.conftest import App, eventually
from tests.load import Load


@contextmanager
def load(app: App, path: str = "/whoami") -> Iterator[Load]:
    """Requests before, while and after the block, until every pod that it took out of service has ended; none may fail.

    With python-plain's `/whoami` no pod may answer after the block that is not one of the app's then.
    """
    with Load(app.cluster.status.http_port, f"{app.env}.localhost", path) as running:
        time.sleep(0.5)
        yield running
        returned = time.monotonic()
        eventually(lambda: [pod for pod in _pods(app) if pod.deleting], lambda left: not left)
        time.sleep(0.5)
    assert not running.failures, f"{len(running.failures)} of {len(running.seen)} failed: {running.failures[:5]}"
    assert len(running.seen) > 20
    if path == "/whoami":
        late = {json.loads(each.text)["host"] for each in running.since(returned)} - set(app.pods())
        assert not late, f"answered after the verb had returned: {late}"


def _pods(app: App) -> tuple[Pod, ...]:
    return app.cluster.kube.pods(app.env, "devenv.dev/kind=process")
