"""Helm's own records of releases, read without helm: a process less for every look at what serves."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv.cluster.kube import Kube


@dataclass(frozen=True, slots=True)
class Record:
    """What a revision was made with, and Helm's description of it."""

    revision: int
    description: str
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Record({self.revision})"  # values hold secrets


def record(kube: Kube, namespace: str, release: str, revision: int) -> Record | None:
    """One revision; None when Helm no longer keeps it."""
    data = kube.secret(namespace, f"sh.helm.release.v1.{release}.v{revision}")
    return parse(data["release"]) if "release" in data else None


def parse(data: bytes) -> Record:
    """A record as Helm stores it: JSON, compressed, base64 (helm.sh/helm/v3/pkg/storage/driver/util.go)."""
    raw = base64.b64decode(data)
    packed = raw[:2] == b"\x1f\x8b"  # releases of Helm's first days are not compressed
    content = json.loads(zlib.decompress(raw, wbits=31) if packed else raw)
    info = content.get("info") or {}
    return Record(int(content["version"]), str(info.get("description", "")), content.get("config") or {})
