from pathlib import Path

import pytest

from devenv.base import paths


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEVENV_CACHE", "DEVENV_STATE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")


def test_defaults() -> None:
    assert paths.cache() == Path("/home/me/.cache/devenv")
    assert paths.state() == Path("/home/me/.local/state/devenv")
    assert paths.bin_folder() == Path("/home/me/.cache/devenv/bin")


def test_xdg_and_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xc")
    monkeypatch.setenv("XDG_STATE_HOME", "/xs")
    assert (paths.cache(), paths.state()) == (Path("/xc/devenv"), Path("/xs/devenv"))
    monkeypatch.setenv("DEVENV_CACHE", "/c")
    monkeypatch.setenv("DEVENV_STATE", "/s")
    assert (paths.cache(), paths.state()) == (Path("/c"), Path("/s"))


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_X", "")
    assert paths.setting("X") is None
    monkeypatch.setenv("DEVENV_X", "1")
    assert paths.setting("X") == "1"
