"""What the sync did and would do: the state of every pod, the story of one file."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from devenv.base.errors import DevenvError, InputError
from devenv.cluster.kube_model import Pod
from devenv.ops import lock
from devenv.ops.env import Env
from devenv.ops.journal import Entry, Journal
from devenv.ops.rollout import PROCESSES
from devenv.ops.status import KEY, cksum, dyno_name
from devenv.ops.sync import mirrors
from devenv.sync import frame
from devenv.sync.engine import SETTINGS
from devenv.sync.mirror import Mirror
from devenv.sync.rules import RELEASE


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod: whether it has every edit and no others, and how many paths it lacks."""

    name: str
    pod: str
    current: bool
    behind: int


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The sync of an env. `session` is the process that is attached; `edited` counts paths that differ from the image."""

    env: str
    session: str | None
    edited: int
    pods: tuple[PodState, ...]
    last: Entry | None


def status(env: Env) -> SyncStatus:
    """The state of every pod. Raises InputError or SyncError."""
    found = mirrors(env)
    journal = list(Journal(env.spec.name, env.name).read())
    for mirror in found:
        mirror.tree.look_all()
    return SyncStatus(
        env.name,
        lock.holder(lock.session(env)),
        sum(len(mirror.tree.since(0)) for mirror in found),
        tuple(_state(env, mirror, pod) for mirror in found for pod in pods(env, mirror)),
        journal[-1] if journal else None,
    )


def pods(env: Env, mirror: Mirror) -> list[Pod]:
    """The pods that run the image of a mirror."""
    every = env.kube.pods(env.name, PROCESSES)
    return [pod for pod in every if pod.annotations.get(KEY) == mirror.key and not pod.deleting]


def _state(env: Env, mirror: Mirror, pod: Pod) -> PodState:
    seq = number(env, mirror, pod)
    behind = sum(1 for change in mirror.tree.since(seq or 0) if mirror.place(change.path))
    return PodState(dyno_name(pod), pod.name, seq is not None and not behind, behind)


def number(env: Env, mirror: Mirror, pod: Pod) -> int | None:
    """The number of the last edit that a pod has: 0 without any, None when they are of another work tree."""
    text = _in_pod(env, pod, f"cat {frame.STATE}/seq")
    return mirror.tree.number((text or "").strip())


@dataclass(frozen=True, slots=True)
class Why:
    """The story of a file: the rule and what it does, why it is left out, when it last went, what each pod has."""

    path: str
    place: str | None
    ignored: str | None
    does: str
    rule: str
    last: Entry | None
    pods: Mapping[str, str] = field(default_factory=dict)  # dyno -> "as here", "another content", "not there"

    def lines(self) -> Iterator[tuple[str, str]]:
        """Name and text of each line to show."""
        if self.ignored:
            yield "left out", self.ignored
            return
        yield "a change", self.does
        yield "rule", self.rule
        yield "in the pod", self.place or "no copy of it"
        if self.last:
            when = datetime.fromtimestamp(self.last.at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            yield (
                "last synced",
                f"{when}, in {self.last.seconds * 1000:.0f} ms, to {', '.join(self.last.pods) or 'no pod'}",
            )
        else:
            yield "last synced", "never by a session on this machine"


def why(env: Env, file: str) -> Why:
    """The story of a file of the app. Raises InputError when it is not the app's."""
    root = env.source.root
    named = Path(os.path.normpath(env.options.app_dir / file))
    full = Path(os.path.realpath(named.parent), named.name)  # a link is itself a file of the app
    if not full.is_relative_to(root) or full == root:
        raise InputError(f"`{file}` is not in the app's folder", f"name a file below {root}")
    path = full.relative_to(root).as_posix()
    found = mirrors(env)
    if path in SETTINGS:
        return Why(path, None, None, "makes another release", "default: what runs depends on it", None)
    if any(path in each.settings for each in found):
        return Why(path, None, None, "builds another image", "default: the image is built by it", None)
    mirror = next((each for each in found if path.startswith(each.folder)), None)
    if mirror is None:
        return Why(path, None, "it is in no image's build context", "", "", None)
    inside = path[len(mirror.folder) :]
    rule = mirror.rule(inside)
    entries = [each for each in Journal(env.spec.name, env.name).read() if path in each.files]
    ignored = _ignored(mirror, inside)
    place = mirror.place(inside)
    copies = (
        {} if ignored or not place else {dyno_name(pod): _copy(env, pod, mirror, inside) for pod in pods(env, mirror)}
    )
    return Why(path, place, ignored, _does(mirror, inside), rule.source, entries[-1] if entries else None, copies)


def _ignored(mirror: Mirror, path: str) -> str | None:
    for parent in [*reversed(PurePosixPath(path).parents), PurePosixPath(path)]:
        name = parent.as_posix()
        if name != "." and (reason := mirror.tree.skip(name, name != path or (mirror.tree.folder / name).is_dir())):
            return reason if name == path else f"{reason} (`{name}`)"
    return None


def _does(mirror: Mirror, path: str) -> str:
    rule = mirror.rule(path)
    if rule.do == "rebuild" or mirror.mounted(path) is None:
        return "builds another image"
    if rule.do == "ignore":
        return "does nothing"
    text = "is copied into the pods"
    if rule.run:
        text += f", runs {'the release phase' if rule.run == RELEASE else f'`{rule.run}`'}"
    if rule.do != "restart":
        return text
    text += f", {' and '.join(rule.types) or 'every process'} starts again"
    return text + (f"; {', '.join(mirror.reloading)} reloads by itself" if mirror.reloading else "")


def _copy(env: Env, pod: Pod, mirror: Mirror, path: str) -> str:
    here = mirror.tree.folder / path
    place = mirror.place(path)
    said = _in_pod(env, pod, f"cksum < {frame.quoted(place or '')}")
    if said is None:
        return "not there" if here.exists() else "not there, as here"
    if not here.is_file():
        return "there, and not here"
    return "as here" if said.split()[:1] == [str(cksum(here.read_bytes()))] else "another content"


def _in_pod(env: Env, pod: Pod, command: str) -> str | None:
    container = next(each.name for each in pod.containers if not each.init)
    try:
        done = env.kube.exec(env.name, pod.name, ["sh", "-c", command], container=container, timeout=20)
    except DevenvError:
        return None
    return done.stdout if done.code == 0 else None
