"""Config vars of an env: what they are, where each came from, and changing them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devenv.base.errors import InputError, Problems
from devenv.heroku import config_vars
from devenv.heroku.model import ConfigVars
from devenv.ops import addons, cluster, credentials, deploy, lock
from devenv.ops.env import Env
from devenv.ops.up import WORK_TREE, planned
from devenv.plan import settings as memory
from devenv.plan.model import ImageSpec, Plan
from devenv.plan.settings import Settings


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change of settings did: the release it made, None when nothing has been deployed yet."""

    version: int | None


def current(env: Env) -> ConfigVars:
    """The config vars with their origins: those of the running release, else what `up` would give."""
    from devenv.ops import up

    if env.status.state == "running" and env.exists() and not _has_files(env):
        found = {name: str(value) for name, value in env.served().get("config", {}).items()}
        return ConfigVars(found, dict.fromkeys(found, "release"))
    return up.preview(env).config


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
    with lock.hold(f"env-{env.spec.name}-{env.name}", env.console):
        if env.status.state != "running":
            cluster.ensure(env)
        before = env.settings()
        after = edit(before)
        content = env.served() if env.exists() else {}
        if not content:
            env.save(after)
            return Changed(None)
        plan = planned(env, after)
        after = credentials.complete(after, env.app, plan.addons)
        plan = planned(env, after)
        if not content.get("running", True):
            env.save(after)
            return Changed(None)
        env.save(after)
        addons.ensure(env, plan.addons, after)
        addons.wait_ready(env)
        done = deploy.app(
            env,
            plan,
            _running_images(content, plan),
            description,
            str(content["release"].get("mode", WORK_TREE)),
            keep=keep,
        )
        addons.remove_unplanned(env, plan.addons)
        return Changed(done.version)


def _running_images(content: Mapping[str, object], plan: Plan) -> dict[str, str]:
    """The images that run now, by ImageSpec name: a config change deploys no code."""
    processes = content["processes"]
    assert isinstance(processes, list)
    by_type = {str(item["type"]): str(item["image"]) for item in processes}
    return {spec.name: _image_of(spec, by_type, plan) for spec in plan.images}


def _image_of(spec: ImageSpec, by_type: Mapping[str, str], plan: Plan) -> str:
    for item in plan.processes:
        if item.image.name == spec.name and item.type.name in by_type:
            return by_type[item.type.name]
    if by_type:
        return next(iter(by_type.values()))
    raise InputError("the running release has no image to keep", "`devenv up` makes a new one")
