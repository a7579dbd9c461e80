"""Staying with an env while its image is built anew, and again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devenv.base.console import Console
from devenv.cli import attach
from devenv.cli.common import Shell
from devenv.ops.env import Env, Options
from devenv.ops.sync import NotOnRecord


def test_no_change_asks_for_an_image_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that take turns would do so for ever: neither makes another image."""
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path))
    known: list[Mapping[str, str | None]] = []

    def session(env: object, report: object, refused: Mapping[str, str | None]) -> Mapping[str, str | None]:
        known.append(dict(refused))
        if len(known) == 3:
            raise NotOnRecord("lost")
        if len(known) == 4:
            return {}  # another `up`
        if len(known) == 5:
            raise NotOnRecord("of another folder")
        return {"a": "f 1"} if len(known) == 1 else {"b": None}

    @contextmanager
    def attached(env: object) -> Iterator[None]:
        yield

    env = SimpleNamespace(
        name="shop", spec=SimpleNamespace(name="devenv"), options=None, console=Console(quiet=True), app=1, profile=1
    )
    monkeypatch.setattr("devenv.ops.sync.attached", attached)
    monkeypatch.setattr("devenv.ops.sync.session", session)
    monkeypatch.setattr("devenv.ops.modes.commit_runs", lambda env: None)
    monkeypatch.setattr("devenv.ops.env.Env", lambda options, console: env)
    monkeypatch.setattr("devenv.ops.up.up", lambda env, stays: SimpleNamespace(version=2))
    shell: Any = SimpleNamespace(console=Console(quiet=True), env=env, json=False)
    with pytest.raises(NotOnRecord, match="of another folder"):  # what somebody else made is not replaced
        attach.follow(cast(Shell, shell), with_logs=False)
    assert known == [{}, {"a": "f 1"}, *[{"a": "f 1", "b": None}] * 3]


def test_a_file_that_cannot_be_read_leaves_the_env_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on with it, and sees when the file is mended."""
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(attach, "_unreadable", lambda env: False)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "Procfile").write_text("web: serve\n")
    env = Env(Options(tmp_path, None, {}, None), Console(quiet=True))
    assert env.app
    (tmp_path / "Procfile").write_text("web serve\n")
    assert attach._up(env) is env
    (tmp_path / "Procfile").write_text("web: serve\nworker: work\n")
    assert len(attach._anew(env).app.processes) == 2
