"""What of a folder is in an image, for those who change it later: its files, what is left out, where they are in there."""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from devenv.build import copies, ignore
from devenv.build.dockerfile import docker_context, docker_rules, docker_text
from devenv.build.source import Context, Source, scan
from devenv.heroku.model import App, DockerBuild

Skip = Callable[[str, bool], str | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """An image's context. `folder` is its place in the app's folder, `mounts` where its paths are in the image."""

    folder: str  # "" or with a "/" at its end
    skip: Skip
    mounts: tuple[copies.Mount, ...]


def kept(app: App, source: Source, name: str) -> Kept:
    """The context of the image `name` (`lamp/app`)."""
    build = build_of(app, name)
    if build is None:
        file = source.root / ".slugignore"
        rules = ignore.slugignore(file.read_text(errors="replace")) if file.is_file() else ignore.NOTHING
        return Kept("", _skip(rules, ".slugignore"), (("", "/app"),))
    folder = posixpath.dirname(posixpath.normpath(build.dockerfile))
    root = source.root / folder
    found = copies.mounts(
        docker_text(source, build), dict(app.build_config), build.target, lambda path: (root / path).is_dir()
    )
    return Kept(folder + "/" if folder else "", _skip(docker_rules(source, build), ".dockerignore"), found)


def content(app: App, source: Source, name: str) -> Context:
    """The files of the image's context as they are now."""
    build = build_of(app, name)
    return docker_context(source, build) if build else scan(source)


def build_of(app: App, name: str) -> DockerBuild | None:
    """The Dockerfile build that makes the image; None when buildpacks do."""
    return next((build for build in app.builds if f"{app.name}/{build.type}" == name), None)


def _skip(rules: ignore.Rules, file: str) -> Skip:
    def skip(path: str, is_folder: bool) -> str | None:
        name = posixpath.basename(path)
        if name in ignore.NEVER_ANYWHERE or path in ignore.NEVER_AT_ROOT:
            return "never part of the app"
        if name in ignore.UNTRACKED:
            return "not part of a checkout"
        return f"{file} names it" if rules.match(path, is_folder) else None

    return skip
