"""`promote`: what runs in one env, in another one, with that one's config and add-ons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from devenv.base.errors import InputError
from devenv.build import registry
from devenv.ops import candidate, config, deploy, lock, modes, push, retention
from devenv.ops.env import Env
from devenv.ops.rollback import refuse_stopped, scaled
from devenv.ops.story import Dialect
from devenv.plan import names, values
from devenv.plan.model import Release


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion did."""

    source: str
    target: str
    of: int
    version: int
    commit: str


def promote(env: Env, to: str) -> Promoted:
    """Release what serves in `env` in the env `to` too: image and process types, not the config. Raises InputError, ReleaseError."""
    target = Env(replace(env.options, env=to), env.console, env.runner)
    if target.name == env.name:
        raise InputError(f"{env.name} can't be promoted to itself", "name another env with --to")
    say = env.console.say
    say("Fetching app info...")
    env.require()
    content = env.served()
    note = content.get("release", {})
    if note.get("mode") != modes.RELEASE:
        what = "runs the work tree" if content else "has no release"
        raise InputError(f"{env.name} {what}: only a commit can be promoted", "`devenv push` first")
    for reference in retention.images(content):
        if registry.digest(reference) is None:
            raise InputError(
                f"the image of {env.name} is not in the registry any more", "`devenv push --force` builds it"
            )
    say(f"Starting promotion to {target.name}...")
    description = f"Promote {env.name} v{note['version']} {str(note['commit'])[:8]}"
    say("Waiting for promotion to complete...")
    with lock.changing(target):
        candidate.refuse(target)
        now = target.served() if target.exists() else {}
        version = _again(target, content, now, description) if now else _first(target, content, description)
    say()
    say("Promotion successful")
    say(f"{target.name}: succeeded")
    return Promoted(env.name, target.name, int(note["version"]), version, str(note["commit"]))


def _first(target: Env, content: Mapping[str, Any], description: str) -> int:
    """The target has served nothing yet: its add-ons and its config come from the commit's files, as for a push."""
    with config.files_of(target, content) as here:
        _, done = push.release(here, str(content["release"]["commit"]), description, _story(here), content)
    return done.version


def _again(target: Env, content: Mapping[str, Any], now: Mapping[str, Any], description: str) -> int:
    refuse_stopped(target, now)
    states = target.kube.revisions(target.name, values.APP)
    release = made(target.name, content, now, description, deploy.newest(states) + 1, target)
    deploy.launch(target, release, states, _story(target))
    retention.collect(target)
    return release.version


def _story(target: Env) -> Dialect:
    return Dialect(target.console, lambda number, has_phase: None)


def made(
    name: str, content: Mapping[str, Any], now: Mapping[str, Any], description: str, version: int, target: Env
) -> Release:
    """The target's release: the source's image and process types, everything else as the target has it."""

    def process(item: Mapping[str, Any]) -> dict[str, Any]:
        return {**scaled(item, now), "port": names.port(name) if item["port"] else 0}

    merged = {
        **now,
        "running": True,
        "release": {
            **content["release"],
            "version": version,
            "description": description,
            "created": deploy.this_moment(),
            "phase": True,
            "origins": now["release"].get("origins", {}),
        },
        "sync": False,
        "processes": [process(item) for item in content["processes"]],
        "releasePhase": process(content["releasePhase"]) if content["releasePhase"] else None,
        "route": {**values.alone(content["route"]), "host": names.host(name)} if content["route"] else None,
    }
    return values.release(values.APP, name, "app", merged, target.facts({}))
