"""An existing cluster that its administrator marked for devenv: `context:NAME`. It is never created or deleted here."""

import json

from devenv.base import paths
from devenv.base.errors import ClusterError, CommandFailed
from devenv.base.proc import Runner
from devenv.cluster import binaries
from devenv.cluster.kube import Kube
from devenv.cluster.provider import ClusterStatus, Say
from devenv.plan.model import Access, ClusterSpec, Source

SYSTEM = "devenv-system"
MARK = "devenv.dev/managed"
CONFIG_MAP = "cluster"


def view_argv(binary: str, context: str) -> list[str]:
    """One context of the user's kubeconfig, with all it needs."""
    return [binary, "config", "view", "--raw", "--minify", "--flatten", f"--context={context}", "--output=json"]


def mark_commands(context: str) -> tuple[str, ...]:
    """What an administrator runs to mark a cluster for devenv."""
    kubectl = f"kubectl --context {context}"
    return (
        f"{kubectl} create namespace {SYSTEM}",
        f"{kubectl} label namespace {SYSTEM} {MARK}=true app.kubernetes.io/managed-by=devenv",
        f"{kubectl} -n {SYSTEM} create configmap {CONFIG_MAP}"
        " --from-literal=registry=HOST/PATH --from-literal=http-port=80",
    )


class ExistingCluster:
    """The `context` provider."""

    def __init__(self, runner: Runner, context: str, binary: str | None = None) -> None:
        self.runner = runner
        self.context = context
        self._binary = binary

    def check(self) -> None:
        """Raises ToolMissing when kubectl is missing."""
        self._binary = self._binary or binaries.find("kubectl")

    def status(self, spec: ClusterSpec) -> ClusterStatus:
        """The cluster as its administrator described it; raises ClusterError when it is not marked for devenv."""
        kube = Kube(self._fetched())
        version = kube.version()
        self._refuse_unmarked(kube)
        facts = kube.config_map(SYSTEM, CONFIG_MAP)
        if not facts.get("registry"):
            what = f"the cluster of the context `{self.context}` does not say which registry to use"
            raise ClusterError(what, "its administrator runs the last of these", mark_commands(self.context))
        port = facts.get("http-port", "80")
        if not port.isdigit():
            raise ClusterError(
                f"`http-port` of the ConfigMap `{SYSTEM}/{CONFIG_MAP}` is `{port}`", "it has to be a number"
            )
        source: Source = "built" if facts.get("source") == "built" else "official"
        return ClusterStatus("running", int(port), facts["registry"], source, version)

    def _refuse_unmarked(self, kube: Kube) -> None:
        system = kube.namespace(SYSTEM)
        if system is None or system.labels.get(MARK) != "true":
            raise ClusterError(
                f"the cluster of `{self.context}` is not marked for devenv, which therefore leaves it alone",
                "if devenv may use it, its administrator runs",
                mark_commands(self.context),
            )

    def create(self, spec: ClusterSpec, node_image: str, registry_image: str, say: Say) -> None:
        """Only checks that the cluster is there and marked: an existing cluster is its administrator's to make."""
        self.status(spec)

    def start(self, spec: ClusterSpec) -> None:
        """Only checks that the cluster answers."""
        self.status(spec)

    def delete(self, spec: ClusterSpec) -> None:
        """Always raises ClusterError: an existing cluster is its administrator's to delete."""
        hint = "`devenv destroy` removes an environment from it"
        raise ClusterError(f"the cluster of `{self.context}` is not devenv's to delete", hint)

    def access(self, spec: ClusterSpec) -> Access:
        """How to reach it; raises ClusterError when there is no such context or it is not marked for devenv."""
        access = self._fetched()
        self._refuse_unmarked(Kube(access))
        return access

    def _fetched(self) -> Access:
        """A copy of that one context, so that no call can fall back to another."""
        self.check()
        assert self._binary is not None
        try:
            text = self.runner.run(view_argv(self._binary, self.context), timeout=30).stdout
        except CommandFailed as error:
            hint = "`kubectl config get-contexts` lists them"
            raise ClusterError(
                f"there is no context `{self.context}` in the kubeconfig", hint, error.details
            ) from error
        access = Access(paths.state() / "clusters" / f"context-{file_name(self.context)}" / "kubeconfig", self.context)
        if not access.kubeconfig.exists() or json.loads(access.kubeconfig.read_text()) != json.loads(text):
            access.kubeconfig.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = access.kubeconfig.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(text)
            fresh.replace(access.kubeconfig)
        return access


def file_name(context: str) -> str:
    """A context's name as a file name: cloud contexts hold `/` and `:`."""
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in context)
