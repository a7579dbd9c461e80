"""`push`: a commit, built and run as production would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devenv.base import git
from devenv.base.errors import BuildError, InputError
from devenv.build import builder, output, source, stack
from devenv.heroku.model import App
from devenv.ops import addons, candidate, cluster, config, deploy, lock, modes, retention, strategy, up
from devenv.ops.env import Env
from devenv.ops.modes import RELEASE
from devenv.ops.story import Dialect, Story
from devenv.plan import names
from devenv.plan.model import ImageSpec, Plan
from devenv.plan.settings import Settings

DECLARED = (
    output.WARNING + "Release command declared: this new release will not be available until the command succeeds."
)


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push did: the commit, the release that it became, whether there was anything to do."""

    app: str
    env: str
    url: str | None
    version: int
    commit: str
    changed: bool


class NotBuilt(BuildError):
    """A failed build that has been told in Heroku's block (heroku.md section 6.2)."""


class Overtaken(InputError):
    """Another commit serves than the one that this push was to replace."""


def push(
    env: Env, ref: str = "HEAD", *, force: bool = False, share: int | None = None, seen: str | None = None
) -> PushResult:
    """Build commit `ref` and release it; with `force` also when it is what serves already. Raises DevenvError.

    With `share` it becomes a candidate that gets so many of a hundred requests. With `seen`, the commit that is known
    to serve (empty: none), it replaces no other one: raises Overtaken.
    """
    folder, say = env.options.app_dir, env.console.say
    sha = git.full_sha(env.runner, folder, ref)
    _mention(env, ref, sha)
    cluster.wake(env)
    with source.commit(env.runner, folder, sha) as files:
        here = env.at(files)
        before = up.preview(here)  # every problem that needs no cluster comes first
        up.check(before)
        with lock.changing(here):
            now = modes.serving(here)
            if now.commit == sha and not force:
                say("Everything up-to-date")
                return _result(here, before, now.version, sha, changed=False)
            if seen is not None and now.commit not in ("", seen):
                raise Overtaken(f"{here.name} runs commit {now.commit[:8]} since another push")
            cluster.ensure(here)
            candidate.refuse(here)
            if share is not None:
                strategy.check(here)
            say("Compressing source files... done.")
            say("Building source:")
            say()
            for text in before.warnings:
                say(output.warning(text))
            if change := modes.changes(here, now, RELEASE):
                say(output.warning(change))
            story = Dialect(here.console, lambda number, phase: _launched(here, number, phase), "Verifying deploy...")
            plan, done = release(here, sha, f"Deploy {sha[:8]}", story, share=share)
            return _result(here, plan, done.version, sha, changed=True)


def _mention(env: Env, ref: str, sha: str) -> None:
    if ref == "HEAD" and (count := git.changed(env.runner, env.options.app_dir)):
        files = "file differs" if count == 1 else "files differ"
        env.console.warn(f"{count} {files} from the last commit: what is pushed is commit {sha[:8]}")


def release(
    env: Env,
    sha: str,
    description: str,
    story: Story,
    built: Mapping[str, Any] | None = None,
    share: int | None = None,
) -> tuple[Plan, deploy.Deployed]:
    """Have the commit whose files `env` sees run; `built` are the values of a release that has its images already.

    With `share` it is a candidate that gets so many of a hundred requests.
    """
    plan, settings = up.completed(env)
    references = _built(env, plan, settings, built)
    if share is not None:
        return plan, strategy.begin(env, plan, references, description, sha, share, story)
    done = deploy.app(env, plan, references, description, RELEASE, sha, again=True, story=story)
    addons.remove_unplanned(env, plan.addons)
    retention.collect(env)
    if plan.web and plan.web.quantity:
        cluster.wait_router(env, names.host(env.name))
    return plan, done


def _built(env: Env, plan: Plan, settings: Settings, built: Mapping[str, Any] | None) -> dict[str, str]:
    try:
        images = (lambda: _images(env, plan)) if built is None else (lambda: config.running_images(built, plan))
        return up.prepare(env, plan, settings, images)[1]
    except BuildError as error:
        # what failed stands in the error, which comes after it
        for line in (
            output.warning(error.message[0].upper() + error.message[1:] + "."),
            "",
            output.warning("Push failed"),
            "Verifying deploy...",
            "",
            f"!\tPush rejected to {env.name}.",
            "",
        ):
            env.console.say(line)
        raise NotBuilt(error.message, error.hint, error.details) from error


def _images(env: Env, plan: Plan) -> dict[str, str]:
    registry, say = env.status.registry, env.console.say
    found: dict[str, str] = {}
    for spec in plan.images:
        reference = builder.exists(registry, spec)
        on_line = _in_order(env, spec)
        if reference is None:
            chosen = builder.select(env.app, spec, env.runner, dict(plan.config.values), env.status.source)
            reference = chosen.build(env.source, spec, registry, on_line).reference
        else:
            what = stack.title(spec.buildpacks) if spec.buildpacks else spec.name
            on_line(output.heading(f"{what} is built already: nothing that goes into its image has changed"))
            on_line(output.heading(COMPRESSING))
            on_line(output.detail(f"Done: {output.size(builder.size(registry, spec))} (0 moved)"))
        found[spec.name] = reference
    if not plan.images[0].buildpacks:
        _types(env.app, say)
    say()
    return found


COMPRESSING = "Compressing..."


def _in_order(env: Env, spec: ImageSpec) -> Callable[[str], None]:
    """The build's lines, with the process types before the image is compressed, as on Heroku."""
    say = env.console.say
    first = deploy.last_version(env) == 0

    def on_line(text: str) -> None:
        if text == output.heading(COMPRESSING) and spec.buildpacks:
            _types(env.app, say)
            say()
        elif first and text.startswith(output.heading("Using buildpack: ")):
            text = output.heading("Determining which buildpack to use for this app")
        say(text)

    return on_line


def _types(app: App, say: Callable[[str], None]) -> None:
    everything = (*app.processes, *((app.release,) if app.release else ()))
    declared = [item.name for item in everything if not item.source.startswith("heroku/")]
    defaults = [item.name for item in app.buildpacks[-1].default_types] if app.buildpacks else []
    for line in output.process_types(declared, defaults):
        say(line)


def _launched(env: Env, number: int, has_phase: bool) -> None:
    say = env.console.say
    say(output.heading("Launching..."))
    if has_phase:
        say(DECLARED)
    say(output.detail(f"Released v{number}"))
    web = any(item.name == "web" for item in env.app.processes)
    say(output.detail(f"{env.url}/ deployed to devenv" if web else f"{env.name} deployed to devenv"))
    say()


def _result(env: Env, plan: Plan, version: int, sha: str, *, changed: bool) -> PushResult:
    return PushResult(plan.app, env.name, env.url if plan.web else None, version, sha, changed)
