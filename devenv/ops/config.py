"""Config vars of an env: what they are, where each came from, and changing them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from devenv.base import git
from devenv.base.errors import InputError, Problems
from devenv.build import source
from devenv.heroku import config_vars
from devenv.heroku.model import ConfigVars
from devenv.ops import addons, candidate, cluster, credentials, deploy, lock
from devenv.ops.env import Env
from devenv.ops.up import WORK_TREE, planned
from devenv.plan import settings as memory
from devenv.plan import values
from devenv.plan.config import SET
from devenv.plan.model import ImageSpec, Plan
from devenv.plan.settings import Settings


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change of settings did: the release it made, None when nothing has been deployed yet."""

    version: int | None


def current(env: Env) -> ConfigVars:
    """The config vars with their origins: those of the running release, else what `up` would give."""
    from devenv.ops import up

    content = env.served() if env.status.state == "running" and env.exists() else {}
    if content and (content["release"].get("commit") or not _has_files(env)):
        return _of_release(content, env.settings())
    return up.preview(env).config


def _of_release(content: Mapping[str, Any], settings: Settings) -> ConfigVars:
    """What a release was made with, and what was set since: a config:set that failed is kept, as on Heroku."""
    found = {name: str(value) for name, value in content["config"].items()}
    origins = {**dict.fromkeys(found, "release"), **content["release"].get("origins", {})}
    ours = {name for name, origin in origins.items() if origin.endswith(" stand-in")}
    for name, value in settings.config.items():
        if name not in ours:
            found[name], origins[name] = value, SET
    kept = {name: value for name, value in found.items() if name in ours or name not in settings.unset}
    return ConfigVars(kept, {name: origins[name] for name in kept})


def _has_files(env: Env) -> bool:
    root = env.options.app_dir
    return any(
        (root / name).exists()
        for name in ("Procfile", "app.json", "heroku.yml", "Dockerfile", "package.json", "Gemfile", "go.mod")
    )


def check(changes: Mapping[str, str | None]) -> None:
    """Raises InputError for names and values that Heroku refuses (heroku.md section 2)."""
    problems = Problems()
    for name, value in changes.items():
        if what := config_vars.validate_name(name):
            problems.add(name, what)
        if value is not None and "\0" in value:
            problems.add(name, "its value holds a NUL byte, which no environment can")
    problems.raise_if_any("the config vars", "write NAME=value; letters, digits and `_`")


def change(env: Env, changes: Mapping[str, str | None], description: str) -> Changed:
    """config:set (a value) and config:unset (None): kept in the env, one release when the app is deployed."""
    check(changes)

    def edit(settings: Settings) -> Settings:
        after = memory.with_config(settings, changes)
        if what := config_vars.size_problem(after.config):
            raise InputError(what, "move large values into files or an add-on")
        return after

    return update(env, edit, description)


def update(env: Env, edit: Callable[[Settings], Settings], description: str, *, keep: bool = False) -> Changed:
    """Change the env's settings and bring the running app in line; with `keep` that is no release (scaling)."""
    with lock.changing(env):
        if env.status.state != "running":
            cluster.ensure(env)
        candidate.refuse(env)
        before = env.settings()
        after = edit(before)
        content = env.served() if env.exists() else {}
        if not content:
            env.save(after)
            return Changed(None)
        with files_of(env, content) as here:
            return _apply(here, after, content, description, keep)


def _apply(env: Env, after: Settings, content: Mapping[str, Any], description: str, keep: bool) -> Changed:
    plan = planned(env, after)
    after = credentials.complete(after, env.app, plan.addons)
    plan = planned(env, after)
    env.save(after)
    if not content.get("running", True):
        return Changed(None)
    if keep:
        release = values.release(values.APP, env.name, "app", scaled(content, plan), env.facts({}))
        deploy.launch(env, release, env.kube.revisions(env.name, values.APP))
        return Changed(release.version)
    addons.ensure(env, plan.addons, after)
    addons.wait_ready(env)
    note = content["release"]
    mode, commit = str(note.get("mode", WORK_TREE)), str(note.get("commit", ""))
    done = deploy.app(env, plan, running_images(content, plan), description, mode, commit)
    addons.remove_unplanned(env, plan.addons)
    return Changed(done.version)


def scaled(content: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """The values of a release with the plan's formation, everything else as it is, whatever was set or edited since."""
    wanted = {item.type.name: {**values.formation(item), "env": values.concurrency(item)} for item in plan.processes}
    return {
        **content,
        "release": {**content["release"], "phase": False},
        "processes": [{**item, **wanted.get(item["type"], {})} for item in content["processes"]],
    }


@contextmanager
def files_of(env: Env, content: Mapping[str, Any]) -> Iterator[Env]:
    """The env with the app's files as the release has them: those of its commit, else the work tree. Raises InputError."""
    if not (commit := str(content["release"].get("commit", ""))):
        yield env
        return
    if not git.has(env.runner, env.options.app_dir, commit):
        raise InputError(
            f"{env.name} runs commit {commit[:8]}, which is not in this folder's repository",
            "go to the app's clone and `git fetch`, or `devenv push` a commit that is here",
        )
    with source.commit(env.runner, env.options.app_dir, commit) as files:
        yield env.at(files)


def running_images(content: Mapping[str, Any], plan: Plan) -> dict[str, str]:
    """The images that run now, by ImageSpec name: a config change deploys no code."""
    by_type = {str(item["type"]): str(item["image"]) for item in values.runs(content)}
    return {spec.name: _image_of(spec, by_type, plan) for spec in plan.images}


def _image_of(spec: ImageSpec, by_type: Mapping[str, str], plan: Plan) -> str:
    for item in (*plan.processes, *((plan.release_phase,) if plan.release_phase else ())):
        if item.image.name == spec.name and item.type.name in by_type:
            return by_type[item.type.name]
    if by_type:
        return next(iter(by_type.values()))
    raise InputError("the running release has no image to keep", "`devenv up` makes a new one")
