"""Helm writes: releases by the `helm` binary, version 3.13 or later, or 4. Values travel on stdin, never in an argv."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from devenv.base.errors import CommandFailed, ReleaseError, ToolMissing
from devenv.base.proc import Completed, Runner
from devenv.base.resources import dump_yaml
from devenv.cluster import binaries
from devenv.plan.model import Access, Release

HISTORY_MAX = 50  # ten releases with every scaling between them; each is a Secret of 10 to 20 kB
FINGERPRINT = "devenv.fingerprint"
VERSION = "devenv.version"
PENDING = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")
# Helm obeys these from the caller's environment: HELM_KUBEAPISERVER would send a release to another cluster, whatever
# --kubeconfig says (https://helm.sh/docs/helm/helm/); an empty value counts as unset
CLEAN_ENV: Mapping[str, str] = dict.fromkeys(
    (
        "HELM_KUBEAPISERVER",
        "HELM_KUBETOKEN",
        "HELM_KUBECAFILE",
        "HELM_KUBEASUSER",
        "HELM_KUBEASGROUPS",
        "HELM_KUBETLS_SERVER_NAME",
        "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
        "HELM_NAMESPACE",
        "HELM_DRIVER",
        "HELM_DEBUG",
    ),
    "",
)


@dataclass(frozen=True, slots=True)
class Revision:
    """A row of a release's history, oldest first."""

    revision: int
    status: str
    description: str
    updated: datetime | None


def base_argv(binary: str, access: Access, namespace: str) -> list[str]:
    """`helm` with explicit kubeconfig, context and namespace."""
    return [binary, f"--kubeconfig={access.kubeconfig}", f"--kube-context={access.context}", f"--namespace={namespace}"]


def upgrade_argv(
    binary: str,
    access: Access,
    release: Release,
    chart: Path,
    timeout: float,
    description: str = "",
    *,
    wait: bool = True,
) -> list[str]:
    """Install or upgrade a release, and with `wait` wait until it is ready; values come on stdin."""
    words = [
        *base_argv(binary, access, release.namespace),
        "upgrade",
        release.name,
        str(chart),
        "--install",
        "--create-namespace",
    ]
    words += [
        "--values=-",
        f"--timeout={_seconds(timeout)}",
        f"--history-max={HISTORY_MAX}",
        *(["--wait"] if wait else []),
    ]
    words += [f"--labels={FINGERPRINT}={release.fingerprint},{VERSION}={release.version}"]
    return [*words, f"--description={description}"] if description else words


def rollback_argv(
    binary: str, access: Access, name: str, namespace: str, revision: int, timeout: float, *, wait: bool
) -> list[str]:
    """Roll back to a revision. Without `wait` hooks stay out too: it only repairs the record of an interrupted run."""
    words = [*base_argv(binary, access, namespace), "rollback", name, str(revision), f"--history-max={HISTORY_MAX}"]
    return words + (["--wait", f"--timeout={_seconds(timeout)}"] if wait else ["--no-hooks"])


def uninstall_argv(binary: str, access: Access, name: str, namespace: str, timeout: float) -> list[str]:
    """Uninstall a release and wait until its objects are gone; volumes of StatefulSets stay."""
    return [
        *base_argv(binary, access, namespace),
        *("uninstall", name, "--ignore-not-found", "--wait", f"--timeout={_seconds(timeout)}"),
    ]


def template_argv(binary: str, chart: Path, name: str, namespace: str) -> list[str]:
    """Render a chart without a cluster; values come on stdin."""
    return [binary, "template", name, str(chart), f"--namespace={namespace}", "--values=-"]


def _seconds(timeout: float) -> str:
    return f"{max(1, round(timeout))}s"


def recovery(history: Sequence[Revision]) -> int | None:
    """What clears a release left pending: None = nothing to do, 0 = uninstall, else the revision to roll back to."""
    if not history or history[-1].status not in PENDING:
        return None
    if history[-1].status == "uninstalling":
        return 0
    served = [each.revision for each in history if each.status in ("deployed", "superseded")]
    return served[-1] if served else 0


class Helm:
    """The releases of one cluster."""

    def __init__(self, runner: Runner, access: Access, binary: str | None = None) -> None:
        self.runner = runner
        self.access = access
        self._binary = binary

    @property
    def binary(self) -> str:
        """The helm program; raises ToolMissing."""
        if self._binary is None:
            self._binary = binaries.find("helm")
        return self._binary

    def check(self) -> str:
        """Helm's version; raises ToolMissing when it is too old."""
        text = self.runner.run([self.binary, "version", "--template={{.Version}}"], env=CLEAN_ENV).stdout.strip()
        if not new_enough(text):
            raise ToolMissing(f"helm {text} is too old", "install helm 3.13 or later")
        return text

    def upgrade(
        self,
        release: Release,
        chart_path: Path,
        timeout: float = 300,
        *,
        description: str = "",
        wait: bool = True,
        settled: bool = False,
    ) -> None:
        """Make a release true, as often as it is called. Hooks are always waited for, its objects with `wait`.

        `settled` spares the look for what an interrupted run left: the caller has seen that there is nothing.
        Raises ReleaseError with Helm's reason; the release before it still serves.
        """
        if not settled:
            self.recover(release.name, release.namespace)
        argv = upgrade_argv(self.binary, self.access, release, chart_path, timeout, description, wait=wait)
        try:
            # Helm bounds each wait by its own timeout; ours only ends a helm that hangs
            self.runner.run(argv, stdin=dump_yaml(plain(release.values)), env=CLEAN_ENV, timeout=2 * timeout + 60)
        except CommandFailed as error:
            raise failure(f"the release `{release.name}` did not come up", error) from error

    def recover(self, name: str, namespace: str) -> bool:
        """Clear what an interrupted run left pending; True if there was any. Only for the holder of the env's lock."""
        target = recovery(self.history(name, namespace))
        if target is None:
            return False
        if target == 0:
            self.uninstall(name, namespace)
        else:
            self.rollback(name, namespace, target, wait=False)
        return True

    def rollback(self, name: str, namespace: str, revision: int, *, timeout: float = 300, wait: bool = True) -> None:
        """Make a new revision equal to an old one; raises ReleaseError."""
        argv = rollback_argv(self.binary, self.access, name, namespace, revision, timeout, wait=wait)
        try:
            self.runner.run(argv, env=CLEAN_ENV, timeout=2 * timeout + 60)
        except CommandFailed as error:
            raise failure(f"`{name}` could not be rolled back to v{revision}", error) from error

    def uninstall(self, name: str, namespace: str, timeout: float = 180) -> None:
        """Remove a release; nothing to do when it is not there. Raises ReleaseError."""
        try:
            self.runner.run(
                uninstall_argv(self.binary, self.access, name, namespace, timeout), env=CLEAN_ENV, timeout=timeout + 60
            )
        except CommandFailed as error:
            raise failure(f"the release `{name}` could not be removed", error) from error

    def history(self, name: str, namespace: str) -> tuple[Revision, ...]:
        """Revisions of a release, oldest first; empty when there is none."""
        done = self._read(namespace, "history", name, f"--max={HISTORY_MAX}", "--output=json", check=False)
        if done.code:
            if "not found" in done.stderr:
                return ()
            raise failure(
                f"the history of `{name}` could not be read", CommandFailed(done.argv, done.code, done.stderr)
            )
        return parse_history(done.stdout)

    def values(self, name: str, namespace: str, revision: int | None = None) -> dict[str, Any]:
        """The values a revision (default: the newest) was made with. They hold secrets."""
        done = self._read(namespace, "get", "values", name, *_revision(revision), "--output=json")
        return json.loads(done.stdout) or {}

    def manifest(self, name: str, namespace: str, revision: int | None = None) -> str:
        """The manifests of a revision as YAML. They hold secrets."""
        return self._read(namespace, "get", "manifest", name, *_revision(revision)).stdout

    def template(
        self, chart_path: Path, values: Mapping[str, Any], name: str = "app", namespace: str = "default"
    ) -> str:
        """Render a chart without a cluster; raises ReleaseError when values and chart do not fit."""
        try:
            argv = template_argv(self.binary, chart_path, name, namespace)
            return self.runner.run(argv, stdin=dump_yaml(plain(values)), env=CLEAN_ENV, timeout=60).stdout
        except CommandFailed as error:
            raise failure(f"the chart `{chart_path.name}` could not be rendered", error) from error

    def _read(self, namespace: str, *words: str, check: bool = True) -> Completed:
        argv = [*base_argv(self.binary, self.access, namespace), *words]
        try:
            return self.runner.run(argv, env=CLEAN_ENV, timeout=60, check=check)
        except CommandFailed as error:
            raise failure("the release could not be read", error) from error


def _revision(revision: int | None) -> list[str]:
    return [] if revision is None else [f"--revision={revision}"]


def parse_history(text: str) -> tuple[Revision, ...]:
    """Revisions from `helm history --output=json`."""
    rows = json.loads(text or "[]")
    return tuple(
        Revision(int(row["revision"]), row["status"], row.get("description", ""), _updated(row.get("updated")))
        for row in rows
    )


def _updated(text: str | None) -> datetime | None:
    if not text:
        return None
    whole, _, fraction = text.partition(".")
    if not fraction:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
    zone = fraction[len(digits) :].replace("Z", "+00:00")
    return datetime.fromisoformat(f"{whole}.{digits[:6]:0<6}{zone}")  # Go writes nanoseconds, Python reads microseconds


def new_enough(version: str) -> bool:
    """Whether `v3.13.0` or later: `--labels` came with 3.13 (https://github.com/helm/helm/releases/tag/v3.13.0)."""
    numbers = version.lstrip("v").split("+")[0].split("-")[0].split(".")
    try:
        return (int(numbers[0]), int(numbers[1])) >= (3, 13)
    except (IndexError, ValueError):
        return True  # a build without a version


def plain(value: Any) -> Any:
    """Values as dicts and lists, whatever read-only mappings and tuples they are made of."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def failure(what: str, error: CommandFailed) -> ReleaseError:
    """A ReleaseError with Helm's own reason, without its prefixes; the schema's complaints one per line."""
    noise = ("WARNING", "coalesce.go", "1 error occurred:")
    lines = [line.strip().removeprefix("Error: ") for line in error.output.splitlines()]
    reasons = [
        line.removeprefix("UPGRADE FAILED: ").removeprefix("INSTALLATION FAILED: ").removeprefix("* ") for line in lines
    ]
    return ReleaseError(
        what,
        "`devenv ps` and `devenv logs` tell more",
        [each for each in reasons if each and not each.startswith(noise)][-12:],
    )
