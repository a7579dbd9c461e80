"""What a process writes in a pod and a rule wants back: into the work tree, never over somebody's edit."""

import io
import os
import tarfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devenv.base.errors import DevenvError, InputError
from devenv.cluster.kube_model import Pod
from devenv.ops.env import Env
from devenv.ops.rollout import PROCESSES
from devenv.ops.status import KEY
from devenv.sync import frame
from devenv.sync.mirror import Mirror

CONFLICTS = Path(".devenv") / "from-pod"  # never part of an image, never watched
PAUSE = 2.0  # seconds between two looks into the pods
START = f"{frame.STATE}/start"  # in a one-off: as old as its command


@dataclass(frozen=True, slots=True)
class Returned:
    """A file of a pod. `kept` is None when it is in the work tree now; else the place it was put, because the file here was edited."""

    path: str
    kept: str | None


def bring(
    env: Env, mirrors: Sequence[Mirror], pod: str, container: str, since: float, stamp: str = START
) -> list[Returned]:
    """Take what is newer in the container than its file `stamp` and matches a rule with `back: true`.

    `since` (seconds since 1970): a file that was edited here later stays as it is. Raises DevenvError.
    """
    found: list[Returned] = []
    for mirror in mirrors:
        if not (mirror.rules.back and mirror.mounts):
            continue
        # the mark before the files: what is delivered in between counts as unknown there, and stays
        targets = " ".join(frame.quoted(target) for _, target in mirror.mounts if target)
        newer = f"find {targets} '(' -path /proc -o -path /sys ')' -prune -o -newer {stamp} -type f -print0"
        listing = f"cat {frame.POD.seq}; printf '\\0'; {newer}"
        done = env.kube.exec(env.name, pod, ["sh", "-c", f"{{ {listing}; }} 2>/dev/null"], container=container)
        mark, *names = done.stdout.split("\0")
        wanted = {name: path for name in names if (path := _local(mirror, name))}
        if wanted:
            seq = mirror.tree.number(mark.strip()) or 0
            found += _take(env, mirror, pod, container, wanted, since, seq)
    return found


def _local(mirror: Mirror, name: str) -> str | None:
    """The path in the context of a file of the image, when a rule wants it back."""
    for source, target in mirror.mounts:
        if not target:
            continue
        below = f"{target.rstrip('/')}/"
        if name == target and source:
            path = source
        elif name.startswith(below):
            path = f"{source}/{name[len(below) :]}".lstrip("/")
        else:
            continue
        parts = path.split("/")
        folders = ["/".join(parts[:end]) for end in range(1, len(parts))]
        if any(mirror.tree.skip(folder, True) for folder in folders) or mirror.tree.skip(path, False):
            return None
        return path if any(rule.matches(mirror.full(path)) for rule in mirror.rules.back) else None
    return None


def _take(
    env: Env, mirror: Mirror, pod: str, container: str, wanted: dict[str, str], since: float, seq: int
) -> list[Returned]:
    found = []
    argv = ["tar", "-cf", "-", "-C", "/", *(name.lstrip("/") for name in wanted)]
    with env.kube.open_exec(env.name, pod, argv, container=container, stdin=False) as stream:
        data = b"".join(piece[1] for piece in iter(lambda: stream.read(60), None) if piece[0] == 1)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            path = wanted.get("/" + member.name.lstrip("./"))
            if content is None or path is None:
                continue
            if returned := _put(env, mirror, path, content.read(), member.mode, since, seq):
                found.append(returned)
    return found


def _put(env: Env, mirror: Mirror, path: str, content: bytes, mode: int, since: float, seq: int) -> Returned | None:
    here, conflict = mirror.tree.folder / path, env.source.root / CONFLICTS / mirror.full(path)
    if any(file.is_file() and file.read_bytes() == content for file in (here, conflict)):
        return None  # the same, or told before
    edited = here.exists() and here.stat().st_mtime > since
    # what the pod never got, whose last change is number `seq`, is an edit too, whenever and by whomever it was noted
    mirror.tree.look([path])
    unknown = any(change.path == path for change in mirror.tree.since(seq))
    kept = None
    if edited or unknown:
        mirror.tree.doubt(path)
        here = conflict
        kept = here.relative_to(env.source.root).as_posix()
    here.parent.mkdir(parents=True, exist_ok=True)
    draft = env.source.root / ".devenv" / f"draft.{os.getpid()}"  # where nobody watches
    draft.parent.mkdir(exist_ok=True)
    draft.write_bytes(content)
    draft.chmod(0o755 if mode & 0o100 else 0o644)
    draft.replace(here)
    with suppress(OSError):
        draft.parent.rmdir()  # unless it holds the app's own settings
    return Returned(mirror.full(path), kept)


def tell(env: Env, returned: Sequence[Returned]) -> None:
    """A line for each."""
    for each in returned:
        if each.kept:
            env.console.warn(f"{each.path} was changed here and in the pod: yours stays, the pod's is {each.kept}")
        else:
            env.console.say(f"{env.console.style('↓', 'green', 'bold')} {each.path} came back")


def poll(env: Env, mirrors: Sequence[Mirror], over: threading.Event, touched: Callable[[str], None]) -> None:
    """Every few seconds bring back what the env's processes wrote, until `over` is set; only for rules of the app's own.

    `touched` gets the paths whose file here is to replace the pod's.
    """
    since = time.time()
    while not over.wait(PAUSE):
        began = time.time()
        try:
            pods = env.kube.pods(env.name, PROCESSES)
        except DevenvError as error:
            env.console.detail(f"nothing came back: {error.message}; trying again")
            continue
        for mirror in mirrors:
            for pod in pods:
                if pod.annotations.get(KEY) == mirror.key and pod.ready and not pod.deleting:
                    for path in _poll(env, mirror, pod, since):
                        touched(path)
        since = began


def _poll(env: Env, mirror: Mirror, pod: Pod, since: float) -> list[str]:
    container = next(each.name for each in pod.containers if not each.init)
    mark = f"{frame.STATE}/back"
    try:
        # the first time there is nothing to compare with: what is there came with the image, or by sync
        env.kube.exec(
            env.name, pod.name, ["sh", "-c", f": > {mark}.new; [ -e {mark} ] || : > {mark}"], container=container
        )
        found = bring(env, [mirror], pod.name, container, since, mark)
        tell(env, found)
        env.kube.exec(env.name, pod.name, ["sh", "-c", f"mv -f {mark}.new {mark}"], container=container)
        return [each.path for each in found if each.kept]
    except (DevenvError, OSError, tarfile.TarError) as error:
        env.console.detail(f"nothing came back from {pod.name}: {error}")  # it may be on its way out
    return []


def after_run(env: Env, pod: str, container: str, key: str, since: float) -> None:
    """Bring back what a one-off of image `key` wrote; a failure is told and ends nothing."""
    from devenv.ops.sync import mirrors

    try:
        mine = [mirror for mirror in mirrors(env) if mirror.key == key]
        tell(env, bring(env, mine, pod, container, since))
    except InputError:
        return  # not in the app's folder: there is nowhere to bring it
    except (DevenvError, OSError, tarfile.TarError) as error:
        env.console.warn(f"what the command wrote did not come back: {error}")
