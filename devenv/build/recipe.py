"""What a language needs to become an image: the parts of a generated Dockerfile, before they are put in order."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from devenv.base.errors import InputError
from devenv.build.buildkit import SECRET_MOUNT

USER = 1001  # heroku/heroku:24 runs as this uid (heroku.md section 7.3)
CACHE = "/var/cache/devenv"
SECRET = "/run/secrets/config"
BREAK = " \\\n    "


class Tree(Protocol):
    """The files a build sees; met by source.Context."""

    @property
    def files(self) -> frozenset[str]: ...

    def text(self, path: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Run:
    """A RUN instruction: a heading, commands that must all succeed, folders kept between builds."""

    title: str | None
    commands: tuple[str, ...]
    caches: tuple[str, ...] = ()  # below CACHE
    root: bool = False  # before the user exists
    config: bool = True  # sees the config vars; never with `root`


@dataclass(frozen=True, slots=True)
class Recipe:
    """One buildpack's share of the Dockerfile."""

    title: str  # "Python"
    lines: tuple[str, ...]  # said before the build
    image: str  # the official image to start from when image registries can be reached
    env: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()  # in front of PATH
    path_end: tuple[str, ...] = ()  # behind it
    runtime: tuple[Run, ...] = ()  # the language itself, when the stack's version is not the one asked for
    borrowed: tuple[str, ...] = ()  # instructions that bring the language into another one's official image
    manifests: tuple[str, ...] = ()  # copied before `install`; empty = the whole source is needed first
    prepare: tuple[Run, ...] = ()  # the same for every app: before any file of this one
    install: tuple[Run, ...] = ()
    build: tuple[Run, ...] = ()


def render(run: Run) -> str:
    """The instruction as text."""
    owner = "" if run.root else f",uid={USER},gid={USER}"
    mounts = [f"--mount=type=cache,target={CACHE}/{name},sharing=locked{owner}" for name in run.caches]
    commands = list(run.commands)
    if run.config and not run.root:
        mounts.insert(0, SECRET_MOUNT)
        commands.insert(0, f"if [ -f {SECRET} ]; then . {SECRET}; fi")
    if run.root:
        commands.insert(0, "export HOME=/root")  # the base's HOME may be /app, which is another user's
    if run.title:
        commands.insert(0, f"echo '-----> {run.title}'")
    lines = ["RUN", *mounts, commands[0]] if mounts else [f"RUN {commands[0]}"]
    return BREAK.join(lines) + "".join(f" \\\n && {command}" for command in commands[1:])


def parse_json(tree: Tree, path: str) -> dict[str, Any]:
    """A JSON file of the tree; empty without one. Raises InputError naming the line."""
    try:
        found = json.loads(tree.text(path) or "{}")
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: {error.msg}", "mend the JSON: the build reads it") from error
    return found if isinstance(found, dict) else {}


def present(tree: Tree, *names: str) -> tuple[str, ...]:
    """Those of `names` that the tree has, in the order given."""
    return tuple(name for name in names if name in tree.files)


def quoted(text: str) -> str:
    """`text` as one word for the shell."""
    return shlex.quote(text)


def using(language: str, version: str | None, where: str | None, fallback: str) -> str:
    """`-----> Using Python 3.13 specified in .python-version`, or the default's line."""
    said = f"{version} specified in {where}" if version and where else f"{fallback} (the default: none is asked for)"
    return f"-----> Using {language} {said}"
