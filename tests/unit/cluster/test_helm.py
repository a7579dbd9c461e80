"""Helm's command lines, what an interrupted run needs, and its errors."""

from pathlib import Path
from types import MappingProxyType

import pytest

from devenv.base.errors import ReleaseError
from devenv.cluster import helm
from devenv.cluster.helm import Helm, Revision
from devenv.plan.model import Access, Release
from tests.fakes import Answer, FakeRunner

ACCESS = Access(Path("/k/config"), "kind-devenv")
RELEASE = Release("app", "lamp", "app", {"config": MappingProxyType({"SECRET": "hunter2"}), "list": ("a", 1)}, "f1", 7)
CHART = Path("/charts/app")
HISTORY = """[{"revision":1,"updated":"2026-05-04T10:00:00.123456789Z","status":"deployed","chart":"app-0.1.0",
"app_version":"","description":"Install complete"},
{"revision":2,"updated":"2026-05-04T12:00:00.5+02:00","status":"pending-upgrade","chart":"app-0.1.0",
"app_version":"","description":"Preparing upgrade"}]"""


def test_every_call_names_kubeconfig_context_and_namespace() -> None:
    for argv in (
        helm.upgrade_argv("helm", ACCESS, RELEASE, CHART, 60),
        helm.rollback_argv("helm", ACCESS, "app", "lamp", 3, 60, wait=True),
        helm.uninstall_argv("helm", ACCESS, "app", "lamp", 60),
    ):
        assert argv[1:4] == ["--kubeconfig=/k/config", "--kube-context=kind-devenv", "--namespace=lamp"]


def test_upgrade_argv() -> None:
    argv = helm.upgrade_argv("helm", ACCESS, RELEASE, CHART, 90.4, "Deploy 1a2b")
    for word in ("--install", "--create-namespace", "--values=-", "--wait", "--timeout=90s", "--history-max=50"):
        assert word in argv
    assert "--labels=devenv.fingerprint=f1,devenv.version=7" in argv
    assert argv[-1] == "--description=Deploy 1a2b"
    assert "--wait" not in helm.upgrade_argv("helm", ACCESS, RELEASE, CHART, 90, wait=False)


def test_values_travel_on_stdin_and_never_in_argv() -> None:
    runner = FakeRunner(
        {("helm", "history"): Answer("", "Error: release: not found", 1), ("helm", "upgrade"): Answer()}
    )
    Helm(runner, ACCESS, "helm").upgrade(RELEASE, CHART)
    call = runner.calls[-1]
    assert b"SECRET: hunter2" in (call.stdin or b"")
    assert not [word for word in call.argv if "hunter2" in word]


def test_the_callers_environment_cannot_point_helm_elsewhere() -> None:
    runner = FakeRunner({("helm", "history"): Answer("[]")})
    Helm(runner, ACCESS, "helm").history("app", "lamp")
    assert runner.calls[0].env["HELM_KUBEAPISERVER"] == ""
    assert runner.calls[0].env["HELM_DRIVER"] == ""


def revisions(*statuses: str) -> list[Revision]:
    return [Revision(number, status, "", None) for number, status in enumerate(statuses, 1)]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((), None),
        (("deployed",), None),
        (("deployed", "failed"), None),
        (("failed",), None),
        (("pending-install",), 0),
        (("failed", "pending-upgrade"), 0),
        (("deployed", "pending-upgrade"), 1),
        (("superseded", "deployed", "failed", "pending-upgrade"), 2),
        (("superseded", "deployed", "pending-rollback"), 2),
        (("superseded", "superseded", "pending-rollback"), 2),
        (("deployed", "uninstalling"), 0),
    ],
)
def test_recovery(statuses: tuple[str, ...], expected: int | None) -> None:
    assert helm.recovery(revisions(*statuses)) == expected


def test_recover_rolls_back_without_hooks_before_the_upgrade() -> None:
    runner = FakeRunner(
        {("helm", "history"): Answer(HISTORY), ("helm", "rollback"): Answer(), ("helm", "upgrade"): Answer()}
    )
    Helm(runner, ACCESS, "helm").upgrade(RELEASE, CHART)
    verbs = [call.argv[4] for call in runner.calls]
    assert verbs == ["history", "rollback", "upgrade"]
    assert runner.calls[1].argv[4:7] == ("rollback", "app", "1")
    assert "--no-hooks" in runner.calls[1].argv


def test_recover_uninstalls_what_never_deployed() -> None:
    rows = '[{"revision":1,"updated":"2026-05-04T10:00:00Z","status":"pending-install"}]'
    runner = FakeRunner({("helm", "history"): Answer(rows), ("helm", "uninstall"): Answer()})
    assert Helm(runner, ACCESS, "helm").recover("app", "lamp")
    assert runner.calls[-1].argv[4:6] == ("uninstall", "app")


def test_history_reads_gos_nanoseconds() -> None:
    first, second = helm.parse_history(HISTORY)
    assert first.updated is not None
    assert first.updated.microsecond == 123456
    assert second.updated is not None
    assert second.updated.utcoffset() is not None
    assert (second.status, second.description) == ("pending-upgrade", "Preparing upgrade")


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v3.13.0", True),
        ("v3.12.3", False),
        ("v4.0.0", True),
        ("v3.22", True),
        ("v3.18.1+g123", True),
        ("dev", True),
        ("v2.17.0", False),
    ],
)
def test_new_enough(version: str, enough: bool) -> None:
    assert helm.new_enough(version) is enough


def test_a_failure_tells_helms_reason_without_its_prefixes() -> None:
    said = "WARNING: Kubernetes configuration file is group-readable.\n"
    said += "Error: UPGRADE FAILED: pre-upgrade hooks failed: job release failed\n"
    runner = FakeRunner({("helm", "history"): Answer("[]"), ("helm", "upgrade"): Answer("", said, 1)})
    with pytest.raises(ReleaseError) as caught:
        Helm(runner, ACCESS, "helm").upgrade(RELEASE, CHART)
    assert caught.value.details == ("pre-upgrade hooks failed: job release failed",)
    assert "`app`" in caught.value.message
