"""From a plan to processes that run: image, release phase, roll-out, and the way back when it fails."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from devenv.base.errors import DevenvError, ReleaseError
from devenv.build import builder
from devenv.cluster import kube_logs
from devenv.cluster.kube_model import HelmState
from devenv.ops import rollout, shipped, traffic
from devenv.ops.env import Env
from devenv.plan import values
from devenv.plan.model import ImageSpec, Plan, Release
from devenv.plan.values import ReleaseNote

PROCESSES = "devenv.dev/kind=process"
RELEASE_PODS = "devenv.dev/kind=release"
SERVED = ("deployed", "superseded")
PATIENCE = 120  # seconds beyond the boot time-out, for pulling images


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deploy did: the release's number, and whether anything had to change."""

    version: int
    changed: bool


def images(env: Env, plan: Plan, *, always: bool = False) -> dict[str, str]:
    """Image name -> reference in the cluster's registry; what is there already is not built again."""
    registry = env.status.registry
    found: dict[str, str] = {}
    for spec in plan.images:
        reference = None if always else builder.exists(registry, spec)
        found[spec.name] = reference or _build(env, plan, spec, registry)
    return found


def _build(env: Env, plan: Plan, spec: ImageSpec, registry: str) -> str:
    chosen = builder.select(env.app, spec, env.runner, dict(plan.config.values), env.status.source)
    with env.console.step(f"Building {spec.name}"):
        return chosen.build(env.source, spec, registry, env.console.detail).reference


def last_version(env: Env) -> int:
    """The number of the newest release, failed ones included; 0 when there is none."""
    return _newest(env.kube.revisions(env.name, values.APP))


def app(
    env: Env,
    plan: Plan,
    references: dict[str, str],
    description: str,
    mode: str,
    commit: str = "",
    *,
    keep: bool = False,
) -> Deployed:
    """Make the app's release true and wait for it; with `keep` the release keeps its number (scaling is no release).

    Raises ReleaseError with the reason and the last lines; the release before it serves on.
    """
    states = env.kube.revisions(env.name, values.APP)
    state = states[-1] if states else None
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = env.facts(references)
    note = ReleaseNote(_newest(states) + 1, description, mode, commit, now)
    release = values.app_release(plan, env.profile, note, facts)
    if state and state.status == "deployed":
        if state.fingerprint == release.fingerprint:
            verdict = _judge(env, state.version)
            if not verdict.failures:
                if not verdict.done:
                    wait(env, state.version, _fallback(states, state.version))
                return Deployed(state.version, False)
        # `down` changes nothing but `running`: starting the same again is no new release
        if keep or state.fingerprint == values.app_release(plan, env.profile, note, facts, running=False).fingerprint:
            note = replace(note, version=state.version, phase=False)
            release = values.app_release(plan, env.profile, note, facts)
    upgrade(env, release, plan.release_phase is not None and note.phase)
    wait(env, note.version, next((each for each in reversed(states) if each.status == "deployed"), None))
    return Deployed(note.version, True)


def _newest(states: Sequence[HelmState]) -> int:
    # a return to an older release carries the older number: no number is given twice
    return max((each.version for each in states), default=0)


def _fallback(states: Sequence[HelmState], version: int) -> HelmState | None:
    """What served before `version`, whose roll-out was interrupted."""
    return next((each for each in reversed(states) if each.version != version and each.status in SERVED), None)


def upgrade(env: Env, release: Release, has_phase: bool) -> None:
    """Hand the release to Helm; the release phase's output appears as it comes."""
    text = str(release.values["release"]["description"])
    if not has_phase:
        env.helm.upgrade(release, shipped.chart("app"), 300, description=text, wait=False)
        return
    version = release.values["release"]["version"]
    stop = threading.Event()
    lines: list[str] = []
    _end_phase(env)
    env.console.say("Running release command...")
    follower = threading.Thread(target=_follow_phase, args=(env, version, lines, stop), daemon=True)
    follower.start()
    try:
        env.helm.upgrade(release, shipped.chart("app"), env.profile.release_timeout, description=text, wait=False)
    except DevenvError as error:
        if failed := _failed_phase(env, version):
            stop.set()
            follower.join(timeout=5)
            hint = "the release before it serves on; mend it and run the same command again"
            raise ReleaseError(f"release command failed: {failed}", hint, lines[-12:]) from error
        raise
    else:
        stop.set()
        follower.join(timeout=5)
    finally:
        stop.set()


def _end_phase(env: Env) -> None:
    """The release command of an interrupted run does not go on beside the next one."""

    def running() -> list[str]:
        return [pod.name for pod in env.kube.pods(env.name, RELEASE_PODS) if pod.phase in ("Pending", "Running")]

    if left := running():
        with env.console.step("Ending the release command of an interrupted run"):
            for name in left:
                env.kube.delete_pod(env.name, name)
            while running():  # bounded: the pod is killed when its grace period ends
                time.sleep(0.25)


def _follow_phase(env: Env, version: int, lines: list[str], stop: threading.Event) -> None:
    selector = f"{RELEASE_PODS},{rollout.RELEASE}={version}"
    try:
        while not (pods := [pod for pod in env.kube.pods(env.name, selector) if pod.phase != "Pending"]):
            if stop.wait(0.2):
                return
        for _, line in kube_logs.follow(env.kube, pods[0], stop=stop):
            lines.append(line)
            env.console.say(f"       {line}")
    except DevenvError as error:
        env.console.detail(f"the release command's log ended: {error.message}")


def _failed_phase(env: Env, version: int) -> str | None:
    for pod in env.kube.pods(env.name, f"{RELEASE_PODS},{rollout.RELEASE}={version}"):
        for container in pod.containers:
            if container.ended and container.ended.code:
                return f"it exited with status {container.ended.code}" + (
                    " (out of memory)" if container.ended.reason == "OOMKilled" else ""
                )
            if container.state == "waiting" and container.reason:
                return f"{container.reason} {container.message}".strip()
    jobs = [job for job in env.kube.jobs(env.name, RELEASE_PODS) if job.failure]
    return jobs[0].failure if jobs else None


def _judge(env: Env, version: int) -> rollout.Verdict:
    workloads = env.kube.deployments(env.name)
    return rollout.judge(
        workloads, env.kube.pods(env.name, PROCESSES), version, env.profile.boot_timeout, datetime.now(UTC)
    )


def wait(env: Env, version: int, before: HelmState | None, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until every process runs release `version`; on failure go back to `before` and raise ReleaseError."""
    deadline = clock() + env.profile.boot_timeout + PATIENCE
    with env.console.step("Starting processes") as step:
        while True:
            verdict = _judge(env, version)
            if verdict.done and not verdict.failures:
                traffic.settle(env)
                return
            if verdict.failures:
                break
            step.note = verdict.waiting
            if clock() > deadline:
                break
            time.sleep(0.1)
        error = _explain(env, verdict)
        if before:
            env.helm.rollback(values.APP, env.name, before.revision, wait=False)
        raise error


def _explain(env: Env, verdict: rollout.Verdict) -> ReleaseError:
    if not verdict.failures:
        return ReleaseError(f"not up in time: {verdict.waiting}", "`devenv ps` and `devenv logs` tell more")
    failure = verdict.failures[0]
    lines = _last_lines(env, failure.pod) if failure.logs else []
    hint = {
        "R10": "bind 0.0.0.0:$PORT, or raise `timeouts: {boot: …}` in .devenv/profile.yaml",
        "R15": "give it a larger size: `devenv ps:scale " + failure.process + "=1:Standard-2X`",
    }.get(failure.code, f"`devenv logs -p {failure.process}` shows more")
    return ReleaseError(f"{failure.process}: {failure.message}", hint, lines)


def _last_lines(env: Env, pod: str) -> list[str]:
    for previous in (True, False):
        try:
            if lines := list(env.kube.logs(env.name, pod, previous=previous, tail=12)):
                return lines
        except DevenvError:
            continue  # the run before is no longer kept: the current one has the lines
    return []
