"""heroku.yml -> HerokuYml (heroku.md section 4.3), with every problem at once and where it is."""

import posixpath
from collections.abc import Mapping
from typing import Any

from devenv.heroku import addon_refs
from devenv.heroku.config_vars import name_problem
from devenv.heroku.document import Path, Reader, from_yaml, kind
from devenv.heroku.model import DockerBuild, HerokuYml, ProcessType, frozen
from devenv.heroku.procfile import name_problem as type_problem

SECTIONS = ("setup", "build", "release", "run")


def parse(text: str, where: str = "heroku.yml") -> HerokuYml:
    """What heroku.yml asks for. Every built type that `run` leaves out runs its image's own CMD."""
    reader = Reader(from_yaml(text, where))
    for section in reader.mapping(()):
        if section not in SECTIONS:
            reader.warn((section,), f"`{section}` is ignored: the sections are `setup`, `build`, `release` and `run`")
    builds = _builds(reader)
    types = [_process(reader, ("run", name), name, builds) for name in reader.mapping(("run",))]
    run = {type_.name: type_ for type_ in types if type_}
    release = run.pop("release", None)
    if reader.value(("release",)) is not None:
        release = _process(reader, ("release",), "release", builds)
    shared = {type_.image for type_ in run.values()} - {"web"}
    for name in builds:
        own = ProcessType(name, "", reader.document.at("build", "docker", name))
        if name == "release":
            release = release or own
        elif name not in run and name not in shared:  # an image that others run is not a process of its own
            run[name] = own
    found = HerokuYml(
        addons=addon_refs.read(reader, ("setup", "addons")) if reader.mapping(("setup",)) else (),
        config=_config(reader, ("setup", "config")),
        builds=tuple(builds.values()),
        build_config=_config(reader, ("build", "config")),
        release=release,
        run=tuple(run.values()),
        warnings=tuple(reader.warnings),
    )
    reader.problems.raise_if_any(where)
    return found


def _builds(reader: Reader) -> dict[str, DockerBuild]:
    builds = {}
    docker: Path = ("build", "docker")
    for name, value in (reader.mapping(docker) if reader.mapping(("build",)) else {}).items():
        here = (*docker, name)
        if what := type_problem(name):
            reader.bad(here, what)
        file = reader.text((*here, "dockerfile")) if isinstance(value, dict) else reader.text(here)
        if not file:
            reader.bad(here, f"`{name}` has no Dockerfile", f"write `{name}: Dockerfile`")
            continue
        path = posixpath.normpath(file.strip())
        if path.startswith(("/", "..")):
            reader.bad(here, f"`{file}` is outside the app", "write a path from the app's root")
        target = reader.text((*here, "target")) if isinstance(value, dict) else None
        builds[name] = DockerBuild(name, path, target)
    return builds


def _process(reader: Reader, path: Path, name: str, builds: Mapping[str, DockerBuild]) -> ProcessType | None:
    value = reader.value(path)
    command, argv = _command(reader, (*path, "command") if isinstance(value, dict) else path, name)
    image = reader.text((*path, "image")) if isinstance(value, dict) else None
    if what := type_problem(name):
        reader.bad(path, what)
    if image and builds and image not in builds:
        known = ", ".join(f"`{type_}`" for type_ in builds)
        reader.bad((*path, "image"), f"no image is built for `{image}`", f"write one of {known}")
    elif not image and builds and name not in builds:
        image = next(iter(builds)) if len(builds) == 1 else None
        if image is None:
            reader.bad(path, f"`{name}` has no image", "write `image:` with a type of `build.docker`")
    if not command and not argv and not isinstance(value, dict):
        return None
    return ProcessType(name, command, reader.document.at(*path), None if image == name else image, argv)


def _command(reader: Reader, path: Path, name: str) -> tuple[str, tuple[str, ...] | None]:
    """A command as shell text, or as argv. A lone string in a list is shell text, as in Heroku's own example."""
    value: Any = reader.value(path)
    if isinstance(value, str) and value.strip():
        return value.strip(), None
    if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
        if len(value) == 1:
            return value[0], None
        if " " not in value[0]:
            return "", tuple(value)
        reader.warn(path, f"the commands of `{name}` run one after the other, each only if the one before succeeded")
        return " && ".join(value), None
    if value is None and path[-1] == "command":
        return "", None  # only `image` is given: its own CMD
    what = f"the command of `{name}` is {kind(value)}" if value else f"`{name}` has no command"
    reader.bad(path, what, "write a string or a list of strings")
    return "", None


def _config(reader: Reader, path: Path) -> Mapping[str, str]:
    values = {}
    for name in reader.mapping(path) if reader.mapping(path[:-1]) else ():
        if what := name_problem(name):
            reader.bad((*path, name), what)
        elif reader.value((*path, name)) is None:
            values[name] = ""
        elif (text := reader.text((*path, name))) is not None:
            values[name] = text
    return frozen(values)
