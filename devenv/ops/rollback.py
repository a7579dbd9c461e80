"""Releases made of older ones: `rollback`, `releases:retry`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from devenv.base.errors import InputError
from devenv.build import registry
from devenv.cluster.kube_model import HelmState
from devenv.ops import candidate, deploy, lock, releases, retention
from devenv.ops.env import Env
from devenv.ops.modes import RELEASE
from devenv.ops.story import Dialect
from devenv.plan import config, values
from devenv.plan.model import Release
from devenv.plan.settings import Settings

FORMATION = ("quantity", "size", "memory", "cpu")  # of a process: ps:scale's, which no rollback touches


@dataclass(frozen=True, slots=True)
class Made:
    """The release that was made of another one."""

    version: int
    of: int
    description: str


def rollback(env: Env, wished: int | None) -> Made:
    """Release v`wished` once more, config vars included; by default the one before. Raises InputError, ReleaseError."""
    with lock.changing(env):
        candidate.refuse(env)
        rows = releases.releases(env, 50)
        now = releases.current(env)
        target = wished or _before(env, rows)
        row = next((each for each in rows if each.version == target), None)
        if row and row.status != releases.SUCCEEDED:
            raise InputError(
                f"v{target} can't be rolled back to: {row.status}", "`devenv releases` shows those that succeeded"
            )
        if target == now:
            raise InputError(f"v{target} is what serves", "`devenv releases:retry` releases it once more")
        old = releases.record(env, target).values
        _refuse_collected(target, old)

        def tell(number: int) -> None:
            env.console.say(f"Rolling back {env.name} to v{target}... done, v{number}")
            env.console.warn("Rollback affects code and config vars; it doesn't add or remove addons.")
            if old["release"].get("mode") != RELEASE:
                env.console.warn(
                    f"v{target} ran the work tree: its image is back, without what was edited after it was built."
                )
            env.console.warn(f"To undo, run: devenv rollback v{now}")

        number = _again(env, old, f"Rollback to v{target}", tell)
        _restore(env, old)
        return Made(number, target, f"Rollback to v{target}")


def retry(env: Env, wished: int | None) -> Made:
    """Release the newest release once more with its config vars, whatever became of it. Raises InputError, ReleaseError."""
    with lock.changing(env):
        candidate.refuse(env)
        row = releases.info(env, wished).row
        target = row.version
        if row.status == candidate.ABORTED:
            raise InputError(f"v{target} was a candidate that was ended", "push its commit again, or name a release")
        old = releases.record(env, target).values
        _refuse_collected(target, old)
        description = f"Retry of v{target}: {str(old['release']['description']).rpartition(': ')[2]}"

        def tell(number: int) -> None:
            env.console.say(f"Retrying v{target} on {env.name}... done, v{number}")

        number = _again(env, old, description, tell)
        _restore(env, old)
        return Made(number, target, description)


def _before(env: Env, rows: list[releases.ReleaseRow]) -> int:
    # heroku.md section 6.3: the second of the newest ten that are eligible
    eligible = [row.version for row in rows if row.status == releases.SUCCEEDED][: releases.NEWEST]
    if len(eligible) < 2:
        raise InputError(f"{env.name} has no release before this one", "`devenv releases` lists them")
    return eligible[1]


def _refuse_collected(version: int, old: Mapping[str, Any]) -> None:
    for reference in retention.images(old):
        if registry.digest(reference) is None:
            raise InputError(
                f"the image of v{version} is no longer kept: those of the last {releases.NEWEST} releases are",
                f"build its commit again: devenv push {str(old['release'].get('commit', ''))[:8] or 'REF'}",
            )


def refuse_stopped(env: Env, now: Mapping[str, Any]) -> None:
    """Raises InputError after `down`, when the env's add-ons are stopped: `now` are the values of what served."""
    if now.get("running") is False:
        raise InputError(f"{env.name} is stopped", "`devenv up` or `devenv push` starts it; then run this again")


def _again(env: Env, old: Mapping[str, Any], description: str, tell: Any) -> int:
    """The number of the new release, which runs `old`; `tell` says so once the number is known."""
    now, states = env.served(), env.kube.revisions(env.name, values.APP)
    refuse_stopped(env, now)
    release = made(env, old, now, states, description)
    said: list[int] = []

    def launched(number: int, has_phase: bool) -> None:
        if has_phase:
            said.append(number)
            tell(number)

    deploy.launch(env, release, states, Dialect(env.console, launched))
    if not said:
        tell(release.version)
    return release.version


def made(
    env: Env, old: Mapping[str, Any], now: Mapping[str, Any], states: list[HelmState], description: str
) -> Release:
    """The release that runs `old` again: its code and config vars, the present formation, add-ons and credentials."""
    config_vars = merged(old, now, env.kube.releases(env.name))
    note = {
        **old["release"],
        "version": deploy.newest(states) + 1,
        "description": description,
        "created": deploy.this_moment(),
        "phase": True,
        "mode": RELEASE,
        "origins": _origins(old, now, config_vars),
    }

    def process(item: Mapping[str, Any]) -> dict[str, Any]:
        return {**scaled(item, now), "sync": ""}  # of a work tree the image comes back, not the edits made in it

    content = {
        **old,
        "release": note,
        "running": True,
        "sync": False,
        "route": values.alone(old["route"]) if old["route"] else None,
        "config": config_vars,
        "processes": [process(item) for item in old["processes"]],
        "releasePhase": process(old["releasePhase"]) if old["releasePhase"] else None,
    }
    return values.release(values.APP, env.name, "app", content, env.facts({}))


def scaled(item: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """A process of another release in the present formation: `now` are the values of what serves."""
    present = next((each for each in now.get("processes", []) if each["type"] == item["type"]), item)
    return {**item, **{key: present[key] for key in FORMATION}}


def merged(old: Mapping[str, Any], now: Mapping[str, Any], installed: Collection[str]) -> dict[str, str]:
    """The config vars of `old`, with those of stand-ins as they are now; none of stand-ins that are gone."""
    origins = old["release"].get("origins", {})
    gone = {name for name in _of_addons(old) if origins[name].removesuffix(releases.STAND_IN) not in installed}
    kept = {name: value for name, value in old["config"].items() if name not in gone}
    return kept | {name: now["config"][name] for name in _of_addons(now)}


def _of_addons(content: Mapping[str, Any]) -> set[str]:
    origins = content.get("release", {}).get("origins", {})
    return {name for name, text in origins.items() if text.endswith(releases.STAND_IN) and name in content["config"]}


def _origins(old: Mapping[str, Any], now: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    before, after = old["release"].get("origins", {}), now.get("release", {}).get("origins", {})
    present = _of_addons(now)
    return {name: after[name] if name in present else before.get(name, "release") for name in names}


def _restore(env: Env, old: Mapping[str, Any]) -> None:
    settings = env.settings()
    if (restored := restore(settings, old)) != settings:
        env.save(restored)


def restore(settings: Settings, old: Mapping[str, Any]) -> Settings:
    """Settings in which config:set and config:unset are as they were when `old` was made."""
    origins, then = old["release"].get("origins", {}), old["config"]
    if not origins and then:
        return settings  # made before releases told
    set_then = {name: then[name] for name, origin in origins.items() if origin == config.SET and name in then}
    hidden = {
        name: value for name, value in settings.config.items() if origins.get(name, "").endswith(releases.STAND_IN)
    }
    gone = {name for name in settings.config if name not in then}
    unset = {name for name in settings.unset if name not in then} | gone
    return replace(settings, config={**hidden, **set_then}, unset=tuple(sorted(unset)))
