"""An existing cluster is used only when it is marked, and never deleted."""

import json
from pathlib import Path

import pytest

from devenv.base.errors import ClusterError
from devenv.cluster import context
from devenv.cluster.context import ExistingCluster
from devenv.plan.model import ClusterSpec
from tests.fakes import Answer, FakeRunner

SPEC = ClusterSpec("devenv", "context:prod/eu", None)


def test_only_the_named_context_is_read() -> None:
    assert "--minify" in context.view_argv("kubectl", "prod")
    assert "--context=prod" in context.view_argv("kubectl", "prod")


def test_an_existing_cluster_is_never_deleted() -> None:
    with pytest.raises(ClusterError, match="not devenv's to delete"):
        ExistingCluster(FakeRunner(), "prod").delete(SPEC)


def test_an_unknown_context_says_so() -> None:
    runner = FakeRunner({("kubectl", "view"): Answer("", "error: cannot locate context prod/eu", 1)})
    with pytest.raises(ClusterError, match="no context `prod/eu`"):
        ExistingCluster(runner, "prod/eu", "kubectl").access(SPEC)


def test_the_copy_of_the_kubeconfig_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))
    runner = FakeRunner({("kubectl", "view"): Answer(json.dumps({"clusters": []}))})
    with pytest.raises(ClusterError):  # the copy names no such context
        ExistingCluster(runner, "prod/eu", "kubectl").access(SPEC)
    copy = tmp_path / "clusters" / "context-prod-eu" / "kubeconfig"
    assert copy.stat().st_mode & 0o777 == 0o600


def test_the_administrators_commands_name_the_context() -> None:
    assert all("--context prod" in line for line in context.mark_commands("prod"))
