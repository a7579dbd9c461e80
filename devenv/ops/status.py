"""What runs: the dynos of an env, its add-ons, what they use."""

from dataclasses import dataclass
from datetime import UTC, datetime

from devenv.cluster.kube_model import Container, Ended, Pod, PodUsage
from devenv.ops.env import Env
from devenv.ops.rollout import PROCESS

KIND = "devenv.dev/kind"
KEY = "devenv.dev/sync"  # annotation of a pod of the work tree: the tag of its image


@dataclass(frozen=True, slots=True)
class Dyno:
    """One process. `state` is Heroku's: starting, up, crashed, complete (heroku.md section 3.2). Memory in MB, None = not known yet."""

    name: str  # web.4711: what DYNO is inside
    type: str
    command: str
    size: str
    state: str
    since: datetime | None
    pod: str
    restarts: int
    memory: int | None
    quota: int  # MB of its size
    detail: str  # why it is not up


@dataclass(frozen=True, slots=True)
class AddonState:
    """A stand-in: its Helm release, whether it answers, its memory in MB."""

    name: str
    ready: bool
    running: bool
    memory: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """An env as it runs."""

    env: str
    url: str | None
    mode: str
    version: int
    running: bool
    dynos: tuple[Dyno, ...]
    formation: tuple[tuple[str, int, str], ...]  # type, wished quantity, size
    addons: tuple[AddonState, ...]
    memory: int  # MB used by the env's pods
    cluster_memory: int  # MB used by all pods of the cluster


def number(pod: str) -> int:
    """The number in a process's DYNO: POSIX cksum of the pod's name, as the start script computes it."""
    return cksum(pod.encode()) % 9999 + 1


def cksum(data: bytes) -> int:
    """The checksum that the `cksum` utility prints (POSIX.1-2024, utilities, cksum)."""
    length, tail = len(data), b""
    while length:
        tail += bytes([length & 0xFF])
        length >>= 8
    # POSIX's CRC is zlib's with the bits of every byte turned round and no initial value
    crc = 0
    for byte in data + tail:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return ~crc & 0xFFFFFFFF


def dyno_name(pod: Pod) -> str:
    """The DYNO of a pod: `web.4711`; one-off pods are named for it."""
    if pod.labels.get(KIND) == "run":
        return pod.name.replace("-", ".", 1)
    return pod.annotations.get("devenv.dev/dyno") or f"{pod.labels.get(PROCESS, pod.name)}.{number(pod.name)}"


def status(env: Env) -> Status:
    """The env as it is now. Raises InputError when there is none."""
    env.require()
    pods = env.kube.pods(env.name)
    usage = env.kube.node_stats()
    deployments = env.kube.deployments(env.name, PROCESS)
    used = {each.pod: each for each in usage if each.namespace == env.name}
    processes = env.served()
    commands = {item["type"]: item for item in processes.get("processes", [])}
    annotations = deployments[0].annotations if deployments else {}
    return Status(
        env=env.name,
        url=env.url if processes.get("route") else None,
        mode=annotations.get("devenv.dev/mode", ""),
        version=int(processes.get("release", {}).get("version", 0)),
        running=bool(processes.get("running")),
        dynos=tuple(
            sorted(
                (_dyno(pod, commands, used) for pod in pods if pod.labels.get(KIND) in ("process", "run")),
                key=lambda each: each.name,
            )
        ),
        formation=tuple((item["type"], int(item["quantity"]), item["size"]) for item in commands.values()),
        addons=tuple(
            AddonState(
                item.name,
                item.ready == item.desired and item.desired > 0,
                item.desired > 0,
                _megabytes(used.get(f"{item.name}-0")),
            )
            for item in env.kube.stateful_sets(env.name)
        ),
        memory=sum(each.memory for each in used.values()) // 2**20,
        cluster_memory=sum(each.memory for each in usage) // 2**20,
    )


def _megabytes(usage: PodUsage | None) -> int | None:
    return usage.memory // 2**20 if usage else None


def _dyno(pod: Pod, commands: dict[str, dict[str, object]], used: dict[str, PodUsage]) -> Dyno:
    kind = pod.labels.get(PROCESS, "run")
    item = commands.get(kind, {})
    container = next((each for each in pod.containers if not each.init), None)
    state, since, detail = state_of(pod, container)
    return Dyno(
        name=dyno_name(pod),
        type=kind,
        command=str(item.get("command") or pod.annotations.get("devenv.dev/command", "")),
        size=str(item.get("size", "")),
        state=state,
        since=since,
        pod=pod.name,
        restarts=pod.restarts,
        memory=_megabytes(used.get(pod.name)),
        quota=int(str(item.get("memory", 0))),
        detail=detail,
    )


def state_of(pod: Pod, container: Container | None) -> tuple[str, datetime | None, str]:
    """Heroku's word for a pod's state, since when, and why (heroku.md section 3.2)."""
    if pod.deleting:
        return "down", pod.created, "stopping"
    if container is None or pod.phase == "Pending":
        return "starting", pod.created, pod.message or (container.reason if container else "")
    ended = container.ended or container.last
    if container.state == "running" and (container.ready or pod.labels.get(KIND) == "run"):
        return "up", container.started, ""
    if container.state == "running":
        return "starting", container.started, _why(ended)
    if container.ended and container.ended.code == 0 and pod.labels.get(KIND) == "run":
        return "complete", container.ended.finished, ""
    return "crashed", ended.finished if ended else pod.created, _why(ended) or container.reason


def _why(ended: Ended | None) -> str:
    if ended is None:
        return ""
    if ended.reason == "OOMKilled":
        return "R15 (Memory quota vastly exceeded)"
    return f"its last run ended with status {ended.code}"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Heroku's time: `2026/05/04 10:00:00 +0000 (~ 5m ago)` (heroku.md section 6)."""
    if moment is None:
        return ""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    text = moment.astimezone().strftime("%Y/%m/%d %H:%M:%S %z")
    if seconds < 60:
        return f"{text} (~ {max(0, seconds)}s ago)"
    if seconds < 3600:
        return f"{text} (~ {seconds // 60}m ago)"
    return f"{text} (~ {seconds // 3600}h ago)" if seconds < 25 * 3600 else text
