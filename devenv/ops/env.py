"""Env: one app in one namespace of one cluster, with the seams to act on it, each made on first use."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from devenv.base import git
from devenv.base.console import Console
from devenv.base.errors import ClusterError, InputError
from devenv.base.proc import Runner, SubprocessRunner
from devenv.build import builder
from devenv.build.source import Source, work_tree
from devenv.cluster import kube_helm
from devenv.cluster import provider as providers
from devenv.cluster.helm import Helm
from devenv.cluster.kube import Kube
from devenv.cluster.provider import ClusterStatus, Provider
from devenv.heroku import app as heroku
from devenv.heroku.model import App
from devenv.images import catalog, reachable
from devenv.ops import code, shipped
from devenv.plan import make, names, settings, values
from devenv.plan.model import Access, ClusterSpec, ImageSpec
from devenv.plan.model import Source as Images
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

SETTINGS_SECRET = "env-settings"
FOLDER = "devenv.dev/folder"  # annotation of the namespace: the app's folder, where the env goes by the app's name
# a container, a host name and a file are named after it
CLUSTER_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about where to act."""

    app_dir: Path
    env: str | None
    flags: Mapping[str, Any]  # provider, cluster: None = not given
    profile: str | None


class Env:
    """The env the options point at. Properties are computed once, and only when a verb needs them."""

    def __init__(self, options: Options, console: Console, runner: Runner | None = None) -> None:
        self.options = options
        self.console = console
        self.runner: Runner = runner or SubprocessRunner()
        self.made = self.looked = time.time_ns()  # no file was read before; nor the tree for its images

    def at(self, source: Source) -> "Env":
        """The same env, of the same name, as a commit's files make it, in place of the work tree's. Raises InputError."""
        other = Env(self.options, self.console, self.runner)
        shared = ("profile", "spec", "provider", "status", "access", "kube", "helm")
        kept = {name: self.__dict__[name] for name in shared if name in self.__dict__}
        other.__dict__ |= kept | {"source": source, "name": self.name}
        return other

    @cached_property
    def app(self) -> App:
        """The app in the folder; raises InputError with every problem of its files."""
        app = heroku.load(self.source.root, home=self.options.app_dir)
        self.hide(app.dotenv.values)
        return app

    @cached_property
    def profile(self) -> Profile:
        """The resolved profile."""
        return shipped.profile(self.options.app_dir, self.options.profile, self.options.flags)

    @cached_property
    def name(self) -> str:
        """The env's name: --env, else from the app's name and the git worktree."""
        if self.options.env:
            return names.env_name(self.options.env)
        return names.default_env(self.app.name, git.worktree_name(self.options.app_dir))

    @cached_property
    def source(self) -> Source:
        """The work tree."""
        return work_tree(self.options.app_dir, self.runner)

    @cached_property
    def images(self) -> tuple[ImageSpec, ...]:
        """The images the work tree needs, as it was when first asked for: a command reads the tree once."""
        self.looked = time.time_ns()
        return self.planned_images()

    def planned_images(self) -> tuple[ImageSpec, ...]:
        """The images the work tree needs as it is now."""
        # with official images the stack builder starts from the language's own image
        stack = catalog.reference("stack", "built") if self.image_source == "built" else None
        return builder.plan_images(self.app, self.source, stack)

    @cached_property
    def code(self) -> Mapping[str, str]:
        """The add-on variables that the code reads, with the place."""
        return code.reads(self.source, shipped.catalog())

    @property
    def image_source(self) -> Images:
        """Where this cluster's images come from: decided when it is made, kept in the cluster."""
        return self.status.source if self.status.state != "absent" else reachable.source()

    @cached_property
    def spec(self) -> ClusterSpec:
        """The cluster the profile asks for."""
        spec = make.cluster(self.profile)
        if not CLUSTER_NAME.fullmatch(spec.name):
            hint = f"use lower-case letters, digits and hyphens, for example `{names.label(spec.name)}`"
            raise InputError(f"`{spec.name}` can't be a cluster's name", hint)
        return spec

    @cached_property
    def provider(self) -> Provider:
        """The cluster's provider."""
        binary = str(self.tool("kind")) if self.spec.provider == "kind" else None
        return providers.select(self.spec.provider, self.runner, binary)

    @cached_property
    def status(self) -> ClusterStatus:
        """The cluster's state when first asked for; raises ToolMissing without an engine."""
        # of a provider without a program, which a look does not need: `plan` obtains none
        return providers.select(self.spec.provider, self.runner).status(self.spec)

    @cached_property
    def access(self) -> Access:
        """Kubeconfig and context of the running cluster; raises ClusterError when it does not run."""
        if self.status.state == "absent":
            raise ClusterError(f"there is no cluster `{self.spec.name}`", "`devenv up` makes it")
        if self.status.state != "running":
            raise ClusterError(
                f"cluster `{self.spec.name}` is {self.status.state}", "`devenv up` starts it again; nothing is lost"
            )
        return self.provider.access(self.spec)

    @cached_property
    def kube(self) -> Kube:
        """Reads of the cluster."""
        return Kube(self.access)

    @cached_property
    def helm(self) -> Helm:
        """Writes to the cluster."""
        return Helm(self.runner, self.access, str(self.tool("helm")))

    def tool(self, name: str) -> Path:
        """The path of kind, helm or kubectl; fetched or built when it is not there."""
        from devenv.images import tools

        return tools.ensure(self.runner, self.console, [name])[name]

    def forget(self) -> None:
        """Drop what was read of the cluster, after it was made or started."""
        for name in ("status", "access", "kube", "helm"):
            self.__dict__.pop(name, None)

    def settings(self) -> Settings:
        """The env's settings as the cluster has them now; the defaults when there is no env yet."""
        secret = self.kube.secret(self.name, SETTINGS_SECRET) if self.exists() else {}
        found = settings.from_json(secret["settings.json"].decode() if secret else None)
        self.hide(found.config)
        self.hide(found.generated)
        for credentials in found.credentials.values():
            self.hide({name: value for name, value in credentials.items() if "password" in name})
        return found

    def served(self) -> dict[str, Any]:
        """The values of the app's release that serves, whatever failed or was interrupted after it; empty without one."""
        states = self.kube.revisions(self.name, values.APP)
        for status in ("deployed", "superseded"):
            for revision in [each.revision for each in states if each.status == status][-1:]:
                if found := kube_helm.record(self.kube, self.name, values.APP, revision):
                    return dict(found.values)
        return {}

    def save(self, new: Settings) -> None:
        """Keep the settings; makes the namespace when there is none."""
        labels = {"devenv.dev/env": self.name, "devenv.dev/app": self.app_label()}
        folder = {} if self.options.env else {FOLDER: str(self.options.app_dir.resolve())}
        self.kube.ensure_namespace(self.name, labels, folder)
        self.helm.upgrade(values.settings_release(self.name, new.to_json(), self.facts({})), shipped.chart("env"), 60)

    def app_label(self) -> str:
        """The app's name for labels; the env's when no app folder is at hand."""
        return self.app.name if (self.options.env is None or "app" in self.__dict__) else self.name

    def facts(self, images: Mapping[str, str]) -> values.Facts:
        """Facts for the plan's releases."""
        return values.Facts(images=images, charts=_Digests(), route_kind="HTTPRoute")

    def hide(self, config: Mapping[str, str]) -> None:
        """Mask the values of these variables in everything printed from now on."""
        from devenv.heroku.config_vars import redact

        before = self.console.mask
        hidden = tuple(config.values())
        self.console.mask = lambda text: redact(before(text), hidden)

    def require(self) -> None:
        """Raises InputError unless the env exists."""
        if not self.exists():
            raise InputError(
                f"there is no env `{self.name}` on cluster `{self.spec.name}`",
                "`devenv up` makes it; `devenv envs` lists what there is",
            )

    def exists(self) -> bool:
        """Whether the namespace is there and is devenv's; raises InputError when it is another app's of the same name."""
        found = self.kube.namespace(self.name)
        if found is None or found.labels.get("devenv.dev/env") != self.name:
            return False
        here, there = self.options.app_dir.resolve(), found.annotations.get(FOLDER, "")
        usual = str(here) == there or not os.path.isdir(there)  # of a colleague's folder there is nothing here either
        if not (self.options.env or usual or git.same_app(self.runner, here, Path(there))):
            raise InputError(
                f"the env `{self.name}` belongs to the app in `{there}`",
                "give this one a name of its own: `--env NAME`, or `name` in app.json",
            )
        return True

    @property
    def url(self) -> str:
        """The address in a browser."""
        return self.address(self.name)

    def address(self, name: str) -> str:
        """The address of an env of this cluster in a browser."""
        port = self.status.http_port or self.spec.http_port  # before there is a cluster: the one asked for
        return f"http://{names.host(name)}" + (f":{port}" if port != 80 else "")


class _Digests(Mapping[str, str]):
    """Chart digests, computed when asked for."""

    def __getitem__(self, name: str) -> str:
        return shipped.chart_digest(name)

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0
