"""From the API's JSON to the values of kube_model. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from devenv.cluster.kube_model import Container, Ended, Event, HelmState, Namespace, Node, Pod, PodUsage, Workload

Json = Mapping[str, Any]


def moment(text: str | None) -> datetime | None:
    """A timestamp of the API; None stays None."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def pod(item: Json) -> Pod:
    """A Pod from the API's JSON."""
    meta, status, spec = item["metadata"], item.get("status") or {}, item.get("spec") or {}
    containers = (
        *(_container(each, spec.get("initContainers"), True) for each in status.get("initContainerStatuses") or []),
        *(_container(each, spec.get("containers"), False) for each in status.get("containerStatuses") or []),
    )
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    blocked: Json = next(
        (each for each in conditions.values() if each["status"] == "False" and each.get("reason") == "Unschedulable"),
        {},
    )
    return Pod(
        name=meta["name"],
        namespace=meta.get("namespace", ""),
        uid=meta.get("uid", ""),
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        phase=status.get("phase", "Pending"),
        ip=status.get("podIP", ""),
        node=spec.get("nodeName", ""),
        created=moment(meta.get("creationTimestamp")),
        started=moment(status.get("startTime")),
        ready=conditions.get("Ready", {}).get("status") == "True",
        deleting=bool(meta.get("deletionTimestamp")),
        restarts=sum(each.restarts for each in containers if not each.init),
        reason=status.get("reason") or blocked.get("reason", ""),
        message=status.get("message") or blocked.get("message", ""),
        containers=containers,
    )


def _container(item: Json, specs: Sequence[Json] | None, init: bool) -> Container:
    states = item.get("state") or {"waiting": {}}
    state, detail = next(iter(states.items()))
    image = next((each.get("image", "") for each in specs or [] if each["name"] == item["name"]), item.get("image", ""))
    return Container(
        name=item["name"],
        image=image,
        init=init,
        state=state,
        reason=detail.get("reason", ""),
        message=detail.get("message", ""),
        ready=bool(item.get("ready")),
        restarts=int(item.get("restartCount", 0)),
        started=moment(detail.get("startedAt")),
        ended=_ended(states.get("terminated")),
        last=_ended((item.get("lastState") or {}).get("terminated")),
    )


def _ended(item: Json | None) -> Ended | None:
    if not item:
        return None
    return Ended(
        code=int(item.get("exitCode", 0)),
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        finished=moment(item.get("finishedAt")),
        started=moment(item.get("startedAt")),
    )


def helm_revisions(items: Sequence[Json]) -> list[HelmState]:
    """Revisions in order, from the metadata of Helm's Secrets (labels `owner=helm`)."""
    return sorted((_helm_state(item["metadata"]) for item in items), key=lambda each: (each.name, each.revision))


def _helm_state(meta: Json) -> HelmState:
    labels = meta.get("labels") or {}
    return HelmState(
        name=labels.get("name", ""),
        status=labels.get("status", ""),
        revision=int(labels.get("version", "0")),
        fingerprint=labels.get("devenv.fingerprint", ""),
        updated=moment(meta.get("creationTimestamp")),
        version=int(labels.get("devenv.version") or 0),
    )


def workload(item: Json) -> Workload:
    """A Workload from a Deployment's or StatefulSet's JSON."""
    meta, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    stuck: Json = next(
        (
            each
            for each in status.get("conditions") or []
            if each["type"] == "Progressing" and each["status"] == "False"
        ),
        {},
    )
    return Workload(
        name=meta["name"],
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        desired=int(spec.get("replicas", 1)),
        replicas=int(status.get("replicas", 0)),
        updated=int(status.get("updatedReplicas", 0)),
        ready=int(status.get("readyReplicas", 0)),
        observed=int(status.get("observedGeneration", 0)) >= int(meta.get("generation", 0)),
        reason=f"{stuck.get('reason', '')}: {stuck.get('message', '')}" if stuck else "",
    )


def event(item: Json) -> Event:
    """An Event from the API's JSON."""
    about = item.get("involvedObject") or {}
    series = item.get("series") or {}
    last = item.get("lastTimestamp") or series.get("lastObservedTime") or item.get("eventTime")
    return Event(
        object=f"{about.get('kind', '')}/{about.get('name', '')}",
        type=item.get("type", ""),
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        count=int(item.get("count") or series.get("count") or 1),
        last=moment(last or item["metadata"].get("creationTimestamp")),
    )


def namespace(item: Json) -> Namespace:
    """A Namespace from the API's JSON."""
    meta = item["metadata"]
    phase = (item.get("status") or {}).get("phase", "Active")
    return Namespace(
        meta["name"],
        meta.get("labels") or {},
        meta.get("annotations") or {},
        phase,
        moment(meta.get("creationTimestamp")),
    )


def node(item: Json) -> Node:
    """A Node from the API's JSON."""
    status = item.get("status") or {}
    room = status.get("allocatable") or {}
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or [])
    version = (status.get("nodeInfo") or {}).get("kubeletVersion", "")
    return Node(
        item["metadata"]["name"],
        ready,
        version,
        quantity(room.get("memory", "0")),
        round(_cores(room.get("cpu", "0")) * 1000),
    )


SUFFIXES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "": 1}


def quantity(text: str) -> int:
    """Bytes of a Kubernetes quantity: `128Mi` -> 134217728."""
    number = text.rstrip("KMGTikm")
    return int(float(number or 0) * SUFFIXES.get(text[len(number) :], 1))


def _cores(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text or 0)


def usage(item: Json) -> PodUsage:
    """What one pod of a node's stats summary uses."""
    ref = item["podRef"]
    parts = {
        each["name"]: int((each.get("memory") or {}).get("workingSetBytes", 0)) for each in item.get("containers") or []
    }
    memory = int((item.get("memory") or {}).get("workingSetBytes") or sum(parts.values()))
    nano = int((item.get("cpu") or {}).get("usageNanoCores", 0))
    return PodUsage(ref["namespace"], ref["name"], memory, round(nano / 1_000_000), parts)
