"""The nouns of a Heroku app. Values only: the parsers beside this module make them, `app.load` joins them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal


def frozen(values: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """A read-only copy of `values`."""
    return MappingProxyType(dict(values or {}))


EMPTY: Mapping[str, str] = frozen()


@dataclass(frozen=True, slots=True)
class ProcessType:
    """A line of a Procfile (or heroku.yml `run`, or a buildpack's default). `source` is `Procfile:3`."""

    name: str
    command: str  # verbatim; empty = the image's own CMD (heroku.yml, Dockerfile)
    source: str
    image: str | None = None  # heroku.yml: the built type whose image it runs; None = its own, or the app's one image
    argv: tuple[str, ...] | None = None  # heroku.yml `command: [..]`: exec form, no shell


@dataclass(frozen=True, slots=True)
class Quantity:
    """One entry of a formation."""

    quantity: int
    size: str | None = None  # CLI spelling, any case: "Standard-1X", "basic"; None = the profile's default


@dataclass(frozen=True, slots=True)
class AddonRef:
    """An add-on the app asks for, or one that a config var reveals."""

    service: str  # "heroku-postgresql"
    plan: str | None  # "essential-0"
    attachment: str | None  # app.json `as`: "DATABASE", "CACHE"
    options: Mapping[str, str]
    source: str  # "app.json:12", "heroku.yml:4", ".env DATABASE_URL"


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """One entry of app.json `env` (heroku.md section 4.2)."""

    name: str
    value: str | None = None
    description: str = ""
    required: bool = True
    generator: str | None = None  # "secret"
    source: str = "app.json"


@dataclass(frozen=True, slots=True)
class Scripts:
    """app.json `scripts`."""

    postdeploy: str | None = None
    pr_predestroy: str | None = None
    test_setup: str | None = None
    test: str | None = None


@dataclass(frozen=True, slots=True)
class AppJson:
    """app.json, after `environments.<name>` replacement when one was asked for."""

    name: str | None = None
    env: tuple[EnvEntry, ...] = ()
    addons: tuple[AddonRef, ...] = ()
    formation: Mapping[str, Quantity] = field(default_factory=lambda: MappingProxyType({}))
    buildpacks: tuple[str, ...] = ()
    scripts: Scripts = Scripts()
    stack: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DockerBuild:
    """One image to build from a Dockerfile. Paths are relative to the app's root; context = the Dockerfile's folder."""

    type: str  # process type it is named for; "web" for a lone Dockerfile
    dockerfile: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class HerokuYml:
    """heroku.yml (heroku.md section 4.3)."""

    addons: tuple[AddonRef, ...] = ()
    config: Mapping[str, str] = field(default_factory=frozen)  # setup.config
    builds: tuple[DockerBuild, ...] = ()
    build_config: Mapping[str, str] = field(default_factory=frozen)  # build args
    release: ProcessType | None = None
    run: tuple[ProcessType, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Procfile:
    """Process types in file order, `release` included."""

    types: tuple[ProcessType, ...] = ()
    warnings: tuple[str, ...] = ()


Language = Literal["ruby", "nodejs", "clojure", "python", "java", "gradle", "scala", "php", "go", "dotnet"]


@dataclass(frozen=True, slots=True)
class Buildpack:
    """What Heroku's detection finds in the root (heroku.md section 7.1)."""

    language: Language
    version: str | None  # the version the app asks for, as written: "3.13", ">=20 <23", "1.24"
    version_source: str | None  # ".python-version", "package.json engines.node"
    package_manager: str | None  # pip, uv, poetry, pipenv; npm, yarn, pnpm; bundler; go
    default_types: tuple[ProcessType, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigVars:
    """Config vars with the place each came from. `repr` shows names only, so that no traceback leaks a value."""

    values: Mapping[str, str]
    origins: Mapping[str, str]  # name -> "app.json", ".env:3", "config:set", "postgres stand-in"

    def __repr__(self) -> str:
        return f"ConfigVars({', '.join(sorted(self.values))})"

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)


@dataclass(frozen=True, slots=True)
class App:
    """A Heroku app as its folder tells it; nothing in here knows of Kubernetes."""

    name: str  # a DNS label of at most 30 characters
    root: Path
    stack: str  # "heroku-24", "container"
    processes: tuple[ProcessType, ...]  # the running formation's types: never `release`
    release: ProcessType | None
    formation: Mapping[str, Quantity]  # app.json's; empty without one
    env: tuple[EnvEntry, ...]  # app.json `env` (+ heroku.yml setup.config as plain values)
    dotenv: ConfigVars  # .env
    addons: tuple[AddonRef, ...]  # declared ones; those that config vars reveal are the plan's matter
    builds: tuple[DockerBuild, ...]  # empty = a buildpack builds it
    build_config: Mapping[str, str]
    buildpacks: tuple[Buildpack, ...]  # in order, the last one supplies the default types; empty with `builds`
    scripts: Scripts
    warnings: tuple[str, ...]
    one_offs: tuple[ProcessType, ...] = ()  # a buildpack's `rake` and `console`: for `run`, never part of the formation
