"""The builders that run BuildKit: an app's own Dockerfile, and the one the stack builder generates."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devenv.base.errors import InputError
from devenv.base.proc import Runner
from devenv.build import adapt, bases, buildkit, ignore, registry, stack
from devenv.build.output import OnLine, detail, heading, size, warning
from devenv.build.source import Context, Source, scan
from devenv.heroku.model import App, DockerBuild
from devenv.plan.model import Image, ImageSpec

STACK_IMAGE = "devenv.local/stack:24"
# what an image is once it is built: its tag may promise what it does not hold
Settle = Callable[[ImageSpec], ImageSpec]


def same(spec: ImageSpec) -> ImageSpec:
    """The image as it was planned: its source does not change."""
    return spec


def docker_context(source: Source, build: DockerBuild) -> Context:
    """What a Dockerfile sees: its own folder, without what its .dockerignore names."""
    return scan(source, posixpath.dirname(posixpath.normpath(build.dockerfile)), docker_rules(source, build))


def docker_rules(source: Source, build: DockerBuild) -> ignore.Rules:
    """The rules of a Dockerfile's .dockerignore."""
    file = source.root / build.dockerfile
    files = (file.with_name(f"{file.name}.dockerignore"), file.with_name(".dockerignore"))
    found = next((each for each in files if each.is_file()), None)
    return ignore.dockerignore(found.read_text(errors="replace")) if found else ignore.NOTHING


def docker_text(source: Source, build: DockerBuild) -> str:
    """The text of the app's Dockerfile. Raises InputError when there is no such file."""
    try:
        return (source.root / build.dockerfile).read_text(errors="replace")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(
            f"there is no `{build.dockerfile}` to build `{build.type}` from", "heroku.yml names it under `build`"
        ) from None


@dataclass(frozen=True, slots=True)
class DockerfileBuilder:
    """heroku.yml's, or the folder's, Dockerfile. `offline`: no image registry can be reached."""

    runner: Runner
    offline: bool

    def build(self, source: Source, spec: ImageSpec, push_to: str, on_line: OnLine, settle: Settle = same) -> Image:
        """Build and push; `push_to` is the registry. Raises BuildError with the last lines that matter."""
        assert spec.docker is not None
        context = docker_context(source, spec.docker)
        for text in context.warnings:
            on_line(warning(text))
        on_line(f"=== Building {spec.docker.type} ({posixpath.basename(spec.docker.dockerfile)})")
        text, syntax = docker_text(source, spec.docker), None
        if self.offline:
            text, syntax = bases.offline_text(text)
        if syntax:
            on_line(warning(f"{syntax} can't be pulled here: the engine's own Dockerfile syntax is used"))
        names = bases.external(text, spec.build_args)
        contexts = adapt.contexts(self.runner, names, STACK_IMAGE if self.offline else None, on_line)
        job = buildkit.Job(
            text,
            context.folder,
            registry.reference(push_to, spec),
            context.left_out,
            spec.docker.target,
            spec.build_args,
            contexts,
        )
        buildkit.build(self.runner, job, f"`{spec.docker.dockerfile}`", on_line, steps=True)
        on_line(f"=== Pushing {spec.docker.type} ({posixpath.basename(spec.docker.dockerfile)})")
        return _push(self.runner, push_to, spec, settle(spec), on_line)


@dataclass(frozen=True, slots=True)
class StackBuilder:
    """Buildpack apps: the generated Dockerfile. `config` are the config vars, which Cedar's builds see."""

    runner: Runner
    offline: bool
    app: App
    config: Mapping[str, str] = field(default_factory=dict, repr=False)

    def build(self, source: Source, spec: ImageSpec, push_to: str, on_line: OnLine, settle: Settle = same) -> Image:
        """Build and push; `push_to` is the registry. Raises BuildError with the last lines that matter."""
        context = scan(source)
        stack_image = STACK_IMAGE if self.offline else None
        text = stack.dockerfile_text(spec.buildpacks, context, stack_image)
        for line in self._opening(spec, context):
            on_line(line)
        contexts = adapt.contexts(self.runner, bases.external(text, {}), stack_image, on_line)
        config = (
            stack.secret(self.config, self.app.stack, None),
            stack.secret(self.config, self.app.stack, source.commit),
        )
        name = registry.reference(push_to, spec)
        job = buildkit.Job(text, context.folder, name, context.left_out, contexts=contexts, config=config)
        buildkit.build(self.runner, job, stack.title(spec.buildpacks), on_line, steps=False)
        on_line(heading("Compressing..."))
        return _push(self.runner, push_to, spec, settle(spec), on_line)

    def _opening(self, spec: ImageSpec, context: Context) -> list[str]:
        names = [f"heroku/{pack.language}" for pack in spec.buildpacks]
        lines = [heading(f"Building on the {self.app.stack.capitalize()} stack")]
        if len(names) == 1:
            lines.append(heading(f"Using buildpack: {names[0]}"))
        else:
            lines += [
                heading("Using buildpacks:"),
                *(detail(f"{number}. {name}") for number, name in enumerate(names, 1)),
            ]
        for part in stack.recipes(spec.buildpacks, context, self.offline):
            lines += [heading(f"{part.title} app detected"), *part.lines] if part.title else []
        said = [*context.warnings, *(text for pack in spec.buildpacks for text in pack.warnings)]
        return lines + [warning(text) for text in said]


def _push(runner: Runner, push_to: str, built: ImageSpec, spec: ImageSpec, on_line: OnLine) -> Image:
    if built != spec:
        runner.run(["docker", "tag", registry.reference(push_to, built), registry.reference(push_to, spec)])
    pushed = registry.push(runner, push_to, spec)
    on_line(detail(f"Done: {size(pushed.total)} ({size(pushed.moved)} moved)"))
    return pushed.image
