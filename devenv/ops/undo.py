"""What an older session left in an env: edits that the work tree no longer has."""

import os
import time
from contextlib import suppress

from devenv.base.errors import ClusterError, DevenvError
from devenv.cluster.kube_model import Pod, why_waiting
from devenv.ops import deploy, lock, sync, sync_status
from devenv.ops.env import Env
from devenv.ops.rollout import PROCESSES
from devenv.ops.status import dyno_name
from devenv.sync import frame
from devenv.sync.mirror import Mirror

CLEAR = 'for d do [ ! -e "$d" ] || { rm -rf "$d" && echo "$d"; } || exit 1; done'
SYNC = "devenv.dev/kind=sync"
PATIENCE = 60.0  # seconds for the keeper to come up


def clear(env: Env) -> bool:
    """Take from the keeper the edits of the images that the work tree needs: these hold all of it, and whatever starts
    lays the edits over them. Whether there may have been any. Raises ClusterError when the keeper does not come up.
    """
    if lock.holder(lock.session(env)) not in (None, str(os.getpid())) or not env.served():
        return False  # that session keeps it as the work tree is; nothing has run yet
    gone = _in_keeper(env, ["sh", "-c", CLEAR, "sh", *(f"{frame.KEEPER}/{spec.tag}" for spec in env.images)])
    return bool(gone) or any(sync.record(env, spec.name, spec.tag).edited for spec in env.images)


def replace(env: Env) -> bool:
    """Replace the pods that have edits which the work tree does not have; whether there were any."""
    stale: list[Pod] = []
    for mirror in sync.mirrors(env):
        mirror.tree.look_all()
        stale += [pod for pod in sync_status.pods(env, mirror) if _stale(env, mirror, pod)]
    if stale:
        names = ", ".join(sorted(map(dyno_name, stale)))
        env.console.say(f"Replacing {names}: they have edits that the work tree does not have")
        deploy.succeed(env, stale, env.kube.pods(env.name, PROCESSES))
    return bool(stale)


def _stale(env: Env, mirror: Mirror, pod: Pod) -> bool:
    number = sync_status.number(env, mirror, pod)
    # one without a number is as its image was made
    return number is None or bool(number and any(mirror.place(each.path) for each in mirror.tree.since(number)))


def _in_keeper(env: Env, argv: list[str]) -> str:
    deadline = time.monotonic() + PATIENCE
    while True:
        pods = [pod for pod in env.kube.pods(env.name, SYNC) if not pod.deleting]
        with suppress(DevenvError):  # one that is listed as ready may be of before a reboot
            for pod in [each for each in pods if each.ready][:1]:
                done = env.kube.exec(env.name, pod.name, argv, timeout=PATIENCE)
                if not done.code:
                    return done.stdout
        if time.monotonic() > deadline:
            why = [line for pod in pods for line in why_waiting(pod)]
            raise ClusterError("the pod `sync` does not come up", "run the same command again", why)
        time.sleep(0.3)
