"""Releases on the real cluster: values to the byte, fingerprints, interruptions, failures."""

import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from devenv.base.errors import ReleaseError
from devenv.cluster import helm as helm_argv
from devenv.plan.model import Release
from tests.integration.conftest import Cluster

pytestmark = pytest.mark.integration

NASTY = "a\nb\t\x7f\u0085\u2028 é 😀 $X `x` 'q' \"d\" # c: - {{ .x }} \\ \x01 end\n"
CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {value: {{ .Values.value | quote }}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-waits}
spec:
  containers:
  - {name: c, image: {{ .Values.image | quote }}, command: [sleep, "300"], readinessProbe: {exec: {command: ["false"]}}}
  terminationGracePeriodSeconds: 0
"""
HOOK = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: {{ .Values.image | quote }}, command: [sh, -c, "exit {{ .Values.status }}"]}]
"""


# strings that one YAML reader or another takes for something else
UNCLEAR = (
    "yes",
    "y",
    "N",
    "0123",
    "0o17",
    "0x1f",
    "1e3",
    "12e5",
    ".5e3",
    "1_000",
    "1:30",
    "2001-01-01",
    "~",
    "null",
    "",
    " ",
    "<<",
)


def chart(folder: Path, **templates: str) -> Path:
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: trial\nversion: 0.1.0\n")
    for name, text in templates.items():
        (folder / "templates" / f"{name}.yaml").write_text(text)
    return folder


def test_the_helm_in_use_is_new_enough(cluster: Cluster) -> None:
    assert cluster.helm.check()


def test_values_survive_to_the_byte(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    release = Release("r", namespace, "trial", {"value": NASTY, "list": ("a", 1, None, True, *UNCLEAR)}, "f1")
    cluster.helm.upgrade(release, chart(tmp_path, cm=CONFIG_MAP), 60)
    assert cluster.kube.config_map(namespace, "r")["value"] == NASTY
    values = cluster.helm.values("r", namespace)
    assert values == {"value": NASTY, "list": ["a", 1, None, True, *UNCLEAR]}
    assert "kind: ConfigMap" in cluster.helm.manifest("r", namespace)


def test_upgrade_history_rollback_uninstall(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    helm, kube = cluster.helm, cluster.kube
    folder = chart(tmp_path, cm=CONFIG_MAP)
    first = Release("app", namespace, "trial", {"value": "1"}, "f1", 1)
    helm.upgrade(first, folder, 60, description="Deploy 1")
    helm.upgrade(replace(first, values={"value": "2"}, fingerprint="f2", version=2), folder, 60, description="Deploy 2")
    state = kube.releases(namespace)["app"]
    assert (state.status, state.revision, state.fingerprint, state.version) == ("deployed", 2, "f2", 2)
    assert [each.description for each in helm.history("app", namespace)] == ["Deploy 1", "Deploy 2"]
    assert helm.values("app", namespace, 1) == {"value": "1"}
    helm.rollback("app", namespace, 1)
    state = kube.releases(namespace)["app"]
    assert (state.status, state.revision, state.fingerprint, state.version) == ("deployed", 3, "f1", 1)
    assert [each.status for each in kube.revisions(namespace, "app")] == ["superseded", "superseded", "deployed"]
    assert kube.config_map(namespace, "app") == {"value": "1"}
    helm.uninstall("app", namespace)
    helm.uninstall("app", namespace)
    assert kube.releases(namespace) == {}
    assert helm.history("app", namespace) == ()


def interrupted(cluster: Cluster, release: Release, folder: Path) -> None:
    """Kill an upgrade while it waits, as a crash or a power cut would."""
    argv = helm_argv.upgrade_argv(cluster.helm.binary, cluster.access, release, folder, 300)
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(helm_argv.dump_yaml(helm_argv.plain(release.values)).encode())
    process.stdin.close()
    deadline = time.monotonic() + 30
    while not any(pod.phase == "Running" for pod in cluster.kube.pods(release.namespace)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def test_an_interrupted_first_install_is_cleared(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    release = Release("app", namespace, "trial", {"value": "1", "image": cluster.image}, "f1")
    folder = chart(tmp_path, cm=CONFIG_MAP, pod=POD)
    interrupted(cluster, release, folder)
    assert cluster.kube.releases(namespace)["app"].status == "pending-install"
    (folder / "templates" / "pod.yaml").unlink()
    cluster.helm.upgrade(release, folder, 60)
    assert cluster.kube.releases(namespace)["app"].status == "deployed"
    assert cluster.kube.pods(namespace) == ()


def test_an_interrupted_upgrade_is_rolled_back_and_done_again(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    release = Release("app", namespace, "trial", {"value": "1", "image": cluster.image}, "f1")
    folder = chart(tmp_path, cm=CONFIG_MAP)
    cluster.helm.upgrade(release, folder, 60)
    interrupted(cluster, replace(release, values={**release.values, "value": "2"}), chart(tmp_path, pod=POD))
    assert cluster.kube.releases(namespace)["app"].status == "pending-upgrade"
    assert cluster.helm.recover("app", namespace)
    assert cluster.kube.releases(namespace)["app"].status == "deployed"
    assert cluster.kube.config_map(namespace, "app") == {"value": "1"}
    assert not cluster.helm.recover("app", namespace)
    (folder / "templates" / "pod.yaml").unlink()
    cluster.helm.upgrade(replace(release, values={"value": "3"}), folder, 60)
    assert cluster.kube.config_map(namespace, "app") == {"value": "3"}


def test_a_failed_hook_leaves_what_served_before(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    folder = chart(tmp_path, cm=CONFIG_MAP, hook=HOOK)
    release = Release("app", namespace, "trial", {"value": "1", "status": 0, "image": cluster.image}, "f1")
    cluster.helm.upgrade(release, folder, 60)
    bad = replace(release, values={**release.values, "value": "2", "status": 1}, fingerprint="f2")
    with pytest.raises(ReleaseError, match="`app` did not come up") as caught:
        cluster.helm.upgrade(bad, folder, 60)
    assert any("hook" in line for line in caught.value.details)
    assert cluster.kube.releases(namespace)["app"].status == "failed"
    assert cluster.kube.config_map(namespace, "app") == {"value": "1"}
    cluster.helm.upgrade(replace(release, fingerprint="f3"), folder, 60)
    assert cluster.kube.releases(namespace)["app"].fingerprint == "f3"


def test_a_time_out_is_told(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    release = Release("app", namespace, "trial", {"image": cluster.image}, "f1")
    with pytest.raises(ReleaseError):
        cluster.helm.upgrade(release, chart(tmp_path, pod=POD), 5)
    assert cluster.kube.releases(namespace)["app"].status == "failed"


def test_objects_that_the_api_refuses(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    bad = CONFIG_MAP.replace("{{ .Release.Name }}", "Not_A_Name")
    with pytest.raises(ReleaseError) as caught:
        cluster.helm.upgrade(Release("app", namespace, "trial", {"value": "x"}, "f1"), chart(tmp_path, cm=bad), 30)
    assert "Not_A_Name" in " ".join(caught.value.details)


def test_template_needs_no_cluster(cluster: Cluster, tmp_path: Path) -> None:
    text = cluster.helm.template(chart(tmp_path, cm=CONFIG_MAP), {"value": "x"}, "app", "lamp")
    assert 'data: {value: "x"}' in text
    with pytest.raises(ReleaseError, match="could not be rendered"):
        cluster.helm.template(chart(tmp_path, cm="{{ fail `no` }}"), {})


def test_the_callers_environment_cannot_point_helm_elsewhere(
    cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_KUBEAPISERVER", "https://127.0.0.1:1")
    monkeypatch.setenv("HELM_KUBECONTEXT", "production")
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    monkeypatch.setenv("HELM_NAMESPACE", "production")
    cluster.helm.upgrade(Release("app", namespace, "trial", {"value": "x"}, "f1"), chart(tmp_path, cm=CONFIG_MAP), 30)
    assert cluster.kube.releases(namespace)["app"].status == "deployed"
