"""Canary and blue-green: a candidate beside the release that serves, then all of it or none of it (decision 0010)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from devenv.base import proc
from devenv.base.errors import InputError
from devenv.ops import candidate, deploy, lock, retention, shipped, traffic
from devenv.ops.deploy import Deployed
from devenv.ops.env import Env
from devenv.ops.modes import RELEASE
from devenv.ops.story import Story
from devenv.plan import values
from devenv.plan.model import Plan, Release
from devenv.plan.values import ReleaseNote

Content = Mapping[str, Any]


def check(env: Env) -> None:
    """Raises InputError when no web process serves that a candidate could be tried beside."""
    content = env.served() if env.status.state == "running" and env.exists() else {}
    web = [item for item in content.get("processes", []) if item["type"] == "web" and item["quantity"]]
    if not (web and content.get("running")):
        raise InputError("nothing serves yet that a candidate could be tried beside", "push without a strategy first")


def begin(
    env: Env, plan: Plan, references: dict[str, str], description: str, commit: str, share: int, story: Story
) -> Deployed:
    """Run the release phase and start web of a new release beside the old one; it gets `share` of a hundred requests.

    Raises ReleaseError with the reason when it does not come up; nothing of it is left then.
    """
    serving = env.served()
    version = deploy.last_version(env) + 1
    note = ReleaseNote(version, description, RELEASE, commit, deploy.this_moment(), origins=plan.config.origins)
    trial = values.candidate(values.app_release(plan, env.profile, note, env.facts(references)), env.facts({}))
    retention.hold(env, trial)
    try:
        story.released(version, plan.release_phase is not None)
        deploy.upgrade(env, trial, plan.release_phase is not None, story)
        deploy.wait(env, version, story)
        _weigh(env, serving, share)
    except BaseException:
        with proc.afterwards():
            _drop(env, serving, trial.values)
        raise
    return Deployed(version, True)


def promote(env: Env) -> Deployed:
    """Make the candidate the release: all requests at once to it, every process type behind it, then all names as before.

    Raises InputError without a candidate, ReleaseError when a process does not come up: the candidate serves on then.
    """
    with _held(env):
        trial, serving = _candidate(env), env.served()
        full = {key: value for key, value in trial.items() if key != "candidate"}
        full["release"] = {**trial["release"], "phase": False}
        version = int(full["release"]["version"])
        if int(serving["release"]["version"]) != version:
            _weigh(env, serving, 100)
            states = env.kube.revisions(env.name, values.APP)
            deploy.launch(env, _weighed(env, full, 100), states)
        else:  # nobody saw its processes come up
            deploy.finish(env, env.kube.revisions(env.name, values.APP), version)
        _weigh(env, full, None)
        env.helm.uninstall(values.NEXT, env.name)
    return Deployed(version, True)


def abort(env: Env) -> Deployed:
    """End the candidate; the release that serves. Raises InputError without one."""
    with _held(env):
        trial, serving = _candidate(env), env.served()
        _drop(env, serving, trial)
        traffic.settle(env)
    return Deployed(int(serving["release"]["version"]), True)


def _held(env: Env) -> Any:
    env.require()
    return lock.changing(env)


def _candidate(env: Env) -> Content:
    if found := candidate.content(env):
        return found
    raise InputError(f"{env.name} has no candidate", "`devenv push --canary 10` starts one")


def _drop(env: Env, serving: Content, trial: Content) -> None:
    """No request to the candidate, and its end. Its number is used up: a revision carries it, and one after it takes it back."""
    version = int(trial["release"]["version"])
    if version != int(serving["release"]["version"]):
        _weigh(env, serving, None, version, f"{trial['release']['description']}{candidate.ENDED}")
    _weigh(env, serving, None)
    env.helm.uninstall(values.NEXT, env.name)


def _weigh(env: Env, content: Content, share: int | None, version: int = 0, text: str = "") -> None:
    release = _weighed(env, content, share)
    if version:
        release = replace(release, version=version)
    description = text or str(content["release"]["description"])
    env.helm.upgrade(release, shipped.chart("app"), 120, description=description, wait=False)


def _weighed(env: Env, content: Content, share: int | None) -> Release:
    """The same release, with so many of a hundred requests to the candidate; None: there is none."""
    route = values.alone(content["route"]) | ({} if share is None else {"candidate": share})
    changed = {**content, "route": route, "release": {**content["release"], "phase": False}}
    return values.release(values.APP, env.name, "app", changed, env.facts({}))
