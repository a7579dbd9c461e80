"""Reads, pods, logs and programs in containers, on the real cluster."""

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from devenv.base.errors import ClusterError
from devenv.base.proc import SubprocessRunner
from devenv.base.resources import load_yaml
from devenv.cluster.kube import Kube
from devenv.cluster.kube_client import Conflict, NotFound
from devenv.cluster.kube_model import Pod
from devenv.plan.model import Access
from tests.integration.conftest import Cluster

pytestmark = pytest.mark.integration

Start = Callable[..., Pod]


@pytest.fixture
def start(cluster: Cluster, namespace: str) -> Start:
    """Start a pod that runs a shell script, and wait for what is asked."""

    def start(script: str, name: str = "p", done: Callable[[Pod], bool] = lambda pod: pod.ready) -> Pod:
        container: dict[str, Any] = {"name": "c", "image": cluster.image, "command": ["sh", "-c", script]}
        spec = {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 1}
        cluster.kube.create_pod(namespace, {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
        return cluster.kube.wait_pod(namespace, name, done, 60)

    return start


def test_version_and_nodes(cluster: Cluster) -> None:
    assert cluster.kube.ready()
    assert cluster.kube.version() == cluster.status.kubernetes
    (node,) = cluster.kube.nodes()
    assert node.ready
    assert node.memory > 2**30


def test_namespaces_of_ours_and_of_others(cluster: Cluster, namespace: str) -> None:
    kube = cluster.kube
    assert namespace in [each.name for each in kube.namespaces()]
    assert "kube-system" not in [each.name for each in kube.namespaces()]
    kube.ensure_namespace(namespace, {"devenv.dev/app": "lamp"}, {"devenv.dev/note": "é"})
    found = kube.namespace(namespace)
    assert found is not None
    assert found.labels["devenv.dev/app"] == "lamp"
    assert found.labels["devenv.dev/env"] == namespace
    assert found.annotations["devenv.dev/note"] == "é"
    for act in (lambda: kube.ensure_namespace("kube-public", {}), lambda: kube.delete_namespace("kube-public")):
        with pytest.raises(ClusterError, match="did not make it"):
            act()
    assert kube.namespace("kube-public") is not None


def test_a_namespace_comes_back_while_it_is_being_deleted(cluster: Cluster, namespace: str) -> None:
    cluster.kube.delete_namespace(namespace, wait=False)
    cluster.kube.ensure_namespace(namespace, {"again": "yes"})
    found = cluster.kube.namespace(namespace)
    assert found is not None
    assert (found.phase, found.labels["again"]) == ("Active", "yes")


def test_what_is_not_there(cluster: Cluster, namespace: str) -> None:
    kube = cluster.kube
    assert kube.secret(namespace, "none") == {}
    assert kube.config_map(namespace, "none") == {}
    assert kube.releases(namespace) == {}
    assert (kube.pods(namespace), kube.deployments(namespace)) == ((), ())
    kube.delete_pod(namespace, "none")
    kube.delete_namespace("devenv-none")
    with pytest.raises(NotFound):
        kube.pod(namespace, "none")
    with pytest.raises(NotFound):
        list(kube.logs(namespace, "none"))
    with pytest.raises(NotFound):
        kube.exec(namespace, "none", ["true"])


def test_a_pods_life(cluster: Cluster, namespace: str, start: Start) -> None:
    pod = start("exit 3", done=lambda pod: pod.phase in ("Succeeded", "Failed"))
    ended = pod.containers[0].ended
    assert ended is not None
    assert (pod.phase, ended.code, ended.reason, pod.namespace) == ("Failed", 3, "Error", namespace)
    with pytest.raises(Conflict):
        start("true")
    with pytest.raises(ClusterError, match="did not get there") as caught:
        cluster.kube.wait_pod(namespace, "p", lambda pod: pod.ready, 0.3)
    assert caught.value.details == ("c: ended with status 3 (Error)",)
    assert "Started" in [each.reason for each in cluster.kube.events(namespace, "p")]
    cluster.kube.delete_pod(namespace, "p")
    cluster.kube.wait_gone(namespace, "app=p", 30)


def test_logs(cluster: Cluster, namespace: str, start: Start) -> None:
    start("printf 'one\\ntwo é\\n'; printf three", done=lambda pod: pod.phase == "Succeeded")
    logs = cluster.kube.logs
    assert list(logs(namespace, "p")) == ["one", "two é", "three"]
    assert list(logs(namespace, "p", tail=2)) == ["two é", "three"]
    stamp, text = next(logs(namespace, "p", timestamps=True)).split(" ", 1)
    assert text == "one"
    assert stamp.startswith("20")


def test_logs_follow_line_by_line(cluster: Cluster, namespace: str, start: Start) -> None:
    start("echo ready; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo went; sleep 60")
    lines = cluster.kube.logs(namespace, "p", follow=True)
    assert next(lines) == "ready"
    cluster.kube.exec(namespace, "p", ["touch", "/tmp/go"])
    started = time.monotonic()
    assert next(lines) == "went"
    assert time.monotonic() - started < 5
    lines.close()  # type: ignore[attr-defined]


def test_exec(cluster: Cluster, namespace: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start("sleep 300")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")  # a proxy has no part in it
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    done = cluster.kube.exec(namespace, "p", ["sh", "-c", "echo out; echo 'why é' >&2; exit 3"])
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "why é\n")
    data = bytes(range(256)) * 4000
    done = cluster.kube.exec(namespace, "p", ["sha256sum"], stdin=data)
    assert done.stdout.split()[0] == hashlib.sha256(data).hexdigest()
    with pytest.raises(ClusterError, match="`no-such-program` could not be run"):
        cluster.kube.exec(namespace, "p", ["no-such-program"])


def test_an_open_stream_answers_as_it_goes(cluster: Cluster, namespace: str, start: Start) -> None:
    start("sleep 300")
    with cluster.kube.open_exec(namespace, "p", ["cat"]) as stream:
        for _ in range(3):
            stream.write(b"ping")
            assert stream.read(10) == (1, b"ping")
        with pytest.raises(TimeoutError):
            stream.read(0.2)
        stream.close_stdin()
        assert stream.read(10) is None
        assert stream.code == 0


def test_a_stream_is_read_while_it_is_written(cluster: Cluster, namespace: str, start: Start) -> None:
    """A reader that looks often, and mostly finds nothing, meets the writer in each step of TLS."""
    start("sleep 300")
    for _ in range(20):
        with cluster.kube.open_exec(namespace, "p", ["sh", "-c", "cat >/dev/null; echo done"]) as stream:
            feeder = threading.Thread(target=stream._feed, args=(bytes(3 << 20),))
            feeder.start()
            while True:
                with contextlib.suppress(TimeoutError):
                    said = stream.read(0.00001)
                    break
            feeder.join()
            assert said == (1, b"done\n")
            assert stream.read(10) is None
            assert stream.code == 0


def test_an_open_stream_notices_that_its_pod_is_gone(cluster: Cluster, namespace: str, start: Start) -> None:
    start("sleep 300")
    with cluster.kube.open_exec(namespace, "p", ["cat"]) as stream:
        cluster.kube.delete_pod(namespace, "p", grace=0)
        assert stream.read(30) is None


def test_watch_tells_of_pods_that_come_and_go(cluster: Cluster, namespace: str, start: Start) -> None:
    seen: list[tuple[str, str]] = []
    gone = threading.Event()

    def watch() -> None:
        for kind, pod in cluster.kube.watch_pods(namespace, "app=p", window=60):
            seen.append((kind, pod.name))
            if kind == "DELETED":
                return gone.set()

    threading.Thread(target=watch, daemon=True).start()
    start("sleep 300")
    start("sleep 300", name="other")
    cluster.kube.delete_pod(namespace, "p", grace=0)
    assert gone.wait(30)
    assert seen[0] == ("ADDED", "p")
    assert {name for _, name in seen} == {"p"}


def test_what_pods_use(cluster: Cluster, namespace: str, start: Start) -> None:
    start("sleep 300")
    deadline = time.monotonic() + 60
    while not (mine := [each for each in cluster.kube.node_stats() if each.namespace == namespace and each.memory]):
        assert time.monotonic() < deadline, "the kubelet has no figure for the pod"
        time.sleep(0.5)
    assert mine[0].pod == "p"
    assert mine[0].memory < 2**30


def test_calls_from_many_threads(cluster: Cluster, namespace: str) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: len(cluster.kube.pods("kube-system")), range(60)))
    assert set(answers) == {answers[0]}


def test_a_cluster_that_does_not_answer(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("gone") / "kubeconfig"
    text = cluster.access.kubeconfig.read_text()
    port = text.split("https://127.0.0.1:")[1].split()[0]
    copy.write_text(text.replace(f":{port}", ":1"))
    with pytest.raises(ClusterError, match="does not answer") as caught:
        Kube(Access(copy, cluster.access.context)).version()
    assert "devenv cluster status" in (caught.value.hint or "")
    assert not Kube(Access(copy, cluster.access.context)).ready()
    with pytest.raises(ClusterError, match="does not answer"):
        Kube(Access(copy, cluster.access.context)).exec("default", "p", ["true"])


def test_another_clusters_certificate_is_not_trusted(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("other")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1"]
    SubprocessRunner().run([*words, "-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")])

    text = re.sub(
        r"certificate-authority-data: .*", "certificate-authority: ca.pem", cluster.access.kubeconfig.read_text()
    )
    (folder / "kubeconfig").write_text(text)
    with pytest.raises(ClusterError, match="is not the cluster"):
        Kube(Access(folder / "kubeconfig", cluster.access.context)).version()


def test_credentials_from_a_kubeconfig_plug_in(
    cluster: Cluster, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("plugin")
    token = cluster.kube.http.json(
        "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token", {"spec": {"expirationSeconds": 600}}
    )["status"]["token"]
    plug_in = folder / "plug-in"
    version = "client.authentication.k8s.io/v1"
    answer = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": {"token": token}})
    plug_in.write_text(f"#!/bin/sh\necho '{answer}'\n")
    plug_in.chmod(0o700)
    config = load_yaml(cluster.access.kubeconfig.read_text(), "kubeconfig")
    ask = {"apiVersion": version, "command": str(plug_in), "interactiveMode": "Never"}
    config["users"][0]["user"] = {"exec": ask}
    (folder / "kubeconfig").write_text(json.dumps(config))
    kube = Kube(Access(folder / "kubeconfig", cluster.access.context))
    assert kube.version() == cluster.status.kubernetes
    with pytest.raises(ClusterError, match="does not allow this") as caught:
        kube.pods(namespace)
    assert f"system:serviceaccount:{namespace}:default" in caught.value.details[0]
