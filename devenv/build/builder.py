"""Source -> Image: which images an app needs, which builder makes each, and what is there already."""

from collections.abc import Mapping
from typing import Protocol

from devenv.base.proc import Runner
from devenv.build import registry, stack
from devenv.build.dockerfile import (
    STACK_IMAGE,
    DockerfileBuilder,
    Settle,
    StackBuilder,
    docker_context,
    docker_text,
    same,
)
from devenv.build.output import OnLine
from devenv.build.source import Source, scan, tag
from devenv.heroku.model import App, DockerBuild
from devenv.plan.model import Image, ImageSpec
from devenv.plan.model import Source as Images


class Builder(Protocol):
    """Makes one image and pushes it into the registry `push_to` (`localhost:5001`)."""

    def build(self, source: Source, spec: ImageSpec, push_to: str, on_line: OnLine, settle: Settle = same) -> Image: ...


def select(app: App, spec: ImageSpec, runner: Runner, config: Mapping[str, str], images: Images) -> Builder:
    """The builder of an image: a Dockerfile's, else the built-in stack builder (decision 0015)."""
    offline = images == "built"
    return DockerfileBuilder(runner, offline) if spec.docker else StackBuilder(runner, offline, app, config)


def plan_images(app: App, source: Source, stack_image: str | None) -> tuple[ImageSpec, ...]:
    """The images an app needs: one for a buildpack app, one for each build of heroku.yml. Tags are fingerprints."""
    if app.builds:
        return tuple(_docker_image(app, source, build) for build in app.builds)
    context = scan(source)
    text = stack.dockerfile_text(app.buildpacks, context, stack_image)
    return (ImageSpec(f"{app.name}/app", tag(context, {"dockerfile": text}), (), None, app.buildpacks),)


def _docker_image(app: App, source: Source, build: DockerBuild) -> ImageSpec:
    context = docker_context(source, build)
    text = docker_text(source, build)
    args = dict(app.build_config)
    found = tag(context, {"dockerfile": text, "target": build.target, "args": args})
    runs = {process.name for process in app.processes if (process.image or process.name) == build.type}
    # a lone Dockerfile's image runs every process of the app
    types = () if len(app.builds) == 1 else tuple(sorted({build.type} | runs))
    return ImageSpec(f"{app.name}/{build.type}", found, types, build, (), args)


def exists(push_to: str, spec: ImageSpec) -> str | None:
    """The reference of the image when the registry has it, so that an unchanged source builds nothing.

    Raises BuildError when no registry answers.
    """
    return registry.reference(push_to, spec) if registry.exists(push_to, spec) else None


def size(push_to: str, spec: ImageSpec) -> int:
    """The bytes of an image that the registry has, compressed."""
    return registry.total(push_to, spec)


def describe(spec: ImageSpec) -> str:
    """How the image is built, for `plan`: `Dockerfile`, `heroku/python by the stack builder`."""
    if spec.docker:
        return spec.docker.dockerfile + (f", target {spec.docker.target}" if spec.docker.target else "")
    return " + ".join(f"heroku/{pack.language}" for pack in spec.buildpacks) + " by the stack builder"


def dockerfile(app: App, spec: ImageSpec, source: Source, images: Images) -> str:
    """The Dockerfile the image is built from: the app's own, or the generated one."""
    if spec.docker:
        return docker_text(source, spec.docker)
    return stack.dockerfile_text(spec.buildpacks, scan(source), STACK_IMAGE if images == "built" else None)
