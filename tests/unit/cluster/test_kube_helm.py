"""Helm's records, as it stores them."""

import base64
import gzip
import json

from devenv.cluster import kube_helm

CONTENT = {
    "name": "app",
    "version": 12,
    "info": {"status": "failed", "description": "Upgrade failed"},
    "config": {"config": {"A": "secret"}, "release": {"version": 7}},
}


def test_a_compressed_record() -> None:
    found = kube_helm.parse(base64.b64encode(gzip.compress(json.dumps(CONTENT).encode())))
    assert (found.revision, found.description) == (12, "Upgrade failed")
    assert found.values["release"] == {"version": 7}
    assert "secret" not in repr(found)


def test_a_plain_record_without_values() -> None:
    assert kube_helm.parse(base64.b64encode(b'{"version": 1}')).values == {}
