"""From a plan to processes that run: image, release phase, roll-out, and the way back when it fails."""

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from devenv.base import proc
from devenv.base.errors import DevenvError, ReleaseError
from devenv.build import builder, context
from devenv.cluster.helm import PENDING
from devenv.cluster.kube_model import HelmState, Pod
from devenv.ops import phase, retention, rollout, shipped, traffic
from devenv.ops.env import Env
from devenv.ops.story import Steps, Story
from devenv.plan import values
from devenv.plan.model import ImageSpec, Plan, Release
from devenv.plan.values import ReleaseNote

SERVED = ("deployed", "superseded")
SPARE = 90  # seconds for helm beyond the release command's own deadline, which leaves the reason
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
        return chosen.build(env.source, spec, registry, env.console.detail, partial(_settled, env)).reference


def _settled(env: Env, spec: ImageSpec) -> ImageSpec:
    """The image under a tag of its own when the work tree changed while it was built: nobody knows which of both it holds."""
    if env.source.commit:
        return spec
    content = context.content(env.app, env.source, spec.name)
    if not content.since(env.looked) and spec.tag in {each.tag for each in env.planned_images()}:
        return spec
    return replace(spec, tag=f"{spec.tag}-{secrets.token_hex(3)}")


def last_version(env: Env) -> int:
    """The number of the newest release, failed ones included; 0 when there is none."""
    return newest(env.kube.revisions(env.name, values.APP))


def app(
    env: Env,
    plan: Plan,
    references: dict[str, str],
    description: str,
    mode: str,
    commit: str = "",
    *,
    again: bool = False,
    story: Story | None = None,
) -> Deployed:
    """Make the app's release true and wait for it.

    With `again` there is a release also when nothing changed. Raises ReleaseError with the reason and the last lines; the
    release before it serves on.
    """
    states = env.kube.revisions(env.name, values.APP)
    state = states[-1] if states else None
    now = this_moment()
    facts = env.facts(references)
    note = ReleaseNote(newest(states) + 1, description, mode, commit, now, origins=plan.config.origins)
    release = values.app_release(plan, env.profile, note, facts)
    if state and state.status == "deployed":
        if state.fingerprint == release.fingerprint and not again:
            verdict = _judge(env, state.version)
            if not verdict.failures:
                if not verdict.done:
                    finish(env, states, state.version, story)
                return Deployed(state.version, False)
        # `down` changes nothing but `running`: starting the same again is no new release
        stopped = values.app_release(plan, env.profile, note, facts, running=False).fingerprint
        if state.fingerprint == stopped and not again:
            note = replace(note, version=state.version, phase=False)
            release = values.app_release(plan, env.profile, note, facts)
    launch(env, release, states, story)
    return Deployed(note.version, True)


def launch(env: Env, release: Release, states: Sequence[HelmState], story: Story | None = None) -> None:
    """Hand the release to Helm and wait for its processes. Whatever ends this early, the release before it serves on."""
    content = release.values
    has_phase = bool(content["releasePhase"] and content["running"] and content["release"]["phase"])
    story = story or Steps(env.console)
    retention.hold(env, release)
    with _or_back(env, _before(env, states)):
        story.released(release.version, has_phase)
        upgrade(env, release, has_phase, story, settled=not states or states[-1].status not in PENDING)
        wait(env, release.version, story)


def finish(env: Env, states: Sequence[HelmState], version: int, story: Story | None = None) -> None:
    """Wait for a roll-out that was interrupted; when it fails, what served before it serves on. Raises ReleaseError."""
    with _or_back(env, _fallback(states, version)):
        wait(env, version, story)


@contextmanager
def _or_back(env: Env, before: HelmState | None) -> Iterator[None]:
    """When what is done in here fails or is interrupted, go back to the revision `before`."""
    try:
        yield
    except PhaseFailed:
        raise  # no process has been touched
    except BaseException:
        if before:
            try:
                with proc.afterwards():
                    env.helm.rollback(values.APP, env.name, before.revision, timeout=30, wait=False)
            except DevenvError as error:
                env.console.warn(f"{error.message}; the next command that changes the env goes on from here")
        raise


def this_moment() -> str:
    """When a release is made, as its note has it: RFC 3339, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def newest(states: Sequence[HelmState]) -> int:
    """The highest number that a release was given; 0 without one."""
    # a return to an older release carries the older number: no number is given twice
    return max((each.version for each in states), default=0)


def _before(env: Env, states: Sequence[HelmState]) -> HelmState | None:
    """What a deploy that does not end well goes back to: the release whose processes are up."""
    current = next((each for each in reversed(states) if each.status == "deployed"), None)
    if current and (left := unfinished(env, current.version)):
        kept = [each for each in states if each.version == left and each.status in SERVED]
        return kept[-1] if kept else current
    return current


def unfinished(env: Env, version: int) -> int:
    """The release that still serves beside `version`, whose roll-out nobody saw to its end; 0 when there is none."""
    found = env.kube.pods(env.name, rollout.PROCESSES)
    pods = (pod for pod in found if not pod.deleting and pod.phase not in ("Succeeded", "Failed"))
    return max((number for pod in pods if (number := int(pod.labels.get(rollout.RELEASE, 0))) < version), default=0)


def _fallback(states: Sequence[HelmState], version: int) -> HelmState | None:
    """What served before `version`, whose roll-out was interrupted."""
    return next((each for each in reversed(states) if each.version != version and each.status in SERVED), None)


class PhaseFailed(ReleaseError):
    """The release command failed: no process has moved to the release."""


def upgrade(env: Env, release: Release, has_phase: bool, story: Story, *, settled: bool = False) -> None:
    """Hand the release to Helm; the release phase's output appears as it comes. Raises PhaseFailed, ReleaseError."""
    text = str(release.values["release"]["description"])
    phase.end_left(env)
    if not has_phase:
        env.helm.upgrade(release, shipped.chart("app"), 300, description=text, wait=False, settled=settled)
        return
    version = release.values["release"]["version"]
    stop = threading.Event()
    lines: list[str] = []
    follower = threading.Thread(target=phase.follow, args=(env, version, lines, stop, story), daemon=True)
    follower.start()
    try:
        timeout = env.profile.release_timeout + SPARE
        env.helm.upgrade(release, shipped.chart("app"), timeout, description=text, wait=False, settled=settled)
    except DevenvError as error:
        if failed := phase.failure(env, version):
            stop.set()
            follower.join(timeout=5)
            hint = "the release before it serves on; mend it and run the same command again"
            story.phase_failed()
            raise PhaseFailed(f"release command failed: {failed}", hint, lines[-12:]) from error
        raise
    else:
        stop.set()
        follower.join(timeout=5)
    finally:
        stop.set()


def _judge(env: Env, version: int) -> rollout.Verdict:
    found = env.kube.deployments(env.name, rollout.PROCESS)
    # a candidate's are of another release than the app's
    workloads = [item for item in found if item.annotations.get(rollout.RELEASE) == f"v{version}"]
    return rollout.judge(
        workloads, env.kube.pods(env.name, rollout.PROCESSES), version, env.profile.boot_timeout, datetime.now(UTC)
    )


def wait(env: Env, version: int, story: Story | None = None) -> None:
    """Wait until every process runs release `version`; raises ReleaseError with the reason when they do not come up."""
    deadline = time.monotonic() + env.profile.boot_timeout + PATIENCE
    with (story or Steps(env.console)).waiting() as step:
        while True:
            verdict = _judge(env, version)
            if verdict.done and not verdict.failures:
                traffic.settle(env)
                return
            if verdict.failures or time.monotonic() > deadline:
                raise _explain(env, verdict)
            step.note = verdict.waiting
            time.sleep(0.1)


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


def succeed(env: Env, chosen: Sequence[Pod], pods: Sequence[Pod]) -> None:
    """Give these of the env's `pods` successors, and wait until they are up. Raises ReleaseError when they are not."""
    # one of several may go at once, the others serve; all others get their successor first
    kin = [
        pod
        for pod in pods
        if pod.labels.get(rollout.COMPONENT) == chosen[0].labels[rollout.COMPONENT] and pod != chosen[0]
    ]
    if len(chosen) == 1 and any(pod.ready for pod in kin):
        env.kube.delete_pod(env.name, chosen[0].name)
    else:
        now = this_moment()
        for name in sorted({pod.labels[rollout.COMPONENT] for pod in chosen}):
            env.kube.restart(env.name, name, now)
    wait(env, int(chosen[0].labels[rollout.RELEASE]))
