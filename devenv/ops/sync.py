"""A sync session: the work tree, watched, and every pod of the env, watched, joined by the engine."""

import posixpath
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from devenv.base.errors import DevenvError, InputError, SyncError
from devenv.base.index import UNKNOWN, Index, Mount
from devenv.build import context
from devenv.build.source import Context
from devenv.cluster.kube_model import Pod
from devenv.ops import back, lock, oneoff
from devenv.ops.env import Env
from devenv.ops.rollout import PROCESS
from devenv.ops.status import KEY, KIND, dyno_name
from devenv.sync import frame, rules, watch
from devenv.sync.engine import Engine
from devenv.sync.mirror import Mirror
from devenv.sync.session import Appeared, Listed, Report, Stop, Vanished
from devenv.sync.target import Target
from devenv.sync.tree import Skip, Tree

PODS = "devenv.dev/kind in (process,sync)"
RUN = 600.0  # seconds for a command that a rule asks for
PATIENCE = 10.0  # seconds without an answer of the cluster until that is told
EMPTY = 2.0  # seconds between two looks at an env that has no pods
MANIFESTS = ("heroku.yml", "app.json", "Procfile")
Content = tuple[Context, tuple[Mount, ...]]  # what an image is made of, and where it has that


class NotOnRecord(SyncError):
    """Nobody noted on this machine which files an image was made of."""


def contents(env: Env) -> Mapping[str, Content]:
    """The files of the images that the work tree needs, by tag; those on record are left out. Ask before they are built."""
    return {
        spec.tag: (context.content(env.app, env.source, spec.name), context.mounts(env.app, env.source, spec.name))
        for spec in env.images
        if not record(env, spec.name, spec.tag).known
    }


def built(env: Env, contents: Mapping[str, Content], references: Mapping[str, str]) -> None:
    """Put on record which files the images hold: what was edited since then is for the session.

    An image that has another tag than was planned was built while the work tree changed: what did so since may be in it as it
    was before or after, and is sent to whoever runs it.
    """
    for spec in env.images:
        tag = references[spec.name].rpartition(":")[2]
        before, mounts = contents.get(spec.tag) or (None, record(env, spec.name, spec.tag).mounts)
        if tag != spec.tag:
            now = context.content(env.app, env.source, spec.name)
            rows = dict(before.rows if before else now.rows)
            unlike = {path for path in {*rows, *now.rows} if rows.get(path) != now.rows.get(path)}
            rows |= dict.fromkeys(unlike | now.since(env.looked), UNKNOWN)
            record(env, spec.name, tag).set_base(rows.items(), mounts)
        elif before:
            record(env, spec.name, tag).set_base(before.rows.items(), mounts)


def record(env: Env, name: str, tag: str) -> Tree:
    """What is on record of an image (`lamp/app` and its tag): not to look with, for it leaves out nothing."""
    root = env.source.root / context.kept(env.app, env.source, name).folder
    return Tree(root, tag, lambda path, is_folder: None, Index(root))


def mirrors(env: Env) -> tuple[Mirror, ...]:
    """The images that the env runs, with the files that each was built of. Raises InputError or SyncError."""
    env.require()
    served = env.served()
    if not served.get("sync"):
        raise InputError(
            f"`{env.name}` runs a release, which takes no edits",
            "`devenv up` runs this work tree instead; `devenv push` makes another release",
        )
    # builds of the same Dockerfile have the same tag, and the same files
    found = _images(served)
    made = tuple(_mirror(env, served, image, key) for key, image in found.items())
    if unknown := [mirror for mirror in made if not mirror.tree.known]:
        raise NotOnRecord(
            f"which files are in the image `{unknown[0].key}` is not on record on this machine",
            "`devenv up` compares, and builds what it must",
        )
    for mirror in made[:1]:  # what no image shows is asked for all the same
        hidden = {name for name in MANIFESTS if all(each.folder or each.tree.skip(name, False) for each in made)}
        mirror.settings = {*mirror.settings, *hidden}
    for mirror in made:
        mirror.tree.set_base(())  # it is in use: others are forgotten first
    return made


def _images(served: Mapping[str, Any]) -> dict[str, str]:
    """The images whose files a session looks at, by tag: not one that nothing but a command without a shell runs, once."""
    phase = served.get("releasePhase")
    runs = [item for item in served["processes"] if item["sync"] or item.get("quantity", 1)]
    runs += [phase] if phase and phase["sync"] else []
    return {item["image"].rpartition(":")[2]: item["image"] for item in runs}


def _fixed(served: Mapping[str, Any], key: str) -> bool:
    """Whether a process runs the image without a shell that could take edits."""
    return any(not item["sync"] and item.get("quantity", 1) for item in _running(served, key))


def _running(served: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [item for item in served["processes"] if item["image"].endswith(f":{key}")]


def _mirror(env: Env, served: Mapping[str, Any], reference: str, key: str) -> Mirror:
    name = "/".join(reference.rpartition(":")[0].split("/")[-2:])  # a registry's address may have a path
    kept = context.kept(env.app, env.source, name)
    root = env.source.root / kept.folder
    build = context.build_of(env.app, name)
    file = posixpath.normpath(build.dockerfile) if build else ""
    recipe = {file, f"{file}.dockerignore", f"{kept.folder}.dockerignore"} if build else set()
    # a build reads them even where a .dockerignore leaves them out
    hidden = {path for path in recipe if kept.skip(path[len(kept.folder) :], False)}
    languages = tuple(dict.fromkeys(pack.language for pack in env.app.buildpacks))
    phase = served.get("releasePhase") or {}
    commands = [item["command"] for item in _running(served, key)]
    tree = Tree(root, key, kept.skip, Index(root), env.console.warn)
    return Mirror(
        key=key,
        tree=tree,
        rules=rules.rules(env.profile.sync, languages, bool(phase), recipe - hidden, _fixed(served, key), commands),
        mounts=tree.mounts,
        folder=kept.folder,
        reload=kept.part.reload,
        settings=hidden,
        release=phase.get("command", ""),
        reloading=tuple(
            item["type"] for item in served["processes"] if rules.reloads_itself(item["command"], served["config"])
        ),
    )


@contextmanager
def attached(env: Env) -> Iterator[None]:
    """The right to sync into the env; raises SyncError when another session has it."""
    name = lock.session(env)
    if other := lock.holder(name):
        raise SyncError(
            f"another session syncs into `{env.name}` (process {other})", "one is enough: it serves every pod"
        )
    with lock.hold(name, env.console):
        yield


def session(env: Env, report: Report, refused: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Sync until changes ask for another image: their paths and rows. Ctrl-C raises KeyboardInterrupt.

    Empty when the env has come to run other images: somebody else's `up` made them. `refused` are those that did not lead to
    an image before: they are not asked for again until they change.
    """
    found = mirrors(env)
    once = partial(_run_once, env)
    engine = Engine(env.source.root, found, report, run_once=once, refused=dict(refused))

    def put(message: watch.Touched | watch.Lost) -> None:
        if isinstance(message, watch.Touched) and message.path.endswith(".gitignore"):
            watcher.refresh()
        engine.put(message)

    for path in engine.settings - refused.keys():
        if engine.changed_since(path, env.made):
            engine.refused[path] = ""  # whoever made the env what it is has read what was there before
    skip = _watched(found, engine.settings)
    watcher = watch.Watcher(env.source.root, skip, put, anew=lambda: _reload(env, found), tell=env.console.warn)
    engine.took = watcher.took
    over = threading.Event()
    watcher.start()
    threading.Thread(target=_watch_pods, args=(env, engine, over), daemon=True).start()
    if any(rule.back and rule.own for mirror in found for rule in mirror.rules.rules):
        again = lambda path: engine.put(watch.Touched(path, time.monotonic()))  # noqa: E731
        threading.Thread(target=back.poll, args=(env, found, over, again), daemon=True).start()
    try:
        wanted = engine.run()
    finally:
        over.set()
        watcher.stop()
    if not wanted and env.kube.namespace(env.name) is None:
        raise SyncError(f"`{env.name}` was destroyed", "`devenv up` makes it anew")
    return engine.rebuild


def _reload(env: Env, found: Sequence[Mirror]) -> None:
    for mirror in found:
        try:
            mirror.reload()
        except (DevenvError, OSError) as error:  # a checkout is at it: what held until now holds on
            env.console.detail(f"sync: {error}")


def _watched(found: Sequence[Mirror], settings: Collection[str]) -> Skip:
    """What the watcher may leave out: what no image has, and no setting is."""
    skips = [(mirror.folder, mirror.tree.skip) for mirror in found]

    def skip(path: str, is_folder: bool) -> str | None:
        if path in settings or path == ".devenv":
            return None
        reasons = [
            each(path[len(folder) :], is_folder) for folder, each in skips if path.startswith(folder) and path != folder
        ]
        # a folder on the way to a context is watched too
        return reasons[0] if reasons and all(reasons) else None

    return skip


def _watch_pods(env: Env, engine: Engine, over: threading.Event) -> None:
    known: set[str] = set()
    failing_since, told = None, False
    while not over.is_set():
        try:
            pods = env.kube.pods(env.name, PODS)
            for name in known - {pod.name for pod in pods}:
                known.discard(name)
                engine.put(Vanished(name))
            for pod in pods:
                _tell(env, engine, "ADDED", pod, known)
            engine.put(Listed())
            if told:
                env.console.say("The cluster answers again.")
            failing_since, told = None, False
            if not pods:
                if env.kube.namespace(env.name) is None:
                    engine.put(Stop())
                    return
                over.wait(EMPTY)
                continue
            for event, pod in env.kube.watch_pods(env.name, PODS):
                if over.is_set():
                    return
                _tell(env, engine, event, pod, known)
                if event == "DELETED" and not known:
                    break
        except DevenvError as error:
            env.console.detail(f"sync: {error.message}; trying again")
            failing_since = failing_since or time.monotonic()
            if not told and time.monotonic() - failing_since > PATIENCE:
                env.console.warn("the cluster does not answer: edits wait until it does")
                told = True
            over.wait(0.5)


def _tell(env: Env, engine: Engine, event: str, pod: Pod, known: set[str]) -> None:
    kind, key = pod.labels.get(KIND, ""), pod.annotations.get(KEY, "")
    keeps = kind == "sync"
    if event == "DELETED" or pod.deleting or pod.phase in ("Succeeded", "Failed"):
        if pod.name in known:
            known.discard(pod.name)
            engine.put(Vanished(pod.name))
        if event == "DELETED" and not keeps:  # by then Helm has written what runs now
            _look_for_others(env, engine)
        return
    container = next((each for each in pod.containers if not each.init), None)
    if pod.name in known or container is None or container.state != "running":
        return
    if not keeps and key not in {mirror.key for mirror in engine.mirrors}:
        _look_for_others(env, engine)
        return
    known.add(pod.name)
    engine.put(
        Appeared(
            Target(
                pod=pod.name,
                container=container.name,
                kind=kind,
                process=pod.labels.get(PROCESS, kind),
                key=key,
                open=lambda pod, container, argv: env.kube.open_exec(env.name, pod, argv, container=container),
                put=engine.put,
                name="sync" if keeps else dyno_name(pod),
                state=f"{frame.KEEPER}/.loop" if keeps else frame.STATE,
            )
        )
    )


def _look_for_others(env: Env, engine: Engine) -> None:
    """End the session when the env runs other images than it has: somebody else's `up` made them, or went back."""
    served = env.served()
    ours = {(mirror.key, rules.FIXED in mirror.rules.rules) for mirror in engine.mirrors}
    if served.get("sync") and ours != {(key, _fixed(served, key)) for key in _images(served)}:
        engine.put(Stop())


def _run_once(env: Env, target: Target, command: str) -> tuple[int, str]:
    try:
        done = env.kube.exec(env.name, target.pod, oneoff.in_shell(command), container=target.container, timeout=RUN)
    except DevenvError as error:
        return 1, error.message
    return done.code, (done.stdout + done.stderr).strip()
