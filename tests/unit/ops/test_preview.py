"""What `plan` tells before there is a cluster."""

import io
from pathlib import Path

import pytest

from devenv.base.console import Console
from devenv.cli import plan_text
from devenv.cluster.kind import Kind
from devenv.cluster.provider import ClusterStatus
from devenv.images import reachable
from devenv.ops.env import Env, Options
from devenv.ops.preview import Preview, preview
from tests.fakes import Answer, FakeRunner


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app's folder, on a machine with an engine; `kind` must not be asked for."""
    (tmp_path / "Procfile").write_text("web: python web.py\n")
    (tmp_path / "requirements.txt").touch()
    (tmp_path / ".devenv").mkdir()
    monkeypatch.setattr(reachable, "source", lambda: "official")
    monkeypatch.setattr(Env, "tool", lambda env, name: pytest.fail(f"obtains {name}"))
    return tmp_path


def planned(folder: Path, monkeypatch: pytest.MonkeyPatch, status: ClusterStatus) -> Preview:
    monkeypatch.setattr(Kind, "status", lambda kind, spec: status)
    runner = FakeRunner({("git",): Answer(code=128)})
    return preview(Env(Options(folder, "shop", {}, None), Console(quiet=True), runner))


def address(found: Preview) -> str:
    told = io.StringIO()
    plan_text.show(Console(told, color=False), found)
    return next(line for line in told.getvalue().splitlines() if line.startswith("address:")).split(maxsplit=1)[1]


@pytest.mark.parametrize("state", ["absent", "broken"])
def test_the_port_is_not_known_before_the_cluster_is_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    found = planned(folder, monkeypatch, ClusterStatus(state))  # type: ignore[arg-type]
    assert found.url is None
    assert address(found) == "http://shop.localhost, on the first free port from 8080 when the cluster is made"


def test_the_port_that_the_profile_asks_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".devenv" / "profile.yaml").write_text("http_port: 8123\n")
    assert address(planned(folder, monkeypatch, ClusterStatus("absent"))) == "http://shop.localhost:8123"
    stopped = ClusterStatus("stopped", 8080)
    assert address(planned(folder, monkeypatch, stopped)) == "http://shop.localhost:8080"


def test_there_is_no_address_without_a_web_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "Procfile").write_text("worker: python work.py\n")
    assert address(planned(folder, monkeypatch, ClusterStatus("absent"))) == "none: there is no web process type"
