"""The plan and the nouns that effects hand each other. Names are Kubernetes' from here on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from devenv.heroku.model import AddonRef, Buildpack, ConfigVars, DockerBuild, ProcessType

Mode = Literal["stand-in", "passthrough", "off"]
Source = Literal["official", "built"]  # where images come from: image registries, or package registries


@dataclass(frozen=True, slots=True)
class DynoSize:
    """A row of the size table: memory in MB, CPU share in thousandths of a core."""

    name: str
    memory: int
    cpu: int


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """The cluster to have. `http_port` is the host port wished for the router; 0 = the first free one from 8080."""

    name: str
    provider: str  # "kind", "minikube", "context:NAME"
    kubernetes: str | None  # None = the provider's pinned version
    http_port: int = 0
    source: Source = "official"

    @property
    def existing(self) -> bool:
        """Whether it is one that devenv did not make, and that others may use from their machines."""
        return self.provider.startswith("context:")


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a cluster; every helm and kubectl call names both."""

    kubeconfig: Path
    context: str


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """An image to build. `name` is the repository (`lamp/web`); the tag is the source's fingerprint, known before the build."""

    name: str
    tag: str
    types: tuple[str, ...]  # process types that run it; () = all that name no other
    docker: DockerBuild | None  # None = the stack builder builds it
    buildpacks: tuple[Buildpack, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """A built image in the cluster's registry. `reference` is what a pod pulls."""

    reference: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class AddonSpec:
    """One stand-in, from `charts/<chart>/addon.yaml`; `services` maps a Heroku slug to what it sets."""

    chart: str
    title: str
    services: Mapping[str, "ServiceSpec"]
    image: str  # key into images.yaml: "postgres"
    port: int
    version: str  # server major version of the default image
    credentials: Mapping[str, str]  # name -> generator: "hex:32", "name:u", "literal:elastic"
    clients: Mapping[str, tuple[str, ...]]  # verb -> argv run in the pod: "pg:psql" -> (psql, …)
    storage: str  # "1Gi"
    memory: int  # MB
    equivalent: str  # production-grade equivalent on Kubernetes
    priority: str  # migration priority: "high", "medium", "low"
    risk: str
    reason: str
    edge: str | None = None  # key into images.yaml, of a server in front of it
    # one of which an app has that speaks to it: "psycopg"; empty: any HTTP client will do
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A Heroku add-on service: the config vars it sets and how it is recognised."""

    service: str
    title: str
    attachment: str  # default attachment name: "DATABASE"
    further: str | None  # attachment pattern of a second one: "HEROKU_POSTGRESQL_{color}"
    config: Mapping[str, str]  # "{attachment}_URL" -> "postgres://{user}:{password}@{host}:{port}/{database}"
    plan: str | None  # default plan
    reveals: tuple[str, ...]  # variable names that reveal it in .env: "DATABASE_URL"
    schemes: tuple[str, ...]  # URL schemes that reveal it: "postgres", "postgresql"
    version_option: str | None = None  # "version"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All stand-ins by chart, and hosted services without one by slug."""

    addons: Mapping[str, AddonSpec]
    hosted: Mapping[str, "HostedSpec"]


@dataclass(frozen=True, slots=True)
class HostedSpec:
    """A service that has no stand-in here: `mode` is its default, passthrough or off."""

    service: str
    title: str
    mode: Mode
    config: tuple[str, ...]  # names of its variables
    equivalent: str
    priority: str
    risk: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedAddon:
    """One row of the add-on table."""

    ref: AddonRef
    name: str  # Helm release and DNS name in the namespace: "postgres", "redis-cache"
    attachment: str  # "DATABASE"
    mode: Mode
    spec: AddonSpec | None  # None for hosted ones
    service: ServiceSpec | None
    config_names: tuple[str, ...]
    aliases: tuple[str, ...]  # further variables that point at the same server
    version: str | None
    stands_in: str  # "PostgreSQL 17 in this env", "the hosted service stays in use", "left out"
    equivalent: str
    priority: str
    risk: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedProcess:
    """A process type in the formation."""

    type: ProcessType
    quantity: int
    size: DynoSize
    image: ImageSpec


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release. `fingerprint` covers chart and values: equal means there is nothing to do."""

    name: str
    namespace: str
    chart: str  # folder under charts/
    values: Mapping[str, Any]
    fingerprint: str
    version: int = 0  # the env's release number; 0 for all but the app

    def __repr__(self) -> str:
        return f"Release({self.name} in {self.namespace}, {self.chart})"  # values hold secrets


@dataclass(frozen=True, slots=True)
class Plan:
    """What `up` or `push` makes true. Equal inputs give equal plans, byte for byte."""

    app: str
    env: str
    cluster: ClusterSpec
    images: tuple[ImageSpec, ...]
    addons: tuple[PlannedAddon, ...]
    processes: tuple[PlannedProcess, ...]
    one_offs: tuple[ProcessType, ...]
    release_phase: PlannedProcess | None
    config: ConfigVars  # final, the stand-ins' variables included as soon as their credentials are known
    missing: tuple[str, ...]  # required config vars nobody supplied, each with its description
    warnings: tuple[str, ...]

    @property
    def web(self) -> PlannedProcess | None:
        """What serves requests; None when the app has no such process type."""
        return next((item for item in self.processes if item.type.name == "web"), None)
