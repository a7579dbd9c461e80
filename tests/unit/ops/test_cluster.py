"""What is refused before anything is made."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from devenv.base.console import Console
from devenv.base.errors import ClusterError
from devenv.cluster.provider import ClusterStatus
from devenv.images import build
from devenv.ops import cluster
from devenv.ops.env import Env
from devenv.plan.model import ClusterSpec


def test_built_images_need_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))
    monkeypatch.setenv("DEVENV_IMAGES", "built")
    monkeypatch.setattr(build, "build", lambda *words: pytest.fail("images are made for nothing"))
    env = SimpleNamespace(
        console=Console(quiet=True),
        runner=None,
        provider=SimpleNamespace(check=lambda: None),
        spec=ClusterSpec("devenv", "minikube", None),
        status=ClusterStatus("absent"),
        forget=lambda: None,
    )
    with pytest.raises(ClusterError, match="minikube needs its own node image") as caught:
        cluster.ensure(cast(Env, env))
    assert "--provider kind" in (caught.value.hint or "")
