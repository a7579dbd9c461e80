"""The stand-ins of an env: installed, up to date, ready."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from devenv.base.errors import ClusterError
from devenv.cluster.kube import why_waiting
from devenv.cluster.kube_model import HelmState
from devenv.images import catalog
from devenv.ops import cluster, shipped
from devenv.ops.env import Env
from devenv.plan import values
from devenv.plan.model import PlannedAddon, Release
from devenv.plan.settings import Settings

READY_TIMEOUT = 240.0  # seconds: an OpenSearch node on two busy cores
ADDON = "devenv.dev/kind=addon"
BROKEN = (
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "CrashLoopBackOff",
)


def ensure(env: Env, addons: tuple[PlannedAddon, ...], settings: Settings) -> tuple[str, ...]:
    """Install or upgrade the stand-ins that differ from the plan; their names. Does not wait until they answer."""
    installed = env.kube.releases(env.name)
    late: dict[str, Release] = {}
    images: list[str] = []
    for addon in addons:
        if addon.mode == "stand-in" and addon.spec:
            keys = [key for key in (addon.spec.image, addon.spec.edge) if key]
            release = _release(env, addon, settings, keys)
            if addon.name not in installed or _differs(installed[addon.name], release):
                late[addon.name] = release
                images.extend(keys)
    if late:
        cluster.provide_images(env, images)
        with ThreadPoolExecutor(max_workers=2) as pool:  # helm is one busy process each, and there are two cores
            list(pool.map(lambda release: _upgrade(env, release), late.values()))
    return tuple(late)


def ensure_keeper(env: Env) -> None:
    """Have what keeps the edits since an image was built; every pod of a work tree mounts its volume."""
    image = catalog.reference("debian", env.status.source)  # on every node already: the volume provisioner's
    release = values.sync_release(env.name, image, env.facts({}))
    state = env.kube.releases(env.name).get(values.SYNC)
    if state is None or _differs(state, release):
        _upgrade(env, release)


def remove_unplanned(env: Env, addons: tuple[PlannedAddon, ...]) -> None:
    """Remove the stand-ins that the plan no longer holds; only once no process uses them. Their volumes stay."""
    planned = {addon.name for addon in addons if addon.mode == "stand-in"}
    for name in env.kube.releases(env.name):
        if name not in planned and name not in (values.APP, values.NEXT, values.ENV, values.SYNC):
            env.helm.uninstall(name, env.name)


def _upgrade(env: Env, release: Release) -> None:
    env.helm.upgrade(release, shipped.chart(release.chart), 120, wait=False)


def _release(env: Env, addon: PlannedAddon, settings: Settings, images: Iterable[str]) -> Release:
    references = {image: cluster.image_reference(env, image) for image in images}
    return values.addon_release(addon, env.name, settings.credentials[addon.name], env.facts(references))


def _differs(state: HelmState, release: Release) -> bool:
    return state.status != "deployed" or state.fingerprint != release.fingerprint


def wait_ready(env: Env) -> None:
    """Wait until every stand-in answers its readiness probe; raises ClusterError with the reason and its last lines."""
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        sets = [item for item in env.kube.stateful_sets(env.name) if item.desired]
        late = [
            item.name
            for item in sets
            if not (item.observed and item.ready == item.desired and item.updated == item.desired)
        ]
        if not late:
            return
        env.console.detail(f"waiting for {', '.join(late)}")
        for pod in env.kube.pods(env.name, ADDON):
            broken = next((each for each in pod.containers if each.state == "waiting" and each.reason in BROKEN), None)
            if broken and (broken.reason != "CrashLoopBackOff" or broken.restarts >= 3):
                raise ClusterError(
                    f"the stand-in `{pod.name}` does not come up",
                    "`devenv logs --addon` shows its log",
                    why_waiting(pod),
                )
        if time.monotonic() > deadline:
            pods = env.kube.pods(env.name, ADDON)
            reasons = [line for pod in pods if not pod.ready for line in why_waiting(pod)]
            raise ClusterError(
                f"not ready after {READY_TIMEOUT:.0f} s: {', '.join(late)}",
                "run the same command again: it goes on waiting",
                reasons,
            )
        time.sleep(0.3)
