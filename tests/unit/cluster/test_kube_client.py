"""Reading a kubeconfig, and what refusals mean."""

import json
import ssl
from pathlib import Path

import pytest

from devenv.base.errors import ClusterError
from devenv.cluster import kube_client
from devenv.cluster.kube_client import Conflict, NotFound
from devenv.plan.model import Access

CONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1/"}}],
    "users": [{"name": "u", "user": {"tokenFile": "token"}}],
    "contexts": [{"name": "kind-devenv", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "production",
}


def access(folder: Path, context: str = "kind-devenv") -> Access:
    path = folder / "kubeconfig"
    path.write_text(json.dumps(CONFIG))
    (folder / "token").write_text("t0ken\n")
    return Access(path, context)


def test_the_named_context_counts_not_the_current_one(tmp_path: Path) -> None:
    found = kube_client.load(access(tmp_path))
    assert found.server == "http://127.0.0.1:1"
    assert found.headers() == {"Authorization": "Bearer t0ken"}
    assert found.tls is None


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    found = kube_client.load(access(tmp_path))
    (tmp_path / "token").write_text("renewed")
    assert found.headers() == {"Authorization": "Bearer renewed"}


def test_a_ca_without_key_identifiers_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    default = ssl.create_default_context()
    default.verify_flags |= ssl.VERIFY_X509_STRICT  # as in Python 3.13
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: default)
    found = kube_client.trusting(None, True)
    assert not found.verify_flags & ssl.VERIFY_X509_STRICT
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_an_unknown_context(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="`production`"):
        kube_client.load(access(tmp_path, "production"))


def test_no_kubeconfig_yet(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        kube_client.load(Access(tmp_path / "none", "kind-devenv"))
    assert "devenv cluster create" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, NotFound, 'pods "x" not found'),
        (409, Conflict, 'pods "x" not found'),
        (401, ClusterError, "does not know these credentials"),
        (403, ClusterError, "does not allow this"),
        (503, ClusterError, "too busy"),
        (422, ClusterError, "status 422"),
    ],
)
def test_refusals(status: int, kind: type[ClusterError], said: str) -> None:
    error = kube_client.refused(status, "GET", "/api/v1/x", b'{"kind":"Status","message":"pods \\"x\\" not found"}')
    assert type(error) is kind
    assert said in error.message
    assert error.hint


def test_a_refusal_that_is_not_json() -> None:
    assert kube_client.refused(502, "GET", "/x", b"<html>bad gateway").details == ("<html>bad gateway",)


def test_a_server_that_is_gone_names_the_next_step(tmp_path: Path) -> None:
    error = kube_client.unreachable(access(tmp_path), "https://127.0.0.1:6443", OSError("Connection refused"))
    assert "does not answer" in error.message
    assert "devenv cluster status" in (error.hint or "")
