"""Reads of a cluster, and the few writes Helm cannot do: namespaces and one-off pods."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from devenv.base.errors import ClusterError
from devenv.base.proc import Completed
from devenv.cluster import kube_exec, kube_parse
from devenv.cluster.kube_client import Conflict, Connection, Json, NotFound
from devenv.cluster.kube_model import Event, HelmState, Namespace, Node, Pod, PodUsage, Workload
from devenv.cluster.kube_model import why_waiting as why_waiting
from devenv.plan.model import Access

MANAGED = "app.kubernetes.io/managed-by"
OURS = f"{MANAGED}=devenv"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MERGE = "application/merge-patch+json"
POLL = 0.15


class Kube:
    """One cluster, reached by explicit access. Safe to share between threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.http = Connection(access)

    def version(self) -> str:
        """The server's version, `v1.34.4`."""
        return str(self.http.json("GET", "/version", timeout=5)["gitVersion"])

    def ready(self) -> bool:
        """Whether the API server answers and says that it is ready."""
        try:
            return self.http.text("/readyz", timeout=5) == "ok"
        except ClusterError:
            return False

    def has_service_account(self, namespace: str, name: str = "default") -> bool:
        """Whether pods can be created in the namespace yet: Kubernetes makes this account a moment after it."""
        return self._there(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")

    # namespaces

    def namespace(self, name: str) -> Namespace | None:
        """The namespace, or None."""
        try:
            return kube_parse.namespace(self.http.json("GET", f"/api/v1/namespaces/{name}"))
        except NotFound:
            return None

    def namespaces(self, selector: str = OURS) -> tuple[Namespace, ...]:
        """The namespaces that devenv made, or those that `selector` picks."""
        return tuple(kube_parse.namespace(each) for each in self._items("/api/v1/namespaces", selector))

    def ensure_namespace(
        self, name: str, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None
    ) -> None:
        """Have the namespace with these labels; raises ClusterError when it is there and is not devenv's."""
        meta: dict[str, Any] = {"name": name, "labels": {**labels, MANAGED: "devenv"}}
        meta["annotations"] = dict(annotations or {})
        found = self._past_deletion(name)
        if found is None:
            try:
                self.http.json("POST", "/api/v1/namespaces", {"metadata": meta})
            except Conflict:
                found = self.namespace(name)  # another command was faster
        if found is not None:
            refuse_foreign(found)
            if not (
                meta["labels"].items() <= found.labels.items()
                and meta["annotations"].items() <= found.annotations.items()
            ):
                self.http.json("PATCH", f"/api/v1/namespaces/{name}", {"metadata": meta}, content_type=MERGE)
        self._until(lambda: self.has_service_account(name), 30, f"the namespace `{name}` did not get ready")

    def _past_deletion(self, name: str) -> Namespace | None:
        self._until(
            lambda: (self.namespace(name) or GONE).phase != "Terminating",
            120,
            f"the namespace `{name}` is still being deleted",
        )
        return self.namespace(name)

    def delete_namespace(self, name: str, *, wait: bool = True, timeout: float = 180) -> None:
        """Delete a namespace of devenv's with all that is in it; nothing to do when it is not there."""
        found = self.namespace(name)
        if found is None:
            return
        refuse_foreign(found)
        self.http.json("DELETE", f"/api/v1/namespaces/{name}")
        if wait:
            self._until(lambda: self.namespace(name) is None, timeout, f"the namespace `{name}` is still being deleted")

    # reads

    def pods(self, namespace: str = "", selector: str = "") -> tuple[Pod, ...]:
        """Pods of a namespace (all of the cluster when empty), oldest first."""
        path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
        found = [kube_parse.pod(each) for each in self._items(path, selector)]
        return tuple(sorted(found, key=lambda each: (str(each.created), each.name)))

    def pod(self, namespace: str, name: str) -> Pod:
        """One pod; raises NotFound."""
        return kube_parse.pod(self.http.json("GET", f"/api/v1/namespaces/{namespace}/pods/{name}"))

    def watch_pods(self, namespace: str, selector: str = "", window: int = 300) -> Iterator[tuple[str, Pod]]:
        """ADDED, MODIFIED and DELETED pods as they come, those that are there first; ends after `window` seconds."""
        path = f"/api/v1/namespaces/{namespace}/pods"
        params: dict[str, str | int | bool] = {"watch": True, "timeoutSeconds": window}
        if selector:
            params["labelSelector"] = selector
        for line in self.http.lines(path, params=params, timeout=window + 10):
            message = json.loads(line)
            if message["type"] in ("ADDED", "MODIFIED", "DELETED"):
                yield message["type"], kube_parse.pod(message["object"])

    def releases(self, namespace: str) -> dict[str, HelmState]:
        """Helm release -> newest revision, failed and pending ones included."""
        return {each.name: each for each in self.revisions(namespace)}

    def revisions(self, namespace: str, release: str = "") -> list[HelmState]:
        """The revisions of a release (all releases when empty), oldest first. Only metadata is read: no values move."""
        selector = f"owner=helm,name={release}" if release else "owner=helm"
        path = f"/api/v1/namespaces/{namespace}/secrets"
        answer = self.http.json("GET", path, params={"labelSelector": selector}, accept=METADATA_ONLY)
        return kube_parse.helm_revisions(answer.get("items") or [])

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """The values of a Secret; empty when there is none."""
        try:
            data = self.http.json("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}").get("data") or {}
        except NotFound:
            return {}
        return {key: base64.b64decode(value) for key, value in data.items()}

    def config_map(self, namespace: str, name: str) -> dict[str, str]:
        """The values of a ConfigMap; empty when there is none."""
        try:
            return dict(self.http.json("GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}").get("data") or {})
        except NotFound:
            return {}

    def deployments(self, namespace: str, selector: str = "") -> tuple[Workload, ...]:
        """Deployments by name."""
        return tuple(
            kube_parse.workload(each)
            for each in self._items(f"/apis/apps/v1/namespaces/{namespace}/deployments", selector)
        )

    def stateful_sets(self, namespace: str, selector: str = "") -> tuple[Workload, ...]:
        """StatefulSets by name."""
        return tuple(
            kube_parse.workload(each)
            for each in self._items(f"/apis/apps/v1/namespaces/{namespace}/statefulsets", selector)
        )

    def events(self, namespace: str, name: str | None = None) -> tuple[Event, ...]:
        """Events of a namespace, or about one object of it; oldest first."""
        params = {"fieldSelector": f"involvedObject.name={name}"} if name else {}
        items = self.http.json("GET", f"/api/v1/namespaces/{namespace}/events", params=params).get("items") or []
        return tuple(sorted((kube_parse.event(each) for each in items), key=lambda each: str(each.last)))

    def nodes(self) -> tuple[Node, ...]:
        """The cluster's nodes."""
        return tuple(kube_parse.node(each) for each in self._items("/api/v1/nodes"))

    def node_stats(self) -> tuple[PodUsage, ...]:
        """What every pod of the cluster uses now, from the kubelets' own figures."""
        found: list[PodUsage] = []
        for node in self.nodes():
            summary = self.http.json("GET", f"/api/v1/nodes/{node.name}/proxy/stats/summary")
            found += [kube_parse.usage(each) for each in summary.get("pods") or []]
        return tuple(found)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None = None,
        *,
        tail: int | None = None,
        follow: bool = False,
        since: int | None = None,
        timestamps: bool = False,
        previous: bool = False,
    ) -> Iterator[str]:
        """Lines of a container's log, each with an RFC 3339 time before it when `timestamps`; `since` in seconds."""
        wishes = {"container": container, "tailLines": tail, "sinceSeconds": since}
        flags = {"follow": follow, "timestamps": timestamps, "previous": previous}
        params = {key: value for key, value in wishes.items() if value is not None} | {
            key: True for key, on in flags.items() if on
        }
        return self.http.lines(
            f"/api/v1/namespaces/{namespace}/pods/{pod}/log", params=params, timeout=None if follow else 30
        )

    def restart(self, namespace: str, deployment: str, stamp: str) -> None:
        """Roll a Deployment's pods as `kubectl rollout restart` does; a later Helm upgrade keeps the mark."""
        mark = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": stamp}}}
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}"
        self.http.json("PATCH", path, {"spec": {"template": mark}}, content_type=MERGE)

    # one-off pods

    def create_pod(self, namespace: str, manifest: Json) -> Pod:
        """Create a pod of `devenv run`; raises Conflict when its name is taken."""
        return kube_parse.pod(self.http.json("POST", f"/api/v1/namespaces/{namespace}/pods", manifest))

    def wait_pod(self, namespace: str, name: str, done: Callable[[Pod], bool], timeout: float) -> Pod:
        """The pod as soon as `done` holds of it; raises ClusterError with why it waits after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not done(found := self.pod(namespace, name)):
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"the pod `{name}` did not get there within {timeout:.0f} s",
                    "`devenv ps` tells more",
                    why_waiting(found),
                )
            time.sleep(POLL)
        return found

    def delete_pod(self, namespace: str, name: str, grace: int | None = None) -> None:
        """Delete a pod; nothing to do when it is not there."""
        try:
            self.http.json(
                "DELETE",
                f"/api/v1/namespaces/{namespace}/pods/{name}",
                None if grace is None else {"gracePeriodSeconds": grace},
            )
        except NotFound:
            return

    def wait_gone(self, namespace: str, selector: str, timeout: float) -> None:
        """Return when no pod that `selector` picks is left; raises ClusterError after `timeout` seconds."""
        self._until(lambda: not self.pods(namespace, selector), timeout, "some processes have not ended yet")

    def exec(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        *,
        container: str | None = None,
        stdin: bytes = b"",
        timeout: float = 60,
    ) -> Completed:
        """Run a program in a container to its end and return its output; its exit status is in `code`."""
        with self.open_exec(namespace, pod, argv, container=container, stdin=bool(stdin)) as stream:
            return stream.complete(argv, stdin, timeout)

    def open_exec(
        self, namespace: str, pod: str, argv: Sequence[str], *, container: str | None = None, stdin: bool = True
    ) -> kube_exec.ExecStream:
        """Start a program in a container and keep its stdin, stdout and stderr open."""
        return kube_exec.open_stream(self.http, namespace, pod, argv, container=container, stdin=stdin)

    def _items(self, path: str, selector: str = "") -> list[Any]:
        params = {"labelSelector": selector} if selector else None
        return self.http.json("GET", path, params=params).get("items") or []

    def _there(self, path: str) -> bool:
        try:
            self.http.json("GET", path)
        except NotFound:
            return False
        return True

    def _until(self, done: Callable[[], bool], timeout: float, otherwise: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise ClusterError(otherwise, f"it took more than {timeout:.0f} s: try again in a moment")
            time.sleep(POLL)


GONE = Namespace("", {}, {}, "", None)


def refuse_foreign(found: Namespace) -> None:
    """Raises ClusterError when devenv did not make the namespace."""
    if found.labels.get(MANAGED) != "devenv":
        raise ClusterError(
            f"the namespace `{found.name}` is there and devenv did not make it",
            f"choose another name with `--env`, or give it to devenv: `kubectl label namespace {found.name} {OURS}`",
        )
