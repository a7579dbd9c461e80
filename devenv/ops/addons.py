"""The stand-ins of an env: installed, up to date, ready."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from devenv.base.errors import ClusterError
from devenv.cluster.kube import why_waiting
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


def ensure(env: Env, addons: tuple[PlannedAddon, ...], settings: Settings, *, running: bool = True) -> tuple[str, ...]:
    """Install or upgrade what differs from the plan and remove what it no longer holds; names of what changed. Does not wait."""
    stand_ins = tuple(addon for addon in addons if addon.mode == "stand-in" and addon.spec)
    installed = env.kube.releases(env.name)
    references = cluster.image_references(env, tuple(sorted({addon.spec.image for addon in stand_ins if addon.spec})))
    wanted = {addon.name: _release(env, addon, settings, references, running) for addon in stand_ins}
    late = [release for name, release in wanted.items() if name not in installed or _differs(installed[name], release)]
    gone = [name for name in installed if name not in wanted and name not in (values.APP, values.ENV)]
    with ThreadPoolExecutor(max_workers=2) as pool:  # helm is one busy process each, and there are two cores
        work = [
            pool.submit(env.helm.upgrade, release, shipped.chart(release.chart), 120, wait=False) for release in late
        ]
        work += [pool.submit(env.helm.uninstall, name, env.name) for name in gone]
        for item in work:
            item.result()
    return tuple(release.name for release in late)


def _release(
    env: Env, addon: PlannedAddon, settings: Settings, references: Mapping[str, str], running: bool
) -> Release:
    return values.addon_release(addon, env.name, settings.credentials[addon.name], env.facts(references), running)


def _differs(state: object, release: Release) -> bool:
    return getattr(state, "status", "") != "deployed" or getattr(state, "fingerprint", "") != release.fingerprint


def wait_ready(env: Env, *, timeout: float = READY_TIMEOUT) -> None:
    """Wait until every stand-in answers its readiness probe; raises ClusterError with the reason and its last lines."""
    deadline = time.monotonic() + timeout
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
                f"not ready after {timeout:.0f} s: {', '.join(late)}",
                "run the same command again: it goes on waiting",
                reasons,
            )
        time.sleep(0.3)
