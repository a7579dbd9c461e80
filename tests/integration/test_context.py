"""An existing cluster, reached through the user's kubeconfig: used only when its administrator marked it."""

from contextlib import suppress
from pathlib import Path

import pytest

from devenv.base.console import Console
from devenv.base.errors import ClusterError
from devenv.base.proc import SubprocessRunner
from devenv.cluster.context import ExistingCluster, mark_commands
from devenv.cluster.kube import Kube
from devenv.cluster.kube_client import NotFound
from devenv.images import tools
from devenv.plan.model import ClusterSpec
from tests.integration.conftest import Cluster

pytestmark = pytest.mark.integration


def _unmark(kube: Kube) -> None:
    # the controller makes Envoy anew, and a namespace with pods in it waits for their grace period twice: minutes
    for name in ("router-controller", "router-envoy"):
        with suppress(NotFound):
            kube.http.json("DELETE", f"/apis/apps/v1/namespaces/devenv-system/deployments/{name}")
        for pod in kube.pods("devenv-system"):
            if pod.name.startswith(name):
                kube.delete_pod("devenv-system", pod.name, grace=1)
    kube.wait_gone("devenv-system", "", 60)
    kube.delete_namespace("devenv-system")


def test_an_existing_cluster_is_used_once_it_is_marked(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = SubprocessRunner()
    kubectl = str(tools.ensure(runner, Console(quiet=True), ["kubectl"])["kubectl"])
    users = tmp_path / "config"
    users.write_text(cluster.access.kubeconfig.read_text())
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{users}")
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path / "state"))
    spec = ClusterSpec("devenv", f"context:{cluster.access.context}", None)
    provider = ExistingCluster(runner, cluster.access.context, kubectl)
    _unmark(cluster.kube)
    for act in (provider.status, provider.access, provider.start):
        with pytest.raises(ClusterError, match="not marked for devenv") as caught:
            act(spec)
        assert caught.value.details == mark_commands(cluster.access.context)
    assert cluster.kube.namespace("devenv-system") is None
    try:
        for line in mark_commands(cluster.access.context):
            runner.run([kubectl, *line.split()[1:]])
        found = provider.status(spec)
        assert (found.state, found.registry, found.http_port) == ("running", "HOST/PATH", 80)
        assert found.kubernetes == cluster.status.kubernetes
        access = provider.access(spec)
        assert access.kubeconfig != users
        assert access.kubeconfig.stat().st_mode & 0o777 == 0o600
    finally:
        cluster.kube.delete_namespace("devenv-system")
