"""What of a folder is in an image, for those who change it later: its files, what is left out, where they are in there."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devenv.base.index import Mount
from devenv.build import copies, ignore
from devenv.build.dockerfile import docker_context, docker_rules, docker_text
from devenv.build.source import Context, Source, scan
from devenv.build.worktree import WorkTreeRules
from devenv.heroku.model import App, DockerBuild


@dataclass(frozen=True, slots=True)
class Kept:
    """An image's context. `folder` is its place in the app's folder."""

    folder: str  # "" or with a "/" at its end
    part: WorkTreeRules

    def skip(self, path: str, is_folder: bool) -> str | None:
        """Why a path of the context is in no image, or None."""
        return self.part.skip(path, is_folder)


def kept(app: App, source: Source, name: str) -> Kept:
    """The context of the image `name` (`lamp/app`)."""
    build = build_of(app, name)
    if build is None:
        return Kept("", _part(source, source.root, lambda: ignore.slug_rules(source.root)))
    folder = posixpath.dirname(posixpath.normpath(build.dockerfile))
    return Kept(
        folder + "/" if folder else "", _part(source, source.root / folder, lambda: docker_rules(source, build))
    )


def mounts(app: App, source: Source, name: str) -> tuple[Mount, ...]:
    """Where the image has the files of its context. Raises InputError when there is no Dockerfile."""
    build = build_of(app, name)
    if build is None:
        return (("", "/app/"),)
    root = (source.root / build.dockerfile).parent
    return copies.mounts(
        docker_text(source, build), dict(app.build_config), build.target, lambda path: (root / path).is_dir()
    )


def content(app: App, source: Source, name: str) -> Context:
    """The files of the image's context as they are now."""
    build = build_of(app, name)
    return docker_context(source, build) if build else scan(source)


def build_of(app: App, name: str) -> DockerBuild | None:
    """The Dockerfile build that makes the image; None when buildpacks do."""
    return next((build for build in app.builds if f"{app.name}/{build.type}" == name), None)


def _part(source: Source, root: Path, read: Callable[[], ignore.Rules]) -> WorkTreeRules:
    return WorkTreeRules(root, read, committed=source.commit is not None, runner=source.runner)
