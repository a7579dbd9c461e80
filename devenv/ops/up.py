"""`up`: cluster, add-ons, image, release phase, processes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from devenv.base.errors import DevenvError, InputError
from devenv.heroku import config_vars
from devenv.ops import addons, candidate, cluster, credentials, deploy, lock, modes, retention, shipped, sync, undo
from devenv.ops.env import Env
from devenv.plan import make, names, values
from devenv.plan.model import Plan
from devenv.plan.settings import Settings

WORK_TREE = values.WORK_TREE


@dataclass(frozen=True, slots=True)
class UpResult:
    """What `up` did: the env's address, its release, whether anything changed."""

    app: str
    env: str
    url: str | None  # None when the app has no web process
    version: int
    changed: bool
    addons: tuple[str, ...]
    processes: tuple[str, ...]


def planned(env: Env, settings: Settings) -> Plan:
    """The plan for the work tree. Raises InputError."""
    plan = make.plan(env.app, env.profile, shipped.catalog(), settings, env.name, env.images, env.code)
    env.hide(plan.config.values)
    return plan


def preview(env: Env) -> Plan:
    """What `up` would do, without touching anything."""
    return planned(env, env.settings() if env.status.state == "running" else Settings())


def check(plan: Plan) -> None:
    """Raises InputError when a required config var is missing (heroku.md section 4.2), or all are more than Heroku takes."""
    if what := config_vars.size_problem(plan.config.values):
        raise InputError(what, "move large values into files or an add-on")
    if plan.missing:
        first = plan.missing[0].split(":")[0]
        raise InputError(
            f"{len(plan.missing)} required config var{'s have' if len(plan.missing) > 1 else ' has'} no value",
            f"set {'them' if len(plan.missing) > 1 else 'it'} in .env, or: devenv config:set {first}=…",
            plan.missing,
        )


def up(env: Env, *, build_always: bool = False, stays: bool = False) -> UpResult:
    """Make the env run the work tree. Every step is skipped when it is done; raises DevenvError naming what failed.

    `stays`: a session follows, which brings running processes what they lack.
    """
    env.console.detail(f"app {env.app.name}, env {env.name}")
    cluster.wake(env)
    before = preview(env)  # every problem that needs no cluster comes first
    contents = sync.contents(env)
    check(before)
    for warning in before.warnings:
        env.console.warn(warning)
    with lock.changing(env):
        cluster.ensure(env)
        candidate.refuse(env)
        if change := modes.changes(env, modes.serving(env), WORK_TREE):
            env.console.say(change)
        plan, settings = completed(env)
        addons.ensure_keeper(env)
        changed, references = prepare(env, plan, settings, lambda: deploy.images(env, plan, always=build_always))
        sync.built(env, contents, references)
        edited = undo.clear(env)
        done = deploy.app(env, plan, references, "Work tree", WORK_TREE)
        replaced = edited and not stays and undo.replace(env)
        addons.remove_unplanned(env, plan.addons)
        if done.changed:
            retention.collect(env)
        if done.changed and plan.web and plan.web.quantity:
            cluster.wait_router(env, names.host(env.name))
    return UpResult(
        app=plan.app,
        env=env.name,
        url=env.url if plan.web else None,
        version=done.version,
        changed=done.changed or bool(changed) or replaced,
        addons=tuple(item.name for item in plan.addons if item.mode == "stand-in"),
        processes=tuple(f"{item.type.name}={item.quantity}" for item in plan.processes),
    )


def completed(env: Env) -> tuple[Plan, Settings]:
    """The plan and the settings with every credential that it asks for; new ones are kept in the env."""
    settings = env.settings()
    complete = credentials.complete(settings, env.app, planned(env, settings).addons)
    if complete != settings or not env.exists():
        env.save(complete)
    return planned(env, complete), complete


def prepare(
    env: Env, plan: Plan, settings: Settings, images: Callable[[], dict[str, str]]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The add-ons that changed, and what `images` gives; all are ready. Raises DevenvError.

    Add-ons come up while images are built: one waits for disks and boots, the other for the processor.
    """
    changed: list[str] = []
    failed: list[DevenvError] = []

    def start() -> None:
        try:
            changed.extend(addons.ensure(env, plan.addons, settings))
        except DevenvError as error:
            failed.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    try:
        references = images()
    finally:
        if thread.is_alive():
            with env.console.step("Installing add-ons") as step:
                thread.join()
                step.silent = not changed
    if failed:
        raise failed[0]
    if any(item.mode == "stand-in" for item in plan.addons):
        with env.console.step("Waiting for add-ons") as step:
            step.silent = not changed
            addons.wait_ready(env)
    return tuple(changed), references
