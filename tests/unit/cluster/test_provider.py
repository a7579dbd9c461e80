"""Which provider a name stands for, and where programs are found."""

import os
from pathlib import Path

import pytest

from devenv.base.errors import InputError, ToolMissing
from devenv.cluster import binaries, engine, provider
from devenv.cluster.context import ExistingCluster
from devenv.cluster.kind import Kind
from devenv.cluster.minikube import Minikube
from tests.fakes import FakeRunner


def test_select() -> None:
    assert isinstance(provider.select("kind", FakeRunner()), Kind)
    assert isinstance(provider.select("minikube", FakeRunner()), Minikube)
    existing = provider.select("context:arn:aws:eks:x", FakeRunner())
    assert isinstance(existing, ExistingCluster)
    assert existing.context == "arn:aws:eks:x"


@pytest.mark.parametrize("name", ["k3d", "", "context", "context:", "kind:x"])
def test_an_unknown_provider(name: str) -> None:
    with pytest.raises(InputError) as caught:
        provider.select(name, FakeRunner())
    assert "context:NAME" in (caught.value.hint or "")


def test_devenvs_own_program_goes_before_the_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEVENV_KIND", "DEVENV_HELM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(ToolMissing, match="`kind`"):
        binaries.find("kind")
    for folder in ("path", "cache/bin"):
        program = tmp_path / folder / "kind"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        assert binaries.find("kind") == str(program)
    monkeypatch.setenv("DEVENV_KIND", os.devnull)
    assert binaries.find("kind") == os.devnull


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "may not use"),
        (FileNotFoundError(2, "No such file or directory"), "not running"),
        (ConnectionRefusedError(111, "Connection refused"), "not running"),
        (RuntimeError("client version 1.41 is too old"), "cannot be used"),
    ],
)
def test_an_engine_that_does_not_answer(error: Exception, said: str) -> None:
    found = engine.stopped(error)
    assert said in found.message
    assert found.hint
