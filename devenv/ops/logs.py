"""The log stream: lines of all dynos, of the platform and of the router, in Heroku's shape (heroku.md section 3.6)."""

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from devenv.base.errors import DevenvError
from devenv.cluster import kube_logs
from devenv.cluster.kube_model import Ended, Pod
from devenv.ops.env import Env
from devenv.ops.rollout import PROCESS, RELEASE
from devenv.ops.status import KIND, dyno_name
from devenv.plan import names, router_log, values

ROUTER_PODS = "gateway.envoyproxy.io/owning-gateway-name=devenv"
ROUTER_CONTAINER = "envoy"
DYNOS = ("process", "run", "release")


@dataclass(frozen=True, slots=True)
class Line:
    """A line: time (RFC 3339, UTC, 6 decimals), source (app, heroku), dyno (`web.4711`, `router`), text."""

    time: str
    source: str
    dyno: str
    text: str

    def __str__(self) -> str:
        return f"{self.time} {self.source}[{self.dyno}]: {self.text}"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which lines are wanted; None = all."""

    process: str | None = None
    dyno: str | None = None
    source: str | None = None
    addons: bool = False

    def pods(self, pod: Pod) -> bool:
        """Whether the lines of this pod are wanted."""
        kind = pod.labels.get(KIND, "")
        if kind == "addon":
            return self.addons
        if kind not in DYNOS or self.addons:
            return False
        if self.process and pod.labels.get(PROCESS) != self.process:
            return False
        return not self.dyno or self.dyno in (name_of(pod), pod.name)

    @property
    def router(self) -> bool:
        """Whether the router's lines are wanted."""
        return (
            not self.addons and not self.process and self.dyno in (None, "router") and self.source in (None, "heroku")
        )


def name_of(pod: Pod) -> str:
    """What stands in brackets: the dyno's name; an add-on's pod by its own."""
    kind = pod.labels.get(KIND)
    if kind == "addon":
        return pod.name.rsplit("-", 1)[0]
    if kind == "release":
        return f"release.{pod.labels.get(RELEASE, '0')}"
    return dyno_name(pod)


def recent(env: Env, wish: Wish, count: int) -> list[Line]:
    """The newest `count` lines, oldest first. Raises InputError when there is no env."""
    env.require()
    return _gather(env, wish, count)[-count:]


def _gather(env: Env, wish: Wish, count: int) -> list[Line]:
    found: list[Line] = []
    pods = env.kube.pods(env.name)
    for pod in filter(wish.pods, pods):
        if wish.source != "heroku":
            found += _pod_lines(env, pod, count)
        if wish.source != "app" and pod.labels.get(KIND) == "process":
            found += platform(pod)
    if wish.router:
        found += _router_lines(env, pods, count)
    return sorted(found, key=lambda line: line.time)


def _pod_lines(env: Env, pod: Pod, count: int) -> list[Line]:
    lines: list[Line] = []
    for previous in (True, False):
        if previous and not pod.restarts:
            continue
        try:
            raw = env.kube.logs(env.name, pod.name, tail=count, timestamps=True, previous=previous)
            lines += [_line(pod, stamp, text) for stamp, text in kube_logs.stamped(raw)]
        except DevenvError as error:
            env.console.detail(f"no log of {pod.name}: {error.message}")  # not started yet, or its log is gone already
    return lines


def _line(pod: Pod, stamp: str, text: str) -> Line:
    source = "app" if pod.labels.get(KIND) != "addon" else "addon"
    return Line(stamp6(stamp), source, name_of(pod), text)


def stamp6(stamp: str) -> str:
    """Kubernetes' nanosecond time as Heroku's: six decimals and `+00:00`."""
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return f"{whole}.{fraction[:6]:0<6}+00:00"


def platform(pod: Pod) -> list[Line]:
    """What the platform says of a process, from its pod's state."""
    name, lines = name_of(pod), []
    for container in pod.containers:
        if container.init:
            continue
        if container.last:
            lines += _end_lines(name, container.last)
        if container.ended:
            lines += _end_lines(name, container.ended)
        if container.started:
            lines.append(_at(container.started, name, "Starting process"))
        if container.state == "waiting" and container.reason == "CrashLoopBackOff" and container.last:
            lines.append(_at(container.last.finished, name, "State changed from up to crashed"))
    return lines


def _end_lines(name: str, ended: Ended) -> list[Line]:
    lines = [_at(ended.finished, name, f"Process exited with status {ended.code}")]
    if ended.reason == "OOMKilled":
        lines.insert(0, _at(ended.finished, name, "Error R15 (Memory quota vastly exceeded)"))
    return lines


def _at(moment: datetime | None, name: str, text: str) -> Line:
    when = (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    return Line(when, "heroku", name, text)


def _router_lines(env: Env, pods: tuple[Pod, ...], count: int) -> list[Line]:
    dynos = {pod.ip: dyno_name(pod) for pod in pods if pod.ip}
    lines: list[Line] = []
    for pod in env.kube.pods(values.SYSTEM, ROUTER_PODS):
        for text in env.kube.logs(values.SYSTEM, pod.name, ROUTER_CONTAINER, tail=max(1000, count)):
            if line := router_line(env.name, text, dynos):
                lines.append(line)
    return lines


def router_line(env: str, text: str, dynos: dict[str, str]) -> Line | None:
    """Heroku's line for one of the router's, or None when it is not this env's."""
    entry = router_log.parse(text)
    if entry is None or entry.host.partition(":")[0] != names.host(env):
        return None
    whole = router_log.heroku_line(entry, lambda address: dynos.get(address.partition(":")[0], ""))
    stamp, _, rest = whole.partition(" ")
    return Line(stamp, "heroku", "router", rest.partition(": ")[2])


def follow(env: Env, wish: Wish, count: int) -> Iterator[Line]:
    """The newest lines, then new ones as they come, from processes that start later too. Ends with the generator."""
    env.require()
    lines: queue.Queue[Line] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_watch, args=(env, wish, lines, stop), daemon=True).start()
    try:
        found = _gather(env, wish, count)
        yield from found[-count:]
        told = {line.dyno: line.time for line in found if line.source != "heroku" or line.dyno == "router"}
        while True:
            line = lines.get()
            if line.time > told.get(line.dyno, ""):
                yield line
    finally:
        stop.set()


def _watch(env: Env, wish: Wish, lines: "queue.Queue[Line]", stop: threading.Event) -> None:
    followed: set[tuple[str, int]] = set()
    while not stop.is_set():
        try:
            pods = env.kube.pods(env.name)
            for pod in filter(wish.pods, pods):
                run = (pod.name, pod.restarts)
                if run not in followed and any(each.started or each.ended for each in pod.containers):
                    followed.add(run)
                    threading.Thread(target=_follow_pod, args=(env, pod, wish, lines, stop), daemon=True).start()
            if wish.router:
                for pod in env.kube.pods(values.SYSTEM, ROUTER_PODS):
                    if (pod.name, pod.restarts) not in followed:
                        followed.add((pod.name, pod.restarts))
                        threading.Thread(target=_follow_router, args=(env, pod, lines, stop), daemon=True).start()
        except DevenvError as error:
            env.console.detail(f"logs: {error.message}; trying again")  # the API server restarts, a laptop sleeps
        stop.wait(1.0)


def _follow_pod(env: Env, pod: Pod, wish: Wish, lines: "queue.Queue[Line]", stop: threading.Event) -> None:
    if wish.source == "heroku":
        return
    try:
        for stamp, text in kube_logs.follow(env.kube, pod, since=60, stop=stop):
            lines.put(_line(pod, stamp, text))
    except DevenvError as error:
        env.console.detail(f"the log of {pod.name} ended: {error.message}")


def _follow_router(env: Env, pod: Pod, lines: "queue.Queue[Line]", stop: threading.Event) -> None:
    dynos: dict[str, str] = {}
    read = 0.0
    try:
        for _, text in kube_logs.follow(env.kube, pod, ROUTER_CONTAINER, since=1, stop=stop):
            if time.monotonic() - read > 2:
                dynos = {each.ip: dyno_name(each) for each in env.kube.pods(env.name) if each.ip}
                read = time.monotonic()
            if line := router_line(env.name, text, dynos):
                lines.put(line)
    except DevenvError as error:
        env.console.detail(f"the router's log ended: {error.message}")
