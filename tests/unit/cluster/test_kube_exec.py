"""How a program in a container ended, and how it is asked for."""

import json
from pathlib import Path

import pytest
from websocket._url import get_proxy_info

from devenv.base.errors import ClusterError
from devenv.cluster import kube_exec
from devenv.cluster.kube_client import Connection
from devenv.plan.model import Access


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


def test_a_proxy_is_not_asked_for_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(url: str, http_no_proxy: list[str] | None = None, **options: object) -> None:
        host, port, _ = get_proxy_info("127.0.0.1", True, no_proxy=http_no_proxy)
        raise OSError(f"by way of {host}:{port}")

    monkeypatch.setattr("websocket.create_connection", connect)
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    config = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    connection = Connection(Access(tmp_path / "kubeconfig", "x"))
    with pytest.raises(ClusterError) as caught:
        kube_exec.open_stream(connection, "lamp", "web-1", ["true"], container=None, stdin=False)
    assert "by way of None:0" in str(caught.value.__cause__)
