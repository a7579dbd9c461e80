"""Where kind, helm and kubectl come from, and what makes an image source."""

import json
import os
import time
from pathlib import Path

import pytest

from devenv.base.console import Console
from devenv.base.errors import InputError, ToolMissing
from devenv.images import catalog, debian, engine, golang, reachable, tools
from tests.fakes import Answer, FakeRunner

QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and a PATH with nothing on it but the test's folder."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    (tmp_path / "path").mkdir()
    return tmp_path / "cache"


def program(path: Path) -> str:
    """An executable file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_a_new_enough_tool_of_path_is_linked(tmp_path: Path, cache: Path) -> None:
    own = program(tmp_path / "path/kind")
    runner = FakeRunner({(own, "version"): Answer("kind v0.31.0 go1.25.5 linux/amd64")})
    found = tools.ensure(runner, QUIET, ["kind"])
    assert found == {"kind": cache / "bin/kind"}
    assert found["kind"].resolve() == Path(own)


def test_another_run_may_be_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "bin/kind", os.replace
    path.parent.mkdir()

    def replace(*places: Path) -> None:
        monkeypatch.setattr(os, "replace", real)
        tools._install(b"theirs", path)
        real(*places)

    monkeypatch.setattr(os, "replace", replace)
    tools._install(b"ours", path)
    assert path.read_bytes() == b"ours"
    assert path.stat().st_mode & 0o777 == 0o755
    assert list(path.parent.iterdir()) == [path]


def test_asking_again_runs_nothing(tmp_path: Path) -> None:
    own = program(tmp_path / "path/kind")
    runner = FakeRunner({(own, "version"): Answer("kind v0.31.0")})
    tools.ensure(runner, QUIET, ["kind"])
    tools.ensure(runner, QUIET, ["kind"])
    assert len(runner.calls) == 1


def test_an_old_tool_is_passed_over_for_the_built_one(tmp_path: Path, cache: Path) -> None:
    own = program(tmp_path / "path/kind")
    runner = FakeRunner({(own, "version"): Answer("kind v0.20.0")})
    module, machine = catalog.module_of("kind"), golang.host()
    built = golang.folder(*machine)
    program(built / "kind")
    (built / "kind.made").write_text(golang.fingerprint.of_module(module))
    found = tools.ensure(runner, QUIET, ["kind"])["kind"]
    assert found == cache / "bin/kind"
    assert not found.is_symlink()
    assert found.stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("name", "text", "enough"),
    [
        ("kubectl", "Client Version: v1.34.4\nKustomize Version: v5.7.1\n", True),
        ("kubectl", "Client Version: v1.28.0\n", False),
        ("helm", "v3.22.0+g144ca65", True),
        ("helm", "v4.0.1", True),
        ("helm", "no version at all", False),
    ],
)
def test_versions_are_read_from_what_tools_say(tmp_path: Path, name: str, text: str, enough: bool) -> None:
    own = program(tmp_path / f"path/{name}")
    tool = catalog.tools()[name]
    assert bool(tools._adequate(FakeRunner({(own,): Answer(text)}), tool)) is enough


def test_go_on_path_is_used_when_new_enough(tmp_path: Path) -> None:
    own = program(tmp_path / "path/go")
    runner = FakeRunner({(own, "version"): Answer("go version go1.26.8 linux/amd64")})
    assert golang.toolchain(runner, "1.26.7", lambda line: None) == Path(own)


@pytest.mark.parametrize(
    ("package", "name"),
    [("go.etcd.io/etcd/server/v3", "server"), ("sigs.k8s.io/kind", "kind"), ("helm.sh/helm/v3/cmd/helm", "helm")],
)
def test_programs_get_the_name_go_gives_them(package: str, name: str) -> None:
    assert golang._default_name(package) == name


def test_the_source_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in ("official", "built"):
        monkeypatch.setenv("DEVENV_IMAGES", wanted)
        assert reachable.source() == wanted
    monkeypatch.setenv("DEVENV_IMAGES", "both")
    with pytest.raises(InputError, match="`both`"):
        reachable.source()


@pytest.mark.parametrize(
    ("answer", "debootstrap", "made", "source"),
    [
        (True, True, True, "official"),
        (False, True, False, "built"),
        (False, False, True, "built"),  # by root
        (False, False, False, "official"),  # then nothing else can work
    ],
)
def test_a_fresh_answer_is_believed(
    cache: Path, monkeypatch: pytest.MonkeyPatch, answer: bool, debootstrap: bool, made: bool, source: str
) -> None:
    def check() -> None:
        if not debootstrap:
            raise ToolMissing("no debootstrap")

    monkeypatch.delenv("DEVENV_IMAGES", raising=False)
    monkeypatch.setattr(debian, "check", check)
    monkeypatch.setattr(engine, "local", lambda runner, names: dict.fromkeys(names) if made else {})
    cache.mkdir()
    (cache / "registries.json").write_text(json.dumps({"at": time.time() - 60, "reachable": answer}))
    assert reachable.source() == source
